//===- PrintTest.cpp - Arrays as text ---------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Print.h"

#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace attn;

namespace {

std::string print(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<double> values,
                  ElementType type = ElementType::F32) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printArray(os, llvm::cantFail(Array::create(type, shape, values)));
  return text;
}

TEST(PrintTest, Small) {
  EXPECT_EQ(print({}, {0.5}), "0.50000\n");
  EXPECT_EQ(print({2, 2}, {1, -0.25, 12, 0}), "[[ 1.00000 -0.25000]\n"
                                              " [12.00000  0.00000]]\n");
  EXPECT_EQ(print({2, 1, 2}, {1, 2, 3, 4}, ElementType::I32), "[[[1 2]]\n"
                                                              " [[3 4]]]\n");
  EXPECT_EQ(print({2}, {1, 0}, ElementType::I1), "[ true false]\n");
  EXPECT_EQ(print({0, 3}, {}), "[]\n");
}

TEST(PrintTest, ExtremesAndSpecials) {
  EXPECT_EQ(print({2}, {1e-5, 2e-7}, ElementType::F64),
            "[1.00000e-05 2.00000e-07]\n");
  EXPECT_EQ(print({3}, {NAN, INFINITY, -INFINITY}), "[ nan  inf -inf]\n");
}

TEST(PrintTest, LargeOnesShowTheirCorners) {
  std::vector<double> values(4 * 10 * 100);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = double(i);
  EXPECT_EQ(print({4, 10, 100}, values, ElementType::I16),
            "[[[   0    1    2 ...   97   98   99]\n"
            "  [ 100  101  102 ...  197  198  199]\n"
            "  [ 200  201  202 ...  297  298  299]\n"
            "  ...\n"
            "  [ 700  701  702 ...  797  798  799]\n"
            "  [ 800  801  802 ...  897  898  899]\n"
            "  [ 900  901  902 ...  997  998  999]]\n"
            " ...\n"
            " [[3000 3001 3002 ... 3097 3098 3099]\n"
            "  [3100 3101 3102 ... 3197 3198 3199]\n"
            "  [3200 3201 3202 ... 3297 3298 3299]\n"
            "  ...\n"
            "  [3700 3701 3702 ... 3797 3798 3799]\n"
            "  [3800 3801 3802 ... 3897 3898 3899]\n"
            "  [3900 3901 3902 ... 3997 3998 3999]]]\n");
}

} // namespace
