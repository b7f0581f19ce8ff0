// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=generalize --attn-verify-stage=stage=generalize | FileCheck %s --check-prefix=GENERALIZE
// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=bound --attn-verify-stage=stage=bound | FileCheck %s --check-prefix=BOUND
// RUN: attn-opt %s --attn-cpu-pipeline="require-fused=true stop-after=tile" --attn-verify-stage=stage=tile | FileCheck %s --check-prefix=TILE
// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=bufferize --attn-verify-stage=stage=bufferize | FileCheck %s --check-prefix=BUFFERIZE
// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=vectorize --attn-verify-stage=stage=vectorize | FileCheck %s --check-prefix=VECTORIZE
// RUN: attn-opt %s --attn-cpu-pipeline --attn-verify-stage=stage=llvm | FileCheck %s --check-prefix=LLVM

// What must be absent after each stage, on static and on all-dynamic shapes:
// above all a value that spans both sequences.

// GENERALIZE-NOT: attn.sdpa
// GENERALIZE-LABEL: @static
// GENERALIZE-NOT: attn.sdpa
// GENERALIZE: attn.generic
// GENERALIZE-LABEL: @dynamic
// GENERALIZE-NOT: attn.sdpa
// GENERALIZE: attn.generic

// BOUND-LABEL: @static
// BOUND: ranges
// BOUND: classify
// BOUND-LABEL: @dynamic
// BOUND: ranges
// BOUND: classify

// TILE-NOT: {{attn.generic|1024x1000|\?x\?x\?x\?xi1}}
// TILE-LABEL: @static
// TILE-NOT: {{attn.generic|1024x1000}}
// TILE: scf.forall
// TILE-NOT: {{attn.generic|1024x1000}}
// TILE: attn.online
// TILE-NOT: {{attn.generic|1024x1000}}
// TILE-LABEL: @dynamic
// TILE-NOT: attn.generic
// TILE: attn.online
// TILE-NOT: attn.generic

// Nor is anything copied.
// BUFFERIZE-NOT: {{tensor<|1024x1000|memref.copy}}
// BUFFERIZE-LABEL: @static
// BUFFERIZE-NOT: {{tensor<|1024x1000|memref.copy}}
// BUFFERIZE: attn.online
// BUFFERIZE-NOT: {{tensor<|1024x1000|memref.copy}}
// BUFFERIZE-LABEL: @dynamic
// BUFFERIZE-NOT: {{tensor<|memref.copy}}
// BUFFERIZE: attn.online
// BUFFERIZE-NOT: {{tensor<|memref.copy}}

// VECTORIZE-NOT: {{attn\.[abd-z]|linalg\.|1024x1000}}
// VECTORIZE-LABEL: @static
// VECTORIZE-NOT: {{ attn\.[abd-z]|linalg\.|1024x1000}}
// VECTORIZE: vector.fma
// VECTORIZE-NOT: {{ attn\.[abd-z]|linalg\.|1024x1000}}
// VECTORIZE-LABEL: @dynamic
// VECTORIZE-NOT: {{ attn\.[abd-z]|linalg\.}}
// VECTORIZE: vector.fma

// LLVM-NOT: {{(arith|math|scf|memref|vector|affine|func|omp)\.[a-z]}}
// LLVM: llvm.func @static
// LLVM-NOT: {{ (arith|math|scf|memref|vector|affine|func|omp)\.[a-z]}}
// LLVM: llvm.call @attn_rt_parallel_for
// LLVM: llvm.func @dynamic
// LLVM-NOT: {{ (arith|math|scf|memref|vector|affine|func|omp)\.[a-z]}}
// LLVM: llvm.call @attn_rt_parallel_for

func.func @static(%q: tensor<2x1024x16xf32>, %k: tensor<2x1000x16xf32>,
                  %v: tensor<2x1000x8xf32>) -> tensor<2x1024x8xf32> {
  %init = tensor.empty() : tensor<2x1024x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x1024x16xf32>, tensor<2x1000x16xf32>, tensor<2x1000x8xf32>)
      outs(%init : tensor<2x1024x8xf32>) {causal = #attn.causal<top_left>, window = array<i64: 100, -1>}
      -> tensor<2x1024x8xf32>
  return %o : tensor<2x1024x8xf32>
}

func.func @dynamic(%q: tensor<?x?x?xf32>, %k: tensor<?x?x?xf32>,
                   %v: tensor<?x?x?xf32>, %init: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %o = attn.sdpa ins(%q, %k, %v : tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xf32>)
      outs(%init : tensor<?x?x?xf32>) {causal = #attn.causal<bottom_right>, softcap = 30.0 : f64}
      -> tensor<?x?x?xf32>
  return %o : tensor<?x?x?xf32>
}
