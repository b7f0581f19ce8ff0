// RUN: attn-opt %s --attn-outline-parallel --verify-each | FileCheck %s

// Items are counted over both dimensions; scratch is one for all items of a
// call; what is captured goes through a structure, constants do not.

// CHECK: func.func private @attn_rt_parallel_for(!llvm.ptr, !llvm.ptr, index)
// CHECK-LABEL: func.func @scratch(
// CHECK-SAME: %[[X:.+]]: memref<3x?xf32>, %[[N:.+]]: index)
// CHECK: %[[DATA:.+]] = llvm.alloca
// CHECK-NOT: scf.forall
// CHECK: %[[COUNT:.+]] = arith.muli
// CHECK: llvm.store
// CHECK: %[[BODY:.+]] = constant @scratch.parallel
// CHECK: %[[POINTER:.+]] = builtin.unrealized_conversion_cast %[[BODY]]
// CHECK: call @attn_rt_parallel_for(%[[POINTER]], %[[DATA]], %[[COUNT]])
// CHECK-LABEL: func.func private @scratch.parallel(
// CHECK-SAME: %[[FROM:.+]]: !llvm.ptr, %[[BEGIN:.+]]: index, %[[END:.+]]: index) attributes {llvm.linkage
// CHECK: memref.alloc() : memref<4xf32>
// CHECK-NEXT: scf.for %[[ITEM:.+]] = %[[BEGIN]] to %[[END]] step
// CHECK-NEXT: %[[J:.+]] = arith.remui %[[ITEM]], %[[SIZE:.+]]
// CHECK-NEXT: %[[I:.+]] = arith.divui %[[ITEM]], %[[SIZE]]
// CHECK-NOT: memref.alloc
// CHECK: memref.load %{{.+}}[%[[I]], %[[J]]]
// CHECK: }
// CHECK-NEXT: memref.dealloc
// CHECK-NEXT: return
func.func @scratch(%x: memref<3x?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  scf.forall (%i, %j) in (3, %n) {
    %t = memref.alloc() : memref<4xf32>
    %old = memref.load %x[%i, %j] : memref<3x?xf32>
    memref.store %old, %t[%c0] : memref<4xf32>
    %new = memref.load %t[%c0] : memref<4xf32>
    memref.store %new, %x[%i, %j] : memref<3x?xf32>
    memref.dealloc %t : memref<4xf32>
  }
  return
}

// Bounds that are not 0 and 1, and a loop within a loop: both are outlined.
// CHECK-LABEL: func.func @nested(
// CHECK: call @attn_rt_parallel_for
// CHECK-LABEL: func.func private @nested.parallel(
// CHECK: scf.for %[[ITEM:.+]] =
// CHECK: %[[SCALED:.+]] = arith.muli %[[ITEM]], %{{.+}} : index
// CHECK: arith.addi %[[SCALED]], %{{.+}} : index
// CHECK: call @attn_rt_parallel_for
// CHECK-LABEL: func.func private @nested.parallel.parallel(
func.func @nested(%x: memref<?x5xf32>, %zero: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c5 = arith.constant 5 : index
  %n = memref.dim %x, %c0 : memref<?x5xf32>
  scf.parallel (%i) = (%c1) to (%n) step (%c2) {
    scf.forall (%j) in (5) {
      memref.store %zero, %x[%i, %j] : memref<?x5xf32>
    }
  }
  return
}

// The bound of a loop within comes from outside both.
// CHECK-LABEL: func.func @bound(
// CHECK-LABEL: func.func private @bound.parallel(
// CHECK: %[[N:.+]] = llvm.load %{{.+}} : !llvm.ptr -> i64
// CHECK: %[[BOUND:.+]] = builtin.unrealized_conversion_cast %[[N]] : i64 to index
// CHECK: arith.maxsi %[[BOUND]],
// CHECK: call @attn_rt_parallel_for
func.func @bound(%x: memref<4x?xf32>, %n: index, %zero: f32) {
  scf.forall (%i) in (4) {
    scf.forall (%j) in (%n) {
      memref.store %zero, %x[%i, %j] : memref<4x?xf32>
    }
  }
  return
}

// What reduces stays a loop.
// CHECK-LABEL: func.func @reduces(
// CHECK: scf.parallel
func.func @reduces(%zero: f32) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %sum = scf.parallel (%i) = (%c0) to (%c5) step (%c1) init (%zero) -> f32 {
    scf.reduce(%zero : f32) {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %a, %b : f32
      scf.reduce.return %s : f32
    }
  }
  return %sum : f32
}
