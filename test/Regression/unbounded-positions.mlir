// RUN: attn-run %s --entry=window --shape=1:7x4 --shape=2:7x3 --random --output=%t.window.npy
// RUN: attn-run %s --entry=offset --random --output=%t.offset.npy
// RUN: attn-run %s --entry=offsets --random --output=%t.offsets.npy
// RUN: attn-run %s --entry=plain --random --output=%t.plain.npy
// RUN: cmp %t.window.npy %t.plain.npy
// RUN: cmp %t.offset.npy %t.plain.npy
// RUN: cmp %t.offsets.npy %t.plain.npy

// Windows and offsets at the end of i64 wrapped, so that no key was seen. They
// hide nothing: each gives what attention without a mask does.
func.func @window(%q: tensor<5x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>) -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<?x4xf32>, tensor<?x3xf32>)
      outs(%init : tensor<5x3xf32>) {window = array<i64: 9223372036854775807, 9223372036854775807>}
      -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

func.func @offset(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>) -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %offset = arith.constant 9223372036854775807 : i64
  %o = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      offset(%offset : i64) outs(%init : tensor<5x3xf32>) {causal = #attn.causal<offset>}
      -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

func.func @offsets(%q: tensor<1x1x5x4xf32>, %k: tensor<1x1x7x4xf32>, %v: tensor<1x1x7x3xf32>)
    -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<1x1x5x3xf32>
  %offsets = arith.constant dense<9223372036854775807> : tensor<1xi64>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x1x5x4xf32>, tensor<1x1x7x4xf32>, tensor<1x1x7x3xf32>)
      offset(%offsets : tensor<1xi64>) outs(%init : tensor<1x1x5x3xf32>) {causal = #attn.causal<offset>}
      -> tensor<1x1x5x3xf32>
  %r = tensor.collapse_shape %o [[0, 1, 2], [3]] : tensor<1x1x5x3xf32> into tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

func.func @plain(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>) -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}
