//===- NamedOps.cpp - Named ops by their own definition ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionRows.h"
#include "Interpreter.h"
#include "Requests.h"
#include "attn/IR/Evaluation.h"

#include <cmath>
#include <deque>

using namespace mlir;

namespace attn {
namespace reference {

namespace {

/// What the interpreter lends to one op.
class Lender final : public Evaluation {
public:
  Lender(Operation *op, const Environment &env, Interpreter &interpreter,
         bool needed)
      : op(op), env(env), interpreter(interpreter), needed(needed) {}
  ~Lender() override { llvm::consumeError(takeError()); }

  PlainOperand getOperand(Value operand) override;
  PlainRegion getRegion(Region &region) override;
  Expected<SmallVector<PlainResult>>
  attend(const PlainAttention &attention) override;

  /// The first error of a region, if there was one.
  Error takeError() { return std::exchange(failure, Error::success()); }

private:
  struct Numbers {
    std::vector<double> reals;
    std::vector<int64_t> integers;
    SmallVector<int64_t> shape;
  };
  void fail(Error error) {
    if (failure)
      llvm::consumeError(std::move(error));
    else
      failure = std::move(error);
  }
  Expected<int64_t> countPairs(const PlainAttention &attention);
  Error trace(const PlainAttention &attention, ArrayRef<int64_t> position);
  /// The visible keys of a row and their scores.
  Error weigh(const PlainAttention &attention, ArrayRef<int64_t> row);

  Operation *op;
  const Environment &env;
  Interpreter &interpreter;
  bool needed;
  Error failure = Error::success();
  std::deque<Numbers> numbers;
  std::deque<ScalarProgram> programs;
  // Of the row at hand.
  std::vector<int64_t> visible;
  std::vector<double> scores, scoreErrors, weights;
  SmallVector<double> weightingOperands;
  double logSumExp = 0;
};

} // namespace

PlainOperand Lender::getOperand(Value operand) {
  const RuntimeValue &value = env.find(operand)->second;
  Numbers &plain = numbers.emplace_back();
  bool isFloat = isa<FloatType>(getElementTypeOrSelf(operand.getType()));
  ArrayRef<Cell> cells = value.scalar;
  if (value.tensor) {
    cells = value.tensor->cells;
    plain.shape = value.tensor->shape;
  }
  for (Cell cell : cells)
    if (isFloat)
      plain.reals.push_back(cell.f);
    else
      plain.integers.push_back(cell.i);
  return {plain.shape, plain.reals, plain.integers};
}

PlainRegion Lender::getRegion(Region &region) {
  if (region.empty())
    return nullptr;
  Expected<ScalarProgram> compiled =
      ScalarProgram::compile(region.front(), env);
  if (!compiled) {
    fail(compiled.takeError());
    return [](ArrayRef<Estimate>) { return Estimate(); };
  }
  ScalarProgram &program = programs.emplace_back(std::move(*compiled));
  bool isFloat = isa<FloatType>(
      region.front().getTerminator()->getOperand(0).getType());
  return [this, &program, &region, isFloat](ArrayRef<Estimate> arguments) {
    for (auto [index, argument] : llvm::enumerate(arguments)) {
      if (isa<FloatType>(region.getArgument(index).getType()))
        program.argument(index).f = argument.value;
      else
        program.argument(index).i = static_cast<int64_t>(argument.value);
      program.argumentError(index) = argument.error;
    }
    if (!program.runEstimating(/*position=*/nullptr)) {
      fail(program.takeError());
      return Estimate();
    }
    if (isFloat)
      return Estimate{program.result().f, program.resultError()};
    return Estimate{static_cast<double>(program.result().i), 0};
  };
}

/// Dimensions that visibility does not depend on (the heads, mostly) are not
/// walked.
Expected<int64_t> Lender::countPairs(const PlainAttention &attention) {
  int64_t numRows = getVolume(attention.rows);
  if ((!attention.isVisible && !attention.getNumKeys) || numRows == 0)
    return numRows * attention.numKeys;
  SmallVector<int64_t> walked(attention.rows);
  for (auto [dim, extent] : llvm::enumerate(walked))
    if (dim < attention.maskDims.size() && !attention.maskDims[dim])
      extent = 1;
  int64_t count = 0;
  SmallVector<int64_t> row(walked.size(), 0);
  do {
    int64_t numKeys = attention.countKeys(row);
    if (!attention.isVisible)
      count += numKeys;
    for (int64_t key = 0; attention.isVisible && key < numKeys; ++key)
      count += attention.isVisible(row, key);
    if (failure)
      return takeError();
  } while (advance(walked, row));
  return count * (numRows / getVolume(walked));
}

Error Lender::weigh(const PlainAttention &attention, ArrayRef<int64_t> row) {
  visible.clear();
  scores.clear();
  scoreErrors.clear();
  int64_t numKeys = attention.countKeys(row);
  for (int64_t key = 0; key < numKeys; ++key) {
    if (attention.isVisible && !attention.isVisible(row, key))
      continue;
    PlainPair pair = attention.getPair(row, key);
    visible.push_back(key);
    scores.push_back(pair.score.value);
    scoreErrors.push_back(pair.score.error);
  }
  if (failure)
    return takeError();
  weights = scores;
  weightingOperands = attention.getWeightingOperands(row);
  WeightingAttrInterface weighting = attention.weighting;
  logSumExp = weighting.evaluate(weights, weightingOperands, numKeys);
  return Error::success();
}

Error Lender::trace(const PlainAttention &attention,
                    ArrayRef<int64_t> position) {
  SmallVector<int64_t> extents(attention.rows);
  extents.push_back(attention.numKeys);
  if (position.size() != extents.size())
    return makeError(op->getLoc(),
                     "expected a position of " + llvm::Twine(extents.size()) +
                         " numbers (batch, query rows, key rows), but got " +
                         llvm::Twine(position.size()));
  auto isInside = [](int64_t p, int64_t extent) {
    return p >= 0 && p < extent;
  };
  ArrayRef<int64_t> row = position.drop_back();
  // Of the keys, those of the row.
  if (llvm::all_of_zip(row, attention.rows, isInside))
    extents.back() = attention.countKeys(row);
  for (auto [p, extent] : llvm::zip_equal(position, extents))
    if (!isInside(p, extent))
      return makeError(op->getLoc(), "position " + llvm::Twine(p) +
                                         " is outside a dimension of extent " +
                                         llvm::Twine(extent));
  int64_t key = position.back();
  PairTrace trace;
  if (Error error = weigh(attention, row))
    return error;
  trace.visibleKeys = visible.size();
  auto seen = llvm::find(visible, key);
  trace.visible = seen != visible.end();
  if (trace.visible)
    trace.weight = weights[seen - visible.begin()];
  // A region that reads may not be asked for a hidden pair.
  PlainPair pair = attention.getPair(row, key);
  llvm::consumeError(takeError());
  trace.similarity = pair.similarity;
  trace.scaledScore = pair.scaledScore;
  if (trace.visible)
    trace.score = pair.score.value;
  interpreter.trace = trace;
  return Error::success();
}

/// A result of zeros.
static PlainResult createResult(ArrayRef<int64_t> shape) {
  PlainResult result;
  result.shape.assign(shape.begin(), shape.end());
  int64_t count = getVolume(shape);
  result.values.assign(count, 0);
  result.magnitude.assign(count, 0);
  result.error.assign(count, 0);
  return result;
}

Expected<SmallVector<PlainResult>>
Lender::attend(const PlainAttention &attention) {
  if (failure)
    return takeError();
  if (interpreter.tracePosition) {
    if (Error error = trace(attention, *interpreter.tracePosition))
      return error;
    return SmallVector<PlainResult>();
  }
  SmallVector<int64_t> shape(attention.rows);
  shape.push_back(attention.numChannels);
  // A shape that memory does not hold has been refused: it is the inits'.
  SmallVector<PlainResult> results{createResult(shape)};
  if (attention.wantsLogSumExp)
    results.push_back(createResult(attention.rows));
  if (attention.wantsWeights) {
    shape.back() = attention.numKeys;
    results.push_back(createResult(shape));
  }
  int64_t pairs = 0;
  if (!needed) {
    Expected<int64_t> counted = countPairs(attention);
    if (!counted)
      return counted.takeError();
    pairs = *counted;
  }
  Rounding rounding(attention.accumulationType);
  WeightBounds bounds;
  WeightedSums sums;
  SmallVector<int64_t> row(attention.rows.size(), 0);
  int64_t numRows = needed ? getVolume(attention.rows) : 0;
  for (int64_t number = 0; number < numRows; ++number) {
    if (Error error = weigh(attention, row))
      return error;
    pairs += visible.size();
    WeightedRow weighted;
    WeightingAttrInterface weighting = attention.weighting;
    double numKeys = attention.countKeys(row);
    auto evaluate = [&](MutableArrayRef<double> moved) {
      return weighting.evaluate(moved, weightingOperands, numKeys);
    };
    weighted.evaluate = evaluate;
    weighted.scores = scores;
    weighted.scoreErrors = scoreErrors;
    weighted.unweighted = weighted.weights = weights;
    weighted.logSumExp = logSumExp;
    if (Error error = bounds.compute(weighted, nullptr, rounding))
      return error;
    sums.clear(attention.numChannels);
    for (auto [index, key] : llvm::enumerate(visible))
      sums.add(weights[index], bounds.sizes[index], bounds.errors[index],
               attention.getValue(row, key));
    if (attention.inPairs ||
        (attention.roundsWeights && interpreter.roundsWeights))
      sums.addWeightErrors(weights, attention.inPairs, [&](size_t index) {
        return attention.getValue(row, visible[index]);
      });
    int64_t base = number * attention.numChannels;
    llvm::copy(sums.values, results[0].values.begin() + base);
    llvm::copy(sums.sizes, results[0].magnitude.begin() + base);
    llvm::copy(sums.errors, results[0].error.begin() + base);
    if (attention.wantsLogSumExp) {
      results[1].values[number] = logSumExp;
      results[1].magnitude[number] = 1;
      results[1].error[number] = bounds.logSumExpError;
    }
    if (attention.wantsWeights)
      for (auto [index, key] : llvm::enumerate(visible)) {
        int64_t at = number * attention.numKeys + key;
        results.back().values[at] = weights[index];
        results.back().magnitude[at] = bounds.sizes[index];
        results.back().error[at] = bounds.errors[index];
      }
    advance(attention.rows, row);
  }
  interpreter.visiblePairs += pairs;
  interpreter.flops +=
      2.0 * pairs * (attention.numFeatures + attention.numChannels);
  return results;
}

/// The extents that the op relies on agree.
static Error checkExtents(NamedAttentionOpInterface op,
                          const Environment &env) {
  OperandRelations relations(op);
  op.getExtentRelations(relations);
  auto getExtent = [&](unsigned operand, int64_t dim) {
    return env.find(op->getOperand(operand))->second.tensor->shape[dim];
  };
  for (const OperandRelation &relation : relations.get()) {
    int64_t left = getExtent(relation.leftOperand, relation.leftDim);
    int64_t right = getExtent(relation.rightOperand, relation.rightDim);
    bool holds = !relation.multiple ? left == right
                 : right == 0       ? left == 0
                                    : left % right == 0;
    if (!holds)
      return makeError(
          op->getLoc(),
          "'" + op->getName().getStringRef() + "' expected extent " +
              llvm::Twine(relation.leftDim) + " of operand " +
              llvm::Twine(relation.leftOperand) + " to be " +
              (relation.multiple ? "a multiple of " : "") +
              llvm::Twine(right) + " (as extent " +
              llvm::Twine(relation.rightDim) + " of operand " +
              llvm::Twine(relation.rightOperand) + ": " + relation.meaning +
              "), but got " + llvm::Twine(left));
  }
  return Error::success();
}

Expected<RuntimeValues> evaluateNamedOp(NamedAttentionOpInterface op,
                                        const Environment &env,
                                        Interpreter &interpreter,
                                        bool needed) {
  auto operands = getOperands(op->getOperands(), op, env);
  if (!operands)
    return operands.takeError();
  for (auto [operand, value] : llvm::zip_equal(op->getOperands(), *operands))
    if (isa<ShapedType>(operand.getType()) && !value.tensor)
      return makeUnsupported(op, "expected tensors");
  if (op->getNumResults() == 0)
    return makeUnsupported(op, "expected tensors");
  if (Error error = checkExtents(op, env))
    return error;
  if (auto ragged = dyn_cast<RaggedOpInterface>(op.getOperation());
      ragged && isRagged(ragged))
    if (Error error = checkRequests(ragged, env))
      return error;
  Lender lender(op, env, interpreter, needed);
  auto evaluated = op.evaluate(lender);
  if (!evaluated)
    return evaluated.takeError();
  if (Error error = lender.takeError())
    return error;
  if (interpreter.trace)
    return RuntimeValues();
  if (evaluated->size() != op->getNumResults())
    return makeUnsupported(op, "expected one result per init");
  RuntimeValues results(op->getNumResults());
  for (auto [type, plain, result] :
       llvm::zip_equal(op->getResultTypes(), *evaluated, results)) {
    auto tensor =
        createTensor(op->getLoc(), plain.shape, getElementTypeOrSelf(type));
    if (!tensor)
      return tensor.takeError();
    if (plain.values.size() != (*tensor)->cells.size())
      return makeUnsupported(op, "expected values of the result's shape");
    for (auto [cell, value] : llvm::zip_equal((*tensor)->cells, plain.values))
      cell.f = value;
    (*tensor)->magnitude = std::move(plain.magnitude);
    (*tensor)->error = std::move(plain.error);
    result.tensor = std::move(*tensor);
  }
  return results;
}

} // namespace reference
} // namespace attn
