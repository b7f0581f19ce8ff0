// RUN: attn-run %s --random --shape=0:1x128x5x576 --shape=1:1x1x37x576 --check
// BENCH: --random --shape=0:1x128x1024x576 --shape=1:1x1x1024x576

// Multi-head latent attention of DeepSeek-V3: 128 heads over one key of width 576.
// Its first 512 channels, the latent, are also the value; the other 64 carry the
// rotary position. The scale is that of the heads before absorption, 192 wide.
func.func @deepseek_mla(%q: tensor<1x128x?x576xf32>, %k: tensor<1x1x?x576xf32>)
    -> tensor<1x128x?x512xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x128x?x576xf32>
  %keys = tensor.dim %k, %c2 : tensor<1x1x?x576xf32>
  %v = tensor.extract_slice %k[0, 0, 0, 0] [1, 1, %keys, 512] [1, 1, 1, 1]
      : tensor<1x1x?x576xf32> to tensor<1x1x?x512xf32>
  %init = tensor.empty(%rows) : tensor<1x128x?x512xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x128x?x576xf32>, tensor<1x1x?x576xf32>, tensor<1x1x?x512xf32>)
      outs(%init : tensor<1x128x?x512xf32>)
      {causal = #attn.causal<bottom_right>, scale = 0.07216878364870323 : f64}
      -> tensor<1x128x?x512xf32>
  return %o : tensor<1x128x?x512xf32>
}
