// RUN: attn-run %s --fusion=never --random=3 --check | FileCheck %s

// A position that only visible pairs read stood in a branch, where the lowering
// of linalg ops to loops did not find it.
// CHECK: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @table(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                 %table: tensor<7xf32>) -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %out = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %one = arith.constant 1 : index
        %visible = arith.cmpi sge, %i, %one : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32):
        %at = attn.index 1
        %r = tensor.extract %table[%at] : tensor<7xf32>
        %t = arith.addf %s, %r : f32
        attn.yield %t : f32
      } -> tensor<5x3xf32>
  return %out : tensor<5x3xf32>
}
