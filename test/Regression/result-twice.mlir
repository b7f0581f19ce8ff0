// RUN: attn-run %s --entry=equal --random --check | FileCheck %s
// RUN: attn-run %s --entry=twice --random --check | FileCheck %s

// A value that is returned twice was freed twice; so were two ops that are one
// after common subexpressions are gone.
// CHECK: check: result 0: ok: 40 elements
// CHECK: check: result 1: ok: 40 elements
func.func @equal(%q: tensor<5x8xf32>) -> (tensor<5x8xf32>, tensor<5x8xf32>) {
  %init = tensor.empty() : tensor<5x8xf32>
  %a = attn.sdpa ins(%q, %q, %q : tensor<5x8xf32>, tensor<5x8xf32>, tensor<5x8xf32>)
      outs(%init : tensor<5x8xf32>) -> tensor<5x8xf32>
  %b = attn.sdpa ins(%q, %q, %q : tensor<5x8xf32>, tensor<5x8xf32>, tensor<5x8xf32>)
      outs(%init : tensor<5x8xf32>) -> tensor<5x8xf32>
  return %a, %b : tensor<5x8xf32>, tensor<5x8xf32>
}

func.func @twice(%q: tensor<5x8xf32>) -> (tensor<5x8xf32>, tensor<5x8xf32>) {
  %a = arith.addf %q, %q : tensor<5x8xf32>
  return %a, %a : tensor<5x8xf32>, tensor<5x8xf32>
}
