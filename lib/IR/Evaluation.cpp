//===- Evaluation.cpp - Named ops in plain numbers --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Evaluation.h"

#include <cmath>

using namespace mlir;

namespace attn {

Rounding::Rounding(FloatType type) {
  const llvm::fltSemantics &semantics = type.getFloatSemantics();
  unit = std::ldexp(1.0, -static_cast<int>(type.getFPMantissaWidth()));
  leastNormal =
      std::ldexp(1.0, llvm::APFloat::semanticsMinExponent(semantics));
  least = leastNormal * unit;
}

Estimate Rounding::round(double value, double error, double times) const {
  return {value, error + times * (unit * std::fabs(value) + least)};
}

Estimate Rounding::add(Estimate lhs, Estimate rhs) const {
  return round(lhs.value + rhs.value, lhs.error + rhs.error);
}

Estimate Rounding::multiply(Estimate lhs, Estimate rhs) const {
  return round(lhs.value * rhs.value,
               std::fabs(lhs.value) * rhs.error +
                   std::fabs(rhs.value) * lhs.error + lhs.error * rhs.error);
}

Estimate Rounding::apply(llvm::function_ref<double(double)> function,
                         Estimate argument) const {
  double value = function(argument.value), error = 0;
  for (double sign : {1.0, -1.0})
    error = std::max(error, std::fabs(function(argument.value +
                                               sign * argument.error) -
                                      value));
  return round(value, error, /*times=*/4);
}

Estimate Rounding::dot(ArrayRef<double> lhs, ArrayRef<double> rhs) const {
  double value = 0, size = 0;
  for (auto [left, right] : llvm::zip_equal(lhs, rhs)) {
    value += left * right;
    size += std::fabs(left * right);
  }
  return sum(value, size, lhs.size());
}

Estimate Rounding::sum(double value, double size, int64_t count) const {
  double root = std::sqrt(static_cast<double>(count));
  return {value, unit * (2 * root + 2) * size + least * count};
}

double Rounding::boundFlushed(ArrayRef<double> lhs, ArrayRef<double> rhs,
                              double scale) const {
  double carried = std::min(1.0, std::fabs(scale));
  double error = leastNormal * lhs.size();
  for (auto [left, right] : llvm::zip_equal(lhs, rhs))
    if (std::fabs(left) * carried < leastNormal ||
        std::fabs(right) < leastNormal)
      error += std::fabs(left * right);
  return error;
}

bool mayMultiplyPairs(Value query, Value key, Value value,
                      FloatType accumulationType) {
  auto isBf16 = [](Value operand) {
    return operand && getElementTypeOrSelf(operand.getType()).isBF16();
  };
  return accumulationType.isF32() && isBf16(query) && isBf16(key) &&
         isBf16(value);
}

int64_t PlainOperand::getOffset(ArrayRef<int64_t> index) const {
  int64_t offset = 0;
  for (auto [position, extent] : llvm::zip_equal(index, shape))
    offset = offset * extent + position;
  return offset;
}

} // namespace attn
