// RUN: attn-run %s --entry=half --random --shape=0:2x6x13x16 --shape=1:2x2x137x16 --shape=2:2x2x137x8 --check | FileCheck %s
// RUN: attn-run %s --entry=double --random --shape=0:2x6x13x16 --shape=1:2x2x137x16 --shape=2:2x2x137x8 --check | FileCheck %s

// Products accumulate in f32 at least, and results are rounded once.
// CHECK: check: result 0: ok

func.func @half(%q: tensor<2x6x?x16xf16>, %k: tensor<2x2x?x16xf16>, %v: tensor<2x2x?x8xf16>)
    -> tensor<2x6x?x8xf16> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf16>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf16>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf16>, tensor<2x2x?x16xf16>, tensor<2x2x?x8xf16>)
      outs(%init : tensor<2x6x?x8xf16>)
      {causal = #attn.causal<bottom_right>}
      -> tensor<2x6x?x8xf16>
  return %r : tensor<2x6x?x8xf16>
}

func.func @double(%q: tensor<2x6x?x16xf64>, %k: tensor<2x2x?x16xf64>, %v: tensor<2x2x?x8xf64>)
    -> tensor<2x6x?x8xf64> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf64>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf64>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf64>, tensor<2x2x?x16xf64>, tensor<2x2x?x8xf64>)
      outs(%init : tensor<2x6x?x8xf64>)
      {causal = #attn.causal<bottom_right>}
      -> tensor<2x6x?x8xf64>
  return %r : tensor<2x6x?x8xf64>
}
