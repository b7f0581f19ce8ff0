// BENCH: attn-run %s --random --rotate

// One token of a layer with 32 query heads over 8 key heads, in bf16: multiplied in
// pairs where the target has an instruction for them.

func.func @decode(%q: tensor<1x32x1x128xbf16>, %k: tensor<1x8x4096x128xbf16>,
                  %v: tensor<1x8x4096x128xbf16>) -> tensor<1x32x1x128xbf16> {
  %init = tensor.empty() : tensor<1x32x1x128xbf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x32x1x128xbf16>, tensor<1x8x4096x128xbf16>, tensor<1x8x4096x128xbf16>)
      outs(%init : tensor<1x32x1x128xbf16>) -> tensor<1x32x1x128xbf16>
  return %o : tensor<1x32x1x128xbf16>
}
