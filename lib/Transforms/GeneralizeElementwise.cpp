//===- GeneralizeElementwise.cpp - Arithmetic on tensors --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
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

/// Writes a softmax as the ops that it is made of, which sum up in f32 or more.
LogicalResult decompose(RewriterBase &rewriter, linalg::SoftmaxOp op) {
  Location loc = op.getLoc();
  rewriter.setInsertionPoint(op);
  auto type = cast<RankedTensorType>(op.getInput().getType());
  Type element = type.getElementType();
  bool isNarrow = element.getIntOrFloatBitWidth() < 32;
  RankedTensorType wide = isNarrow ? type.clone(rewriter.getF32Type()) : type;
  Value input = op.getInput();
  if (isNarrow)
    input = arith::ExtFOp::create(rewriter, loc, wide, input);
  Value init = tensor::EmptyOp::create(
      rewriter, loc, tensor::getMixedSizes(rewriter, loc, input),
      wide.getElementType(), wide.getEncoding());
  auto softmax = linalg::SoftmaxOp::create(rewriter, loc, TypeRange(wide),
                                           input, init, op.getDimension());
  FailureOr<SmallVector<Value>> results = softmax.decomposeOperation(rewriter);
  if (failed(results))
    return failure();
  Value result = results->front();
  rewriter.eraseOp(softmax);
  if (isNarrow)
    result = arith::TruncFOp::create(rewriter, loc, type, result);
  rewriter.replaceOp(op, result);
  return success();
}

struct GeneralizeElementwisePass final
    : impl::GeneralizeElementwisePassBase<GeneralizeElementwisePass> {
  void runOnOperation() override {
    SmallVector<linalg::SoftmaxOp> ops;
    getOperation()->walk([&](linalg::SoftmaxOp op) {
      if (op.hasPureTensorSemantics() &&
          isa<FloatType>(getElementTypeOrSelf(op.getInput())))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::SoftmaxOp op : ops)
      if (failed(decompose(rewriter, op)))
        return signalPassFailure();

    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseToLinalgConversionPatterns(patterns);
    Collector collector;
    walkAndApplyPatterns(getOperation(), std::move(patterns), &collector);
    llvm::for_each(collector.created, takeNewInits);
  }
};

} // namespace
} // namespace attn
