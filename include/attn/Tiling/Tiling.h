//===- Tiling.h - Fused loops over tiles ------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TILING_TILING_H
#define ATTN_TILING_TILING_H

#include "attn/Analysis/KernelFit.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Which requests of an op are computed, by the number of their rows.
struct RequestFilter {
  /// Where the rows of requests start, and the dimension of the requests; null
  /// where there are no requests, or all of them are computed.
  mlir::Value starts;
  unsigned request = 0;
  /// The numbers of rows: from `least` to `most`, or `least` and more.
  int64_t least = 0;
  std::optional<int64_t> most;
  /// Whether the op has copies of their rows, one for each request.
  bool hasCopies = false;
};

/// Replaces an op that fits the kernel by loops over tiles of the given sizes.
/// With `countTiles` the loops count the key tiles they look at. Requests that
/// are filtered out look at no keys.
mlir::LogicalResult tileAttention(mlir::RewriterBase &rewriter, GenericOp op,
                                  const TileSizes &sizes,
                                  bool countTiles = false,
                                  const RequestFilter &filter = {});

/// Creates, before an op whose queries are packed, an op that has one row for
/// each request: that of requests of one row. What it computes of these is put
/// in the place of what `op` does, which can leave them out. Null if `op` has
/// operands with rows at positions within requests, or lists of pages that are
/// not one for each request.
GenericOp takeSingleRows(mlir::RewriterBase &rewriter, GenericOp op);

/// Creates a copy of an op whose queries are packed that writes what it
/// computes into the results of `op`: that of requests of few rows, which `op`
/// can leave out.
GenericOp takeFewRows(mlir::RewriterBase &rewriter, GenericOp op);

/// Puts a copy of an op beside it, of which that runs where there are at most
/// `most` rows along the dimension `row`, and `op` where there are more.
/// Returns the copy.
GenericOp branchOnRows(mlir::RewriterBase &rewriter, GenericOp op, unsigned row,
                       int64_t most);

/// The module's buffer of three i64 that kernels with `count_tiles` count in:
/// key tiles looked at, computed (a pair is visible), and full.
inline llvm::StringRef getTileCountsName() { return "attn_tile_counts"; }

} // namespace attn

#endif // ATTN_TILING_TILING_H
