//===- WeightBounds.cpp - What the error of a weight may be -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightBounds.h"

#include <cmath>

namespace attn {
namespace reference {

/// By how much `there` differs from `here`; nothing where that is no number.
static double getDistance(double there, double here) {
  if (!std::isfinite(here) || there == here)
    return 0;
  return std::isnan(there) ? INFINITY : std::fabs(there - here);
}

/// A kernel measures scores against the largest that counts, and rounds the
/// difference: each score is as uncertain as that number's roundoff.
static void addRoundings(const WeightedRow &row, const Rounding &rounding,
                         std::vector<double> &errors) {
  double top = 0;
  for (auto [score, weight] : llvm::zip_equal(row.scores, row.unweighted))
    if (weight != 0 && std::isfinite(score))
      top = std::max(top, std::fabs(score));
  for (auto [score, error] : llvm::zip_equal(row.scores, errors))
    error =
        std::isfinite(score)
            ? rounding.round(std::max(top, std::fabs(score)), error, 2).error
            : 0;
}

/// A weight w_j whose relative slope by its own score and, through what
/// normalises it, by the others' is at most 1, as in a softmax, errs by at most
/// |w_j| (e_j + mean e), the mean weighed by the weights. Any weighting's
/// slopes show in the weights of scores that are moved by their errors: all up,
/// all down, and in turn, since moves in one direction may cancel. That is also
/// where steps show (a floor in the score, a choice of keys): a score within
/// its error of one weighs differently on the other side.
llvm::Error WeightBounds::compute(const WeightedRow &row, WeightRegion region,
                                  const Rounding &rounding) {
  scoreErrors.assign(row.scoreErrors.begin(), row.scoreErrors.end());
  addRoundings(row, rounding, scoreErrors);
  double total = 0, mean = 0, largest = 0;
  for (auto [weight, error] : llvm::zip_equal(row.unweighted, scoreErrors)) {
    if (weight == 0)
      continue;
    total += std::fabs(weight);
    mean += std::fabs(weight) * error;
  }
  mean = total > 0 ? mean / total : 0;
  errors.clear();
  for (auto [weight, error] : llvm::zip_equal(row.unweighted, scoreErrors))
    errors.push_back(weight == 0 ? 0 : std::fabs(weight) * (error + mean));
  logSumExpError =
      rounding.round(row.logSumExp, mean + 16 * rounding.unit, 2).error;

  const std::pair<double, double> signs[] = {
      {1, 1}, {-1, -1}, {1, -1}, {-1, 1}};
  for (auto [even, odd] : signs) {
    moved.assign(row.scores.begin(), row.scores.end());
    for (size_t j = 0; j < moved.size(); ++j)
      moved[j] += (j % 2 ? odd : even) * scoreErrors[j];
    double logSumExp = row.evaluate(moved);
    logSumExpError =
        std::max(logSumExpError, getDistance(logSumExp, row.logSumExp));
    for (auto [error, there, here] :
         llvm::zip_equal(errors, moved, row.unweighted))
      error = std::max(error, getDistance(there, here));
  }

  for (auto [slack, error] : llvm::zip(row.slack, errors))
    error += slack;
  for (auto [weight, error] : llvm::zip_equal(row.unweighted, errors))
    error += 16 * rounding.unit * std::fabs(weight) + rounding.leastNormal;
  if (region) {
    std::vector<double> through(errors.size(), 0);
    for (double sign : {1.0, -1.0}) {
      moved.assign(row.unweighted.begin(), row.unweighted.end());
      for (auto [weight, error] : llvm::zip_equal(moved, errors))
        weight += sign * error;
      if (llvm::Error error = region(moved))
        return error;
      for (auto [error, there, here] :
           llvm::zip_equal(through, moved, row.weights))
        error = std::max(error, getDistance(there, here));
    }
    for (auto [error, weight] : llvm::zip_equal(through, row.weights))
      error += 16 * rounding.unit * std::fabs(weight) + rounding.leastNormal;
    errors = std::move(through);
  }
  for (double weight : row.weights)
    if (std::isfinite(weight))
      largest = std::max(largest, std::fabs(weight));
  sizes.clear();
  for (double weight : row.weights)
    sizes.push_back(std::max(std::fabs(weight), largest / 1024));
  return llvm::Error::success();
}

} // namespace reference
} // namespace attn
