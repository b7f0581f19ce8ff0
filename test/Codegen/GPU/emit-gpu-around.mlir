// RUN: attn-opt %s --split-input-file --attn-emit-gpu --canonicalize --cse | FileCheck %s

// Each position of the loop has blocks of its own; what it computes is computed in
// them. Two tiles of rows, and nothing is launched where there are no columns.
// CHECK-LABEL: func @products(
// CHECK: %[[N:.+]] = memref.dim %{{.+}}, %c2
// CHECK: %[[TILES:.+]] = arith.ceildivui %[[N]], %c64 : index
// CHECK: %[[BLOCKS:.+]] = arith.muli %[[TILES]], %c6 : index
// CHECK: attn.check %{{.+}}, "expected an op on a GPU to have fewer than 2147483648 blocks of threads, but it has {0}"(%[[BLOCKS]])
// CHECK: scf.if
// CHECK-NOT: scf.forall
// CHECK: gpu.launch blocks({{.*}}) in (%{{.+}} = %[[BLOCKS]], {{.*}}) threads({{.*}}) in (%{{.+}} = %c128, {{.*}}) dynamic_shared_memory_size
// CHECK: memref.subview %{{.+}}[%{{.+}}, 0, 0] [1, 70, 40]
// CHECK: nvvm.cp.async.shared.global
// CHECK: gpu.barrier
// CHECK: nvvm.mma.sync
// The sums are rounded and stored in one place, four columns at once if rows lie
// so.
// CHECK: gpu.barrier
// CHECK: scf.for
// CHECK: %[[ROUNDED:.+]] = arith.truncf %{{.+}} : vector<4xf32> to vector<4xf16>
// CHECK: llvm.store %[[ROUNDED]], %{{.+}} {alignment = 8 : i64} : vector<4xf16>, !llvm.ptr<1>
// CHECK: scf.for
// CHECK: %[[ROUNDED:.+]] = arith.truncf %{{.+}} : f32 to f16
// CHECK: llvm.store %[[ROUNDED]], %{{.+}} {alignment = 2 : i64} : f16, !llvm.ptr<1>
// CHECK-NOT: arith.truncf
// CHECK: return
#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @products(%a: memref<3x70x40xf16>, %b: memref<3x40x?xf16>, %c: memref<3x70x?xf16>) {
  %c2 = arith.constant 2 : index
  %n = memref.dim %b, %c2 : memref<3x40x?xf16>
  scf.forall (%i) in (3) {
    %l = memref.subview %a[%i, 0, 0] [1, 70, 40] [1, 1, 1]
        : memref<3x70x40xf16> to memref<70x40xf16, strided<[40, 1], offset: ?>>
    %r = memref.subview %b[%i, 0, 0] [1, 40, %n] [1, 1, 1]
        : memref<3x40x?xf16> to memref<40x?xf16, strided<[?, 1], offset: ?>>
    %o = memref.subview %c[%i, 0, 0] [1, 70, %n] [1, 1, 1]
        : memref<3x70x?xf16> to memref<70x?xf16, strided<[?, 1], offset: ?>>
    attn.contract ins(%l, %r : memref<70x40xf16, strided<[40, 1], offset: ?>>, memref<40x?xf16, strided<[?, 1], offset: ?>>)
        outs(%o : memref<70x?xf16, strided<[?, 1], offset: ?>>) {indexing_maps = [#mk, #kn, #mn]}
  }
  return
}

// -----

// Singles are multiplied one by one; what follows is there for four columns at once
// and for one.
// CHECK-LABEL: func @singles(
// CHECK: gpu.launch
// CHECK: math.fma
// CHECK-COUNT-5: math.tanh
// CHECK-NOT: math.tanh
// CHECK: return
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @singles(%a: memref<5x7xf32>, %b: memref<3x7xf32>, %c: memref<5x3xf32>) {
  attn.contract ins(%a, %b : memref<5x7xf32>, memref<3x7xf32>) outs(%c : memref<5x3xf32>)
      {indexing_maps = [#mk, #nk, #mn]}
      element {
      ^bb0(%sum: f32):
        %t = math.tanh %sum : f32
        attn.yield %t : f32
      }
  return
}

// -----

// A warp reduces a row: 32 positions at once, then what its threads have.
// CHECK-LABEL: func @rows(
// CHECK: gpu.launch blocks({{.*}}) in (%{{.+}} = %c1, {{.*}}) threads({{.*}}) in (%{{.+}} = %c256, {{.*}})
// CHECK: scf.for %{{.+}} = %{{.+}} to %c200 step %c32
// CHECK: memref.load
// CHECK: arith.addf
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK-NOT: gpu.shuffle
// CHECK: memref.store
func.func @rows(%x: memref<5x200xf32>, %y: memref<5xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<5x200xf32>) outs(%y : memref<5xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// Along columns a thread has an element, and its neighbours the next ones.
// CHECK-LABEL: func @columns(
// CHECK: gpu.launch
// CHECK: scf.for %{{.+}} = %c0 to %c200 step %c1
// CHECK-NOT: gpu.shuffle
// CHECK: return
func.func @columns(%x: memref<200x5xf32>, %y: memref<5xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>],
                  iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<200x5xf32>) outs(%y : memref<5xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// CHECK-LABEL: func @copy(
// CHECK-SAME: %[[X:.+]]: memref<?x30xf32, strided<[?, ?], offset: ?>>, %[[Y:.+]]: memref
// CHECK-NOT: memref.copy
// CHECK: gpu.launch
// CHECK: %[[E:.+]] = memref.load %[[X]][%[[I:[0-9a-z_]+]], %[[J:[0-9a-z_]+]]]
// CHECK: memref.store %[[E]], %[[Y]][%[[I]], %[[J]]]
func.func @copy(%x: memref<?x30xf32, strided<[?, ?], offset: ?>>, %y: memref<?x30xf32>) {
  memref.copy %x, %y : memref<?x30xf32, strided<[?, ?], offset: ?>> to memref<?x30xf32>
  return
}

// -----

// CHECK-LABEL: func @number(
// CHECK: gpu.launch
// CHECK-NEXT: memref.store
// CHECK-NEXT: gpu.terminator
func.func @number(%x: memref<5xf32>, %f: f32, %i: index) {
  memref.store %f, %x[%i] : memref<5xf32>
  return
}

// -----

// The host goes over the positions of a loop that holds anything else.
// CHECK-LABEL: func @loop(
// CHECK: scf.for
// CHECK: gpu.launch
func.func @loop(%x: memref<5x7xf32>, %f: f32) {
  scf.forall (%i) in (5) {
    %row = memref.subview %x[%i, 0] [1, 7] [1, 1] : memref<5x7xf32> to memref<7xf32, strided<[1], offset: ?>>
    linalg.fill ins(%f : f32) outs(%row : memref<7xf32, strided<[1], offset: ?>>)
  }
  return
}
