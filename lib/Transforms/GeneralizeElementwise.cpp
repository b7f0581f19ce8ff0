//===- GeneralizeElementwise.cpp - Arithmetic on tensors --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_GENERALIZEELEMENTWISEPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

/// Collects the ops that patterns create.
struct Collector final : RewriterBase::Listener {
  void notifyOperationInserted(Operation *op, OpBuilder::InsertPoint) override {
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      created.push_back(generic);
  }
  SmallVector<linalg::GenericOp> created;
};

/// Gives `op`, which reads none of its inits, new tensors for inits.
void takeNewInits(linalg::GenericOp op) {
  OpBuilder b(op);
  for (OpOperand &init : op.getDpsInitsMutable()) {
    if (init.get().getDefiningOp<tensor::EmptyOp>())
      continue;
    auto type = cast<RankedTensorType>(init.get().getType());
    init.set(tensor::EmptyOp::create(
        b, op.getLoc(), tensor::getMixedSizes(b, op.getLoc(), init.get()),
        type.getElementType(), type.getEncoding()));
  }
}

struct GeneralizeElementwisePass final
    : impl::GeneralizeElementwisePassBase<GeneralizeElementwisePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseToLinalgConversionPatterns(patterns);
    Collector collector;
    walkAndApplyPatterns(getOperation(), std::move(patterns), &collector);
    llvm::for_each(collector.created, takeNewInits);
  }
};

} // namespace
} // namespace attn
