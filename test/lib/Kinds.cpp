//===- Kinds.cpp - Weightings that select or walk in order ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestDialect.h"
#include "mlir/IR/Builders.h"

#include <cmath>

using namespace mlir;
using namespace attn;

namespace attntest {

/// Softmax in place; the log-sum-exp.
static double applySoftmax(MutableArrayRef<double> scores) {
  if (scores.empty())
    return -INFINITY;
  double max = *llvm::max_element(scores), sum = 0.0;
  for (double &score : scores)
    sum += score = std::exp(score - max);
  for (double &score : scores)
    score /= sum;
  return max + std::log(sum);
}

//===----------------------------------------------------------------------===//
// top
//===----------------------------------------------------------------------===//

int64_t TopAttr::getNumSelected() const { return getK(); }

AccumulateWeightingAttrInterface TopAttr::getSelectedWeighting() const {
  return cast<AccumulateWeightingAttrInterface>(SoftmaxAttr::get(getContext()));
}

bool TopAttr::hasLogSumExp() const { return true; }

double TopAttr::evaluate(MutableArrayRef<double> scores,
                         ArrayRef<double> operands, double numKeys) const {
  return evaluateSelected(scores, operands, numKeys);
}

//===----------------------------------------------------------------------===//
// best
//===----------------------------------------------------------------------===//

unsigned BestAttr::getNumWeightingOperands() const {
  return getSelectedWeighting().getNumWeightingOperands();
}

int64_t BestAttr::getNumSelected() const { return getK(); }

AccumulateWeightingAttrInterface BestAttr::getSelectedWeighting() const {
  return cast<AccumulateWeightingAttrInterface>(getBy());
}

bool BestAttr::hasLogSumExp() const {
  return getSelectedWeighting().hasLogSumExp();
}

double BestAttr::evaluate(MutableArrayRef<double> scores,
                          ArrayRef<double> operands, double numKeys) const {
  return evaluateSelected(scores, operands, numKeys);
}

//===----------------------------------------------------------------------===//
// sampled
//===----------------------------------------------------------------------===//

unsigned SampledAttr::getNumWeightingOperands() const { return 1; }

AccumulateWeightingAttrInterface SampledAttr::getMassWeighting() const {
  return cast<AccumulateWeightingAttrInterface>(SoftmaxAttr::get(getContext()));
}

Value SampledAttr::weightOfMass(OpBuilder &b, Location loc, Value mass,
                                Value before, ValueRange operands) const {
  Value zero = createFloatConstant(b, loc, mass.getType(), 0.0);
  Value one = createFloatConstant(b, loc, mass.getType(), 1.0);
  Value after = arith::AddFOp::create(b, loc, before, mass);
  Value begun = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLE, before,
                                      operands[0]);
  Value passed = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, after,
                                       operands[0]);
  Value chosen = arith::AndIOp::create(b, loc, begun, passed);
  return arith::SelectOp::create(b, loc, chosen, one, zero);
}

double SampledAttr::evaluate(MutableArrayRef<double> scores,
                             ArrayRef<double> operands, double) const {
  applySoftmax(scores);
  double sum = 0.0;
  for (double &score : scores) {
    double before = sum;
    sum += score;
    score = before <= operands[0] && sum > operands[0] ? 1.0 : 0.0;
  }
  return 0.0;
}

//===----------------------------------------------------------------------===//
// fading
//===----------------------------------------------------------------------===//

unsigned FadingAttr::getNumWeightingOperands() const { return 2; }

bool FadingAttr::hasLogSumExp() const { return true; }

AccumulateWeightingAttrInterface FadingAttr::getMassWeighting() const {
  return cast<AccumulateWeightingAttrInterface>(
      SoftmaxSinkAttr::get(getContext()));
}

Value FadingAttr::weightOfMass(OpBuilder &b, Location loc, Value mass,
                               Value before, ValueRange operands) const {
  Value faded = arith::MulFOp::create(b, loc, operands[0], before);
  Value one = createFloatConstant(b, loc, mass.getType(), 1.0);
  Value left = arith::SubFOp::create(b, loc, one, faded);
  return arith::MulFOp::create(b, loc, mass, left);
}

double FadingAttr::evaluate(MutableArrayRef<double> scores,
                            ArrayRef<double> operands, double) const {
  double max = operands[0], before = 0.0;
  for (double score : scores)
    max = std::max(max, score);
  double sum = std::exp(operands[0] - max);
  for (double score : scores)
    sum += std::exp(score - max);
  for (double &score : scores) {
    double mass = std::exp(score - max) / sum;
    score = mass * (1.0 - operands[1] * before);
    before += mass;
  }
  return max + std::log(sum);
}

//===----------------------------------------------------------------------===//
// What the verifier refuses
//===----------------------------------------------------------------------===//

AccumulateWeightingAttrInterface GreedyAttr::getMassWeighting() const {
  return cast<AccumulateWeightingAttrInterface>(
      SoftmaxSinkAttr::get(getContext()));
}

Value GreedyAttr::weightOfMass(OpBuilder &, Location, Value mass, Value,
                               ValueRange) const {
  return mass;
}

double GreedyAttr::evaluate(MutableArrayRef<double>, ArrayRef<double>,
                            double) const {
  return 0.0;
}

double KindlessAttr::evaluate(MutableArrayRef<double>, ArrayRef<double>,
                              double) const {
  return 0.0;
}

SmallVector<Statistic> MistypedAttr::getStatistics() const {
  if (getTyped())
    return {{"last", StatisticPhase::Score, -1.0, StatisticElement::Index, 1}};
  return {{"sum", StatisticPhase::Weight, 0.0},
          {"max", StatisticPhase::Score, 0.0}};
}

Value MistypedAttr::combine(OpBuilder &, Location, unsigned, Value lhs,
                            Value) const {
  return lhs;
}

Value MistypedAttr::weight(OpBuilder &, Location, Value score, ValueRange,
                           ValueRange, Value) const {
  return score;
}

Value MistypedAttr::scoreGradient(OpBuilder &, Location, Value, Value,
                                  Value weightGradient, Value, ValueRange,
                                  ValueRange, Value) const {
  return weightGradient;
}

double MistypedAttr::evaluate(MutableArrayRef<double>, ArrayRef<double>,
                              double) const {
  return 0.0;
}

} // namespace attntest
