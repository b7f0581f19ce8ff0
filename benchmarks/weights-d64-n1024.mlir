// BENCH: --random

// The weights are results beside the output.
func.func @weights(%q: tensor<1x8x1024x64xf32>, %k: tensor<1x8x1024x64xf32>,
                   %v: tensor<1x8x1024x64xf32>)
    -> (tensor<1x8x1024x64xf32>, tensor<1x8x1024x1024xf32>) {
  %init = tensor.empty() : tensor<1x8x1024x64xf32>
  %pairs = tensor.empty() : tensor<1x8x1024x1024xf32>
  %o, %w = attn.sdpa
      ins(%q, %k, %v : tensor<1x8x1024x64xf32>, tensor<1x8x1024x64xf32>, tensor<1x8x1024x64xf32>)
      outs(%init : tensor<1x8x1024x64xf32>) weights(%pairs : tensor<1x8x1024x1024xf32>)
      -> tensor<1x8x1024x64xf32>, tensor<1x8x1024x1024xf32>
  return %o, %w : tensor<1x8x1024x64xf32>, tensor<1x8x1024x1024xf32>
}
