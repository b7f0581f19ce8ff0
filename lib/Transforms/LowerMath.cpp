//===- LowerMath.cpp - Arithmetic that LLVM does not have -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_LOWERMATHPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

/// What the conversion to LLVM has no instruction or intrinsic for.
bool needsExpansion(Operation *op) {
  if (isa<arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp>(op))
    return true;
  if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
    return false;
  return getElementTypeOrSelf(op->getOperand(0).getType()).isBF16() ||
         getElementTypeOrSelf(op->getResult(0).getType()).isBF16();
}

struct LowerMathPass final : impl::LowerMathPassBase<LowerMathPass> {
  void runOnOperation() override {
    bool expands = false, hasMath = false;
    getOperation()->walk([&](Operation *op) {
      expands |= needsExpansion(op);
      hasMath |= isa<math::MathDialect>(op->getDialect()) &&
                 !isa<math::AbsFOp, math::CeilOp, math::FloorOp, math::FmaOp,
                       math::RoundEvenOp, math::SqrtOp>(op);
    });
    OpPassManager pm(ModuleOp::getOperationName());
    if (expands) {
      arith::ArithExpandOpsPassOptions options;
      options.includeBf16 = true;
      pm.addPass(arith::createArithExpandOpsPass(options));
    }
    if (hasMath) {
      // Intrinsics first: libm has neither vectors nor integers.
      pm.addPass(createConvertMathToLLVMPass());
      pm.addPass(createConvertMathToLibmPass());
    }
    if ((expands || hasMath) && failed(runPipeline(pm, getOperation())))
      signalPassFailure();
  }
};

} // namespace
} // namespace attn
