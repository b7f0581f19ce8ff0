//===- TileEmitter.td - Vector code for a layout -----------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_TILEEMITTER_TD
#define ATTN_CODEGEN_TILEEMITTER_TD

include "mlir/IR/OpBase.td"

def TileEmitterInterface : AttrInterface<"TileEmitterInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    What a layout is on a CPU: the vector code of tile ops on buffers that are
    stored as it says. Attached to the layouts from outside of the IR. Each
    method replaces its op, or reports an error on it.
  }];
  let methods = [
    InterfaceMethod<"Emits one step.", "::mlir::LogicalResult", "emitOnline",
      (ins "::mlir::RewriterBase &":$rewriter, "::attn::OnlineOp":$op,
           "const ::attn::EmitOptions &":$options)>,
    InterfaceMethod<"Emits pairs with finished statistics.",
      "::mlir::LogicalResult", "emitReplay",
      (ins "::mlir::RewriterBase &":$rewriter, "::attn::ReplayOp":$op,
           "const ::attn::EmitOptions &":$options), "", [{
        return op.emitOpError("cannot be vectorized: nothing emits it in ")
               << op.getLayout();
      }]>,
    InterfaceMethod<"Emits the copy of a tile into its stored form.",
      "::mlir::LogicalResult", "emitPack",
      (ins "::mlir::RewriterBase &":$rewriter, "::attn::PackOp":$op,
           "const ::attn::EmitOptions &":$options)>,
    InterfaceMethod<"Emits the merging of states.",
      "::mlir::LogicalResult", "emitMerge",
      (ins "::mlir::RewriterBase &":$rewriter, "::attn::MergeOp":$op,
           "const ::attn::EmitOptions &":$options)>,
    InterfaceMethod<"Emits the end of a tile.",
      "::mlir::LogicalResult", "emitFinish",
      (ins "::mlir::RewriterBase &":$rewriter, "::attn::FinishOp":$op,
           "const ::attn::EmitOptions &":$options)>
  ];
}

#endif // ATTN_CODEGEN_TILEEMITTER_TD
