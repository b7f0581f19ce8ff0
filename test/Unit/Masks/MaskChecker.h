//===- MaskChecker.h - Bounds of a mask against the mask --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_MASKS_MASKCHECKER_H
#define ATTN_TEST_UNIT_MASKS_MASKCHECKER_H

#include "attn/IR/Attn.h"
#include "mlir/IR/MLIRContext.h"
#include <functional>
#include <string>
#include <vector>

namespace attn::test {

/// Tables that masks read; positions are below 64.
struct MaskTables {
  /// One table for both batches: %ids (tensor<64xi32>), where position p has
  /// the id p / 10 unless it is told otherwise, %wide (tensor<64xi64>), %flags
  /// (tensor<64xi1>) and %bytes (tensor<64xi8>).
  std::vector<int64_t> ids, wide, flags, bytes;
  /// Of each batch: %spans (tensor<2x64xi32>).
  std::vector<int64_t> spans;

  MaskTables();
};

/// A mask as the text of its region. It sees %i and %j (index), %len (i32, one
/// of `lengths` per batch), the scalars %s0 and %s1 (index, in `symbols`), the
/// tables, and what inputs hold at its row and its key: %mine (i64), %other
/// (i64), which are %wide there, and %seen (i1), which is %flags at the key.
/// The region must define %visible. A dollar stands for 64, or for a question
/// mark where extents are dynamic.
struct MaskCase {
  std::string body;
  int64_t rows = 40, keys = 56;
  bool isDynamic = false;
  int64_t symbols[2] = {3, 5};
  int64_t lengths[2] = {17, 56};
  MaskTables tables;
  /// Query rows and keys in a tile.
  std::vector<std::pair<int64_t, int64_t>> tileSizes = {
      {1, 1}, {1, 8}, {5, 3}, {8, 16}, {16, 8}, {32, 7}};
  /// What the mask means, if known: (batch, i, j).
  std::function<bool(int64_t, int64_t, int64_t)> meaning;
  /// Called on the bounded op, to spoil it.
  std::function<void(GenericOp)> spoil;
};

/// Counts over all walks with tiles of more than one pair.
struct WalkCounts {
  int64_t visited = 0, inVain = 0;
  /// Boxes of which all pairs are visible, and of those the recognised.
  int64_t full = 0, knownFull = 0;
  /// The fraction of pairs that are visible.
  double density = 0;
  unsigned numOps = 0;

  WalkCounts &operator+=(const WalkCounts &other);
};

/// Bounds the mask and compares `ranges` and `classify` with it, for several
/// tile sizes, as test expectations: every visible key of a tile of rows lies
/// in a range, ranges lie within the keys, boxes called full or empty are, and
/// a walk over the ranges meets every visible pair once.
WalkCounts checkMask(mlir::MLIRContext &context, const MaskCase &mask);

/// A context with the dialects that masks use.
mlir::MLIRContext &getContext();

} // namespace attn::test

#endif // ATTN_TEST_UNIT_MASKS_MASKCHECKER_H
