//===- GenericAttention.cpp - attn.generic ----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionRows.h"
#include "Interpreter.h"
#include "Requests.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

/// Pairs that the mask leaves. Dimensions of batch and query rows that the mask
/// does not depend on (the heads of a group) are not walked.
static Expected<int64_t> countPairs(AttentionRows &rows) {
  if (!rows.hasMask())
    return rows.batch.count * rows.rows.count * rows.keys.count;
  int64_t repeats = 1;
  SmallVector<int64_t> walked = rows.batch.extents;
  for (auto [extent, dim] : llvm::zip_equal(walked, rows.batch.dims))
    if (!rows.maskDependsOn(dim)) {
      repeats *= extent;
      extent = std::min<int64_t>(extent, 1);
    }
  SmallVector<int64_t> walkedRows = rows.rows.extents;
  for (auto [extent, dim] : llvm::zip_equal(walkedRows, rows.rows.dims))
    if (!rows.maskDependsOn(dim)) {
      repeats *= extent;
      extent = std::min<int64_t>(extent, 1);
    }
  auto isWalked = [&](int64_t row) {
    for (size_t i = rows.rows.extents.size(); i-- > 0;) {
      if (row % rows.rows.extents[i] >= walkedRows[i])
        return false;
      row /= rows.rows.extents[i];
    }
    return true;
  };
  int64_t count = 0;
  if (repeats == 0 || getVolume(walked) == 0)
    return count;
  SmallVector<int64_t> index(walked.size(), 0);
  do {
    ArrayRef<int64_t> origin = rows.batch.origin;
    for (auto [number, dim] : llvm::enumerate(rows.batch.dims))
      rows.position[dim] =
          index[number] + (origin.empty() ? 0 : origin[number]);
    for (int64_t row = 0; row < rows.rows.count; ++row) {
      if (!isWalked(row))
        continue;
      rows.beginRow(row);
      if (Error error = rows.countVisible(count))
        return error;
    }
  } while (advance(walked, index));
  return count * repeats;
}

/// Splits a position into indices of batch point, query row and key row.
static Expected<std::array<int64_t, 3>>
resolvePosition(GenericOp op, const AttentionRows &rows,
                ArrayRef<int64_t> given) {
  SmallVector<int64_t> position(given);
  SmallVector<int64_t> extents = rows.batch.extents;
  llvm::append_range(extents, rows.rows.extents);
  llvm::append_range(extents, rows.keys.extents);
  size_t numBatch = rows.batch.dims.size();
  if (position.size() + 1 == extents.size() && numBatch > 0 &&
      rows.rows.dims.size() > 1 && rows.rows.extents[0] > 0) {
    // One number for (last batch dimension, first query row dimension).
    int64_t head = position[numBatch - 1], group = rows.rows.extents[0];
    if (head < 0)
      return makeError(op.getLoc(),
                       "position " + llvm::Twine(head) + " is below 0");
    position[numBatch - 1] = head / group;
    position.insert(position.begin() + numBatch, head % group);
  }
  if (position.size() != extents.size())
    return makeError(op.getLoc(), "expected a position of " +
                                      llvm::Twine(extents.size()) +
                                      " numbers (batch, query rows, key rows), "
                                      "but got " +
                                      llvm::Twine(given.size()));
  std::array<int64_t, 3> indices = {0, 0, 0};
  for (auto [i, p] : llvm::enumerate(position)) {
    if (p < 0 || p >= extents[i])
      return makeError(op.getLoc(), "position " + llvm::Twine(p) +
                                        " is outside a dimension of extent " +
                                        llvm::Twine(extents[i]));
    unsigned part = i < numBatch                           ? 0
                    : i < numBatch + rows.rows.dims.size() ? 1
                                                           : 2;
    indices[part] = indices[part] * extents[i] + p;
  }
  return indices;
}

static Expected<PairTrace> traceOnePair(GenericOp op, AttentionRows &rows,
                                        ArrayRef<int64_t> position) {
  auto indices = resolvePosition(op, rows, position);
  if (!indices)
    return indices.takeError();
  auto [batch, row, key] = *indices;
  rows.beginBatch(batch);
  rows.beginRow(row);
  PairTrace trace;
  if (Error error = rows.tracePair(key, trace.similarity, trace.scaledScore,
                                   trace.visible, trace.score))
    return error;
  if (Error error = rows.computeScores())
    return error;
  trace.visibleKeys = rows.visible.size();
  std::vector<double> weights = rows.scores;
  op.getWeighting().evaluate(weights, rows.weightingOperands, rows.countKeys());
  if (Error error = rows.applyWeightRegion(weights))
    return error;
  for (size_t index = 0; index < weights.size(); ++index)
    if (rows.getVisiblePosition(index) == key)
      trace.weight = weights[index];
  return trace;
}

namespace {
/// A result under its map, with its bounds.
struct Output {
  std::shared_ptr<Tensor> tensor;
  const AttentionOperand *init = nullptr;
};

/// Writes what the ways to weigh a row make of its elements.
class RowWriter {
public:
  RowWriter(std::vector<ReferenceAlternatives> &alternatives, int64_t row,
            size_t numChoices)
      : alternatives(alternatives), row(row), numChoices(numChoices) {}

  /// Which way is at hand; all write the same elements in the same order.
  void begin(size_t choice) {
    number = choice;
    next = first;
  }
  void set(Tensor &tensor, int64_t offset, double value, double magnitude,
           double error) {
    if (number == 0) {
      tensor.cells[offset].f = value;
      tensor.magnitude[offset] = magnitude;
      tensor.error[offset] = error;
    }
    if (numChoices == 1)
      return;
    if (number == 0) {
      if (tensor.alternatives.empty())
        tensor.alternatives.assign(tensor.size(), -1);
      tensor.alternatives[offset] = alternatives.size();
      alternatives.emplace_back().row = row;
    }
    ReferenceAlternatives &element = alternatives[next++];
    element.values.push_back(value);
    element.magnitudes.push_back(magnitude);
    element.errors.push_back(error);
  }

private:
  std::vector<ReferenceAlternatives> &alternatives;
  int64_t row;
  size_t numChoices, number = 0;
  size_t first = alternatives.size(), next = 0;
};
} // namespace

Expected<RuntimeValues> Interpreter::evaluateGeneric(GenericOp op,
                                                     const Environment &env,
                                                     bool needed) {
  auto mapped = getOperands(op.getMappedOperands(), op, env);
  if (!mapped)
    return mapped.takeError();
  if (op->getNumResults() == 0)
    return makeUnsupported(op, "expected tensors");
  if (getRaggedDims(op))
    return evaluateRequests(op, *mapped, env, needed);
  return evaluateRows(op, *mapped, env, needed, /*request=*/std::nullopt);
}

Expected<RuntimeValues>
Interpreter::evaluateRequests(GenericOp op, ArrayRef<RuntimeValue> mapped,
                              const Environment &env, bool needed) {
  auto starts = getOperands(op->getOperands(), op, env);
  if (!starts)
    return starts.takeError();
  auto ragged = cast<RaggedOpInterface>(op.getOperation());
  if (Error error = checkRequests(ragged, env))
    return error;
  int64_t count = countRequests(ragged, env);
  if (tracePosition) {
    // The pair of a request is that of the request alone.
    SmallVector<int64_t> given = *tracePosition;
    DimensionClasses classes = op.getDimensionClasses();
    SmallVector<unsigned> dims = classes.batch;
    llvm::append_range(dims, classes.queryRows);
    unsigned at = llvm::find(dims, getRaggedDims(op)->request) - dims.begin();
    int64_t number = at < given.size() ? std::exchange(given[at], 0) : 0;
    if (number < 0 || number >= count)
      return makeError(op.getLoc(), "position " + llvm::Twine(number) +
                                        " is outside a dimension of extent " +
                                        llvm::Twine(count));
    auto taken = takeRequest(op, mapped, env, number);
    if (!taken)
      return taken.takeError();
    std::swap(*tracePosition, given);
    auto traced = evaluateRows(op, *taken, env, needed, number);
    std::swap(*tracePosition, given);
    return traced;
  }

  SmallVector<std::shared_ptr<Tensor>> wholes;
  for (unsigned i = 0, e = op->getNumResults(); i < e; ++i) {
    const Tensor &init = *mapped[op.getOutputIndex() + i].tensor;
    auto whole = createTensor(op.getLoc(), init.shape, init.elementType);
    if (!whole)
      return whole.takeError();
    if (needed) {
      (*whole)->magnitude.assign((*whole)->size(), 0);
      (*whole)->error.assign((*whole)->size(), 0);
    }
    wholes.push_back(std::move(*whole));
  }
  for (int64_t number = 0; number < count; ++number) {
    auto taken = takeRequest(op, mapped, env, number);
    if (!taken)
      return taken.takeError();
    auto parts = evaluateRows(op, *taken, env, needed, number);
    if (!parts)
      return parts.takeError();
    for (auto [index, part] : llvm::enumerate(*parts))
      putRequest(op, index, env, number, *part.tensor, *wholes[index]);
  }
  RuntimeValues results(wholes.size());
  for (auto [result, whole] : llvm::zip_equal(results, wholes))
    result.tensor = std::move(whole);
  return results;
}

Expected<RuntimeValues>
Interpreter::evaluateRows(GenericOp op, ArrayRef<RuntimeValue> mapped,
                          const Environment &env, bool needed,
                          std::optional<int64_t> request) {
  auto created = AttentionRows::create(op, mapped, env, request);
  if (!created)
    return created.takeError();
  AttentionRows &rows = *created;
  rows.roundsWeights &= roundsWeights;
  if (tracePosition) {
    auto pair = traceOnePair(op, rows, *tracePosition);
    if (!pair)
      return pair.takeError();
    trace = *pair;
    return RuntimeValues();
  }

  SmallVector<Output> outputs;
  for (unsigned i = 0, e = op->getNumResults(); i < e; ++i) {
    const AttentionOperand &init = rows.getInit(i);
    auto tensor =
        createTensor(op.getLoc(), init.tensor->shape, init.tensor->elementType);
    if (!tensor)
      return tensor.takeError();
    outputs.push_back({std::move(*tensor), &init});
  }
  auto finish = [&](int64_t pairs) {
    visiblePairs += pairs;
    flops += 2.0 * pairs * (rows.features.count + rows.channels.count);
    RuntimeValues results(outputs.size());
    for (auto [result, output] : llvm::zip_equal(results, outputs))
      result.tensor = std::move(output.tensor);
    return results;
  };
  if (!needed) {
    Expected<int64_t> pairs = countPairs(rows);
    if (!pairs)
      return pairs.takeError();
    return finish(*pairs);
  }

  for (Output &output : outputs) {
    output.tensor->magnitude.assign(output.tensor->size(), 0);
    output.tensor->error.assign(output.tensor->size(), 0);
  }
  Output *lse = op.getLse() ? &outputs[1] : nullptr;
  Output *weightsOut = op.getWeights() ? &outputs.back() : nullptr;
  std::vector<int64_t> channelOffsets =
      rows.channels.getOffsets(outputs[0].init->strides);
  // By the key, or by the position in a list of pages.
  bool isPaged = BlockList::hasPages(op);
  std::vector<int64_t> keyOffsets;
  if (weightsOut && !isPaged)
    keyOffsets = rows.keys.getOffsets(weightsOut->init->strides);
  auto getKeyOffset = [&](size_t index) {
    return isPaged ? rows.getVisiblePosition(index) *
                         weightsOut->init->strides[rows.keys.dims.back()]
                   : keyOffsets[rows.visible[index]];
  };

  int64_t pairs = 0;
  std::vector<double> weights;
  WeightBounds bounds;
  WeightedSums sums;
  for (int64_t batch = 0; batch < rows.batch.count; ++batch) {
    if (rows.rows.count > 0)
      rows.beginBatch(batch);
    for (int64_t row = 0; row < rows.rows.count; ++row) {
      rows.beginRow(row);
      if (Error error = rows.computeScores())
        return error;
      pairs += rows.visible.size();
      RowChoices choices = rows.listChoices();
      RowWriter writer(alternatives, numUndecidedRows, choices.choices.size());
      if (choices.choices.size() > 1)
        ++numUndecidedRows;
      for (size_t number = 0; number < choices.choices.size(); ++number) {
        writer.begin(number);
        double logSumExp = 0;
        if (Error error =
                rows.weigh(choices, number, weights, logSumExp, bounds))
          return error;
        if (choices.isIncomplete)
          llvm::fill(bounds.errors, INFINITY);
        sums.clear(rows.channels.count);
        rows.accumulate(weights, bounds, sums);

        auto offsetOf = [&](Output &output) {
          return output.init->getOffset(rows.position, rows.batch, rows.rows);
        };
        int64_t base = offsetOf(outputs[0]);
        for (auto [channel, offset] : llvm::enumerate(channelOffsets))
          writer.set(*outputs[0].tensor, base + offset, sums.values[channel],
                     sums.sizes[channel], sums.errors[channel]);
        if (lse)
          writer.set(*lse->tensor, offsetOf(*lse), logSumExp, 1,
                     choices.isIncomplete ? INFINITY : bounds.logSumExpError);
        if (weightsOut)
          for (size_t index = 0; index < rows.visible.size(); ++index)
            writer.set(*weightsOut->tensor,
                       offsetOf(*weightsOut) + getKeyOffset(index),
                       weights[index], bounds.sizes[index],
                       bounds.errors[index]);
      }
    }
  }
  return finish(pairs);
}

} // namespace reference
} // namespace attn
