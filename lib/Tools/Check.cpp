//===- Check.cpp - Results beside the reference -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tools/Check.h"
#include "attn/Support/Compare.h"
#include "llvm/Support/Format.h"

#include <cmath>
#include <limits>
#include <map>

using namespace attn;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

/// What the error of element `position` may be, `largest` being the largest
/// finite magnitude of the tensor.
static double getTolerance(const ReferenceTensor &tensor, size_t position,
                           double largest, ElementType type) {
  if (!isFloat(type))
    return 0;
  // Kernels accumulate in f32 at least, whatever they store.
  ElementType accumulation =
      type == ElementType::F64 ? ElementType::F64 : ElementType::F32;
  double error = tensor.error.empty()
                     ? 256 * getUnitRoundoff(accumulation) * largest
                     : tensor.error[position];
  for (const std::vector<double> *more : {&tensor.flushed, &tensor.rounded})
    if (!more->empty())
      error += (*more)[position];
  return getRoundedTolerance(type, error, tensor.values[position]);
}

static std::vector<double> getTolerances(const ReferenceTensor &tensor,
                                         ElementType type) {
  double largest = 0;
  for (double value : tensor.values)
    if (std::isfinite(value))
      largest = std::max(largest, std::fabs(value));
  std::vector<double> tolerances(tensor.values.size());
  for (size_t position = 0; position < tolerances.size(); ++position)
    tolerances[position] = getTolerance(tensor, position, largest, type);
  return tolerances;
}

/// Takes for each row with alternatives the first that all of its elements
/// agree with, in all results, or the reference's own if there is none. Returns
/// how many rows another one was taken for.
static int64_t takeAlternatives(ReferenceResult &expected,
                                llvm::ArrayRef<Array> results) {
  struct Element {
    size_t result, position;
    const ReferenceAlternatives *alternatives;
  };
  std::map<int64_t, std::vector<Element>> rows;
  for (auto [number, tensor] : llvm::enumerate(expected.results)) {
    bool isComparable =
        number < results.size() &&
        results[number].getShape() == llvm::ArrayRef<int64_t>(tensor.shape) &&
        isFloat(results[number].getType());
    if (!isComparable)
      continue;
    for (auto [position, index] : llvm::enumerate(tensor.alternatives))
      if (index >= 0) {
        const ReferenceAlternatives &element = expected.alternatives[index];
        rows[element.row].push_back({number, position, &element});
      }
  }
  int64_t numOthers = 0;
  for (const auto &entry : rows) {
    llvm::ArrayRef<Element> elements = entry.second;
    auto isRight = [&](size_t choice) {
      return llvm::all_of(elements, [&](const Element &element) {
        const Array &result = results[element.result];
        const ReferenceAlternatives &all = *element.alternatives;
        double tolerance = getRoundedTolerance(
            result.getType(), all.errors[choice], all.values[choice]);
        return agrees(result.getType(), result.at(element.position),
                      all.values[choice], tolerance);
      });
    };
    size_t choice = 0, numChoices = elements[0].alternatives->values.size();
    while (choice < numChoices && !isRight(choice))
      ++choice;
    if (choice == numChoices || choice == 0)
      continue;
    ++numOthers;
    for (const Element &element : elements) {
      ReferenceTensor &tensor = expected.results[element.result];
      const ReferenceAlternatives &all = *element.alternatives;
      tensor.values[element.position] = all.values[choice];
      tensor.magnitude[element.position] = all.magnitudes[choice];
      tensor.error[element.position] = all.errors[choice];
    }
  }
  return numOthers;
}

/// How many elements may err by half of what they are sums of, or more: scores
/// so large that neighbouring floats weigh differently, or within their error
/// of a step, decide nothing.
static size_t countUndecided(const ReferenceTensor &tensor,
                             llvm::ArrayRef<double> tolerances) {
  size_t count = 0;
  for (size_t i = 0, e = tensor.magnitude.size(); i < e; ++i) {
    double size = std::max(tensor.magnitude[i], std::fabs(tensor.values[i]));
    count +=
        size > std::numeric_limits<float>::min() && tolerances[i] > size / 2;
  }
  return count;
}

/// The array type of a result's elements.
static Expected<ElementType> getElementType(mlir::Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  if (std::optional<ElementType> elementType = parseElementType(text))
    return *elementType;
  return createStringError("expected a type that arrays hold, but got " + text);
}

Expected<std::vector<Array>>
attn::evaluateAsArrays(mlir::ModuleOp module, llvm::StringRef entry,
                       llvm::ArrayRef<const Array *> arguments) {
  ReferenceOptions options;
  options.boundsRoundings = false;
  Expected<ReferenceResult> reference =
      evaluateReference(module, entry, arguments, options);
  if (!reference)
    return reference.takeError();
  std::vector<Array> arrays;
  for (const ReferenceTensor &tensor : reference->results) {
    Expected<ElementType> type = getElementType(tensor.elementType);
    if (!type)
      return type.takeError();
    Expected<Array> array = Array::create(*type, tensor.shape, tensor.values);
    if (!array)
      return array.takeError();
    arrays.push_back(std::move(*array));
  }
  return arrays;
}

Expected<bool> attn::checkResults(llvm::raw_ostream &os,
                                  const ReferenceResult &reference,
                                  llvm::ArrayRef<Array> results) {
  ReferenceResult chosen;
  int64_t numOthers = 0;
  if (!reference.alternatives.empty()) {
    chosen = reference;
    numOthers = takeAlternatives(chosen, results);
  }
  const std::vector<ReferenceTensor> &tensors =
      reference.alternatives.empty() ? reference.results : chosen.results;
  // A check of nothing is no check.
  if (tensors.empty())
    return createStringError("expected results to check, but the function has "
                             "none");
  bool passed = tensors.size() == results.size();
  if (!passed)
    os << "check: expected " << tensors.size() << " results, but got "
       << results.size() << "\n";
  for (auto [number, tensor] : llvm::enumerate(tensors)) {
    const Array *result = number < results.size() ? &results[number] : nullptr;
    std::vector<double> tolerances =
        result ? getTolerances(tensor, result->getType())
               : std::vector<double>();
    Comparison comparison =
        compare(result, tensor.shape, tensor.values, tolerances);
    passed &= comparison.passed;
    os << "check: result " << number << ": " << comparison.describe();
    if (size_t undecided = result ? countUndecided(tensor, tolerances) : 0)
      os << "; " << undecided
         << " not decided: their scores are too large for the precision, or "
            "within their error of a step";
    os << "\n";
  }
  if (numOthers)
    os << "check: " << numOthers
       << (numOthers == 1 ? " row chooses" : " rows choose")
       << " other keys than the reference, as good within the error of their "
          "scores\n";
  return passed;
}

Error attn::printPairTrace(llvm::raw_ostream &os, mlir::ModuleOp module,
                           llvm::StringRef entry,
                           llvm::ArrayRef<const Array *> arguments,
                           llvm::ArrayRef<int64_t> position) {
  Expected<PairTrace> trace = tracePair(module, entry, arguments, position);
  if (!trace)
    return trace.takeError();
  os << "pair " << formatIndex(position)
     << llvm::format(": similarity %.9g, scaled %.9g, score ",
                     trace->similarity, trace->scaledScore);
  if (trace->score)
    os << llvm::format("%.9g", *trace->score);
  else
    os << "none";
  os << ", mask " << (trace->visible ? "true" : "false")
     << llvm::format(", weight %.9g", trace->weight) << " (the row sees "
     << trace->visibleKeys
     << (trace->visibleKeys == 1 ? " key)\n" : " keys)\n");
  return Error::success();
}
