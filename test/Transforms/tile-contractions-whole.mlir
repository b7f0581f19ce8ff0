// RUN: attn-opt %s --split-input-file --attn-tile-contractions=whole | FileCheck %s

// One op has all rows and columns, and what follows.
// CHECK-LABEL: func @project(
// CHECK-NOT: scf.forall
// CHECK: attn.contract ins(%{{.+}}, %{{.+}} : tensor<5x7xf32>, tensor<7x3xf32>) inputs(%{{.+}} : tensor<3xf32>)
// CHECK-NOT: linalg.generic
func.func @project(%x: tensor<5x7xf32>, %w: tensor<7x3xf32>, %bias: tensor<3xf32>) -> tensor<5x3xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<5x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x3xf32>) -> tensor<5x3xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x7xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
  %z = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%y, %bias : tensor<5x3xf32>, tensor<3xf32>) outs(%empty : tensor<5x3xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<5x3xf32>
  return %z : tensor<5x3xf32>
}

// -----

// Each batch has one.
// CHECK-LABEL: func @batch(
// CHECK: scf.forall (%{{.+}}) in (%{{.+}}) shared_outs
// CHECK: attn.contract {{.*}} : tensor<5x7xf16>, tensor<7x3xf16>
func.func @batch(%x: tensor<?x5x7xf16>, %w: tensor<?x7x3xf16>, %init: tensor<?x5x3xf32>) -> tensor<?x5x3xf32> {
  %y = linalg.batch_matmul ins(%x, %w : tensor<?x5x7xf16>, tensor<?x7x3xf16>)
      outs(%init : tensor<?x5x3xf32>) -> tensor<?x5x3xf32>
  return %y : tensor<?x5x3xf32>
}

// -----

// A factor is as it is: what it comes from is no part of the op.
// CHECK-LABEL: func @widened(
// CHECK: linalg.generic
// CHECK: attn.contract
// CHECK-NOT: lhs_element
func.func @widened(%x: tensor<5x7xf16>, %w: tensor<7x3xf32>, %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %empty = tensor.empty() : tensor<5x7xf32>
  %wide = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                          iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<5x7xf16>) outs(%empty : tensor<5x7xf32>) {
  ^bb0(%a: f16, %out: f32):
    %0 = arith.extf %a : f16 to f32
    linalg.yield %0 : f32
  } -> tensor<5x7xf32>
  %y = linalg.matmul ins(%wide, %w : tensor<5x7xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %y : tensor<5x3xf32>
}

// -----

// A sum over two dimensions stays an op of linalg, but it is rounded once.
// CHECK-LABEL: func @joined(
// CHECK: linalg.generic
// CHECK: arith.extf
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction", "reduction"]
// CHECK: arith.mulf {{.*}} : f32
// CHECK: arith.addf {{.*}} : f32
// CHECK: linalg.generic
// CHECK: arith.truncf
// CHECK-NOT: attn.contract
func.func @joined(%x: tensor<5x2x7xf16>, %w: tensor<2x7x3xf16>, %init: tensor<5x3xf16>) -> tensor<5x3xf16> {
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, h, k) -> (m, h, k)>, affine_map<(m, n, h, k) -> (h, k, n)>,
                                        affine_map<(m, n, h, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<5x2x7xf16>, tensor<2x7x3xf16>) outs(%init : tensor<5x3xf16>) {
  ^bb0(%a: f16, %b: f16, %sum: f16):
    %product = arith.mulf %a, %b : f16
    %next = arith.addf %sum, %product : f16
    linalg.yield %next : f16
  } -> tensor<5x3xf16>
  return %y : tensor<5x3xf16>
}
