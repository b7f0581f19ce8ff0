//===- VectorizeAttention.cpp - Tiles into vector code ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "StructuredEmitter.h"
#include "TileEmitter.h"
#include "attn/IR/Utils.h"
#include "attn/Codegen/Passes.h"
#include "attn/Tiling/Tiling.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_VECTORIZEATTENTIONPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

struct VectorizeAttentionPass final
    : impl::VectorizeAttentionPassBase<VectorizeAttentionPass> {
  using VectorizeAttentionPassBase::VectorizeAttentionPassBase;

  void runOnOperation() override {
    if (failed(checkVectorBits(getOperation(), vectorBits)))
      return signalPassFailure();
    EmitOptions options{vectorBits, numRegisters, hasBf16Dot};
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<OnlineOp, ReplayOp, PackOp, FinishOp, MergeOp, ContractOp,
              linalg::FillOp>(op) &&
          cast<DestinationStyleOpInterface>(op).hasPureBufferSemantics())
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : ops) {
      LogicalResult emitted = success();
      auto merge = dyn_cast<MergeOp>(op);
      if (merge && !merge.getLayout())
        emitted = lowerMerge(rewriter, merge);
      else if (auto contract = dyn_cast<ContractOp>(op))
        emitted = emitContract(rewriter, contract, options);
      else if (auto fill = dyn_cast<linalg::FillOp>(op))
        // A fill that is not a tile's is lowered with the rest of linalg.
        (void)emitFill(rewriter, fill, options);
      else
        emitted = emitTile(rewriter, op, options);
      if (failed(emitted))
        return signalPassFailure();
    }
    if (failed(lowerOtherLinalg(rewriter, options)))
      signalPassFailure();
  }

  /// Of a merge without a layout, reductions over the splits, lowered with the
  /// rest of linalg.
  LogicalResult lowerMerge(RewriterBase &rewriter, MergeOp op) {
    if (failed(decomposeMerge(rewriter, op)))
      return failure();
    rewriter.eraseOp(op);
    return success();
  }

  /// The layout that the op carries knows how.
  static LogicalResult emitTile(RewriterBase &rewriter, Operation *op,
                                const EmitOptions &options) {
    auto layout = op->getAttrOfType<LayoutAttrInterface>("layout");
    if (!layout)
      return op->emitOpError(
          "cannot be vectorized: expected a layout; run attn-tile");
    auto emitter = dyn_cast<TileEmitterInterface>(layout);
    if (!emitter)
      return op->emitOpError("cannot be vectorized: nothing emits ") << layout;
    if (auto online = dyn_cast<OnlineOp>(op))
      return emitter.emitOnline(rewriter, online, options);
    if (auto merge = dyn_cast<MergeOp>(op))
      return emitter.emitMerge(rewriter, merge, options);
    if (auto replay = dyn_cast<ReplayOp>(op))
      return emitter.emitReplay(rewriter, replay, options);
    if (auto pack = dyn_cast<PackOp>(op))
      return emitter.emitPack(rewriter, pack, options);
    return emitter.emitFinish(rewriter, cast<FinishOp>(op), options);
  }

  /// Copies of what is not contiguous, as far as is known, become loops like
  /// other ops: LLVM's would call a runtime library.
  void expandCopies(RewriterBase &rewriter) {
    SmallVector<memref::CopyOp> copies;
    getOperation()->walk([&](memref::CopyOp op) { copies.push_back(op); });
    for (memref::CopyOp op : copies) {
      auto isPlain = [](Value buffer) {
        auto type = dyn_cast<MemRefType>(buffer.getType());
        return !type || type.getLayout().isIdentity() ||
               memref::isStaticShapeAndContiguousRowMajor(type);
      };
      if (isPlain(op.getSource()) && isPlain(op.getTarget()))
        continue;
      rewriter.setInsertionPoint(op);
      linalg::makeMemRefCopyOp(rewriter, op.getLoc(), op.getSource(),
                               op.getTarget());
      rewriter.eraseOp(op);
    }
  }

  /// What is not a tile, unfused attention and the user's own ops, becomes
  /// loops over vectors or, where that has no form for it, over elements.
  LogicalResult lowerOtherLinalg(RewriterBase &rewriter,
                                 const EmitOptions &options) {
    expandCopies(rewriter);
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    if (llvm::count_if(ops, [&](linalg::LinalgOp op) {
          return failed(emitStructured(rewriter, op, options));
        }) == 0)
      return success();
    OpPassManager pm(func::FuncOp::getOperationName());
    pm.addPass(createConvertLinalgToLoopsPass());
    return runPipeline(pm, getOperation());
  }
};

} // namespace
} // namespace attn
