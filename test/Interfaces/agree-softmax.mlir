// RUN: %python %S/Inputs/agree.py %s | FileCheck %s
// RUN: not %python %S/Inputs/agree.py %s --scale-error=0.02 | FileCheck %s --check-prefix=WRONG

// What is tiled, or whose keys are split, computes what the op does, whatever
// its regions and its types: compared with the reference of the function as it
// stands. Would it not, that would be found.
// CHECK-NOT: expected
// CHECK-COUNT-27: {{agrees$}}
// WRONG-NOT: agrees
// WRONG-COUNT-27: expected
// WRONG-NOT: agrees

!op = !transform.any_op
#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (n, b, e)>
#pair = affine_map<(b, m, n, d, e) -> (m, n)>
#key = affine_map<(b, m, n, d, e) -> (n)>
#batch = affine_map<(b, m, n, d, e) -> (b)>
#o = affine_map<(b, m, n, d, e) -> (m, b, e)>
#row = affine_map<(b, m, n, d, e) -> (b, m)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence private @tile_using_forall(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_forall %op tile_sizes [1, 2] : (!op) -> (!op, !op)
    transform.yield
  }
  transform.named_sequence private @tile_using_for(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [1, 2] : (!op) -> (!op, !op, !op)
    transform.yield
  }
  // `ranges` and `classify` are used by the loops over key tiles.
  transform.named_sequence private @tile_bounded(%root: !op) {
    %function = transform.structured.match ops{["func.func"]} in %root : (!op) -> !op
    transform.apply_registered_pass "attn-bound" to %function : (!op) -> !op
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [1, 3] : (!op) -> (!op, !op, !op)
    transform.yield
  }
  // 19 keys in blocks of 3: the last of 8 threads has none.
  transform.named_sequence private @split_threads(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_reduction_using_forall %op by num_threads = [0, 0, 8]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }
  transform.named_sequence private @split_blocks(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_reduction_using_forall %op by tile_sizes = [0, 0, 8]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }
  transform.named_sequence private @split_side_by_side(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 0, 8]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }
  // The steps of a split are tiled in turn, over rows and over keys.
  transform.named_sequence private @split_then_tile(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    %fill:3, %step, %merge, %finish, %loop =
        transform.structured.tile_reduction_using_forall %op by num_threads = [0, 0, 2]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.structured.tile_using_for %step tile_sizes [1, 2, 4] : (!op) -> (!op, !op, !op, !op)
    transform.yield
  }
  transform.named_sequence private @tile_then_split(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    %tile, %loop = transform.structured.tile_using_forall %op tile_sizes [0, 2] : (!op) -> (!op, !op)
    transform.structured.tile_reduction_using_forall %tile by num_threads = [0, 0, 2]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }
  transform.named_sequence private @decompose(%root: !op) {
    %function = transform.structured.match ops{["func.func"]} in %root : (!op) -> !op
    transform.apply_registered_pass "attn-decompose" to %function : (!op) -> !op
    transform.yield
  }

  func.func @masked(%q: tensor<2x5x4xf32>, %k: tensor<2x19x4xf32>, %v: tensor<19x2x3xf32>,
                    %bias: tensor<5x19xf32>) -> (tensor<5x2x3xf32>, tensor<2x5xf32>) {
    %init = tensor.empty() : tensor<5x2x3xf32>
    %rows = tensor.empty() : tensor<2x5xf32>
    %out, %lse = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x19x4xf32>, tensor<19x2x3xf32>)
        inputs(%bias : tensor<5x19xf32>)
        weighting(#attn.softmax) outs(%init : tensor<5x2x3xf32>) lse(%rows : tensor<2x5xf32>)
        {indexing_maps = [#q, #k, #v, #pair, #o, #row], scale = 0.5 : f64}
        mask {
        ^bb0(%in: f32):
          %i = attn.index 1
          %j = attn.index 2
          %nine = arith.constant 9 : index
          %last = arith.addi %i, %nine : index
          %visible = arith.cmpi sle, %j, %last : index
          attn.yield %visible : i1
        }
        score {
        ^bb0(%s: f32, %in: f32):
          %t = arith.addf %s, %in : f32
          attn.yield %t : f32
        } -> tensor<5x2x3xf32>, tensor<2x5xf32>
    return %out, %lse : tensor<5x2x3xf32>, tensor<2x5xf32>
  }

  // A sink per batch; a table read at computed positions; rows 0 and 1 of each
  // batch see no key at all.
  func.func @sink(%q: tensor<2x5x4xf32>, %k: tensor<2x19x4xf32>, %v: tensor<19x2x3xf32>,
                  %sink: tensor<2xf32>, %table: tensor<24xf32>)
      -> (tensor<5x2x3xf32>, tensor<2x5xf32>) {
    %init = tensor.empty() : tensor<5x2x3xf32>
    %rows = tensor.empty() : tensor<2x5xf32>
    %two = arith.constant 2 : index
    %out, %lse = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x19x4xf32>, tensor<19x2x3xf32>)
        weighting(#attn.softmax_sink, %sink : tensor<2xf32>)
        outs(%init : tensor<5x2x3xf32>) lse(%rows : tensor<2x5xf32>)
        {indexing_maps = [#q, #k, #v, #batch, #o, #row], scale = 2.0 : f64}
        mask {
          %i = attn.index 1
          %visible = arith.cmpi sge, %i, %two : index
          attn.yield %visible : i1
        }
        score {
        ^bb0(%s: f32):
          %i = attn.index 1
          %j = attn.index 2
          %at = arith.addi %i, %j : index
          %r = tensor.extract %table[%at] : tensor<24xf32>
          %t = arith.addf %s, %r : f32
          attn.yield %t : f32
        } -> tensor<5x2x3xf32>, tensor<2x5xf32>
    return %out, %lse : tensor<5x2x3xf32>, tensor<2x5xf32>
  }

  // A similarity that is no product, a weight region, and f16 at the border.
  func.func @half(%q: tensor<2x5x4xf16>, %k: tensor<2x19x4xf16>, %v: tensor<19x2x3xf16>,
                  %drop: tensor<19xf32>) -> tensor<5x2x3xf16> {
    %init = tensor.empty() : tensor<5x2x3xf16>
    %out = attn.generic ins(%q, %k, %v : tensor<2x5x4xf16>, tensor<2x19x4xf16>, tensor<19x2x3xf16>)
        inputs(%drop : tensor<19xf32>)
        weighting(#attn.softmax) outs(%init : tensor<5x2x3xf16>)
        {indexing_maps = [#q, #k, #v, #key, #o], scale = 4.0 : f64}
        similarity {
        ^bb0(%x: f32, %y: f32, %in: f32):
          %difference = arith.subf %x, %y : f32
          %distance = math.absf %difference : f32
          attn.yield %distance : f32
        }
        weight {
        ^bb0(%w: f32, %in: f32):
          %t = arith.mulf %w, %in : f32
          attn.yield %t : f32
        } -> tensor<5x2x3xf16>
    return %out : tensor<5x2x3xf16>
  }
}
