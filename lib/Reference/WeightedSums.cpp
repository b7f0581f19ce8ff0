//===- WeightedSums.cpp - What weighted values add up to --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionRows.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

void WeightedSums::add(double weight, double size, double error,
                       ArrayRef<double> row) {
  for (auto [channel, value] : llvm::enumerate(row)) {
    values[channel] += weight * value;
    // What nothing is known of stays so, but not where it is multiplied by 0.
    if (value == 0)
      continue;
    sizes[channel] += size * std::fabs(value);
    errors[channel] += error * std::fabs(value);
  }
}

/// Weights round independently of each other: their errors add up as the root
/// of their squares does.
void WeightedSums::addWeightErrors(
    ArrayRef<double> weights, bool inPairs,
    function_ref<ArrayRef<double>(size_t)> getRow) {
  constexpr double kLeast = 0x1p-126;
  double unit = inPairs ? 0x1p-8 : 0x1p-11;
  // Measured against the largest weight, those of f16 that are not normal are
  // off by this.
  double largest = 0;
  for (double weight : weights)
    largest = std::max(largest, std::fabs(weight));
  double step = 0x1p-25 * largest;
  std::vector<double> squares(errors.size(), 0);
  for (auto [index, weight] : llvm::enumerate(weights))
    for (auto [channel, value] : llvm::enumerate(getRow(index))) {
      double term = std::fabs(weight * value);
      if (value == 0 || !std::isfinite(term))
        continue;
      squares[channel] += unit * unit * term * term;
      if (inPairs)
        errors[channel] += kLeast + (std::fabs(value) < kLeast ? term : 0);
      else
        errors[channel] += step * std::fabs(value);
    }
  for (auto [error, square] : llvm::zip_equal(errors, squares))
    error += 4 * std::sqrt(square);
}

} // namespace reference
} // namespace attn
