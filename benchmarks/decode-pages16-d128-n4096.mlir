// BENCH: attn-run %s --random --rotate %shuffled=3:256
// LIMIT: pages 16x8x4096x128

// decode-d128-n4096 over a cache in pages of 16 keys, which lie in any order.

func.func @decode_pages(%q: tensor<1x32x1x128xf32>, %k: tensor<256x8x16x128xf32>,
                        %v: tensor<256x8x16x128xf32>, %pages: tensor<256xi32>) -> tensor<1x32x1x128xf32> {
  %indptr = arith.constant dense<[0, 256]> : tensor<2xi32>
  %init = tensor.empty() : tensor<1x32x1x128xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x32x1x128xf32>, tensor<256x8x16x128xf32>, tensor<256x8x16x128xf32>)
      blocks(%indptr, %pages : tensor<2xi32>, tensor<256xi32>) {keys = 16, kind = physical}
      outs(%init : tensor<1x32x1x128xf32>) -> tensor<1x32x1x128xf32>
  return %o : tensor<1x32x1x128xf32>
}
