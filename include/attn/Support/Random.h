//===- Random.h - Repeatable arrays of random numbers -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_RANDOM_H
#define ATTN_SUPPORT_RANDOM_H

#include "attn/Support/Array.h"

namespace attn {

/// A counter-based generator (SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
/// The numbers depend on seed and stream alone: not on the platform, not on
/// the element type of what else is drawn.
class Random {
public:
  explicit Random(uint64_t seed, uint64_t stream = 0);
  uint64_t next();
  /// Uniform in [0, 1), a multiple of 2^-53.
  double nextUniform();
  /// Uniform in [0, bound), without bias; `bound` is positive.
  uint64_t nextBelow(uint64_t bound);

private:
  uint64_t state;
};

/// What to draw from: floats from [lo, hi], integers from [lo, hi).
struct RandomRange {
  double lo = -1, hi = 1;
};

/// Fills `array`: floats uniformly in `range`, by default [-1, 1]; integers
/// uniformly in [lo, hi), i1 by default of 0 and 1. An error if another integer
/// array comes without a range, or if the range is empty or has
/// bounds that the type cannot hold.
llvm::Error fillRandom(Array &array, uint64_t seed, uint64_t stream = 0,
                       std::optional<RandomRange> range = std::nullopt);

} // namespace attn

#endif // ATTN_SUPPORT_RANDOM_H
