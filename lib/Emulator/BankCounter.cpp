//===- BankCounter.cpp - Conflicts of banks of shared memory ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Word w, of four bytes, lies in bank w mod 32, which gives one word at a time.
// Accesses of 8 bytes take place for 16 lanes at a time, of 16 bytes for 8.
//
//===----------------------------------------------------------------------===//

#include "BankCounter.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <algorithm>

namespace attn {

int64_t BankCounter::countConflicts(const Access &access) {
  unsigned words = std::max(access.bytes / 4, 1u);
  unsigned together = std::max(32 / words, 1u);
  int64_t sum = 0;
  for (unsigned first = 0; first < 32; first += together) {
    llvm::SmallVector<uint32_t, 2> banks[32];
    size_t most = 1;
    for (unsigned lane = first; lane < first + together; ++lane) {
      if (!(access.lanes >> lane & 1))
        continue;
      for (unsigned i = 0; i < words; ++i) {
        uint32_t word = access.offsets[lane] / 4 + i;
        auto &bank = banks[word % 32];
        if (!llvm::is_contained(bank, word))
          bank.push_back(word);
        most = std::max(most, bank.size());
      }
    }
    sum += most - 1;
  }
  return sum;
}

void BankCounter::note(unsigned lane, int32_t site, uint32_t offset,
                       uint32_t bytes) {
  Instruction &instruction = instructions[site];
  uint32_t index = instruction.times[lane]++ - instruction.first;
  while (instruction.accesses.size() <= index)
    instruction.accesses.emplace_back();
  Access &access = instruction.accesses[index];
  access.lanes |= 1u << lane;
  access.bytes = bytes;
  access.offsets[lane] = offset;
  while (!instruction.accesses.empty() &&
         instruction.accesses.front().lanes == ~0u) {
    conflicts += countConflicts(instruction.accesses.front());
    instruction.accesses.pop_front();
    ++instruction.first;
  }
}

int64_t BankCounter::take() {
  for (auto &entry : instructions)
    for (const Access &access : entry.second.accesses)
      conflicts += countConflicts(access);
  instructions.clear();
  return std::exchange(conflicts, 0);
}

} // namespace attn
