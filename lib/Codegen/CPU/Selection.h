//===- Selection.h - The keys that rows keep --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The state of weightings of kind *select*: k (score, index) pairs for each
// query row, best first, in two buffers (k, rows), or (rows) for one pair. Most
// keys are no better than the worst that any row keeps, which one comparison
// tells; a key that is goes through the k places, in each of which the better
// one stays and the other one goes on.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_SELECTION_H
#define ATTN_LIB_CODEGEN_CPU_SELECTION_H

#include "TileEmitter.h"

namespace attn {

/// The pairs of `rows` query rows, as vectors with a lane for each.
class Selection {
public:
  /// `scores` and `indices` are the buffers, `leading` what stands before the
  /// places, as the number of a split, and `firstRow` the first of the rows, 0
  /// if it is null.
  Selection(mlir::OpBuilder &b, mlir::Location loc, mlir::Value scores,
            mlir::Value indices, int64_t numKept, int64_t rows,
            mlir::ValueRange leading = {}, mlir::Value firstRow = {})
      : b(b), loc(loc), scores(scores), indices(indices), numKept(numKept),
        rows(rows), leading(leading), firstRow(firstRow) {}

  /// The pairs in place `number`.
  mlir::Value loadScore(mlir::Value number) { return load(scores, number); }
  mlir::Value loadIndex(mlir::Value number) { return load(indices, number); }
  /// Where those of row `row` lie.
  llvm::SmallVector<mlir::Value> locate(mlir::Value number, mlir::Value row);
  /// Which rows have a key in a place, given its indices.
  mlir::Value isKept(mlir::Value indices);
  /// The least scores that are kept.
  mlir::Value loadLeast();
  /// Which rows keep the key that `keys`, a vector of indices, has for them.
  mlir::Value contains(mlir::Value keys);

  /// A loop over the places; `body` gets a number and the values carried.
  llvm::SmallVector<mlir::Value> forEachPlace(
      mlir::ValueRange inits,
      llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value,
                                                        mlir::ValueRange)>
          body);
  /// Forgets all keys.
  void clear();
  /// Takes in a key of each row where `candidates`, a vector of i1, is set; all
  /// if it is null. Of equal scores the key that came first stays, or `byIndex`
  /// the lower one.
  void insert(mlir::Value score, mlir::Value index, mlir::Value candidates,
              bool byIndex);

private:
  mlir::Value load(mlir::Value buffer, mlir::Value number);
  llvm::SmallVector<mlir::Value> locateFirst(mlir::Value number);
  void store(mlir::Value vector, mlir::Value buffer, mlir::Value number);
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value lhs,
                      mlir::Value rhs) {
    return mlir::arith::CmpFOp::create(b, loc, predicate, lhs, rhs);
  }
  mlir::Value isBetter(mlir::Value score, mlir::Value index, mlir::Value than,
                       mlir::Value thanIndex, bool byIndex);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Value scores, indices;
  int64_t numKept, rows;
  llvm::SmallVector<mlir::Value> leading;
  mlir::Value firstRow;
};

/// Whether a score may be better than the least that is kept: NaN may.
mlir::Value mayBeBetter(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value score, mlir::Value least);

/// Whether any lane of a vector of i1 is set.
mlir::Value isAnySet(mlir::OpBuilder &b, mlir::Location loc, mlir::Value lanes);

/// Replaces `attn.online` on buffers, lanes along rows, of a weighting that
/// selects keys.
mlir::LogicalResult emitSelectingStep(mlir::RewriterBase &rewriter, OnlineOp op,
                                      const EmitOptions &options);

/// Replaces `attn.merge` on buffers: the best keys of all splits stay.
mlir::LogicalResult emitSelectingMerge(mlir::RewriterBase &rewriter, MergeOp op,
                                       const EmitOptions &options);

/// Replaces `attn.finish` on buffers: the keys that are kept are weighted, and
/// the rows of the value that they name are added up, unless an accumulator
/// holds what they make.
mlir::LogicalResult emitSelectingFinish(mlir::RewriterBase &rewriter,
                                        FinishOp op,
                                        const EmitOptions &options);

/// What weights the keys that are kept, as vectors of query rows.
struct SelectedWeights {
  /// Their statistics, those of the score phase among them, and the factors on
  /// the weights.
  llvm::SmallVector<mlir::Value> statistics, scoreStatistics, factors;
};

/// Emits the statistics of the keys in `selection` under `weighting`. Where
/// `weights`, a buffer (k, rows), is given, it gets the final weights, 0 where
/// a place is empty.
SelectedWeights emitSelectedWeights(
    mlir::OpBuilder &b, mlir::Location loc, Selection &selection,
    AccumulateWeightingAttrInterface weighting, mlir::ValueRange operands,
    mlir::Value numKeys, mlir::VectorType rowType, mlir::Value weights);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_SELECTION_H
