//===- Identity.cpp - The score is the weight -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/ScoreWeighting.h"

using namespace mlir;

namespace attn {

Value IdentityAttr::combine(OpBuilder &, Location, unsigned, Value lhs,
                            Value) const {
  return lhs;
}

Value IdentityAttr::weight(OpBuilder &builder, Location loc, Value score,
                           ValueRange, ValueRange, Value scale) const {
  return scaleScore(builder, loc, score, scale);
}

Value IdentityAttr::scoreGradient(OpBuilder &, Location, Value, Value,
                                  Value weightGradient, Value, ValueRange,
                                  ValueRange, Value) const {
  return weightGradient;
}

double IdentityAttr::evaluate(MutableArrayRef<double>, ArrayRef<double>,
                              double) const {
  return 0.0;
}

WeightingAttrInterface getScoreWeighting(MLIRContext *context) {
  return IdentityAttr::get(context);
}

} // namespace attn
