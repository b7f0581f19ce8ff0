//===- Evaluation.cpp - Named ops in plain numbers --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Evaluation.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/Utils.h"
#include "llvm/Support/FormatVariadic.h"

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

/// Whether an op accumulates products of operands of type `element` in f32.
static bool multipliesAll(ArrayRef<Value> operands, Type element,
                          FloatType accumulationType) {
  return accumulationType.isF32() && llvm::all_of(operands, [&](Value operand) {
    return operand && getElementTypeOrSelf(operand.getType()) == element;
  });
}

bool mayMultiplyPairs(Value query, Value key, Value value,
                      FloatType accumulationType) {
  return multipliesAll({query, key, value},
                       BFloat16Type::get(accumulationType.getContext()),
                       accumulationType);
}

bool mayRoundWeights(Value query, Value key, Value value,
                     FloatType accumulationType) {
  return multipliesAll({query, key, value},
                       Float16Type::get(accumulationType.getContext()),
                       accumulationType);
}

int64_t PlainOperand::getOffset(ArrayRef<int64_t> index) const {
  int64_t offset = 0;
  for (auto [position, extent] : llvm::zip_equal(index, shape))
    offset = offset * extent + position;
  return offset;
}

llvm::Expected<ArrayRef<int64_t>>
PlainBlockList::getEntries(ArrayRef<int64_t> list, ArrayRef<int64_t> outer,
                           std::optional<int64_t> numKeys) const {
  auto fail = [&](StringRef message, int64_t expected, int64_t got) {
    return llvm::createStringError(
        locateMessage(loc, llvm::formatv(message.data(), expected, got).str()));
  };
  int64_t number = list.back();
  if (number + 1 >= indptr.shape.back())
    return fail(BlockListErrors::noList, number + 2, indptr.shape.back());
  const int64_t *bounds = indptr.integers.data() + indptr.getOffset(list);
  int64_t numEntries = indices.shape.back();
  for (int64_t bound : {bounds[0], bounds[1]})
    if (bound < 0 || bound > numEntries)
      return fail(BlockListErrors::bounds, numEntries, bound);
  if (bounds[1] < bounds[0])
    return fail(BlockListErrors::order, bounds[0], bounds[1]);
  int64_t count = bounds[1] - bounds[0];
  if (numKeys) {
    if (*numKeys > count * attr.getKeys())
      return fail(BlockListErrors::keys, *numKeys, count * attr.getKeys());
    count = llvm::divideCeil(uint64_t(*numKeys), uint64_t(attr.getKeys()));
  }
  SmallVector<int64_t> first(outer);
  first.push_back(bounds[0]);
  ArrayRef<int64_t> entries;
  if (count != 0)
    entries = indices.integers.slice(indices.getOffset(first), count);
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i] < 0 || entries[i] >= numBlocks)
      return fail(BlockListErrors::block, numBlocks, entries[i]);
    if (i > 0 && !attr.isPhysical() && entries[i] <= entries[i - 1])
      return fail(BlockListErrors::ascent, entries[i - 1], entries[i]);
  }
  return entries;
}

} // namespace attn
