//===- SumNormalized.cpp - s / sum(s) ---------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"

using namespace mlir;

namespace attn {

WeightingKind SumNormalizedAttr::getWeightingKind() const {
  return WeightingKind::Accumulate;
}

SmallVector<Statistic> SumNormalizedAttr::getStatistics() const {
  return {{"sum", StatisticPhase::Weight, 0.0}};
}

Value SumNormalizedAttr::combine(OpBuilder &builder, Location loc, unsigned,
                                 Value lhs, Value rhs) const {
  return arith::AddFOp::create(builder, loc, lhs, rhs);
}

Value SumNormalizedAttr::weight(OpBuilder &, Location, Value score, ValueRange,
                                ValueRange) const {
  return score;
}

Value SumNormalizedAttr::finish(OpBuilder &builder, Location loc,
                                ValueRange statistics, ValueRange,
                                Value) const {
  Value sum = statistics[0];
  Value zero = createFloatConstant(builder, loc, sum.getType(), 0.0);
  Value one = createFloatConstant(builder, loc, sum.getType(), 1.0);
  Value empty = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ,
                                      sum, zero);
  Value factor = arith::DivFOp::create(builder, loc, one, sum);
  return arith::SelectOp::create(builder, loc, empty, zero, factor);
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
