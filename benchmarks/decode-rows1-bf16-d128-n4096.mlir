// BENCH: attn-run %s --random --rotate

// One token of a layer whose 8 query heads have keys of their own, in bf16, which are
// converted as they are read.

func.func @decode(%q: tensor<1x8x1x128xbf16>, %k: tensor<1x8x4096x128xbf16>,
                  %v: tensor<1x8x4096x128xbf16>) -> tensor<1x8x1x128xbf16> {
  %init = tensor.empty() : tensor<1x8x1x128xbf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x8x1x128xbf16>, tensor<1x8x4096x128xbf16>, tensor<1x8x4096x128xbf16>)
      outs(%init : tensor<1x8x1x128xbf16>) -> tensor<1x8x1x128xbf16>
  return %o : tensor<1x8x1x128xbf16>
}
