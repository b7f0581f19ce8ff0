// RUN: attn-run %s --check
func.func @attention() -> tensor<3x4xf32> {
  %x = arith.constant dense<[[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8],
                             [0.9, 1.0, 1.1, 1.2]]> : tensor<3x4xf32>
  %init = tensor.empty() : tensor<3x4xf32>
  %o = attn.sdpa ins(%x, %x, %x : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
      outs(%init : tensor<3x4xf32>) {causal = #attn.causal<top_left>} -> tensor<3x4xf32>
  return %o : tensor<3x4xf32>
}
