//===- ChoiceTest.cpp - The check of keys that are chosen -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where scores differ by less than a kernel may miss them, any choice between
// them passes the check, and nothing else does. With one feature and a query of
// 1, the scores of a row are its keys: results of other choices are those of
// other keys.
//
//===----------------------------------------------------------------------===//

#include "attn/Tools/Check.h"

#include "TestDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace attn;

namespace {

class ChoiceTest : public testing::Test {
protected:
  using Numbers = std::vector<double>;

  void SetUp() override {
    context.loadDialect<AttnDialect, attntest::AttnTestDialect,
                        mlir::arith::ArithDialect, mlir::func::FuncDialect,
                        mlir::tensor::TensorDialect>();
  }

  /// One query row over five keys; the results are the output and the weights.
  void parse(const std::string &weighting, const std::string &operandMap) {
    module = mlir::parseSourceString<mlir::ModuleOp>(
        R"mlir(
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @f(%k: tensor<5x1xf32>, %v: tensor<5x2xf32>, %u: tensor<1xf32>)
    -> (tensor<1x2xf32>, tensor<1x5xf32>) {
  %q = arith.constant dense<1.0> : tensor<1x1xf32>
  %init = tensor.empty() : tensor<1x2xf32>
  %weights = tensor.empty() : tensor<1x5xf32>
  %o:2 = attn.generic ins(%q, %k, %v : tensor<1x1xf32>, tensor<5x1xf32>, tensor<5x2xf32>)
      weighting()mlir" +
            weighting + R"mlir() outs(%init : tensor<1x2xf32>)
      weights(%weights : tensor<1x5xf32>)
      {indexing_maps = [#q, #k, #v, )mlir" +
            operandMap + R"mlir(#o, #w]}
      -> tensor<1x2xf32>, tensor<1x5xf32>
  return %o#0, %o#1 : tensor<1x2xf32>, tensor<1x5xf32>
})mlir",
        &context);
    ASSERT_TRUE(module);
  }

  static Array toArray(llvm::ArrayRef<int64_t> shape, const Numbers &numbers) {
    return llvm::cantFail(Array::create(ElementType::F32, shape, numbers));
  }

  std::vector<Array> evaluate(const Numbers &keys, double u = 0) {
    Array k = toArray({5, 1}, keys), draw = toArray({1}, {u});
    return llvm::cantFail(evaluateAsArrays(*module, "f", {&k, &v, &draw}));
  }

  /// Whether results pass as those of `keys`.
  bool check(const Numbers &keys, llvm::ArrayRef<Array> results, double u = 0) {
    Array k = toArray({5, 1}, keys), draw = toArray({1}, {u});
    ReferenceResult expected =
        llvm::cantFail(evaluateReference(*module, "f", {&k, &v, &draw}));
    text.clear();
    llvm::raw_string_ostream os(text);
    return llvm::cantFail(checkResults(os, expected, results));
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Array v = toArray({5, 2}, {10, 1, 20, 2, 30, 3, 40, 4, 50, 5});
  std::string text;
};

/// The second best key, by less than the roundoff of a product.
const std::vector<double> kNear = {1.0, 3.0, 2.0, 2.0000002, 0.0};
/// The same with the order of the two turned.
const std::vector<double> kTurned = {1.0, 3.0, 2.0000002, 2.0, 0.0};
/// With another key in their place.
const std::vector<double> kOther = {2.0000002, 3.0, 1.0, 1.0, 0.0};

TEST_F(ChoiceTest, EitherOfTwoEqualKeysIsRight) {
  parse("#attntest.top<2>", "");
  EXPECT_TRUE(check(kNear, evaluate(kNear))) << text;
  EXPECT_FALSE(llvm::StringRef(text).contains("other keys")) << text;
  EXPECT_TRUE(check(kNear, evaluate(kTurned))) << text;
  EXPECT_TRUE(llvm::StringRef(text).contains(
      "check: 1 row chooses other keys than the reference, as good within the "
      "error of their scores"))
      << text;
}

TEST_F(ChoiceTest, AnotherKeyIsWrong) {
  parse("#attntest.top<2>", "");
  EXPECT_FALSE(check(kNear, evaluate(kOther))) << text;
  EXPECT_TRUE(llvm::StringRef(text).starts_with("check: result 0: 2 of 2"))
      << text;
}

/// Half of one choice and half of the other is neither.
TEST_F(ChoiceTest, BetweenTwoChoicesIsWrong) {
  parse("#attntest.top<2>", "");
  std::vector<Array> first = evaluate(kNear), second = evaluate(kTurned);
  for (int64_t at : {0, 1})
    first[0].set(at, (first[0].at(at) + second[0].at(at)) / 2);
  EXPECT_FALSE(check(kNear, first)) << text;
}

/// Output and weights are of one choice.
TEST_F(ChoiceTest, ResultsAgreeOnTheChoice) {
  parse("#attntest.top<2>", "");
  std::vector<Array> mixed = evaluate(kNear), turned = evaluate(kTurned);
  for (int64_t at = 0; at < 5; ++at)
    mixed[1].set(at, turned[1].at(at));
  EXPECT_FALSE(check(kNear, mixed)) << text;
}

/// Keys that differ by more than their errors leave no choice.
TEST_F(ChoiceTest, DistinctKeysLeaveNoChoice) {
  parse("#attntest.top<2>", "");
  EXPECT_FALSE(check({1.0, 3.0, 2.0, 2.00001, 0.0}, evaluate(kTurned)));
}

/// Any two of five.
TEST_F(ChoiceTest, AllKeysEqual) {
  parse("#attntest.top<2>", "");
  std::vector<double> equal(5, 1.0), last = {0, 0, 0, 1, 1};
  EXPECT_TRUE(check(equal, evaluate(equal))) << text;
  EXPECT_TRUE(check(equal, evaluate(last))) << text;
  EXPECT_FALSE(check(last, evaluate(equal))) << text;
}

TEST_F(ChoiceTest, NotANumberIsBest) {
  parse("#attntest.top<2>", "");
  std::vector<double> poisoned = {1.0, 3.0, NAN, 2.0, 0.0};
  EXPECT_TRUE(check(poisoned, evaluate(poisoned))) << text;
  EXPECT_FALSE(check(poisoned, evaluate({1.0, 3.0, 0.0, 2.0, 0.0}))) << text;
}

/// Five equal masses, and a number that is where the third begins.
TEST_F(ChoiceTest, EitherKeyAtAStepIsRight) {
  parse("#attntest.sampled, %u : tensor<1xf32>", "#row, ");
  std::vector<double> equal(5, 1.0);
  double step = 0.4;
  EXPECT_TRUE(check(equal, evaluate(equal, step), step)) << text;
  EXPECT_TRUE(check(equal, evaluate(equal, 0.39), step)) << text;
  EXPECT_TRUE(check(equal, evaluate(equal, 0.41), step)) << text;
  EXPECT_FALSE(check(equal, evaluate(equal, 0.1), step)) << text;
  EXPECT_FALSE(check(equal, evaluate(equal, 0.7), step)) << text;
  EXPECT_FALSE(check(equal, evaluate(equal, 0.39), 0.41)) << text;
}

/// Weights that go by the mass before each key, where nothing is chosen: one
/// way to weigh the keys, and bounds as tight as other weights have.
TEST_F(ChoiceTest, WeightsByTheMassBeforeAreBounded) {
  parse("#attntest.fading, %u, %u : tensor<1xf32>, tensor<1xf32>",
        "#row, #row, ");
  for (double u : {0.75, 1.0}) {
    EXPECT_TRUE(check(kNear, evaluate(kNear, u), u)) << text;
    EXPECT_EQ(text.find("not decided"), std::string::npos) << text;
    EXPECT_FALSE(check(kNear, evaluate(kNear, u + 1e-4), u)) << text;
    EXPECT_FALSE(check(kNear, evaluate(kOther, u), u)) << text;
  }
}

} // namespace
