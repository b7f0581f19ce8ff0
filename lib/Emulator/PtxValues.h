//===- PtxValues.h - Integers of the threads of a block ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_PTXVALUES_H
#define ATTN_LIB_EMULATOR_PTXVALUES_H

#include "PtxParser.h"

#include <cstdint>
#include <memory>

namespace attn {

/// A number for each thread of a block, or nothing that is known.
using PtxValue = std::shared_ptr<const std::vector<uint64_t>>;

/// What the registers of a block hold, as far as it follows from constants and
/// the numbers of threads. Copies share what they have in common.
class PtxRegisters {
public:
  /// `addresses` are those of arrays in shared memory.
  PtxRegisters(unsigned numThreads, const llvm::StringMap<uint64_t> &addresses)
      : numThreads(numThreads), addresses(addresses) {}

  /// The value of a register, a constant or the address of an array.
  PtxValue get(llvm::StringRef operand) const;
  /// The address that is meant by `[register+constant]`.
  PtxValue getAddress(llvm::StringRef operand) const;
  /// Executes an instruction for the threads of `active`, if it computes
  /// integers; otherwise what it writes becomes unknown.
  void execute(const PtxInstruction &instruction,
               const std::vector<bool> &active, bool all);

  /// From now on a predicate is known, for all threads.
  void assume(llvm::StringRef predicate, bool value) {
    values[predicate] = makeConstant(value);
  }

private:
  PtxValue compute(const PtxInstruction &instruction) const;
  PtxValue makeConstant(uint64_t value) const;

  unsigned numThreads;
  const llvm::StringMap<uint64_t> &addresses;
  llvm::StringMap<PtxValue> values;
};

/// The bytes that an instruction accesses, by its type and vector: 16 of
/// `ld.shared.v4.b32`.
int64_t getAccessedBytes(const PtxInstruction &instruction);

} // namespace attn

#endif // ATTN_LIB_EMULATOR_PTXVALUES_H
