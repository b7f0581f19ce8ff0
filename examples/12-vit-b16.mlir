// RUN: attn-run %s --random --shape=1x12x50x64 --check
// BENCH: --random --shape=1x12x197x64

// A layer of ViT-B/16: an image of 224 x 224 is 196 patches and a class token. All
// see all; 197 is a multiple of nothing.
func.func @vit_b16(%q: tensor<1x12x?x64xf32>, %k: tensor<1x12x?x64xf32>,
                   %v: tensor<1x12x?x64xf32>) -> tensor<1x12x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x12x?x64xf32>
  %init = tensor.empty(%rows) : tensor<1x12x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x12x?x64xf32>, tensor<1x12x?x64xf32>, tensor<1x12x?x64xf32>)
      outs(%init : tensor<1x12x?x64xf32>)
      -> tensor<1x12x?x64xf32>
  return %o : tensor<1x12x?x64xf32>
}
