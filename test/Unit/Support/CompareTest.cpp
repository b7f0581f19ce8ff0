//===- CompareTest.cpp - The comparator must fail too -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Compare.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace attn;

namespace {

Array make(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<double> values,
           ElementType type = ElementType::F32) {
  return llvm::cantFail(Array::create(type, shape, values));
}

TEST(CompareTest, EqualPasses) {
  Array output = make({2, 2}, {1, 2, 3, 4});
  Comparison result = compare(&output, {2, 2}, {1, 2, 3, 4}, 1e-6);
  EXPECT_TRUE(result.passed);
  EXPECT_EQ(result.describe(), "ok: 4 elements, largest error 0 at [0, 0]");
}

TEST(CompareTest, WithinTolerancePasses) {
  Array output = make({2}, {1, 2.25});
  Comparison result = compare(&output, {2}, {1, 2}, {0, 0.5});
  EXPECT_TRUE(result.passed);
  EXPECT_EQ(result.describe(), "ok: 2 elements, largest error 0.25 at [1] "
                               "(0.50 of the tolerance)");
}

TEST(CompareTest, WrongValueFails) {
  Array output = make({2, 3}, {0, 0, 0, 0, 1, 2});
  Comparison result = compare(&output, {2, 3}, {0, 0, 0, 0, 0, 0}, 0.5);
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.numMismatches, 2);
  EXPECT_EQ(result.describe(),
            "2 of 6 elements differ, first at [1, 1]: expected 0 +- 0.5, but "
            "got 1; largest error 2 at [1, 2]");
}

/// The tolerance is each element's own.
TEST(CompareTest, TolerancePerElement) {
  Array output = make({2}, {1.1, 1.1});
  EXPECT_FALSE(compare(&output, {2}, {1, 1}, {0.2, 0.01}).passed);
  EXPECT_TRUE(compare(&output, {2}, {1, 1}, {0.2, 0.2}).passed);
}

TEST(CompareTest, NaNBesideANumberFails) {
  Array output = make({2}, {1, NAN});
  Comparison result = compare(&output, {2}, {1, 2}, 1e30);
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.describe(), "1 of 2 elements differ, first at [1]: expected "
                               "2 +- 1e+30, but got nan; largest error inf at "
                               "[1]");
  Array number = make({1}, {1});
  EXPECT_FALSE(compare(&number, {1}, {NAN}, 1e30).passed);
}

TEST(CompareTest, InfinityBesideANumberFails) {
  Array output = make({1}, {INFINITY});
  EXPECT_FALSE(compare(&output, {1}, {3e37}, 1e300).passed);
  EXPECT_FALSE(compare(&output, {1}, {-INFINITY}, 1e300).passed);
  EXPECT_FALSE(compare(&output, {1}, {NAN}, 1e300).passed);
  Array number = make({1}, {1});
  EXPECT_FALSE(compare(&number, {1}, {INFINITY}, 1e300).passed);
  EXPECT_FALSE(compare(&number, {1}, {INFINITY}, INFINITY).passed);
}

TEST(CompareTest, EqualNaNAndInfinityPass) {
  Array output = make({3}, {NAN, INFINITY, -INFINITY});
  EXPECT_TRUE(compare(&output, {3}, {NAN, INFINITY, -INFINITY}, 0).passed);
}

/// 70000 rounds to infinity in f16: that is right, and -infinity is not.
TEST(CompareTest, OverflowOfTheOutputType) {
  Array output = make({1}, {INFINITY}, ElementType::F16);
  EXPECT_TRUE(compare(&output, {1}, {70000}, 1).passed);
  EXPECT_FALSE(compare(&output, {1}, {65000}, 1e9).passed);
  EXPECT_FALSE(compare(&output, {1}, {-70000}, 1e9).passed);
}

/// A tolerance that would accept anything accepts nothing.
TEST(CompareTest, UselessToleranceFails) {
  Array output = make({1}, {1});
  EXPECT_FALSE(compare(&output, {1}, {2}, INFINITY).passed);
  EXPECT_FALSE(compare(&output, {1}, {2}, NAN).passed);
  EXPECT_FALSE(compare(&output, {1}, {2}, -1).passed);
}

TEST(CompareTest, WrongShapeFails) {
  Array output = make({2, 3}, {0, 0, 0, 0, 0, 0});
  Comparison result = compare(&output, {3, 2}, {0, 0, 0, 0, 0, 0}, 1);
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.describe(), "expected an output of shape 3x2, but got 2x3");
}

TEST(CompareTest, MissingOutputFails) {
  Comparison result = compare(nullptr, {2}, {0, 0}, 1);
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.describe(),
            "expected an output of shape 2, but it is missing");
}

TEST(CompareTest, MissingReferenceFails) {
  Array output = make({2}, {0, 0});
  EXPECT_EQ(compare(&output, {2}, {0}, 1).describe(),
            "expected 2 reference values, but got 1");
  EXPECT_EQ(compare(&output, {2}, {0, 0}, llvm::ArrayRef<double>()).describe(),
            "expected 1 or 2 tolerances, but got 0");
}

TEST(CompareTest, NoElements) {
  Array output = make({0, 3}, {});
  Comparison result = compare(&output, {0, 3}, {}, 0);
  EXPECT_TRUE(result.passed);
  EXPECT_EQ(result.describe(), "ok: no elements");
}

/// u (2 sqrt(D) s + 16) w, with D = 64, s = 3, w = 2, and the rounding of the
/// output.
TEST(CompareTest, RoundedTolerance) {
  double u = 0x1p-24;
  EXPECT_NEAR(getRoundedTolerance(ElementType::F32, 3 * u, 1), 4 * u, 1e-12);
  EXPECT_NEAR(getRoundedTolerance(ElementType::BF16, 3 * u, 1),
              3 * u + 0x1p-8, 1e-7);
  EXPECT_EQ(getRoundedTolerance(ElementType::F64, 0, 0), 0);
  // What nothing is known of agrees with any number, and with NaN never.
  double any = getRoundedTolerance(
      ElementType::F32, std::numeric_limits<double>::infinity(), 1);
  EXPECT_TRUE(std::isfinite(any));
  EXPECT_GT(any, std::numeric_limits<float>::max());
}

} // namespace
