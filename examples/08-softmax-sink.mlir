// RUN: attn-run %s --random --shape=0:8x8x37x64 --shape=1:8x41x64 --shape=2:8x41x64 --check
// BENCH: --random --shape=0:8x8x2048x64 --shape=1:8x2048x64 --shape=2:8x2048x64

// A layer of gpt-oss-20b: 64 heads over 8, a window of 128, and one learned logit
// per head that takes weight but has no value. The maps of attn.generic say that
// heads are grouped: h and g count query heads, h alone key heads.
#q = affine_map<(h, g, m, n, d, e) -> (h, g, m, d)>
#k = affine_map<(h, g, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, g, m, n, d, e) -> (h, n, e)>
#sink = affine_map<(h, g, m, n, d, e) -> (h, g)>
func.func @softmax_sink(%q: tensor<8x8x?x64xf32>, %k: tensor<8x?x64xf32>,
                        %v: tensor<8x?x64xf32>, %sink: tensor<8x8xf32>)
    -> tensor<8x8x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<8x8x?x64xf32>
  %init = tensor.empty(%rows) : tensor<8x8x?x64xf32>
  %o = attn.generic
      ins(%q, %k, %v : tensor<8x8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>)
      weighting(#attn.softmax_sink, %sink : tensor<8x8xf32>)
      outs(%init : tensor<8x8x?x64xf32>)
      {indexing_maps = [#q, #k, #v, #sink, affine_map<(h, g, m, n, d, e) -> (h, g, m, e)>],
       scale = 0.125 : f64}
      mask {
        %i = attn.index 2
        %j = attn.index 3
        %c127 = arith.constant 127 : index
        %first = arith.subi %i, %c127 : index
        %recent = arith.cmpi sge, %j, %first : index
        %past = arith.cmpi sle, %j, %i : index
        %visible = arith.andi %recent, %past : i1
        attn.yield %visible : i1
      } -> tensor<8x8x?x64xf32>
  return %o : tensor<8x8x?x64xf32>
}
