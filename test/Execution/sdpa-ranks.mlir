// RUN: attn-run %s --entry=rows --random --shape=0:5x4 --shape=1:7x4 --shape=2:7x3 --check | FileCheck %s
// RUN: attn-run %s --entry=heads --random --shape=0:6x5x4 --shape=1:6x7x4 --shape=2:6x7x3 --check | FileCheck %s
// RUN: attn-run %s --entry=batches --random --shape=0:2x3x6x5x4 --shape=1:2x3x6x7x4 --shape=2:2x3x6x7x3 --check | FileCheck %s

// No heads, heads alone, and two batch dimensions before them.
// CHECK: check: result 0: ok

func.func @rows(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>)
    -> tensor<?x3xf32> {
  %c0 = arith.constant 0 : index
  %d0 = tensor.dim %q, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%d0) : tensor<?x3xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x3xf32>)
      outs(%init : tensor<?x3xf32>)
      -> tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}

func.func @heads(%q: tensor<6x?x4xf32>, %k: tensor<6x?x4xf32>, %v: tensor<6x?x3xf32>)
    -> tensor<6x?x3xf32> {
  %c1 = arith.constant 1 : index
  %d1 = tensor.dim %q, %c1 : tensor<6x?x4xf32>
  %init = tensor.empty(%d1) : tensor<6x?x3xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<6x?x4xf32>, tensor<6x?x4xf32>, tensor<6x?x3xf32>)
      outs(%init : tensor<6x?x3xf32>)
      -> tensor<6x?x3xf32>
  return %r : tensor<6x?x3xf32>
}

func.func @batches(%q: tensor<2x?x6x?x4xf32>, %k: tensor<2x?x6x?x4xf32>, %v: tensor<2x?x6x?x3xf32>)
    -> tensor<2x?x6x?x3xf32> {
  %c1 = arith.constant 1 : index
  %d1 = tensor.dim %q, %c1 : tensor<2x?x6x?x4xf32>
  %c3 = arith.constant 3 : index
  %d3 = tensor.dim %q, %c3 : tensor<2x?x6x?x4xf32>
  %init = tensor.empty(%d1, %d3) : tensor<2x?x6x?x3xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x?x6x?x4xf32>, tensor<2x?x6x?x4xf32>, tensor<2x?x6x?x3xf32>)
      outs(%init : tensor<2x?x6x?x3xf32>)
      {causal = #attn.causal<bottom_right>}
      -> tensor<2x?x6x?x3xf32>
  return %r : tensor<2x?x6x?x3xf32>
}
