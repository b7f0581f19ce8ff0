// RUN: attn-run %s --random --check | FileCheck %s

// A function whose output is written into an argument that it returns did not
// compile: the copy it returns was never lowered.
// CHECK: check: result 0: ok
func.func @returned_argument(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                             %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}
