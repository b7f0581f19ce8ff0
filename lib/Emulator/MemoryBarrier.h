//===- MemoryBarrier.h - Barriers in memory ---------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_MEMORYBARRIER_H
#define ATTN_LIB_EMULATOR_MEMORYBARRIER_H

#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <map>

namespace attn {

/// An *mbarrier*, see AsyncUnits.h.
struct MemoryBarrier {
  int64_t count = 0, pending = 0, bytes = 0;
  uint32_t phase = 0;
  /// Of those of a block; the thread that has made it.
  unsigned number = 0, initializer = 0;
  /// Whether the unit of copies sees it.
  bool isFenced = false;
  /// What is known of those that came in this phase, and in the last one.
  llvm::SmallVector<uint32_t> sum, lastSum;

  /// Makes one of those of a block, by their offset; one that was there keeps
  /// its number.
  template <typename Barrier>
  static void init(std::map<int64_t, Barrier> &barriers, int64_t at,
                   int64_t count, unsigned thread) {
    auto known = barriers.find(at);
    unsigned number =
        known == barriers.end() ? barriers.size() : known->second.number;
    Barrier &barrier = barriers[at];
    barrier = Barrier();
    barrier.count = barrier.pending = count;
    barrier.number = number;
    barrier.initializer = thread;
  }

  /// Whether a phase is over now that something has come; the next one has
  /// begun then.
  bool completeIfOver() {
    if (pending != 0 || bytes != 0)
      return false;
    ++phase;
    pending = count;
    // Phases follow each other: who knows of one knows of those before it.
    lastSum.resize(std::max(lastSum.size(), sum.size()));
    for (size_t i = 0; i < sum.size(); ++i)
      lastSum[i] = std::max(lastSum[i], sum[i]);
    sum.clear();
    return true;
  }

  /// Whether the phase of `parity` is over.
  bool isOver(uint64_t parity) const { return (phase & 1) != (parity & 1); }
};

} // namespace attn

#endif // ATTN_LIB_EMULATOR_MEMORYBARRIER_H
