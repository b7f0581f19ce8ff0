// RUN: attn-run %s --random --shape=0:1x16x3x256 --shape=1:1x8x4111x256 --shape=2:1x8x4111x256 --check
// BENCH: --random --shape=0:1x16x8192x256 --shape=1:1x8x8192x256 --shape=2:1x8x8192x256

// A local layer of Gemma 2 9B: 16 heads over 8, width 256, a window of 4096, and
// scores capped to (-50, 50) by 50 tanh(s / 50).
func.func @gemma2_9b(%q: tensor<1x16x?x256xf32>, %k: tensor<1x8x?x256xf32>,
                     %v: tensor<1x8x?x256xf32>) -> tensor<1x16x?x256xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x16x?x256xf32>
  %init = tensor.empty(%rows) : tensor<1x16x?x256xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x16x?x256xf32>, tensor<1x8x?x256xf32>, tensor<1x8x?x256xf32>)
      outs(%init : tensor<1x16x?x256xf32>)
      {causal = #attn.causal<bottom_right>, window = array<i64: 4095, -1>,
       softcap = 50.0 : f64, scale = 0.0625 : f64}
      -> tensor<1x16x?x256xf32>
  return %o : tensor<1x16x?x256xf32>
}
