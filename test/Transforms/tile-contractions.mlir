// RUN: attn-opt %s --attn-tile-contractions --canonicalize --cse --split-input-file | FileCheck %s

// A parallel loop over blocks of rows and columns; the init is not filled.
// CHECK-DAG: #[[$A:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[$BT:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[$C:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: @project
// CHECK-NOT: linalg.fill
// CHECK: scf.forall (%[[ROW:.+]], %[[COLUMN:.+]]) in (2, 3)
// CHECK: attn.contract ins(%{{.+}}, %{{.+}} : tensor<512x64xf32>, tensor<128x64xf32>)
// CHECK-SAME: outs(%{{.+}} : tensor<512x128xf32>) {indexing_maps = [#[[$A]], #[[$BT]], #[[$C]]]}
func.func @project(%x: tensor<1024x64xf32>, %w: tensor<384x64xf32>) -> tensor<1024x384xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1024x384xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1024x384xf32>) -> tensor<1024x384xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                                      affine_map<(m, n, k) -> (n, k)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %w : tensor<1024x64xf32>, tensor<384x64xf32>)
      outs(%init : tensor<1024x384xf32>) -> tensor<1024x384xf32>
  return %y : tensor<1024x384xf32>
}

// -----

// Another init is what sums begin with.
// CHECK-LABEL: @more
// CHECK: attn.contract {{.*}} {accumulate,
func.func @more(%x: tensor<5x7xf32>, %w: tensor<7x3xf32>, %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<5x7xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %y : tensor<5x3xf32>
}

// -----

// What is elementwise and alone uses the product is computed with it, at the
// places where the product is stored.
// CHECK-LABEL: @bias_and_residual
// CHECK: attn.contract
// CHECK-SAME: inputs(%{{.+}}, %{{.+}} : tensor<3xf32>, tensor<3x5xf32>)
// CHECK-SAME: outs(%{{.+}} : tensor<3x5xf32>)
// CHECK: ^bb0(%[[SUM:.+]]: f32, %[[BIAS:.+]]: f32, %[[BEFORE:.+]]: f32)
// CHECK: %[[BIASED:.+]] = arith.addf %[[SUM]], %[[BIAS]]
// CHECK: arith.addf %[[BIASED]], %[[BEFORE]]
// CHECK-NOT: linalg.generic
func.func @bias_and_residual(%x: tensor<5x7xf32>, %w: tensor<7x3xf32>, %bias: tensor<3xf32>,
                             %before: tensor<3x5xf32>) -> tensor<3x5xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<5x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x3xf32>) -> tensor<5x3xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x7xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
  %biased = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>,
                                             affine_map<(m, n) -> (n)>,
                                             affine_map<(m, n) -> (m, n)>],
                            iterator_types = ["parallel", "parallel"]}
      ins(%y, %bias : tensor<5x3xf32>, tensor<3xf32>) outs(%empty : tensor<5x3xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<5x3xf32>
  %emptyt = tensor.empty() : tensor<3x5xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(m, n) -> (n, m)>,
                                          affine_map<(m, n) -> (m, n)>,
                                          affine_map<(m, n) -> (m, n)>],
                         iterator_types = ["parallel", "parallel"]}
      ins(%biased, %before : tensor<5x3xf32>, tensor<3x5xf32>) outs(%emptyt : tensor<3x5xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<3x5xf32>
  return %sum : tensor<3x5xf32>
}

// -----

// A product that is used twice is stored; so is one that is widened later, as
// sums would be wider.
// CHECK-LABEL: @used_twice
// CHECK: attn.contract
// CHECK-NOT: element
// CHECK: linalg.exp
func.func @used_twice(%x: tensor<5x7xf32>, %w: tensor<7x3xf32>)
    -> (tensor<5x3xf32>, tensor<5x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<5x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x3xf32>) -> tensor<5x3xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x7xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
  %e = linalg.exp ins(%y : tensor<5x3xf32>) outs(%empty : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %y, %e : tensor<5x3xf32>, tensor<5x3xf32>
}

// -----

// Sides are exchanged where rows of the product are innermost.
// CHECK-DAG: #[[$A:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[$B:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: @exchanged
// CHECK-SAME: %[[X:.+]]: tensor<5x7xf32>, %[[W:.+]]: tensor<3x7xf32>
// CHECK: attn.contract ins(%[[W]], %[[X]] : tensor<3x7xf32>, tensor<5x7xf32>)
// CHECK-SAME: outs(%{{.+}} : tensor<3x5xf32>) {indexing_maps = [#[[$A]], #[[$B]],
func.func @exchanged(%x: tensor<5x7xf32>, %w: tensor<3x7xf32>) -> tensor<3x5xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<3x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<3x5xf32>) -> tensor<3x5xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                                        affine_map<(m, n, k) -> (n, k)>,
                                        affine_map<(m, n, k) -> (n, m)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<5x7xf32>, tensor<3x7xf32>) outs(%init : tensor<3x5xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}

// -----

// Integers, and products that are not added, are left.
// CHECK-LABEL: @left
// CHECK-NOT: attn.contract
// CHECK: linalg.matmul
// CHECK: linalg.generic
// CHECK-NOT: attn.contract
func.func @left(%x: tensor<5x7xi32>, %w: tensor<7x3xi32>, %init: tensor<5x3xi32>, %m: tensor<5x7xf32>,
                %least: tensor<5xf32>) -> (tensor<5x3xi32>, tensor<5xf32>) {
  %y = linalg.matmul ins(%x, %w : tensor<5x7xi32>, tensor<7x3xi32>)
      outs(%init : tensor<5x3xi32>) -> tensor<5x3xi32>
  %s = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>,
                                        affine_map<(m, k) -> (m)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%m : tensor<5x7xf32>) outs(%least : tensor<5xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %next = arith.minimumf %sum, %a : f32
    linalg.yield %next : f32
  } -> tensor<5xf32>
  return %y, %s : tensor<5x3xi32>, tensor<5xf32>
}
