//===- LowerMath.cpp - Arithmetic that LLVM does not have -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_LOWERMATHPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

/// Whether an operand or a result holds bf16.
bool holdsBF16(Operation *op) {
  auto isBF16 = [](Type type) { return getElementTypeOrSelf(type).isBF16(); };
  return llvm::any_of(op->getOperandTypes(), isBF16) ||
         llvm::any_of(op->getResultTypes(), isBF16);
}

bool holdsF64(Operation *op) {
  return getElementTypeOrSelf(op->getOperand(0)).isF64() ||
         getElementTypeOrSelf(op->getResult(0)).isF64();
}

/// What a module has of what the conversion to LLVM cannot do by itself.
struct Needs {
  bool emulation = false, rewriting = false, expansion = false, power = false,
       math = false;

  explicit Needs(Operation *root) {
    root->walk([&](Operation *op) {
      rewriting |= isa<x86vector::X86IntrinsicOp>(op);
      bool isMath = isa_and_nonnull<math::MathDialect>(op->getDialect());
      if (!isMath && !isa_and_nonnull<arith::ArithDialect>(op->getDialect()))
        return;
      bool hasBF16 = holdsBF16(op);
      expansion |=
          hasBF16 ||
          isa<arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp>(op);
      if (isa<arith::ExtFOp, arith::TruncFOp>(op)) {
        rewriting |= hasBF16 && holdsF64(op);
        return;
      }
      // These move bits, or have no operands.
      emulation |=
          hasBF16 &&
          !isa<arith::BitcastOp, arith::ConstantOp, arith::SelectOp>(op);
      rewriting |= isa<math::ClampFOp, math::IsInfOp, math::IsNormalOp,
                       math::IPowIOp, arith::AddUIExtendedOp>(op);
      power |= isa<math::IPowIOp, math::FPowIOp>(op);
      math |= isMath && !isa<math::AbsFOp, math::CeilOp, math::FloorOp,
                             math::FmaOp, math::RoundEvenOp, math::SqrtOp>(op);
    });
  }
};

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// A number like `element`, or a vector of it.
Value createSplat(OpBuilder &b, Location loc, Type type, TypedAttr element) {
  if (auto vectorType = dyn_cast<VectorType>(type))
    element = DenseElementsAttr::get(vectorType, element);
  return arith::ConstantOp::create(b, loc, element);
}

/// f64 -> bf16 = f64 -> f32, rounded to odd, -> bf16: rounded to the nearest
/// twice, a number just beside the middle of two would go the wrong way. To
/// odd means towards zero, with the last bit set where that was not exact
/// (Boldo and Melquiond, Emulation of FMA and correctly rounded sums, 2008).
struct RoundOnce final : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    Value x = op.getIn();
    if (!getElementTypeOrSelf(x).isF64() ||
        !getElementTypeOrSelf(op.getOut()).isBF16() || op.getRoundingmodeAttr())
      return b.notifyMatchFailure(op, "not f64 to the nearest bf16");
    auto like = [&](Type element) -> Type {
      if (auto type = dyn_cast<VectorType>(x.getType()))
        return type.clone(element);
      return element;
    };
    Type bits = like(b.getI32Type()), single = like(b.getF32Type());
    Value nearest = arith::TruncFOp::create(b, loc, single, x);
    Value back = arith::ExtFOp::create(b, loc, x.getType(), nearest);
    using Predicate = arith::CmpFPredicate;
    // False for NaN.
    Value inexact = arith::CmpFOp::create(b, loc, Predicate::ONE, back, x);
    Value away = arith::CmpFOp::create(b, loc, Predicate::OGT,
                                       math::AbsFOp::create(b, loc, back),
                                       math::AbsFOp::create(b, loc, x));
    Value number = arith::BitcastOp::create(b, loc, bits, nearest);
    Value step = arith::ExtUIOp::create(b, loc, bits, away);
    Value odd = arith::SubIOp::create(b, loc, number, step);
    odd = arith::OrIOp::create(
        b, loc, odd, createSplat(b, loc, bits, b.getI32IntegerAttr(1)));
    number = arith::SelectOp::create(b, loc, inexact, odd, number);
    Value rounded = arith::BitcastOp::create(b, loc, single, number);
    b.replaceOpWithNewOp<arith::TruncFOp>(op, op.getType(), rounded);
    return success();
  }
};

/// bf16 -> f64 = bf16 -> f32 -> f64, both exact: the former is a shift of bits,
/// and LLVM takes the way at once by a call where there are no instructions.
struct ExtendTwice final : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &b) const override {
    Type type = op.getIn().getType();
    if (!getElementTypeOrSelf(type).isBF16() ||
        !getElementTypeOrSelf(op.getType()).isF64())
      return b.notifyMatchFailure(op, "not bf16 to f64");
    Type single = b.getF32Type();
    if (auto vectorType = dyn_cast<VectorType>(type))
      single = vectorType.clone(single);
    Value wide = arith::ExtFOp::create(b, op.getLoc(), single, op.getIn());
    b.replaceOpWithNewOp<arith::ExtFOp>(op, op.getType(), wide);
    return success();
  }
};

/// isinf(x): |x| = inf. isnormal(x): smallest normal <= |x| < inf.
template <typename OpTy>
struct ClassifyByMagnitude final : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &b) const override {
    using Predicate = arith::CmpFPredicate;
    Location loc = op.getLoc();
    Type type = op.getOperand().getType();
    auto element = cast<FloatType>(getElementTypeOrSelf(type));
    const llvm::fltSemantics &semantics = element.getFloatSemantics();
    Value magnitude = math::AbsFOp::create(b, loc, op.getOperand());
    auto compare = [&](Predicate predicate, const llvm::APFloat &number) {
      Value bound = createSplat(b, loc, type, b.getFloatAttr(element, number));
      return arith::CmpFOp::create(b, loc, predicate, magnitude, bound);
    };
    llvm::APFloat infinity = llvm::APFloat::getInf(semantics);
    if (isa<math::IsInfOp>(op.getOperation())) {
      b.replaceOp(op, compare(Predicate::OEQ, infinity));
      return success();
    }
    Value least = compare(Predicate::OGE,
                          llvm::APFloat::getSmallestNormalized(semantics));
    Value finite = compare(Predicate::OLT, infinity);
    b.replaceOpWithNewOp<arith::AndIOp>(op, least, finite);
    return success();
  }
};

/// clampf(x, low, high) = min(max(x, low), high). The expansion of LLVM 22
/// takes the minimum with `low`: of any x it makes `high`.
struct ClampFromBelowFirst final : OpRewritePattern<math::ClampFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ClampFOp op,
                                PatternRewriter &b) const override {
    Value raised =
        arith::MaximumFOp::create(b, op.getLoc(), op.getValue(), op.getMin());
    b.replaceOpWithNewOp<arith::MinimumFOp>(op, raised, op.getMax());
    return success();
  }
};

/// The lowerings of these know no `index`: a power is computed on i64, and a
/// sum has carried where it is below a summand.
struct PowerOfIndex final : OpRewritePattern<math::IPowIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::IPowIOp op,
                                PatternRewriter &b) const override {
    if (!getElementTypeOrSelf(op.getType()).isIndex())
      return b.notifyMatchFailure(op, "not of index");
    Type wide = b.getI64Type();
    if (auto type = dyn_cast<VectorType>(op.getType()))
      wide = type.clone(wide);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(
          arith::IndexCastOp::create(b, op.getLoc(), wide, operand));
    Value power =
        math::IPowIOp::create(b, op.getLoc(), operands[0], operands[1]);
    b.replaceOpWithNewOp<arith::IndexCastOp>(op, op.getType(), power);
    return success();
  }
};

struct AddIndexWithCarry final : OpRewritePattern<arith::AddUIExtendedOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::AddUIExtendedOp op,
                                PatternRewriter &b) const override {
    if (!getElementTypeOrSelf(op.getSum().getType()).isIndex())
      return b.notifyMatchFailure(op, "not of index");
    Value sum = arith::AddIOp::create(b, op.getLoc(), op.getLhs(), op.getRhs());
    Value carry = arith::CmpIOp::create(
        b, op.getLoc(), arith::CmpIPredicate::ult, sum, op.getLhs());
    b.replaceOp(op, {sum, carry});
    return success();
  }
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Ops on bf16 compute in f32 and round.
LogicalResult emulateBF16(Operation *root) {
  MLIRContext *context = root->getContext();
  TypeConverter converter;
  arith::populateEmulateUnsupportedFloatsConversions(
      converter, BFloat16Type::get(context), Float32Type::get(context));
  RewritePatternSet patterns(context);
  arith::populateEmulateUnsupportedFloatsPatterns(patterns, converter);
  ConversionTarget target(*context);
  arith::populateEmulateUnsupportedFloatsLegality(target, converter);
  target.addDynamicallyLegalDialect<math::MathDialect>(
      [&](Operation *op) { return converter.isLegal(op); });
  return applyPartialConversion(root, target, std::move(patterns));
}

/// An instruction of one target is a call of its intrinsic, by name.
struct CallIntrinsic : OpInterfaceRewritePattern<x86vector::X86IntrinsicOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(x86vector::X86IntrinsicOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, op->getResult(0).getType(),
        rewriter.getStringAttr(op.getIntrinsicName()), op->getOperands());
    return success();
  }
};

struct LowerMathPass final : impl::LowerMathPassBase<LowerMathPass> {
  void runOnOperation() override {
    Needs needs(getOperation());
    if (needs.emulation && failed(emulateBF16(getOperation())))
      return signalPassFailure();
    if (needs.rewriting) {
      RewritePatternSet patterns(&getContext());
      patterns.add<RoundOnce, ExtendTwice, ClampFromBelowFirst,
                   ClassifyByMagnitude<math::IsInfOp>,
                   ClassifyByMagnitude<math::IsNormalOp>, PowerOfIndex,
                   AddIndexWithCarry, CallIntrinsic>(&getContext());
      walkAndApplyPatterns(getOperation(), std::move(patterns));
    }
    OpPassManager pm(ModuleOp::getOperationName());
    if (needs.expansion) {
      arith::ArithExpandOpsPassOptions options;
      options.includeBf16 = true;
      pm.addPass(arith::createArithExpandOpsPass(options));
    }
    if (needs.power)
      pm.addPass(createConvertMathToFuncs());
    if (needs.math) {
      // Intrinsics first: libm has neither vectors nor integers.
      pm.addPass(createConvertMathToLLVMPass());
      pm.addPass(createConvertMathToLibmPass());
    }
    if (!pm.empty() && failed(runPipeline(pm, getOperation())))
      signalPassFailure();
  }
};

} // namespace
} // namespace attn
