// RUN: attn-run %s --random --shape=0:1x32x3x128 --shape=1:1x8x4119x128 --shape=2:1x8x4119x128 --check
// BENCH: --random --shape=0:1x32x8192x128 --shape=1:1x8x8192x128 --shape=2:1x8x8192x128

// A layer of Mistral 7B: 32 heads over 8, width 128, and a sliding window: a row
// sees itself and the 4095 tokens before it. The small run puts three new rows
// after a cache that is longer than the window.
func.func @mistral_7b(%q: tensor<1x32x?x128xf32>, %k: tensor<1x8x?x128xf32>,
                      %v: tensor<1x8x?x128xf32>) -> tensor<1x32x?x128xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x32x?x128xf32>
  %init = tensor.empty(%rows) : tensor<1x32x?x128xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x32x?x128xf32>, tensor<1x8x?x128xf32>, tensor<1x8x?x128xf32>)
      outs(%init : tensor<1x32x?x128xf32>)
      {causal = #attn.causal<bottom_right>, window = array<i64: 4095, -1>}
      -> tensor<1x32x?x128xf32>
  return %o : tensor<1x32x?x128xf32>
}
