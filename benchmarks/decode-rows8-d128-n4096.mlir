// BENCH: attn-run %s --random --rotate
// LIMIT: decode 8x8x4096x128

// One token of a layer with 64 query heads over 8 key heads: reading the cache and
// multiplying take about as long.

func.func @decode(%q: tensor<1x64x1x128xf32>, %k: tensor<1x8x4096x128xf32>,
                  %v: tensor<1x8x4096x128xf32>) -> tensor<1x64x1x128xf32> {
  %init = tensor.empty() : tensor<1x64x1x128xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x64x1x128xf32>, tensor<1x8x4096x128xf32>, tensor<1x8x4096x128xf32>)
      outs(%init : tensor<1x64x1x128xf32>) -> tensor<1x64x1x128xf32>
  return %o : tensor<1x64x1x128xf32>
}
