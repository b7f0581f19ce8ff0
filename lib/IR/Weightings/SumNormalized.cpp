//===- SumNormalized.cpp - s / sum(s) ---------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"

#include <cmath>

using namespace mlir;

namespace attn {

SmallVector<Statistic> SumNormalizedAttr::getStatistics() const {
  return {{"sum", StatisticPhase::Weight, 0.0}};
}

Value SumNormalizedAttr::combine(OpBuilder &builder, Location loc, unsigned,
                                 Value lhs, Value rhs) const {
  return arith::AddFOp::create(builder, loc, lhs, rhs);
}

Value SumNormalizedAttr::weight(OpBuilder &builder, Location loc, Value score,
                                ValueRange, ValueRange, Value scale) const {
  return scaleScore(builder, loc, score, scale);
}

/// p and 1 / (p sum). The inverse of a sum near the ends of the range would be
/// infinite or lose digits where the quotient of accumulator and sum does not:
/// p, a power of two, moves such a sum away from them first. With a sum below
/// 1 / p^(3/2), p times the accumulator is infinite only if the quotient is.
SmallVector<Value> SumNormalizedAttr::finish(OpBuilder &builder, Location loc,
                                             ValueRange statistics, ValueRange,
                                             Value, Value) const {
  Value sum = statistics[0];
  Type type = sum.getType();
  int maxExponent = llvm::APFloat::semanticsMaxExponent(
      cast<FloatType>(getElementTypeOrSelf(type)).getFloatSemantics());
  auto constant = [&](double value) {
    return createFloatConstant(builder, loc, type, value);
  };
  auto select = [&](arith::CmpFPredicate predicate, Value value, double bound,
                    Value then, Value otherwise) -> Value {
    Value holds = arith::CmpFOp::create(builder, loc, predicate, value,
                                        constant(bound));
    return arith::SelectOp::create(builder, loc, holds, then, otherwise);
  };
  using Predicate = arith::CmpFPredicate;
  double step = std::ldexp(1.0, maxExponent / 2);
  double low = std::ldexp(1.0, -3 * (maxExponent / 4));
  Value size = math::AbsFOp::create(builder, loc, sum);
  Value power = select(Predicate::OLT, size, low, constant(step),
                       constant(1.0));
  power = select(Predicate::OGT, size, 1.0 / low, constant(1.0 / step), power);
  Value moved = arith::MulFOp::create(builder, loc, sum, power);
  Value inverse = arith::DivFOp::create(builder, loc, constant(1.0), moved);
  return {power, select(Predicate::OEQ, sum, 0.0, constant(0.0), inverse)};
}

/// (g - mean) / sum
Value SumNormalizedAttr::scoreGradient(OpBuilder &builder, Location loc, Value,
                                       Value, Value weightGradient, Value mean,
                                       ValueRange statistics, ValueRange,
                                       Value) const {
  Value zero = createFloatConstant(builder, loc, mean.getType(), 0.0);
  Value empty = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ,
                                      statistics[0], zero);
  Value difference =
      arith::SubFOp::create(builder, loc, weightGradient, mean);
  Value quotient =
      arith::DivFOp::create(builder, loc, difference, statistics[0]);
  return arith::SelectOp::create(builder, loc, empty, zero, quotient);
}

double SumNormalizedAttr::evaluate(MutableArrayRef<double> scores,
                                   ArrayRef<double>, double) const {
  double sum = 0.0;
  for (double score : scores)
    sum += score;
  for (double &score : scores)
    score = sum == 0.0 ? 0.0 : score / sum;
  return 0.0;
}

} // namespace attn
