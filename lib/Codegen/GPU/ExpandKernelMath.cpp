//===- ExpandKernelMath.cpp - Functions as instructions ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// exp(x) = 2^n 2^r, where n is the integer next to x log2(e) and r the rest, to
// which the low part of the product is added: both powers are instructions.
//
//===----------------------------------------------------------------------===//

#include "Hardware.h"
#include "attn/Codegen/Common/MathBuilder.h"
#include "attn/Codegen/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_EXPANDKERNELMATHPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

/// What LLVM has an intrinsic for that the target does without a call; empty
/// for other ops.
StringRef getIntrinsic(Operation *op) {
  return llvm::StringSwitch<StringRef>(op->getName().getStringRef())
      .Case("math.absf", "llvm.fabs")
      .Case("math.ceil", "llvm.ceil")
      .Case("math.copysign", "llvm.copysign")
      .Case("math.floor", "llvm.floor")
      .Case("math.fma", "llvm.fma")
      .Case("math.round", "llvm.round")
      .Case("math.roundeven", "llvm.roundeven")
      .Case("math.sqrt", "llvm.sqrt")
      .Case("math.trunc", "llvm.trunc")
      .Default("");
}

/// The value of an op that counts bits, of integers or vectors of them; null
/// for other ops. An index has 64.
Value countBits(OpBuilder &b, Operation *op) {
  bool leads = isa<math::CountLeadingZerosOp>(op);
  if (!leads && !isa<math::CtPopOp, math::CountTrailingZerosOp>(op))
    return {};
  Location loc = op->getLoc();
  Hardware hardware(b, loc);
  Value x = op->getOperand(0);
  Type type = x.getType(), i64 = b.getI64Type();
  if (getElementTypeOrSelf(type).isIndex()) {
    auto vector = dyn_cast<VectorType>(type);
    x = arith::IndexCastOp::create(b, loc, vector ? vector.clone(i64) : i64, x);
  }
  Value count;
  if (isa<math::CtPopOp>(op)) {
    count = hardware.call("llvm.ctpop", x);
  } else {
    // All bits of zero are zeros.
    Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
    count = hardware.call(leads ? "llvm.ctlz" : "llvm.cttz", {x, no});
  }
  if (count.getType() == type)
    return count;
  return arith::IndexCastOp::create(b, loc, type, count);
}

Value emitExp(OpBuilder &b, Location loc, Value x) {
  Hardware hardware(b, loc);
  auto constant = [&](double value) {
    return createFloatConstant(b, loc, x.getType(), value);
  };
  constexpr float kHigh = 1.4426950408889634f;
  constexpr double kLow = 1.4426950408889634 - kHigh;
  // Beyond these the result is 0 or infinite all the same, and nothing below
  // is. NaN stays.
  auto clamp = [&](arith::CmpFPredicate predicate, double bound) {
    Value limit = constant(bound);
    Value beyond = arith::CmpFOp::create(b, loc, predicate, x, limit);
    x = arith::SelectOp::create(b, loc, beyond, limit, x);
  };
  clamp(arith::CmpFPredicate::OLT, -110.0);
  clamp(arith::CmpFPredicate::OGT, 110.0);
  Value product = arith::MulFOp::create(b, loc, x, constant(kHigh));
  Value whole = hardware.call("llvm.roundeven", product);
  Value rest = math::FmaOp::create(b, loc, x, constant(kHigh),
                                   arith::NegFOp::create(b, loc, whole));
  rest = math::FmaOp::create(b, loc, x, constant(kLow), rest);
  return arith::MulFOp::create(b, loc, hardware.exp2(rest),
                               hardware.exp2(whole));
}

/// The value of an op on f64, for which there are no approximations; null for
/// those there is no form for.
Value emitWide(OpBuilder &b, Operation *op) {
  Location loc = op->getLoc();
  MathBuilder functions(b, loc, b.getF64Type());
  Value x = op->getOperand(0);
  if (isa<math::Exp2Op>(op))
    return functions.exp2(x);
  if (isa<math::ExpOp>(op))
    return functions.exp(x);
  if (isa<math::LogOp>(op))
    return functions.log(x);
  if (isa<math::TanhOp>(op))
    return functions.tanh(x);
  if (isa<math::RsqrtOp>(op))
    return arith::DivFOp::create(b, loc, functions.constant(1),
                                 math::SqrtOp::create(b, loc, x));
  return {};
}

/// The value of an op on f32 or f64; null for those there is no form for.
Value emitScalar(OpBuilder &b, Operation *op) {
  Location loc = op->getLoc();
  Hardware hardware(b, loc);
  StringRef intrinsic = getIntrinsic(op);
  if (!intrinsic.empty())
    return hardware.call(intrinsic, op->getOperands());
  if (op->getResult(0).getType().isF64())
    return emitWide(b, op);
  if (isa<math::Exp2Op>(op))
    return hardware.exp2(op->getOperand(0));
  if (isa<math::ExpOp>(op))
    return emitExp(b, loc, op->getOperand(0));
  if (isa<math::RsqrtOp>(op))
    return hardware.reciprocalSqrt(op->getOperand(0));
  if (isa<arith::DivFOp>(op))
    return hardware.divide(op->getOperand(0), op->getOperand(1));
  return {};
}

/// Whether an op is one of those that become others here. f64 is divided by an
/// instruction.
bool isExpanded(Operation *op) {
  Type type = op->getNumResults() == 1 ? op->getResult(0).getType() : Type();
  if (!type || !(type.isF32() || type.isF64()))
    return false;
  return isa<math::ExpOp, math::Exp2Op, math::RsqrtOp>(op) ||
         (type.isF32() && isa<arith::DivFOp>(op)) ||
         (type.isF64() && isa<math::LogOp, math::TanhOp>(op)) ||
         !getIntrinsic(op).empty();
}

struct ExpandBitCounts final : RewritePattern {
  explicit ExpandBitCounts(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/3, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    Value count = countBits(rewriter, op);
    if (!count)
      return failure();
    rewriter.replaceOp(op, count);
    return success();
  }
};

struct ExpandScalars final : RewritePattern {
  explicit ExpandScalars(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!isExpanded(op))
      return failure();
    rewriter.replaceOp(op, emitScalar(rewriter, op));
    return success();
  }
};

/// What is divided as f16 or bf16 is divided as f32, and rounded once more.
struct WidenDivision final : OpRewritePattern<arith::DivFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::DivFOp op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!type.isF16() && !type.isBF16())
      return failure();
    auto widen = [&](Value value) -> Value {
      return arith::ExtFOp::create(rewriter, op.getLoc(), rewriter.getF32Type(),
                                   value);
    };
    Value quotient = arith::DivFOp::create(
        rewriter, op.getLoc(), widen(op.getLhs()), widen(op.getRhs()));
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, type, quotient);
    return success();
  }
};

/// Element by element: a thread has no vectors.
struct UnrollVectors final : RewritePattern {
  explicit UnrollVectors(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/2, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    bool isMath = isa<math::MathDialect>(op->getDialect());
    if ((!isMath && !isa<arith::DivFOp>(op)) || op->getNumResults() != 1)
      return failure();
    auto type = dyn_cast<VectorType>(op->getResult(0).getType());
    if (!type || type.getRank() != 1)
      return failure();
    Location loc = op->getLoc();
    SmallVector<Value> elements;
    for (int64_t i = 0; i < type.getDimSize(0); ++i) {
      OperationState state(loc, op->getName());
      for (Value operand : op->getOperands())
        state.operands.push_back(
            vector::ExtractOp::create(rewriter, loc, operand, i));
      state.addTypes(type.getElementType());
      state.addAttributes(llvm::to_vector(op->getDiscardableAttrs()));
      state.propertiesAttr = op->getPropertiesAsAttribute();
      elements.push_back(rewriter.create(state)->getResult(0));
    }
    rewriter.replaceOpWithNewOp<vector::FromElementsOp>(op, type, elements);
    return success();
  }
};

struct ExpandKernelMathPass final
    : impl::ExpandKernelMathPassBase<ExpandKernelMathPass> {
  void runOnOperation() override {
    // What is said of f16 and bf16 is computed in f32.
    OpPassManager pm(gpu::GPUModuleOp::getOperationName());
    pm.addPass(math::createMathExtendToSupportedTypes());
    if (failed(runPipeline(pm, getOperation())))
      return signalPassFailure();

    RewritePatternSet patterns(&getContext());
    patterns
        .add<ExpandBitCounts, ExpandScalars, UnrollVectors, WidenDivision>(
            &getContext());
    populateExpandAbsIPatterns(patterns);
    math::populateExpansionPatterns(
        patterns,
        {"sinh", "cosh", "tan", "asinh", "acosh", "atanh", "powf", "fpowi"});
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return name != math::ExpOp::getOperationName();
    });
    GreedyRewriteConfig config;
    config.enableFolding(false);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      return signalPassFailure();
    auto isDivision = [](Operation *op) {
      return isa<arith::DivFOp>(op) && op->getResult(0).getType().isF64();
    };
    auto result = getOperation().walk([&](Operation *op) {
      bool isKnown = isDivision(op) ||
                     !(isa<math::MathDialect>(op->getDialect()) ||
                       isa<arith::RemFOp, arith::DivFOp>(op));
      if (isKnown)
        return WalkResult::advance();
      InFlightDiagnostic error = op->emitOpError("is not built for GPUs on ");
      Type type = op->getOperand(0).getType();
      error << type;
      if (getElementTypeOrSelf(type).isF64())
        error << "; of f64 there are sqrt, rsqrt, exp, exp2, log and tanh: "
                 "compute it in f32, or of these";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace attn
