//===- ReplayOp.cpp - attn.replay -------------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionRows.h"
#include "Interpreter.h"
#include "TiledSelection.h"
#include "WeightingAlgebra.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

namespace {

/// A number for each visible key of a row and what its error may be.
struct Bounded {
  std::vector<double> values, errors;
};

/// The final weights of one row.
struct FinalWeights : Bounded {

  Error compute(AttentionRows &rows, WeightingAlgebra &algebra,
                ArrayRef<double> statistics, double numKeys,
                double relativeError);
  /// The same of the keys that are selected; those of a tile are counted from
  /// `position` on.
  Error compute(AttentionRows &rows, const SelectedKeys &selected,
                int64_t position);

private:
  /// From weights before the weight region, and their errors, to those after.
  Error applyRegion(AttentionRows &rows);

  std::vector<double> moved;
};

/// What the pairs of one row yield to each target. An error of a weight passes
/// through the region as it does through a weight region; states move along.
Error yieldElements(ReplayOp op, AttentionRows &rows,
                    const FinalWeights &weights, ArrayRef<double> states,
                    SmallVector<Bounded> &targets) {
  unsigned number = op.getInits().size();
  double unit = rows.rounding.unit, least = rows.rounding.leastNormal;
  targets.assign(number, Bounded());
  SmallVector<double> yielded(number);
  for (double sign : {0.0, 1.0, -1.0}) {
    SmallVector<double> before(states);
    for (auto [index, key] : llvm::enumerate(rows.visible)) {
      SmallVector<double> leading{weights.values[index] +
                                      sign * weights.errors[index],
                                  rows.scores[index]};
      leading.append(before);
      if (Error error = rows.evaluateElement(key, leading, yielded))
        return error;
      size_t state = 0;
      for (unsigned i = 0; i < number; ++i) {
        if (op.getTarget(i) == ReplayTarget::row_state)
          before[state++] += yielded[i];
        Bounded &target = targets[i];
        if (sign == 0) {
          target.values.push_back(yielded[i]);
          target.errors.push_back(16 * unit * std::fabs(yielded[i]) + least);
        } else if (std::isfinite(yielded[i])) {
          target.errors[index] =
              std::max(target.errors[index],
                       std::fabs(yielded[i] - target.values[index]));
        }
      }
    }
  }
  return Error::success();
}

/// Adds to elements of an init, with their sizes and errors.
void add(Tensor &tensor, int64_t at, double value, double error) {
  tensor.cells[at].f += value;
  tensor.magnitude[at] += std::fabs(value);
  tensor.error[at] += error;
}

} // namespace

/// An error of a weight passes through the weight region as the difference that
/// moving the weight by it makes.
Error FinalWeights::compute(AttentionRows &rows, WeightingAlgebra &algebra,
                            ArrayRef<double> statistics, double numKeys,
                            double relativeError) {
  values.clear();
  errors.clear();
  ArrayRef<double> scoreStatistics =
      statistics.take_front(algebra.numScoreStatistics);
  SmallVector<double> factors =
      algebra.finish(statistics, rows.weightingOperands, numKeys);
  double unit = rows.rounding.unit, least = rows.rounding.leastNormal;
  for (auto [score, error] : llvm::zip_equal(rows.scores, rows.scoreErrors))
    if (std::isfinite(score))
      relativeError =
          std::max(relativeError,
                   2 * rows.rounding.round(score, error, 2).error + 16 * unit);
  for (double score : rows.scores) {
    double weight =
        algebra.weight(score, scoreStatistics, rows.weightingOperands);
    for (double factor : factors)
      weight *= factor;
    values.push_back(weight);
    errors.push_back(2 * relativeError * std::fabs(weight) + least);
  }
  return applyRegion(rows);
}

Error FinalWeights::compute(AttentionRows &rows, const SelectedKeys &selected,
                            int64_t position) {
  values.assign(rows.visible.size(), 0);
  errors.assign(rows.visible.size(), 0);
  for (auto [number, key] : llvm::enumerate(selected.keys)) {
    auto seen = llvm::find(rows.visible, key - position);
    if (seen == rows.visible.end())
      continue;
    values[seen - rows.visible.begin()] = selected.weights[number];
    errors[seen - rows.visible.begin()] = selected.bounds.errors[number];
  }
  return applyRegion(rows);
}

Error FinalWeights::applyRegion(AttentionRows &rows) {
  double unit = rows.rounding.unit, least = rows.rounding.leastNormal;
  std::vector<double> unweighted = values, before = errors;
  if (Error error = rows.applyWeightRegion(values))
    return error;
  errors.assign(values.size(), 0);
  for (double sign : {1.0, -1.0}) {
    moved = unweighted;
    for (auto [weight, error] : llvm::zip_equal(moved, before))
      weight += sign * error;
    if (Error error = rows.applyWeightRegion(moved))
      return error;
    for (auto [error, there, here] : llvm::zip_equal(errors, moved, values))
      if (std::isfinite(there) && std::isfinite(here))
        error = std::max(error, std::fabs(there - here));
  }
  for (auto [error, weight] : llvm::zip_equal(errors, values))
    error += 16 * unit * std::fabs(weight) + least;
  return Error::success();
}

Expected<RuntimeValues> evaluateReplayOp(ReplayOp op, const Environment &env,
                                         Interpreter &interpreter) {
  if (!op.getPairs().empty())
    return makeUnsupported(op, "expected query and key as the only pair");
  auto attention = cast<AttentionOpInterface>(op.getOperation());
  auto mapped = getOperands(attention.getMappedOperands(), op, env);
  if (!mapped)
    return mapped.takeError();
  // Maps name one place of what is several numbers for each row.
  SmallVector<TensorRef> kept;
  for (unsigned i = op.getOutputIndex() - op.getStatistics().size();
       i < op.getOutputIndex(); ++i) {
    RuntimeValue &statistic = (*mapped)[i];
    kept.push_back(statistic.tensor);
    if (unsigned numLeading = attention.getNumLeadingDims(i))
      statistic = viewPlace(*statistic.tensor, numLeading);
  }
  auto created = AttentionRows::create(op, *mapped, env);
  if (!created)
    return created.takeError();
  AttentionRows &rows = *created;
  rows.roundsWeights &= interpreter.roundsWeights;
  auto select = dyn_cast<SelectWeightingAttrInterface>(op.getWeighting());
  std::optional<WeightingAlgebra> algebra;
  if (!select) {
    auto created = WeightingAlgebra::create(op, op.getWeighting());
    if (!created)
      return created.takeError();
    algebra = std::move(*created);
  }

  int64_t numRows = rows.rows.count;
  if (op.getRows())
    numRows =
        std::clamp<int64_t>(env.lookup(op.getRows()).scalar.i, 0, numRows);
  SmallVector<std::shared_ptr<Tensor>> outputs;
  SmallVector<std::vector<int64_t>> keyOffsets;
  for (unsigned i = 0, e = op.getInits().size(); i < e; ++i) {
    const AttentionOperand &init = rows.getInit(i);
    outputs.push_back(copyWithBounds(*init.tensor));
    keyOffsets.push_back(rows.keys.getOffsets(init.strides));
    AffineMap map = op.getStoredMap(op.getOutputIndex() + i);
    if (op.getTarget(i) == ReplayTarget::stored)
      numRows = std::min<int64_t>(numRows,
                                  init.tensor->shape[*map.getResultPosition(
                                      getAffineDimExpr(0, op.getContext()))]);
  }
  unsigned firstStatistic =
      op.getOutputIndex() - static_cast<unsigned>(op.getStatistics().size());
  double numKeys = env.lookup(op.getKeys()).scalar.i;
  // Weights that meet values in pairs are rounded to bf16, others to f16.
  double unit = rows.inPairs         ? 0x1p-8
                : rows.roundsWeights ? 0x1p-11
                                     : rows.rounding.unit;
  double least = rows.rounding.leastNormal;

  int64_t position =
      op.getPosition() ? env.lookup(op.getPosition()).scalar.i : 0;

  FinalWeights weights;
  SelectedKeys selected;
  SmallVector<double> statistics, states;
  SmallVector<Bounded> targets;
  if (numRows > 0)
    rows.beginBatch(0);
  for (int64_t row = 0; row < numRows; ++row) {
    rows.beginRow(row);
    if (Error error = rows.computeScores())
      return error;
    auto offsetOf = [&](const AttentionOperand &operand) {
      return operand.getOffset(rows.position, rows.batch, rows.rows);
    };
    statistics.clear();
    double relative = 0;
    if (select) {
      if (Error error =
              selected.compute(select, *kept[0], *kept[1],
                               offsetOf(rows.operands[firstStatistic]),
                               rows.weightingOperands, numKeys, rows.rounding))
        return error;
      if (Error error = weights.compute(rows, selected, position))
        return error;
    }
    for (unsigned i = 0, e = algebra ? op.getStatistics().size() : 0; i < e;
         ++i) {
      const AttentionOperand &operand = rows.operands[firstStatistic + i];
      int64_t at = offsetOf(operand);
      statistics.push_back(operand.tensor->cells[at].f);
      if (operand.tensor->hasBounds() && operand.tensor->magnitude[at] > 0)
        relative += operand.tensor->error[at] / operand.tensor->magnitude[at];
    }
    if (algebra)
      if (Error error =
              weights.compute(rows, *algebra, statistics, numKeys, relative))
        return error;
    // A first walk for statistics has counted the pairs, if there was one.
    int64_t perPair = rows.channels.count;
    if (op.getStatistics().empty()) {
      perPair += rows.features.count;
      interpreter.visiblePairs += rows.visible.size();
    }
    interpreter.flops += 2.0 * rows.visible.size() * perPair;
    targets.clear();
    if (!op.getElement().empty()) {
      states.clear();
      for (auto [i, output] : llvm::enumerate(outputs))
        if (op.getTarget(i) == ReplayTarget::row_state)
          states.push_back(output->cells[offsetOf(rows.getInit(i))].f);
      if (Error error = yieldElements(op, rows, weights, states, targets))
        return error;
    }
    for (auto [i, output] : llvm::enumerate(outputs)) {
      const Bounded &elements = targets.empty() ? weights : targets[i];
      const AttentionOperand &init = rows.getInit(i);
      int64_t base = offsetOf(init);
      const AttentionOperand *other = nullptr;
      if (std::optional<unsigned> index = op.getContractedIndex(i))
        other = &rows.operands[*index];
      ReplayTarget target = op.getTarget(i);
      if (target == ReplayTarget::stored)
        for (int64_t offset : keyOffsets[i]) {
          output->cells[base + offset].f = 0;
          output->magnitude[base + offset] = output->error[base + offset] = 0;
        }
      for (auto [key, weight, error] :
           llvm::zip_equal(rows.visible, elements.values, elements.errors)) {
        int64_t at = base + keyOffsets[i][key];
        if (!other) {
          add(*output, at, weight, error);
          continue;
        }
        // What both sides have beside query rows or key rows.
        const Points &inner =
            rows.features.count > 0 && init.strides[rows.features.dims[0]] != 0
                ? rows.features
                : rows.channels;
        std::vector<int64_t> to = inner.getOffsets(init.strides);
        std::vector<int64_t> from = inner.getOffsets(other->strides);
        int64_t read =
            offsetOf(*other) + rows.keys.getOffsets(other->strides)[key];
        for (auto [left, right] : llvm::zip_equal(to, from)) {
          double value = other->tensor->cells[read + right].f;
          double term = std::fabs(weight * value);
          double bound = error * std::fabs(value) + 2 * unit * term;
          if (rows.inPairs)
            bound += least + (std::fabs(value) < least ? term : 0);
          add(*output, at + left, weight * value, bound);
        }
      }
    }
  }
  RuntimeValues results(outputs.size());
  for (auto [result, output] : llvm::zip_equal(results, outputs))
    result.tensor = std::move(output);
  return results;
}

} // namespace reference
} // namespace attn
