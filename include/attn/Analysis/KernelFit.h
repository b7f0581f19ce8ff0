//===- KernelFit.h - Whether and how an op is fused -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_ANALYSIS_KERNELFIT_H
#define ATTN_ANALYSIS_KERNELFIT_H

#include "attn/IR/Attn.h"

#include <string>

namespace attn {

/// Sizes of the tiles that one step of the kernel works on.
struct TileSizes {
  /// How operands of a tile are stored, and the query rows in it.
  LayoutAttrInterface layout;
  /// Key rows in a tile.
  int64_t keyRows = 0;
  /// Query tiles that share each tile of keys and values before the next one is
  /// fetched.
  int64_t queryTiles = 1;
};

/// Which ops to fuse: those for which it pays, all that can be, or none.
enum class FusionPolicy { Auto, Always, Never };

/// Why an op is fused or left unfused: `fused` and one sentence for remarks.
struct FusionDecision {
  bool fused = false;
  std::string reason;
};

/// Whether the kernel can compute the op at all: what it cannot, it names.
FusionDecision fitsKernel(GenericOp op);

/// Whether the op is to be fused under `policy`, and why. It pays for whatever
/// fits the kernel, except where a query block meets its keys in 4 pairs or
/// fewer: there vectors stay empty.
FusionDecision decideFusion(GenericOp op, FusionPolicy policy);

/// The layout of least cost, of those that the dialect knows, for vectors of
/// `vectorBits`; null if none holds `queryTile` query rows. A `queryTile` of 0
/// leaves the rows to the layout; of equal costs the first proposed counts.
LayoutAttrInterface chooseLayout(GenericOp op, int64_t vectorBits,
                                 int64_t queryTile = 0);

/// Tiles in a layout: as many key rows as keep the scores of a tile in a
/// quarter of a first-level cache of 32 KiB, beside the queries, keys or
/// values. Where keys and values outgrow a second-level cache and no mask
/// bounds them from below, several query tiles share each tile of them: 8, or 4
/// where more would leave threads idle.
TileSizes chooseTileSizes(GenericOp op, LayoutAttrInterface layout);

} // namespace attn

#endif // ATTN_ANALYSIS_KERNELFIT_H
