// RUN: attn-opt %s --attn-vectorize --split-input-file | FileCheck %s

// Elementwise: lanes along the innermost dimension, blocks of rows in parallel,
// the last lanes with a mask. A row of the bias is read as lanes, too.
// CHECK-LABEL: @bias
// CHECK: scf.forall
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.addf %{{.+}}, %{{.+}} : vector<32xf32>
// CHECK: vector.store
// CHECK: vector.maskedstore
// CHECK-NOT: linalg
func.func @bias(%x: memref<1024x70xf32>, %bias: memref<70xf32>, %y: memref<1024x70xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                                   affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x, %bias : memref<1024x70xf32>, memref<70xf32>) outs(%y : memref<1024x70xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A sum along rows: lanes along the sum, one number in the end. It is small: no
// parallel loop.
// CHECK-LABEL: @sum_rows
// CHECK-NOT: scf.forall
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.addf %{{.+}}, %{{.+}} : vector<32xf32>
// CHECK: vector.reduction <add>
// CHECK: memref.store
func.func @sum_rows(%x: memref<5x70xf32>, %y: memref<5xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<5x70xf32>) outs(%y : memref<5xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %0 = arith.addf %sum, %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A sum along columns: lanes along the result, which stay in registers.
// CHECK-LABEL: @sum_columns
// CHECK-NOT: vector.reduction
// CHECK: %[[SUM:.+]] = scf.for {{.+}} iter_args(%{{.+}} = %{{.+}}) -> (vector<32xf32>)
// CHECK: vector.store %[[SUM]]
func.func @sum_columns(%x: memref<5x70xf32>, %y: memref<70xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<5x70xf32>) outs(%y : memref<70xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %0 = arith.addf %sum, %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// Integers of 4 bits in memory have no vectors that lie as they do: elements.
// CHECK-LABEL: @narrow
// CHECK-NOT: vector
// CHECK: memref.store
func.func @narrow(%x: memref<5xi4>, %y: memref<5xi4>) {
  linalg.copy ins(%x : memref<5xi4>) outs(%y : memref<5xi4>)
  return
}
