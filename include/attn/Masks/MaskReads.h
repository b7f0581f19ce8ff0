//===- MaskReads.h - What a mask reads, summarised --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mask may read integers and truth values at positions: the document of a
// token, the length that a row may see, whether a token is global. Two
// questions are asked of such a table, and answered at run time:
//
//  * the least and the greatest element in a box, so that a box whose rows and
//    keys lie in different documents is empty, and one that lies in one
//    document is full;
//  * which keys hold a wanted element, so that a tile of rows walks over the
//    keys of its own documents only.
//
// Neither may take as long as it saves. So a table is summarised once per call,
// before the op: the least and the greatest element of each block of
// `maskBlock` positions. What is asked of rows looks at the blocks that the
// tile touches, which are its own where tiles are whole blocks; the search for
// keys looks at blocks, then at the elements of the first and the last one that
// may hold a wanted one. Nothing is assumed of the order of the elements: where
// equal ones do not stand together, the range is their hull. The least and the
// greatest element of the keys of a box are found among the elements
// themselves, which are few beside the pairs of the box.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_MASKS_MASKREADS_H
#define ATTN_MASKS_MASKREADS_H

#include "attn/IR/Elements.h"
#include "attn/IR/Attn.h"
#include "attn/Masks/MaskEmitter.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Positions whose elements are summarised together.
inline constexpr int64_t maskBlock = 16;

/// Inclusive; a missing bound is infinite.
struct MaskInterval {
  std::optional<Scalar> lower, upper;

  bool operator==(const MaskInterval &other) const {
    return lower == other.lower && upper == other.upper;
  }
};

/// The least and the greatest element of each block, one tensor each, of the
/// table's shape but for the dimension that is divided into blocks. Truth
/// values are 0 and 1, in a byte.
struct MaskSummary {
  mlir::Value least, greatest;
};

/// Writes summaries before an op, each once.
class MaskSummaries {
public:
  /// With `enabled` false there are none.
  MaskSummaries(mlir::RewriterBase &rewriter, GenericOp op, bool enabled)
      : rewriter(rewriter), op(op), enabled(enabled) {}

  /// Whether a table can be summarised: a buffer is no value.
  bool canSummarize(mlir::Value table) const {
    return enabled && mlir::isa<mlir::RankedTensorType>(table.getType());
  }
  /// The summary of `table`, which holds integers, along its dimension
  /// `position`.
  MaskSummary get(mlir::Value table, unsigned position);
  /// The extent of a dynamic dimension of `table`, read before the op.
  mlir::Value getExtent(mlir::Value table, unsigned position);

private:
  mlir::RewriterBase &rewriter;
  GenericOp op;
  bool enabled;
  llvm::DenseMap<std::pair<mlir::Value, unsigned>, MaskSummary> summaries;
  llvm::DenseMap<std::pair<mlir::Value, unsigned>, mlir::Value> extents;
};

/// An element of a table of integers, at a position along one dimension of the
/// op.
struct MaskRead {
  mlir::Value table;
  /// Null is the position along `dimension`; the others are uniform.
  llvm::SmallVector<mlir::Value> indices;
  unsigned dimension = 0;
  /// Whether what a box reads is asked of summaries.
  bool asksSummary = false;
  /// The table's extent, if positions may lie beyond it.
  std::optional<Scalar> extent;
  MaskSummaries *summaries = nullptr;

  /// The dimension of the table that the position runs along.
  unsigned getPosition() const {
    return llvm::find(indices, mlir::Value()) - indices.begin();
  }
};

/// Emits the least and the greatest element at `positions`, which have both
/// bounds; or of more positions.
MaskInterval emitReadBounds(IndexEmitter &emitter, const MaskRead &read,
                            MaskInterval positions);

/// Emits the first and the last of `positions` that hold an element within
/// `values`; what is returned may take in others, and is empty, once narrowed
/// to `positions`, if no block can hold one.
MaskInterval emitReadHull(IndexEmitter &emitter, const MaskRead &read,
                          const MaskInterval &values, MaskInterval positions);

} // namespace attn

#endif // ATTN_MASKS_MASKREADS_H
