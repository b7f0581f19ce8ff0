// RUN: attn-run %s --random --shape=0:4x37x16 --shape=1:4x43x16 --shape=2:4x43x3 --check

// Attention is older than the dot product: the estimator of Nadaraya and Watson
// averages values by a Gaussian kernel of the distance. The similarity, one
// feature's term of -|q - k|^2, is summed over the features; the score makes it
// the kernel; the weighting divides by the sum.
#q = affine_map<(h, m, n, d, e) -> (h, m, d)>
#k = affine_map<(h, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, m, n, d, e) -> (h, n, e)>
#o = affine_map<(h, m, n, d, e) -> (h, m, e)>
func.func @kernel_regression(%q: tensor<4x?x16xf32>, %k: tensor<4x?x16xf32>,
                             %v: tensor<4x?x3xf32>) -> tensor<4x?x3xf32> {
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %q, %c1 : tensor<4x?x16xf32>
  %init = tensor.empty(%rows) : tensor<4x?x3xf32>
  %o = attn.generic
      ins(%q, %k, %v : tensor<4x?x16xf32>, tensor<4x?x16xf32>, tensor<4x?x3xf32>)
      weighting(#attn.sum_normalized) outs(%init : tensor<4x?x3xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64}
      similarity {
      ^bb0(%x: f32, %y: f32):
        %difference = arith.subf %x, %y : f32
        %square = arith.mulf %difference, %difference : f32
        %term = arith.negf %square : f32
        attn.yield %term : f32
      }
      score {
      ^bb0(%s: f32):
        %kernel = math.exp %s : f32
        attn.yield %kernel : f32
      } -> tensor<4x?x3xf32>
  return %o : tensor<4x?x3xf32>
}
