// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=vectorize | FileCheck %s

// What comes next is asked for while there is work to do: the next query tile
// while this one is packed, the key rows behind those of the products, each in
// its turn, and values further down their columns.

// CHECK-LABEL: func.func @dense(
// CHECK: scf.forall
// CHECK: scf.for %[[ROW:.+]] = %c0 to %c8
// CHECK: scf.for %[[COLUMN:.+]] = %c0 to %c32
// CHECK: vector.load %[[QUERIES:.+]][%[[ROW]], %[[COLUMN]]]
// CHECK: %[[BEHIND:.+]] = arith.addi %[[ROW]], %c8
// CHECK: memref.prefetch %[[QUERIES]][%[[BEHIND]], %[[COLUMN]]], read, locality<2>, data : memref<8x32xf32
// CHECK: vector.shuffle
// CHECK: scf.for %[[KEY:.+]] = %c0
// CHECK: scf.for %[[FEATURE:.+]] = %c0 to %c32
// CHECK: %[[REST:.+]] = arith.addi %[[KEY]], %[[COUNT:.+]] : index
// CHECK: %[[TURN:.+]] = arith.remui %[[FEATURE]], %[[COUNT]]
// CHECK: %[[ROW:.+]] = arith.addi %[[REST]], %[[TURN]]
// CHECK: memref.prefetch %{{.+}}[%[[ROW]], %[[FEATURE]]], read, locality<3>, data : memref<{{.+}}x32xf32
// CHECK: vector.fma
// CHECK: memref.prefetch %{{.+}}[%{{.+}}], read, locality<3>, data : memref<?xf32
func.func @dense(%q: tensor<3x256x32xf32>, %k: tensor<3x256x32xf32>,
                 %v: tensor<3x256x32xf32>) -> tensor<3x256x32xf32> {
  %init = tensor.empty() : tensor<3x256x32xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<3x256x32xf32>, tensor<3x256x32xf32>, tensor<3x256x32xf32>)
      outs(%init : tensor<3x256x32xf32>) -> tensor<3x256x32xf32>
  return %o : tensor<3x256x32xf32>
}
