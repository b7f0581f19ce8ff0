// RUN: attn-opt %s --attn-expand-views | FileCheck %s

// Two sizes known at run time only: the outer stride is computed from the inner
// size given, never from the extent of the source.
// CHECK-LABEL: func.func @split(
// CHECK-SAME: %[[M:[^:]+]]: memref<5x?x4xf32>, %[[A:[^:]+]]: index, %[[B:[^:]+]]: index)
// CHECK: %[[BASE:[^,]+]], %[[OFFSET:[^,]+]], %{{.+}}:3, %[[STRIDES:.+]]:3 = memref.extract_strided_metadata %[[M]]
// CHECK: %[[FOUR:.+]] = arith.constant 4 : index
// CHECK: %[[OUTER:.+]] = arith.muli %[[B]], %[[FOUR]] : index
// CHECK: %[[VIEW:.+]] = memref.reinterpret_cast %[[BASE]] to offset: [0], sizes: [5, %[[A]], %[[B]], 4], strides: [%[[STRIDES]]#0, %[[OUTER]], 4, 1]
// CHECK: return %[[VIEW]] : memref<5x?x?x4xf32>
func.func @split(%m: memref<5x?x4xf32>, %a: index, %b: index) -> memref<5x?x?x4xf32> {
  %r = memref.expand_shape %m [[0], [1, 2], [3]] output_shape [5, %a, %b, 4]
      : memref<5x?x4xf32> into memref<5x?x?x4xf32>
  return %r : memref<5x?x?x4xf32>
}

// A strided source keeps its offset and strides.
// CHECK-LABEL: func.func @strided(
// CHECK-SAME: %[[M:[^:]+]]: memref<?xf32, strided<[?], offset: ?>>, %[[A:[^:]+]]: index, %[[B:[^:]+]]: index)
// CHECK: %[[BASE:[^,]+]], %[[OFFSET:[^,]+]], %{{.+}}, %[[STRIDE:.+]] = memref.extract_strided_metadata %[[M]]
// CHECK: %[[OUTER:.+]] = arith.muli %[[STRIDE]], %[[B]] : index
// CHECK: memref.reinterpret_cast %[[BASE]] to offset: [%[[OFFSET]]], sizes: [%[[A]], %[[B]]], strides: [%[[OUTER]], %[[STRIDE]]]
func.func @strided(%m: memref<?xf32, strided<[?], offset: ?>>, %a: index, %b: index)
    -> memref<?x?xf32, strided<[?, ?], offset: ?>> {
  %r = memref.expand_shape %m [[0, 1]] output_shape [%a, %b]
      : memref<?xf32, strided<[?], offset: ?>> into memref<?x?xf32, strided<[?, ?], offset: ?>>
  return %r : memref<?x?xf32, strided<[?, ?], offset: ?>>
}

// One size follows from the extent of the source: the upstream pattern does it.
// CHECK-LABEL: func.func @one_unknown(
// CHECK-NOT: memref.expand_shape
// CHECK: memref.reinterpret_cast {{.*}} strides: [12, 4, 1]
// CHECK-NOT: memref.expand_shape
func.func @one_unknown(%m: memref<?x4xf32>, %a: index) -> memref<?x3x4xf32> {
  %r = memref.expand_shape %m [[0, 1], [2]] output_shape [%a, 3, 4]
      : memref<?x4xf32> into memref<?x3x4xf32>
  return %r : memref<?x3x4xf32>
}

// A size beside 0 follows from nothing.
// CHECK-LABEL: func.func @beside_zero(
// CHECK-SAME: %{{[^:]+}}: memref<?x4xf32>, %[[A:[^:]+]]: index)
// CHECK: %[[OUTER:.+]] = arith.muli %[[A]], %{{.+}} : index
// CHECK: memref.reinterpret_cast %{{.+}} to offset: [0], sizes: [0, %[[A]], 4], strides: [%[[OUTER]], 4, 1]
func.func @beside_zero(%m: memref<?x4xf32>, %a: index) -> memref<0x?x4xf32> {
  %r = memref.expand_shape %m [[0, 1], [2]] output_shape [0, %a, 4]
      : memref<?x4xf32> into memref<0x?x4xf32>
  return %r : memref<0x?x4xf32>
}

// A view of a view: one walk is enough for both.
// CHECK-LABEL: func.func @twice(
// CHECK-NOT: memref.subview
// CHECK: memref.reinterpret_cast
// CHECK: memref.reinterpret_cast
// CHECK-NOT: memref.subview
func.func @twice(%m: memref<8x?x4xf32>, %i: index, %n: index)
    -> memref<?xf32, strided<[4], offset: ?>> {
  %r = memref.subview %m[%i, 0, 0] [1, %n, 4] [1, 1, 1]
      : memref<8x?x4xf32> to memref<?x4xf32, strided<[4, 1], offset: ?>>
  %c = memref.subview %r[%i, 2] [%n, 1] [1, 1]
      : memref<?x4xf32, strided<[4, 1], offset: ?>> to memref<?xf32, strided<[4], offset: ?>>
  return %c : memref<?xf32, strided<[4], offset: ?>>
}
