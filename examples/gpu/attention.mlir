// RUN: attn-run %s --random --shape=0:8x9x64 --shape=1:2x21x64 --shape=2:2x21x64 --target=gpu-emulator --check

// Causal attention of eight query heads over two key heads, for a GPU.
// `attention.c` says how to call it.
func.func @attention(%q: tensor<8x?x64xbf16>, %k: tensor<2x?x64xbf16>,
                     %v: tensor<2x?x64xbf16>) -> tensor<8x?x64xbf16> {
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %q, %c1 : tensor<8x?x64xbf16>
  %init = tensor.empty(%rows) : tensor<8x?x64xbf16>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<8x?x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>)
      outs(%init : tensor<8x?x64xbf16>) {causal = #attn.causal<bottom_right>}
      -> tensor<8x?x64xbf16>
  return %o : tensor<8x?x64xbf16>
}
