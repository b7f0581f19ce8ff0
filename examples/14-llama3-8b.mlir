// RUN: attn-run %s --random --shape=0:1x32x37x128 --shape=1:1x8x37x128 --shape=2:1x8x37x128 --check
// BENCH: --random --shape=0:1x32x2048x128 --shape=1:1x8x2048x128 --shape=2:1x8x2048x128

// A layer of Llama 3 8B: 32 heads over 8, width 128, causal; 2048 tokens.
func.func @llama3_8b(%q: tensor<1x32x?x128xf32>, %k: tensor<1x8x?x128xf32>,
                     %v: tensor<1x8x?x128xf32>) -> tensor<1x32x?x128xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x32x?x128xf32>
  %init = tensor.empty(%rows) : tensor<1x32x?x128xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x32x?x128xf32>, tensor<1x8x?x128xf32>, tensor<1x8x?x128xf32>)
      outs(%init : tensor<1x32x?x128xf32>) {causal = #attn.causal<top_left>}
      -> tensor<1x32x?x128xf32>
  return %o : tensor<1x32x?x128xf32>
}
