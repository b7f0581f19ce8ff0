//===- SoftmaxSink.cpp - Softmax with a sink --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SoftmaxAlgebra.h"

using namespace mlir;

namespace attn {

unsigned SoftmaxSinkAttr::getNumWeightingOperands() const { return 1; }

SmallVector<Statistic> SoftmaxSinkAttr::getStatistics() const {
  return getSoftmaxStatistics();
}

Value SoftmaxSinkAttr::combine(OpBuilder &builder, Location loc, unsigned index,
                               Value lhs, Value rhs) const {
  return combineSoftmax(builder, loc, index, lhs, rhs);
}

Value SoftmaxSinkAttr::weight(OpBuilder &builder, Location loc, Value score,
                              ValueRange scoreStatistics, ValueRange,
                              Value scale) const {
  return weightAgainst(builder, loc, score, scoreStatistics[0], scale);
}

Value SoftmaxSinkAttr::rescale(OpBuilder &builder, Location loc,
                               ValueRange from, ValueRange to,
                               Value scale) const {
  return rescaleAgainst(builder, loc, from[0], to[0], scale);
}

/// With M = max(m, sink): exp(m - M) / (l exp(m - M) + exp(sink - M)), which
/// overflows for no sink.
SmallVector<Value>
SoftmaxSinkAttr::finish(OpBuilder &builder, Location loc, ValueRange statistics,
                        ValueRange operands, Value, Value scale) const {
  Value max = scaleScore(builder, loc, statistics[0], scale);
  Value sink = operands[0];
  Value top = combineSoftmax(builder, loc, 0, max, sink);
  Value rescaled = rescaleAgainst(builder, loc, max, top);
  Value sum = arith::AddFOp::create(
      builder, loc,
      arith::MulFOp::create(builder, loc, statistics[1], rescaled),
      rescaleAgainst(builder, loc, sink, top));
  Value zero = createFloatConstant(builder, loc, sum.getType(), 0.0);
  Value empty =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, sum, zero);
  Value factor = arith::DivFOp::create(builder, loc, rescaled, sum);
  return {arith::SelectOp::create(builder, loc, empty, zero, factor)};
}

bool SoftmaxSinkAttr::hasLogSumExp() const { return true; }

Value SoftmaxSinkAttr::logSumExp(OpBuilder &builder, Location loc,
                                 ValueRange statistics, ValueRange operands,
                                 Value scale) const {
  Value max = scaleScore(builder, loc, statistics[0], scale);
  Value sink = operands[0];
  Value top = combineSoftmax(builder, loc, 0, max, sink);
  Value sum = arith::AddFOp::create(
      builder, loc,
      arith::MulFOp::create(builder, loc, statistics[1],
                            rescaleAgainst(builder, loc, max, top)),
      rescaleAgainst(builder, loc, sink, top));
  return arith::AddFOp::create(builder, loc, top,
                               math::LogOp::create(builder, loc, sum));
}

Value SoftmaxSinkAttr::scoreGradient(OpBuilder &builder, Location loc, Value,
                                     Value weight, Value weightGradient,
                                     Value mean, ValueRange, ValueRange,
                                     Value) const {
  return differentiateSoftmax(builder, loc, weight, weightGradient, mean);
}

double SoftmaxSinkAttr::evaluate(MutableArrayRef<double> scores,
                                 ArrayRef<double> operands, double) const {
  return evaluateSoftmax(scores, operands[0]);
}

} // namespace attn
