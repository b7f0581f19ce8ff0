//===- WeightBounds.h - What the error of a weight may be -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_WEIGHTBOUNDS_H
#define ATTN_LIB_REFERENCE_WEIGHTBOUNDS_H

#include "attn/IR/Evaluation.h"

namespace attn {
namespace reference {

/// The scores of one row's visible keys, and what weighs them: replaces scores
/// by weights and returns the log-sum-exp.
struct WeightedRow {
  llvm::function_ref<double(llvm::MutableArrayRef<double>)> evaluate;
  llvm::ArrayRef<double> scores, scoreErrors;
  /// Before and after the weight region; the same where there is none.
  llvm::ArrayRef<double> unweighted, weights;
  /// What those before it may be missed by that no move of a score shows; empty
  /// for nothing.
  llvm::ArrayRef<double> slack;
  double logSumExp = 0;
};

/// Applies the weight region in place.
using WeightRegion =
    llvm::function_ref<llvm::Error(llvm::MutableArrayRef<double>)>;

/// How far a kernel's weights of one row may be from the exact ones: the errors
/// of the scores, followed through weighting and weight region, and the
/// roundings of these.
struct WeightBounds {
  /// Per visible key: the error, infinite where nothing is known, and the size
  /// that it is small against.
  std::vector<double> errors, sizes;
  double logSumExpError = 0;

  /// `region` is null where there is none.
  llvm::Error compute(const WeightedRow &row, WeightRegion region,
                      const Rounding &rounding);

private:
  std::vector<double> scoreErrors, moved;
};

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_WEIGHTBOUNDS_H
