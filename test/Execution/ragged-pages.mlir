// RUN: attn-run %s --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --threads=1 --check --output=%t.1.npy --output=%t.1.lse.npy | FileCheck %s
// RUN: attn-run %s --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --threads=2 --output=%t.2.npy --output=%t.2.lse.npy
// RUN: attn-run %s --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --threads=5 --output=%t.5.npy --output=%t.5.lse.npy
// RUN: attn-run %s --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --threads=8 --output=%t.8.npy --output=%t.8.lse.npy
// RUN: cmp %t.1.npy %t.2.npy && cmp %t.1.npy %t.5.npy && cmp %t.1.npy %t.8.npy
// RUN: cmp %t.1.lse.npy %t.2.lse.npy && cmp %t.1.lse.npy %t.5.lse.npy && cmp %t.1.lse.npy %t.8.lse.npy
// RUN: attn-opt %s --attn-cpu-pipeline="stop-after=tile query-tile=1 key-tile=3" -o %t.small.mlir
// RUN: attn-run %t.small.mlir --start-after=tile --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --output=%t.small.npy --output=%t.small.lse.npy
// RUN: %python -c "import numpy; a, b = (numpy.load(p) for p in ('%t.1.npy', '%t.small.npy')); assert abs(a - b).max() < 1e-5"
// RUN: attn-run %s --print-config | FileCheck %s --check-prefix=CONFIG
// RUN: attn-run %s --stop-after=generalize > %t.generic.mlir
// RUN: attn-run %t.generic.mlir --start-after=generalize --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --output=%t.generic.npy --output=%t.generic.lse.npy
// RUN: cmp %t.1.npy %t.generic.npy && cmp %t.1.lse.npy %t.generic.lse.npy
// RUN: attn-run %s --stop-after=tile > %t.tiled.mlir
// RUN: attn-run %t.tiled.mlir --start-after=tile --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --output=%t.tiled.npy --output=%t.tiled.lse.npy
// RUN: cmp %t.1.npy %t.tiled.npy && cmp %t.1.lse.npy %t.tiled.lse.npy
// RUN: attn-run %s --stop-after=bufferize > %t.buffers.mlir
// RUN: attn-run %t.buffers.mlir --start-after=bufferize --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --output=%t.buffers.npy --output=%t.buffers.lse.npy
// RUN: cmp %t.1.npy %t.buffers.npy && cmp %t.1.lse.npy %t.buffers.lse.npy
// RUN: attn-run %s --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --trace-pair=71,3,5 | FileCheck %s --check-prefix=TRACE
// RUN: attn-opt %s --attn-generalize -o %t.core.mlir
// RUN: attn-run %t.core.mlir --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --trace-pair=2,3,0,0,5 | FileCheck %s --check-prefix=TRACE
// RUN: attn-run %t.core.mlir --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --check | FileCheck %s
// RUN: attn-run %s --random --shape=0:105x4x16 --shape=3:60 --random-range=3:0:50 --fusion=never --check 2>&1 | FileCheck %s --check-prefixes=UNFUSED,CHECK

// Two prompts and two single tokens over the pages of one table, and a request of
// no rows. Workers are as many as extents allow; all numbers of threads, and the
// form between any two stages, give the same bits. Row 71 is that of request 2,
// whose list has room for 176 keys, of which there are 101.
// UNFUSED: unfused: fusion is switched off
// CHECK: check: result 0: ok
// CHECK: check: result 1: ok
// CONFIG: fused: one online pass; tiles of {{.+}}; walks lists of physical blocks of 8 keys, several to a tile; no tile has rows of two requests; layout #attn.lanes_along_rows
// CONFIG: fused: requests of one row; tiles of 2 query rows by {{.+}}; layout #attn.lanes_along_features<2>
// TRACE: similarity {{.+}}, mask true, weight {{.+}} (the row sees 101 keys)

func.func @mixed(%q: tensor<?x4x16xf32>, %k: tensor<50x2x8x16xf32>, %v: tensor<50x2x8x8xf32>,
                 %pages: tensor<?xi32>) -> (tensor<?x4x8xf32>, tensor<?x4xf32>) {
  %query_starts = arith.constant dense<[0, 70, 71, 72, 72, 105]> : tensor<6xi32>
  %key_starts = arith.constant dense<[0, 70, 200, 301, 301, 389]> : tensor<6xi32>
  %indptr = arith.constant dense<[0, 9, 26, 48, 49, 60]> : tensor<6xi32>
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %q, %c0 : tensor<?x4x16xf32>
  %init = tensor.empty(%rows) : tensor<?x4x8xf32>
  %log = tensor.empty(%rows) : tensor<?x4xf32>
  %o:2 = attn.sdpa ins(%q, %k, %v : tensor<?x4x16xf32>, tensor<50x2x8x16xf32>, tensor<50x2x8x8xf32>)
      query_starts(%query_starts : tensor<6xi32>) key_starts(%key_starts : tensor<6xi32>)
      blocks(%indptr, %pages : tensor<6xi32>, tensor<?xi32>) {keys = 8, kind = physical}
      outs(%init : tensor<?x4x8xf32>) lse(%log : tensor<?x4xf32>)
      {causal = #attn.causal<bottom_right>} -> tensor<?x4x8xf32>, tensor<?x4xf32>
  return %o#0, %o#1 : tensor<?x4x8xf32>, tensor<?x4xf32>
}
