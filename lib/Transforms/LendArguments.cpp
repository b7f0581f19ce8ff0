//===- LendArguments.cpp - Arrays of callers as they lie --------*- C++ -*-===//
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

#define GEN_PASS_DEF_LENDARGUMENTSPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

struct LendArgumentsPass final
    : impl::LendArgumentsPassBase<LendArgumentsPass> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> work;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isDeclaration())
        continue;
      if (function.isPublic())
        keepArguments(function);
      work.push_back(function);
    }
    SymbolTable symbols(getOperation());
    while (!work.empty()) {
      func::FuncOp function = work.pop_back_val();
      function.walk([&](func::CallOp call) {
        auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
        if (callee && !callee.isDeclaration() && handOn(function, call, callee))
          work.push_back(callee);
      });
    }
  }

  /// Arguments of `function` are its caller's.
  static void keepArguments(func::FuncOp function) {
    StringRef writable = BufferizationDialect::kWritableAttrName;
    Builder b(function.getContext());
    for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
      if (isa<TensorType>(function.getArgument(i).getType()) &&
          !function.getArgAttr(i, writable))
        function.setArgAttr(i, writable, b.getBoolAttr(false));
  }

  /// Gives arguments of `callee` the layouts of those of `function` that are
  /// passed for them. Returns whether one has got one.
  bool handOn(func::FuncOp function, func::CallOp call, func::FuncOp callee) {
    StringRef layout = BufferizationDialect::kBufferLayoutAttrName;
    bool changed = false;
    for (auto [index, value] : llvm::enumerate(call.getOperands())) {
      while (auto cast = value.getDefiningOp<tensor::CastOp>())
        value = cast.getSource();
      auto argument = dyn_cast<BlockArgument>(value);
      if (!argument || argument.getOwner() != &function.front() ||
          !isa<RankedTensorType>(callee.getArgument(index).getType()) ||
          callee.getArgAttr(index, layout))
        continue;
      Attribute lent = function.getArgAttr(argument.getArgNumber(), layout);
      if (!lent)
        continue;
      callee.setArgAttr(index, layout, lent);
      ++numHandedOn;
      changed = true;
    }
    return changed;
  }
};

} // namespace
} // namespace attn
