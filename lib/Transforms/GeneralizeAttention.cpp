//===- GeneralizeAttention.cpp - Named ops into the core op -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Expansion/Expansion.h"
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

/// attn.sdpa ins(%q, %k, %v) outs(%o) {causal = #attn.causal<top_left>}
/// ->
/// attn.generic ins(%q, %k, %v) weighting(#attn.softmax) outs(%o)
///     mask { j <= i }
struct GeneralizeSdpa final : OpRewritePattern<SdpaOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SdpaOp op,
                                PatternRewriter &rewriter) const override {
    return success(succeeded(generalizeSdpa(rewriter, op)));
  }
};

struct GeneralizeAttentionPass final
    : impl::GeneralizeAttentionPassBase<GeneralizeAttentionPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateGeneralizeAttentionPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    // What could not be expanded has been reported.
    WalkResult left =
        getOperation()->walk([](SdpaOp) { return WalkResult::interrupt(); });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace

void populateGeneralizeAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<GeneralizeSdpa>(patterns.getContext());
}

} // namespace attn
