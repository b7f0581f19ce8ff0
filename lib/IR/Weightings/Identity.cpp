//===- Identity.cpp - The score is the weight -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"

using namespace mlir;

namespace attn {

WeightingKind IdentityAttr::getWeightingKind() const {
  return WeightingKind::Accumulate;
}

SmallVector<Statistic> IdentityAttr::getStatistics() const { return {}; }

Value IdentityAttr::combine(OpBuilder &, Location, unsigned, Value lhs,
                            Value) const {
  return lhs;
}

Value IdentityAttr::weight(OpBuilder &, Location, Value score, ValueRange,
                           ValueRange) const {
  return score;
}

double IdentityAttr::evaluate(MutableArrayRef<double>, ArrayRef<double>,
                              double) const {
  return 0.0;
}

} // namespace attn
