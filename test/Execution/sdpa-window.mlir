// RUN: attn-run %s --entry=both --random --shape=0:2x3x37x16 --shape=1:2x3x70x16 --shape=2:2x3x70x8 --check | FileCheck %s
// RUN: attn-run %s --entry=both --random --shape=0:2x3x70x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=left --random --shape=0:2x3x37x16 --shape=1:2x3x70x16 --shape=2:2x3x70x8 --check | FileCheck %s
// RUN: attn-run %s --entry=left --random --shape=0:2x3x70x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=right --random --shape=0:2x3x37x16 --shape=1:2x3x70x16 --shape=2:2x3x70x8 --check | FileCheck %s
// RUN: attn-run %s --entry=right --random --shape=0:2x3x70x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=self --random --shape=0:2x3x37x16 --shape=1:2x3x70x16 --shape=2:2x3x70x8 --check | FileCheck %s
// RUN: attn-run %s --entry=self --random --shape=0:2x3x70x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=cache --random --shape=0:2x3x37x16 --shape=1:2x3x70x16 --shape=2:2x3x70x8 --check | FileCheck %s
// RUN: attn-run %s --entry=cache --random --shape=0:2x3x70x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=offset --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check --random-range=3:-9:40 | FileCheck %s

// Windows on either side, on one, of one key, around the diagonal of a cache, and
// where rows fall off the end of the keys.
// CHECK: check: result 0: ok

func.func @both(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {window = array<i64: 5, 2>}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @left(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {window = array<i64: 5, -1>}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @right(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {window = array<i64: -1, 3>}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @self(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {window = array<i64: 0, 0>}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @cache(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {causal = #attn.causal<bottom_right>, window = array<i64: 7, -1>}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @offset(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>, %off: tensor<2xi32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      offset(%off : tensor<2xi32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {causal = #attn.causal<offset>, window = array<i64: 7, -1>}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}
