// RUN: attn-run %s --random --check | FileCheck %s

// A fill of booleans stored a vector of them, which is packed eight to a byte,
// where elements are a byte each.
// CHECK: check: result 0: ok
// CHECK: check: result 1: ok
func.func @fill_of_bits() -> (tensor<4x8xi1>, tensor<4x8xi32>) {
  %row = arith.constant -7 : i32
  %true = arith.constant true
  %bits = tensor.empty() : tensor<4x8xi1>
  %filled = linalg.fill ins(%true : i1) outs(%bits : tensor<4x8xi1>) -> tensor<4x8xi1>
  %numbers = tensor.empty() : tensor<4x8xi32>
  %rows = linalg.fill ins(%row : i32) outs(%numbers : tensor<4x8xi32>) -> tensor<4x8xi32>
  return %filled, %rows : tensor<4x8xi1>, tensor<4x8xi32>
}
