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

#include <limits>

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

using Function = Value (MathBuilder::*)(Value);

/// What f64 has of one argument besides instructions; null for other ops.
Function getFunction(Operation *op) {
  return llvm::StringSwitch<Function>(op->getName().getStringRef())
      .Case("math.acos", &MathBuilder::acos)
      .Case("math.asin", &MathBuilder::asin)
      .Case("math.atan", &MathBuilder::atan)
      .Case("math.cbrt", &MathBuilder::cbrt)
      .Case("math.cos", &MathBuilder::cos)
      .Case("math.erf", &MathBuilder::erf)
      .Case("math.erfc", &MathBuilder::erfc)
      .Case("math.exp", &MathBuilder::exp)
      .Case("math.exp2", &MathBuilder::exp2)
      .Case("math.expm1", &MathBuilder::expm1)
      .Case("math.log", &MathBuilder::log)
      .Case("math.log10", &MathBuilder::log10)
      .Case("math.log1p", &MathBuilder::log1p)
      .Case("math.log2", &MathBuilder::log2)
      .Case("math.sin", &MathBuilder::sin)
      .Case("math.tan", &MathBuilder::tan)
      .Case("math.tanh", &MathBuilder::tanh)
      .Default(nullptr);
}

/// f32 has these from there, too.
bool isWave(Operation *op) {
  return isa<math::SinOp, math::CosOp, math::TanOp>(op);
}

/// The value of an op on f64, for which there are no approximations; null for
/// those there is no form for.
Value emitWide(OpBuilder &b, Operation *op) {
  Location loc = op->getLoc();
  MathBuilder functions(b, loc, b.getF64Type());
  Value x = op->getOperand(0);
  if (Function function = getFunction(op))
    return (functions.*function)(x);
  if (isa<math::Atan2Op>(op))
    return functions.atan2(x, op->getOperand(1));
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
  MathBuilder functions(b, loc, b.getF32Type());
  if (isWave(op))
    return (functions.*getFunction(op))(op->getOperand(0));
  if (isa<math::Atan2Op>(op))
    return functions.atan2(op->getOperand(0), op->getOperand(1));
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
  return isa<math::Atan2Op, math::ExpOp, math::Exp2Op, math::RsqrtOp>(op) ||
         isWave(op) || (type.isF32() && isa<arith::DivFOp>(op)) ||
         (type.isF64() && getFunction(op)) ||
         !getIntrinsic(op).empty();
}

/// What a number is, by a comparison: none, infinite, or finite.
struct ExpandClasses final : RewritePattern {
  explicit ExpandClasses(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/3, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    using Predicate = arith::CmpFPredicate;
    if (!isa<math::IsNaNOp, math::IsInfOp, math::IsFiniteOp>(op))
      return failure();
    Location loc = op->getLoc();
    Value x = op->getOperand(0);
    if (isa<math::IsNaNOp>(op)) {
      rewriter.replaceOpWithNewOp<arith::CmpFOp>(op, Predicate::UNO, x, x);
      return success();
    }
    Value infinity =
        createFloatConstant(rewriter, loc, x.getType(),
                            std::numeric_limits<double>::infinity());
    Value size = math::AbsFOp::create(rewriter, loc, x);
    Predicate predicate =
        isa<math::IsInfOp>(op) ? Predicate::OEQ : Predicate::OLT;
    rewriter.replaceOpWithNewOp<arith::CmpFOp>(op, predicate, size, infinity);
    return success();
  }
};

/// log10(x) = log2(x) log10(2), of f32.
struct ExpandLog10 final : OpRewritePattern<math::Log10Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::Log10Op op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return failure();
    Value log = math::Log2Op::create(rewriter, op.getLoc(), op.getOperand());
    Value factor = createFloatConstant(rewriter, op.getLoc(), op.getType(),
                                       0.30102999566398120);
    rewriter.replaceOpWithNewOp<arith::MulFOp>(op, log, factor);
    return success();
  }
};

/// Odd functions by others, which lose nothing near 0.
struct ExpandOdd final : RewritePattern {
  explicit ExpandOdd(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/3, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    Type type = op->getNumResults() == 1 ? op->getResult(0).getType() : Type();
    if (!isa_and_nonnull<Float32Type, Float64Type>(type))
      return failure();
    if (!isa<math::SinhOp, math::AsinhOp, math::AtanhOp>(op) &&
        !(type.isF32() && isa<math::CbrtOp>(op)))
      return failure();
    Location loc = op->getLoc();
    Value x = op->getOperand(0);
    Value size = math::AbsFOp::create(rewriter, loc, x);
    Value result = isa<math::SinhOp>(op)    ? emitSinh(rewriter, loc, size)
                   : isa<math::AsinhOp>(op) ? emitAsinh(rewriter, loc, size)
                   : isa<math::AtanhOp>(op) ? emitAtanh(rewriter, loc, size)
                                            : emitCbrt(rewriter, loc, size);
    rewriter.replaceOpWithNewOp<math::CopySignOp>(op, result, x);
    return success();
  }

private:
  /// With p = e^x - 1: (p + p / (p + 1)) / 2; of a large x e^(x/2)^2 / 2.
  static Value emitSinh(OpBuilder &b, Location loc, Value x) {
    auto constant = [&](double value) {
      return createFloatConstant(b, loc, x.getType(), value);
    };
    Value half = constant(0.5);
    Value p = math::ExpM1Op::create(b, loc, x);
    Value other = arith::DivFOp::create(
        b, loc, p, arith::AddFOp::create(b, loc, p, constant(1)));
    Value sum = arith::AddFOp::create(b, loc, p, other);
    Value small = arith::MulFOp::create(b, loc, sum, half);
    Value root = math::ExpOp::create(
        b, loc, arith::MulFOp::create(b, loc, x, half));
    Value large = arith::MulFOp::create(
        b, loc, arith::MulFOp::create(b, loc, root, half), root);
    Value isLarge = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x,
                                          constant(22));
    return arith::SelectOp::create(b, loc, isLarge, large, small);
  }

  /// log1p(x + x^2 / (1 + sqrt(1 + x^2))); of a large x log(2 x).
  static Value emitAsinh(OpBuilder &b, Location loc, Value x) {
    auto constant = [&](double value) {
      return createFloatConstant(b, loc, x.getType(), value);
    };
    Value one = constant(1), square = arith::MulFOp::create(b, loc, x, x);
    Value root = math::SqrtOp::create(
        b, loc, arith::AddFOp::create(b, loc, square, one));
    Value rest = arith::DivFOp::create(
        b, loc, square, arith::AddFOp::create(b, loc, root, one));
    Value small = math::Log1pOp::create(
        b, loc, arith::AddFOp::create(b, loc, x, rest));
    Value large = arith::AddFOp::create(
        b, loc, math::LogOp::create(b, loc, x), constant(0.6931471805599453));
    Value isLarge = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x,
                                          constant(0x1p28));
    return arith::SelectOp::create(b, loc, isLarge, large, small);
  }

  /// A third of the logarithm, and one of Newton's steps.
  static Value emitCbrt(OpBuilder &b, Location loc, Value x) {
    auto constant = [&](double value) {
      return createFloatConstant(b, loc, x.getType(), value);
    };
    Value third = arith::MulFOp::create(
        b, loc, math::LogOp::create(b, loc, x), constant(1.0 / 3));
    Value root = math::ExpOp::create(b, loc, third);
    Value square = arith::MulFOp::create(b, loc, root, root);
    Value error = math::FmaOp::create(b, loc, square, root,
                                      arith::NegFOp::create(b, loc, x));
    Value slope = arith::MulFOp::create(b, loc, square, constant(3));
    Value better = arith::SubFOp::create(
        b, loc, root, arith::DivFOp::create(b, loc, error, slope));
    auto is = [&](double value) -> Value {
      return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x,
                                   constant(value));
    };
    Value stays = arith::OrIOp::create(
        b, loc, is(0), is(std::numeric_limits<double>::infinity()));
    return arith::SelectOp::create(b, loc, stays, x, better);
  }

  /// log1p(2 x / (1 - x)) / 2.
  static Value emitAtanh(OpBuilder &b, Location loc, Value x) {
    auto constant = [&](double value) {
      return createFloatConstant(b, loc, x.getType(), value);
    };
    Value ratio = arith::DivFOp::create(
        b, loc, arith::AddFOp::create(b, loc, x, x),
        arith::SubFOp::create(b, loc, constant(1), x));
    return arith::MulFOp::create(b, loc, math::Log1pOp::create(b, loc, ratio),
                                 constant(0.5));
  }
};

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
        .add<ExpandBitCounts, ExpandClasses, ExpandLog10, ExpandOdd,
             ExpandScalars, UnrollVectors, WidenDivision>(&getContext());
    populateExpandAbsIPatterns(patterns);
    math::populateExpansionPatterns(
        patterns,
        {"cosh", "acosh", "powf", "fpowi"});
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return name != math::ExpOp::getOperationName() &&
             name != math::Atan2Op::getOperationName() &&
             name != math::SinOp::getOperationName() &&
             name != math::CosOp::getOperationName();
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
      error << type << "; expected functions of math, or other arithmetic";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace attn
