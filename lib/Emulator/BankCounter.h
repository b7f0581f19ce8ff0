//===- BankCounter.h - Conflicts of banks of shared memory ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_BANKCOUNTER_H
#define ATTN_LIB_EMULATOR_BANKCOUNTER_H

#include "llvm/ADT/DenseMap.h"

#include <array>
#include <cstdint>
#include <deque>

namespace attn {

/// What the lanes of a warp do with shared memory, put together: they run one
/// after the other, but the n-th time that each executes a load is one access.
class BankCounter {
public:
  /// Lane `lane` accesses `bytes` at byte `offset`, by instruction `site`.
  void note(unsigned lane, int32_t site, uint32_t offset, uint32_t bytes);
  /// How many more times than once banks were gone to since the last time.
  /// Lanes that have not come until now do not.
  int64_t take();

private:
  struct Access {
    uint32_t lanes = 0, bytes = 0;
    std::array<uint32_t, 32> offsets;
  };
  struct Instruction {
    std::array<uint32_t, 32> times{};
    /// The number of the first that not all lanes have come to.
    uint32_t first = 0;
    std::deque<Access> accesses;
  };
  static int64_t countConflicts(const Access &access);

  llvm::DenseMap<int32_t, Instruction> instructions;
  int64_t conflicts = 0;
};

} // namespace attn

#endif // ATTN_LIB_EMULATOR_BANKCOUNTER_H
