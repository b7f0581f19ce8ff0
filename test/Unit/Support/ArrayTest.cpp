//===- ArrayTest.cpp - Types, rounding, sizes -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Array.h"
#include "attn/Support/Random.h"

#include "llvm/ADT/APFloat.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace attn;

namespace {

std::string takeMessage(llvm::Expected<Array> array) {
  return array ? "no error" : llvm::toString(array.takeError());
}

uint16_t getBits(ElementType type, double value) {
  llvm::Expected<Array> array = Array::create(type, {1}, {value});
  uint16_t bits;
  std::memcpy(&bits, array->getData(), 2);
  return bits;
}

uint16_t getBitsByAPFloat(const llvm::fltSemantics &semantics, double value) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number.bitcastToAPInt().getZExtValue();
}

/// Every 16-bit float survives the way to double and back.
TEST(ArrayTest, SixteenBitRoundTrip) {
  for (ElementType type : {ElementType::F16, ElementType::BF16}) {
    llvm::Expected<Array> array = Array::create(type, {1});
    ASSERT_TRUE(bool(array));
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      uint16_t word = bits;
      std::memcpy(array->getData(), &word, 2);
      double value = array->at(0);
      if (std::isnan(value))
        EXPECT_TRUE(std::isnan(roundToElement(type, value)));
      else
        EXPECT_EQ(getBits(type, value), bits);
    }
  }
}

/// Against APFloat: random numbers of every magnitude, and the ties between
/// neighbours together with the numbers just beside them.
TEST(ArrayTest, SixteenBitRounding) {
  auto check = [](double value) {
    if (std::isnan(value))
      return;
    EXPECT_EQ(getBits(ElementType::F16, value),
              getBitsByAPFloat(llvm::APFloat::IEEEhalf(), value))
        << value;
    EXPECT_EQ(getBits(ElementType::BF16, value),
              getBitsByAPFloat(llvm::APFloat::BFloat(), value))
        << value;
  };
  Random random(1);
  for (int count = 0; count < 20000; ++count) {
    double mantissa = 2 * random.nextUniform() - 1;
    check(std::ldexp(mantissa, int(random.nextBelow(60)) - 30));
    check(std::ldexp(mantissa, int(random.nextBelow(280)) - 140));
    double tie = std::ldexp(double(2 * random.nextBelow(4096) + 1),
                            int(random.nextBelow(290)) - 145);
    check(tie);
    check(std::nextafter(tie, 0));
    check(std::nextafter(tie, INFINITY));
  }
  for (double value : {0.0, -0.0, 65504.0, 65519.99, 65520.0, 65536.0, 1e300,
                       -1e300, 5e-324, 0x1p-25, 0x1.8p-25, 0x1p-134,
                       3.3895313892515355e38, 3.3961775292304601e38})
    check(value);
  check(std::numeric_limits<double>::infinity());
}

TEST(ArrayTest, IntegersSaturate) {
  EXPECT_EQ(roundToElement(ElementType::I8, 1e9), 127);
  EXPECT_EQ(roundToElement(ElementType::I8, -1e9), -128);
  EXPECT_EQ(roundToElement(ElementType::I32, 2.5), 2);
  EXPECT_EQ(roundToElement(ElementType::I32, NAN), 0);
  EXPECT_EQ(roundToElement(ElementType::I1, -3), 1);
  llvm::Expected<Array> array = Array::create(ElementType::I64, {2});
  array->set(0, 1e300);
  array->setInteger(1, (int64_t(1) << 62) + 1);
  EXPECT_EQ(array->getInteger(0), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(array->getInteger(1), (int64_t(1) << 62) + 1);
}

TEST(ArrayTest, NamesRoundTrip) {
  for (ElementType type :
       {ElementType::F16, ElementType::BF16, ElementType::F32, ElementType::F64,
        ElementType::I1, ElementType::I8, ElementType::I16, ElementType::I32,
        ElementType::I64, ElementType::Index})
    EXPECT_EQ(parseElementType(getName(type)), type);
  EXPECT_EQ(parseElementType("f8"), std::nullopt);
  EXPECT_EQ(toString({2, 3}, ElementType::F32), "2x3xf32");
  EXPECT_EQ(toString({}, ElementType::BF16), "bf16");
  EXPECT_EQ(toString({2, std::numeric_limits<int64_t>::min()},
                     ElementType::Index),
            "2x?xindex");
}

TEST(ArrayTest, LargePages) {
  constexpr uintptr_t kLargePage = 2 << 20;
  auto isLarge = [&](int64_t bytes) {
    Array array = llvm::cantFail(Array::create(ElementType::I8, {bytes}));
    return reinterpret_cast<uintptr_t>(array.getData()) % kLargePage == 0;
  };
  EXPECT_TRUE(isLarge(2 * kLargePage));
  EXPECT_TRUE(isLarge(2 * kLargePage + 1));
}

TEST(ArrayTest, LayoutAndIndex) {
  llvm::Expected<Array> array = Array::create(ElementType::F32, {2, 3, 5});
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(array->getData()) % 64, 0u);
  EXPECT_EQ(array->getStrides(), (llvm::SmallVector<int64_t>{15, 5, 1}));
  EXPECT_EQ(array->getNumBytes(), 120);
  EXPECT_EQ(array->formatIndex(23), "[1, 1, 3]");
  EXPECT_EQ(array->toString(), "2x3x5xf32");
}

TEST(ArrayTest, EmptyArraysHaveMemory) {
  llvm::Expected<Array> array = Array::create(ElementType::F64, {3, 0, 2});
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(array->getNumElements(), 0);
  EXPECT_NE(array->getData(), nullptr);
}

TEST(ArrayTest, ImpossibleSizes) {
  EXPECT_EQ(takeMessage(Array::create(ElementType::F32, {2, -1})),
            "expected extents of 0 or more, but got 2x-1");
  EXPECT_EQ(takeMessage(Array::create(ElementType::F32,
                                      {int64_t(1) << 40, int64_t(1) << 40})),
            "expected fewer than 2^63 elements, but got "
            "1099511627776x1099511627776");
  // 2^61 elements fit in 63 bits, their bytes do not.
  EXPECT_TRUE(llvm::StringRef(takeMessage(Array::create(
                                  ElementType::F64, {int64_t(1) << 61})))
                  .ends_with("the memory of this machine, but got "
                             "2305843009213693952xf64"));
  // A zero extent makes any other harmless.
  EXPECT_TRUE(bool(Array::create(ElementType::F32,
                                 {0, int64_t(1) << 62, int64_t(1) << 62})));
  EXPECT_EQ(takeMessage(Array::create(ElementType::F32, {2}, {1.0})),
            "expected 2 values for 2xf32, but got 1");
}

TEST(ArrayTest, PoisonIsNaN) {
  llvm::Expected<Array> array = Array::create(ElementType::BF16, {4});
  array->poison();
  for (double value : array->toDoubles())
    EXPECT_TRUE(std::isnan(value));
  llvm::Expected<Array> integers = Array::create(ElementType::I16, {1});
  integers->poison();
  EXPECT_EQ(integers->at(0), -32768);
}

TEST(ArrayTest, AdoptCopiesUnalignedElements) {
  auto *memory = static_cast<char *>(std::aligned_alloc(64, 128));
  float values[2] = {1, 2};
  std::memcpy(memory + 4, values, sizeof(values));
  llvm::Expected<Array> array =
      Array::adopt(ElementType::F32, {2}, memory, memory + 4);
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(array->getData()) % 64, 0u);
  EXPECT_EQ(array->toDoubles(), (std::vector<double>{1, 2}));
  EXPECT_EQ(takeMessage(Array::adopt(ElementType::F32, {2}, nullptr, nullptr)),
            "expected the elements of 2xf32, but got a null pointer");
}

TEST(RandomTest, SameSeedSameNumbers) {
  auto draw = [](ElementType type, uint64_t seed, uint64_t stream,
                 std::optional<RandomRange> range) {
    llvm::Expected<Array> array = Array::create(type, {1000});
    llvm::cantFail(fillRandom(*array, seed, stream, range));
    return array->toDoubles();
  };
  auto values = draw(ElementType::F64, 7, 0, std::nullopt);
  EXPECT_EQ(values, draw(ElementType::F64, 7, 0, std::nullopt));
  EXPECT_NE(values, draw(ElementType::F64, 7, 1, std::nullopt));
  EXPECT_NE(values, draw(ElementType::F64, 8, 0, std::nullopt));
  double sum = 0;
  for (double value : values) {
    EXPECT_LE(std::fabs(value), 1);
    sum += value;
  }
  EXPECT_LT(std::fabs(sum / 1000), 0.1);
  std::vector<int> counts(3);
  for (double value : draw(ElementType::I32, 7, 0, RandomRange{-1, 2}))
    ++counts.at(int(value) + 1);
  for (int count : counts)
    EXPECT_GT(count, 250);
  double ones = 0;
  for (double bit : draw(ElementType::I1, 7, 0, std::nullopt))
    ones += bit;
  EXPECT_NEAR(ones, 500, 80);
}

TEST(RandomTest, BadRanges) {
  llvm::Expected<Array> array = Array::create(ElementType::I8, {4});
  EXPECT_EQ(llvm::toString(fillRandom(*array, 0)),
            "expected a range to draw 4xi8 from, but none is given");
  EXPECT_EQ(llvm::toString(fillRandom(*array, 0, 0, RandomRange{3, 3})),
            "expected a range with lo below hi, but got 3 to 3");
  EXPECT_EQ(llvm::toString(fillRandom(*array, 0, 0, RandomRange{0, 200})),
            "expected integers that i8 can hold as the range, but got 0 to "
            "200");
  EXPECT_FALSE(bool(fillRandom(*array, 0, 0, RandomRange{0, 128})));
  auto half = Array::create(ElementType::F16, {3});
  EXPECT_EQ(
      llvm::toString(fillRandom(*half, 0, 0, RandomRange{0, 1e30})),
      "expected numbers that f16 can hold as the range, but got 0 to 1e+30");
  auto bits = Array::create(ElementType::I1, {64});
  EXPECT_FALSE(bool(fillRandom(*bits, 0, 0, RandomRange{1, 2})));
  for (int64_t position = 0; position < 64; ++position)
    EXPECT_EQ(bits->getInteger(position), 1);
  EXPECT_EQ(llvm::toString(fillRandom(*bits, 0, 0, RandomRange{0, 3})),
            "expected integers that i1 can hold as the range, but got 0 to 3");
}

} // namespace
