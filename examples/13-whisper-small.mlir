// RUN: attn-run %s --random --shape=0:1x12x7x64 --shape=1:1x12x75x64 --shape=2:1x12x75x64 --check
// BENCH: --random --shape=0:1x12x448x64 --shape=1:1x12x1500x64 --shape=2:1x12x1500x64

// Cross-attention of Whisper small: 448 rows of text look at 1500 frames of audio,
// 12 heads of width 64 in half precision.
func.func @whisper_small(%q: tensor<1x12x?x64xf16>, %k: tensor<1x12x?x64xf16>,
                         %v: tensor<1x12x?x64xf16>) -> tensor<1x12x?x64xf16> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x12x?x64xf16>
  %init = tensor.empty(%rows) : tensor<1x12x?x64xf16>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x12x?x64xf16>, tensor<1x12x?x64xf16>, tensor<1x12x?x64xf16>)
      outs(%init : tensor<1x12x?x64xf16>)
      -> tensor<1x12x?x64xf16>
  return %o : tensor<1x12x?x64xf16>
}
