//===- Canonicalize.cpp - The shortest form of the core op ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace attn {
namespace {

/// What the region yields, or null if it is empty.
Value getYielded(Region &region) {
  if (region.empty())
    return {};
  return cast<YieldOp>(region.front().back()).getValues().front();
}

/// Drops the block of a region that says what its absence says.
void clear(PatternRewriter &rewriter, Region &region) {
  while (!region.empty())
    rewriter.eraseBlock(&region.front());
}

/// mask { yield true }  ->  (nothing)
struct DropTrueMask final : OpRewritePattern<GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GenericOp op,
                                PatternRewriter &rewriter) const override {
    Value visible = getYielded(op.getMask());
    if (!visible || !matchPattern(visible, m_One()))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      for (Region *region : {&op.getMask(), &op.getRanges(), &op.getClassify()})
        clear(rewriter, *region);
    });
    return success();
  }
};

/// similarity { yield q * k }  ->  (nothing)
struct DropProductSimilarity final : OpRewritePattern<GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GenericOp op,
                                PatternRewriter &rewriter) const override {
    Value yielded = getYielded(op.getSimilarity());
    if (!yielded)
      return failure();
    auto product = yielded.getDefiningOp<arith::MulFOp>();
    Value query = op.getSimilarity().getArgument(0);
    Value key = op.getSimilarity().getArgument(1);
    if (!product || !((product.getLhs() == query && product.getRhs() == key) ||
                      (product.getLhs() == key && product.getRhs() == query)))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { clear(rewriter, op.getSimilarity()); });
    return success();
  }
};

/// score { ^(s): yield s }  ->  (nothing), and likewise for `weight`
struct DropIdentityRegions final : OpRewritePattern<GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GenericOp op,
                                PatternRewriter &rewriter) const override {
    auto isIdentity = [](Region &region) {
      return !region.empty() && getYielded(region) == region.getArgument(0);
    };
    bool score = isIdentity(op.getScore()), weight = isIdentity(op.getWeight());
    if (!score && !weight)
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      if (score)
        clear(rewriter, op.getScore());
      if (weight)
        clear(rewriter, op.getWeight());
    });
    return success();
  }
};

/// inputs(%a, %b : ...) score { ^(s, in0, in1): uses in1 only }
/// ->
/// inputs(%b : ...) score { ^(s, in0): uses in0 }
struct DropUnusedInputs final : OpRewritePattern<GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GenericOp op,
                                PatternRewriter &rewriter) const override {
    unsigned numInputs = op.getInputs().size();
    // The regions whose last arguments are the inputs.
    Region *regions[] = {&op.getSimilarity(), &op.getMask(), &op.getScore(),
                         &op.getWeight()};
    auto getArgument = [&](Region &region, unsigned input) {
      return region.getNumArguments() - numInputs + input;
    };
    SmallVector<unsigned> unused;
    for (unsigned input = 0; input < numInputs; ++input)
      if (llvm::all_of(regions, [&](Region *region) {
            return region->empty() ||
                   region->getArgument(getArgument(*region, input)).use_empty();
          }))
        unused.push_back(input);
    if (unused.empty())
      return failure();

    SmallVector<Attribute> maps(op.getIndexingMaps().getValue());
    rewriter.modifyOpInPlace(op, [&] {
      // From the last: the positions of the others stay as they are.
      for (unsigned input : llvm::reverse(unused)) {
        for (Region *region : regions)
          if (!region->empty())
            region->eraseArgument(getArgument(*region, input));
        --numInputs;
        maps.erase(maps.begin() + 3 + input);
        op.getInputsMutable().erase(input);
      }
      op.setIndexingMapsAttr(rewriter.getArrayAttr(maps));
    });
    return success();
  }
};

} // namespace

void GenericOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<DropIdentityRegions, DropProductSimilarity, DropTrueMask,
               DropUnusedInputs>(context);
}

} // namespace attn
