// BENCH: attn-run %s --random

// Eight prompts of lengths that are no multiples of a tile, 4096 tokens in all,
// packed; each row sees its own prompt up to itself.

func.func @prefill(%q: tensor<4096x8x64xf32>, %k: tensor<4096x8x64xf32>,
                   %v: tensor<4096x8x64xf32>) -> tensor<4096x8x64xf32> {
  %starts = arith.constant dense<[0, 701, 1204, 1213, 2024, 2527, 3328, 3931, 4096]> : tensor<9xi32>
  %init = tensor.empty() : tensor<4096x8x64xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<4096x8x64xf32>, tensor<4096x8x64xf32>, tensor<4096x8x64xf32>)
      query_starts(%starts : tensor<9xi32>) key_starts(%starts : tensor<9xi32>)
      outs(%init : tensor<4096x8x64xf32>) {causal = #attn.causal<top_left>} -> tensor<4096x8x64xf32>
  return %o : tensor<4096x8x64xf32>
}
