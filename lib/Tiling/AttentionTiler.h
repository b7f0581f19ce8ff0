//===- AttentionTiler.h - State shared while one op is tiled ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TILING_ATTENTIONTILER_H
#define ATTN_LIB_TILING_ATTENTIONTILER_H

#include "attn/Analysis/KernelFit.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Where a slice of `extent` from `offset` on starts: a value where the extent
/// is known to be 0, as the start of nothing, where known, is out of bounds.
mlir::OpFoldResult getSliceOffset(mlir::OpBuilder &b, mlir::Location loc,
                                  mlir::OpFoldResult offset,
                                  mlir::OpFoldResult extent);

/// Tiles one `attn.generic` that fits the kernel (`fitsKernel`).
///
/// The loop nest: an `scf.forall` over batch, outer query row dimensions (one
/// row each) and blocks of tiles of the innermost query row dimension, the
/// *lane* dimension. In a block of one query tile, a loop over key tiles. In a
/// block of several, a loop over key tiles, and in it one over the query tiles:
/// keys and values come from far once for all query tiles of a block, and what
/// is packed of them is packed once.
///
/// What the key loop reads again and again is packed so that lanes are
/// innermost and contiguous: queries once per query tile, inputs over both rows
/// once per key tile.
class AttentionTiler {
public:
  AttentionTiler(mlir::RewriterBase &rewriter, GenericOp op, TileSizes sizes,
                 bool countTiles);

  /// Replaces the op by the loop nest.
  mlir::LogicalResult run();

private:
  /// A tile of one operand, with the map of its dimensions over
  /// (m, n, d, e).
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
  /// The extents that the layout stores an operand of dimensions `dims` with.
  llvm::SmallVector<mlir::OpFoldResult>
  storedExtents(OperandRole role, llvm::ArrayRef<unsigned> dims);
  /// The type that it stores elements of `source` as.
  mlir::Type storedElement(OperandRole role, mlir::Value source,
                           llvm::ArrayRef<unsigned> dims);
  /// Packs `source`, of the dimensions `dims`, into `target`. Queries carry the
  /// scale where the similarity is their product with the keys.
  mlir::Value packInto(mlir::Value source, OperandRole role,
                       llvm::ArrayRef<unsigned> dims, mlir::Value target);
  /// A buffer of `tile` for the key tile at hand, or the part of one that it
  /// fills, at the end of the keys. The buffer is the worker's, not the tile's,
  /// and no two are merged: CSE does that to a `tensor.empty`.
  mlir::Value createKeyBuffer(llvm::ArrayRef<mlir::OpFoldResult> tile,
                              mlir::Type element);
  /// Packs `source`, whose dimensions are `dims`.
  mlir::Value pack(mlir::Value source, OperandRole role,
                   llvm::ArrayRef<unsigned> dims);
  /// A map of the tile's iteration (m, n, d, e) for the given dimensions.
  mlir::AffineMap tileMap(llvm::ArrayRef<unsigned> dims);
  /// The dimensions among `kept` that `map` has, in its order.
  llvm::SmallVector<unsigned> order(mlir::AffineMap map,
                                    llvm::ArrayRef<unsigned> kept);
  /// The tile of an operand for the key tile at hand (or for the query tile, if
  /// it has no key rows).
  Operand tileOperand(mlir::Value operand, OperandRole role,
                      mlir::AffineMap map);

  /// min(size, end - offset), or `size` where that is known: `aligned` offsets
  /// are multiples of it.
  mlir::OpFoldResult clampExtent(mlir::OpFoldResult offset,
                                 mlir::OpFoldResult end, int64_t size,
                                 bool aligned = true);
  /// An accumulator (channels x lanes) and a row per statistic, with `leading`
  /// extents in front.
  llvm::SmallVector<mlir::Value>
  emitInitialState(llvm::ArrayRef<mlir::OpFoldResult> leading = {});
  /// One query tile, all its keys; returns the finished slices.
  llvm::SmallVector<mlir::Value> emitQueryTile(mlir::ValueRange outSlices);
  /// Several query tiles, key tile by key tile; returns the finished slices.
  llvm::SmallVector<mlir::Value> emitQueryBlock(mlir::ValueRange outSlices);
  /// Packs the operands that do not depend on the key tile, for all query tiles
  /// of a block; returns their buffers, null for those without lanes.
  llvm::SmallVector<mlir::Value> packBlock();
  /// A loop over the query tiles of the block at hand, for `body` to fill in;
  /// inside, `offsets`, `extents` and `rows` are those of the tile.
  llvm::SmallVector<mlir::Value> forEachQueryTile(
      mlir::ValueRange inits,
      llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value tile,
                                                        mlir::ValueRange)>
          body);
  /// First and end of the keys that any row of the query tiles at hand sees.
  std::pair<mlir::Value, mlir::Value> emitKeyHull();
  /// Keys or values that the query tiles share in the accumulation type, or
  /// nothing where they are read in place.
  Operand packSharedKeys(mlir::Value operand, OperandRole role,
                         mlir::AffineMap map);
  /// The tile of keys or values at hand.
  Operand keyTileOf(const Operand &packed, mlir::Value operand,
                    OperandRole role, mlir::AffineMap map);
  llvm::SmallVector<mlir::Value> emitFinish(mlir::ValueRange state,
                                            mlir::ValueRange outSlices);
  /// The loop over the key tiles that `ranges` lets the query tile see.
  llvm::SmallVector<mlir::Value> emitKeyLoop(mlir::ValueRange inits);
  /// The same over several ranges (begin, end)*, within [from, end).
  llvm::SmallVector<mlir::Value> emitKeyCursor(mlir::Value from,
                                               mlir::Value end,
                                               mlir::ValueRange ranges,
                                               mlir::ValueRange inits);
  /// One key tile from `start` with at most `limit - start` keys; returns the
  /// updated state and sets `taken`. `whole`: the tile is known to be full.
  llvm::SmallVector<mlir::Value> emitKeyTile(mlir::Value start,
                                             mlir::Value limit,
                                             mlir::ValueRange state, bool whole,
                                             mlir::Value &taken);
  /// The online step; `full`, if given, tells that every pair is visible.
  llvm::SmallVector<mlir::Value> emitOnline(mlir::ValueRange state,
                                            mlir::Value full);
  /// Copies a region of the op into that of the online step, whose `inputs` may
  /// be packed.
  void cloneBody(mlir::Region &from, mlir::Region &to, mlir::ValueRange inputs);
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

  /// The body of the loop over query tiles, or blocks of them.
  mlir::Block *worker;
  /// Extent of each dimension of the whole op.
  llvm::SmallVector<mlir::OpFoldResult> wholeExtents;
  /// Position and extent of the current tile in each dimension.
  llvm::SmallVector<mlir::OpFoldResult> offsets, extents;
  /// The key tile that the query tiles of a block share: they see nothing else.
  struct SharedKeys {
    mlir::Value first, limit;
    Operand keys, values;
  };
  std::optional<SharedKeys> shared;
  /// The number of valid rows, if it can be less than the tile's.
  mlir::Value rows;
  /// Tiles of the operands that do not depend on the key tile.
  llvm::SmallVector<Operand> fixed;
  llvm::SmallVector<Operand> weightingTiles;
};

} // namespace attn

#endif // ATTN_LIB_TILING_ATTENTIONTILER_H
