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

/// Replaces an op that fits the kernel by loops over tiles of the given sizes.
/// With `countTiles` the loops count the key tiles they look at.
mlir::LogicalResult tileAttention(mlir::RewriterBase &rewriter, GenericOp op,
                                  const TileSizes &sizes,
                                  bool countTiles = false);

/// The module's buffer of three i64 that kernels with `count_tiles` count in:
/// key tiles looked at, computed (a pair is visible), and full.
inline llvm::StringRef getTileCountsName() { return "attn_tile_counts"; }

} // namespace attn

#endif // ATTN_TILING_TILING_H
