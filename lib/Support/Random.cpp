//===- Random.cpp - Repeatable arrays of random numbers ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Random.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace attn;
using llvm::createStringError;

static uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Random::Random(uint64_t seed, uint64_t stream)
    : state(mix(seed) + mix(stream ^ 0x6a09e667f3bcc909)) {}

uint64_t Random::next() { return mix(state += 0x9e3779b97f4a7c15); }

double Random::nextUniform() { return double(next() >> 11) * 0x1p-53; }

uint64_t Random::nextBelow(uint64_t bound) {
  // Values below `2^64 mod bound` would make small results more frequent.
  uint64_t threshold = -bound % bound;
  uint64_t value;
  do
    value = next();
  while (value < threshold);
  return value % bound;
}

llvm::Error attn::fillRandom(Array &array, uint64_t seed, uint64_t stream,
                             std::optional<RandomRange> range) {
  Random random(seed, stream);
  const int64_t count = array.getNumElements();
  const ElementType type = array.getType();
  if (type == ElementType::I1 && !range) {
    for (int64_t position = 0; position < count; ++position)
      array.setInteger(position, random.next() >> 63);
    return llvm::Error::success();
  }
  if (!isFloat(type) && !range)
    return createStringError("expected a range to draw " + array.toString() +
                             " from, but none is given");
  auto [lo, hi] = range.value_or(RandomRange());
  std::string given;
  llvm::raw_string_ostream(given)
      << llvm::format("%.17g", lo) << " to " << llvm::format("%.17g", hi);
  if (!std::isfinite(lo) || !std::isfinite(hi) ||
      !(isFloat(type) ? lo <= hi : lo < hi))
    return createStringError("expected a range with lo below hi, but got " +
                             given);
  if (isFloat(type)) {
    if (!std::isfinite(roundToElement(type, lo)) ||
        !std::isfinite(roundToElement(type, hi)))
      return createStringError("expected numbers that " + getName(type).str() +
                               " can hold as the range, but got " + given);
    for (int64_t position = 0; position < count; ++position)
      array.set(position, lo + (hi - lo) * random.nextUniform());
    return llvm::Error::success();
  }
  if (lo != std::floor(lo) || hi != std::floor(hi) || std::fabs(lo) > 0x1p53 ||
      std::fabs(hi) > 0x1p53 || roundToElement(type, lo) != lo ||
      roundToElement(type, hi - 1) != hi - 1)
    return createStringError("expected integers that " +
                             getName(type).str() +
                             " can hold as the range, but got " +
                             given);
  for (int64_t position = 0; position < count; ++position)
    array.setInteger(position, int64_t(lo) + int64_t(random.nextBelow(
                                                 uint64_t(hi - lo))));
  return llvm::Error::success();
}
