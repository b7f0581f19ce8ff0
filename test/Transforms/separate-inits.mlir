// RUN: attn-opt %s --attn-separate-inits=max-uses=1 | FileCheck %s
// RUN: attn-opt %s --attn-separate-inits | FileCheck %s --check-prefix=FEW

// Each op writes what nothing else does.
// CHECK-LABEL: @chain
// CHECK-SAME: (%[[X:.+]]: tensor<5x?xf32>, %[[N:.+]]: index)
// CHECK-NEXT: %[[A:.+]] = tensor.empty(%[[N]])
// CHECK-NEXT: linalg.exp {{.*}} outs(%[[A]]
// CHECK-NEXT: %[[B:.+]] = tensor.empty(%[[N]])
// CHECK-NEXT: linalg.log {{.*}} outs(%[[B]]

// Where few share one, bufferization is quick, and finds what can be in place.
// FEW-LABEL: @chain
// FEW: %[[A:.+]] = tensor.empty
// FEW-NEXT: linalg.exp {{.*}} outs(%[[A]]
// FEW-NEXT: linalg.log {{.*}} outs(%[[A]]
func.func @chain(%x: tensor<5x?xf32>, %n: index) -> tensor<5x?xf32> {
  %0 = tensor.empty(%n) : tensor<5x?xf32>
  %1 = linalg.exp ins(%x : tensor<5x?xf32>) outs(%0 : tensor<5x?xf32>) -> tensor<5x?xf32>
  %2 = linalg.log ins(%1 : tensor<5x?xf32>) outs(%0 : tensor<5x?xf32>) -> tensor<5x?xf32>
  return %2 : tensor<5x?xf32>
}
