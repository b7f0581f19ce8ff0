// Masks that read tables, wherever the tables come from and wherever the op
// stands: what is summarised of them is right for every call, and copies none.

// An argument, at all extents: none, fewer than a block of 16, no whole blocks.
// RUN: attn-run %s --entry=argument --random --shape=0:2x35x8 --shape=1:2x50x8 --shape=2:2x50x4 --shape=3:2x50 --random-range=3:0:5 --check | FileCheck %s
// RUN: attn-run %s --entry=argument --random --shape=0:2x3x8 --shape=1:2x5x8 --shape=2:2x5x4 --shape=3:2x5 --random-range=3:0:2 --check | FileCheck %s
// RUN: attn-run %s --entry=argument --random --shape=0:2x0x8 --shape=1:2x5x8 --shape=2:2x5x4 --shape=3:2x5 --random-range=3:0:2 --check | FileCheck %s
// RUN: attn-run %s --entry=argument --random --shape=0:2x3x8 --shape=1:2x0x8 --shape=2:2x0x4 --shape=3:2x3 --random-range=3:0:2 --check | FileCheck %s
// A table of more positions than there are.
// RUN: attn-run %s --entry=argument --random --shape=0:2x35x8 --shape=1:2x50x8 --shape=2:2x50x4 --shape=3:2x90 --random-range=3:0:5 --check | FileCheck %s
// CHECK: check: result 0: ok

// Computed from an argument, in a loop that changes it: each step has summaries
// of its own.
// RUN: attn-run %s --entry=loop --random --shape=0:45x8 --shape=1:45x8 --shape=2:45x8 --shape=3:45 --random-range=3:-3:3 --require-fused --output=%t.fused.npy
// RUN: attn-run %s --entry=loop --random --shape=0:45x8 --shape=1:45x8 --shape=2:45x8 --shape=3:45 --random-range=3:-3:3 --fusion=never --output=%t.unfused.npy
// RUN: %python -c "import numpy as n; assert n.allclose(n.load('%t.fused.npy'), n.load('%t.unfused.npy'), atol=1e-5)"

// In a function that is called, on a slice of a larger table.
// RUN: attn-run %s --entry=call --random --random-range=3:0:3 --check | FileCheck %s

// No table is copied: the buffers of integers are the summaries.
// RUN: attn-run %s --entry=call --emit=mlir --stop-after=bufferize | FileCheck %s --check-prefix=COPIES
// COPIES-LABEL: func.func private @callee(
// COPIES-NOT: memref.copy
// COPIES: memref.alloc{{.*}} : memref<3xi64>
// COPIES-NEXT: memref.alloc{{.*}} : memref<3xi64>
// COPIES-NOT: memref.alloc{{.*}}xi64
// COPIES-NOT: memref.copy
// COPIES: return

func.func @argument(%q: tensor<2x?x8xf32>, %k: tensor<2x?x8xf32>, %v: tensor<2x?x4xf32>,
                    %ids: tensor<2x?xi64>) -> tensor<2x?x4xf32> {
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %q, %c1 : tensor<2x?x8xf32>
  %init = tensor.empty(%rows) : tensor<2x?x4xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x4xf32>)
      outs(%init : tensor<2x?x4xf32>)
      mask {
      ^bb0(%b: index, %i: index, %j: index):
        %mine = tensor.extract %ids[%b, %i] : tensor<2x?xi64>
        %other = tensor.extract %ids[%b, %j] : tensor<2x?xi64>
        %same = arith.cmpi eq, %mine, %other : i64
        attn.yield %same : i1
      } -> tensor<2x?x4xf32>
  return %o : tensor<2x?x4xf32>
}

func.func @loop(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>,
                %ids: tensor<?xi32>) -> tensor<3x?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %rows = tensor.dim %q, %c0 : tensor<?x8xf32>
  %keys = tensor.dim %ids, %c0 : tensor<?xi32>
  %empty = tensor.empty(%rows) : tensor<3x?x8xf32>
  %result = scf.for %step = %c0 to %c3 step %c1 iter_args(%all = %empty) -> (tensor<3x?x8xf32>) {
    %shift = arith.index_cast %step : index to i32
    %none = tensor.empty(%keys) : tensor<?xi32>
    %shifted = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
        ins(%ids : tensor<?xi32>) outs(%none : tensor<?xi32>) {
      ^bb0(%id: i32, %out: i32):
        %less = arith.shrsi %id, %shift : i32
        linalg.yield %less : i32
      } -> tensor<?xi32>
    %init = tensor.extract_slice %all[%step, 0, 0] [1, %rows, 8] [1, 1, 1] : tensor<3x?x8xf32> to tensor<?x8xf32>
    %o = attn.sdpa ins(%q, %k, %v : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
        outs(%init : tensor<?x8xf32>)
        mask {
        ^bb0(%i: index, %j: index):
          %mine = tensor.extract %shifted[%i] : tensor<?xi32>
          %other = tensor.extract %shifted[%j] : tensor<?xi32>
          %after = arith.cmpi sle, %other, %mine : i32
          attn.yield %after : i1
        } -> tensor<?x8xf32>
    %next = tensor.insert_slice %o into %all[%step, 0, 0] [1, %rows, 8] [1, 1, 1] : tensor<?x8xf32> into tensor<3x?x8xf32>
    scf.yield %next : tensor<3x?x8xf32>
  }
  return %result : tensor<3x?x8xf32>
}

func.func private @callee(%q: tensor<48x8xf32>, %k: tensor<48x8xf32>, %v: tensor<48x4xf32>,
                          %ids: tensor<48xi64>) -> tensor<48x4xf32> {
  %init = tensor.empty() : tensor<48x4xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<48x8xf32>, tensor<48x8xf32>, tensor<48x4xf32>)
      outs(%init : tensor<48x4xf32>) {causal = #attn.causal<top_left>}
      mask {
      ^bb0(%i: index, %j: index):
        %mine = tensor.extract %ids[%i] : tensor<48xi64>
        %other = tensor.extract %ids[%j] : tensor<48xi64>
        %same = arith.cmpi eq, %mine, %other : i64
        attn.yield %same : i1
      } -> tensor<48x4xf32>
  return %o : tensor<48x4xf32>
}

func.func @call(%q: tensor<48x8xf32>, %k: tensor<48x8xf32>, %v: tensor<48x4xf32>,
                %ids: tensor<2x48xi64>) -> tensor<48x4xf32> {
  %half = tensor.extract_slice %ids[1, 0] [1, 48] [1, 1] : tensor<2x48xi64> to tensor<48xi64>
  %o = func.call @callee(%q, %k, %v, %half)
      : (tensor<48x8xf32>, tensor<48x8xf32>, tensor<48x4xf32>, tensor<48xi64>) -> tensor<48x4xf32>
  return %o : tensor<48x4xf32>
}
