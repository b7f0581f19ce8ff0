// RUN: attn-opt %s --attn-outline-parallel --verify-each | FileCheck %s

// Items are counted over both dimensions; scratch is one for all items of a
// call, on the stack too, which would grow with each; what is captured goes through a structure, constants do not.

// CHECK: func.func private @attn_rt_parallel_for(!llvm.ptr, !llvm.ptr, !llvm.ptr, index, index)
// CHECK-LABEL: func.func @scratch(
// CHECK-SAME: %[[X:.+]]: memref<3x?xf32>, %[[N:.+]]: index)
// CHECK: %[[DATA:.+]] = llvm.alloca
// CHECK-NOT: scf.forall
// CHECK: %[[COUNT:.+]] = arith.muli
// CHECK: llvm.store
// CHECK: %[[BODY:.+]] = constant @scratch.parallel
// CHECK: %[[POINTER:.+]] = builtin.unrealized_conversion_cast %[[BODY]]
// CHECK: %[[NONE:.+]] = llvm.mlir.zero
// CHECK: call @attn_rt_parallel_for(%[[POINTER]], %[[NONE]], %[[DATA]], %[[COUNT]], %{{.+}})
// CHECK-LABEL: func.func private @scratch.parallel(
// CHECK-SAME: %[[FROM:.+]]: !llvm.ptr, %[[BEGIN:.+]]: index, %[[END:.+]]: index) attributes {llvm.linkage
// CHECK: memref.alloca() : memref<1xf32>
// CHECK-NEXT: memref.alloc() : memref<4xf32>
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
    %local = memref.alloca() : memref<1xf32>
    %old = memref.load %x[%i, %j] : memref<3x?xf32>
    memref.store %old, %t[%c0] : memref<4xf32>
    %kept = memref.load %t[%c0] : memref<4xf32>
    memref.store %kept, %local[%c0] : memref<1xf32>
    %new = memref.load %local[%c0] : memref<1xf32>
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

// What the items cost is a function of its own, computed from what the loop
// reads.
// CHECK-LABEL: func.func @triangle(
// CHECK: %[[EXTENT:.+]] = arith.maxsi %arg3
// CHECK: constant @triangle.parallel : (
// CHECK: %[[COST:.+]] = constant @triangle.parallel.cost : (!llvm.ptr, index) -> index
// CHECK: %[[POINTER:.+]] = builtin.unrealized_conversion_cast %[[COST]]
// CHECK: call @attn_rt_parallel_for(%{{.+}}, %[[POINTER]], %{{.+}}, %{{.+}}, %[[EXTENT]])
// CHECK-LABEL: func.func private @triangle.parallel(
// CHECK-NOT: attn.cost
// CHECK-LABEL: func.func private @triangle.parallel.cost(
// CHECK-SAME: %[[FROM:.+]]: !llvm.ptr, %[[ITEM:.+]]: index) -> index
// CHECK-DAG: %[[J:.+]] = arith.remui %[[ITEM]],
// CHECK-DAG: %[[READ:.+]] = memref.load %{{.+}}[%[[J]]]
// CHECK: %[[SUM:.+]] = scf.for {{.+}} iter_args(%{{.+}} = %[[READ]])
// CHECK: return %[[SUM]]
func.func @triangle(%x: memref<?x?xf32>, %lengths: memref<?xindex>,
                    %m: index, %n: index, %zero: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.forall (%i, %j) in (%m, %n) {
    %length = memref.load %lengths[%j] : memref<?xindex>
    %sum = scf.for %k = %c0 to %c4 step %c1 iter_args(%s = %length) -> (index) {
      %next = arith.addi %s, %i : index
      scf.yield %next : index
    }
    attn.cost %sum
    memref.store %zero, %x[%i, %j] : memref<?x?xf32>
  }
  return
}

// None where all items cost the same, where that is read from what the item
// itself has written, or outside of a parallel loop.
// CHECK-LABEL: func.func @no_cost(
// CHECK-NOT: {{attn.cost|parallel.cost}}
func.func @no_cost(%x: memref<?xindex>, %n: index) {
  %c0 = arith.constant 0 : index
  attn.cost %n
  scf.forall (%i) in (%n) {
    memref.store %i, %x[%i] : memref<?xindex>
    attn.cost %n
  }
  scf.forall (%i) in (%n) {
    %t = memref.alloc() : memref<1xindex>
    memref.store %i, %t[%c0] : memref<1xindex>
    %read = memref.load %t[%c0] : memref<1xindex>
    attn.cost %read
    memref.store %read, %x[%i] : memref<?xindex>
    memref.dealloc %t : memref<1xindex>
  }
  return
}
