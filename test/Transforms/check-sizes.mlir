// RUN: attn-opt %s --attn-check-sizes | FileCheck %s

// The largest that fit: dynamic extents count as 1, and one of 0 leaves nothing.
// CHECK-LABEL: @fits
func.func @fits(%a: tensor<2305843009213693951xf32>, %b: tensor<?x2305843009213693951xf32>,
                %c: tensor<4611686018427387904x0x4611686018427387904xf32>) {
  // CHECK: dense<1.000000e+00> : tensor<268435456xf32>
  %0 = arith.constant dense<1.0> : tensor<268435456xf32>
  return
}
