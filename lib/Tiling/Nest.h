//===- Nest.h - The loops around the keys -----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TILING_NEST_H
#define ATTN_LIB_TILING_NEST_H

#include "attn/Analysis/KernelFit.h"
#include "attn/Tiling/Requests.h"
#include "attn/Tiling/Tiling.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// The parallel loop over batch, query row dimensions that tiles do not span
/// (one row each) and blocks of tiles; each of its iterations is a *worker*, to
/// which `box` is moved. In a worker, a loop over the query tiles of its block.
///
/// Packed rows are of one request in each block: there are as many blocks as
/// the rows fill, and one for each request, of which some may stay empty; or of
/// requests of few rows, as many for each as the most of these fill.
class Nest {
public:
  /// Creates the parallel loop in front of `op` and goes inside. It writes
  /// `inits`, those of the op if there are no `splits`: that many workers for
  /// each block otherwise, neighbours of each other.
  Nest(mlir::RewriterBase &rewriter, GenericOp op, const TileSizes &sizes,
       const RequestFilter &filter, IterationBox &box, mlir::ValueRange inits,
       mlir::OpFoldResult splits = {});

  /// The extents of the parallel loop, splits aside.
  static llvm::SmallVector<mlir::OpFoldResult>
  getBounds(mlir::OpBuilder &builder, GenericOp op, const TileSizes &sizes,
            const RequestFilter &filter, const IterationBox &box);

  /// Which worker this is: the position along each outer dimension, the number
  /// of the block, and that of the split, if there are any.
  llvm::SmallVector<mlir::OpFoldResult> getPosition();
  mlir::ValueRange getInits() { return loop.getRegionIterArgs(); }

  /// The body of the parallel loop.
  mlir::Block *getWorker() { return loop.getBody(); }
  /// The dimensions along which a worker has one position.
  llvm::ArrayRef<unsigned> getOuterDims() const { return outer; }
  /// Those of them that results have: a request that is packed is none.
  llvm::SmallVector<unsigned> getResultDims();
  /// The valid rows of the query tile at hand, if they can be fewer than its.
  mlir::Value getRows() const { return rows; }

  /// What the worker writes of each init, of the init's rank.
  llvm::SmallVector<mlir::Value> sliceInits();
  /// A loop over the query tiles of the block at hand, for `body` to fill in;
  /// inside, `box` is that of the tile.
  llvm::SmallVector<mlir::Value> forEachQueryTile(
      mlir::ValueRange inits,
      llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value tile,
                                                        mlir::ValueRange)>
          body);
  /// What the query tile at hand, number `tile` of the block, writes of a slice
  /// of init `index`; and the slice with it written.
  mlir::Value takeInit(mlir::Value slice, unsigned index, mlir::Value tile);
  mlir::Value putInit(mlir::Value result, mlir::Value slice, unsigned index,
                      mlir::Value tile);
  /// Ends the worker with what it has written of each init; returns the loop's
  /// results.
  mlir::ValueRange finish(mlir::ValueRange slices);
  /// The same, where `locate` gives offsets and extents of a slice.
  mlir::ValueRange
  finish(mlir::ValueRange slices,
         llvm::function_ref<void(unsigned,
                                 llvm::SmallVectorImpl<mlir::OpFoldResult> &,
                                 llvm::SmallVectorImpl<mlir::OpFoldResult> &)>
             locate);

private:
  /// Moves the box along the query rows to `offset`, with at most `size` rows.
  void moveRows(mlir::OpFoldResult offset, int64_t size);
  /// Moves the box to block `number` of the packed rows: to a request, and rows
  /// of it, of which there may be none.
  void takePackedBlock(mlir::Value number, int64_t blockRows);
  /// Which request that is, and which of its blocks, where a filter says how
  /// many rows these may have.
  std::pair<mlir::Value, mlir::Value> findBlockOfFewRows(mlir::Value number,
                                                         int64_t blockRows);
  /// Moves it to the keys of the request at hand, to none without rows; but not
  /// where lists say which these are.
  void takeRequestKeys();
  /// Counts the valid rows of the query tile at hand.
  void setRows();
  /// Where a query tile lies in a slice of an init.
  void locateInit(unsigned index, mlir::Value tile,
                  llvm::SmallVectorImpl<mlir::OpFoldResult> &from,
                  llvm::SmallVectorImpl<mlir::OpFoldResult> &extents);

  mlir::RewriterBase &b;
  mlir::Location loc;
  GenericOp op;
  RequestFilter filter;
  IterationBox &box;
  /// The dimension that is cut into tiles, how many rows of it a tile has, and
  /// how many rows of the tile belong to each.
  unsigned row;
  int64_t tileRows, rowsPerRow = 1;
  /// The rows that the layout has room for.
  int64_t roomRows;
  mlir::OpFoldResult wholeRows;
  llvm::SmallVector<unsigned> outer;
  bool isSplit;
  mlir::scf::ForallOp loop;
  mlir::Value rows;
};

/// How many blocks of `blockRows` a request has that a filter leaves, which
/// says of how many rows it may be.
int64_t countBlocksOfRequest(const RequestFilter &filter, int64_t blockRows);

/// Whether a filter, which has starts, leaves a request.
mlir::Value isLeft(mlir::OpBuilder &builder, mlir::Location loc,
                   const RequestFilter &filter, mlir::Value request);

/// Entry `tile` of a buffer in which each query tile of a block has `extent`
/// positions along the first dimension; and the buffer with it replaced.
mlir::Value takeEntry(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value buffer, mlir::Value tile,
                      mlir::OpFoldResult extent);
mlir::Value putEntry(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value value, mlir::Value buffer, mlir::Value tile,
                     mlir::OpFoldResult extent);

} // namespace attn

#endif // ATTN_LIB_TILING_NEST_H
