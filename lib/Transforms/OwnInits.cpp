//===- OwnInits.cpp - Results in tensors of their own -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using bufferization::BufferizationDialect;

namespace attn {

#define GEN_PASS_DEF_OWNINITSPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

struct OwnInitsPass final : impl::OwnInitsPassBase<OwnInitsPass> {
  using OwnInitsPassBase::OwnInitsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration() || !function.isPublic())
      return;
    function.walk([&](GenericOp op) {
      for (OpOperand &init : op.getDpsInitsMutable())
        if (isa<RankedTensorType>(init.get().getType()))
          replaceArgument(function, init);
    });
  }

  /// Makes a view of an argument, which `init` is, one of a new tensor.
  void replaceArgument(func::FuncOp function, OpOperand &init) {
    SmallVector<Operation *> views;
    Value root = init.get();
    while (Operation *op = root.getDefiningOp()) {
      if (!isa<tensor::CastOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
              op) ||
          !isa<RankedTensorType>(op->getOperand(0).getType()))
        return;
      views.push_back(op);
      root = op->getOperand(0);
    }
    auto argument = cast<BlockArgument>(root);
    if (argument.getOwner() != &function.front())
      return;
    // Where it is the function's to write, it is written.
    auto writable = function.getArgAttrOfType<BoolAttr>(
        argument.getArgNumber(), BufferizationDialect::kWritableAttrName);
    if (writable && writable.getValue())
      return;
    OpBuilder b(init.getOwner());
    Location loc = init.getOwner()->getLoc();
    auto type = cast<RankedTensorType>(root.getType());
    Value tensor =
        tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, root),
                                type.getElementType(), type.getEncoding());
    for (Operation *view : llvm::reverse(views)) {
      Operation *copy = b.clone(*view);
      copy->setOperand(0, tensor);
      tensor = copy->getResult(0);
    }
    init.set(tensor);
    ++numReplaced;
  }
};

} // namespace
} // namespace attn
