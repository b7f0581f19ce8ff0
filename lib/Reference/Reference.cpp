//===- Reference.cpp - The double-precision evaluator -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Reference/Reference.h"

#include "ChanceRounding.h"
#include "Interpreter.h"
#include "mlir/IR/Verifier.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace attn {
using namespace reference;

/// The type of an array's elements in the IR.
static Type getElementType(MLIRContext *context, ElementType type) {
  Builder builder(context);
  switch (type) {
  case ElementType::F16:
    return builder.getF16Type();
  case ElementType::BF16:
    return builder.getBF16Type();
  case ElementType::F32:
    return builder.getF32Type();
  case ElementType::F64:
    return builder.getF64Type();
  case ElementType::I1:
    return builder.getI1Type();
  case ElementType::I8:
    return builder.getI8Type();
  case ElementType::I16:
    return builder.getIntegerType(16);
  case ElementType::I32:
    return builder.getI32Type();
  case ElementType::I64:
    return builder.getI64Type();
  case ElementType::Index:
    return builder.getIndexType();
  }
  return {};
}

static unsigned getByteCount(Type type) {
  unsigned bits = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  return std::max(bits / 8, 1u);
}

/// Reads the elements of an array, exactly.
static void readCells(const Array &array, Type type, std::vector<Cell> &cells) {
  unsigned numBytes = getByteCount(type);
  const char *next = static_cast<const char *>(array.getData());
  for (Cell &cell : cells) {
    uint64_t bits = 0;
    std::memcpy(&bits, next, numBytes);
    next += numBytes;
    if (type.isF32()) {
      float number;
      std::memcpy(&number, &bits, sizeof(number));
      cell.f = number;
    } else if (type.isF64()) {
      std::memcpy(&cell.f, &bits, sizeof(cell.f));
    } else if (isa<FloatType>(type)) {
      cell = fromBits(type, llvm::APInt(16, bits));
    } else {
      cell.i = type.isInteger(1) ? bits != 0 : wrapInteger(bits, numBytes * 8);
    }
  }
}

static std::string describe(ArrayRef<int64_t> shape, Type elementType) {
  std::string text = shape.empty() ? "" : formatShape(shape) + "x";
  llvm::raw_string_ostream os(text);
  os << elementType;
  return text;
}

/// The runtime value of argument number `index`.
static Expected<RuntimeValue> readArgument(func::FuncOp function,
                                           unsigned index, const Array *array) {
  Type expected = function.getArgumentTypes()[index];
  Type elementType = getElementTypeOrSelf(expected);
  auto fail = [&](const llvm::Twine &text) {
    return makeError(function.getLoc(),
                     "argument " + llvm::Twine(index) + ": " + text);
  };
  if (isa<ShapedType>(expected) && !isa<RankedTensorType>(expected)) {
    std::string text;
    llvm::raw_string_ostream(text) << expected;
    return fail("reference expected a ranked tensor or a scalar, but the "
                "function takes " +
                text);
  }
  if (!array)
    return fail("expected an array, but got none");
  Type given = getElementType(function.getContext(), array->getType());
  auto tensorType = dyn_cast<RankedTensorType>(expected);
  bool fits = tensorType ? matchesShape(tensorType, array->getShape())
                         : array->getRank() == 0;
  if (given != elementType || !fits)
    return fail(
        "expected " +
        describe(tensorType ? tensorType.getShape() : ArrayRef<int64_t>(),
                 elementType) +
        ", but got " + describe(array->getShape(), given));
  auto tensor = createTensor(function.getLoc(), array->getShape(), given);
  if (!tensor)
    return tensor.takeError();
  readCells(*array, given, (*tensor)->cells);
  (*tensor)->exact = true;
  RuntimeValue value;
  if (tensorType)
    value.tensor = std::move(*tensor);
  else
    value.scalar = (*tensor)->cells.front();
  return value;
}

namespace {
/// A function and what it is called with.
struct Call {
  func::FuncOp function;
  RuntimeValues arguments;

  static Expected<Call> create(ModuleOp module, llvm::StringRef entry,
                               ArrayRef<const Array *> arguments);
  /// Runs it in an interpreter that has its modes set.
  Expected<RuntimeValues> run(Interpreter &interpreter) const {
    return interpreter.call(function, arguments,
                            /*resultsNeeded=*/!interpreter.masksOnly);
  }
};
} // namespace

Expected<Call> Call::create(ModuleOp module, llvm::StringRef entry,
                            ArrayRef<const Array *> arguments) {
  if (failed(verify(module)))
    return makeError(module.getLoc(), "reference expected a valid module");
  Call call{module.lookupSymbol<func::FuncOp>(entry), {}};
  if (!call.function)
    return makeError(module.getLoc(), "no function '" + entry + "'");
  if (call.function.getNumArguments() != arguments.size())
    return makeError(call.function.getLoc(),
                     "function '" + entry + "' takes " +
                         llvm::Twine(call.function.getNumArguments()) +
                         " arguments, but got " +
                         llvm::Twine(arguments.size()));
  for (auto [index, array] : llvm::enumerate(arguments)) {
    auto value = readArgument(call.function, index, array);
    if (!value)
      return value.takeError();
    call.arguments.push_back(std::move(*value));
  }
  return call;
}

/// The same at once.
static Expected<RuntimeValues> interpret(Interpreter &interpreter,
                                         ModuleOp module, llvm::StringRef entry,
                                         ArrayRef<const Array *> arguments) {
  auto call = Call::create(module, entry, arguments);
  if (!call)
    return call.takeError();
  return call->run(interpreter);
}

static double toDouble(Cell cell, Type type) {
  return isa<FloatType>(type) ? cell.f : static_cast<double>(cell.i);
}

static ReferenceTensor toResult(const RuntimeValue &value, Type type) {
  ReferenceTensor result;
  result.elementType = getElementTypeOrSelf(type);
  if (!value.tensor) {
    result.values.push_back(toDouble(value.scalar, result.elementType));
    return result;
  }
  const Tensor &tensor = *value.tensor;
  result.shape = tensor.shape;
  result.values.reserve(tensor.cells.size());
  for (Cell cell : tensor.cells)
    result.values.push_back(toDouble(cell, result.elementType));
  result.magnitude = tensor.magnitude;
  result.error = tensor.error;
  result.flushed = tensor.flushed;
  result.alternatives = tensor.alternatives;
  return result;
}

/// Adds to `squares` those of the distances of a tensor from the reference's,
/// if it is one like it.
static void addSquares(const RuntimeValue &value, const ReferenceTensor &exact,
                       std::vector<double> &squares) {
  if (value.tensor && ArrayRef(value.tensor->shape) != ArrayRef(exact.shape))
    return;
  squares.resize(exact.values.size(), 0);
  for (auto [position, square] : llvm::enumerate(squares)) {
    double number =
        (value.tensor ? value.tensor->cells[position] : value.scalar).f;
    // What is finite here and not there is no matter of rounding.
    double distance = number - exact.values[position];
    if (std::isfinite(distance))
      square += distance * distance;
  }
}

/// Fills `rounded` of the results. Four times the root mean square of a few
/// runs is what a result may be missed by; as the few of an element may happen
/// to be small, those beside it along its row count as much as its own.
static void boundRoundings(ModuleOp module, const Call &call,
                           std::vector<ReferenceTensor> &results) {
  constexpr int kRuns = 4;
  int numDone = 0;
  std::vector<std::vector<double>> squares(results.size());
  for (int run = 0; run < kRuns; ++run) {
    ChanceRounding chance(/*seed=*/run);
    Interpreter interpreter(module);
    interpreter.chance = &chance;
    auto values = call.run(interpreter);
    if (!values) {
      // A read at an index that is another now says nothing of the result.
      llvm::consumeError(values.takeError());
      continue;
    }
    if (!chance.hasRounded())
      return;
    ++numDone;
    for (auto [value, exact, sums] : llvm::zip_equal(*values, results, squares))
      if (isa<FloatType>(exact.elementType))
        addSquares(value, exact, sums);
  }
  for (auto [result, sums] : llvm::zip_equal(results, squares)) {
    size_t width = result.shape.empty() ? 1 : result.shape.back();
    result.rounded.resize(sums.size());
    for (size_t first = 0; first < sums.size(); first += width) {
      double mean = 0;
      for (size_t i = 0; i < width; ++i)
        mean += sums[first + i] / width;
      for (size_t i = 0; i < width; ++i)
        result.rounded[first + i] =
            4 * std::sqrt((sums[first + i] + mean) / (2 * numDone));
    }
  }
}

llvm::Expected<ReferenceResult>
evaluateReference(ModuleOp module, llvm::StringRef entry,
                  ArrayRef<const Array *> arguments,
                  const ReferenceOptions &options) {
  Interpreter interpreter(module);
  interpreter.roundsWeights = options.roundsWeights;
  auto call = Call::create(module, entry, arguments);
  if (!call)
    return call.takeError();
  auto values = call->run(interpreter);
  if (!values)
    return values.takeError();
  ReferenceResult result;
  for (auto [value, type] :
       llvm::zip_equal(*values, call->function.getResultTypes()))
    result.results.push_back(toResult(value, type));
  result.alternatives = std::move(interpreter.alternatives);
  result.visiblePairs = interpreter.visiblePairs;
  result.flops = interpreter.flops;
  if (options.boundsRoundings && mayRoundOnTheWay(module))
    boundRoundings(module, *call, result.results);
  return result;
}

llvm::Expected<ReferenceWork>
countVisiblePairs(ModuleOp module, llvm::StringRef entry,
                  ArrayRef<const Array *> arguments) {
  Interpreter interpreter(module);
  interpreter.masksOnly = true;
  auto values = interpret(interpreter, module, entry, arguments);
  if (!values)
    return values.takeError();
  return ReferenceWork{interpreter.visiblePairs, interpreter.flops};
}

llvm::Expected<PairTrace> tracePair(ModuleOp module, llvm::StringRef entry,
                                    ArrayRef<const Array *> arguments,
                                    ArrayRef<int64_t> position) {
  Interpreter interpreter(module);
  interpreter.tracePosition.emplace(position.begin(), position.end());
  auto values = interpret(interpreter, module, entry, arguments);
  if (!values)
    return values.takeError();
  if (!interpreter.trace)
    return makeError(module.getLoc(),
                     "function '" + entry + "' evaluates no attention op");
  return *interpreter.trace;
}

} // namespace attn
