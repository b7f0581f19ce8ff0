//===- TileAttention.cpp - Fused loops over tiles ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Utils.h"
#include "attn/Tiling/Tiling.h"
#include "attn/Transforms/Passes.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_TILEATTENTIONPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

struct TileAttentionPass final
    : impl::TileAttentionPassBase<TileAttentionPass> {
  using TileAttentionPassBase::TileAttentionPassBase;

  void runOnOperation() override {
    std::pair<StringRef, int64_t> given[] = {{"query-tile", queryTile},
                                             {"key-tile", keyTile},
                                             {"query-tiles", queryTiles}};
    for (auto [option, size] : given)
      if (size < 0) {
        getOperation()->emitError("expected ")
            << option << " of 0 or more, but got " << size;
        return signalPassFailure();
      }
    if (failed(checkVectorBits(getOperation(), vectorBits)))
      return signalPassFailure();
    SmallVector<GenericOp> ops;
    getOperation()->walk([&](GenericOp op) { ops.push_back(op); });
    for (GenericOp op : ops)
      if (failed(tile(op)))
        return signalPassFailure();
  }

  LogicalResult tile(GenericOp op) {
    constexpr auto kOpts = remark::RemarkOpts::name("fusion").category("attn");
    FusionDecision decision = decideFusion(op, fusion);
    if (!decision.fused) {
      ++numUnfused;
      remark::missed(op.getLoc(), kOpts) << "left unfused: " + decision.reason;
      if (requireFused)
        return op.emitOpError("cannot be fused: ") << decision.reason;
      return success();
    }
    ++numTiled;
    IRRewriter rewriter(op.getContext());
    // A number of rows that is asked for is one for all tiles. Packed requests
    // of few rows have no form with weights that are used when they are final.
    bool mayBeFew =
        !queryTile && !(needsFinalWeights(op) && op.getQueryStarts());
    std::optional<FewRows> few;
    if (mayBeFew)
      few = chooseFewRows(op, getLayoutOptions());
    if (mayBeFew && op.getQueryStarts())
      return tileRequests(rewriter, op, decision.reason, few);
    if (few) {
      GenericOp copy =
          branchOnRows(rewriter, op, few->rowDims.front(), few->mostRows);
      std::string reason = llvm::formatv("up to {0} query rows", few->mostRows);
      if (failed(tileOne(rewriter, copy, reason, {}, few)))
        return failure();
    }
    return tileOne(rewriter, op, decision.reason, {});
  }

  /// Tiles an op whose requests are packed: those of one row, of few, and of
  /// more by themselves.
  LogicalResult tileRequests(RewriterBase &rewriter, GenericOp op,
                             StringRef reason,
                             const std::optional<FewRows> &few) {
    GenericOp single = takeSingleRows(rewriter, op), copy;
    if (few)
      copy = takeFewRows(rewriter, op);
    if (!single && !copy)
      return tileOne(rewriter, op, reason, {});
    RequestFilter filter;
    filter.starts = op.getQueryStarts();
    filter.request = getRaggedDims(op)->request;
    RequestFilter others = filter;
    others.least = few ? few->mostRows + 1 : 2;
    if (failed(tileOne(rewriter, op, reason, others)))
      return failure();
    if (copy) {
      RequestFilter some = filter;
      some.least = single ? 2 : 1;
      some.most = few->mostRows;
      std::string what =
          llvm::formatv("requests of {0} to {1} rows", some.least, *some.most);
      if (failed(tileOne(rewriter, copy, what, some, few)))
        return failure();
    }
    if (!single)
      return success();
    filter.least = 1;
    filter.most = 1;
    filter.hasCopies = true;
    return tileOne(rewriter, single, "requests of one row", filter);
  }

  LayoutOptions getLayoutOptions() {
    return {vectorBits, queryTile, hasBf16Dot};
  }

  /// Tiles one op, which says why it is fused; with `few`, in tiles of few
  /// rows.
  LogicalResult tileOne(RewriterBase &rewriter, GenericOp op, StringRef reason,
                        const RequestFilter &filter,
                        const std::optional<FewRows> &few = std::nullopt) {
    constexpr auto kOpts = remark::RemarkOpts::name("fusion").category("attn");
    SmallVector<LayoutChoice> ranked;
    if (few)
      ranked = {few->choice, few->other};
    else
      ranked = rankLayouts(op, getLayoutOptions());
    int64_t listRows = getListRows(op);
    if (ranked.empty()) {
      InFlightDiagnostic diag =
          op.emitOpError("expected a layout for query-tile, but there is "
                         "none of ")
          << queryTile.getValue() << " query rows";
      if (listRows)
        diag << " that divide the " << listRows << " that share a list";
      return diag;
    }
    LayoutAttrInterface layout = ranked.front().layout;
    TileSizes sizes =
        few ? chooseTileSizes(op, *few) : chooseTileSizes(op, layout);
    if (keyTile)
      sizes.keyRows = keyTile;
    if (queryTiles)
      sizes.queryTiles = queryTiles;
    // Further rows of a tile are those of other dimensions.
    if (listRows &&
        listRows % (getDivisorAtMost(listRows, layout.getNumRows()) *
                    sizes.queryTiles) !=
            0)
      return op.emitOpError("expected query-tiles that divide the ")
             << listRows << " query rows that share a list, but got "
             << sizes.queryTiles << " of " << layout.getNumRows();
    std::string chosen =
        llvm::formatv("fused: {0}; tiles of {1} query rows by {2} key rows",
                      reason, layout.getNumRows(), sizes.keyRows);
    if (sizes.queryTiles > 1)
      chosen += llvm::formatv("; {0} query tiles share each key tile",
                              sizes.queryTiles);
    if (BlockListAttr blocks = op.getBlocksAttr()) {
      chosen +=
          llvm::formatv("; walks lists of {0} blocks of {1} keys",
                        stringifyBlockKind(blocks.getKind()), blocks.getKeys());
      if (sizes.keyRows > blocks.getKeys() && canGatherKeys(op))
        chosen += ", several to a tile";
    }
    if (sizes.splits > 1)
      chosen += llvm::formatv(
          "; keys in up to {0} parts of {1} or more{2}", sizes.splits,
          sizes.splitKeys, filter.starts ? ", by the number of requests" : "");
    if (op.getQueryStarts())
      chosen += "; no tile has rows of two requests";
    llvm::raw_string_ostream os(chosen);
    for (auto [i, choice] : llvm::enumerate(ranked))
      os << (i == 0   ? "; layout "
             : i == 1 ? ", before "
                      : ", ")
         << choice.layout << llvm::format(" (cost %.3g)", choice.cost);
    remark::passed(op.getLoc(), kOpts) << chosen;
    return tileAttention(rewriter, op, sizes, countTiles, filter);
  }
};

} // namespace
} // namespace attn
