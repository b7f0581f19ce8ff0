// Scores as large as a mask of "the lowest number" makes them: keys that tie
// share the weight, a key above the rest has all of it, and the log-sum-exp is
// the score itself. What weights are measured against is the score times log2 e,
// whose rounding error outgrows an exponent from 1e9 on.

// RUN: attn-run %s --fusion=always | FileCheck %s
// RUN: attn-run %s --fusion=never | FileCheck %s
// RUN: attn-run %s --fusion=always --features=-avx512f,-avx2 | FileCheck %s
// RUN: attn-run %s --fusion=always --check | FileCheck %s --check-prefix=CHECK-OK

// CHECK:      result 0: 10x1xf32
// CHECK-NEXT: {{\[\[}}0.50000]
// CHECK-NEXT: [0.50000]
// CHECK-NEXT: [0.50000]
// CHECK-NEXT: [0.50000]
// CHECK-NEXT: [0.50000]
// CHECK-NEXT: [0.50000]
// CHECK-NEXT: [1.00000]
// CHECK-NEXT: [0.00000]
// CHECK-NEXT: [1.00000]
// CHECK-NEXT: [0.00000]]
// CHECK:      result 1: 10xf32
// CHECK-NEXT: [-3.40282e+38  3.40282e+38 -1.00000e+30 -5.00000e+09  1.07400e+09  1.00000e+08  1.00000e+10 -1.00000e+30  1.00000e+30  0.00000e+00]
// CHECK-OK:   check: result 0: ok: 10 elements, {{.*}}; 8 not decided: their scores are too large for the precision
// CHECK-OK:   check: result 1: ok: 10 elements, {{.*}} of the tolerance){{$}}
func.func @f() -> (tensor<10x1xf32>, tensor<10xf32>) {
  %q = arith.constant dense<0.0> : tensor<10x1xf32>
  %k = arith.constant dense<0.0> : tensor<2x1xf32>
  %v = arith.constant dense<[[0.0], [1.0]]> : tensor<2x1xf32>
  %bias = arith.constant dense<[
    [-3.4028235e38, -3.4028235e38], [3.4028235e38, 3.4028235e38],
    [-1.0e30, -1.0e30], [-5.0e9, -5.0e9], [1.074e9, 1.074e9], [1.0e8, 1.0e8],
    [0.0, 1.0e10], [-1.0e30, -3.0e38], [-3.4028235e38, 1.0e30],
    [0.0, -3.4028235e38]]> : tensor<10x2xf32>
  %init = tensor.empty() : tensor<10x1xf32>
  %lse_init = tensor.empty() : tensor<10xf32>
  %o, %lse = attn.sdpa
      ins(%q, %k, %v : tensor<10x1xf32>, tensor<2x1xf32>, tensor<2x1xf32>)
      bias(%bias : tensor<10x2xf32>) outs(%init : tensor<10x1xf32>)
      lse(%lse_init : tensor<10xf32>) -> tensor<10x1xf32>, tensor<10xf32>
  return %o, %lse : tensor<10x1xf32>, tensor<10xf32>
}
