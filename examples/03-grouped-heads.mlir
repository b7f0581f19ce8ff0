// RUN: attn-run %s --random --shape=0:1x8x29x64 --shape=1:1x2x31x64 --shape=2:1x2x31x64 --check

// Eight query heads over two key heads: heads 0 to 3 read key head 0, heads 4 to 7
// key head 1. The key is never repeated in memory.
func.func @grouped_heads(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>,
                         %v: tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x8x?x64xf32>
  %init = tensor.empty(%rows) : tensor<1x8x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>)
      outs(%init : tensor<1x8x?x64xf32>)
      -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
