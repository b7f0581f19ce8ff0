// RUN: attn-run %s --entry=attention --require-fused --random --check | FileCheck %s

// Only what the entry calls is compiled: the other function is not fused, and
// calls what has no body.
// CHECK: check: result 0: ok: 512 elements

func.func private @scaled(%q: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %init = tensor.empty() : tensor<64x8xf32>
  %o = attn.sdpa ins(%q, %q, %q : tensor<64x8xf32>, tensor<64x8xf32>, tensor<64x8xf32>)
      outs(%init : tensor<64x8xf32>) {scale = 0.5} -> tensor<64x8xf32>
  return %o : tensor<64x8xf32>
}

func.func @attention(%q: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %o = call @scaled(%q) : (tensor<64x8xf32>) -> tensor<64x8xf32>
  return %o : tensor<64x8xf32>
}

func.func private @elsewhere(tensor<4x8xf32>) -> tensor<4x8xf32>

func.func @other(%q: tensor<1x8xf32>, %k: tensor<4x8xf32>) -> tensor<1x8xf32> {
  %v = call @elsewhere(%k) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %init = tensor.empty() : tensor<1x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>)
      outs(%init : tensor<1x8xf32>) -> tensor<1x8xf32>
  return %o : tensor<1x8xf32>
}
