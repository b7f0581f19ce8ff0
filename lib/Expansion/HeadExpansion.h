//===- HeadExpansion.h - Heads into the core op -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXPANSION_HEADEXPANSION_H
#define ATTN_LIB_EXPANSION_HEADEXPANSION_H

#include "HeadAttention.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// The expansion of one named op. The dimensions of the `attn.generic` are
/// (batch..., heads..., m, n, d, e), where the heads are
///
///   * none, where operands have rank 2;
///   * one batch dimension, where the key has as many heads as the query;
///   * one query row dimension, where the key has one head: key and value lose
///     theirs;
///   * (key heads, group) otherwise: the heads of the query, and of all that
///     goes with it, are split, and the group is a query row dimension.
///
/// Where key and value are pages there is a key row dimension more, the page,
/// before n, and neither has the batch.
class HeadExpansion {
public:
  HeadExpansion(mlir::RewriterBase &rewriter, const HeadAttention &op)
      : rewriter(rewriter), op(op), loc(op.op->getLoc()),
        accType(op.getAccumulationType()), rank(op.getNumLeadingDims() + 2) {}

  mlir::LogicalResult run();

private:
  /// The iteration dimensions of an operand's extents, in order.
  using Dims = llvm::SmallVector<unsigned>;

  unsigned getNumBatchDims() { return rank > 3 ? rank - 3 : 0; }
  int64_t getExtent(unsigned position, llvm::ArrayRef<mlir::Value> operands);
  /// The extent of key and value at the query's `position`, heads or beyond.
  int64_t getKeyExtent(unsigned position);
  /// Where that is in their shapes.
  unsigned getKeyPosition(unsigned position) {
    return position + op.getKeyRank() - rank;
  }
  mlir::Value getSize(mlir::Value operand, unsigned position);
  mlir::AffineMap getMap(const Dims &dims);
  /// The map of query, key, value, output or log-sum-exp, of `dims` in the
  /// order batch, heads, rows, features.
  mlir::AffineMap getMap(mlir::Value operand, Dims dims);
  Dims getLeadingDims(bool isKey);
  void decideDimensions();
  void splitHeads();
  mlir::Value reshapeQueryLike(mlir::Value value);
  mlir::Value reshapeKeyLike(mlir::Value value);
  Dims takeListDims(mlir::Value &operand);
  void decideBlocks();
  void addInput(mlir::Value value, const Dims &dims);
  void addBroadcastInput(mlir::Value value);
  void decideScale();
  void decideOffset();
  void decideWeighting();
  GenericOp createGeneric();
  void replaceResults(GenericOp generic);

  std::pair<int64_t, int64_t> getWindow();
  bool isUpperBoundImplied(int64_t right);
  bool isLowerBoundImplied(int64_t left);
  mlir::Value createPosition(unsigned position);
  mlir::Value createOffset(mlir::Value operand);
  /// The number of keys less that of rows of the request or list at hand.
  mlir::Value createOffsets();
  mlir::Value readInteger(mlir::Value operand, mlir::ValueRange indices);
  /// The number of keys in the pages of the list at hand.
  mlir::Value countListedKeys();
  /// Whether each request, or list of pages, aligns the diagonal with its own
  /// lengths.
  bool alignsRequests() {
    return (op.isRagged() || op.isPaged()) &&
           op.causal == CausalKind::bottom_right;
  }
  mlir::Value createDiagonal(mlir::Value row, int64_t constant,
                             mlir::Value offset);
  mlir::Value inlineBody(mlir::Region &source, mlir::ValueRange leading);
  mlir::Block *createBody(mlir::Region &region, mlir::TypeRange leading);
  void fillMask(GenericOp generic);
  void fillScore(GenericOp generic);

  mlir::RewriterBase &rewriter;
  const HeadAttention &op;
  mlir::Location loc;
  mlir::FloatType accType;
  int64_t rank;

  int64_t numRows, numKeys;
  Dims headDims;
  /// Whether the heads all read one key head.
  bool sharesKey = false;
  /// The sizes of `headDims` where there are two.
  mlir::OpFoldResult numKeyHeads, groupSize;
  unsigned numDims, m, page, n, d, e;

  /// The lists of key blocks: indptr, indices, and how they are read.
  mlir::Value listBounds, listEntries;
  BlockListAttr blocks;

  llvm::SmallVector<mlir::Value> inputs;
  llvm::SmallVector<mlir::AffineMap> inputMaps;
  /// The positions that the region being filled has so far, by dimension.
  llvm::DenseMap<unsigned, mlir::Value> indices;

  /// The factor on the similarity, and what is left of it to the score region
  /// where the width is known at run time only.
  double scale = 1.0;
  mlir::Value dynamicScale;
  WeightingAttrInterface weighting;
  llvm::SmallVector<mlir::Value> weightingOperands;
  llvm::SmallVector<mlir::AffineMap> weightingMaps;
  /// The offset of the diagonal: a constant, or a value where that is not
  /// known.
  int64_t offset = 0;
  mlir::Value dynamicOffset;
  /// Of requests that are not packed: how many rows and keys each has.
  mlir::Value numRowsValue, numKeysValue;
};

} // namespace attn

#endif // ATTN_LIB_EXPANSION_HEADEXPANSION_H
