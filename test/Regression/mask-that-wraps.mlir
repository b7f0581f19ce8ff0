// RUN: attn-run %s --random --check | FileCheck %s

// A mask in i32 whose product wraps from key 2148 on: it was taken for
// unbounded, and all keys for visible.
// CHECK: check: result 0: ok
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @mask_that_wraps(%q: tensor<3x4xf32>, %k: tensor<3000x4xf32>,
                           %v: tensor<3000x3xf32>) -> tensor<3x3xf32> {
  %init = tensor.empty() : tensor<3x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<3x4xf32>, tensor<3000x4xf32>, tensor<3000x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<3x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %j = attn.index 1
        %j32 = arith.index_cast %j : index to i32
        %factor = arith.constant 1000003 : i32
        %zero = arith.constant 0 : i32
        %hash = arith.muli %j32, %factor : i32
        %visible = arith.cmpi sge, %hash, %zero : i32
        attn.yield %visible : i1
      } -> tensor<3x3xf32>
  return %o : tensor<3x3xf32>
}
