// RUN: attn-run %s --random --shape=3:300 --shape=4:3 --random-range=3:0:199 --random-range=4:0:4800 --threads=1,3,8 --check --output=%t.1.npy | FileCheck %s
// RUN: attn-run %s --print-config | FileCheck %s --check-prefix=CONFIG
// RUN: attn-run %s --stop-after=generalize > %t.generic.mlir
// RUN: attn-run %t.generic.mlir --start-after=generalize --random --shape=3:300 --shape=4:3 --random-range=3:0:199 --random-range=4:0:4800 --output=%t.generic.npy
// RUN: cmp %t.1.npy %t.generic.npy
// RUN: attn-run %s --stop-after=tile > %t.tiled.mlir
// RUN: attn-run %t.tiled.mlir --start-after=tile --random --shape=3:300 --shape=4:3 --random-range=3:0:199 --random-range=4:0:4800 --output=%t.tiled.npy
// RUN: cmp %t.1.npy %t.tiled.npy
// RUN: attn-run %s --stop-after=bufferize > %t.buffers.mlir
// RUN: attn-run %t.buffers.mlir --start-after=bufferize --random --shape=3:300 --shape=4:3 --random-range=3:0:199 --random-range=4:0:4800 --output=%t.buffers.npy
// RUN: cmp %t.1.npy %t.buffers.npy
// RUN: FileCheck %s --check-prefix=TILE < %t.tiled.mlir

// Pages of 16 keys, of which three requests have 100, none and 200, and of these
// as many keys as %lengths says: split by that, whatever the threads, nothing
// copied, and what a later page holds asked for ahead of time.
// CHECK: check: result 0: ok
// CONFIG: tiles of 4 query rows by 16 key rows; walks lists of physical blocks of 16 keys; keys in up to {{[0-9]+}} parts of 1024 or more; layout #attn.lanes_along_features<4>
// TILE-NOT: attn.pack{{.*}}role(key)
// TILE: attn.online
// TILE-SAME: ahead(

func.func @paged(%q: tensor<3x8x1x32xf32>, %k: tensor<200x2x16x32xf32>,
                 %v: tensor<200x2x16x24xf32>, %pages: tensor<?xi32>,
                 %lengths: tensor<?xi32>) -> tensor<3x8x1x24xf32> {
  %indptr = arith.constant dense<[0, 100, 100, 300]> : tensor<4xi64>
  %init = tensor.empty() : tensor<3x8x1x24xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<3x8x1x32xf32>, tensor<200x2x16x32xf32>, tensor<200x2x16x24xf32>)
      blocks(%indptr, %pages : tensor<4xi64>, tensor<?xi32>) {keys = 16, kind = physical}
      outs(%init : tensor<3x8x1x24xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %length = tensor.extract %lengths[%b] : tensor<?xi32>
        %end = arith.index_cast %length : i32 to index
        %within = arith.cmpi slt, %j, %end : index
        attn.yield %within : i1
      } -> tensor<3x8x1x24xf32>
  return %o : tensor<3x8x1x24xf32>
}
