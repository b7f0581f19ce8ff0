// RUN: attn-run %s --entry=top_left --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=top_left --random --shape=0:2x3x37x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=top_left --random --shape=0:2x3x70x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=top_left --random --shape=0:2x3x1x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=top_left --random --shape=0:2x3x5x16 --shape=1:2x3x0x16 --shape=2:2x3x0x8 --check | FileCheck %s
// RUN: attn-run %s --entry=bottom_right --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=bottom_right --random --shape=0:2x3x37x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=bottom_right --random --shape=0:2x3x70x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=bottom_right --random --shape=0:2x3x1x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=bottom_right --random --shape=0:2x3x5x16 --shape=1:2x3x0x16 --shape=2:2x3x0x8 --check | FileCheck %s
// RUN: attn-run %s --entry=offset --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check --random-range=3:9:10 | FileCheck %s
// RUN: attn-run %s --entry=offset --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check --random-range=3:-4:-3 | FileCheck %s
// RUN: attn-run %s --entry=offset --random --shape=0:2x3x37x16 --shape=1:2x3x13x16 --shape=2:2x3x13x8 --check --random-range=3:-50:-49 | FileCheck %s
// RUN: attn-run %s --entry=offset --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check --random-range=3:2000000000:2000000001 | FileCheck %s
// RUN: attn-run %s --entry=offsets --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check --random-range=3:-9:40 | FileCheck %s

// Causal in all forms, with fewer, as many and more rows than keys: rows that see
// nothing give zeros. Offsets are given for all or per batch, negative ones too.
// CHECK: check: result 0: ok

func.func @top_left(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {causal = #attn.causal<top_left>}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @bottom_right(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {causal = #attn.causal<bottom_right>}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @offset(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>, %off: i32)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      offset(%off : i32)
      outs(%init : tensor<2x3x?x8xf32>)
      {causal = #attn.causal<offset>}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @offsets(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>, %off: tensor<2xi64>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      offset(%off : tensor<2xi64>)
      outs(%init : tensor<2x3x?x8xf32>)
      {causal = #attn.causal<offset>}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}
