// RUN: attn-run %s --random --require-fused | FileCheck %s
// RUN: attn-run %s --random --fusion=never | FileCheck %s

// The scores of a row add up to a subnormal number, the inverse of which is not
// finite in f32; the output, sum s v / sum s, is.
// CHECK: result 0: 2x2xf32
// CHECK-NEXT: {{\[\[}}-0.128{{[0-9]+}} -0.71{{[0-9]*}}]
// CHECK-NEXT: [-0.128{{[0-9]+}} -0.71{{[0-9]*}}]]

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @f(%q: tensor<2x4xf32>, %k: tensor<3x4xf32>, %v: tensor<3x2xf32>) -> tensor<2x2xf32> {
  %init = tensor.empty() : tensor<2x2xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<2x4xf32>, tensor<3x4xf32>, tensor<3x2xf32>)
      weighting(#attn.sum_normalized) outs(%init : tensor<2x2xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      similarity {
      ^bb0(%a: f32, %b: f32):
        %c = arith.constant 0.25 : f32
        attn.yield %c : f32
      }
      score {
      ^bb0(%s: f32):
        %tiny = arith.constant 1.0e-40 : f32
        %r = arith.mulf %s, %tiny : f32
        attn.yield %r : f32
      } -> tensor<2x2xf32>
  return %o : tensor<2x2xf32>
}
