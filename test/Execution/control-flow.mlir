// RUN: attn-run %s --entry=layers --random --random-range=1:0:4 --check | FileCheck %s
// RUN: attn-run %s --entry=repeated --random --random-range=1:3:4 --check | FileCheck %s
// RUN: attn-run %s --entry=repeated --random --random-range=1:3:4 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=layers --random --random-range=1:0:4 --time=1 | FileCheck %s --check-prefix=TIME

// Layers in a loop and a branch: the reference evaluates control flow, so that
// what they compute is checked, and what masks leave is counted, as elsewhere.
// CHECK: check: result 0: ok
// TIME: GFLOP/s

func.func @layers(%x: tensor<2x9x8xf32>, %n: index) -> tensor<2x9x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %init = tensor.empty() : tensor<2x9x8xf32>
  %r = scf.for %layer = %c0 to %c3 step %c1 iter_args(%h = %x) -> tensor<2x9x8xf32> {
    %first = arith.cmpi slt, %layer, %n : index
    %next = scf.if %first -> tensor<2x9x8xf32> {
      %o = attn.sdpa ins(%h, %h, %h : tensor<2x9x8xf32>, tensor<2x9x8xf32>, tensor<2x9x8xf32>)
          outs(%init : tensor<2x9x8xf32>) {causal = #attn.causal<top_left>} -> tensor<2x9x8xf32>
      scf.yield %o : tensor<2x9x8xf32>
    } else {
      %o = attn.sdpa ins(%h, %h, %h : tensor<2x9x8xf32>, tensor<2x9x8xf32>, tensor<2x9x8xf32>)
          outs(%init : tensor<2x9x8xf32>) {window = array<i64: 2, 1>} -> tensor<2x9x8xf32>
      scf.yield %o : tensor<2x9x8xf32>
    }
    %kept = linalg.copy ins(%next : tensor<2x9x8xf32>) outs(%h : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
    scf.yield %kept : tensor<2x9x8xf32>
  }
  return %r : tensor<2x9x8xf32>
}

// Each step computes a new tensor.
func.func @repeated(%x: tensor<5xf32>, %n: index) -> tensor<5xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%y = %x) -> tensor<5xf32> {
    %z = arith.mulf %y, %y : tensor<5xf32>
    scf.yield %z : tensor<5xf32>
  }
  return %r : tensor<5xf32>
}
