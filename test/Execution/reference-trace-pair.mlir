// One pair, step by step: the first row is (.1 .2 .3 .4), the second
// (.5 .6 .7 .8), so that their product is .7 and row 1 sees keys 0 and 1.

// RUN: attn-run %s --trace-pair=1,0 | FileCheck %s --check-prefix=SEEN
// RUN: attn-run %s --trace-pair=0,1 | FileCheck %s --check-prefix=HIDDEN
// RUN: not attn-run %s --trace-pair=0,3 2>&1 | FileCheck %s --check-prefix=OUTSIDE

// SEEN: similarity 0.7{{[0-9]*}}, scaled 0.35{{[0-9]*}}, score 0.85{{[0-9]*}}, mask true, weight {{0\.[0-9]+}} (the row sees 2 keys)
// HIDDEN: similarity 0.7{{[0-9]*}}, scaled 0.35{{[0-9]*}}, score none, mask false, weight 0 (the row sees 1 key)
// OUTSIDE: position 3 is outside a dimension of extent 3

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @biased() -> tensor<3x4xf32> {
  %x = arith.constant dense<[[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8],
                             [0.9, 1.0, 1.1, 1.2]]> : tensor<3x4xf32>
  %init = tensor.empty() : tensor<3x4xf32>
  %o = attn.generic ins(%x, %x, %x : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
      weighting(#attn.softmax) outs(%init : tensor<3x4xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %seen = arith.cmpi sle, %j, %i : index
        attn.yield %seen : i1
      } score {
      ^bb0(%s: f32):
        %half = arith.constant 0.5 : f32
        %r = arith.addf %s, %half : f32
        attn.yield %r : f32
      } -> tensor<3x4xf32>
  return %o : tensor<3x4xf32>
}
