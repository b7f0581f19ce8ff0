//===- Transforms.h - Transformations as functions ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TRANSFORMS_TRANSFORMS_H
#define ATTN_TRANSFORMS_TRANSFORMS_H

#include "attn/Analysis/KernelFit.h"
#include "attn/IR/Attn.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Expands an `attn.sdpa` into an equivalent `attn.generic` (and reshapes
/// around it, for grouped heads) and replaces it.
mlir::FailureOr<GenericOp> generalizeSdpa(mlir::RewriterBase &rewriter,
                                          SdpaOp op);

/// Expands every named op into the core op.
void populateGeneralizeAttentionPatterns(mlir::RewritePatternSet &patterns);

/// Fills the regions `ranges` and `classify` of an op with a mask.
mlir::LogicalResult boundMask(mlir::RewriterBase &rewriter, GenericOp op);

/// Replaces an op that fits the kernel by loops over tiles of the given sizes.
/// With `countTiles` the loops count the key tiles they look at.
mlir::LogicalResult tileAttention(mlir::RewriterBase &rewriter, GenericOp op,
                                  TileSizes sizes, bool countTiles = false);

/// The module's buffer of three i64 that kernels with `count_tiles` count in:
/// key tiles looked at, computed (a pair is visible), and full.
inline llvm::StringRef getTileCountsName() { return "attn_tile_counts"; }

/// Expands an op on tensors into `linalg` ops with its scores in memory. An
/// error on memrefs, and for weightings that are not of kind *accumulate*.
mlir::LogicalResult decomposeAttention(mlir::RewriterBase &rewriter,
                                       GenericOp op);

/// Expands a merge on tensors into `linalg` reductions. An error on memrefs.
mlir::LogicalResult decomposeMerge(mlir::RewriterBase &rewriter, MergeOp op);

} // namespace attn

#endif // ATTN_TRANSFORMS_TRANSFORMS_H
