//===- Relu.cpp - max(s, 0) / N_k -------------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"

using namespace mlir;

namespace attn {

WeightingKind ReluAttr::getWeightingKind() const {
  return WeightingKind::Accumulate;
}

SmallVector<Statistic> ReluAttr::getStatistics() const { return {}; }

Value ReluAttr::combine(OpBuilder &, Location, unsigned, Value lhs,
                        Value) const {
  return lhs;
}

Value ReluAttr::weight(OpBuilder &builder, Location loc, Value score,
                       ValueRange, ValueRange) const {
  Value zero = createFloatConstant(builder, loc, score.getType(), 0.0);
  return arith::MaximumFOp::create(builder, loc, score, zero);
}

Value ReluAttr::finish(OpBuilder &builder, Location loc, ValueRange, ValueRange,
                       Value numKeys) const {
  Value one = createFloatConstant(builder, loc, numKeys.getType(), 1.0);
  return arith::DivFOp::create(builder, loc, one, numKeys);
}

double ReluAttr::evaluate(MutableArrayRef<double> scores, ArrayRef<double>,
                          double numKeys) const {
  // A comparison, not std::max, so that a NaN score stays NaN.
  for (double &score : scores)
    score = (score < 0.0 ? 0.0 : score) / numKeys;
  return 0.0;
}

} // namespace attn
