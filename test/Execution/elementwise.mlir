// RUN: attn-run %s --random --shape=5x8 --check | FileCheck %s
// RUN: attn-run %s --stop-after=generalize | FileCheck %s --check-prefix=STOP

// Arithmetic on whole tensors, around the op and on its result.
// CHECK: check: result 0: ok
// STOP: linalg.generic
// STOP: arith.mulf {{.*}} : f32
// STOP: attn.generic
// STOP: linalg.generic
// STOP: math.tanh {{.*}} : f32
func.func @elementwise(%q: tensor<?x8xf32>, %k: tensor<7x8xf32>, %v: tensor<7x3xf32>) -> tensor<?x3xf32> {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %q, %c0 : tensor<?x8xf32>
  %init = tensor.empty(%m) : tensor<?x3xf32>
  %scaled = arith.mulf %q, %q : tensor<?x8xf32>
  %half = arith.constant dense<0.5> : tensor<7x8xf32>
  %keys = arith.addf %k, %half : tensor<7x8xf32>
  %o = attn.sdpa ins(%scaled, %keys, %v : tensor<?x8xf32>, tensor<7x8xf32>, tensor<7x3xf32>)
      outs(%init : tensor<?x3xf32>) -> tensor<?x3xf32>
  %bounded = math.tanh %o : tensor<?x3xf32>
  return %bounded : tensor<?x3xf32>
}
