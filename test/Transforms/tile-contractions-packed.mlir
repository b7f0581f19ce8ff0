// RUN: attn-opt %s --attn-tile-contractions --canonicalize --cse --split-input-file | FileCheck %s

#xy = affine_map<(x, y) -> (x, y)>
#yx = affine_map<(x, y) -> (y, x)>
#y = affine_map<(x, y) -> (y)>

// What an operand is made from is computed where it is packed, and what is
// turned is read as it lies.
// CHECK-DAG: #[[$ROW:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[$COLUMN:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[$SCALE:.+]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-DAG: #[[$RESULT:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: @quantized
// CHECK-SAME: %[[X:.+]]: tensor<5x7xf32>, %[[W:.+]]: tensor<3x7xi8>, %[[S:.+]]: tensor<3xf32>
// CHECK-NOT: linalg
// CHECK: attn.contract ins(%[[X]], %[[W]] : tensor<5x7xf32>, tensor<3x7xi8>)
// CHECK-SAME: rhs_inputs(%[[S]] : tensor<3xf32>)
// CHECK-SAME: {indexing_maps = [#[[$ROW]], #[[$COLUMN]], #[[$SCALE]], #[[$RESULT]]]} rhs_element
// CHECK: ^bb0(%[[RHS:.+]]: i8, %[[FACTOR:.+]]: f32):
// CHECK: %[[FLOAT:.+]] = arith.sitofp %[[RHS]]
// CHECK: %[[SCALED:.+]] = arith.mulf %[[FLOAT]], %[[FACTOR]]
// CHECK: attn.yield %[[SCALED]] : f32
// CHECK-NOT: linalg
func.func @quantized(%x: tensor<5x7xf32>, %w: tensor<3x7xi8>, %s: tensor<3xf32>) -> tensor<5x3xf32> {
  %zero = arith.constant 0.0 : f32
  %we = tensor.empty() : tensor<7x3xf32>
  %wf = linalg.generic {indexing_maps = [#yx, #y, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%w, %s : tensor<3x7xi8>, tensor<3xf32>) outs(%we : tensor<7x3xf32>) {
  ^bb0(%a: i8, %b: f32, %out: f32):
    %0 = arith.sitofp %a : i8 to f32
    %1 = arith.mulf %0, %b : f32
    linalg.yield %1 : f32
  } -> tensor<7x3xf32>
  %empty = tensor.empty() : tensor<5x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x3xf32>) -> tensor<5x3xf32>
  %y = linalg.matmul ins(%x, %wf : tensor<5x7xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %y : tensor<5x3xf32>
}

// -----

#xy = affine_map<(x, y) -> (x, y)>

// What something else reads, too, is stored.
// CHECK-LABEL: @used_twice
// CHECK: %[[WIDE:.+]] = linalg.generic
// CHECK: attn.contract ins(%{{.+}}, %[[WIDE]] :
// CHECK-NOT: rhs_element
func.func @used_twice(%x: tensor<5x7xf32>, %w: tensor<7x3xf16>) -> (tensor<5x3xf32>, tensor<7x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %we = tensor.empty() : tensor<7x3xf32>
  %wf = linalg.generic {indexing_maps = [#xy, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<7x3xf16>) outs(%we : tensor<7x3xf32>) {
  ^bb0(%a: f16, %out: f32):
    %0 = arith.extf %a : f16 to f32
    linalg.yield %0 : f32
  } -> tensor<7x3xf32>
  %empty = tensor.empty() : tensor<5x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x3xf32>) -> tensor<5x3xf32>
  %y = linalg.matmul ins(%x, %wf : tensor<5x7xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %y, %wf : tensor<5x3xf32>, tensor<7x3xf32>
}

// -----

// A function of math is computed with rhs, which is packed once, but not with
// lhs, which is packed for each of 8 blocks of columns.
// CHECK-LABEL: @dear
// CHECK-SAME: %[[X:.+]]: tensor<5x7xf32>, %[[W:.+]]: tensor<7x1000xf32>
// CHECK: %[[EXP:.+]] = linalg.exp ins(%[[X]] :
// CHECK: attn.contract ins(%[[EXP]], %{{.+}} :
// CHECK-NOT: lhs_element
// CHECK: rhs_element
// CHECK: math.exp
func.func @dear(%x: tensor<5x7xf32>, %w: tensor<7x1000xf32>) -> tensor<5x1000xf32> {
  %zero = arith.constant 0.0 : f32
  %xe = tensor.empty() : tensor<5x7xf32>
  %xf = linalg.exp ins(%x : tensor<5x7xf32>) outs(%xe : tensor<5x7xf32>) -> tensor<5x7xf32>
  %we = tensor.empty() : tensor<7x1000xf32>
  %wf = linalg.exp ins(%w : tensor<7x1000xf32>) outs(%we : tensor<7x1000xf32>) -> tensor<7x1000xf32>
  %empty = tensor.empty() : tensor<5x1000xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x1000xf32>) -> tensor<5x1000xf32>
  %y = linalg.matmul ins(%xf, %wf : tensor<5x7xf32>, tensor<7x1000xf32>)
      outs(%init : tensor<5x1000xf32>) -> tensor<5x1000xf32>
  return %y : tensor<5x1000xf32>
}

// -----

// A matrix is read once for a vector, which is read for each few of its rows.
// CHECK-LABEL: @vector
// CHECK-SAME: %[[X:.+]]: tensor<7xf32>, %[[W:.+]]: tensor<5x7xf32>
// CHECK: %[[EXP:.+]] = linalg.exp ins(%[[X]] :
// CHECK: attn.contract ins(%[[EXP]], %[[W]] :
// CHECK-NOT: lhs_element
// CHECK: rhs_element
func.func @vector(%x: tensor<7xf32>, %w: tensor<5x7xf32>) -> tensor<5xf32> {
  %zero = arith.constant 0.0 : f32
  %xe = tensor.empty() : tensor<7xf32>
  %xf = linalg.exp ins(%x : tensor<7xf32>) outs(%xe : tensor<7xf32>) -> tensor<7xf32>
  %we = tensor.empty() : tensor<5x7xf32>
  %wf = linalg.exp ins(%w : tensor<5x7xf32>) outs(%we : tensor<5x7xf32>) -> tensor<5x7xf32>
  %empty = tensor.empty() : tensor<5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5xf32>) -> tensor<5xf32>
  %y = linalg.matvec ins(%wf, %xf : tensor<5x7xf32>, tensor<7xf32>)
      outs(%init : tensor<5xf32>) -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// -----

// Eight products share what is packed for each of them.
// CHECK-LABEL: @shared
// CHECK: %[[EXP:.+]] = linalg.exp
// CHECK: attn.contract ins(%{{.+}}, %[[EXP]] :
// CHECK-NOT: rhs_element
func.func @shared(%x: tensor<8x5x7xf32>, %w: tensor<7x3xf32>) -> tensor<8x5x3xf32> {
  %zero = arith.constant 0.0 : f32
  %we = tensor.empty() : tensor<7x3xf32>
  %wf = linalg.exp ins(%w : tensor<7x3xf32>) outs(%we : tensor<7x3xf32>) -> tensor<7x3xf32>
  %empty = tensor.empty() : tensor<8x5x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x5x3xf32>) -> tensor<8x5x3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>,
                                        affine_map<(b, m, n, k) -> (k, n)>,
                                        affine_map<(b, m, n, k) -> (b, m, n)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %wf : tensor<8x5x7xf32>, tensor<7x3xf32>) outs(%init : tensor<8x5x3xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<8x5x3xf32>
  return %y : tensor<8x5x3xf32>
}
