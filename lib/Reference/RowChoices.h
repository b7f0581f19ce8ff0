//===- RowChoices.h - The ways in which a row may be weighed ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A weighting that chooses keys makes another choice where scores differ by
// less than a kernel's arithmetic may miss them. Which choices there are
// follows from the scores and their errors:
//
//   select    k keys of which each may be as good as any that is left out;
//   ordered   whatever is chosen where the weighting operands are moved by as
//             much as the mass of all keys may err.
//
// Each is right, and nothing between two of them is.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_ROWCHOICES_H
#define ATTN_LIB_REFERENCE_ROWCHOICES_H

#include "attn/IR/Evaluation.h"

#include <functional>

namespace attn {
namespace reference {

/// One way to weigh the visible keys of a row: replaces their scores, or scores
/// that are moved by their errors, by weights, and returns the log-sum-exp.
using RowChoice = std::function<double(llvm::MutableArrayRef<double>)>;

/// All of them, that of the exact scores first.
struct RowChoices {
  std::vector<RowChoice> choices;
  /// Whether there are more than are listed.
  bool isIncomplete = false;
  /// What the weight of each key may be missed by besides; empty for nothing.
  std::vector<double> slack;

  /// `numKeys` counts hidden keys, too. What is listed refers to `operands`.
  static RowChoices list(WeightingAttrInterface weighting,
                         llvm::ArrayRef<double> scores,
                         llvm::ArrayRef<double> scoreErrors,
                         llvm::ArrayRef<double> operands, double numKeys,
                         const Rounding &rounding);
};

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_ROWCHOICES_H
