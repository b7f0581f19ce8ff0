//===- Ragged.h - Requests that lie packed ----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Requests of different lengths lie one after the other in a packed operand:
// row m of request r is row starts[r] + m of it, which a map writes as the sum
// r + m. Everything else speaks of m, a position within the request: maps
// without the request are what tiles, masks and regions go by, and the request
// is a dimension of the batch.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_RAGGED_H
#define ATTN_IR_RAGGED_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Value.h"

#include <optional>

namespace attn {

class AttentionOpInterface;
class RaggedOpInterface;

/// An extent of an operand.
struct OperandExtent {
  mlir::Value operand;
  int64_t dim;
};

/// The extents that starts have to do with.
struct RaggedExtents {
  /// Of packed rows: what starts end with.
  llvm::SmallVector<OperandExtent> queries, keys;
  /// Of requests.
  llvm::SmallVector<OperandExtent> requests;
  /// Of rows at positions within a request: no less than the longest has.
  llvm::SmallVector<OperandExtent> queryRows, keyRows;
};

/// The dimensions of an op on packed requests: the request, and the rows that
/// are packed. Keys in pages are not; where nothing is, requests are what lists
/// follow each other along.
struct RaggedDims {
  unsigned request;
  std::optional<unsigned> queryRow, keyRow;

  bool isRow(unsigned dim) const { return queryRow == dim || keyRow == dim; }
};

/// The map with rows in place of sums of a request and a row.
mlir::AffineMap dropRequests(mlir::AffineMap map);

/// The request of the first such sum in a map, if there is one.
std::optional<unsigned> getRequestDim(mlir::AffineMap map);

/// The dimensions of an op with starts; none without. The op must be valid.
std::optional<RaggedDims> getRaggedDims(AttentionOpInterface op);

/// Whether mapped operand `index` is packed along its dimension `position`.
bool isPacked(AttentionOpInterface op, unsigned index, unsigned position);

/// Whether it has rows at positions within the request there, though requests
/// are packed in others.
bool isWithinRequest(AttentionOpInterface op, unsigned index,
                     unsigned position);

/// Whether an op has starts.
bool isRagged(RaggedOpInterface op);

namespace detail {
/// Constraints (C15) to (C17) of `attn.generic`, whose maps are valid.
mlir::LogicalResult verifyRagged(AttentionOpInterface op);

/// The starts have one element more than there are `requests`, if their number
/// is known. Reported as constraint `label`.
mlir::LogicalResult verifyStarts(RaggedOpInterface op, llvm::StringRef label);
} // namespace detail

} // namespace attn

#endif // ATTN_IR_RAGGED_H
