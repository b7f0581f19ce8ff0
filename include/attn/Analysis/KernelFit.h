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
  /// The query row dimensions that a tile spans: some rows of the first of
  /// them, all rows of the others, whose extents are known.
  llvm::SmallVector<unsigned, 2> rowDims;
  /// Key rows in a tile.
  int64_t keyRows = 0;
  /// Query tiles that share each tile of keys and values before the next one is
  /// fetched.
  int64_t queryTiles = 1;
  /// The parts that the keys of a row are split into, each of them walked by a
  /// worker of its own: as many as there are `splitKeys` keys, but at most so
  /// many.
  int64_t splits = 1, splitKeys = 0;
  /// How many workers parts are to make where the number of requests says how
  /// many there are without.
  int64_t splitWorkers = 0;
};

/// Which ops to fuse: those for which it pays, all that can be, or none.
enum class FusionPolicy { Auto, Always, Never };

/// Why an op is fused or left unfused: `fused` and one sentence for remarks.
struct FusionDecision {
  bool fused = false;
  std::string reason;
};

/// Whether weights have to be final where they are used, since they are asked
/// for or the weight region is not linear in them: `attn.replay`.
bool needsFinalWeights(GenericOp op);

/// Whether the kernel can compute the op at all: what it cannot, it names.
FusionDecision fitsKernel(GenericOp op);

/// Whether the op is to be fused under `policy`, and why. It pays for whatever
/// fits the kernel, except where a query block meets its keys in 4 pairs or
/// fewer: there vectors stay empty.
FusionDecision decideFusion(GenericOp op, FusionPolicy policy);

/// How many query rows next to each other, along the dimension that tiles are
/// cut along, have one list of key blocks: tiles and blocks of these lie within
/// them. 0 if all rows do, or there are no lists.
int64_t getListRows(GenericOp op);

/// Whether what a step reads of keys that lists of blocks name can be copied
/// next to each other, several blocks for one tile: no weights are asked for
/// that lie by position, as pages' do not, and nothing is one for a whole page.
bool canGatherKeys(GenericOp op);

/// A layout and what it costs.
struct LayoutChoice {
  LayoutAttrInterface layout;
  double cost = 0;
};

/// What layouts are ranked for: the width of the target's vectors, the query
/// rows that a tile is to have, 0 for any, and whether the target multiplies
/// pairs of bf16.
struct LayoutOptions {
  int64_t vectorBits = 512;
  int64_t queryTile = 0;
  bool hasBf16Dot = false;
};

/// The layouts that the dialect knows for `options`, the one of least cost
/// first; none if none holds the query rows of a tile. Of equal costs the first
/// proposed counts.
llvm::SmallVector<LayoutChoice> rankLayouts(GenericOp op,
                                            const LayoutOptions &options);

/// Tiles of few query rows for an op of which only the run knows how many there
/// are: requests of few rows, or all there are.
struct FewRows {
  /// The layout, and that of any number of rows, with what they cost for the
  /// most rows that the former is for.
  LayoutChoice choice, other;
  /// The query row dimensions of a tile: the innermost first, which is not
  /// known, then those that are folded into it.
  llvm::SmallVector<unsigned, 2> rowDims;
  /// Up to how many rows of the first of them they are for.
  int64_t mostRows = 0;
};

/// Such tiles, of up to 8 rows, for as many rows as make up to 16 with what is
/// folded, and for which the layout states less cost than that of any number of
/// rows does; none where there is no such layout, where rows have lists of keys
/// of their own, where all rows are known, or few keys are all there are.
std::optional<FewRows> chooseFewRows(GenericOp op,
                                     const LayoutOptions &options);

/// Whether fewer keys than fill a tile or two are known to be all there are.
bool hasFewKeys(GenericOp op);

/// The query row dimensions that a tile in `layout` spans. Those of extent 1
/// come in only where there is no other.
llvm::SmallVector<unsigned, 2> chooseRowDims(GenericOp op,
                                             LayoutAttrInterface layout);

/// Tiles in a layout: as many key rows as keep the weights of a tile, as they
/// meet the values, in a quarter of a first-level cache of 32 KiB, beside the
/// queries, keys or values, but no more than 512. Where keys and values outgrow
/// a second-level cache and no mask bounds them from below, several query tiles
/// share each tile of them: 8, or 4 where more would leave threads idle; so do
/// they where a tile is copied from several blocks of a list, small ones. Few
/// query rows with many keys are split along the keys. All of it follows from
/// extents, whatever the threads.
TileSizes chooseTileSizes(GenericOp op, LayoutAttrInterface layout);
/// The same of tiles of few rows.
TileSizes chooseTileSizes(GenericOp op, const FewRows &few);

} // namespace attn

#endif // ATTN_ANALYSIS_KERNELFIT_H
