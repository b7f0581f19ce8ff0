//===- Transforms.h - Transformations as functions --------------*- C++ -*-===//
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

/// Expands `attn.generic` or `attn.online` on tensors into `linalg` ops with its
/// scores in memory; returns what stands for the results. An error on memrefs,
/// for weightings that are not of kind *accumulate*, and for steps that count
/// their rows or tiles.
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

/// Registers the models through which `attn.generic` and `attn.online` are tiled
/// (`TilingInterface`) and the keys of `attn.generic` split
/// (`PartialReductionOpInterface`).
void registerTilingInterfaceExternalModels(mlir::DialectRegistry &registry);

/// Registers the models through which the core ops but `attn.pack` expand into
/// `linalg` (`linalg::AggregatedOpInterface`).
void registerAggregatedOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

} // namespace attn

#endif // ATTN_TRANSFORMS_TRANSFORMS_H
