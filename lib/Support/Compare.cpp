//===- Compare.cpp - Comparing an output with the reference -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Compare.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <limits>

using namespace attn;
using llvm::ArrayRef;

static constexpr double infinity = std::numeric_limits<double>::infinity();

/// The distance between two numbers; infinite where NaN or an infinity meets
/// something else.
static double getError(ElementType type, double got, double expected) {
  if (std::isnan(got) || std::isnan(expected))
    return std::isnan(got) && std::isnan(expected) ? 0 : infinity;
  if (got == expected)
    return 0;
  if (std::isinf(got))
    return std::isfinite(expected) && roundToElement(type, expected) == got
               ? 0
               : infinity;
  return std::fabs(got - expected);
}

/// Exact agreement needs no tolerance: NaN beside NaN leaves none.
static bool isWithin(double error, double tolerance) {
  return error == 0 ||
         (tolerance >= 0 && std::isfinite(tolerance) && error <= tolerance);
}

bool attn::agrees(ElementType type, double got, double expected,
                  double tolerance) {
  return isWithin(getError(type, got, expected), tolerance);
}

static Comparison makeProblem(std::string problem) {
  Comparison comparison;
  comparison.problem = std::move(problem);
  return comparison;
}

Comparison attn::compare(const Array *output, ArrayRef<int64_t> shape,
                         ArrayRef<double> expected,
                         ArrayRef<double> tolerance) {
  if (!output)
    return makeProblem("expected an output of shape " + toString(shape) +
                       ", but it is missing");
  if (output->getShape() != shape)
    return makeProblem("expected an output of shape " + toString(shape) +
                       ", but got " + toString(output->getShape()));
  const int64_t count = output->getNumElements();
  if (static_cast<int64_t>(expected.size()) != count)
    return makeProblem("expected " + std::to_string(count) +
                       " reference values, but got " +
                       std::to_string(expected.size()));
  if (tolerance.size() != 1 && static_cast<int64_t>(tolerance.size()) != count)
    return makeProblem("expected 1 or " + std::to_string(count) +
                       " tolerances, but got " +
                       std::to_string(tolerance.size()));
  Comparison comparison;
  comparison.shape.assign(shape.begin(), shape.end());
  comparison.numElements = count;
  double sumOfSquares = 0;
  for (int64_t position = 0; position < count; ++position) {
    ComparedElement element = {
        position, output->at(position), expected[position],
        tolerance[tolerance.size() == 1 ? 0 : position]};
    double error =
        getError(output->getType(), element.got, element.expected);
    bool valid = element.tolerance >= 0 && std::isfinite(element.tolerance);
    if (!isWithin(error, element.tolerance) && comparison.numMismatches++ == 0)
      comparison.firstMismatch = element;
    if (comparison.largest.position < 0 || error > comparison.largestError) {
      comparison.largest = element;
      comparison.largestError = error;
    }
    double ratio = error == 0                       ? 0
                   : valid && element.tolerance > 0 ? error / element.tolerance
                                                    : infinity;
    comparison.largestRatio = std::max(comparison.largestRatio, ratio);
    if (std::isfinite(error))
      sumOfSquares += error * error;
  }
  if (count)
    comparison.rootMeanSquare = std::sqrt(sumOfSquares / count);
  comparison.passed = comparison.numMismatches == 0;
  return comparison;
}

std::string Comparison::describe() const {
  if (!problem.empty())
    return problem;
  std::string text;
  llvm::raw_string_ostream os(text);
  auto where = [&](const ComparedElement &element) {
    return formatIndex(delinearize(shape, element.position));
  };
  if (numElements == 0) {
    os << "ok: no elements";
  } else if (passed) {
    os << "ok: " << numElements << " elements, largest error "
       << llvm::format("%.3g", largestError) << " at " << where(largest);
    if (largestError > 0)
      os << llvm::format(" (%.2f of the tolerance)", largestRatio);
  } else {
    os << numMismatches << " of " << numElements
       << " elements differ, first at " << where(firstMismatch)
       << llvm::format(": expected %.9g +- %.3g, but got %.9g",
                       firstMismatch.expected, firstMismatch.tolerance,
                       firstMismatch.got)
       << llvm::format("; largest error %.3g at ", largestError)
       << where(largest);
  }
  return text;
}

/// Half the least positive number of a float type.
static double getHalfLeast(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return 0x1p-25;
  case ElementType::BF16:
    return 0x1p-134;
  case ElementType::F32:
    return 0x1p-150;
  default:
    return 0;
  }
}

double attn::getRoundedTolerance(ElementType output, double error,
                                 double expected) {
  double tolerance = error + getUnitRoundoff(output) *
                                 (std::fabs(expected) + error) +
                     getHalfLeast(output);
  return std::min(tolerance, std::numeric_limits<double>::max());
}
