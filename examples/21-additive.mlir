// RUN: attn-run %s --random --shape=0:2x5x16 --shape=1:2x37x16 --shape=2:2x37x8 --shape=3:16 --check --require-fused
// BENCH: --random --shape=0:8x512x64 --shape=1:8x512x64 --shape=2:8x512x64 --shape=3:64

// Additive attention (Bahdanau, Cho, Bengio 2015): a key meets a query through
// w . tanh(q + k), which is no dot product. Queries and keys come projected, which
// costs one matrix product each; no array of rows x keys x features exists.
#q = affine_map<(h, i, j, d, e) -> (h, i, d)>
#k = affine_map<(h, i, j, d, e) -> (h, j, d)>
#v = affine_map<(h, i, j, d, e) -> (h, j, e)>
#w = affine_map<(h, i, j, d, e) -> (d)>
#o = affine_map<(h, i, j, d, e) -> (h, i, e)>
func.func @additive(%q: tensor<?x?x?xf32>, %k: tensor<?x?x?xf32>, %v: tensor<?x?x?xf32>,
                    %w: tensor<?xf32>) -> tensor<?x?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %heads = tensor.dim %q, %c0 : tensor<?x?x?xf32>
  %rows = tensor.dim %q, %c1 : tensor<?x?x?xf32>
  %width = tensor.dim %v, %c2 : tensor<?x?x?xf32>
  %init = tensor.empty(%heads, %rows, %width) : tensor<?x?x?xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xf32>)
      inputs(%w : tensor<?xf32>) weighting(#attn.softmax) outs(%init : tensor<?x?x?xf32>)
      {indexing_maps = [#q, #k, #v, #w, #o]}
      similarity {
      ^bb0(%qd: f32, %kd: f32, %wd: f32):
        %sum = arith.addf %qd, %kd : f32
        %tanh = math.tanh %sum : f32
        %term = arith.mulf %wd, %tanh : f32
        attn.yield %term : f32
      } -> tensor<?x?x?xf32>
  return %o : tensor<?x?x?xf32>
}
