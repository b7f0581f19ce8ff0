// BENCH: attn-run %s --random

// A mixed batch of a layer with 32 query heads over 8 key heads: one prompt of 512
// tokens, and 24 requests that go on by one token each over 1024 keys.

func.func @mixed(%q: tensor<536x32x128xf32>, %k: tensor<25088x8x128xf32>,
                 %v: tensor<25088x8x128xf32>) -> tensor<536x32x128xf32> {
  %query_starts = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 524, 525, 526, 527, 528, 529, 530, 531, 532, 533, 534, 535, 536]> : tensor<26xi32>
  %key_starts = arith.constant dense<[0, 1024, 2048, 3072, 4096, 5120, 6144, 7168, 8192, 9216, 10240, 11264, 12288, 12800, 13824, 14848, 15872, 16896, 17920, 18944, 19968, 20992, 22016, 23040, 24064, 25088]> : tensor<26xi32>
  %init = tensor.empty() : tensor<536x32x128xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<536x32x128xf32>, tensor<25088x8x128xf32>, tensor<25088x8x128xf32>)
      query_starts(%query_starts : tensor<26xi32>) key_starts(%key_starts : tensor<26xi32>)
      outs(%init : tensor<536x32x128xf32>) {causal = #attn.causal<bottom_right>} -> tensor<536x32x128xf32>
  return %o : tensor<536x32x128xf32>
}
