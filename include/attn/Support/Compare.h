//===- Compare.h - Comparing an output with the reference -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_COMPARE_H
#define ATTN_SUPPORT_COMPARE_H

#include "attn/Support/Array.h"

namespace attn {

/// One element of an output beside what it should be.
struct ComparedElement {
  int64_t position = -1;
  double got = 0, expected = 0, tolerance = 0;
};

/// What a comparison found. It passed only if every element was compared and
/// none differed.
struct Comparison {
  bool passed = false;
  /// Why nothing could be compared: a missing output, another shape. Empty if
  /// the elements were compared.
  std::string problem;
  llvm::SmallVector<int64_t> shape;
  int64_t numElements = 0, numMismatches = 0;
  /// Set if `numMismatches` is not 0.
  ComparedElement firstMismatch;
  /// The largest absolute error; infinite where NaN or an infinity met
  /// something else. Its position is -1 if there are no elements.
  ComparedElement largest;
  double largestError = 0;
  /// The largest error over its tolerance; infinite as above.
  double largestRatio = 0;
  /// Root mean square of the finite errors.
  double rootMeanSquare = 0;

  /// One line. Passed: `ok: 24 elements, largest error 1.2e-07 at [0, 2] (0.31
  /// of the tolerance)`. Failed: `3 of 24 elements differ, first at [0, 1]:
  /// expected 1 +- 1e-06, but got nan; largest error inf at [0, 1]`.
  std::string describe() const;
};

/// Compares `output` with `expected`, row-major values of a tensor of `shape`,
/// element by element: they agree if they differ by at most the tolerance,
/// which is one number or one per element, or are both NaN, or are the same
/// infinity. An expected number beyond the range of the output's type agrees
/// with the infinity it rounds to. NaN or an infinity beside anything else is a
/// mismatch whatever the tolerance, and a tolerance that is negative or not
/// finite agrees with nothing. A null output, another shape, or the wrong
/// number of values or tolerances is a failure, never a pass.
Comparison compare(const Array *output, llvm::ArrayRef<int64_t> shape,
                   llvm::ArrayRef<double> expected,
                   llvm::ArrayRef<double> tolerance);

/// Whether `got`, an element of type `type`, agrees with `expected` as above.
bool agrees(ElementType type, double got, double expected, double tolerance);

/// What the error of an element may be once it is rounded to its own type, if
/// it is `error` before: with u the unit roundoff of `output`, o `expected`,
///   error + u (|o| + error) + half the least positive number.
/// Any number agrees where the error is infinite.
double getRoundedTolerance(ElementType output, double error, double expected);

} // namespace attn

#endif // ATTN_SUPPORT_COMPARE_H
