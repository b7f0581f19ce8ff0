//===- Walk.h - A cursor over tiles of rows ---------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A walk visits rows of one dimension, tile by tile, in ascending order, each
// row once. It is a cursor: a few values that say how far it has come, which a
// loop carries beside its own.
//
//   cursor = begin()
//   while valid(cursor)              the cursor settles on the next tile
//     body(tile(cursor))
//     cursor = next(cursor, tile)
//
// Where a row is read and which row it is are told apart: a walk may read rows
// from elsewhere than their position says.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TILING_WALK_H
#define ATTN_TILING_WALK_H

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

namespace attn {

/// Some rows that lie next to each other.
struct WalkTile {
  /// Where the first row is read, and which of the logical rows it is.
  mlir::OpFoldResult location, position;
  /// The number of rows.
  mlir::OpFoldResult extent;
};

/// A cursor over tiles of rows.
class Walk {
public:
  /// The bounds of a loop whose induction variable is the cursor.
  struct Steps {
    mlir::Value from, to;
    int64_t step;
  };

  Walk(mlir::OpBuilder &builder, mlir::Location loc, int64_t tileRows)
      : b(builder), loc(loc), tileRows(tileRows) {}
  virtual ~Walk() = default;

  /// The cursor at first.
  virtual llvm::SmallVector<mlir::Value> begin() = 0;
  /// Moves the cursor on to the next tile and returns whether there is one.
  virtual mlir::Value valid(llvm::SmallVectorImpl<mlir::Value> &cursor) = 0;
  /// The tile that a valid cursor is at.
  virtual WalkTile tile(mlir::ValueRange cursor) = 0;
  /// The cursor behind `tile`.
  virtual llvm::SmallVector<mlir::Value> next(mlir::ValueRange cursor,
                                              const WalkTile &tile) = 0;
  /// Where the row at `position` is read.
  virtual mlir::OpFoldResult locate(mlir::OpFoldResult position) = 0;
  /// The bounds where tiles follow each other in equal steps, as a plain loop
  /// does: `begin`, `valid` and `next` say the same.
  virtual std::optional<Steps> getSteps() { return std::nullopt; }

protected:
  mlir::OpBuilder &b;
  mlir::Location loc;
  /// The most rows in a tile.
  int64_t tileRows;
};

/// The rows from `from` to `to`, which are read where their position says.
class SpanWalk : public Walk {
public:
  /// With `whole` the number of rows is known to be a multiple of the tile's.
  SpanWalk(mlir::OpBuilder &builder, mlir::Location loc, int64_t tileRows,
           mlir::Value from, mlir::Value to, bool whole)
      : Walk(builder, loc, tileRows), from(from), to(to), whole(whole) {}

  llvm::SmallVector<mlir::Value> begin() override { return {from}; }
  mlir::Value valid(llvm::SmallVectorImpl<mlir::Value> &cursor) override;
  WalkTile tile(mlir::ValueRange cursor) override;
  llvm::SmallVector<mlir::Value> next(mlir::ValueRange cursor,
                                      const WalkTile &tile) override;
  mlir::OpFoldResult locate(mlir::OpFoldResult position) override {
    return position;
  }
  std::optional<Steps> getSteps() override {
    return Steps{from, to, tileRows};
  }

private:
  mlir::Value from, to;
  bool whole;
};

/// The rows within [from, to) that lie in any of several ranges (begin, end)*,
/// which may overlap, be empty, or reach beyond.
class RangesWalk : public Walk {
public:
  /// With `clips` ranges may end beyond `to`.
  RangesWalk(mlir::OpBuilder &builder, mlir::Location loc, int64_t tileRows,
             mlir::ValueRange ranges, mlir::Value from, mlir::Value to,
             bool clips)
      : Walk(builder, loc, tileRows), ranges(ranges), from(from), to(to),
        clips(clips) {}

  llvm::SmallVector<mlir::Value> begin() override { return {from}; }
  mlir::Value valid(llvm::SmallVectorImpl<mlir::Value> &cursor) override;
  WalkTile tile(mlir::ValueRange cursor) override;
  llvm::SmallVector<mlir::Value> next(mlir::ValueRange cursor,
                                      const WalkTile &tile) override;
  mlir::OpFoldResult locate(mlir::OpFoldResult position) override {
    return position;
  }

private:
  llvm::SmallVector<mlir::Value> ranges;
  mlir::Value from, to;
  bool clips;
};

/// A loop over the tiles of a walk that carries `inits`; `body` gets a tile and
/// what is carried, and returns what is carried on.
llvm::SmallVector<mlir::Value>
forEachTile(mlir::OpBuilder &builder, mlir::Location loc, Walk &walk,
            mlir::ValueRange inits,
            llvm::function_ref<llvm::SmallVector<mlir::Value>(
                const WalkTile &, mlir::ValueRange)>
                body);

/// The same for workers who take tiles in turns, of which this one is number
/// `worker`. All make as many steps: `body` is also told, by an i1, whether the
/// worker has a tile in this one.
llvm::SmallVector<mlir::Value> forEachTileInTurns(
    mlir::OpBuilder &builder, mlir::Location loc, Walk &walk,
    mlir::Value worker, int64_t numWorkers, mlir::ValueRange inits,
    llvm::function_ref<llvm::SmallVector<mlir::Value>(
        const WalkTile &, mlir::Value isThere, mlir::ValueRange)>
        body);

} // namespace attn

#endif // ATTN_TILING_WALK_H
