//===- RowChoices.cpp - The ways in which a row may be weighed --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowChoices.h"
#include "WeightBounds.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

/// The most choices that are listed for one row.
static constexpr size_t kMaxChoices = 256;

//===----------------------------------------------------------------------===//
// select
//===----------------------------------------------------------------------===//

namespace {

/// Lists the sets of k keys that the scores allow.
class SelectionLister {
public:
  SelectionLister(SelectWeightingAttrInterface weighting,
                  ArrayRef<double> scores, ArrayRef<double> scoreErrors,
                  const Rounding &rounding);

  RowChoices run(ArrayRef<double> operands, double numKeys);

private:
  /// What a score may be at least and at most.
  double low(size_t key) const { return scores[key] - errors[key]; }
  double high(size_t key) const { return scores[key] + errors[key]; }
  /// Adds each way to take `wanted` more keys of those in doubt from number
  /// `next` on.
  void add(size_t next, size_t wanted);
  bool isAdmissible() const;

  SelectWeightingAttrInterface weighting;
  ArrayRef<double> scores;
  std::vector<double> errors;
  /// The best keys, as the exact scores have them; those that are in every set,
  /// and those that are in some.
  std::vector<size_t> own, certain, doubtful;
  std::vector<size_t> taken;
  std::vector<std::vector<size_t>> sets;
  bool isIncomplete = false;
};

} // namespace

SelectionLister::SelectionLister(SelectWeightingAttrInterface weighting,
                                 ArrayRef<double> scores,
                                 ArrayRef<double> scoreErrors,
                                 const Rounding &rounding)
    : weighting(weighting), scores(scores) {
  for (auto [score, error] : llvm::zip_equal(scores, scoreErrors))
    errors.push_back(std::isfinite(score) ? rounding.round(score, error).error
                                          : 0);
  std::vector<size_t> order;
  for (auto [key, score] : llvm::enumerate(scores))
    if (score != -INFINITY)
      order.push_back(key);
  auto rank = [&](size_t key) {
    return std::isnan(scores[key]) ? INFINITY : scores[key];
  };
  llvm::sort(order, [&](size_t lhs, size_t rhs) {
    bool isNaN = std::isnan(scores[lhs]);
    if (isNaN != std::isnan(scores[rhs]))
      return isNaN;
    return rank(lhs) != rank(rhs) ? rank(lhs) > rank(rhs) : lhs < rhs;
  });
  size_t count = std::min<size_t>(order.size(), weighting.getNumSelected());
  own.assign(order.begin(), order.begin() + count);
  // What is not finite is what it is, and so is its order.
  size_t numExact = llvm::count_if(
      order, [&](size_t key) { return !std::isfinite(scores[key]); });
  numExact = std::min(numExact, count);
  certain.assign(order.begin(), order.begin() + numExact);
  if (numExact == count || order.size() == count) {
    certain = own;
    return;
  }
  ArrayRef<size_t> finite = ArrayRef(order).drop_front(numExact);
  size_t wanted = count - numExact;
  std::vector<double> lows, highs;
  for (size_t key : finite) {
    lows.push_back(low(key));
    highs.push_back(high(key));
  }
  llvm::sort(lows, std::greater<>());
  llvm::sort(highs, std::greater<>());
  for (size_t key : finite)
    if (low(key) > highs[wanted])
      certain.push_back(key);
    else if (high(key) >= lows[wanted - 1])
      doubtful.push_back(key);
}

/// No key left out is better than one of the set, whatever the scores are.
bool SelectionLister::isAdmissible() const {
  double least = INFINITY, greatest = -INFINITY;
  for (size_t key : doubtful) {
    if (llvm::is_contained(taken, key))
      least = std::min(least, high(key));
    else
      greatest = std::max(greatest, low(key));
  }
  return least >= greatest;
}

void SelectionLister::add(size_t next, size_t wanted) {
  if (isIncomplete || doubtful.size() - next < wanted)
    return;
  if (wanted != 0) {
    taken.push_back(doubtful[next]);
    add(next + 1, wanted - 1);
    taken.pop_back();
    add(next + 1, wanted);
    return;
  }
  if (!isAdmissible())
    return;
  isIncomplete |= sets.size() == kMaxChoices;
  std::vector<size_t> keys(certain);
  llvm::append_range(keys, taken);
  llvm::sort(keys);
  if (!isIncomplete && keys != sets.front())
    sets.push_back(std::move(keys));
}

RowChoices SelectionLister::run(ArrayRef<double> operands, double numKeys) {
  llvm::sort(own);
  sets.push_back(own);
  // As many as there are subsets, at most.
  double subsets = 1;
  size_t wanted = own.size() - certain.size();
  for (size_t i = 0; i < wanted; ++i)
    subsets *= double(doubtful.size() - i) / double(i + 1);
  isIncomplete = subsets > 64.0 * kMaxChoices;
  if (wanted != 0)
    add(0, wanted);
  RowChoices result;
  result.isIncomplete = isIncomplete;
  AccumulateWeightingAttrInterface selected = weighting.getSelectedWeighting();
  for (const std::vector<size_t> &keys : sets)
    result.choices.push_back([=](MutableArrayRef<double> row) mutable {
      std::vector<double> weights;
      for (size_t key : keys)
        weights.push_back(row[key]);
      double logSumExp = selected.evaluate(weights, operands, numKeys);
      llvm::fill(row, 0.0);
      for (auto [key, weight] : llvm::zip_equal(keys, weights))
        row[key] = weight;
      return logSumExp;
    });
  return result;
}

//===----------------------------------------------------------------------===//
// ordered
//===----------------------------------------------------------------------===//

namespace {

/// Lists what is chosen between two values of a weighting operand.
class OrderedLister {
public:
  OrderedLister(OrderedWeightingAttrInterface weighting,
                ArrayRef<double> scores, ArrayRef<double> scoreErrors,
                ArrayRef<double> operands, double numKeys,
                const Rounding &rounding)
      : weighting(weighting), scores(scores), scoreErrors(scoreErrors),
        operands(operands), numKeys(numKeys), rounding(rounding) {}

  RowChoices run();

private:
  struct Weighed {
    SmallVector<double> operands;
    std::vector<double> weights;
    double logSumExp = 0;
  };
  Weighed evaluate(ArrayRef<double> operands);
  static bool isChosen(double weight) { return weight != 0; }
  /// Whether two choices are of the same keys.
  static bool isSame(ArrayRef<double> lhs, ArrayRef<double> rhs);
  /// By how much the mass of all keys may err.
  double boundMass();
  /// How far the weights of keys that are chosen either way may lie from those
  /// of the first choice, as `moved` tells.
  void addSlack(ArrayRef<double> moved);
  /// The same of a mass before each key that is missed by `bound`: that of one
  /// more key before the first.
  void addSlackOfMass(double bound);
  void add(const Weighed &choice);
  /// Adds what lies between two choices that operand `number` makes.
  void addBetween(unsigned number, double from, const Weighed &first, double to,
                  const Weighed &last);

  OrderedWeightingAttrInterface weighting;
  ArrayRef<double> scores, scoreErrors, operands;
  double numKeys;
  const Rounding &rounding;
  std::vector<Weighed> found;
  std::vector<double> slack;
  bool isIncomplete = false;
};

} // namespace

OrderedLister::Weighed OrderedLister::evaluate(ArrayRef<double> moved) {
  Weighed result;
  result.operands.assign(moved.begin(), moved.end());
  result.weights.assign(scores.begin(), scores.end());
  result.logSumExp = weighting.evaluate(result.weights, moved, numKeys);
  return result;
}

bool OrderedLister::isSame(ArrayRef<double> lhs, ArrayRef<double> rhs) {
  return std::equal(lhs.begin(), lhs.end(), rhs.begin(),
                    [](double left, double right) {
                      return isChosen(left) == isChosen(right);
                    });
}

void OrderedLister::addSlack(ArrayRef<double> moved) {
  for (auto [most, here, there] :
       llvm::zip_equal(slack, found.front().weights, moved))
    if (isChosen(here) == isChosen(there) && std::isfinite(here))
      most = std::max(most,
                      std::isnan(there) ? INFINITY : std::fabs(there - here));
}

void OrderedLister::addSlackOfMass(double bound) {
  AccumulateWeightingAttrInterface mass = weighting.getMassWeighting();
  if (!mass.hasLogSumExp())
    return;
  std::vector<double> moved(scores);
  double logSumExp = mass.evaluate(moved, operands, numKeys);
  if (!std::isfinite(logSumExp))
    return;
  moved.assign(1, logSumExp + std::log(bound));
  llvm::append_range(moved, scores);
  weighting.evaluate(moved, operands, numKeys);
  addSlack(ArrayRef(moved).drop_front());
}

double OrderedLister::boundMass() {
  AccumulateWeightingAttrInterface mass = weighting.getMassWeighting();
  std::vector<double> weights(scores);
  WeightedRow row;
  auto weigh = [&](MutableArrayRef<double> moved) {
    return mass.evaluate(moved, operands, numKeys);
  };
  row.evaluate = weigh;
  row.logSumExp = weigh(weights);
  row.scores = scores;
  row.scoreErrors = scoreErrors;
  row.unweighted = row.weights = weights;
  WeightBounds bounds;
  if (llvm::Error error = bounds.compute(row, nullptr, rounding)) {
    llvm::consumeError(std::move(error));
    return 0;
  }
  double error = 0, total = 0;
  for (auto [weight, bound] : llvm::zip_equal(weights, bounds.errors)) {
    if (!std::isfinite(weight) || !std::isfinite(bound))
      continue;
    error += bound;
    total += std::fabs(weight);
  }
  // One after the other, masses of like sizes are rounded alike: half a unit
  // of what there is before each.
  double count = static_cast<double>(weights.size());
  return error + (count / 2 + 2) * rounding.unit * total;
}

void OrderedLister::add(const Weighed &choice) {
  for (const Weighed &other : found)
    if (isSame(other.weights, choice.weights))
      return;
  if (found.size() == kMaxChoices)
    isIncomplete = true;
  else
    found.push_back(choice);
}

void OrderedLister::addBetween(unsigned number, double from,
                               const Weighed &first, double to,
                               const Weighed &last) {
  double middle = from + (to - from) / 2;
  if (isIncomplete || isSame(first.weights, last.weights) ||
      !(from < middle && middle < to))
    return;
  SmallVector<double> moved(operands);
  moved[number] = middle;
  Weighed choice = evaluate(moved);
  add(choice);
  addBetween(number, from, first, middle, choice);
  addBetween(number, middle, choice, to, last);
}

RowChoices OrderedLister::run() {
  add(evaluate(operands));
  slack.assign(scores.size(), 0);
  double bound = scores.empty() ? 0 : boundMass();
  if (bound > 0)
    addSlackOfMass(bound);
  for (auto [number, operand] : llvm::enumerate(operands)) {
    SmallVector<double> less(operands), more(operands);
    less[number] -= bound;
    more[number] += bound;
    Weighed first = evaluate(less), last = evaluate(more);
    addSlack(first.weights);
    addSlack(last.weights);
    add(first);
    add(last);
    addBetween(number, less[number], first, more[number], last);
  }
  RowChoices result;
  result.isIncomplete = isIncomplete;
  result.slack = std::move(slack);
  // Scores that are moved weigh the keys chosen otherwise, and choose no
  // others.
  for (const Weighed &choice : found)
    result.choices.push_back([choice, weighting = weighting, numKeys = numKeys](
                                 MutableArrayRef<double> row) mutable {
      double logSumExp = weighting.evaluate(row, choice.operands, numKeys);
      if (isSame(row, choice.weights))
        return logSumExp;
      llvm::copy(choice.weights, row.begin());
      return choice.logSumExp;
    });
  return result;
}

//===----------------------------------------------------------------------===//
// All kinds
//===----------------------------------------------------------------------===//

RowChoices RowChoices::list(WeightingAttrInterface weighting,
                            ArrayRef<double> scores,
                            ArrayRef<double> scoreErrors,
                            ArrayRef<double> operands, double numKeys,
                            const Rounding &rounding) {
  if (auto select = dyn_cast<SelectWeightingAttrInterface>(weighting))
    return SelectionLister(select, scores, scoreErrors, rounding)
        .run(operands, numKeys);
  if (auto ordered = dyn_cast<OrderedWeightingAttrInterface>(weighting))
    return OrderedLister(ordered, scores, scoreErrors, operands, numKeys,
                         rounding)
        .run();
  RowChoices one;
  one.choices.push_back([=](MutableArrayRef<double> row) mutable {
    return weighting.evaluate(row, operands, numKeys);
  });
  return one;
}

} // namespace reference
} // namespace attn
