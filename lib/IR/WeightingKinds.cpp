//===- WeightingKinds.cpp - What a weighting's kind decides -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Verify.h"

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

LogicalResult verifyWeighting(Operation *op, StringRef label,
                              WeightingAttrInterface weighting,
                              bool accumulateOnly) {
  std::optional<WeightingKind> kind = weighting.getWeightingKind();
  if (!kind)
    return op->emitOpError("(")
           << label << ") expected " << weighting
           << " to be of kind accumulate, select or ordered, but it "
              "implements none of their interfaces";
  if (accumulateOnly && *kind != WeightingKind::Accumulate)
    return op->emitOpError("(")
           << label << ") expected a weighting of kind accumulate, but "
           << weighting << " is of kind " << stringifyWeightingKind(*kind);
  if (auto select = dyn_cast<SelectWeightingAttrInterface>(weighting)) {
    if (select.getNumSelected() < 1)
      return op->emitOpError("(")
             << label << ") expected " << weighting
             << " to select 1 key or more, but got " << select.getNumSelected();
    weighting = select.getSelectedWeighting();
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
