//===- SeparateInits.cpp - An empty tensor for each op ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_SEPARATEINITSPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

struct SeparateInitsPass final
    : impl::SeparateInitsPassBase<SeparateInitsPass> {
  using SeparateInitsPassBase::SeparateInitsPassBase;

  void runOnOperation() override {
    SmallVector<tensor::EmptyOp> shared;
    getOperation()->walk([&](tensor::EmptyOp op) {
      if (!llvm::hasNItemsOrLess(op->getUses(), maxUses))
        shared.push_back(op);
    });
    for (tensor::EmptyOp op : shared) {
      for (OpOperand &use : llvm::make_early_inc_range(op->getUses())) {
        OpBuilder b(use.getOwner());
        use.set(b.clone(*op)->getResult(0));
      }
      op->erase();
    }
    numSeparated += shared.size();
  }
};

} // namespace
} // namespace attn
