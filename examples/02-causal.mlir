// RUN: attn-run %s --random --shape=0:1x8x5x64 --shape=1:1x8x37x64 --shape=2:1x8x37x64 --check
// BENCH: --random --shape=1x8x2048x64

// New queries after a cache of keys: the last row sees every key, the row before it
// all but one, and so on. With as many rows as keys this is the usual triangle.
func.func @causal(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                  %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x8x?x64xf32>
  %init = tensor.empty(%rows) : tensor<1x8x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>)
      outs(%init : tensor<1x8x?x64xf32>) {causal = #attn.causal<bottom_right>}
      -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
