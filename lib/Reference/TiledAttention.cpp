//===- TiledAttention.cpp - attn.online, merge, finish, pack ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionRows.h"
#include "Interpreter.h"
#include "ScalarProgram.h"
#include "TiledSelection.h"
#include "WeightingAlgebra.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

static RuntimeValues wrap(ArrayRef<std::shared_ptr<Tensor>> tensors) {
  RuntimeValues results(tensors.size());
  for (auto [result, tensor] : llvm::zip_equal(results, tensors))
    result.tensor = tensor;
  return results;
}

std::shared_ptr<Tensor> copyWithBounds(const Tensor &init) {
  auto tensor = std::make_shared<Tensor>(init);
  tensor->exact = false;
  if (tensor->hasBounds())
    return tensor;
  for (Cell cell : init.cells)
    tensor->magnitude.push_back(std::fabs(cell.f));
  tensor->error.assign(init.size(), 0);
  return tensor;
}

//===----------------------------------------------------------------------===//
// attn.online
//===----------------------------------------------------------------------===//

/// The number of query rows to walk: `valid` along the one query row dimension
/// whose extent is not 1.
static int64_t limitRows(const Points &rows, int64_t valid) {
  for (int64_t extent : rows.extents)
    if (extent != 1)
      return std::clamp<int64_t>(valid, 0, rows.count);
  return valid > 0 ? rows.count : 0;
}

int64_t countValidRows(OnlineOp op, const AttentionRows &rows,
                       const Environment &env) {
  if (!op.getRows())
    return rows.rows.count;
  return limitRows(rows.rows, env.lookup(op.getRows()).scalar.i);
}

Expected<RuntimeValues> evaluateOnlineOp(OnlineOp op, const Environment &env,
                                         Interpreter &interpreter) {
  if (isa<SelectWeightingAttrInterface>(op.getWeighting()))
    return evaluateSelectingStep(op, env, interpreter);
  SmallVector<Value> values{op.getQuery(), op.getKey(), op.getValue()};
  llvm::append_range(values, op.getInputs());
  llvm::append_range(values, op.getWeightingOperands());
  llvm::append_range(values, op.getDpsInits());
  auto mapped = getOperands(values, op, env);
  if (!mapped)
    return mapped.takeError();
  auto created = AttentionRows::create(op, *mapped, env);
  if (!created)
    return created.takeError();
  AttentionRows &rows = *created;
  rows.roundsWeights &= interpreter.roundsWeights;
  auto algebra = WeightingAlgebra::create(op, op.getWeighting());
  if (!algebra)
    return algebra.takeError();
  unsigned total = algebra->statistics.size();
  unsigned numScores = algebra->numScoreStatistics;
  SmallVector<std::shared_ptr<Tensor>> outputs;
  for (unsigned i = 0; i <= total; ++i)
    outputs.push_back(copyWithBounds(*rows.getInit(i).tensor));
  Tensor &accumulator = *outputs[0];
  std::vector<int64_t> channelOffsets =
      rows.channels.getOffsets(rows.getInit(0).strides);
  int64_t numRows = countValidRows(op, rows, env);

  std::vector<double> weights;
  WeightBounds bounds;
  WeightedSums sums;
  SmallVector<double> before(total), after(total);
  for (int64_t batch = 0; batch < rows.batch.count; ++batch) {
    if (numRows > 0)
      rows.beginBatch(batch);
    for (int64_t row = 0; row < numRows; ++row) {
      rows.beginRow(row);
      if (Error error = rows.computeScores())
        return error;
      interpreter.visiblePairs += rows.visible.size();
      interpreter.flops += 2.0 * rows.visible.size() *
                           (rows.features.count + rows.channels.count);
      if (rows.visible.empty())
        continue;
      SmallVector<int64_t> offsets;
      for (unsigned i = 0; i <= total; ++i)
        offsets.push_back(
            rows.getInit(i).getOffset(rows.position, rows.batch, rows.rows));
      for (unsigned i = 0; i < total; ++i)
        before[i] = after[i] = outputs[i + 1]->cells[offsets[i + 1]].f;
      for (unsigned i = 0; i < numScores; ++i)
        for (double score : rows.scores)
          after[i] = algebra->combine(i, after[i], score);
      ArrayRef<double> to = ArrayRef(after).take_front(numScores);
      double factor =
          algebra->rescale(ArrayRef(before).take_front(numScores), to);
      weights.clear();
      for (double score : rows.scores)
        weights.push_back(algebra->weight(score, to, rows.weightingOperands));
      for (unsigned i = numScores; i < total; ++i) {
        after[i] *= factor;
        for (double weight : weights)
          after[i] = algebra->combine(i, after[i], weight);
      }
      if (Error error = rows.applyWeightRegion(weights))
        return error;
      // Before they are finished, weights are measured against what is alike
      // for the whole row, so that one bound on the relative error is enough.
      double relative = 16 * rows.rounding.unit;
      for (auto [score, error] : llvm::zip_equal(rows.scores, rows.scoreErrors))
        if (std::isfinite(score))
          relative = std::max(
              relative, 2 * rows.rounding.round(score, error, 2).error +
                            16 * rows.rounding.unit);
      bounds.errors.clear();
      bounds.sizes.clear();
      for (double value : weights) {
        bounds.sizes.push_back(std::fabs(value));
        bounds.errors.push_back(relative * std::fabs(value) +
                                rows.rounding.leastNormal);
      }
      sums.clear(rows.channels.count);
      rows.accumulate(weights, bounds, sums);
      auto rescaleTo = [&](Tensor &tensor, int64_t at, double value,
                           double size, double error) {
        tensor.cells[at].f = tensor.cells[at].f * factor + value;
        tensor.magnitude[at] = tensor.magnitude[at] * std::fabs(factor) + size;
        tensor.error[at] = tensor.error[at] * std::fabs(factor) + error;
      };
      for (auto [channel, offset] : llvm::enumerate(channelOffsets))
        rescaleTo(accumulator, offsets[0] + offset, sums.values[channel],
                  sums.sizes[channel], sums.errors[channel]);
      for (unsigned i = 0; i < total; ++i) {
        Tensor &statistic = *outputs[i + 1];
        int64_t at = offsets[i + 1];
        statistic.cells[at].f = after[i];
        double size = i < numScores ? 1 : std::fabs(after[i]);
        statistic.magnitude[at] = size;
        statistic.error[at] = std::max(statistic.error[at], relative * size);
      }
    }
  }
  return wrap(outputs);
}

//===----------------------------------------------------------------------===//
// attn.merge
//===----------------------------------------------------------------------===//

Expected<RuntimeValues> evaluateMergeOp(MergeOp op, const Environment &env) {
  if (isa<SelectWeightingAttrInterface>(op.getWeighting()))
    return evaluateSelectingMerge(op, env);
  auto partials = getOperands(op.getPartials(), op, env);
  auto inits = getOperands(op.getInits(), op, env);
  if (!partials || !inits)
    return llvm::joinErrors(partials.takeError(), inits.takeError());
  auto algebra = WeightingAlgebra::create(op, op.getWeighting());
  if (!algebra)
    return algebra.takeError();
  unsigned total = algebra->statistics.size();
  unsigned numScores = algebra->numScoreStatistics;
  auto mapOf = [&](unsigned index) { return op.getStoredMap(index); };
  SmallVector<int64_t> extents(mapOf(0).getNumDims(), -1);
  SmallVector<SmallVector<int64_t>> strides;
  SmallVector<std::shared_ptr<Tensor>> outputs;
  int64_t numSplits = 0;
  for (unsigned i = 0; i <= total; ++i) {
    const TensorRef &init = (*inits)[i].tensor, &part = (*partials)[i].tensor;
    if (!init || !part)
      return makeUnsupported(op, "expected tensors");
    if (i == 0)
      numSplits = part->shape[0];
    if (part->shape[0] != numSplits ||
        ArrayRef(part->shape).drop_front() != ArrayRef(init->shape))
      return makeError(op.getLoc(),
                       "'attn.merge' expected partial results of " +
                           llvm::Twine(numSplits) + "x" +
                           formatShape(init->shape) + ", but got " +
                           formatShape(part->shape));
    auto mapped = mapStrides(op, mapOf(i), *init, extents);
    if (!mapped)
      return mapped.takeError();
    strides.push_back(std::move(*mapped));
    auto output = createTensor(op.getLoc(), init->shape, init->elementType);
    if (!output)
      return output.takeError();
    outputs.push_back(std::move(*output));
  }
  const Tensor &parts = *(*partials)[0].tensor;
  if (parts.hasBounds()) {
    outputs[0]->magnitude.assign(outputs[0]->size(), 0);
    outputs[0]->error.assign(outputs[0]->size(), 0);
  }
  if (getVolume(extents) == 0)
    return wrap(outputs);

  SmallVector<int64_t> point(extents.size(), 0), offsets(total + 1);
  SmallVector<double> merged(total), own(numScores);
  auto getPart = [&](unsigned operand, int64_t split) {
    return split * outputs[operand]->size() + offsets[operand];
  };
  auto getStatistic = [&](unsigned i, int64_t split) {
    return (*partials)[i + 1].tensor->cells[getPart(i + 1, split)].f;
  };
  do {
    for (unsigned i = 0; i <= total; ++i) {
      offsets[i] = 0;
      for (size_t d = 0; d < point.size(); ++d)
        offsets[i] += point[d] * strides[i][d];
    }
    for (unsigned i = 0; i < total; ++i)
      merged[i] = algebra->statistics[i].neutral;
    for (unsigned i = 0; i < numScores; ++i)
      for (int64_t split = 0; split < numSplits; ++split)
        merged[i] = algebra->combine(i, merged[i], getStatistic(i, split));
    double sum = 0;
    for (int64_t split = 0; split < numSplits; ++split) {
      for (unsigned i = 0; i < numScores; ++i)
        own[i] = getStatistic(i, split);
      double factor =
          algebra->rescale(own, ArrayRef(merged).take_front(numScores));
      int64_t at = getPart(0, split);
      sum += parts.cells[at].f * factor;
      for (unsigned i = numScores; i < total; ++i)
        merged[i] = algebra->combine(i, merged[i],
                                     getStatistic(i, split) * factor);
      if (!parts.hasBounds())
        continue;
      outputs[0]->magnitude[offsets[0]] +=
          parts.magnitude[at] * std::fabs(factor);
      outputs[0]->error[offsets[0]] += parts.error[at] * std::fabs(factor);
    }
    outputs[0]->cells[offsets[0]].f = sum;
    for (unsigned i = 0; i < total; ++i)
      outputs[i + 1]->cells[offsets[i + 1]].f = merged[i];
  } while (advance(extents, point));
  return wrap(outputs);
}

//===----------------------------------------------------------------------===//
// attn.finish
//===----------------------------------------------------------------------===//

Expected<RuntimeValues> evaluateFinishOp(FinishOp op, const Environment &env) {
  if (isa<SelectWeightingAttrInterface>(op.getWeighting()))
    return evaluateSelectingFinish(op, env);
  SmallVector<Value> values{op.getAccumulator()};
  llvm::append_range(values, op.getStatistics());
  llvm::append_range(values, op.getWeightingOperands());
  unsigned output = values.size();
  llvm::append_range(values, op.getDpsInits());
  auto mapped = getOperands(values, op, env);
  if (!mapped)
    return mapped.takeError();
  auto algebra = WeightingAlgebra::create(op, op.getWeighting());
  if (!algebra)
    return algebra.takeError();
  unsigned total = algebra->statistics.size();
  double numKeys = env.lookup(op.getKeys()).scalar.i;
  auto mapOf = [&](unsigned index) {
    return op.getStoredMap(index);
  };
  // The output decides the extents; what the others hold beyond is dropped.
  SmallVector<int64_t> extents(mapOf(output).getNumDims(), -1);
  SmallVector<SmallVector<int64_t>> strides(values.size());
  SmallVector<unsigned> order{output};
  for (unsigned i = 0; i < values.size(); ++i)
    if (i != output)
      order.push_back(i);
  for (unsigned i : order) {
    strides[i].assign(extents.size(), 0);
    const TensorRef &tensor = (*mapped)[i].tensor;
    if (!tensor && (i <= total || i >= output))
      return makeUnsupported(op, "expected tensors");
    if (!tensor)
      continue;
    auto found = mapStrides(op, mapOf(i), *tensor, extents, i < output);
    if (!found)
      return found.takeError();
    strides[i] = std::move(*found);
  }
  SmallVector<std::shared_ptr<Tensor>> outputs;
  for (unsigned i = output; i < values.size(); ++i) {
    const Tensor &init = *(*mapped)[i].tensor;
    auto tensor = createTensor(op.getLoc(), init.shape, init.elementType);
    if (!tensor)
      return tensor.takeError();
    outputs.push_back(std::move(*tensor));
  }
  const Tensor &accumulator = *(*mapped)[0].tensor;
  bool hasBounds = accumulator.hasBounds();
  for (auto &tensor : outputs) {
    if (!hasBounds)
      break;
    tensor->magnitude.assign(tensor->size(), 1);
    tensor->error.assign(tensor->size(), 0);
  }
  if (getVolume(extents) == 0)
    return wrap(outputs);

  SmallVector<int64_t> point(extents.size(), 0), offsets(values.size());
  SmallVector<double> scalars(output);
  do {
    for (unsigned i = 0; i < values.size(); ++i) {
      offsets[i] = 0;
      for (size_t d = 0; d < point.size(); ++d)
        offsets[i] += point[d] * strides[i][d];
      if (i < output)
        scalars[i] = (*mapped)[i].tensor
                         ? (*mapped)[i].tensor->cells[offsets[i]].f
                         : (*mapped)[i].scalar.f;
    }
    ArrayRef<double> statistics = ArrayRef(scalars).slice(1, total);
    ArrayRef<double> operands = ArrayRef(scalars).drop_front(1 + total);
    double value = scalars[0], size = hasBounds ? 1 : 0;
    if (!op.getFinished())
      for (double factor : algebra->finish(statistics, operands, numKeys)) {
        value *= factor;
        size *= std::fabs(factor);
      }
    outputs[0]->cells[offsets[output]].f = value;
    if (op.getLse())
      outputs[1]->cells[offsets[output + 1]].f =
          algebra->logSumExp(statistics, operands);
    if (!hasBounds)
      continue;
    // The error of an accumulator is relative to what it is a sum of; a
    // log-sum-exp's is that.
    double magnitude = accumulator.magnitude[offsets[0]];
    double error = accumulator.error[offsets[0]];
    outputs[0]->magnitude[offsets[output]] = magnitude * size;
    outputs[0]->error[offsets[output]] = error * size;
    if (op.getLse() && magnitude > 0)
      outputs[1]->error[offsets[output + 1]] = error / magnitude;
  } while (advance(extents, point));
  return wrap(outputs);
}

//===----------------------------------------------------------------------===//
// attn.pack
//===----------------------------------------------------------------------===//

Expected<RuntimeValues> evaluatePackOp(PackOp op, const Environment &env) {
  TensorRef source = env.lookup(op.getSource()).tensor;
  TensorRef destination = env.lookup(op.getDestination()).tensor;
  if (!source || !destination)
    return makeUnsupported(op, "expected tensors");
  auto result = createTensor(op.getLoc(), destination->shape,
                             destination->elementType);
  if (!result)
    return result.takeError();
  SmallVector<int64_t> unit = getStrides(destination->shape);
  SmallVector<int64_t> strides(unit.size(), 0);
  for (auto [position, dim] : llvm::enumerate(op.getPermutation())) {
    if (source->shape[dim] > destination->shape[position])
      return makeError(op.getLoc(),
                       "'attn.pack' expected a destination that holds " +
                           formatShape(source->shape) + ", but got " +
                           formatShape(destination->shape));
    strides[dim] = unit[position];
  }
  std::optional<ScalarProgram> element;
  if (!op.getElement().empty()) {
    auto program = ScalarProgram::compile(op.getElement().front(), env);
    if (!program)
      return program.takeError();
    element = std::move(*program);
  }
  std::vector<Cell> &cells = (*result)->cells;
  auto store = [&](Cell cell, int64_t at) -> bool {
    if (element) {
      element->argument(0) = cell;
      if (!element->run(/*position=*/nullptr))
        return false;
      cell = element->result();
    }
    cells[at] = cell;
    return true;
  };
  // What the source does not cover is what becomes of zero.
  Cell zero = isa<FloatType>(source->elementType) ? Cell::ofFloat(0)
                                                  : Cell::ofInt(0);
  for (int64_t at = 0, e = (*result)->size(); at < e; ++at)
    if (!store(zero, at))
      return element->takeError();
  if (source->size() != 0) {
    SmallVector<int64_t> index(strides.size(), 0);
    int64_t next = 0;
    do {
      int64_t at = 0;
      for (size_t d = 0; d < index.size(); ++d)
        at += index[d] * strides[d];
      if (!store(source->cells[next++], at))
        return element->takeError();
    } while (advance(source->shape, index));
  }
  return wrap(*result);
}

} // namespace reference
} // namespace attn
