//===- PeakTest.cpp - The speed limits of this machine ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tools/Peak.h"

#include "gtest/gtest.h"

using namespace attn;

namespace {

/// Twice the lanes, twice the rate: within what a noisy machine allows.
TEST(PeakTest, NarrowTypesAreFaster) {
  PeakMeter narrow(ElementType::F32, 1), wide(ElementType::F64, 1);
  EXPECT_EQ(narrow.getFlops(), 0);
  for (int round = 0; round < 10; ++round) {
    narrow.sample(0.001);
    wide.sample(0.001);
  }
  EXPECT_GT(wide.getFlops(), 1e8);
  EXPECT_GT(narrow.getFlops(), 1.3 * wide.getFlops());
  EXPECT_LT(narrow.getFlops(), 3 * wide.getFlops());
}

TEST(PeakTest, MoreSamplesNeverLowerThePeak) {
  PeakMeter meter(ElementType::F32, 2);
  double last = 0;
  for (int round = 0; round < 5; ++round) {
    meter.sample(0.0005);
    EXPECT_GE(meter.getFlops(), last);
    last = meter.getFlops();
  }
}

TEST(PeakTest, ReadMemory) {
  std::vector<uint64_t> words(1 << 16, 1);
  for (int threads : {1, 2, 5})
    EXPECT_GT(readMemory(words.data(), words.size() * 8, threads), 0);
  EXPECT_GE(readMemory(words.data(), 0, 2), 0);
}

TEST(PeakTest, ReadBandwidth) { EXPECT_GT(measureReadBandwidth(1), 0); }

} // namespace
