//===- Sigmoid.cpp - 1 / (1 + exp(-(s + b))) --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"

#include <cmath>

using namespace mlir;

namespace attn {

unsigned SigmoidAttr::getNumWeightingOperands() const { return 1; }

Value SigmoidAttr::combine(OpBuilder &, Location, unsigned, Value lhs,
                           Value) const {
  return lhs;
}

Value SigmoidAttr::weight(OpBuilder &builder, Location loc, Value score,
                          ValueRange, ValueRange operands,
                          Value scale) const {
  score = scaleScore(builder, loc, score, scale);
  Value one = createFloatConstant(builder, loc, score.getType(), 1.0);
  Value shifted = arith::AddFOp::create(builder, loc, score, operands[0]);
  Value negated = arith::NegFOp::create(builder, loc, shifted);
  Value exp = math::ExpOp::create(builder, loc, negated);
  Value sum = arith::AddFOp::create(builder, loc, one, exp);
  return arith::DivFOp::create(builder, loc, one, sum);
}

/// w (1 - w) g
Value SigmoidAttr::scoreGradient(OpBuilder &builder, Location loc, Value,
                                 Value weight, Value weightGradient, Value,
                                 ValueRange, ValueRange, Value) const {
  Value one = createFloatConstant(builder, loc, weight.getType(), 1.0);
  Value rest = arith::SubFOp::create(builder, loc, one, weight);
  Value slope = arith::MulFOp::create(builder, loc, weight, rest);
  return arith::MulFOp::create(builder, loc, slope, weightGradient);
}

double SigmoidAttr::evaluate(MutableArrayRef<double> scores,
                             ArrayRef<double> operands, double) const {
  for (double &score : scores)
    score = 1.0 / (1.0 + std::exp(-(score + operands[0])));
  return 0.0;
}

} // namespace attn
