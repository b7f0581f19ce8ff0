// RUN: attn-run %s --random --threads=1 --check --output=%t.1.npy | FileCheck %s
// RUN: attn-run %s --random --threads=5 --output=%t.5.npy
// RUN: cmp %t.1.npy %t.5.npy
// RUN: attn-run %s --print-config | FileCheck %s --check-prefix=CONFIG
// RUN: attn-run %s --stop-after=tile > %t.tiled.mlir
// RUN: attn-run %t.tiled.mlir --start-after=tile --random --output=%t.tiled.npy
// RUN: cmp %t.1.npy %t.tiled.npy
// RUN: attn-run %s --stop-after=generalize > %t.generic.mlir
// RUN: attn-run %t.generic.mlir --start-after=generalize --random --check --output=%t.generic.npy | FileCheck %s
// RUN: cmp %t.1.npy %t.generic.npy
// RUN: attn-run %s --random --trace-pair=0,0,5,20 | FileCheck %s --check-prefix=SEEN
// RUN: attn-run %s --random --trace-pair=0,0,5,70 | FileCheck %s --check-prefix=HIDDEN

// Lists that the function computes itself: block row l sees the block l and the
// last one. A tile of query rows has one list: 24 rows divide 48, 32 do not.
// CHECK: check: result 0: ok
// CONFIG: tiles of 24 query rows by 64 key rows; walks lists of logical blocks of 64 keys; layout #attn.lanes_along_rows<24>
// SEEN: mask true
// SEEN-SAME: (the row sees 128 keys)
// HIDDEN: mask false, weight 0 (the row sees 128 keys)

func.func @lists(%q: tensor<1x2x96x16xf32>, %k: tensor<1x2x192x16xf32>,
                 %v: tensor<1x2x192x8xf32>) -> tensor<1x2x96x8xf32> {
  %indptr = arith.constant dense<[0, 2, 4]> : tensor<3xi32>
  %none = tensor.empty() : tensor<4xi32>
  %indices = linalg.generic
      {indexing_maps = [affine_map<(o) -> (o)>], iterator_types = ["parallel"]}
      outs(%none : tensor<4xi32>) {
  ^bb0(%out: i32):
    %o = linalg.index 0 : index
    %row = affine.apply affine_map<(o) -> (o floordiv 2)>(%o)
    %last = arith.constant 2 : index
    %c1 = arith.constant 1 : index
    %odd = arith.andi %o, %c1 : index
    %is_last = arith.cmpi eq, %odd, %c1 : index
    %block = arith.select %is_last, %last, %row : index
    %number = arith.index_cast %block : index to i32
    linalg.yield %number : i32
  } -> tensor<4xi32>
  %init = tensor.empty() : tensor<1x2x96x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x2x96x16xf32>, tensor<1x2x192x16xf32>, tensor<1x2x192x8xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<4xi32>) {rows = 48, keys = 64, kind = logical}
      outs(%init : tensor<1x2x96x8xf32>) -> tensor<1x2x96x8xf32>
  return %o : tensor<1x2x96x8xf32>
}
