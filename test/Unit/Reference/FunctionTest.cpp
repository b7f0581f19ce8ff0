//===- FunctionTest.cpp - tensor, linalg, calls, errors ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

using namespace attn;
using testing::EndsWith;

namespace {

TEST_F(ReferenceTest, MatmulAddsToItsInit) {
  Array a = f64({2, 3}, {1, 2, 3, 4, 5, 6});
  Array b = f64({3, 2}, {1, 0, 0, 1, 2, 2});
  Array c = f64({2, 2}, {100, 0, 0, 100});
  auto got = values(R"(func.func @f(%a: tensor<2x3xf64>, %b: tensor<3x2xf64>,
                                    %c: tensor<2x2xf64>) -> tensor<2x2xf64> {
    %r = linalg.matmul ins(%a, %b : tensor<2x3xf64>, tensor<3x2xf64>) outs(%c : tensor<2x2xf64>) -> tensor<2x2xf64>
    return %r : tensor<2x2xf64>
  })",
                    {&a, &b, &c});
  expectNear(got, {107, 8, 16, 117});
}

/// f16 operands, f32 result: the named op extends, nothing rounds.
TEST_F(ReferenceTest, MixedMatmulAndFill) {
  Array a = make(ElementType::F16, {1, 2}, {.1, .2});
  auto got = values(R"(func.func @f(%a: tensor<1x2xf16>) -> tensor<1x1xf32> {
    %one = arith.constant dense<[[1.0], [3.0]]> : tensor<2x1xf16>
    %half = arith.constant 0.5 : f32
    %e = tensor.empty() : tensor<1x1xf32>
    %i = linalg.fill ins(%half : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
    %r = linalg.matmul ins(%a, %one : tensor<1x2xf16>, tensor<2x1xf16>) outs(%i : tensor<1x1xf32>) -> tensor<1x1xf32>
    return %r : tensor<1x1xf32>
  })",
                    {&a});
  expectNear(got, {.5 + a.at(0) + 3 * a.at(1)}, 1e-15);
}

TEST_F(ReferenceTest, GenericWithReductionAndIndex) {
  Array a = f64({2, 3}, {1, 2, 3, 4, 5, 6});
  auto got = values(R"(func.func @f(%a: tensor<2x3xf64>) -> tensor<2xf64> {
    %i = arith.constant dense<0.0> : tensor<2xf64>
    %r = linalg.generic {
        indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>],
        iterator_types = ["parallel", "reduction"]}
        ins(%a : tensor<2x3xf64>) outs(%i : tensor<2xf64>) {
    ^bb0(%x: f64, %s: f64):
      %k = linalg.index 1 : index
      %ki = arith.index_cast %k : index to i64
      %kf = arith.sitofp %ki : i64 to f64
      %p = arith.mulf %x, %kf : f64
      %n = arith.addf %s, %p : f64
      linalg.yield %n : f64
    } -> tensor<2xf64>
    return %r : tensor<2xf64>
  })",
                    {&a});
  expectNear(got, {2 + 6, 5 + 12});
}

/// Maps that are not permutations: a one-dimensional convolution by hand.
TEST_F(ReferenceTest, Convolution) {
  Array x = f64({5}, {1, 2, 3, 4, 5}), w = f64({3}, {1, 0, -1});
  auto got = values(R"(func.func @f(%x: tensor<5xf64>, %w: tensor<3xf64>) -> tensor<3xf64> {
    %i = arith.constant dense<0.0> : tensor<3xf64>
    %r = linalg.conv_1d ins(%x, %w : tensor<5xf64>, tensor<3xf64>) outs(%i : tensor<3xf64>) -> tensor<3xf64>
    return %r : tensor<3xf64>
  })",
                    {&x, &w});
  expectNear(got, {-2, -2, -2});
}

TEST_F(ReferenceTest, TransposeAndBroadcast) {
  Array x = f64({2, 3}, {1, 2, 3, 4, 5, 6});
  auto got = values(R"(func.func @f(%x: tensor<2x3xf64>) -> tensor<3x2x2xf64> {
    %t = tensor.empty() : tensor<3x2xf64>
    %r = linalg.transpose ins(%x : tensor<2x3xf64>) outs(%t : tensor<3x2xf64>) permutation = [1, 0]
    %b = tensor.empty() : tensor<3x2x2xf64>
    %s = linalg.broadcast ins(%r : tensor<3x2xf64>) outs(%b : tensor<3x2x2xf64>) dimensions = [1]
    return %s : tensor<3x2x2xf64>
  })",
                    {&x});
  expectNear(got, {1, 4, 1, 4, 2, 5, 2, 5, 3, 6, 3, 6});
}

TEST_F(ReferenceTest, SlicesAndReshapes) {
  Array x = f64({2, 3}, {1, 2, 3, 4, 5, 6});
  auto got = values(R"(func.func @f(%x: tensor<2x3xf64>) -> tensor<3x2xf64> {
    %c1 = arith.constant 1 : index
    %c7 = arith.constant 7.0 : f64
    %row = tensor.extract_slice %x[1, 0] [1, 3] [1, 1] : tensor<2x3xf64> to tensor<3xf64>
    %one = tensor.extract %row[%c1] : tensor<3xf64>
    %sum = arith.addf %one, %c7 : f64
    %ins = tensor.insert %sum into %row[%c1] : tensor<3xf64>
    %back = tensor.insert_slice %ins into %x[0, 0] [1, 3] [1, 1] : tensor<3xf64> into tensor<2x3xf64>
    %flat = tensor.collapse_shape %back [[0, 1]] : tensor<2x3xf64> into tensor<6xf64>
    %r = tensor.expand_shape %flat [[0, 1]] output_shape [3, 2] : tensor<6xf64> into tensor<3x2xf64>
    return %r : tensor<3x2xf64>
  })",
                    {&x});
  expectNear(got, {4, 12, 6, 4, 5, 6});
}

TEST_F(ReferenceTest, PadAndConcat) {
  Array x = f64({1, 2}, {1, 2});
  auto got = values(R"(func.func @f(%x: tensor<1x2xf64>) -> tensor<2x4xf64> {
    %zero = arith.constant 9.0 : f64
    %p = tensor.pad %x low[0, 1] high[0, 1] {
    ^bb0(%i: index, %j: index):
      tensor.yield %zero : f64
    } : tensor<1x2xf64> to tensor<1x4xf64>
    %r = tensor.concat dim(0) %p, %p : (tensor<1x4xf64>, tensor<1x4xf64>) -> tensor<2x4xf64>
    return %r : tensor<2x4xf64>
  })",
                    {&x});
  expectNear(got, {9, 1, 2, 9, 9, 1, 2, 9});
}

TEST_F(ReferenceTest, CallsDynamicShapesAndElementwise) {
  Array x = f64({3}, {1, 2, 3});
  auto got = values(R"(
    func.func private @twice(%x: tensor<?xf64>) -> tensor<?xf64> {
      %r = arith.addf %x, %x : tensor<?xf64>
      return %r : tensor<?xf64>
    }
    func.func @f(%x: tensor<3xf64>) -> (tensor<3xf64>) {
      %c = tensor.cast %x : tensor<3xf64> to tensor<?xf64>
      %r = call @twice(%c) : (tensor<?xf64>) -> tensor<?xf64>
      %s = tensor.cast %r : tensor<?xf64> to tensor<3xf64>
      return %s : tensor<3xf64>
    })",
                    {&x});
  expectNear(got, {2, 4, 6});
}

/// Bounds follow the elements of an attention op's output.
TEST_F(ReferenceTest, BoundsMoveWithElements) {
  Array q = f64({2, 1}, {1, 2}), v = f64({2, 2}, {1, 2, -3, 4});
  ReferenceResult result = evaluate(std::string(plainMaps) + R"(
    func.func @f(%q: tensor<2x1xf64>, %v: tensor<2x2xf64>) -> (tensor<4xf64>, tensor<2x2xf64>) {
      %init = tensor.empty() : tensor<2x2xf64>
      %o = attn.generic ins(%q, %q, %v : tensor<2x1xf64>, tensor<2x1xf64>, tensor<2x2xf64>)
          weighting(#attn.identity) outs(%init : tensor<2x2xf64>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x2xf64>
      %t = linalg.transpose ins(%o : tensor<2x2xf64>) outs(%init : tensor<2x2xf64>) permutation = [1, 0]
      %c = tensor.collapse_shape %t [[0, 1]] : tensor<2x2xf64> into tensor<4xf64>
      %s = arith.addf %o, %o : tensor<2x2xf64>
      return %c, %s : tensor<4xf64>, tensor<2x2xf64>
    })",
                                    {&q, &v});
  // Weights are q_i q_j: rows (1, 2) and (2, 4).
  expectNear(result.results[0].values, {-5, -10, 10, 20});
  expectNear(result.results[0].magnitude, {7, 14, 10, 20});
  ASSERT_EQ(result.results[0].error.size(), 4u);
  EXPECT_LT(result.results[0].error[0], result.results[0].error[1]);
  EXPECT_LT(result.results[0].error[2], result.results[0].error[3]);
  EXPECT_TRUE(result.results[1].magnitude.empty());
}

/// x doubled 3 times, and the sum of what came before each doubling.
TEST_F(ReferenceTest, ForLoop) {
  Array x = f64({2}, {1, -2}), n = make(ElementType::Index, {}, {3});
  std::string text = R"(
    func.func @f(%x: tensor<2xf64>, %n: index) -> (tensor<2xf64>, tensor<2xf64>, index) {
      %zero = arith.constant dense<0.0> : tensor<2xf64>
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %r:3 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %zero, %s = %c0)
          -> (tensor<2xf64>, tensor<2xf64>, index) {
        %twice = arith.addf %a, %a : tensor<2xf64>
        %sum = arith.addf %b, %a : tensor<2xf64>
        %t = arith.addi %s, %i : index
        scf.yield %twice, %sum, %t : tensor<2xf64>, tensor<2xf64>, index
      }
      return %r#0, %r#1, %r#2 : tensor<2xf64>, tensor<2xf64>, index
    })";
  expectNear(values(text, {&x, &n}, 0), {8, -16});
  expectNear(values(text, {&x, &n}, 1), {7, -14});
  expectNear(values(text, {&x, &n}, 2), {3});
  Array none = make(ElementType::Index, {}, {0});
  expectNear(values(text, {&x, &none}, 0), {1, -2});
}

/// The greatest common divisor by `scf.while`, of the larger and the smaller by
/// `scf.if`; factorials by recursion.
TEST_F(ReferenceTest, BranchesAndRecursion) {
  Array a = make(ElementType::I64, {}, {18}),
        b = make(ElementType::I64, {}, {84});
  std::string text = R"(
    func.func private @fact(%n: i64) -> i64 {
      %c0 = arith.constant 0 : i64
      %c1 = arith.constant 1 : i64
      %done = arith.cmpi eq, %n, %c0 : i64
      %r = scf.if %done -> i64 {
        scf.yield %c1 : i64
      } else {
        %m = arith.subi %n, %c1 : i64
        %f = func.call @fact(%m) : (i64) -> i64
        %p = arith.muli %n, %f : i64
        scf.yield %p : i64
      }
      return %r : i64
    }
    func.func @f(%a: i64, %b: i64) -> (i64, i64) {
      %c0 = arith.constant 0 : i64
      %less = arith.cmpi slt, %a, %b : i64
      %x, %y = scf.if %less -> (i64, i64) {
        scf.yield %b, %a : i64, i64
      } else {
        scf.yield %a, %b : i64, i64
      }
      %g:2 = scf.while (%u = %x, %w = %y) : (i64, i64) -> (i64, i64) {
        %more = arith.cmpi ne, %w, %c0 : i64
        scf.condition(%more) %u, %w : i64, i64
      } do {
      ^bb0(%u: i64, %w: i64):
        %rest = arith.remsi %u, %w : i64
        scf.yield %w, %rest : i64, i64
      }
      %fact = call @fact(%g#0) : (i64) -> i64
      return %g#0, %fact : i64, i64
    })";
  expectNear(values(text, {&a, &b}, 0), {6});
  expectNear(values(text, {&a, &b}, 1), {720});
}

/// Pairs are counted in loops without evaluating what no mask depends on: here
/// the length depends on a carried tensor, the rest on nothing that is needed.
TEST_F(ReferenceTest, CountsPairsInLoops) {
  parse(std::string(plainMaps) + R"(
    func.func @f(%x: tensor<4x2xf64>, %n: tensor<i64>) -> tensor<4x2xf64> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      %one = arith.constant dense<1> : tensor<i64>
      %init = tensor.empty() : tensor<4x2xf64>
      %r:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x, %m = %n) -> (tensor<4x2xf64>, tensor<i64>) {
        %length = tensor.extract %m[] : tensor<i64>
        %end = arith.index_cast %length : i64 to index
        %o = attn.generic ins(%a, %a, %a : tensor<4x2xf64>, tensor<4x2xf64>, tensor<4x2xf64>)
            weighting(#attn.softmax) outs(%init : tensor<4x2xf64>)
            {indexing_maps = [#q, #k, #v, #o]}
            mask {
              %j = attn.index 1
              %visible = arith.cmpi slt, %j, %end : index
              attn.yield %visible : i1
            } -> tensor<4x2xf64>
        %next = arith.addi %m, %one : tensor<i64>
        scf.yield %o, %next : tensor<4x2xf64>, tensor<i64>
      }
      return %r#0 : tensor<4x2xf64>
    })");
  Array x = f64({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  Array n = make(ElementType::I64, {}, {1});
  auto work = countVisiblePairs(*module, "f", {&x, &n});
  ASSERT_TRUE(bool(work)) << llvm::toString(work.takeError());
  EXPECT_EQ(work->visiblePairs, 4 * (1 + 2 + 3));
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST_F(ReferenceTest, UnknownOps) {
  Array x = f64({}, {1});
  std::string message = fail(R"(func.func @f(%x: f64) -> f64 {
    %t = arith.constant 1 : index
    %r = scf.index_switch %t -> f64
    default {
      scf.yield %x : f64
    }
    return %r : f64
  })",
                             {&x});
  EXPECT_THAT(message,
              EndsWith(":3:10: reference cannot evaluate 'scf.index_switch'"));
}

TEST_F(ReferenceTest, Recursion) {
  Array x = f64({}, {1});
  EXPECT_THAT(fail(R"(func.func @f(%x: f64) -> f64 {
    %r = call @f(%x) : (f64) -> f64
    return %r : f64
  })",
                   {&x}),
              EndsWith("reference expected calls to nest at most 256 deep"));
  EXPECT_THAT(fail(R"(
    func.func private @g(f64) -> f64
    func.func @f(%x: f64) -> f64 {
      %r = call @g(%x) : (f64) -> f64
      return %r : f64
    })",
                   {&x}),
              EndsWith("reference expected function 'g' to have a body of one "
                       "block"));
}

TEST_F(ReferenceTest, BadArguments) {
  std::string text = R"(func.func @f(%x: tensor<2x?xf64>, %y: i32) {
    return
  })";
  Array x = f64({2, 3}, {1, 2, 3, 4, 5, 6});
  Array y = make(ElementType::I32, {}, {1});
  Array narrow = f64({3}, {1, 2, 3}), tall = f64({3, 1}, {1, 2, 3});
  EXPECT_THAT(fail(text, {&x}),
              EndsWith("function 'f' takes 2 arguments, but got 1"));
  EXPECT_THAT(fail(text, {&x, nullptr}),
              EndsWith("argument 1: expected an array, but got none"));
  EXPECT_THAT(fail(text, {&narrow, &y}),
              EndsWith("argument 0: expected 2x?xf64, but got 3xf64"));
  EXPECT_THAT(fail(text, {&tall, &y}),
              EndsWith("argument 0: expected 2x?xf64, but got 3x1xf64"));
  EXPECT_THAT(fail(text, {&y, &y}),
              EndsWith("argument 0: expected 2x?xf64, but got i32"));
  EXPECT_THAT(fail(text, {&x, &x}),
              EndsWith("argument 1: expected i32, but got 2x3xf64"));
  EXPECT_THAT(fail("func.func @g() {\n return\n}", {}),
              EndsWith("no function 'f'"));
  EXPECT_THAT(fail("func.func @f(%m: memref<2xf64>) {\n return\n}", {&narrow}),
              EndsWith("argument 0: reference expected a ranked tensor or a "
                       "scalar, but the function takes memref<2xf64>"));
}

/// Sizes come from the program too, and may be anything.
TEST_F(ReferenceTest, BadSizes) {
  std::string text = R"(func.func @f(%n: index) -> tensor<?x?xf64> {
    %r = tensor.empty(%n, %n) : tensor<?x?xf64>
    return %r : tensor<?x?xf64>
  })";
  Array n = make(ElementType::Index, {}, {0x1p40});
  EXPECT_THAT(fail(text, {&n}), EndsWith("is larger than memory"));
  n.setInteger(0, -1);
  EXPECT_THAT(fail(text, {&n}),
              EndsWith("expected extents of at least 0, but got -1"));
}

TEST_F(ReferenceTest, ShapesThatDisagree) {
  Array q = f64({1, 2}, {1, 2}), k = f64({3, 1}, {1, 2, 3});
  EXPECT_THAT(fail(std::string(plainMaps) + R"(
    func.func @f(%q: tensor<?x?xf64>, %k: tensor<?x?xf64>) -> tensor<1x1xf64> {
      %init = tensor.empty() : tensor<1x1xf64>
      %o = attn.generic ins(%q, %k, %k : tensor<?x?xf64>, tensor<?x?xf64>, tensor<?x?xf64>)
          weighting(#attn.softmax) outs(%init : tensor<1x1xf64>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<1x1xf64>
      return %o : tensor<1x1xf64>
    })",
                   {&q, &k}),
              EndsWith("'attn.generic' operands disagree on the extent of "
                       "dimension d2: 2 and 1"));
  EXPECT_THAT(fail(R"(func.func @f(%a: tensor<?x?xf64>, %b: tensor<?x?xf64>) -> tensor<1x1xf64> {
      %i = arith.constant dense<0.0> : tensor<1x1xf64>
      %r = linalg.matmul ins(%a, %b : tensor<?x?xf64>, tensor<?x?xf64>) outs(%i : tensor<1x1xf64>) -> tensor<1x1xf64>
      return %r : tensor<1x1xf64>
    })",
                   {&q, &k}),
              testing::HasSubstr("expected operands that agree with loops of"));
}

TEST_F(ReferenceTest, SliceOutOfBounds) {
  Array x = f64({3}, {1, 2, 3}), n = make(ElementType::Index, {}, {2});
  EXPECT_THAT(fail(R"(func.func @f(%x: tensor<3xf64>, %n: index) -> tensor<2xf64> {
    %r = tensor.extract_slice %x[%n] [2] [1] : tensor<3xf64> to tensor<2xf64>
    return %r : tensor<2xf64>
  })",
                   {&x, &n}),
              EndsWith("'tensor.extract_slice' out of bounds: offset 2, size 2 "
                       "and stride 1 of a dimension of extent 3"));
}

} // namespace
