//===- ExpandViews.cpp - Views as offsets and strides -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_EXPANDVIEWSPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

/// memref.expand_shape %m [[0, 1], [2]] output_shape [%a, %b, 4]
/// ->
/// %base, %offset, %sizes:2, %strides:2 = memref.extract_strided_metadata %m
/// memref.reinterpret_cast %base to offset: [%offset], sizes: [%a, %b, 4],
///     strides: [%b * %strides#0, %strides#0, %strides#1]
struct ExpandView final : OpRewritePattern<memref::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(memref::ExpandShapeOp op,
                                PatternRewriter &rewriter) const override {
    ArrayRef<int64_t> shape = op.getResultType().getShape();
    // One size is the quotient of the extent and the others, unless it is one
    // of several or the others are 0.
    auto isSplitAtRunTime = [&](ReassociationIndicesRef group) {
      int64_t dynamic = llvm::count_if(group, [&](int64_t dim) {
        return ShapedType::isDynamic(shape[dim]);
      });
      bool empty =
          llvm::any_of(group, [&](int64_t dim) { return shape[dim] == 0; });
      return dynamic > 1 || (dynamic == 1 && empty);
    };
    SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
    if (llvm::none_of(groups, isSplitAtRunTime))
      return rewriter.notifyMatchFailure(op,
                                         "its sizes follow from each other");

    Location loc = op.getLoc();
    SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
    // What a cast forgets is folded back when it is converted to LLVM, into
    // constants that nothing converts any more: ask what it casts.
    Value source = op.getSrc();
    while (auto cast = source.getDefiningOp<memref::CastOp>()) {
      if (!isa<MemRefType>(cast.getSource().getType()))
        break;
      source = cast.getSource();
    }
    auto metadata =
        memref::ExtractStridedMetadataOp::create(rewriter, loc, source);
    SmallVector<OpFoldResult> strides(shape.size());
    for (auto [group, stride] :
         llvm::zip_equal(groups, metadata.getConstifiedMixedStrides())) {
      // Row-major within the group: the innermost keeps the stride.
      OpFoldResult next = stride;
      for (int64_t dim : llvm::reverse(group)) {
        strides[dim] = next;
        if (dim == group.front())
          break;
        Value lhs = getValueOrCreateConstantIndexOp(rewriter, loc, next);
        Value rhs = getValueOrCreateConstantIndexOp(rewriter, loc, sizes[dim]);
        next = rewriter.createOrFold<arith::MulIOp>(loc, lhs, rhs);
      }
    }
    // As static as the type of the view is, so that it need not be cast.
    auto [typeStrides, typeOffset] = op.getResultType().getStridesAndOffset();
    for (auto [stride, expected] : llvm::zip_equal(strides, typeStrides))
      stride = match(rewriter, loc, stride, expected);
    OpFoldResult offset = match(
        rewriter, loc, metadata.getConstifiedMixedOffset(), typeOffset);
    rewriter.replaceOpWithNewOp<memref::ReinterpretCastOp>(
        op, op.getResultType(), metadata.getBaseBuffer(), offset, sizes,
        strides);
    return success();
  }

  /// `size` as a value where `expected` is dynamic, and as that number where it
  /// is one.
  static OpFoldResult match(OpBuilder &b, Location loc, OpFoldResult size,
                            int64_t expected) {
    if (ShapedType::isDynamic(expected))
      return getValueOrCreateConstantIndexOp(b, loc, size);
    return b.getIndexAttr(expected);
  }
};

struct ExpandViewsPass final : impl::ExpandViewsPassBase<ExpandViewsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    memref::populateExpandStridedMetadataPatterns(patterns);
    patterns.add<ExpandView>(&getContext(), /*benefit=*/2);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
} // namespace attn
