//===- Relu.cpp - max(s, 0) / N_k -------------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"

using namespace mlir;

namespace attn {

Value ReluAttr::combine(OpBuilder &, Location, unsigned, Value lhs,
                        Value) const {
  return lhs;
}

Value ReluAttr::weight(OpBuilder &builder, Location loc, Value score,
                       ValueRange, ValueRange, Value scale) const {
  score = scaleScore(builder, loc, score, scale);
  Value zero = createFloatConstant(builder, loc, score.getType(), 0.0);
  return arith::MaximumFOp::create(builder, loc, score, zero);
}

SmallVector<Value> ReluAttr::finish(OpBuilder &builder, Location loc,
                                    ValueRange, ValueRange, Value numKeys,
                                    Value) const {
  // Of no keys the sum is 0, whatever divides it.
  Value one = createFloatConstant(builder, loc, numKeys.getType(), 1.0);
  Value keys = arith::MaximumFOp::create(builder, loc, numKeys, one);
  return {arith::DivFOp::create(builder, loc, one, keys)};
}

/// g / N_k where the score is positive.
Value ReluAttr::scoreGradient(OpBuilder &builder, Location loc, Value score,
                              Value, Value weightGradient, Value, ValueRange,
                              ValueRange, Value numKeys) const {
  Value zero = createFloatConstant(builder, loc, score.getType(), 0.0);
  Value positive = arith::CmpFOp::create(
      builder, loc, arith::CmpFPredicate::OGT, score, zero);
  Value slope = arith::DivFOp::create(builder, loc, weightGradient, numKeys);
  return arith::SelectOp::create(builder, loc, positive, slope, zero);
}

double ReluAttr::evaluate(MutableArrayRef<double> scores, ArrayRef<double>,
                          double numKeys) const {
  // A comparison, not std::max, so that a NaN score stays NaN.
  for (double &score : scores)
    score = (score < 0.0 ? 0.0 : score) / numKeys;
  return 0.0;
}

} // namespace attn
