// RUN: attn-opt %s --attn-distribute | FileCheck %s

// Items are dealt out in turn; their scratch becomes the worker's.

// CHECK-LABEL: @scratch
// CHECK: call @omp_get_max_threads
// CHECK: scf.forall (%[[W:.+]]) in
// CHECK-NEXT: memref.alloc() {alignment = 64 : i64} : memref<4xf32>
// CHECK-NEXT: scf.for %{{.+}} = %[[W]] to
// CHECK-NOT: memref.alloc
func.func @scratch(%from: memref<3x5xf32>, %to: memref<3x5xf32>) {
  %c0 = arith.constant 0 : index
  scf.forall (%i, %j) in (3, 5) {
    %t = memref.alloc() : memref<4xf32>
    %x = memref.load %from[%i, %j] : memref<3x5xf32>
    memref.store %x, %t[%c0] : memref<4xf32>
    %y = memref.load %t[%c0] : memref<4xf32>
    memref.store %y, %to[%i, %j] : memref<3x5xf32>
  }
  return
}
