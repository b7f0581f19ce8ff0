// RUN: %python %S/Inputs/agree.py %s | FileCheck %s

// Weightings without statistics: their states are sums. `relu` divides by the
// number of all keys, whatever part of them a tile has.
// CHECK-NOT: expected
// CHECK-COUNT-10: {{agrees$}}

!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#scalar = affine_map<(m, n, d, e) -> ()>
#o = affine_map<(m, n, d, e) -> (e, m)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence private @tile_channels(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_forall %op tile_sizes [3, 0, 0, 2] : (!op) -> (!op, !op)
    transform.yield
  }
  transform.named_sequence private @split_threads(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_reduction_using_forall %op by num_threads = [0, 4]
        : (!op) -> (!op, !op, !op, !op, !op)
    transform.yield
  }
  transform.named_sequence private @split_side_by_side(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 4]
        : (!op) -> (!op, !op, !op, !op, !op)
    transform.yield
  }
  transform.named_sequence private @split_then_tile(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    %fill, %step, %merge, %finish, %loop =
        transform.structured.tile_reduction_using_forall %op by num_threads = [0, 2]
        : (!op) -> (!op, !op, !op, !op, !op)
    transform.structured.tile_using_for %step tile_sizes [2, 4, 0, 2] : (!op) -> (!op, !op, !op, !op)
    transform.yield
  }
  transform.named_sequence private @decompose(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.decompose_interface %op : (!op) -> !op
    transform.yield
  }

  func.func @relu(%q: tensor<4x5xf32>, %k: tensor<19x4xf32>, %v: tensor<19x3xf32>)
      -> tensor<3x5xf32> {
    %init = tensor.empty() : tensor<3x5xf32>
    %out = attn.generic ins(%q, %k, %v : tensor<4x5xf32>, tensor<19x4xf32>, tensor<19x3xf32>)
        weighting(#attn.relu) outs(%init : tensor<3x5xf32>)
        {indexing_maps = [#q, #k, #v, #o], scale = 2.0 : f64} -> tensor<3x5xf32>
    return %out : tensor<3x5xf32>
  }

  func.func @sigmoid(%q: tensor<4x5xf32>, %k: tensor<19x4xf32>, %v: tensor<19x3xf32>,
                     %bias: f32) -> tensor<3x5xf32> {
    %init = tensor.empty() : tensor<3x5xf32>
    %out = attn.generic ins(%q, %k, %v : tensor<4x5xf32>, tensor<19x4xf32>, tensor<19x3xf32>)
        weighting(#attn.sigmoid, %bias : f32) outs(%init : tensor<3x5xf32>)
        {indexing_maps = [#q, #k, #v, #scalar, #o], scale = 0.5 : f64} -> tensor<3x5xf32>
    return %out : tensor<3x5xf32>
  }
}
