//===- TileContractions.cpp - Products of matrices in tiles -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tiling/Contractions.h"
#include "attn/Transforms/Passes.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_TILECONTRACTIONSPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

struct TileContractionsPass final
    : impl::TileContractionsPassBase<TileContractionsPass> {
  using TileContractionsPassBase::TileContractionsPassBase;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (op.getNumReductionLoops() != 0)
        ops.push_back(op);
    });
    for (linalg::LinalgOp op : ops)
      tile(op);
  }

  void tile(linalg::LinalgOp op) {
    constexpr auto kOpts =
        remark::RemarkOpts::name("contraction").category("attn");
    FailureOr<Contraction> contraction =
        matchContraction(op, [&](const Twine &reason) {
          if (linalg::isaContractionOpInterface(op))
            remark::missed(op.getLoc(), kOpts)
                << "no blocks of a product: " + reason.str();
        });
    if (failed(contraction))
      return;
    // Sums over several dimensions would meet in memory, tile by tile.
    if (whole && !contraction->outerFeatures.empty()) {
      IRRewriter rewriter(op.getContext());
      return widenSums(rewriter, *contraction);
    }
    takeConsumers(*contraction);
    // Nothing is packed for a GPU.
    if (!whole)
      takeProducers(*contraction);
    remark::passed(op.getLoc(), kOpts) << describeTiles(*contraction, whole);
    ++numTiled;
    numFused += contraction->consumers.size() +
                contraction->lhsProducers.size() +
                contraction->rhsProducers.size();
    IRRewriter rewriter(op.getContext());
    tileContraction(rewriter, *contraction, whole);
  }
};

} // namespace
} // namespace attn
