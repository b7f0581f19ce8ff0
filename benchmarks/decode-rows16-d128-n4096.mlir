// BENCH: attn-run %s --random --rotate

// One token of a layer with 128 query heads over 8 key heads: bound by arithmetic,
// the query rows fill the lanes of a vector.

func.func @decode(%q: tensor<1x128x1x128xf32>, %k: tensor<1x8x4096x128xf32>,
                  %v: tensor<1x8x4096x128xf32>) -> tensor<1x128x1x128xf32> {
  %init = tensor.empty() : tensor<1x128x1x128xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x128x1x128xf32>, tensor<1x8x4096x128xf32>, tensor<1x8x4096x128xf32>)
      outs(%init : tensor<1x128x1x128xf32>) -> tensor<1x128x1x128xf32>
  return %o : tensor<1x128x1x128xf32>
}
