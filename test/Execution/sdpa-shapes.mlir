// RUN: attn-run %s --entry=all --random --shape=0:2x3x5x4 --shape=1:2x3x7x4 --shape=2:2x3x7x8 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:1x1x1x1 --shape=1:1x1x1x1 --shape=2:1x1x1x1 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:1x2x33x64 --shape=1:1x2x65x64 --shape=2:1x2x65x64 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:2x1x64x16 --shape=1:2x1x31x16 --shape=2:2x1x31x3 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:1x2x5x4 --shape=1:1x2x0x4 --shape=2:1x2x0x3 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:1x2x0x4 --shape=1:1x2x7x4 --shape=2:1x2x7x3 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:1x2x5x0 --shape=1:1x2x7x0 --shape=2:1x2x7x3 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:0x2x5x4 --shape=1:0x2x7x4 --shape=2:0x2x7x3 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:1x0x5x4 --shape=1:1x0x7x4 --shape=2:1x0x7x3 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:1x1x17x80 --shape=1:1x1x129x80 --shape=2:1x1x129x96 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:1x1x3x8 --shape=1:1x1x700x8 --shape=2:1x1x700x8 --check | FileCheck %s

// Every extent is known at run time only, and few are a multiple of anything: one
// row, one key, one feature, none of each, more rows than keys and the reverse.
// CHECK: check: result 0: ok

func.func @all(%q: tensor<?x?x?x?xf32>, %k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x?xf32>)
    -> tensor<?x?x?x?xf32> {
  %c0 = arith.constant 0 : index
  %d0 = tensor.dim %q, %c0 : tensor<?x?x?x?xf32>
  %c1 = arith.constant 1 : index
  %d1 = tensor.dim %q, %c1 : tensor<?x?x?x?xf32>
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<?x?x?x?xf32>
  %c3 = arith.constant 3 : index
  %d3 = tensor.dim %v, %c3 : tensor<?x?x?x?xf32>
  %init = tensor.empty(%d0, %d1, %d2, %d3) : tensor<?x?x?x?xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
      outs(%init : tensor<?x?x?x?xf32>)
      -> tensor<?x?x?x?xf32>
  return %r : tensor<?x?x?x?xf32>
}
