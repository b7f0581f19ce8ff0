// RUN: attn-run %s --random --shape=1x12x37x64 --check
// BENCH: --random --shape=1x12x1024x64

// A layer of GPT-2 small: 12 heads of width 64, causal; 1024 tokens.
func.func @gpt2_small(%q: tensor<1x12x?x64xf32>, %k: tensor<1x12x?x64xf32>,
                      %v: tensor<1x12x?x64xf32>) -> tensor<1x12x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x12x?x64xf32>
  %init = tensor.empty(%rows) : tensor<1x12x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x12x?x64xf32>, tensor<1x12x?x64xf32>, tensor<1x12x?x64xf32>)
      outs(%init : tensor<1x12x?x64xf32>) {causal = #attn.causal<top_left>}
      -> tensor<1x12x?x64xf32>
  return %o : tensor<1x12x?x64xf32>
}
