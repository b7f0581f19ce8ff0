// BENCH: attn-run %s --random --rotate
// LIMIT: decode 1x8x4096x128

// One token of a layer whose 8 query heads have keys of their own.

func.func @decode(%q: tensor<1x8x1x128xf32>, %k: tensor<1x8x4096x128xf32>,
                  %v: tensor<1x8x4096x128xf32>) -> tensor<1x8x1x128xf32> {
  %init = tensor.empty() : tensor<1x8x1x128xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x8x1x128xf32>, tensor<1x8x4096x128xf32>, tensor<1x8x4096x128xf32>)
      outs(%init : tensor<1x8x1x128xf32>) -> tensor<1x8x1x128xf32>
  return %o : tensor<1x8x1x128xf32>
}
