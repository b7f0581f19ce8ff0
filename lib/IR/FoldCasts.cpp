//===- FoldCasts.cpp - Static shapes travel into the ops --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "attn/IR/Attn.h"

using namespace mlir;

namespace attn {
namespace {

/// Folds `tensor.cast`s that only forget static extents into the ops of the
/// dialect, whose inits decide the result types.
///
/// The upstream pattern for destination-style ops does the same, but cannot
/// clone an op that has empty regions; this one goes first and moves them.
struct FoldCasts final
    : OpInterfaceRewritePattern<DestinationStyleOpInterface> {
  FoldCasts(MLIRContext *context)
      : OpInterfaceRewritePattern(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(DestinationStyleOpInterface op,
                                PatternRewriter &rewriter) const override {
    if (!isa_and_nonnull<AttnDialect>(op->getDialect()) ||
        !tensor::hasFoldableTensorCastOperand(op))
      return failure();
    SmallVector<Type> types(op->getResultTypes());
    SmallVector<Value> operands =
        tensor::getUpdatedOperandsAfterCastOpFolding(op, types);

    OperationState state(op.getLoc(), op->getName());
    state.addOperands(operands);
    state.addTypes(types);
    state.addAttributes(llvm::to_vector(op->getDiscardableAttrs()));
    state.propertiesAttr = op->getPropertiesAsAttribute();
    for (Region &region : op->getRegions())
      state.addRegion()->takeBody(region);
    Operation *folded = rewriter.create(state);
    SmallVector<Value> results;
    for (auto [from, to] : llvm::zip_equal(op->getResults(),
                                           folded->getResults())) {
      Value result = to;
      if (from.getType() != to.getType())
        result = tensor::CastOp::create(rewriter, op.getLoc(), from.getType(),
                                        to);
      results.push_back(result);
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

} // namespace

void AttnDialect::getCanonicalizationPatterns(
    RewritePatternSet &results) const {
  results.add<FoldCasts>(getContext());
  detail::populateNarrowIndexCasts(results);
}

} // namespace attn
