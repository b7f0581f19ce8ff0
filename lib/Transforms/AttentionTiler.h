//===- AttentionTiler.h - State shared while one op is tiled --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TRANSFORMS_ATTENTIONTILER_H
#define ATTN_LIB_TRANSFORMS_ATTENTIONTILER_H

#include "attn/Analysis/KernelFit.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Tiles one `attn.generic` that fits the kernel (`fitsKernel`).
///
/// The loop nest: an `scf.forall` over batch, outer query row dimensions (one
/// row each) and tiles of the innermost query row dimension, the *lane*
/// dimension; in it a loop over key tiles. What the key loop reads again and
/// again is packed so that lanes are innermost and contiguous: queries once per
/// query tile, inputs over both rows once per key tile.
class AttentionTiler {
public:
  AttentionTiler(mlir::RewriterBase &rewriter, GenericOp op, TileSizes sizes,
                 bool countTiles);

  /// Replaces the op by the loop nest.
  mlir::LogicalResult run();

private:
  /// A tile of one operand, with its map over (m, n, d, e).
  struct Operand {
    mlir::Value value;
    mlir::AffineMap map;
  };

  mlir::Value index(int64_t value);
  mlir::Value toValue(mlir::OpFoldResult size);
  /// The slice of `value` at this worker's position, of the dimensions in
  /// `kept` (all others rank-reduced away), from `offsets` with `extents`.
  mlir::Value slice(mlir::Value value, mlir::AffineMap map,
                    llvm::ArrayRef<unsigned> kept);
  /// Where the slice of `value` lies: offsets, sizes and the reduced shape.
  void locate(mlir::AffineMap map, llvm::ArrayRef<unsigned> kept,
              llvm::SmallVectorImpl<mlir::OpFoldResult> &offsets,
              llvm::SmallVectorImpl<mlir::OpFoldResult> &extents,
              llvm::SmallVectorImpl<int64_t> &shape);
  /// Packs `source` so that the lanes are innermost; `dims` are its dimensions
  /// in order and become those of the packed tile, lanes last.
  mlir::Value pack(mlir::Value source, llvm::SmallVector<unsigned> &dims,
                   double scale = 1.0);
  /// A map of the tile's iteration (m, n, d, e) for the given dimensions.
  mlir::AffineMap tileMap(llvm::ArrayRef<unsigned> dims);
  /// The dimensions among `kept` that `map` has, in its order.
  llvm::SmallVector<unsigned> order(mlir::AffineMap map,
                                    llvm::ArrayRef<unsigned> kept);
  /// The tile of an operand for the key tile at hand (or for the query tile, if
  /// it has no key rows).
  Operand tileOperand(mlir::Value operand, mlir::AffineMap map);

  void emitQueryTile(mlir::ValueRange ivs, mlir::ValueRange outs,
                     llvm::SmallVectorImpl<mlir::Value> &results);
  llvm::SmallVector<mlir::Value> emitKeyLoop(mlir::ValueRange inits);
  /// One key tile from `start` with at most `limit - start` keys; returns the
  /// updated state and sets `taken`.
  llvm::SmallVector<mlir::Value> emitKeyTile(mlir::Value start,
                                             mlir::Value limit,
                                             mlir::ValueRange state,
                                             mlir::Value &taken);
  /// The online step; `full`, if given, tells that every pair is visible.
  llvm::SmallVector<mlir::Value> emitOnline(mlir::ValueRange state,
                                            mlir::Value full);
  void cloneRegion(mlir::Region &from, mlir::Region &to);
  /// Inlines `ranges` or `classify` with the given arguments after the batch
  /// positions and row bounds.
  llvm::SmallVector<mlir::Value> inlineBound(mlir::Region &region,
                                             mlir::ValueRange keyBounds);

  mlir::RewriterBase &rewriter;
  mlir::Location loc;
  GenericOp op;
  TileSizes sizes;
  bool countTiles;
  DimensionClasses classes;
  mlir::FloatType accType;
  unsigned lane, key, feature, channel;

  /// Extent of each dimension of the whole op.
  llvm::SmallVector<mlir::OpFoldResult> wholeExtents;
  /// Position and extent of the current tile in each dimension.
  llvm::SmallVector<mlir::OpFoldResult> offsets, extents;
  /// The number of valid rows, if it can be less than the tile's.
  mlir::Value rows;
  /// Tiles of the operands that do not depend on the key tile.
  llvm::SmallVector<Operand> fixed;
  llvm::SmallVector<Operand> weightingTiles;
};

} // namespace attn

#endif // ATTN_LIB_TRANSFORMS_ATTENTIONTILER_H
