// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=tile --attn-verify-stage=stage=tile | FileCheck %s --check-prefix=TILE
// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=bufferize --attn-verify-stage=stage=bufferize | FileCheck %s --check-prefix=BUFFERIZE
// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=vectorize --attn-verify-stage=stage=vectorize | FileCheck %s --check-prefix=VECTORIZE
// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=tile | attn-opt --attn-cpu-pipeline="start-after=tile stop-after=bufferize" | attn-opt --attn-cpu-pipeline="start-after=bufferize stop-after=vectorize" | attn-opt --attn-cpu-pipeline=start-after=vectorize --attn-verify-stage=stage=llvm | FileCheck %s --check-prefix=LLVM

// What must be absent around two projections of one kind after each stage: no
// copies, no second kernel; and a stage goes on from the text of the one before.

// TILE-NOT: linalg.matmul
// TILE-COUNT-2: attn.contract
// TILE-NOT: linalg.matmul

// BUFFERIZE-NOT: {{tensor<|memref.copy}}
// BUFFERIZE-COUNT-2: attn.contract
// BUFFERIZE-NOT: {{tensor<|memref.copy}}

// VECTORIZE-NOT: {{attn\.contract |linalg\.}}
// VECTORIZE: call @attn_contract(
// VECTORIZE: call @attn_contract(
// VECTORIZE: func.func private @attn_contract(
// VECTORIZE: vector.fma
// VECTORIZE-NOT: func.func private
// VECTORIZE-NOT: {{attn\.contract |linalg\.}}

// LLVM: llvm.func internal @attn_contract(

func.func @two(%x: tensor<?x70xf32>, %w: tensor<70x600xf32>, %v: tensor<600x33xf32>) -> tensor<?x33xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x70xf32>
  %e0 = tensor.empty(%m) : tensor<?x600xf32>
  %i0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<?x600xf32>) -> tensor<?x600xf32>
  %h = linalg.matmul ins(%x, %w : tensor<?x70xf32>, tensor<70x600xf32>)
      outs(%i0 : tensor<?x600xf32>) -> tensor<?x600xf32>
  %e1 = tensor.empty(%m) : tensor<?x33xf32>
  %i1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?x33xf32>) -> tensor<?x33xf32>
  %y = linalg.matmul ins(%h, %v : tensor<?x600xf32>, tensor<600x33xf32>)
      outs(%i1 : tensor<?x33xf32>) -> tensor<?x33xf32>
  return %y : tensor<?x33xf32>
}
