//===- Softmax.cpp - exp(s - m) / l -----------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SoftmaxAlgebra.h"

using namespace mlir;

namespace attn {

SmallVector<Statistic> SoftmaxAttr::getStatistics() const {
  return getSoftmaxStatistics();
}

Value SoftmaxAttr::combine(OpBuilder &builder, Location loc, unsigned index,
                           Value lhs, Value rhs) const {
  return combineSoftmax(builder, loc, index, lhs, rhs);
}

Value SoftmaxAttr::weight(OpBuilder &builder, Location loc, Value score,
                          ValueRange scoreStatistics, ValueRange,
                          Value scale) const {
  return weightAgainst(builder, loc, score, scoreStatistics[0], scale);
}

Value SoftmaxAttr::rescale(OpBuilder &builder, Location loc, ValueRange from,
                           ValueRange to, Value scale) const {
  return rescaleAgainst(builder, loc, from[0], to[0], scale);
}

SmallVector<Value> SoftmaxAttr::finish(OpBuilder &builder, Location loc,
                                       ValueRange statistics, ValueRange,
                                       Value, Value) const {
  Value sum = statistics[1];
  Value zero = createFloatConstant(builder, loc, sum.getType(), 0.0);
  Value one = createFloatConstant(builder, loc, sum.getType(), 1.0);
  Value empty =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, sum, zero);
  Value factor = arith::DivFOp::create(builder, loc, one, sum);
  return {arith::SelectOp::create(builder, loc, empty, zero, factor)};
}

bool SoftmaxAttr::hasLogSumExp() const { return true; }

Value SoftmaxAttr::logSumExp(OpBuilder &builder, Location loc,
                             ValueRange statistics, ValueRange,
                             Value scale) const {
  // log(0) = -inf is the empty row's.
  Value log = math::LogOp::create(builder, loc, statistics[1]);
  Value max = scaleScore(builder, loc, statistics[0], scale);
  return arith::AddFOp::create(builder, loc, max, log);
}

Value SoftmaxAttr::scoreGradient(OpBuilder &builder, Location loc, Value,
                                 Value weight, Value weightGradient, Value mean,
                                 ValueRange, ValueRange, Value) const {
  return differentiateSoftmax(builder, loc, weight, weightGradient, mean);
}

double SoftmaxAttr::evaluate(MutableArrayRef<double> scores, ArrayRef<double>,
                             double) const {
  return evaluateSoftmax(scores, std::nullopt);
}

} // namespace attn
