//===- TestDialect.cpp - Weightings of the suite ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace attn;

#include "TestDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "TestAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "TestOps.cpp.inc"

namespace attntest {

void AttnTestDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "TestAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "TestOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// unit_norm
//===----------------------------------------------------------------------===//

/// dividend / divisor, or `otherwise` where the divisor is 0.
static Value divideOr(OpBuilder &b, Location loc, Value dividend, Value divisor,
                      double otherwise) {
  Value zero = createFloatConstant(b, loc, divisor.getType(), 0.0);
  Value instead = createFloatConstant(b, loc, divisor.getType(), otherwise);
  Value isZero = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                       divisor, zero);
  Value quotient = arith::DivFOp::create(b, loc, dividend, divisor);
  return arith::SelectOp::create(b, loc, isZero, instead, quotient);
}

SmallVector<Statistic> UnitNormAttr::getStatistics() const {
  return {{"largest", StatisticPhase::Score, 0.0},
          {"norm", StatisticPhase::Weight, 0.0}};
}

Value UnitNormAttr::combine(OpBuilder &b, Location loc, unsigned index,
                            Value lhs, Value rhs) const {
  if (index == 0)
    return arith::MaximumFOp::create(b, loc, math::AbsFOp::create(b, loc, lhs),
                                     math::AbsFOp::create(b, loc, rhs));
  Value sum =
      arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, lhs, lhs),
                            arith::MulFOp::create(b, loc, rhs, rhs));
  return math::SqrtOp::create(b, loc, sum);
}

Value UnitNormAttr::weight(OpBuilder &b, Location loc, Value score,
                           ValueRange statistics, ValueRange,
                           Value) const {
  // The scale of both cancels.
  return divideOr(b, loc, score, statistics[0], 0.0);
}

Value UnitNormAttr::rescale(OpBuilder &b, Location loc, ValueRange from,
                            ValueRange to, Value) const {
  return divideOr(b, loc, from[0], to[0], 1.0);
}

SmallVector<Value> UnitNormAttr::finish(OpBuilder &b, Location loc,
                                        ValueRange statistics, ValueRange,
                                        Value, Value) const {
  Value one = createFloatConstant(b, loc, statistics[1].getType(), 1.0);
  return {divideOr(b, loc, one, statistics[1], 0.0)};
}

/// (g - w mean) / |s|, where |s| is the norm times the largest magnitude.
Value UnitNormAttr::scoreGradient(OpBuilder &b, Location loc, Value,
                                  Value weight, Value weightGradient,
                                  Value mean, ValueRange statistics, ValueRange,
                                  Value) const {
  Value along = arith::MulFOp::create(b, loc, weight, mean);
  Value across = arith::SubFOp::create(b, loc, weightGradient, along);
  Value norm = arith::MulFOp::create(b, loc, statistics[0], statistics[1]);
  return divideOr(b, loc, across, norm, 0.0);
}

double UnitNormAttr::evaluate(MutableArrayRef<double> scores, ArrayRef<double>,
                              double) const {
  double squares = 0.0;
  for (double score : scores)
    squares += score * score;
  for (double &score : scores)
    score = squares == 0.0 ? 0.0 : score / std::sqrt(squares);
  return 0.0;
}

//===----------------------------------------------------------------------===//
// softplus
//===----------------------------------------------------------------------===//

unsigned SoftplusAttr::getNumWeightingOperands() const { return 1; }

Value SoftplusAttr::combine(OpBuilder &, Location, unsigned, Value lhs,
                            Value) const {
  return lhs;
}

Value SoftplusAttr::weight(OpBuilder &b, Location loc, Value score, ValueRange,
                           ValueRange, Value scale) const {
  score = scaleScore(b, loc, score, scale);
  Value one = createFloatConstant(b, loc, score.getType(), 1.0);
  Value exp = math::ExpOp::create(b, loc, score);
  return math::LogOp::create(b, loc, arith::AddFOp::create(b, loc, one, exp));
}

SmallVector<Value> SoftplusAttr::finish(OpBuilder &b, Location loc, ValueRange,
                                        ValueRange operands, Value,
                                        Value) const {
  Value one = createFloatConstant(b, loc, operands[0].getType(), 1.0);
  return {arith::DivFOp::create(b, loc, one, operands[0])};
}

/// g / (t (1 + exp(-s)))
Value SoftplusAttr::scoreGradient(OpBuilder &b, Location loc, Value score,
                                  Value, Value weightGradient, Value,
                                  ValueRange, ValueRange operands,
                                  Value) const {
  Value one = createFloatConstant(b, loc, score.getType(), 1.0);
  Value negated = arith::NegFOp::create(b, loc, score);
  Value exp = math::ExpOp::create(b, loc, negated);
  Value sum = arith::AddFOp::create(b, loc, one, exp);
  Value divisor = arith::MulFOp::create(b, loc, sum, operands[0]);
  return arith::DivFOp::create(b, loc, weightGradient, divisor);
}

double SoftplusAttr::evaluate(MutableArrayRef<double> scores,
                              ArrayRef<double> operands, double) const {
  for (double &score : scores)
    score = std::log1p(std::exp(score)) / operands[0];
  return 0.0;
}

//===----------------------------------------------------------------------===//
// unverified
//===----------------------------------------------------------------------===//

Value UnverifiedAttr::combine(OpBuilder &, Location, unsigned, Value lhs,
                              Value) const {
  return lhs;
}

/// Adds an integer to a float.
Value UnverifiedAttr::weight(OpBuilder &b, Location loc, Value score,
                             ValueRange, ValueRange, Value) const {
  OperationState state(loc, arith::AddFOp::getOperationName());
  state.addOperands({score, arith::ConstantIndexOp::create(b, loc, 1)});
  state.addTypes(score.getType());
  return b.create(state)->getResult(0);
}

Value UnverifiedAttr::scoreGradient(OpBuilder &, Location, Value, Value,
                                    Value gradient, Value, ValueRange,
                                    ValueRange, Value) const {
  return gradient;
}

double UnverifiedAttr::evaluate(MutableArrayRef<double>, ArrayRef<double>,
                                double) const {
  return 0.0;
}

} // namespace attntest
