//===- Transforms.h - Transformations as functions --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TRANSFORMS_TRANSFORMS_H
#define ATTN_TRANSFORMS_TRANSFORMS_H

#include "attn/IR/Attn.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Expands every named op into the core op.
void populateGeneralizeAttentionPatterns(mlir::RewritePatternSet &patterns);

/// Fills the regions `ranges` and `classify` of an op with a mask.
mlir::LogicalResult boundMask(mlir::RewriterBase &rewriter, GenericOp op);

/// Creates, before an op on tensors whose requests are packed, a loop over them
/// with an op on one request each; returns what stands for the results, and the
/// op in the loop.
std::pair<llvm::SmallVector<mlir::Value>, GenericOp>
splitRequests(mlir::OpBuilder &builder, GenericOp op);

/// What stands for the results of an op over lists of blocks; the steps on one
/// block, of one walk over a list or of two, and what ends those of a list,
/// null if the op is a step itself.
struct SplitList {
  llvm::SmallVector<mlir::Value> results;
  llvm::SmallVector<AttentionOpInterface> steps;
  FinishOp finish;
};

/// Creates, before an op on tensors whose keys are given by lists of blocks,
/// loops over lists and the blocks of each; where requests are packed, over
/// these and their lists. Where weights have to be final a list is walked
/// twice: by `attn.online` for the statistics, and by `attn.generic` whose
/// scores are the final weights, of statistics that are inputs.
SplitList splitLists(mlir::OpBuilder &builder, AttentionOpInterface op);

/// Expands `attn.generic` or `attn.online` on tensors into `linalg` ops with
/// its scores in memory; returns what stands for the results. An error on
/// memrefs, for weightings that are not of kind *accumulate*, and for steps
/// that count their rows or tiles.
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
decomposeAttention(mlir::OpBuilder &builder, AttentionOpInterface op);

/// Expands a merge into `linalg` reductions; returns what stands for the
/// results, of which there are none on memrefs.
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
decomposeMerge(mlir::OpBuilder &builder, MergeOp op);

/// Expands `attn.finish` on tensors into one `linalg` op per result; returns
/// what stands for them. An error on memrefs.
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
decomposeFinish(mlir::OpBuilder &builder, FinishOp op);

} // namespace attn

#endif // ATTN_TRANSFORMS_TRANSFORMS_H
