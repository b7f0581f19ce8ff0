//===- TiledTest.cpp - The tiled form against the core op -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

using namespace attn;

namespace {

/// Attention over 3 and then 2 of 5 keys, in the layout of a kernel; beside it,
/// the core op over all five. @STEPS@ is replaced.
constexpr const char *program = R"(
  #qt = affine_map<(m, n, d, e) -> (d, m)>
  #at = affine_map<(m, n, d, e) -> (e, m)>
  #ma = affine_map<(m, e) -> (e, m)>
  #mr = affine_map<(m, e) -> (m)>
  #mo = affine_map<(m, e) -> (m, e)>
  #ms = affine_map<(m, e) -> ()>
  func.func @f(%q: tensor<2x3xf64>, %k: tensor<5x3xf64>, %v: tensor<5x2xf64>, %sink: f64)
      -> (tensor<2x2xf64>, tensor<2xf64>, tensor<2x2xf64>, tensor<2xf64>) {
    %o0 = tensor.empty() : tensor<2x2xf64>
    %l0 = tensor.empty() : tensor<2xf64>
    %o, %lse = attn.generic ins(%q, %k, %v : tensor<2x3xf64>, tensor<5x3xf64>, tensor<5x2xf64>)
        weighting(#attn.softmax_sink, %sink : f64) outs(%o0 : tensor<2x2xf64>) lse(%l0 : tensor<2xf64>)
        {indexing_maps = [#q, #k, #v, #s, #o, #r], scale = 0.7 : f64}
        -> tensor<2x2xf64>, tensor<2xf64>

    %zero = arith.constant 0.0 : f64
    %low = arith.constant 0xFFF0000000000000 : f64
    %a0 = tensor.splat %zero : tensor<2x4xf64>
    %s0 = tensor.splat %zero : tensor<4xf64>
    %m0 = tensor.splat %low : tensor<4xf64>
    %qe = tensor.empty() : tensor<3x4xf64>
    %qt = attn.pack ins(%q : tensor<2x3xf64>) outs(%qe : tensor<3x4xf64>)
        layout(#attn.lanes_along_rows<4>) role(query)
        {indexing_map = affine_map<(m, n, d, e) -> (m, d)>}
        element {
        ^bb0(%x: f64):
          %scale = arith.constant 0.7 : f64
          %scaled = arith.mulf %x, %scale : f64
          attn.yield %scaled : f64
        } -> tensor<3x4xf64>
    %k0 = tensor.extract_slice %k[0, 0] [3, 3] [1, 1] : tensor<5x3xf64> to tensor<3x3xf64>
    %k1 = tensor.extract_slice %k[3, 0] [2, 3] [1, 1] : tensor<5x3xf64> to tensor<2x3xf64>
    %v0 = tensor.extract_slice %v[0, 0] [3, 2] [1, 1] : tensor<5x2xf64> to tensor<3x2xf64>
    %v1 = tensor.extract_slice %v[3, 0] [2, 2] [1, 1] : tensor<5x2xf64> to tensor<2x2xf64>
    %rows = arith.constant 2 : index
    %keys = arith.constant 5 : index
    STEPS
    %r, %rl = attn.finish ins(%a2, %m2, %s2 : tensor<2x4xf64>, tensor<4xf64>, tensor<4xf64>)
        weighting(#attn.softmax_sink, %sink : f64) keys(%keys) outs(%o0 : tensor<2x2xf64>) lse(%l0 : tensor<2xf64>)
        {indexing_maps = [#ma, #mr, #mr, #ms, #mo, #mr]} -> tensor<2x2xf64>, tensor<2xf64>
    return %o, %lse, %r, %rl : tensor<2x2xf64>, tensor<2xf64>, tensor<2x2xf64>, tensor<2xf64>
  })";

/// `%a<n>, ... = attn.online` over keys `%k<part>` from the state `%a<from>`.
std::string step(const std::string &to, const std::string &part, int numKeys,
                 const std::string &from) {
  std::string n = std::to_string(numKeys);
  return "%a" + to + ", %m" + to + ", %s" + to + " = attn.online ins(%qt, %k" +
         part + ", %v" + part + " : tensor<3x4xf64>, tensor<" + n +
         "x3xf64>, tensor<" + n +
         "x2xf64>) weighting(#attn.softmax_sink, %sink : f64) rows(%rows)"
         " outs(%a" +
         from + " : tensor<2x4xf64>) statistics(%m" + from + ", %s" + from +
         " : tensor<4xf64>, tensor<4xf64>) {indexing_maps = [#qt, #k, #v, #s, "
         "#at, #r, #r]} -> tensor<2x4xf64>, tensor<4xf64>, tensor<4xf64>\n";
}

class TiledTest : public ReferenceTest {
protected:
  ReferenceResult run(const std::string &steps) {
    Array q = f64({2, 3}, {1, -2, .5, 3, .1, .2}), sink = f64({}, {.3});
    Array k = f64(
        {5, 3}, {.1, .9, -.4, 1, 2, 3, -1, .2, .8, 4, .5, .6, 0, 1, 0});
    Array v = f64({5, 2}, {1, -10, 2, 20, -3, 30, 4, 40, 5, -50});
    std::string text = std::string(plainMaps) + program;
    text.replace(text.find("STEPS"), 5, steps);
    return evaluate(text, {&q, &k, &v, &sink});
  }
  void expectAgreement(const ReferenceResult &result) {
    ASSERT_EQ(result.results.size(), 4u);
    expectNear(result.results[2].values, result.results[0].values);
    expectNear(result.results[3].values, result.results[1].values);
    // The whole row counts small weights as a 1024th of the largest.
    for (auto [tiled, whole] : llvm::zip_equal(result.results[2].magnitude,
                                               result.results[0].magnitude))
      EXPECT_NEAR(tiled, whole, whole / 100);
    for (auto [tiled, whole] :
         llvm::zip_equal(result.results[2].error, result.results[0].error)) {
      EXPECT_GE(tiled, whole / 4);
      EXPECT_LE(tiled, whole * 4);
    }
  }
};

TEST_F(TiledTest, StepsInTurn) {
  ReferenceResult result = run(step("1", "0", 3, "0") + step("2", "1", 2, "1"));
  expectAgreement(result);
  EXPECT_EQ(result.visiblePairs, 2 * 2 * 5);
}

TEST_F(TiledTest, StepsInTheOtherOrder) {
  expectAgreement(run(step("1", "1", 2, "0") + step("2", "0", 3, "1")));
}

TEST_F(TiledTest, SplitKeysMerged) {
  expectAgreement(run(step("x", "0", 3, "0") + step("y", "1", 2, "0") + R"(
    %ax1 = tensor.expand_shape %ax [[0, 1], [2]] output_shape [1, 2, 4] : tensor<2x4xf64> into tensor<1x2x4xf64>
    %ay1 = tensor.expand_shape %ay [[0, 1], [2]] output_shape [1, 2, 4] : tensor<2x4xf64> into tensor<1x2x4xf64>
    %mx1 = tensor.expand_shape %mx [[0, 1]] output_shape [1, 4] : tensor<4xf64> into tensor<1x4xf64>
    %my1 = tensor.expand_shape %my [[0, 1]] output_shape [1, 4] : tensor<4xf64> into tensor<1x4xf64>
    %sx1 = tensor.expand_shape %sx [[0, 1]] output_shape [1, 4] : tensor<4xf64> into tensor<1x4xf64>
    %sy1 = tensor.expand_shape %sy [[0, 1]] output_shape [1, 4] : tensor<4xf64> into tensor<1x4xf64>
    %as = tensor.concat dim(0) %ax1, %ay1 : (tensor<1x2x4xf64>, tensor<1x2x4xf64>) -> tensor<2x2x4xf64>
    %ms = tensor.concat dim(0) %mx1, %my1 : (tensor<1x4xf64>, tensor<1x4xf64>) -> tensor<2x4xf64>
    %ss = tensor.concat dim(0) %sx1, %sy1 : (tensor<1x4xf64>, tensor<1x4xf64>) -> tensor<2x4xf64>
    %a2, %m2, %s2 = attn.merge ins(%as, %ms, %ss : tensor<2x2x4xf64>, tensor<2x4xf64>, tensor<2x4xf64>)
        weighting(#attn.softmax_sink)
        outs(%a0, %m0, %s0 : tensor<2x4xf64>, tensor<4xf64>, tensor<4xf64>)
        {indexing_maps = [#ma, #mr, #mr]} -> tensor<2x4xf64>, tensor<4xf64>, tensor<4xf64>
  )"));
}

TEST_F(ReferenceTest, PackPadsWithZeros) {
  Array x = f64({2, 1}, {3, 4});
  auto got = values(R"(func.func @f(%x: tensor<2x1xf64>) -> tensor<2x3xf32> {
    %e = tensor.empty() : tensor<2x3xf32>
    %r = attn.pack ins(%x : tensor<2x1xf64>) outs(%e : tensor<2x3xf32>)
        layout(#attn.lanes_along_rows<3>) role(query)
        {indexing_map = affine_map<(m, n, d, e) -> (m, d)>}
        element {
        ^bb0(%in: f64):
          %two = arith.constant 2.0 : f64
          %twice = arith.mulf %in, %two : f64
          %narrow = arith.truncf %twice : f64 to f32
          attn.yield %narrow : f32
        } -> tensor<2x3xf32>
    return %r : tensor<2x3xf32>
  })",
                    {&x});
  expectNear(got, {6, 8, 0, 0, 0, 0});
}

} // namespace
