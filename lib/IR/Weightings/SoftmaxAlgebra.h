//===- SoftmaxAlgebra.h - What the softmaxes share --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IR_WEIGHTINGS_SOFTMAXALGEBRA_H
#define ATTN_LIB_IR_WEIGHTINGS_SOFTMAXALGEBRA_H

#include "attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>
#include <optional>

namespace attn {

/// The running maximum of the scores and the running sum of their exponentials
/// measured against it.
inline llvm::SmallVector<Statistic> getSoftmaxStatistics() {
  return {
      {"max", StatisticPhase::Score, -std::numeric_limits<double>::infinity()},
      {"sum", StatisticPhase::Weight, 0.0}};
}

/// Combines two maxima (index 0) or two sums (index 1). The maximum is a
/// comparison and a selection, one instruction on every target: a NaN it drops
/// reaches the output through its weight.
inline mlir::Value combineSoftmax(mlir::OpBuilder &builder, mlir::Location loc,
                                  unsigned index, mlir::Value lhs,
                                  mlir::Value rhs) {
  if (index == 1)
    return mlir::arith::AddFOp::create(builder, loc, lhs, rhs);
  mlir::Value greater = mlir::arith::CmpFOp::create(
      builder, loc, mlir::arith::CmpFPredicate::OGT, lhs, rhs);
  return mlir::arith::SelectOp::create(builder, loc, greater, lhs, rhs);
}

/// What weights are measured against: 2^(score factor - scaled).
struct SoftmaxReference {
  mlir::Value factor;
  mlir::Value scaled;
};

/// The factor is log2(e) and `scaled` the rounded product of the reference and
/// it: the error shifts all exponents of a row alike, and so cancels. From
/// 2^(p + 6) on, where p bits are the precision, the error would exceed what an
/// exponent can hold; but there distinct scores are 64 or more apart, so that
/// one weighs nothing beside the other to any base, and the factor is 1. A
/// reference of -inf (a row that has seen nothing but -inf) counts as 0, so
/// that -inf - -inf never happens. With a scale the factors are those times it.
inline SoftmaxReference scaleReference(mlir::OpBuilder &builder,
                                       mlir::Location loc,
                                       mlir::Value reference,
                                       mlir::Value scale) {
  mlir::Type type = reference.getType();
  auto constant = [&](double value) {
    return createFloatConstant(builder, loc, type, value);
  };
  auto compare = [&](mlir::arith::CmpFPredicate predicate, mlir::Value lhs,
                     double rhs) {
    return mlir::arith::CmpFOp::create(builder, loc, predicate, lhs,
                                       constant(rhs));
  };
  unsigned precision =
      mlir::cast<mlir::FloatType>(mlir::getElementTypeOrSelf(type))
          .getFPMantissaWidth();
  mlir::Value empty = compare(mlir::arith::CmpFPredicate::OEQ, reference,
                              -std::numeric_limits<double>::infinity());
  mlir::Value finite = mlir::arith::SelectOp::create(builder, loc, empty,
                                                     constant(0.0), reference);
  mlir::Value magnitude = mlir::math::AbsFOp::create(
      builder, loc, scaleScore(builder, loc, finite, scale));
  mlir::Value isFar = compare(mlir::arith::CmpFPredicate::OGE, magnitude,
                              std::ldexp(1.0, precision + 6));
  SoftmaxReference result;
  result.factor = mlir::arith::SelectOp::create(
      builder, loc, isFar, constant(1.0), constant(llvm::numbers::log2e));
  result.factor = scaleScore(builder, loc, result.factor, scale);
  result.scaled =
      mlir::arith::MulFOp::create(builder, loc, finite, result.factor);
  return result;
}

/// 2^(score factor - scaled), as one exp2 marked `attn.stabilized`.
inline mlir::Value exp2Against(mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::Value score, SoftmaxReference reference,
                               mlir::arith::FastMathFlags flags) {
  mlir::Value product =
      mlir::arith::MulFOp::create(builder, loc, score, reference.factor, flags);
  mlir::Value exponent = mlir::arith::SubFOp::create(builder, loc, product,
                                                     reference.scaled, flags);
  auto power = mlir::math::Exp2Op::create(builder, loc, exponent);
  power->setAttr("attn.stabilized", builder.getUnitAttr());
  return power;
}

/// exp(score - reference). The score's product need not be rounded, where the
/// target fuses it with the subtraction.
inline mlir::Value weightAgainst(mlir::OpBuilder &builder, mlir::Location loc,
                                 mlir::Value score, mlir::Value reference,
                                 mlir::Value scale) {
  return exp2Against(builder, loc, score,
                     scaleReference(builder, loc, reference, scale),
                     mlir::arith::FastMathFlags::contract);
}

/// exp(from - to) for two references: what turns weights measured against
/// `from` into weights measured against `to`, so that both products are the
/// rounded ones that `weightAgainst` subtracts.
inline mlir::Value rescaleAgainst(mlir::OpBuilder &builder, mlir::Location loc,
                                  mlir::Value from, mlir::Value to,
                                  mlir::Value scale = {}) {
  return exp2Against(builder, loc, from,
                     scaleReference(builder, loc, to, scale),
                     mlir::arith::FastMathFlags::none);
}

/// w (g - mean)
inline mlir::Value differentiateSoftmax(mlir::OpBuilder &builder,
                                        mlir::Location loc, mlir::Value weight,
                                        mlir::Value weightGradient,
                                        mlir::Value mean) {
  mlir::Value difference =
      mlir::arith::SubFOp::create(builder, loc, weightGradient, mean);
  return mlir::arith::MulFOp::create(builder, loc, weight, difference);
}

/// Two passes in double precision. Returns the log-sum-exp, with the sink in it
/// if there is one.
inline double evaluateSoftmax(llvm::MutableArrayRef<double> scores,
                              std::optional<double> sink) {
  const double lowest = -std::numeric_limits<double>::infinity();
  double max = sink.value_or(lowest);
  for (double score : scores)
    max = std::fmax(max, score);
  if (max == lowest) {
    bool poisoned = false;
    for (double &score : scores) {
      poisoned |= std::isnan(score);
      score = std::isnan(score) ? score : 0.0;
    }
    return poisoned ? std::nan("") : lowest;
  }
  double sum = sink ? std::exp(*sink - max) : 0.0;
  for (double &score : scores)
    sum += score = std::exp(score - max);
  for (double &score : scores)
    score /= sum;
  return max + std::log(sum);
}

} // namespace attn

#endif // ATTN_LIB_IR_WEIGHTINGS_SOFTMAXALGEBRA_H
