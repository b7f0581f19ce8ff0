// BENCH: attn-run %s --random --rotate
// LIMIT: decode 4x8x4096x128

// One token of a layer with 32 query heads over 8 key heads and a cache of 4096
// keys, none of which a processor's cache holds: runs take turns with 256 MiB.

func.func @decode(%q: tensor<1x32x1x128xf32>, %k: tensor<1x8x4096x128xf32>,
                  %v: tensor<1x8x4096x128xf32>) -> tensor<1x32x1x128xf32> {
  %init = tensor.empty() : tensor<1x32x1x128xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x32x1x128xf32>, tensor<1x8x4096x128xf32>, tensor<1x8x4096x128xf32>)
      outs(%init : tensor<1x32x1x128xf32>) -> tensor<1x32x1x128xf32>
  return %o : tensor<1x32x1x128xf32>
}
