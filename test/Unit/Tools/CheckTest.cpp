//===- CheckTest.cpp - The check of a whole function ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tools/Check.h"
#include "attn/Support/Random.h"

#include "attn/IR/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace attn;

namespace {

/// Attention over 2x5x8 queries and 2x7x8 keys, in f32, with a result that
/// other ops compute from it; the scale can be off.
class CheckTest : public testing::Test {
protected:
  void SetUp() override {
    context.loadDialect<AttnDialect, mlir::arith::ArithDialect,
                        mlir::func::FuncDialect, mlir::linalg::LinalgDialect,
                        mlir::math::MathDialect, mlir::tensor::TensorDialect>();
    for (llvm::SmallVector<int64_t> shape :
         {llvm::SmallVector<int64_t>{2, 5, 8}, {2, 7, 8}, {2, 7, 3}}) {
      arguments.push_back(
          llvm::cantFail(Array::create(ElementType::F32, shape)));
      llvm::cantFail(fillRandom(arguments.back(), 1, arguments.size()));
    }
    for (Array &argument : arguments)
      pointers.push_back(&argument);
    module = parse("0.5");
  }

  mlir::OwningOpRef<mlir::ModuleOp> parse(const std::string &scale) {
    auto parsed = mlir::parseSourceString<mlir::ModuleOp>(
        R"mlir(
func.func @f(%q: tensor<2x5x8xf32>, %k: tensor<2x7x8xf32>,
             %v: tensor<2x7x3xf32>) -> (tensor<2x5x3xf32>, tensor<2x5x3xf32>) {
  %init = tensor.empty() : tensor<2x5x3xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x5x8xf32>, tensor<2x7x8xf32>, tensor<2x7x3xf32>)
      outs(%init : tensor<2x5x3xf32>) {scale = )mlir" +
            scale + R"mlir( : f64} -> tensor<2x5x3xf32>
  %e = math.exp %o : tensor<2x5x3xf32>
  return %o, %e : tensor<2x5x3xf32>, tensor<2x5x3xf32>
})mlir",
        &context);
    return parsed;
  }

  std::vector<Array> evaluate(const std::string &scale) {
    auto other = parse(scale);
    return llvm::cantFail(evaluateAsArrays(*other, "f", pointers));
  }

  bool check(llvm::ArrayRef<Array> results) {
    text.clear();
    llvm::raw_string_ostream os(text);
    ReferenceResult expected =
        llvm::cantFail(evaluateReference(*module, "f", pointers));
    return llvm::cantFail(checkResults(os, expected, results));
  }

  mlir::MLIRContext context;
  std::vector<Array> arguments;
  std::vector<const Array *> pointers;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string text;
};

TEST_F(CheckTest, RoundedReferencePasses) {
  EXPECT_TRUE(check(evaluate("0.5"))) << text;
  EXPECT_TRUE(llvm::StringRef(text).starts_with("check: result 0: ok: 30"));
  EXPECT_TRUE(llvm::StringRef(text).contains("check: result 1: ok: 30"));
}

/// A scale that is off by 1 % must not pass, in either result.
TEST_F(CheckTest, WrongScaleFails) {
  EXPECT_FALSE(check(evaluate("0.505")));
  EXPECT_TRUE(llvm::StringRef(text).contains("check: result 0: "));
  EXPECT_FALSE(llvm::StringRef(text).contains("ok:")) << text;
}

/// What lies between the ops is f16: a kernel may round it, which moves results
/// by more than their own rounding does, but not by what is wrong with them.
TEST_F(CheckTest, RoundingOnTheWay) {
  auto parse = [&](const std::string &factor, const std::string &type) {
    std::string text = R"mlir(
#xy = affine_map<(x, y) -> (x, y)>
#x = affine_map<(x, y) -> (x)>
func.func @f(%x: tensor<9x16xTYPE>, %w: tensor<16x12xTYPE>) -> tensor<9x12xTYPE> {
  %zero = arith.constant 0.0 : TYPE
  %rows = tensor.empty() : tensor<9xTYPE>
  %none = linalg.fill ins(%zero : TYPE) outs(%rows : tensor<9xTYPE>) -> tensor<9xTYPE>
  %sum = linalg.generic {indexing_maps = [#xy, #x], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<9x16xTYPE>) outs(%none : tensor<9xTYPE>) {
  ^bb0(%a: TYPE, %s: TYPE):
    %0 = arith.addf %s, %a : TYPE
    linalg.yield %0 : TYPE
  } -> tensor<9xTYPE>
  %e = tensor.empty() : tensor<9x16xTYPE>
  %centred = linalg.generic {indexing_maps = [#xy, #x, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum : tensor<9x16xTYPE>, tensor<9xTYPE>) outs(%e : tensor<9x16xTYPE>) {
  ^bb0(%a: TYPE, %b: TYPE, %out: TYPE):
    %width = arith.constant 16.0 : TYPE
    %mean = arith.divf %b, %width : TYPE
    %0 = arith.subf %a, %mean : TYPE
    %factor = arith.constant FACTOR : TYPE
    %1 = arith.mulf %0, %factor : TYPE
    linalg.yield %1 : TYPE
  } -> tensor<9x16xTYPE>
  %i = tensor.empty() : tensor<9x12xTYPE>
  %z = linalg.fill ins(%zero : TYPE) outs(%i : tensor<9x12xTYPE>) -> tensor<9x12xTYPE>
  %p = linalg.matmul ins(%centred, %w : tensor<9x16xTYPE>, tensor<16x12xTYPE>)
      outs(%z : tensor<9x12xTYPE>) -> tensor<9x12xTYPE>
  return %p : tensor<9x12xTYPE>
})mlir";
    auto replace = [&](const std::string &name, const std::string &by) {
      for (size_t at; (at = text.find(name)) != std::string::npos;)
        text.replace(at, name.size(), by);
    };
    replace("FACTOR", factor);
    replace("TYPE", type);
    return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  };
  auto half = parse("1.5", "f16");
  ASSERT_TRUE(half);
  Array x = llvm::cantFail(Array::create(ElementType::F16, {9, 16}));
  Array w = llvm::cantFail(Array::create(ElementType::F16, {16, 12}));
  llvm::cantFail(fillRandom(x, 1, 7));
  llvm::cantFail(fillRandom(w, 1, 8));
  ReferenceResult expected =
      llvm::cantFail(evaluateReference(*half, "f", {&x, &w}));
  ASSERT_EQ(expected.results[0].rounded.size(), 9u * 12u);
  for (double rounded : expected.results[0].rounded) {
    EXPECT_GT(rounded, 0x1p-10);
    EXPECT_LT(rounded, 0x1p-5);
  }
  auto isRight = [&](llvm::ArrayRef<Array> results) {
    std::string printed;
    llvm::raw_string_ostream os(printed);
    return llvm::cantFail(checkResults(os, expected, results));
  };
  auto evaluate = [&](const std::string &factor) {
    auto module = parse(factor, "f16");
    return llvm::cantFail(evaluateAsArrays(*module, "f", {&x, &w}));
  };
  EXPECT_TRUE(isRight(evaluate("1.5")));
  EXPECT_TRUE(isRight(evaluate("1.501")));
  EXPECT_FALSE(isRight(evaluate("1.52")));
  std::vector<Array> results = evaluate("1.5");
  results[0].set(40, results[0].at(40) + 0.03);
  EXPECT_FALSE(isRight(results));

  // Nothing is rounded on the way to f32.
  auto single = parse("1.5", "f32");
  ASSERT_TRUE(single);
  Array x32 = llvm::cantFail(Array::create(ElementType::F32, {9, 16}));
  Array w32 = llvm::cantFail(Array::create(ElementType::F32, {16, 12}));
  EXPECT_TRUE(llvm::cantFail(evaluateReference(*single, "f", {&x32, &w32}))
                  .results[0]
                  .rounded.empty());
}

/// Kernels of GPUs may round weights of f16 values, those of CPUs do not.
TEST_F(CheckTest, WeightsAreRoundedOnGPUs) {
  auto parsed = mlir::parseSourceString<mlir::ModuleOp>(
      R"mlir(
func.func @f(%q: tensor<5x8xf16>, %k: tensor<7x8xf16>) -> tensor<5x8xf16> {
  %init = tensor.empty() : tensor<5x8xf16>
  %o = attn.sdpa ins(%q, %k, %k : tensor<5x8xf16>, tensor<7x8xf16>, tensor<7x8xf16>)
      outs(%init : tensor<5x8xf16>) -> tensor<5x8xf16>
  return %o : tensor<5x8xf16>
})mlir",
      &context);
  ASSERT_TRUE(parsed);
  Array q = llvm::cantFail(Array::create(ElementType::F16, {5, 8}));
  Array k = llvm::cantFail(Array::create(ElementType::F16, {7, 8}));
  llvm::cantFail(fillRandom(q, 1, 7));
  llvm::cantFail(fillRandom(k, 1, 8));
  auto evaluate = [&](bool roundsWeights) {
    ReferenceOptions options;
    options.roundsWeights = roundsWeights;
    return llvm::cantFail(evaluateReference(*parsed, "f", {&q, &k}, options));
  };
  ReferenceResult cpu = evaluate(false), gpu = evaluate(true);
  for (size_t i = 0; i < cpu.results[0].values.size(); ++i) {
    EXPECT_LT(cpu.results[0].error[i], 0x1p-16);
    EXPECT_GT(gpu.results[0].error[i], 0x1p-13);
  }
}

TEST_F(CheckTest, OneWrongElementFails) {
  std::vector<Array> results = evaluate("0.5");
  results[0].set(17, results[0].at(17) + 1e-4);
  EXPECT_FALSE(check(results));
  EXPECT_TRUE(llvm::StringRef(text).starts_with(
      "check: result 0: 1 of 30 elements differ, first at [1, 0, 2]"))
      << text;
}

/// A single weight that is off in its fifth digit, and a sum beside a step: the
/// tolerance knows which scores are near it, so that others are still checked.
TEST_F(CheckTest, WrongWeightsFail) {
  const char *text = R"mlir(
#q = affine_map<(m, n, d, e) -> (m, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#k = affine_map<(m, n, d, e) -> (n, d)>
func.func @f(%q: tensor<4x8xf32>, %k: tensor<6x8xf32>) -> (tensor<4x8xf32>, tensor<4x6xf32>) {
  %i = tensor.empty() : tensor<4x8xf32>
  %wi = tensor.empty() : tensor<4x6xf32>
  %o:2 = attn.generic ins(%q, %k, %k : tensor<4x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>) weighting(#attn.softmax)
      outs(%i : tensor<4x8xf32>) weights(%wi : tensor<4x6xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]}
      score {
      ^bb0(%s: f32):
        %c = arith.constant 0.25 : f32
        %r = arith.remf %s, %c : f32
        attn.yield %r : f32
      } -> tensor<4x8xf32>, tensor<4x6xf32>
  return %o#0, %o#1 : tensor<4x8xf32>, tensor<4x6xf32>
})mlir";
  auto parsed = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  ASSERT_TRUE(parsed);
  Array q = llvm::cantFail(Array::create(ElementType::F32, {4, 8}));
  Array k = llvm::cantFail(Array::create(ElementType::F32, {6, 8}));
  llvm::cantFail(fillRandom(q, 1, 7));
  llvm::cantFail(fillRandom(k, 1, 8));
  auto getResults = [&] {
    return llvm::cantFail(evaluateAsArrays(*parsed, "f", {&q, &k}));
  };
  auto isRight = [&](llvm::ArrayRef<Array> results) {
    std::string printed;
    llvm::raw_string_ostream os(printed);
    ReferenceResult expected =
        llvm::cantFail(evaluateReference(*parsed, "f", {&q, &k}));
    return llvm::cantFail(checkResults(os, expected, results));
  };
  EXPECT_TRUE(isRight(getResults()));
  for (int64_t at = 0; at < 24; ++at) {
    std::vector<Array> results = getResults();
    results[1].set(at, results[1].at(at) * 1.0001);
    EXPECT_FALSE(isRight(results)) << at;
  }
  std::vector<Array> results = getResults();
  results[0].set(9, results[0].at(9) + 1e-4);
  EXPECT_FALSE(isRight(results));
}

TEST_F(CheckTest, NaNFails) {
  std::vector<Array> results = evaluate("0.5");
  results[1].set(0, NAN);
  EXPECT_FALSE(check(results));
}

TEST_F(CheckTest, MissingSurplusAndReshapedResultsFail) {
  std::vector<Array> results = evaluate("0.5");
  EXPECT_FALSE(check(llvm::ArrayRef<Array>(results).take_front()));
  EXPECT_FALSE(check({}));
  std::vector<Array> reshaped = evaluate("0.5");
  reshaped[0] = llvm::cantFail(Array::create(ElementType::F32, {2, 3, 5}));
  EXPECT_FALSE(check(reshaped));
  results.push_back(llvm::cantFail(results[0].clone()));
  EXPECT_FALSE(check(results));
}

TEST_F(CheckTest, PairTrace) {
  auto trace = [&](llvm::ArrayRef<int64_t> position) {
    text.clear();
    llvm::raw_string_ostream os(text);
    llvm::Error error = printPairTrace(os, *module, "f", pointers, position);
    return error ? "error: " + llvm::toString(std::move(error)) : text;
  };
  double similarity = 0;
  for (int d = 0; d < 8; ++d)
    similarity += arguments[0].at((1 * 5 + 2) * 8 + d) *
                  arguments[1].at((1 * 7 + 3) * 8 + d);
  double printed;
  std::string traced = trace({1, 2, 3});
  llvm::StringRef rest = traced;
  ASSERT_TRUE(rest.consume_front("pair [1, 2, 3]: similarity ")) << traced;
  ASSERT_FALSE(
      rest.take_until([](char c) { return c == ','; }).getAsDouble(printed));
  EXPECT_NEAR(printed, similarity, 1e-7);
  EXPECT_TRUE(rest.ends_with(" (the row sees 7 keys)\n"));
  EXPECT_TRUE(llvm::StringRef(trace({1, 2, 7})).starts_with("error: "));
}

} // namespace
