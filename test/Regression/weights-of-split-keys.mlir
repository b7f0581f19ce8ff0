// RUN: attn-run %s --random --check | FileCheck %s

// Few query rows with many keys had these in parts, and nobody wrote the weights.
// CHECK: check: result 0: ok: 8 elements
// CHECK: check: result 1: ok: 8192 elements
func.func @weights(%q: tensor<2x2x3xf32>, %k: tensor<2x2048x3xf32>, %v: tensor<2x2048x2xf32>)
    -> (tensor<2x2x2xf32>, tensor<2x2x2048xf32>) {
  %init = tensor.empty() : tensor<2x2x2xf32>
  %pairs = tensor.empty() : tensor<2x2x2048xf32>
  %o:2 = attn.sdpa ins(%q, %k, %v : tensor<2x2x3xf32>, tensor<2x2048x3xf32>, tensor<2x2048x2xf32>)
      outs(%init : tensor<2x2x2xf32>) weights(%pairs : tensor<2x2x2048xf32>)
      -> tensor<2x2x2xf32>, tensor<2x2x2048xf32>
  return %o#0, %o#1 : tensor<2x2x2xf32>, tensor<2x2x2048xf32>
}
