// RUN: attn-run %s --entry=bfloat --random --shape=0:2x6x13x16 --shape=1:2x2x137x16 --shape=2:2x2x137x8 --check | FileCheck %s

// As sdpa-types.mlir, in the type that needs most help from the compiler.
// CHECK: check: result 0: ok

func.func @bfloat(%q: tensor<2x6x?x16xbf16>, %k: tensor<2x2x?x16xbf16>, %v: tensor<2x2x?x8xbf16>)
    -> tensor<2x6x?x8xbf16> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xbf16>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xbf16>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xbf16>, tensor<2x2x?x16xbf16>, tensor<2x2x?x8xbf16>)
      outs(%init : tensor<2x6x?x8xbf16>)
      {causal = #attn.causal<bottom_right>}
      -> tensor<2x6x?x8xbf16>
  return %r : tensor<2x6x?x8xbf16>
}
