//===- DriverInputs.cpp - The arguments of a run ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DriverInputs.h"

#include "attn/Support/Npy.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

using Shape = llvm::SmallVector<int64_t>;

static bool isDynamic(const TensorSpec &spec) {
  return llvm::any_of(spec.shape, [](int64_t extent) { return extent < 0; });
}

/// Whether `shape` has the rank and the static extents of `spec`.
static bool fits(llvm::ArrayRef<int64_t> shape, const TensorSpec &spec) {
  return shape.size() == spec.shape.size() &&
         llvm::all_of(llvm::zip(shape, spec.shape), [](auto extents) {
           auto [got, expected] = extents;
           return expected < 0 || got == expected;
         });
}

/// `argument 2 (?x4xf32)`.
static std::string describe(size_t number, const TensorSpec &spec) {
  return "argument " + std::to_string(number) + " (" +
         toString(spec.shape, spec.type) + ")";
}

static Error addArgument(size_t number, const TensorSpec &spec, Error error) {
  return createStringError(describe(number, spec) + ": " +
                           llvm::toString(std::move(error)));
}

static Expected<Array> readArgument(size_t number, const TensorSpec &spec,
                                    const std::string &path) {
  Expected<Array> array = readNpy(path, spec.type);
  if (!array)
    return addArgument(number, spec, array.takeError());
  if (fits(array->getShape(), spec))
    return array;
  return createStringError(
      describe(number, spec) + ": expected " + toString(spec.shape, spec.type) +
      ", but '" + path + "' holds " + array->toString() +
      (array->getRank() == static_cast<int64_t>(spec.shape.size())
           ? ""
           : "; give it rank " + std::to_string(spec.shape.size()) +
                 " with numpy.reshape"));
}

/// Hands the --shape options to the arguments from `first` on. Those without a
/// number are, in order, for all of these, or for the dynamic ones alone; a
/// single one is for every dynamic one.
static Expected<std::vector<std::optional<Shape>>>
assignShapes(llvm::ArrayRef<TensorSpec> specs, size_t first,
             const DriverOptions &options) {
  std::vector<std::optional<Shape>> shapes(specs.size());
  std::vector<Shape> unnumbered;
  for (const ShapeOption &option : options.shapes) {
    if (!option.argument) {
      unnumbered.push_back(option.shape);
      continue;
    }
    size_t number = *option.argument;
    if (number < first || number >= specs.size())
      return createStringError(
          "expected --shape=ARG:... with an argument that --random fills, but "
          "got ARG " +
          std::to_string(number) + " of " + std::to_string(specs.size()) +
          " arguments");
    shapes[number] = option.shape;
  }
  std::vector<size_t> all, dynamic;
  for (size_t number = first; number < specs.size(); ++number) {
    if (shapes[number] || specs[number].scalar)
      continue;
    all.push_back(number);
    if (isDynamic(specs[number]))
      dynamic.push_back(number);
  }
  if (unnumbered.empty())
    return shapes;
  if (unnumbered.size() == dynamic.size() || unnumbered.size() == 1) {
    for (auto [position, number] : llvm::enumerate(dynamic))
      shapes[number] = unnumbered[unnumbered.size() == 1 ? 0 : position];
    if (!dynamic.empty())
      return shapes;
  }
  if (unnumbered.size() != all.size())
    return createStringError(
        "expected one --shape, or one for each of the " +
        std::to_string(dynamic.size()) +
        " arguments of dynamic size that --random fills, but got " +
        std::to_string(unnumbered.size()));
  for (auto [number, shape] : llvm::zip(all, unnumbered))
    shapes[number] = shape;
  return shapes;
}

static Expected<Array> drawArgument(size_t number, const TensorSpec &spec,
                                    const std::optional<Shape> &shape,
                                    const DriverOptions &options) {
  if (!shape && isDynamic(spec))
    return createStringError(describe(number, spec) +
                             ": expected --shape=" + std::to_string(number) +
                             ":... to give its dynamic sizes");
  if (shape && !fits(*shape, spec))
    return createStringError(describe(number, spec) + ": expected --shape of " +
                             toString(spec.shape, spec.type) + ", but got " +
                             toString(*shape));
  std::optional<RandomRange> range;
  if (auto it = options.randomRanges.find(number);
      it != options.randomRanges.end())
    range = it->second;
  if (!range && !isFloat(spec.type) && spec.type != ElementType::I1)
    return createStringError(describe(number, spec) +
                             ": expected --random-range=" +
                             std::to_string(number) +
                             ":LO:HI, which integers are drawn from");
  Expected<Array> array = Array::create(spec.type, shape ? *shape : spec.shape);
  if (!array)
    return addArgument(number, spec, array.takeError());
  if (Error error = fillRandom(*array, *options.randomSeed, number, range))
    return addArgument(number, spec, std::move(error));
  return array;
}

Expected<std::vector<Array>>
attn::prepareArguments(llvm::ArrayRef<TensorSpec> specs,
                       const DriverOptions &options) {
  const size_t numInputs = options.inputs.size();
  if (numInputs > specs.size())
    return createStringError("expected at most " +
                             std::to_string(specs.size()) +
                             " --input, one per argument, but got " +
                             std::to_string(numInputs));
  if (numInputs < specs.size() && !options.randomSeed)
    return createStringError(describe(numInputs, specs[numInputs]) +
                             ": expected an --input, but got " +
                             std::to_string(numInputs) + " for " +
                             std::to_string(specs.size()) +
                             " arguments; --random fills the others");
  for (auto &[number, range] : options.randomRanges)
    if (size_t(number) < numInputs || size_t(number) >= specs.size())
      return createStringError(
          "expected --random-range=ARG:LO:HI with an argument that --random "
          "fills, but got ARG " +
          std::to_string(number) + " of " + std::to_string(specs.size()) +
          " arguments");
  Expected<std::vector<std::optional<Shape>>> shapes =
      assignShapes(specs, numInputs, options);
  if (!shapes)
    return shapes.takeError();
  std::vector<Array> arguments;
  for (auto [number, spec] : llvm::enumerate(specs)) {
    Expected<Array> array =
        number < numInputs
            ? readArgument(number, spec, options.inputs[number])
            : drawArgument(number, spec, (*shapes)[number], options);
    if (!array)
      return array.takeError();
    arguments.push_back(std::move(*array));
  }
  return arguments;
}

std::vector<const Array *> attn::getPointers(llvm::ArrayRef<Array> arrays) {
  std::vector<const Array *> pointers;
  for (const Array &array : arrays)
    pointers.push_back(&array);
  return pointers;
}
