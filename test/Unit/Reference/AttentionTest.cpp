//===- AttentionTest.cpp - The core op against closed forms -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

using namespace attn;

namespace {

/// Q = K = V = rows (.1 .2 .3 .4), (.5 .6 .7 .8), (.9 1. 1.1 1.2).
class HandTest : public ReferenceTest {
protected:
  /// The roundoff of f64.
  const double unit = 0x1p-53;
  Array rows = f64({3, 4}, {.1, .2, .3, .4, .5, .6, .7, .8, .9, 1., 1.1, 1.2});

  /// Self-attention of `rows` with the words given.
  std::string self(const std::string &weighting, const std::string &attributes,
                   const std::string &regions = "") {
    return std::string(plainMaps) + R"(
      func.func @f(%x: tensor<3x4xf64>) -> tensor<3x4xf64> {
        %init = tensor.empty() : tensor<3x4xf64>
        %o = attn.generic ins(%x, %x, %x : tensor<3x4xf64>, tensor<3x4xf64>, tensor<3x4xf64>)
            weighting()" + weighting + R"() outs(%init : tensor<3x4xf64>)
            {indexing_maps = [#q, #k, #v, #o])" + attributes + "} " + regions +
           R"( -> tensor<3x4xf64>
        return %o : tensor<3x4xf64>
      })";
  }
  /// Row i rises by .1 from `column[i]`, since weights sum to 1.
  std::vector<double> rising(std::vector<double> column) {
    std::vector<double> values;
    for (double first : column)
      for (int e = 0; e < 4; ++e)
        values.push_back(first + .1 * e);
    return values;
  }
};

constexpr const char *causal = R"(mask {
  %i = attn.index 0
  %j = attn.index 1
  %visible = arith.cmpi sle, %j, %i : index
  attn.yield %visible : i1
})";

TEST_F(HandTest, Softmax) {
  auto got = values(self("#attn.softmax", ", scale = 0.5 : f64"), {&rows});
  expectNear(got, rising({.55298, .63276, .70113}), 5e-6);
}

TEST_F(HandTest, Causal) {
  auto got =
      values(self("#attn.softmax", ", scale = 0.5 : f64", causal), {&rows});
  expectNear(got, rising({.1, .35086, .70113}), 5e-6);
  // A row that sees one key has that key's value, exactly.
  EXPECT_EQ(std::vector<double>(got.begin(), got.begin() + 4),
            (std::vector<double>{.1, .2, .3, .4}));
}

TEST_F(HandTest, Softcap) {
  auto got = values(self("#attn.softmax", "", R"(score {
    ^bb0(%s: f64):
      %two = arith.constant 2.0 : f64
      %t = math.tanh %s : f64
      %r = arith.mulf %two, %t : f64
      attn.yield %r : f64
    })"),
                    {&rows});
  expectNear(got, rising({.62546, .59143, .54948}), 5e-6);
}

TEST_F(HandTest, MagnitudesAndWork) {
  ReferenceResult result =
      evaluate(self("#attn.softmax", ", scale = -0.5 : f64", causal), {&rows});
  EXPECT_EQ(result.visiblePairs, 6);
  EXPECT_EQ(result.flops, 6 * 2 * (4 + 4));
  const ReferenceTensor &o = result.results[0];
  // All is positive, so that magnitudes are the values.
  expectNear(o.magnitude, o.values);
  // Row 0 sees one key, of score .15, whose weight errs by the roundings alone.
  EXPECT_GE(o.error[0], .1 * 16 * unit);
  EXPECT_LE(o.error[0], .1 * 32 * unit);
  // The others' scores have a size of up to .5 times 1.74 and 4.46, and
  // 2 sqrt(4) + 2 units each, twice: the key's own and the row's.
  EXPECT_GE(o.error[8], o.values[8] * (12 + 16) * unit);
  EXPECT_LE(o.error[8], o.values[8] * (2 * (2.23 * 6 + 2 * 2.23) + 17) * unit);
}

/// An identity passes a score's error on whatever the weight's size. A weight
/// region of power 3 triples the relative error.
TEST_F(HandTest, ErrorsOfOtherWeightings) {
  ReferenceResult identity = evaluate(self("#attn.identity", "", ""), {&rows});
  const ReferenceTensor &o = identity.results[0];
  // Row 0 has scores .3, .7, 1.1 and channel 0 values .1, .5, .9.
  double least = (.3 * .1 + .7 * .5 + 1.1 * .9) * 6 * unit;
  EXPECT_GE(o.error[0], least);
  EXPECT_LE(o.error[0], 8 * least);

  ReferenceResult plain = evaluate(self("#attn.softmax", "", ""), {&rows});
  ReferenceResult cubed = evaluate(self("#attn.softmax", "", R"(weight {
    ^bb0(%w: f64):
      %square = arith.mulf %w, %w : f64
      %cube = arith.mulf %square, %w : f64
      attn.yield %cube : f64
    })"),
                                   {&rows});
  for (int e = 0; e < 4; ++e) {
    double relative = plain.results[0].error[e] / plain.results[0].values[e];
    double other = cubed.results[0].error[e] / cubed.results[0].values[e];
    EXPECT_GE(other, 2 * relative);
    EXPECT_LE(other, 5 * relative);
  }
}

/// Arithmetic in a narrow type is as uncertain as its roundoff says.
TEST_F(HandTest, ErrorOfNarrowScores) {
  ReferenceResult result = evaluate(self("#attn.softmax", "", R"(score {
    ^bb0(%s: f64):
      %narrow = arith.truncf %s : f64 to f16
      %half = arith.mulf %narrow, %narrow : f16
      %wide = arith.extf %half : f16 to f64
      attn.yield %wide : f64
    })"),
                                    {&rows});
  EXPECT_GE(result.results[0].error[0], result.results[0].values[0] * 0x1p-12);
  EXPECT_LE(result.results[0].error[0], result.results[0].values[0] * 0x1p-8);
}

/// A large bias counts for the error of scores, but not where it hides a key.
TEST_F(HandTest, ErrorWithBias) {
  ReferenceResult result = evaluate(self("#attn.softmax", "", R"(score {
    ^bb0(%s: f64):
      %j = attn.index 1
      %zero = arith.constant 0 : index
      %first = arith.cmpi eq, %j, %zero : index
      %hide = arith.constant -1.0e9 : f64
      %big = arith.constant 100.0 : f64
      %b = arith.select %first, %hide, %big : f64
      %r = arith.addf %s, %b : f64
      attn.yield %r : f64
    })"),
                                    {&rows});
  EXPECT_GE(result.results[0].error[0],
            result.results[0].values[0] * 100 * unit);
  EXPECT_LE(result.results[0].error[0],
            result.results[0].values[0] * 1000 * unit);
}

/// One query of width 1 with scores (-1, 0, 2) and values (1, 10, 100).
class ThreeKeysTest : public ReferenceTest {
protected:
  Array q = f64({1, 1}, {1}), k = f64({3, 1}, {-1, 0, 2});
  Array v = f64({3, 1}, {1, 10, 100}), number = f64({}, {0.5});

  std::string program(const std::string &weighting, const std::string &maps,
                      const std::string &regions = "") {
    return std::string(plainMaps) + R"(
      func.func @f(%q: tensor<1x1xf64>, %k: tensor<3x1xf64>, %v: tensor<3x1xf64>,
                   %b: f64) -> tensor<1x1xf64> {
        %init = tensor.empty() : tensor<1x1xf64>
        %o = attn.generic ins(%q, %k, %v : tensor<1x1xf64>, tensor<3x1xf64>, tensor<3x1xf64>)
            weighting()" + weighting + R"() outs(%init : tensor<1x1xf64>)
            {indexing_maps = [#q, #k, #v, )" + maps + "#o]} " + regions + R"(
            -> tensor<1x1xf64>
        return %o : tensor<1x1xf64>
      })";
  }
  double run(const std::string &weighting, const std::string &maps = "",
             const std::string &regions = "") {
    auto got = values(program(weighting, maps, regions), {&q, &k, &v, &number});
    return got.empty() ? notANumber : got[0];
  }
};

TEST_F(ThreeKeysTest, Identity) {
  EXPECT_DOUBLE_EQ(run("#attn.identity"), -1 + 0 + 200);
}

TEST_F(ThreeKeysTest, Relu) {
  EXPECT_DOUBLE_EQ(run("#attn.relu"), 200.0 / 3);
}

TEST_F(ThreeKeysTest, ReluDividesByHiddenKeysToo) {
  EXPECT_DOUBLE_EQ(run("#attn.relu", "", R"(mask {
    %j = attn.index 1
    %one = arith.constant 1 : index
    %seen = arith.cmpi ne, %j, %one : index
    attn.yield %seen : i1
  })"),
                   200.0 / 3);
}

TEST_F(ThreeKeysTest, Sigmoid) {
  auto sigmoid = [](double s) { return 1 / (1 + std::exp(-s)); };
  EXPECT_DOUBLE_EQ(run("#attn.sigmoid, %b : f64", "#s, "),
                   sigmoid(-.5) + 10 * sigmoid(.5) + 100 * sigmoid(2.5));
}

TEST_F(ThreeKeysTest, SumNormalized) {
  EXPECT_DOUBLE_EQ(run("#attn.sum_normalized"), 199.0 / 1);
  k = f64({3, 1}, {-1, 0, 1});
  EXPECT_DOUBLE_EQ(run("#attn.sum_normalized"), 0);
}

TEST_F(ThreeKeysTest, Sink) {
  double a = std::exp(-1), b = 1, c = std::exp(2), sink = std::exp(.5);
  EXPECT_DOUBLE_EQ(run("#attn.softmax_sink, %b : f64", "#s, "),
                   (a + 10 * b + 100 * c) / (a + b + c + sink));
}

/// The weight region comes after the weighting, for visible keys only.
TEST_F(ThreeKeysTest, WeightRegion) {
  double a = std::exp(-1), c = std::exp(2), sum = a + c;
  EXPECT_DOUBLE_EQ(run("#attn.softmax", "", R"(mask {
    %j = attn.index 1
    %one = arith.constant 1 : index
    %seen = arith.cmpi ne, %j, %one : index
    attn.yield %seen : i1
  } weight {
  ^bb0(%w: f64):
    %one = arith.constant 1.0 : f64
    %r = arith.addf %w, %one : f64
    attn.yield %r : f64
  })"),
                   (a / sum + 1) + 100 * (c / sum + 1));
}

/// -(q - k)^2 with the region; by hand -4, -1, -1.
TEST_F(ThreeKeysTest, SimilarityRegion) {
  double a = std::exp(-4), b = std::exp(-1), c = std::exp(-1);
  EXPECT_DOUBLE_EQ(run("#attn.softmax", "", R"(similarity {
  ^bb0(%q0: f64, %k0: f64):
    %d = arith.subf %q0, %k0 : f64
    %sq = arith.mulf %d, %d : f64
    %r = arith.negf %sq : f64
    attn.yield %r : f64
  })"),
                   (a + 10 * b + 100 * c) / (a + b + c));
}

/// Additive attention: v . tanh(q + k), v an input over the features.
TEST_F(ReferenceTest, AdditiveSimilarity) {
  Array q = f64({1, 2}, {.1, .2}), k = f64({2, 2}, {.3, -.4, .5, .6});
  Array v = f64({2, 1}, {1, 3}), a = f64({2}, {2, -1});
  auto got = values(std::string(plainMaps) + R"(
    #a = affine_map<(m, n, d, e) -> (d)>
    func.func @f(%q: tensor<1x2xf64>, %k: tensor<2x2xf64>, %v: tensor<2x1xf64>,
                 %a: tensor<2xf64>) -> tensor<1x1xf64> {
      %init = tensor.empty() : tensor<1x1xf64>
      %o = attn.generic ins(%q, %k, %v : tensor<1x2xf64>, tensor<2x2xf64>, tensor<2x1xf64>)
          inputs(%a : tensor<2xf64>)
          weighting(#attn.identity) outs(%init : tensor<1x1xf64>)
          {indexing_maps = [#q, #k, #v, #a, #o]}
          similarity {
          ^bb0(%q0: f64, %k0: f64, %a0: f64):
            %s = arith.addf %q0, %k0 : f64
            %t = math.tanh %s : f64
            %r = arith.mulf %a0, %t : f64
            attn.yield %r : f64
          } -> tensor<1x1xf64>
      return %o : tensor<1x1xf64>
    })",
                    {&q, &k, &v, &a});
  double first = 2 * std::tanh(.4) - std::tanh(-.2);
  double second = 2 * std::tanh(.6) - std::tanh(.8);
  expectNear(got, {first + 3 * second});
}

/// Log-sum-exp and weights, of a row that sees two keys, and of an empty one.
constexpr const char *allResults = R"(
  func.func @f(%q: tensor<2x1xf64>, %k: tensor<3x1xf64>, %v: tensor<3x1xf64>,
               %hidden: tensor<2x3xi1>)
      -> (tensor<2x1xf64>, tensor<2xf64>, tensor<2x3xf64>) {
    %o0 = tensor.empty() : tensor<2x1xf64>
    %l0 = tensor.empty() : tensor<2xf64>
    %w0 = tensor.empty() : tensor<2x3xf64>
    %o, %l, %w = attn.generic ins(%q, %k, %v : tensor<2x1xf64>, tensor<3x1xf64>, tensor<3x1xf64>)
        inputs(%hidden : tensor<2x3xi1>)
        weighting(#attn.softmax) outs(%o0 : tensor<2x1xf64>)
        lse(%l0 : tensor<2xf64>) weights(%w0 : tensor<2x3xf64>)
        {indexing_maps = [#q, #k, #v, #w, #o, #r, #w]}
        mask {
        ^bb0(%h: i1):
          %true = arith.constant true
          %seen = arith.xori %h, %true : i1
          attn.yield %seen : i1
        } -> tensor<2x1xf64>, tensor<2xf64>, tensor<2x3xf64>
    return %o, %l, %w : tensor<2x1xf64>, tensor<2xf64>, tensor<2x3xf64>
  })";

TEST_F(ReferenceTest, AllResultsAndEmptyRow) {
  Array q = f64({2, 1}, {1, 1}), k = f64({3, 1}, {0, 5, 1});
  Array v = f64({3, 1}, {2, notANumber, 4});
  Array hidden = make(ElementType::I1, {2, 3}, {0, 1, 0, 1, 1, 1});
  ReferenceResult result = evaluate(std::string(plainMaps) + allResults,
                                    {&q, &k, &v, &hidden});
  ASSERT_EQ(result.results.size(), 3u);
  double e = std::exp(1), a = 1 / (1 + e), b = e / (1 + e);
  expectNear(result.results[0].values, {2 * a + 4 * b, 0});
  expectNear(result.results[1].values, {std::log(1 + e), -inf});
  expectNear(result.results[2].values, {a, 0, b, 0, 0, 0});
  EXPECT_EQ(result.visiblePairs, 2);
}

/// A visible row whose scores are all -inf is like an empty one.
TEST_F(ReferenceTest, AllScoresMinusInfinity) {
  Array q = f64({2, 1}, {1, 1}), k = f64({3, 1}, {-inf, -inf, -inf});
  Array v = f64({3, 1}, {2, 3, 4});
  Array hidden = make(ElementType::I1, {2, 3}, {0, 0, 0, 0, 0, 0});
  ReferenceResult result = evaluate(std::string(plainMaps) + allResults,
                                    {&q, &k, &v, &hidden});
  expectNear(result.results[0].values, {0, 0});
  expectNear(result.results[1].values, {-inf, -inf});
}

/// A visible NaN reaches the output.
TEST_F(ReferenceTest, VisibleNaN) {
  Array q = f64({2, 1}, {1, notANumber}), k = f64({3, 1}, {0, 1, 2});
  Array v = f64({3, 1}, {2, 3, 4});
  Array hidden = make(ElementType::I1, {2, 3}, {0, 0, 0, 0, 0, 0});
  ReferenceResult result = evaluate(std::string(plainMaps) + allResults,
                                    {&q, &k, &v, &hidden});
  EXPECT_FALSE(std::isnan(result.results[0].values[0]));
  EXPECT_TRUE(std::isnan(result.results[0].values[1]));
  EXPECT_TRUE(std::isnan(result.results[1].values[1]));
}

/// No keys at all: every row is empty.
TEST_F(ReferenceTest, NoKeys) {
  Array q = f64({2, 3}, {1, 2, 3, 4, 5, 6}), k = f64({0, 3}, {});
  Array v = f64({0, 2}, {});
  auto got = values(std::string(plainMaps) + R"(
    func.func @f(%q: tensor<2x3xf64>, %k: tensor<?x3xf64>, %v: tensor<?x2xf64>)
        -> tensor<2x2xf64> {
      %init = tensor.empty() : tensor<2x2xf64>
      %o = attn.generic ins(%q, %k, %v : tensor<2x3xf64>, tensor<?x3xf64>, tensor<?x2xf64>)
          weighting(#attn.softmax) outs(%init : tensor<2x2xf64>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x2xf64>
      return %o : tensor<2x2xf64>
    })",
                    {&q, &k, &v});
  expectNear(got, {0, 0, 0, 0});
}

/// f16, bf16 and f32 are read exactly, and nothing is rounded after that.
TEST_F(ReferenceTest, NarrowTypesStayDouble) {
  Array q = make(ElementType::F16, {1, 1}, {.1});
  Array k = make(ElementType::BF16, {2, 1}, {.3, .7});
  Array v = make(ElementType::F32, {2, 1}, {.6, .9});
  auto got = values(std::string(plainMaps) + R"(
    func.func @f(%q: tensor<1x1xf16>, %k: tensor<2x1xbf16>, %v: tensor<2x1xf32>)
        -> tensor<1x1xf16> {
      %init = tensor.empty() : tensor<1x1xf16>
      %o = attn.generic ins(%q, %k, %v : tensor<1x1xf16>, tensor<2x1xbf16>, tensor<2x1xf32>)
          weighting(#attn.softmax) outs(%init : tensor<1x1xf16>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<1x1xf16>
      return %o : tensor<1x1xf16>
    })",
                    {&q, &k, &v});
  double a = std::exp(q.at(0) * k.at(0)), b = std::exp(q.at(0) * k.at(1));
  expectNear(got, {(a * v.at(0) + b * v.at(1)) / (a + b)}, 1e-15);
}

} // namespace
