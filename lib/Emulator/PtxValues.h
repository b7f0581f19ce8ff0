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
#include <functional>
#include <memory>
#include <optional>

namespace attn {

/// A number for each thread of a block.
struct PtxLanes {
  std::vector<uint64_t> lanes;
  /// Of the numbers.
  uint64_t hash = 0;
};

/// Numbers, or null where they are not known. Copies share them.
using PtxValue = std::shared_ptr<const PtxLanes>;

PtxValue makePtxValue(std::vector<uint64_t> lanes);

/// What an instruction makes of integers and predicates.
class PtxArithmetic {
public:
  /// Nothing if it computes something else.
  static std::optional<PtxArithmetic> decode(const PtxInstruction &op);

  /// The result for values of the operands behind the first, all threads at
  /// once. Null where it depends on what is not known.
  PtxValue evaluate(llvm::ArrayRef<PtxValue> inputs) const;

private:
  /// For one thread.
  using Compute = std::function<uint64_t(llvm::ArrayRef<uint64_t>)>;
  Compute compute;
  /// The bits of the result.
  unsigned bits = 64;
  /// A choice by the third operand.
  bool selects = false;
  /// The predicate that decides alone, if one operand is known to be it.
  std::optional<uint64_t> absorbing;
};

/// The bytes that an instruction accesses, by its type and vector: 16 of
/// `ld.shared.v4.b32`.
int64_t getAccessedBytes(const PtxInstruction &instruction);

} // namespace attn

#endif // ATTN_LIB_EMULATOR_PTXVALUES_H
