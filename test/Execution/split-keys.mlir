// RUN: attn-run %s --random --shape=0:2x4x3x16 --shape=1:2x2x5000x16 --shape=2:2x2x5000x8 --threads=1,3,8 --check --output=%t.1.npy --output=%t.1.lse.npy | FileCheck %s
// RUN: attn-run %s --random --shape=0:2x4x3x16 --shape=1:2x2x5x16 --shape=2:2x2x5x8 --check | FileCheck %s
// RUN: attn-run %s --random --shape=0:2x4x3x16 --shape=1:2x2x0x16 --shape=2:2x2x0x8 --check | FileCheck %s
// RUN: attn-run %s --print-config | FileCheck %s --check-prefix=CONFIG
// RUN: attn-run %s --stop-after=tile > %t.tiled.mlir
// RUN: attn-run %t.tiled.mlir --start-after=tile --random --shape=0:2x4x3x16 --shape=1:2x2x5000x16 --shape=2:2x2x5000x8 --output=%t.tiled.npy --output=%t.tiled.lse.npy
// RUN: cmp %t.1.npy %t.tiled.npy && cmp %t.1.lse.npy %t.tiled.lse.npy
// RUN: attn-run %s --stop-after=bufferize > %t.buffers.mlir
// RUN: attn-run %t.buffers.mlir --start-after=bufferize --random --shape=0:2x4x3x16 --shape=1:2x2x5000x16 --shape=2:2x2x5000x8 --output=%t.buffers.npy --output=%t.buffers.lse.npy
// RUN: cmp %t.1.npy %t.buffers.npy && cmp %t.1.lse.npy %t.buffers.lse.npy

// The keys of a few query rows are split by their number, known to the run alone,
// and never by the number of threads: all of them give the same bits. Each part is
// of the keys that are visible, here from a window's begin to its end; no keys are
// no parts.
// CHECK: check: result 0: ok
// CHECK: check: result 1: ok
// CONFIG: tiles of 6 query rows by 320 key rows; keys in up to {{[0-9]+}} parts of 1024 or more; layout #attn.lanes_along_features<6>

func.func @split(%q: tensor<2x4x3x16xf32>, %k: tensor<2x2x?x16xf32>, %v: tensor<2x2x?x8xf32>)
    -> (tensor<2x4x3x8xf32>, tensor<2x4x3xf32>) {
  %init = tensor.empty() : tensor<2x4x3x8xf32>
  %log = tensor.empty() : tensor<2x4x3xf32>
  %o:2 = attn.sdpa ins(%q, %k, %v : tensor<2x4x3x16xf32>, tensor<2x2x?x16xf32>, tensor<2x2x?x8xf32>)
      outs(%init : tensor<2x4x3x8xf32>) lse(%log : tensor<2x4x3xf32>)
      {causal = #attn.causal<bottom_right>, window = array<i64: 3000, 0>}
      -> tensor<2x4x3x8xf32>, tensor<2x4x3xf32>
  return %o#0, %o#1 : tensor<2x4x3x8xf32>, tensor<2x4x3xf32>
}
