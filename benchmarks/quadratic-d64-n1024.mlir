// BENCH: --random

// Values are summed by the squares of the weights.
#q = affine_map<(h, m, n, d, e) -> (h, m, d)>
#k = affine_map<(h, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, m, n, d, e) -> (h, n, e)>
#o = affine_map<(h, m, n, d, e) -> (h, m, e)>
func.func @quadratic(%q: tensor<8x1024x64xf32>, %k: tensor<8x1024x64xf32>,
                     %v: tensor<8x1024x64xf32>) -> tensor<8x1024x64xf32> {
  %init = tensor.empty() : tensor<8x1024x64xf32>
  %o = attn.generic
      ins(%q, %k, %v : tensor<8x1024x64xf32>, tensor<8x1024x64xf32>, tensor<8x1024x64xf32>)
      weighting(#attn.softmax) outs(%init : tensor<8x1024x64xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64}
      weight {
      ^bb0(%w: f32):
        %square = arith.mulf %w, %w : f32
        attn.yield %square : f32
      } -> tensor<8x1024x64xf32>
  return %o : tensor<8x1024x64xf32>
}
