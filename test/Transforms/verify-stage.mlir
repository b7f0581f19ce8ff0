// RUN: attn-opt %s --attn-verify-stage=stage=import | FileCheck %s
// RUN: attn-opt %s --attn-generalize --attn-verify-stage=stage=generalize | FileCheck %s
// RUN: attn-opt %s --attn-generalize --attn-bound --attn-verify-stage=stage=bound | FileCheck %s
// RUN: attn-opt %s --attn-generalize --attn-bound --attn-tile --attn-verify-stage=stage=tile | FileCheck %s

// What keeps its promise passes unchanged; each breach is in
// verify-stage-invalid.mlir, every stage of a pipeline in Pipelines/stages.mlir.
// CHECK: func.func @causal
func.func @causal(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %o = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>) {causal = #attn.causal<top_left>} -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}
