// RUN: attn-run %s --random --check | FileCheck %s

// A weight is as exact as the sum that divides it: that of many keys is a sum
// of sums, tile by tile.

// CHECK: check: result 0: ok
// CHECK: check: result 1: ok

func.func @weights(%q: tensor<2x150x1xf32>, %k: tensor<2x2900x1xf32>, %v: tensor<2x2900x2xf32>)
    -> (tensor<2x150x2xf32>, tensor<2x150x2900xf32>) {
  %init = tensor.empty() : tensor<2x150x2xf32>
  %pairs = tensor.empty() : tensor<2x150x2900xf32>
  %o:2 = attn.sdpa
      ins(%q, %k, %v : tensor<2x150x1xf32>, tensor<2x2900x1xf32>, tensor<2x2900x2xf32>)
      outs(%init : tensor<2x150x2xf32>) weights(%pairs : tensor<2x150x2900xf32>)
      -> tensor<2x150x2xf32>, tensor<2x150x2900xf32>
  return %o#0, %o#1 : tensor<2x150x2xf32>, tensor<2x150x2900xf32>
}
