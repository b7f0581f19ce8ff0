// RUN: %python %S/Inputs/agree.py %s -- --shape=0:2x3x4x6 --shape=1:2x11x2x6 --shape=2:2x11x2x5 | FileCheck %s

// Sizes known at run time, two query row dimensions (grouped heads), operands in
// the order batch, row, head; a consumer that attention is fused into.
// CHECK-NOT: expected
// CHECK-COUNT-5: {{agrees$}}

!op = !transform.any_op
#q = affine_map<(b, h, g, m, n, d, e) -> (b, m, g, d)>
#k = affine_map<(b, h, g, m, n, d, e) -> (b, n, h, d)>
#v = affine_map<(b, h, g, m, n, d, e) -> (b, n, h, e)>
#o = affine_map<(b, h, g, m, n, d, e) -> (b, m, h, g, e)>
#id = affine_map<(b, m, h, g, e) -> (b, m, h, g, e)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence private @tile(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_forall %op tile_sizes [1, 1, 0, 2] : (!op) -> (!op, !op)
    transform.yield
  }
  transform.named_sequence private @split(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_reduction_using_forall %op by num_threads = [0, 0, 0, 0, 4]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }
  transform.named_sequence private @split_blocks(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_reduction_using_forall %op by tile_sizes = [0, 0, 0, 0, 4]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }
  transform.named_sequence private @split_side_by_side(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 0, 0, 0, 4]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }
  transform.named_sequence private @fuse(%root: !op) {
    %double = transform.structured.match ops{["linalg.generic"]} in %root : (!op) -> !op
    %tile, %loop = transform.structured.tile_using_forall %double tile_sizes [1, 2] : (!op) -> (!op, !op)
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.fuse_into_containing_op %op into %loop : (!op, !op) -> (!op, !op)
    transform.yield
  }

  func.func @grouped(%q: tensor<?x?x?x?xf32>, %k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x?xf32>)
      -> tensor<?x?x?x?x?xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %b = tensor.dim %q, %c0 : tensor<?x?x?x?xf32>
    %m = tensor.dim %q, %c1 : tensor<?x?x?x?xf32>
    %g = tensor.dim %q, %c2 : tensor<?x?x?x?xf32>
    %h = tensor.dim %k, %c2 : tensor<?x?x?x?xf32>
    %e = tensor.dim %v, %c3 : tensor<?x?x?x?xf32>
    %init = tensor.empty(%b, %m, %h, %g, %e) : tensor<?x?x?x?x?xf32>
    %out = attn.generic ins(%q, %k, %v : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
        weighting(#attn.softmax) outs(%init : tensor<?x?x?x?x?xf32>)
        {indexing_maps = [#q, #k, #v, #o], scale = 1.5 : f64}
        mask {
          %i = attn.index 3
          %j = attn.index 4
          %head = attn.index 1
          %six = arith.constant 6 : index
          %reach = arith.addi %i, %six : index
          %first = arith.cmpi sge, %j, %head : index
          %last = arith.cmpi sle, %j, %reach : index
          %visible = arith.andi %first, %last : i1
          attn.yield %visible : i1
        } -> tensor<?x?x?x?x?xf32>
    %twice = linalg.generic {indexing_maps = [#id, #id],
        iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
        ins(%out : tensor<?x?x?x?x?xf32>) outs(%init : tensor<?x?x?x?x?xf32>) {
    ^bb0(%x: f32, %y: f32):
      %t = arith.addf %x, %x : f32
      linalg.yield %t : f32
    } -> tensor<?x?x?x?x?xf32>
    return %twice : tensor<?x?x?x?x?xf32>
  }
}
