//===- MasksTest.cpp - Layouts, positions, reads, counting ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

using namespace attn;

namespace {

using Doubles = std::vector<double>;

/// Plain loops: softmax attention of m x d queries, n x d keys, n x e values.
Doubles attend(const Doubles &q, const Doubles &k, const Doubles &v, int d,
               int e) {
  int m = q.size() / d, n = k.size() / d;
  Doubles out;
  for (int i = 0; i < m; ++i) {
    Doubles p;
    double sum = 0;
    for (int j = 0; j < n; ++j) {
      double s = 0;
      for (int f = 0; f < d; ++f)
        s += q[i * d + f] * k[j * d + f];
      p.push_back(std::exp(s));
      sum += p.back();
    }
    for (int c = 0; c < e; ++c) {
      double o = 0;
      for (int j = 0; j < n; ++j)
        o += p[j] * v[j * e + c] / sum;
      out.push_back(o);
    }
  }
  return out;
}

/// Row-major rows x columns, transposed.
Doubles transpose(const Doubles &x, int rows, int columns) {
  Doubles result;
  for (int c = 0; c < columns; ++c)
    for (int r = 0; r < rows; ++r)
      result.push_back(x[r * columns + c]);
  return result;
}

/// Numbers without a pattern, the same each time.
Doubles fill(int count, double seed) {
  Doubles values;
  for (int i = 0; i < count; ++i)
    values.push_back(std::sin(seed + 1.7 * i));
  return values;
}

TEST_F(ReferenceTest, PermutedLayouts) {
  Doubles q = fill(3 * 4, 1), k = fill(5 * 4, 2), v = fill(5 * 2, 3);
  Array qt = f64({4, 3}, transpose(q, 3, 4)), kt = f64({4, 5},
                                                       transpose(k, 5, 4));
  Array vt = f64({2, 5}, transpose(v, 5, 2));
  auto got = values(R"(
    #q = affine_map<(e, d, n, m) -> (d, m)>
    #k = affine_map<(e, d, n, m) -> (d, n)>
    #v = affine_map<(e, d, n, m) -> (e, n)>
    #o = affine_map<(e, d, n, m) -> (e, m)>
    func.func @f(%q: tensor<4x3xf64>, %k: tensor<4x5xf64>, %v: tensor<2x5xf64>)
        -> tensor<2x3xf64> {
      %init = tensor.empty() : tensor<2x3xf64>
      %o = attn.generic ins(%q, %k, %v : tensor<4x3xf64>, tensor<4x5xf64>, tensor<2x5xf64>)
          weighting(#attn.softmax) outs(%init : tensor<2x3xf64>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x3xf64>
      return %o : tensor<2x3xf64>
    })",
                    {&qt, &kt, &vt});
  expectNear(got, transpose(attend(q, k, v, 4, 2), 3, 2));
}

/// Two dimensions in every class; flattened, each class is one dimension.
TEST_F(ReferenceTest, SeveralDimensionsPerClass) {
  // m = 2x3, n = 2x2, d = 2x2, e = 2x1, no batch.
  Doubles q = fill(6 * 4, 1), k = fill(4 * 4, 2), v = fill(4 * 2, 3);
  Array qa = f64({2, 3, 2, 2}, q), ka = f64({2, 2, 2, 2}, k);
  Array va = f64({2, 2, 2, 1}, v);
  auto got = values(R"(
    #q = affine_map<(m0, m1, n0, n1, d0, d1, e0, e1) -> (m0, m1, d0, d1)>
    #k = affine_map<(m0, m1, n0, n1, d0, d1, e0, e1) -> (n0, n1, d0, d1)>
    #v = affine_map<(m0, m1, n0, n1, d0, d1, e0, e1) -> (n0, n1, e0, e1)>
    #o = affine_map<(m0, m1, n0, n1, d0, d1, e0, e1) -> (m0, m1, e0, e1)>
    func.func @f(%q: tensor<2x3x2x2xf64>, %k: tensor<2x2x2x2xf64>,
                 %v: tensor<2x2x2x1xf64>) -> tensor<2x3x2x1xf64> {
      %init = tensor.empty() : tensor<2x3x2x1xf64>
      %o = attn.generic ins(%q, %k, %v : tensor<2x3x2x2xf64>, tensor<2x2x2x2xf64>, tensor<2x2x2x1xf64>)
          weighting(#attn.softmax) outs(%init : tensor<2x3x2x1xf64>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x3x2x1xf64>
      return %o : tensor<2x3x2x1xf64>
    })",
                    {&qa, &ka, &va});
  expectNear(got, attend(q, k, v, 4, 2));
}

/// A batch dimension that the keys lack: one set of keys for all heads.
constexpr const char *multiQuery = R"(
  #q = affine_map<(b, h, m, n, d, e) -> (b, h, m, d)>
  #k = affine_map<(b, h, m, n, d, e) -> (b, n, d)>
  #v = affine_map<(b, h, m, n, d, e) -> (b, h, n, e)>
  #o = affine_map<(b, h, m, n, d, e) -> (b, h, m, e)>
  #len = affine_map<(b, h, m, n, d, e) -> (b)>
  func.func @f(%q: tensor<2x3x2x2xf64>, %k: tensor<2x4x2xf64>,
               %v: tensor<2x3x4x1xf64>, %len: tensor<2xi32>) -> tensor<2x3x2x1xf64> {
    %init = tensor.empty() : tensor<2x3x2x1xf64>
    %o = attn.generic ins(%q, %k, %v : tensor<2x3x2x2xf64>, tensor<2x4x2xf64>, tensor<2x3x4x1xf64>)
        inputs(%len : tensor<2xi32>)
        weighting(#attn.softmax) outs(%init : tensor<2x3x2x1xf64>)
        {indexing_maps = [#q, #k, #v, #len, #o]}
        mask {
        ^bb0(%l: i32):
          %j = attn.index 3
          %limit = arith.index_cast %l : i32 to index
          %seen = arith.cmpi slt, %j, %limit : index
          attn.yield %seen : i1
        } -> tensor<2x3x2x1xf64>
    return %o : tensor<2x3x2x1xf64>
  })";

TEST_F(ReferenceTest, SharedKeysAndLengths) {
  Doubles q = fill(24, 1), k = fill(16, 2), v = fill(24, 3);
  Array qa = f64({2, 3, 2, 2}, q), ka = f64({2, 4, 2}, k);
  Array va = f64({2, 3, 4, 1}, v), len = make(ElementType::I32, {2}, {3, 1});
  ReferenceResult result = evaluate(multiQuery, {&qa, &ka, &va, &len});
  Doubles expected;
  for (int b = 0; b < 2; ++b)
    for (int h = 0; h < 3; ++h) {
      int n = b ? 1 : 3, bh = b * 3 + h;
      Doubles part = attend({q.begin() + bh * 4, q.begin() + bh * 4 + 4},
                            {k.begin() + b * 8, k.begin() + b * 8 + 2 * n},
                            {v.begin() + bh * 4, v.begin() + bh * 4 + n}, 2, 1);
      expected.insert(expected.end(), part.begin(), part.end());
    }
  expectNear(result.results[0].values, expected);
  EXPECT_EQ(result.visiblePairs, 3 * 2 * (3 + 1));

  // Counting walks the batch that the mask depends on, and not the heads.
  auto work = countVisiblePairs(*module, "f", {&qa, &ka, &va, &len});
  ASSERT_TRUE(bool(work));
  EXPECT_EQ(work->visiblePairs, result.visiblePairs);
  EXPECT_EQ(work->flops, result.flops);
  EXPECT_EQ(work->flops, 2.0 * (2 + 1) * 24);
}

/// A bias read from a captured table at i - j; under a causal mask the read is
/// in bounds, although hidden pairs would not be.
constexpr const char *tableBias = R"(
  func.func @f(%q: tensor<3x1xf64>, %k: tensor<3x1xf64>, %v: tensor<3x1xf64>,
               %table: tensor<3xf64>) -> tensor<3x1xf64> {
    %init = tensor.empty() : tensor<3x1xf64>
    %o = attn.generic ins(%q, %k, %v : tensor<3x1xf64>, tensor<3x1xf64>, tensor<3x1xf64>)
        weighting(#attn.softmax) outs(%init : tensor<3x1xf64>)
        {indexing_maps = [#q, #k, #v, #o]}
        mask {
          %i = attn.index 0
          %j = attn.index 1
          %seen = arith.cmpi PREDICATE, %j, %i : index
          attn.yield %seen : i1
        } score {
        ^bb0(%s: f64):
          %i = attn.index 0
          %j = attn.index 1
          %at = affine.apply affine_map<(i, j) -> (i - j)>(%i, %j)
          %b = tensor.extract %table[%at] : tensor<3xf64>
          %r = arith.addf %s, %b : f64
          attn.yield %r : f64
        } -> tensor<3x1xf64>
    return %o : tensor<3x1xf64>
  })";

std::string withPredicate(std::string text, const std::string &predicate) {
  return text.replace(text.find("PREDICATE"), 9, predicate);
}

TEST_F(ReferenceTest, TableBias) {
  Array q = f64({3, 1}, {0, 0, 0}), k = f64({3, 1}, {1, 2, 3});
  Array v = f64({3, 1}, {1, 10, 100});
  Array table = f64({3}, {0, std::log(2), std::log(5)});
  auto got = values(plainMaps + withPredicate(tableBias, "sle"),
                    {&q, &k, &v, &table});
  expectNear(got, {1, (2 * 1 + 10) / 3., (5 * 1 + 2 * 10 + 100) / 8.});
}

TEST_F(ReferenceTest, ReadOutOfBounds) {
  Array q = f64({3, 1}, {0, 0, 0}), k = f64({3, 1}, {1, 2, 3});
  Array v = f64({3, 1}, {1, 10, 100}), table = f64({3}, {0, 0, 0});
  EXPECT_THAT(
      fail(plainMaps + withPredicate(tableBias, "ne"), {&q, &k, &v, &table}),
      testing::EndsWith(
          "read out of bounds: index -1 of a dimension of extent 3"));
}

TEST_F(ReferenceTest, TracePair) {
  Array q = f64({3, 1}, {0, 1, 0}), k = f64({3, 1}, {1, 2, 3});
  Array v = f64({3, 1}, {1, 10, 100}), table = f64({3}, {.5, .25, 0});
  mlir::ModuleOp parsed = parse(plainMaps + withPredicate(tableBias, "sle"));
  auto trace = tracePair(parsed, "f", {&q, &k, &v, &table}, {1, 1});
  ASSERT_TRUE(bool(trace)) << llvm::toString(trace.takeError());
  EXPECT_EQ(trace->similarity, 2);
  EXPECT_EQ(trace->scaledScore, 2);
  EXPECT_TRUE(trace->visible);
  EXPECT_EQ(trace->score, 2.5);
  EXPECT_EQ(trace->visibleKeys, 2);
  EXPECT_NEAR(trace->weight, 1 / (1 + std::exp(1.25 - 2.5)), 1e-12);

  trace = tracePair(parsed, "f", {&q, &k, &v, &table}, {1, 2});
  ASSERT_TRUE(bool(trace)) << llvm::toString(trace.takeError());
  EXPECT_EQ(trace->similarity, 3);
  EXPECT_FALSE(trace->visible);
  EXPECT_FALSE(trace->score.has_value());
  EXPECT_EQ(trace->weight, 0);

  trace = tracePair(parsed, "f", {&q, &k, &v, &table}, {1, 3});
  ASSERT_FALSE(bool(trace));
  EXPECT_THAT(llvm::toString(trace.takeError()),
              testing::EndsWith("position 3 is outside a dimension of extent "
                                "3"));
  trace = tracePair(parsed, "f", {&q, &k, &v, &table}, {1});
  ASSERT_FALSE(bool(trace));
  EXPECT_THAT(llvm::toString(trace.takeError()),
              testing::EndsWith("expected a position of 2 numbers (batch, "
                                "query rows, key rows), but got 1"));
}

/// Grouped heads: m = (group, rows). Four numbers name the query head.
TEST_F(ReferenceTest, TraceGroupedHeads) {
  Doubles q = fill(2 * 3 * 2, 1), k = fill(2 * 2, 2);
  Array qa = f64({2, 3, 2, 1}, q), ka = f64({2, 2, 1}, k);
  mlir::ModuleOp parsed = parse(R"(
    #q = affine_map<(h, g, m, n, d, e) -> (h, g, m, d)>
    #k = affine_map<(h, g, m, n, d, e) -> (h, n, d)>
    #v = affine_map<(h, g, m, n, d, e) -> (h, n, e)>
    #o = affine_map<(h, g, m, n, d, e) -> (h, g, m, e)>
    func.func @f(%q: tensor<2x3x2x1xf64>, %k: tensor<2x2x1xf64>) -> tensor<2x3x2x1xf64> {
      %init = tensor.empty() : tensor<2x3x2x1xf64>
      %o = attn.generic ins(%q, %k, %k : tensor<2x3x2x1xf64>, tensor<2x2x1xf64>, tensor<2x2x1xf64>)
          weighting(#attn.softmax) outs(%init : tensor<2x3x2x1xf64>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x3x2x1xf64>
      return %o : tensor<2x3x2x1xf64>
    })");
  // Head 4 is group member 1 of key head 1.
  for (const std::vector<int64_t> &position :
       {std::vector<int64_t>{4, 1, 0}, std::vector<int64_t>{1, 1, 1, 0}}) {
    auto trace = tracePair(parsed, "f", {&qa, &ka}, position);
    ASSERT_TRUE(bool(trace)) << llvm::toString(trace.takeError());
    EXPECT_DOUBLE_EQ(trace->similarity, q[4 * 2 + 1] * k[2]);
  }
}

/// Counting needs what a mask reads, through linalg and slices, and nothing
/// else: the projection of the values is not evaluated.
TEST_F(ReferenceTest, CountingComputesWhatMasksRead) {
  std::string text = std::string(plainMaps) + R"(
    func.func @f(%q: tensor<4x1xf64>, %v: tensor<4x1xf64>, %len: tensor<1xi64>)
        -> tensor<4x1xf64> {
      %e = tensor.empty() : tensor<4x1xf64>
      %x = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
          iterator_types = ["parallel", "parallel"]} ins(%v : tensor<4x1xf64>) outs(%e : tensor<4x1xf64>) {
      ^bb0(%a: f64, %b: f64):
        %r = arith.addf %a, %a : f64
        linalg.yield %r : f64
      } -> tensor<4x1xf64>
      %le = tensor.empty() : tensor<1xi64>
      %l = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
          iterator_types = ["parallel"]} ins(%len : tensor<1xi64>) outs(%le : tensor<1xi64>) {
      ^bb0(%a: i64, %b: i64):
        %one = arith.constant 1 : i64
        %r = arith.addi %a, %one : i64
        linalg.yield %r : i64
      } -> tensor<1xi64>
      %c0 = arith.constant 0 : index
      %o = attn.generic ins(%q, %x, %x : tensor<4x1xf64>, tensor<4x1xf64>, tensor<4x1xf64>)
          weighting(#attn.softmax) outs(%e : tensor<4x1xf64>)
          {indexing_maps = [#q, #k, #v, #o]}
          mask {
            %j = attn.index 1
            %n = tensor.extract %l[%c0] : tensor<1xi64>
            %limit = arith.index_cast %n : i64 to index
            %seen = arith.cmpi slt, %j, %limit : index
            attn.yield %seen : i1
          } -> tensor<4x1xf64>
      return %o : tensor<4x1xf64>
    })";
  Array x = f64({4, 1}, {1, 2, 3, 4}), len = make(ElementType::I64, {1}, {2});
  ReferenceResult result = evaluate(text, {&x, &x, &len});
  EXPECT_EQ(result.visiblePairs, 12);
  auto work = countVisiblePairs(*module, "f", {&x, &x, &len});
  ASSERT_TRUE(bool(work)) << llvm::toString(work.takeError());
  EXPECT_EQ(work->visiblePairs, 12);
}

} // namespace
