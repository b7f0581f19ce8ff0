//===- NarrowIndexCasts.cpp - Indices that lose bits ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace attn {
namespace detail {
namespace {

/// arith.index_cast %i : index to i8
/// ->
/// %wide = arith.index_cast %i : index to i64
/// arith.trunci %wide : i64 to i8
///
/// Upstream drops a cast to a narrow type and back, and with it the bits that
/// it loses (llvm-project, issues 90238 and 90296). This goes first, whichever
/// of the two casts is visited: a truncation is not dropped.
template <typename CastOp>
struct TruncateNarrowIndices final : OpRewritePattern<CastOp> {
  explicit TruncateNarrowIndices(MLIRContext *context)
      : OpRewritePattern<CastOp>(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(CastOp op,
                                PatternRewriter &rewriter) const override {
    CastOp narrow =
        isNarrowing(op) ? op : op.getIn().template getDefiningOp<CastOp>();
    if (!narrow || !isNarrowing(narrow))
      return rewriter.notifyMatchFailure(op, "no index is narrowed");
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(narrow);
    Type wide = rewriter.getI64Type();
    if (auto shaped = dyn_cast<ShapedType>(narrow.getType()))
      wide = shaped.clone(wide);
    Value number = arith::IndexCastOp::create(rewriter, narrow.getLoc(), wide,
                                              narrow.getIn());
    rewriter.replaceOpWithNewOp<arith::TruncIOp>(narrow, narrow.getType(),
                                                 number);
    return success();
  }

private:
  static bool isNarrowing(CastOp op) {
    auto integer = dyn_cast<IntegerType>(getElementTypeOrSelf(op.getType()));
    return integer && integer.getWidth() < 64;
  }
};

} // namespace

void populateNarrowIndexCasts(RewritePatternSet &patterns) {
  patterns.add<TruncateNarrowIndices<arith::IndexCastOp>,
               TruncateNarrowIndices<arith::IndexCastUIOp>>(
      patterns.getContext());
}

} // namespace detail
} // namespace attn
