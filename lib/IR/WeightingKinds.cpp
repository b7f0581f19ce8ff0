//===- WeightingKinds.cpp - What a weighting's kind decides -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Verify.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace attn {

Value scaleScore(OpBuilder &builder, Location loc, Value score, Value scale) {
  if (!scale)
    return score;
  return arith::MulFOp::create(builder, loc, score, scale);
}

StringRef stringifyWeightingKind(WeightingKind kind) {
  switch (kind) {
  case WeightingKind::Accumulate:
    return "accumulate";
  case WeightingKind::Select:
    return "select";
  case WeightingKind::Ordered:
    return "ordered";
  }
  return "";
}

Type Statistic::getElementType(FloatType accType) const {
  if (element == StatisticElement::Index)
    return IndexType::get(accType.getContext());
  return accType;
}

namespace detail {

std::optional<WeightingKind> getWeightingKind(Attribute weighting) {
  if (isa<AccumulateWeightingAttrInterface>(weighting))
    return WeightingKind::Accumulate;
  if (isa<SelectWeightingAttrInterface>(weighting))
    return WeightingKind::Select;
  if (isa<OrderedWeightingAttrInterface>(weighting))
    return WeightingKind::Ordered;
  return std::nullopt;
}

SmallVector<Statistic> getStatisticsOfKind(Attribute weighting) {
  using Element = StatisticElement;
  if (auto select = dyn_cast<SelectWeightingAttrInterface>(weighting)) {
    int64_t k = select.getNumSelected();
    return {{"score", StatisticPhase::Score,
             -std::numeric_limits<double>::infinity(), Element::Accumulation,
             k},
            {"index", StatisticPhase::Score, -1.0, Element::Index, k}};
  }
  if (auto ordered = dyn_cast<OrderedWeightingAttrInterface>(weighting)) {
    SmallVector<Statistic> statistics =
        ordered.getMassWeighting().getStatistics();
    statistics.push_back({"before", StatisticPhase::Weight, 0.0});
    return statistics;
  }
  return {};
}

/// Whether a score is better than another, whichever keys they are of.
static bool isBetter(double score, double than) {
  return score > than || (std::isnan(score) && !std::isnan(than));
}

double evaluateSelected(Attribute weighting, MutableArrayRef<double> scores,
                        ArrayRef<double> operands, double numKeys) {
  auto select = cast<SelectWeightingAttrInterface>(weighting);
  std::vector<size_t> keys;
  for (auto [key, score] : llvm::enumerate(scores))
    if (score != -std::numeric_limits<double>::infinity())
      keys.push_back(key);
  llvm::sort(keys, [&](size_t lhs, size_t rhs) {
    return isBetter(scores[lhs], scores[rhs]) ||
           (!isBetter(scores[rhs], scores[lhs]) && lhs < rhs);
  });
  keys.resize(std::min<size_t>(keys.size(), select.getNumSelected()));
  // In ascending order, as the other weighting is promised.
  llvm::sort(keys);
  std::vector<double> selected;
  for (size_t key : keys)
    selected.push_back(scores[key]);
  double logSumExp =
      select.getSelectedWeighting().evaluate(selected, operands, numKeys);
  llvm::fill(scores, 0.0);
  for (auto [key, weight] : llvm::zip_equal(keys, selected))
    scores[key] = weight;
  return logSumExp;
}

/// Each statistic is one number of the accumulation type.
static LogicalResult verifyAccumulate(Operation *op, StringRef label,
                                      WeightingAttrInterface weighting) {
  bool hasWeightPhase = false;
  for (const Statistic &statistic : weighting.getStatistics()) {
    if (statistic.element != StatisticElement::Accumulation ||
        statistic.extent != 1)
      return op->emitOpError("(")
             << label << ") expected statistic " << statistic.name << " of "
             << weighting << " to be one number of the accumulation type, as "
             << "its kind is accumulate";
    if (statistic.phase == StatisticPhase::Score && hasWeightPhase)
      return op->emitOpError("(")
             << label << ") expected the statistics of " << weighting
             << " to name those of the score phase first";
    hasWeightPhase |= statistic.phase == StatisticPhase::Weight;
  }
  return success();
}

LogicalResult verifyStatistic(Operation *op, StringRef label,
                              WeightingAttrInterface weighting, unsigned number,
                              Type type, FloatType accType) {
  Statistic statistic = weighting.getStatistics()[number];
  Type expected = statistic.getElementType(accType);
  if (getElementTypeOrSelf(type) != expected)
    return op->emitOpError("(")
           << label << ") expected statistic " << number << " to hold "
           << expected << ", but got " << type;
  ArrayRef<int64_t> shape = getShapeOrScalar(type);
  if (statistic.getNumLeadingDims() &&
      (shape.empty() || shape.front() != statistic.extent))
    return op->emitOpError("(")
           << label << ") expected statistic " << number << " to have "
           << statistic.extent << " numbers for each query row along its first "
           << "dimension, but got " << type;
  return success();
}

LogicalResult verifyWeighting(Operation *op, StringRef label,
                              WeightingAttrInterface weighting,
                              ArrayRef<WeightingKind> kinds) {
  std::optional<WeightingKind> kind = weighting.getWeightingKind();
  if (!kind)
    return op->emitOpError("(")
           << label << ") expected " << weighting
           << " to be of kind accumulate, select or ordered, but it "
              "implements none of their interfaces";
  if (!llvm::is_contained(kinds, *kind)) {
    InFlightDiagnostic diag = op->emitOpError("(")
                              << label << ") expected a weighting of kind ";
    llvm::interleave(
        kinds,
        [&](WeightingKind allowed) { diag << stringifyWeightingKind(allowed); },
        [&] { diag << " or "; });
    return diag << ", but " << weighting << " is of kind "
                << stringifyWeightingKind(*kind);
  }
  if (auto select = dyn_cast<SelectWeightingAttrInterface>(weighting)) {
    if (select.getNumSelected() < 1)
      return op->emitOpError("(")
             << label << ") expected " << weighting
             << " to select 1 key or more, but got " << select.getNumSelected();
    auto selected = select.getSelectedWeighting();
    if (selected.getNumWeightingOperands() !=
        weighting.getNumWeightingOperands())
      return op->emitOpError("(")
             << label << ") expected " << weighting << " to have the "
             << selected.getNumWeightingOperands()
             << " weighting operands of what weights the selected keys, "
             << selected << ", but got " << weighting.getNumWeightingOperands();
    weighting = selected;
  } else if (auto ordered =
                 dyn_cast<OrderedWeightingAttrInterface>(weighting)) {
    auto mass = ordered.getMassWeighting();
    if (mass.getNumWeightingOperands() > weighting.getNumWeightingOperands())
      return op->emitOpError("(")
             << label << ") expected " << weighting << " to have the "
             << mass.getNumWeightingOperands()
             << " weighting operands of what gives the mass of a key, " << mass
             << ", first, but got " << weighting.getNumWeightingOperands();
    weighting = mass;
  }
  return verifyAccumulate(op, label, weighting);
}

} // namespace detail
} // namespace attn
