// RUN: attn-run %s --random --shape=1:3x70x16 --shape=2:3x70x16 --check | FileCheck %s

// ReLU divides by the number of keys, which two extents give inside the loop over
// them: the compiler ended while it asked for the number before that loop.
// CHECK: check: result 0: ok: 32 elements
#q = affine_map<(m, p, n, d, e) -> (m, d)>
#k = affine_map<(m, p, n, d, e) -> (p, n, d)>
#v = affine_map<(m, p, n, d, e) -> (p, n, e)>
#o = affine_map<(m, p, n, d, e) -> (m, e)>
func.func @squares(%q: tensor<2x16xf32>, %k: tensor<?x?x16xf32>, %v: tensor<?x?x16xf32>) -> tensor<2x16xf32> {
  %init = tensor.empty() : tensor<2x16xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<2x16xf32>, tensor<?x?x16xf32>, tensor<?x?x16xf32>)
      weighting(#attn.relu) outs(%init : tensor<2x16xf32>) {indexing_maps = [#q, #k, #v, #o]}
      weight {
      ^bb0(%w: f32):
        %square = arith.mulf %w, %w : f32
        attn.yield %square : f32
      } -> tensor<2x16xf32>
  return %o : tensor<2x16xf32>
}
