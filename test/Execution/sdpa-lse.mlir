// RUN: attn-run %s --entry=lse --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=lse --random --shape=0:2x3x37x16 --shape=1:2x3x13x16 --shape=2:2x3x13x8 --check | FileCheck %s
// RUN: attn-run %s --entry=lse --random --shape=0:2x3x5x16 --shape=1:2x3x0x16 --shape=2:2x3x0x8 --check | FileCheck %s
// RUN: attn-run %s --entry=grouped --random --shape=0:2x6x13x16 --shape=1:2x2x37x16 --shape=2:2x2x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=mixed --random --shape=0:2x6x13x16 --shape=1:2x2x37x16 --shape=2:2x2x37x8 --check | FileCheck %s

// The log-sum-exp over visible keys, -inf for rows that see none.
// CHECK: check: result 0: ok
// CHECK: check: result 1: ok

func.func @lse(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>)
    -> (tensor<2x3x?x8xf32>, tensor<2x3x?xf32>) {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %rows = tensor.empty(%d2) : tensor<2x3x?xf32>
  %r:2 = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>) lse(%rows : tensor<2x3x?xf32>)
      {causal = #attn.causal<bottom_right>}
      -> tensor<2x3x?x8xf32>, tensor<2x3x?xf32>
  return %r#0, %r#1 : tensor<2x3x?x8xf32>, tensor<2x3x?xf32>
}

func.func @grouped(%q: tensor<2x6x?x16xf32>, %k: tensor<2x2x?x16xf32>, %v: tensor<2x2x?x8xf32>)
    -> (tensor<2x6x?x8xf32>, tensor<2x6x?xf32>) {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf32>
  %rows = tensor.empty(%d2) : tensor<2x6x?xf32>
  %r:2 = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf32>, tensor<2x2x?x16xf32>, tensor<2x2x?x8xf32>)
      outs(%init : tensor<2x6x?x8xf32>) lse(%rows : tensor<2x6x?xf32>)
      -> tensor<2x6x?x8xf32>, tensor<2x6x?xf32>
  return %r#0, %r#1 : tensor<2x6x?x8xf32>, tensor<2x6x?xf32>
}

func.func @mixed(%q: tensor<2x6x?x16xf16>, %k: tensor<2x2x?x16xf16>, %v: tensor<2x2x?x8xf16>)
    -> (tensor<2x6x?x8xf16>, tensor<2x6x?xf32>) {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf16>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf16>
  %rows = tensor.empty(%d2) : tensor<2x6x?xf32>
  %r:2 = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf16>, tensor<2x2x?x16xf16>, tensor<2x2x?x8xf16>)
      outs(%init : tensor<2x6x?x8xf16>) lse(%rows : tensor<2x6x?xf32>)
      -> tensor<2x6x?x8xf16>, tensor<2x6x?xf32>
  return %r#0, %r#1 : tensor<2x6x?x8xf16>, tensor<2x6x?xf32>
}
