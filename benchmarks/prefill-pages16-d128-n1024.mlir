// BENCH: attn-run %s --random %shuffled=3:64

// A prompt over a cache in pages of 16 keys, which lie in any order.

func.func @prefill_pages(%q: tensor<1x8x1024x128xf32>, %k: tensor<64x8x16x128xf32>,
                         %v: tensor<64x8x16x128xf32>, %pages: tensor<64xi32>) -> tensor<1x8x1024x128xf32> {
  %indptr = arith.constant dense<[0, 64]> : tensor<2xi32>
  %init = tensor.empty() : tensor<1x8x1024x128xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x8x1024x128xf32>, tensor<64x8x16x128xf32>, tensor<64x8x16x128xf32>)
      blocks(%indptr, %pages : tensor<2xi32>, tensor<64xi32>) {keys = 16, kind = physical}
      outs(%init : tensor<1x8x1024x128xf32>) -> tensor<1x8x1024x128xf32>
  return %o : tensor<1x8x1024x128xf32>
}
