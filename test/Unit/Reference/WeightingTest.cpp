//===- WeightingTest.cpp - The algebra beside the definition ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each weighting states itself twice: as algebra that a kernel is made of, and
// as `evaluate`, in plain doubles. Here the algebra is run on one row and
// compared with it.
//
//===----------------------------------------------------------------------===//

#include "TestDialect.h"
#include "TestUtils.h"

using namespace mlir;
using namespace attn;

namespace {

class WeightingTest : public ReferenceTest {
protected:
  WeightingTest() { context.getOrLoadDialect<attntest::AttnTestDialect>(); }

  using Numbers = std::vector<double>;
  using Build = llvm::function_ref<SmallVector<Value>(OpBuilder &, Location,
                                                      ValueRange)>;

  /// What the ops that `build` makes of `arguments` compute.
  Numbers run(const Numbers &arguments, Build build) {
    OpBuilder b(&context);
    Location loc = b.getUnknownLoc();
    OwningOpRef<ModuleOp> owned = ModuleOp::create(loc);
    b.setInsertionPointToEnd(owned->getBody());
    SmallVector<Type> types(arguments.size(), b.getF64Type());
    auto function =
        func::FuncOp::create(b, loc, "f", b.getFunctionType(types, {}));
    b.setInsertionPointToEnd(function.addEntryBlock());
    SmallVector<Value> results = build(b, loc, function.getArguments());
    func::ReturnOp::create(b, loc, results);
    function.setType(
        b.getFunctionType(types, TypeRange(ValueRange(results))));
    std::vector<Array> arrays;
    for (double argument : arguments)
      arrays.push_back(f64({}, {argument}));
    std::vector<const Array *> pointers;
    for (const Array &array : arrays)
      pointers.push_back(&array);
    ReferenceResult evaluated =
        llvm::cantFail(evaluateReference(*owned, "f", pointers));
    Numbers numbers;
    for (const ReferenceTensor &tensor : evaluated.results)
      numbers.push_back(tensor.values.front());
    return numbers;
  }

  struct Row {
    Numbers weights, statistics;
    double logSumExp = 0;
  };

  /// The row by the algebra, where a scale is left to it.
  Row runAlgebra(AccumulateWeightingAttrInterface weighting,
                 const Numbers &scores, const Numbers &operands, double scale,
                 double numKeys) {
    SmallVector<Statistic> statistics = weighting.getStatistics();
    size_t numScore = llvm::count_if(statistics, [](const Statistic &s) {
      return s.phase == StatisticPhase::Score;
    });
    Row row;
    for (const Statistic &statistic : statistics)
      row.statistics.push_back(statistic.neutral);
    auto reduce = [&](size_t index, const Numbers &source) {
      for (double number : source)
        row.statistics[index] =
            run({row.statistics[index], number},
                [&](OpBuilder &b, Location loc, ValueRange in) {
                  return SmallVector<Value>{
                      weighting.combine(b, loc, index, in[0], in[1])};
                })[0];
    };
    auto concat = [](Numbers first, const Numbers &second) {
      first.insert(first.end(), second.begin(), second.end());
      return first;
    };
    for (size_t i = 0; i < numScore; ++i)
      reduce(i, scores);
    Numbers stabilizers(row.statistics.begin(),
                        row.statistics.begin() + numScore);
    for (double score : scores)
      row.weights.push_back(
          run(concat(concat({score, scale}, stabilizers), operands),
              [&](OpBuilder &b, Location loc, ValueRange in) {
                return SmallVector<Value>{weighting.weight(
                    b, loc, in[0], in.slice(2, numScore),
                    in.drop_front(2 + numScore), in[1])};
              })[0]);
    for (size_t i = numScore; i < statistics.size(); ++i)
      reduce(i, row.weights);
    Numbers arguments =
        concat(concat({scale, numKeys}, row.statistics), operands);
    for (double factor :
         run(arguments, [&](OpBuilder &b, Location loc, ValueRange in) {
           return weighting.finish(b, loc, in.slice(2, statistics.size()),
                                   in.drop_front(2 + statistics.size()), in[1],
                                   in[0]);
         }))
      for (double &weight : row.weights)
        weight *= factor;
    if (weighting.hasLogSumExp())
      row.logSumExp =
          run(arguments, [&](OpBuilder &b, Location loc, ValueRange in) {
            return SmallVector<Value>{weighting.logSumExp(
                b, loc, in.slice(2, statistics.size()),
                in.drop_front(2 + statistics.size()), in[0])};
          })[0];
    return row;
  }

  std::vector<std::pair<AccumulateWeightingAttrInterface, Numbers>>
  getWeightings() {
    return {{SoftmaxAttr::get(&context), {}},
            {SoftmaxSinkAttr::get(&context), {0.75}},
            {SigmoidAttr::get(&context), {-0.5}},
            {ReluAttr::get(&context), {}},
            {IdentityAttr::get(&context), {}},
            {SumNormalizedAttr::get(&context), {}},
            {attntest::UnitNormAttr::get(&context), {}},
            {attntest::SoftplusAttr::get(&context), {3.0}}};
  }

  const Numbers scores = {0.5, -1.25, 2.0, 0.75};
};

// A scale that the scores have yet to be multiplied by is the weighting's to
// apply, in the weights and in the log-sum-exp.
TEST_F(WeightingTest, LeavesTheScaleToTheAlgebra) {
  for (auto [weighting, operands] : getWeightings())
    for (double scale : {1.0, 0.375}) {
      Numbers expected = scores;
      for (double &score : expected)
        score *= scale;
      double logSumExp = weighting.evaluate(expected, operands, 6);
      Row row = runAlgebra(weighting, scores, operands, scale, 6);
      expectNear(row.weights, expected);
      EXPECT_NEAR(row.logSumExp, logSumExp, 1e-12);
    }
}

// The gradient of sum_j g_j w_j by each score, against differences.
TEST_F(WeightingTest, DifferentiatesItself) {
  const Numbers gradients = {1.0, -2.0, 0.5, 3.0};
  for (auto [weighting, operands] : getWeightings()) {
    auto getLoss = [&, &weighting = weighting, &operands = operands](
                       Numbers moved) {
      weighting.evaluate(moved, operands, 6);
      double loss = 0;
      for (auto [weight, gradient] : llvm::zip_equal(moved, gradients))
        loss += weight * gradient;
      return loss;
    };
    Row row = runAlgebra(weighting, scores, operands, 1.0, 6);
    double mean = getLoss(scores);
    for (size_t j = 0; j < scores.size(); ++j) {
      const double step = 1e-6;
      Numbers above = scores, below = scores;
      above[j] += step;
      below[j] -= step;
      Numbers arguments = {scores[j], row.weights[j], gradients[j], mean, 6};
      arguments.insert(arguments.end(), row.statistics.begin(),
                       row.statistics.end());
      arguments.insert(arguments.end(), operands.begin(), operands.end());
      size_t numStatistics = row.statistics.size();
      double got = run(arguments, [&, &weighting = weighting](
                                      OpBuilder &b, Location loc,
                                      ValueRange in) {
        return SmallVector<Value>{weighting.scoreGradient(
            b, loc, in[0], in[1], in[2], in[3], in.slice(5, numStatistics),
            in.drop_front(5 + numStatistics), in[4])};
      })[0];
      EXPECT_NEAR(got, (getLoss(above) - getLoss(below)) / (2 * step), 1e-7);
    }
  }
}

// Hidden pairs may have it.
TEST_F(WeightingTest, NeutralScoreWeighsNothing) {
  for (auto [weighting, operands] : getWeightings()) {
    SmallVector<Statistic> statistics = weighting.getStatistics();
    if (statistics.empty() || statistics[0].phase != StatisticPhase::Score)
      continue;
    double neutral = statistics[0].neutral;
    for (double stabilizer : {neutral, -1e30, -2.5, 0.0, 40.0, 1e30}) {
      Numbers arguments = {neutral, 0.25, stabilizer};
      arguments.insert(arguments.end(), operands.begin(), operands.end());
      EXPECT_EQ(run(arguments,
                    [&](OpBuilder &b, Location loc, ValueRange in) {
                      return SmallVector<Value>{weighting.weight(
                          b, loc, in[0], in[2], in.drop_front(3), in[1])};
                    })[0],
                0.0);
    }
  }
}

// What the kind says of the state is enough to get the weights: the k best by
// (score, index), weighted by the inner weighting.
TEST_F(WeightingTest, SelectsByScoreAndIndex) {
  const Numbers tied = {1.0, 3.0, 2.0, 3.0, 3.0};
  for (int64_t k : {1, 2, 4, 7}) {
    SelectWeightingAttrInterface weighting =
        attntest::TopAttr::get(&context, k);
    SmallVector<Statistic> statistics = weighting.getStatistics();
    ASSERT_EQ(statistics.size(), 2u);
    EXPECT_EQ(statistics[0].element, StatisticElement::Accumulation);
    EXPECT_EQ(statistics[1].element, StatisticElement::Index);
    EXPECT_EQ(statistics[0].extent, k);
    EXPECT_EQ(statistics[1].extent, k);

    std::vector<std::pair<double, int64_t>> state;
    for (auto [index, score] : llvm::enumerate(tied))
      state.push_back({-score, index});
    llvm::sort(state);
    state.resize(std::min<size_t>(state.size(), weighting.getNumSelected()));
    Numbers selected;
    for (auto [negated, index] : state)
      selected.push_back(-negated);
    Row row =
        runAlgebra(weighting.getSelectedWeighting(), selected, {}, 1.0, 5);
    Numbers expected(tied.size(), 0.0), got = tied;
    for (auto [pair, weight] : llvm::zip_equal(state, row.weights))
      expected[pair.second] = weight;
    double logSumExp = weighting.evaluate(got, {}, 5);
    expectNear(got, expected);
    EXPECT_NEAR(logSumExp, row.logSumExp, 1e-12);
  }
}

// The same for *ordered*: the mass by the inner weighting, summed in key order.
TEST_F(WeightingTest, WalksInOrder) {
  OrderedWeightingAttrInterface weighting =
      attntest::SampledAttr::get(&context);
  SmallVector<Statistic> statistics = weighting.getStatistics();
  ASSERT_EQ(statistics.size(), 3u);
  EXPECT_EQ(statistics[2].name, "before");
  Row row = runAlgebra(weighting.getMassWeighting(), scores, {}, 1.0, 4);
  for (double u : {0.1, 0.2, 0.5, 0.9}) {
    Numbers expected = scores, got;
    weighting.evaluate(expected, {u}, 4);
    double before = statistics[2].neutral;
    for (double mass : row.weights) {
      got.push_back(run({mass, before, u}, [&](OpBuilder &b, Location loc,
                                               ValueRange in) {
        return SmallVector<Value>{
            weighting.weightOfMass(b, loc, in[0], in[1], in.drop_front(2))};
      })[0]);
      before += mass;
    }
    expectNear(got, expected);
  }
}

} // namespace
