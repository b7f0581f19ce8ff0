//===- ExpandMath.cpp - Exponentials on vectors -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// exp2(t) = 2^floor(t) p(t - floor(t)), with p a polynomial that is exactly 1
// at 0. On AVX-512 the fraction is one instruction (vreduce) and so is the
// scaling (vscalef, which floors by itself, and is right for infinities and
// NaN); elsewhere the exponent is added to the bits, after a clamp.
//
// exp(x) = exp2(x log2(e)), where the low part of the product is carried along.
// An exp2 marked `attn.stabilized` is a weight beside another that is about 1.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Common/MathBuilder.h"
#include "attn/Codegen/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_EXPANDMATHPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

/// Minimax in relative error for 2^f with the constant term held at 1, on
/// [0, 1): 9.4e-8, coefficients rounded to f32.
constexpr double kFloorF32[] = {1.0,         0.6931513,  0.24016444,
                                0.055799913, 0.00901703, 0.0018671305};

/// Builds the expansion for one vector type.
class Expander : MathBuilder {
public:
  Expander(OpBuilder &b, Location loc, VectorType vectorType, bool hasScalef)
      : MathBuilder(b, loc, vectorType), vectorType(vectorType) {
    int64_t lanes = isF32 ? 16 : 8;
    useScalef = hasScalef && vectorType.getRank() == 1 &&
                vectorType.getDimSize(0) % lanes == 0;
  }

  Value exp2(Value t, bool stabilized) {
    if (stabilized) {
      // Weights too small for a normal number are 0 beside the row's largest,
      // which is 1; as denormals they would slow every product down.
      Value tiny = compare(arith::CmpFPredicate::OLT, t,
                           constant(isF32 ? -126.0 : -1022.0));
      Value power = exp2(t, /*stabilized=*/false);
      return select(tiny, constant(0.0), power);
    }
    if (useScalef && isF32)
      return scalef(polynomial(fraction(t), kFloorF32), t);
    t = isF32 ? clamp(t, -160.0, 160.0) : clamp(t, -1100.0, 1100.0);
    Value whole = round(t);
    return scale(arith::SubFOp::create(b, loc, t, whole), whole);
  }

  Value exp(Value x) {
    auto [whole, rest] = reduce(x);
    return scale(rest, whole);
  }

private:
  /// 2^(rest + whole), |rest| <= 1/2, `whole` an integer.
  Value scale(Value rest, Value whole) {
    return useScalef ? scalef(power(rest), whole)
                     : scaleByBits(power(rest), whole);
  }

  /// Applies an AVX-512 intrinsic to each register's worth of lanes.
  Value perRegister(ValueRange operands,
                    function_ref<Value(ValueRange, VectorType)> emit) {
    int64_t lanes = isF32 ? 16 : 8, size = vectorType.getDimSize(0);
    auto part = VectorType::get({lanes}, vectorType.getElementType());
    if (size == lanes)
      return emit(operands, part);
    Value result;
    for (int64_t offset = 0; offset < size; offset += lanes) {
      SmallVector<Value> parts;
      auto range = llvm::to_vector(llvm::seq<int64_t>(offset, offset + lanes));
      for (Value operand : operands)
        parts.push_back(
            vector::ShuffleOp::create(b, loc, operand, operand, range));
      Value done = emit(parts, part);
      // A shuffle takes operands of different sizes: it appends.
      result = result
                   ? vector::ShuffleOp::create(
                         b, loc, result, done,
                         llvm::to_vector(llvm::seq<int64_t>(0, offset + lanes)))
                   : done;
    }
    return result;
  }

  Value intrinsic(StringRef name, VectorType result, ValueRange arguments) {
    return LLVM::CallIntrinsicOp::create(b, loc, result, b.getStringAttr(name),
                                         arguments)
        .getResults();
  }
  Value integer(unsigned width, int64_t value) {
    return arith::ConstantOp::create(
        b, loc, b.getIntegerAttr(b.getIntegerType(width), value));
  }

  Value scalef(Value p, Value t) {
    return perRegister({p, t}, [&](ValueRange parts, VectorType part) {
      StringRef name = isF32 ? "llvm.x86.avx512.mask.scalef.ps.512"
                             : "llvm.x86.avx512.mask.scalef.pd.512";
      Value all = integer(isF32 ? 16 : 8, -1);
      // 4: round by the current mode.
      return intrinsic(name, part,
                       {parts[0], parts[1], parts[0], all, integer(32, 4)});
    });
  }

  Value fraction(Value t) {
    return perRegister({t}, [&](ValueRange parts, VectorType part) {
      // 9: subtract the floor, raise no exception.
      return intrinsic("llvm.x86.avx512.mask.reduce.ps.512", part,
                       {parts[0], integer(32, 9), parts[0], integer(16, -1),
                        integer(32, 4)});
    });
  }

  VectorType vectorType;
  bool useScalef;
};

template <typename OpTy>
struct ExpandExponential final : OpRewritePattern<OpTy> {
  ExpandExponential(MLIRContext *context, bool hasScalef)
      : OpRewritePattern<OpTy>(context), hasScalef(hasScalef) {}

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type ||
        !(type.getElementType().isF32() || type.getElementType().isF64()))
      return rewriter.notifyMatchFailure(op, "not a vector of f32 or f64");
    Expander expander(rewriter, op.getLoc(), type, hasScalef);
    Value result;
    if (isa<math::Exp2Op>(op.getOperation()))
      result = expander.exp2(op.getOperand(), op->hasAttr("attn.stabilized"));
    else
      result = expander.exp(op.getOperand());
    rewriter.replaceOp(op, result);
    return success();
  }

  bool hasScalef;
};

/// |x| = max(x, -x): the conversion to LLVM knows no `math.absi` of `index`.
struct ExpandAbsI final : OpRewritePattern<math::AbsIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::AbsIOp op,
                                PatternRewriter &rewriter) const override {
    Value x = op.getOperand();
    Value zero = arith::ConstantOp::create(rewriter, op.getLoc(),
                                           rewriter.getZeroAttr(x.getType()));
    Value negated = arith::SubIOp::create(rewriter, op.getLoc(), zero, x);
    rewriter.replaceOpWithNewOp<arith::MaxSIOp>(op, x, negated);
    return success();
  }
};

struct ExpandMathPass final : impl::ExpandMathPassBase<ExpandMathPass> {
  using ExpandMathPassBase::ExpandMathPassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns
        .add<ExpandExponential<math::ExpOp>, ExpandExponential<math::Exp2Op>>(
            &getContext(), hasScalef);
    populateExpandAbsIPatterns(patterns);
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return name == math::TanhOp::getOperationName() ||
             name == math::LogOp::getOperationName() ||
             name == math::ErfOp::getOperationName();
    });
    // No pattern leaves anything for another: one walk is enough.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace

void populateExpandAbsIPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandAbsI>(patterns.getContext());
}

} // namespace attn
