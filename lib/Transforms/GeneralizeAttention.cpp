//===- GeneralizeAttention.cpp - Named ops into the core op -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_GENERALIZEATTENTIONPASS
#include "attn/Transforms/Passes.h.inc"

//===----------------------------------------------------------------------===//
// Patterns and pass
//===----------------------------------------------------------------------===//

namespace {

/// A named op becomes what its interface says it stands for.
struct ExpandNamedOp final
    : OpInterfaceRewritePattern<NamedAttentionOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(NamedAttentionOpInterface op,
                                PatternRewriter &rewriter) const override {
    return op.expand(rewriter);
  }
};

struct GeneralizeAttentionPass final
    : impl::GeneralizeAttentionPassBase<GeneralizeAttentionPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateGeneralizeAttentionPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    // What could not be expanded has been reported.
    WalkResult left = getOperation()->walk(
        [](NamedAttentionOpInterface) { return WalkResult::interrupt(); });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace

void populateGeneralizeAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandNamedOp>(patterns.getContext());
}

} // namespace attn
