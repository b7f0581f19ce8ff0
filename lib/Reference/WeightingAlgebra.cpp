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
  Value result = build(builder, function.body->getArguments());
  if (!result)
    return Error::success();
  auto program = ScalarProgram::compile(*function.body, Environment(), result);
  if (!program)
    return program.takeError();
  function.program = std::move(*program);
  return Error::success();
}

double WeightingAlgebra::run(Function &function, ArrayRef<double> first,
                             ArrayRef<double> second, ArrayRef<double> third) {
  if (!function.program)
    return 1.0;
  unsigned next = 0;
  for (ArrayRef<double> values : {first, second, third})
    for (double value : values)
      function.program->argument(next++).f = value;
  return function.program->run(nullptr) ? function.program->result().f
                                        : std::nan("");
}

Expected<WeightingAlgebra>
WeightingAlgebra::create(Operation *op, WeightingAttrInterface weighting) {
  if (weighting.getWeightingKind() != WeightingKind::Accumulate)
    return makeUnsupported(op, "only weightings of kind accumulate");
  WeightingAlgebra algebra;
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
              return weighting.combine(b, loc, index, args[0], args[1]);
            }))
      return error;
  }
  if (Error error = algebra.build(
          op, algebra.weights, 1 + scores + operands,
          [&](OpBuilder &b, ValueRange args) {
            return weighting.weight(b, loc, args[0], args.slice(1, scores),
                                    args.drop_front(1 + scores));
          }))
    return error;
  if (Error error = algebra.build(
          op, algebra.rescales, 2 * scores,
          [&](OpBuilder &b, ValueRange args) {
            return weighting.rescale(b, loc, args.take_front(scores),
                                     args.drop_front(scores));
          }))
    return error;
  if (Error error = algebra.build(
          op, algebra.finishes, 1 + total + operands,
          [&](OpBuilder &b, ValueRange args) {
            return weighting.finish(b, loc, args.slice(1, total),
                                    args.drop_front(1 + total), args[0]);
          }))
    return error;
  if (weighting.hasLogSumExp())
    if (Error error = algebra.build(
            op, algebra.logSumExps, total + operands,
            [&](OpBuilder &b, ValueRange args) {
              return weighting.logSumExp(b, loc, args.take_front(total),
                                         args.drop_front(total));
            }))
      return error;
  return algebra;
}

} // namespace reference
} // namespace attn
