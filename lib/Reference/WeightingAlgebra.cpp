//===- WeightingAlgebra.cpp - Statistics of a weighting, run ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightingAlgebra.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

Error WeightingAlgebra::build(Operation *op, Function &function,
                              unsigned numArguments, Build build) {
  function.body = std::make_unique<Block>();
  Type type = Float64Type::get(op->getContext());
  for (unsigned i = 0; i < numArguments; ++i)
    function.body->addArgument(type, op->getLoc());
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToEnd(function.body.get());
  SmallVector<Value> results = build(builder, function.body->getArguments());
  if (results.empty())
    return Error::success();
  auto program = ScalarProgram::compile(*function.body, Environment(), results);
  if (!program)
    return program.takeError();
  function.program = std::move(*program);
  return Error::success();
}

SmallVector<double> WeightingAlgebra::runAll(Function &function,
                                             ArrayRef<double> first,
                                             ArrayRef<double> second,
                                             ArrayRef<double> third) {
  if (!function.program)
    return {};
  unsigned next = 0;
  for (ArrayRef<double> values : {first, second, third})
    for (double value : values)
      function.program->argument(next++).f = value;
  bool valid = function.program->run(nullptr);
  SmallVector<double> results;
  for (unsigned i = 0, e = function.program->getNumResults(); i < e; ++i)
    results.push_back(valid ? function.program->result(i).f : std::nan(""));
  return results;
}

Expected<WeightingAlgebra>
WeightingAlgebra::create(Operation *op, WeightingAttrInterface attribute) {
  auto weighting = dyn_cast<AccumulateWeightingAttrInterface>(attribute);
  if (!weighting)
    return makeUnsupported(op, "only weightings of kind accumulate");
  WeightingAlgebra algebra;
  auto asList = [](Value value) {
    return value ? SmallVector<Value>{value} : SmallVector<Value>();
  };
  Value noScale;
  algebra.statistics = weighting.getStatistics();
  unsigned total = algebra.statistics.size();
  unsigned operands = weighting.getNumWeightingOperands();
  for (const Statistic &statistic : algebra.statistics)
    algebra.numScoreStatistics += statistic.phase == StatisticPhase::Score;
  unsigned scores = algebra.numScoreStatistics;
  Location loc = op->getLoc();

  for (unsigned index = 0; index < total; ++index) {
    algebra.combines.emplace_back();
    if (Error error = algebra.build(
            op, algebra.combines.back(), 2, [&](OpBuilder &b, ValueRange args) {
              return asList(
                  weighting.combine(b, loc, index, args[0], args[1]));
            }))
      return error;
  }
  if (Error error = algebra.build(
          op, algebra.weights, 1 + scores + operands,
          [&](OpBuilder &b, ValueRange args) {
            return asList(weighting.weight(
                b, loc, args[0], args.slice(1, scores),
                args.drop_front(1 + scores), noScale));
          }))
    return error;
  if (Error error = algebra.build(
          op, algebra.rescales, 2 * scores,
          [&](OpBuilder &b, ValueRange args) {
            return asList(weighting.rescale(b, loc, args.take_front(scores),
                                            args.drop_front(scores), noScale));
          }))
    return error;
  if (Error error = algebra.build(
          op, algebra.finishes, 1 + total + operands,
          [&](OpBuilder &b, ValueRange args) {
            return weighting.finish(b, loc, args.slice(1, total),
                                    args.drop_front(1 + total), args[0],
                                    noScale);
          }))
    return error;
  if (weighting.hasLogSumExp())
    if (Error error = algebra.build(
            op, algebra.logSumExps, total + operands,
            [&](OpBuilder &b, ValueRange args) {
              return asList(
                  weighting.logSumExp(b, loc, args.take_front(total),
                                      args.drop_front(total), noScale));
            }))
      return error;
  return algebra;
}

} // namespace reference
} // namespace attn
