// RUN: attn-opt %s --attn-generalize-elementwise --verify-roundtrip --mlir-print-local-scope | FileCheck %s

// The result is a new tensor, not %a: bufferization would overwrite it.
// CHECK-LABEL: func.func @product(
// CHECK-SAME: %[[A:[^:]+]]: tensor<?x4xf32>, %[[B:[^:]+]]: tensor<?x4xf32>)
// CHECK: %[[ROWS:.+]] = tensor.dim %[[A]],
// CHECK: %[[NEW:.+]] = tensor.empty(%[[ROWS]]) : tensor<?x4xf32>
// CHECK: %[[R:.+]] = linalg.generic {{.*}} ins(%[[A]], %[[B]] : {{.*}}) outs(%[[NEW]] : tensor<?x4xf32>)
// CHECK: arith.mulf %{{.+}}, %{{.+}} : f32
// CHECK: return %[[R]]
func.func @product(%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %r = arith.mulf %a, %b : tensor<?x4xf32>
  return %r : tensor<?x4xf32>
}

// A result of another type has no operand to overwrite.
// CHECK-LABEL: func.func @narrowed(
// CHECK: %[[NEW:.+]] = tensor.empty() : tensor<3x5xf16>
// CHECK: linalg.generic {{.*}} outs(%[[NEW]] : tensor<3x5xf16>)
// CHECK: arith.truncf %{{.+}} : f32 to f16
func.func @narrowed(%a: tensor<3x5xf32>) -> tensor<3x5xf16> {
  %r = arith.truncf %a : tensor<3x5xf32> to tensor<3x5xf16>
  return %r : tensor<3x5xf16>
}

// What was linalg.generic before keeps its init, and scalars stay scalars.
// CHECK-LABEL: func.func @left_alone(
// CHECK-SAME: %[[A:[^:]+]]: tensor<3xf32>, %[[S:[^:]+]]: f32)
// CHECK: arith.addf %[[S]], %[[S]] : f32
// CHECK: linalg.generic {{.*}} outs(%[[A]] : tensor<3xf32>)
func.func @left_alone(%a: tensor<3xf32>, %s: f32) -> tensor<3xf32> {
  %t = arith.addf %s, %s : f32
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%a : tensor<3xf32>) {
  ^bb0(%x: f32):
    %y = arith.addf %x, %t : f32
    linalg.yield %y : f32
  } -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// A softmax is what it is made of, in f32.
// CHECK-LABEL: func.func @softmax(
// CHECK-NOT: linalg.softmax
// CHECK: arith.extf %{{.+}} : f16 to f32
// CHECK: arith.maxnumf %{{.+}} : f32
// CHECK: math.exp %{{.+}} : f32
// CHECK: arith.addf %{{.+}} : f32
// CHECK: arith.divf %{{.+}} : f32
// CHECK: arith.truncf %{{.+}} : f32 to f16
func.func @softmax(%a: tensor<3x5xf16>, %init: tensor<3x5xf16>) -> tensor<3x5xf16> {
  %r = linalg.softmax dimension(1) ins(%a : tensor<3x5xf16>) outs(%init : tensor<3x5xf16>) -> tensor<3x5xf16>
  return %r : tensor<3x5xf16>
}
