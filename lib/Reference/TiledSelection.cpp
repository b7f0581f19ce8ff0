//===- TiledSelection.cpp - Tiled ops that select keys ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `attn.online`, `attn.merge` and `attn.finish` of weightings of kind *select*:
// rows keep k keys, best first, and these are weighted by the definition of
// what weights them.
//
//===----------------------------------------------------------------------===//

#include "TiledSelection.h"
#include "AttentionRows.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

namespace {

/// A key that a row keeps.
struct Kept {
  double score, error;
  int64_t key;

  /// NaN is better than any number, of equal scores the lower key.
  bool isBetterThan(const Kept &other) const {
    bool isNaN = std::isnan(score), otherIsNaN = std::isnan(other.score);
    if (isNaN != otherIsNaN)
      return isNaN;
    if (!isNaN && score != other.score)
      return score > other.score;
    return key < other.key;
  }
};

/// The pairs (score, index) of a state, each k numbers per row.
struct State {
  Tensor *scores, *indices;
  int64_t numKept;

  int64_t getNumRows() const { return scores->size() / numKept; }
  /// What row `row` keeps, `base` elements from the start.
  std::vector<Kept> load(int64_t row, int64_t base = 0) const;
  void store(int64_t row, ArrayRef<Kept> kept);
};

} // namespace

static std::vector<Kept> loadKept(const Tensor &scores, const Tensor &indices,
                                  int64_t numKept, int64_t numRows, int64_t row,
                                  int64_t base = 0) {
  std::vector<Kept> kept;
  for (int64_t place = 0; place < numKept; ++place) {
    int64_t at = base + place * numRows + row;
    if (indices.cells[at].i >= 0)
      kept.push_back({scores.cells[at].f,
                      scores.hasBounds() ? scores.error[at] : 0,
                      indices.cells[at].i});
  }
  return kept;
}

std::vector<Kept> State::load(int64_t row, int64_t base) const {
  return loadKept(*scores, *indices, numKept, getNumRows(), row, base);
}

/// The best `numKept` of those given.
void State::store(int64_t row, ArrayRef<Kept> all) {
  std::vector<Kept> kept(all);
  llvm::sort(kept, [](const Kept &lhs, const Kept &rhs) {
    return lhs.isBetterThan(rhs);
  });
  for (int64_t place = 0; place < numKept; ++place) {
    int64_t at = place * getNumRows() + row;
    bool isEmpty = place >= static_cast<int64_t>(kept.size());
    scores->cells[at].f = isEmpty ? -INFINITY : kept[place].score;
    indices->cells[at].i = isEmpty ? -1 : kept[place].key;
    if (!scores->hasBounds())
      continue;
    scores->magnitude[at] = isEmpty ? 0 : std::fabs(kept[place].score);
    scores->error[at] = isEmpty ? 0 : kept[place].error;
  }
}

static int64_t getNumKept(WeightingAttrInterface weighting) {
  return cast<SelectWeightingAttrInterface>(weighting).getNumSelected();
}

static RuntimeValue wrap(std::shared_ptr<Tensor> tensor) {
  RuntimeValue value;
  value.tensor = std::move(tensor);
  return value;
}

RuntimeValue viewPlace(const Tensor &statistic, unsigned numLeading) {
  auto view = std::make_shared<Tensor>();
  view->shape.assign(statistic.shape.begin() + numLeading,
                     statistic.shape.end());
  view->elementType = statistic.elementType;
  return wrap(std::move(view));
}

//===----------------------------------------------------------------------===//
// attn.online
//===----------------------------------------------------------------------===//

Expected<RuntimeValues> evaluateSelectingStep(OnlineOp op,
                                              const Environment &env,
                                              Interpreter &interpreter) {
  auto attention = cast<AttentionOpInterface>(op.getOperation());
  auto mapped = getOperands(attention.getMappedOperands(), op, env);
  if (!mapped)
    return mapped.takeError();
  unsigned first = op.getOutputIndex();
  SmallVector<std::shared_ptr<Tensor>> outputs;
  for (unsigned i = first; i < mapped->size(); ++i) {
    TensorRef init = (*mapped)[i].tensor;
    if (!init)
      return makeUnsupported(op, "expected tensors");
    outputs.push_back(i == first + 2 ? std::make_shared<Tensor>(*init)
                                     : copyWithBounds(*init));
    outputs.back()->exact = false;
    if (i > first)
      (*mapped)[i] = viewPlace(*init, op.getNumLeadingDims(i));
  }
  auto created = AttentionRows::create(op, *mapped, env);
  if (!created)
    return created.takeError();
  AttentionRows &rows = *created;
  State state{outputs[1].get(), outputs[2].get(),
              getNumKept(op.getWeighting())};
  int64_t position =
      op.getPosition() ? env.lookup(op.getPosition()).scalar.i : 0;
  int64_t numRows = countValidRows(op, rows, env);
  for (int64_t batch = 0; batch < rows.batch.count; ++batch) {
    if (numRows > 0)
      rows.beginBatch(batch);
    for (int64_t row = 0; row < numRows; ++row) {
      rows.beginRow(row);
      if (Error error = rows.computeScores())
        return error;
      interpreter.visiblePairs += rows.visible.size();
      interpreter.flops += 2.0 * rows.visible.size() * rows.features.count;
      int64_t at =
          rows.getInit(1).getOffset(rows.position, rows.batch, rows.rows);
      std::vector<Kept> kept = state.load(at);
      for (auto [key, score, error] :
           llvm::zip_equal(rows.visible, rows.scores, rows.scoreErrors))
        if (score != -INFINITY)
          kept.push_back({score, error, position + key});
      state.store(at, kept);
    }
  }
  RuntimeValues results;
  for (std::shared_ptr<Tensor> &output : outputs)
    results.push_back(wrap(std::move(output)));
  return results;
}

//===----------------------------------------------------------------------===//
// attn.merge
//===----------------------------------------------------------------------===//

Expected<RuntimeValues> evaluateSelectingMerge(MergeOp op,
                                               const Environment &env) {
  auto partials = getOperands(op.getPartials(), op, env);
  auto inits = getOperands(op.getInits(), op, env);
  if (!partials || !inits)
    return llvm::joinErrors(partials.takeError(), inits.takeError());
  SmallVector<std::shared_ptr<Tensor>> outputs;
  for (auto [partial, init] : llvm::zip_equal(*partials, *inits)) {
    if (!partial.tensor || !init.tensor)
      return makeUnsupported(op, "expected tensors");
    if (ArrayRef(partial.tensor->shape).drop_front() !=
        ArrayRef(init.tensor->shape))
      return makeError(op.getLoc(),
                       "'attn.merge' expected partial results of Sx" +
                           formatShape(init.tensor->shape) + ", but got " +
                           formatShape(partial.tensor->shape));
    auto output =
        createTensor(op.getLoc(), init.tensor->shape, init.tensor->elementType);
    if (!output)
      return output.takeError();
    outputs.push_back(std::move(*output));
  }
  const Tensor &scores = *(*partials)[1].tensor;
  const Tensor &indices = *(*partials)[2].tensor;
  if (scores.hasBounds()) {
    outputs[1]->magnitude.assign(outputs[1]->size(), 0);
    outputs[1]->error.assign(outputs[1]->size(), 0);
  }
  State merged{outputs[1].get(), outputs[2].get(),
               getNumKept(op.getWeighting())};
  for (int64_t row = 0, e = merged.getNumRows(); row < e; ++row) {
    std::vector<Kept> all;
    for (int64_t split = 0; split < scores.shape[0]; ++split)
      llvm::append_range(all, loadKept(scores, indices, merged.numKept, e, row,
                                       split * merged.scores->size()));
    merged.store(row, all);
  }
  RuntimeValues results;
  for (std::shared_ptr<Tensor> &output : outputs)
    results.push_back(wrap(std::move(output)));
  return results;
}

//===----------------------------------------------------------------------===//
// attn.finish
//===----------------------------------------------------------------------===//

Error SelectedKeys::compute(SelectWeightingAttrInterface weighting,
                            const Tensor &scoresKept, const Tensor &indices,
                            int64_t row, ArrayRef<double> operands,
                            double numKeys, const Rounding &rounding) {
  std::vector<double> scores, errors;
  keys.clear();
  int64_t numKept = weighting.getNumSelected();
  for (const Kept &one : loadKept(scoresKept, indices, numKept,
                                  scoresKept.size() / numKept, row)) {
    keys.push_back(one.key);
    scores.push_back(one.score);
    errors.push_back(one.error);
  }
  AccumulateWeightingAttrInterface selected = weighting.getSelectedWeighting();
  auto evaluate = [&](MutableArrayRef<double> row) {
    return selected.evaluate(row, operands, numKeys);
  };
  weights = scores;
  logSumExp = evaluate(weights);
  WeightedRow weighted;
  weighted.evaluate = evaluate;
  weighted.scores = scores;
  weighted.scoreErrors = errors;
  weighted.unweighted = weighted.weights = weights;
  weighted.logSumExp = logSumExp;
  return bounds.compute(weighted, nullptr, rounding);
}

Expected<RuntimeValues> evaluateSelectingFinish(FinishOp op,
                                                const Environment &env) {
  auto mapped = getOperands(op.getMappedOperands(), op, env);
  if (!mapped)
    return mapped.takeError();
  unsigned output = op.getOutputIndex(), weighting = 3;
  unsigned numDims = op.getIndexingMap(0).getNumDims();
  SmallVector<int64_t> extents(numDims, -1);
  SmallVector<SmallVector<int64_t>> strides(mapped->size());
  SmallVector<unsigned> order{output};
  for (unsigned i = 0; i < mapped->size(); ++i)
    if (i != output)
      order.push_back(i);
  for (unsigned i : order) {
    strides[i].assign(numDims, 0);
    RuntimeValue &value = (*mapped)[i];
    if (!value.tensor && (i < weighting || i >= op.getValueIndex()))
      return makeUnsupported(op, "expected tensors");
    // The accumulator has no channels where values are gathered.
    if (!value.tensor || (i == 0 && op.getValue()))
      continue;
    RuntimeValue view = viewPlace(*value.tensor, op.getNumLeadingDims(i));
    auto found = mapStrides(op, op.getStoredMap(i), *view.tensor, extents,
                            /*mayExceed=*/i < output);
    if (!found)
      return found.takeError();
    strides[i] = std::move(*found);
  }
  SmallVector<std::shared_ptr<Tensor>> outputs;
  for (unsigned i = output; i < mapped->size(); ++i) {
    const Tensor &init = *(*mapped)[i].tensor;
    auto tensor = createTensor(op.getLoc(), init.shape, init.elementType);
    if (!tensor)
      return tensor.takeError();
    (*tensor)->magnitude.assign((*tensor)->size(), 1);
    (*tensor)->error.assign((*tensor)->size(), 0);
    outputs.push_back(std::move(*tensor));
  }
  auto select = cast<SelectWeightingAttrInterface>(op.getWeighting());
  const Tensor &scores = *(*mapped)[1].tensor, &keys = *(*mapped)[2].tensor;
  double numKeys = env.lookup(op.getKeys()).scalar.i;
  Rounding rounding(
      cast<FloatType>(getElementTypeOrSelf(op.getAccumulator().getType())));
  // Key dimensions are walked by the keys that are kept.
  SmallVector<unsigned> keyDims;
  SmallVector<int64_t> walked(extents);
  for (unsigned dim = 0; dim < numDims; ++dim)
    if (op.isKeyDim(dim)) {
      keyDims.push_back(dim);
      walked[dim] = 1;
    }
  RuntimeValues results(outputs.size());
  for (auto [result, tensor] : llvm::zip_equal(results, outputs))
    result.tensor = tensor;
  if (getVolume(walked) == 0)
    return results;

  SmallVector<int64_t> point(numDims, 0);
  int64_t lastRow = -1;
  SelectedKeys weighted;
  do {
    auto offsetOf = [&](unsigned operand) {
      int64_t offset = 0;
      for (unsigned dim = 0; dim < numDims; ++dim)
        offset += point[dim] * strides[operand][dim];
      return offset;
    };
    int64_t row = offsetOf(1);
    if (row != lastRow) {
      SmallVector<double> operands;
      for (unsigned i = weighting; i < op.getValueIndex(); ++i)
        operands.push_back(((*mapped)[i].tensor
                                ? (*mapped)[i].tensor->cells[offsetOf(i)]
                                : (*mapped)[i].scalar)
                               .f);
      if (Error error = weighted.compute(select, scores, keys, row, operands,
                                         numKeys, rounding))
        return error;
      lastRow = row;
    }
    int64_t at = offsetOf(output);
    if (op.getLse()) {
      int64_t place = offsetOf(output + 1);
      outputs[1]->cells[place].f = weighted.logSumExp;
      outputs[1]->error[place] = weighted.bounds.logSumExpError;
    }
    if (!op.getValue()) {
      const Tensor &accumulator = *(*mapped)[0].tensor;
      int64_t place = offsetOf(0);
      outputs[0]->cells[at] = accumulator.cells[place];
      if (accumulator.hasBounds()) {
        outputs[0]->magnitude[at] = accumulator.magnitude[place];
        outputs[0]->error[at] = accumulator.error[place];
      }
      continue;
    }
    const Tensor &value = *(*mapped)[op.getValueIndex()].tensor;
    int64_t base = offsetOf(op.getValueIndex());
    double sum = 0, size = 0, error = 0;
    for (auto [i, key] : llvm::enumerate(weighted.keys)) {
      int64_t place = base, rest = key;
      for (unsigned dim : llvm::reverse(keyDims)) {
        int64_t extent = dim == keyDims.front() ? rest + 1 : extents[dim];
        place += rest % extent * strides[op.getValueIndex()][dim];
        rest /= extent;
      }
      if (place < 0 || place >= value.size())
        return makeError(op.getLoc(), "'attn.finish' selects key " +
                                          llvm::Twine(key) +
                                          ", which value does not have");
      double element = value.cells[place].f;
      sum += weighted.weights[i] * element;
      size += weighted.bounds.sizes[i] * std::fabs(element);
      error += weighted.bounds.errors[i] * std::fabs(element);
    }
    outputs[0]->cells[at].f = sum;
    outputs[0]->magnitude[at] = size;
    outputs[0]->error[at] = error;
  } while (advance(walked, point));
  return results;
}

} // namespace reference
} // namespace attn
