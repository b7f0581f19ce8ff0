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

/// What nothing is known of.
constexpr uint64_t kPtxNameless = ~uint64_t(0);

/// A number for each thread of a block. Of one that is not known there may be a
/// *name*, the same for the same number: of a parameter, say, or of the sum of
/// two that have names.
struct PtxLanes {
  /// If there is a name, what is added to it; of predicates, whether they hold
  /// where it does not.
  std::vector<uint64_t> lanes;
  /// 0 where the number is known; none if all are.
  std::vector<uint64_t> names;
  /// Of both.
  uint64_t hash = 0;

  uint64_t getName(unsigned thread) const {
    return names.empty() ? 0 : names[thread];
  }
};

/// Numbers, or null where they are not known. Copies share them.
using PtxValue = std::shared_ptr<const PtxLanes>;

PtxValue makePtxValue(std::vector<uint64_t> lanes,
                      std::vector<uint64_t> names = {});

/// The name of what follows from `parts` alone.
uint64_t namePtx(llvm::StringRef text, llvm::ArrayRef<uint64_t> parts);

/// What an instruction makes of integers and predicates.
class PtxArithmetic {
public:
  /// Nothing if it computes something else.
  static std::optional<PtxArithmetic> decode(const PtxInstruction &op);

  /// The result for values of the operands behind the first, all threads at
  /// once. Null where it depends on what is not known; of a predicate, what
  /// some threads know has no names.
  PtxValue evaluate(llvm::ArrayRef<PtxValue> inputs) const;
  /// The same thread by thread, with names for what is not known.
  PtxValue evaluateNamed(llvm::ArrayRef<PtxValue> inputs,
                         unsigned numThreads) const;

private:
  /// Of one thread: a number, or what is added to one that has a name.
  struct Number {
    uint64_t value = 0, name = 0;
  };
  /// Of the last bits, how many are known to be 0.
  static uint64_t countZeros(const Number &number);
  Number name(llvm::ArrayRef<Number> inputs) const;
  std::optional<Number> nameSum(llvm::ArrayRef<Number> inputs) const;

  /// For one thread.
  using Compute = std::function<uint64_t(llvm::ArrayRef<uint64_t>)>;
  Compute compute;
  /// The bits of the result.
  unsigned bits = 64;
  /// A choice by the third operand.
  bool selects = false;
  /// The upper half of a product.
  bool isHigh = false;
  /// What another thread of the warp has, by the second operand: known if it is
  /// the first.
  bool takesFirst = false;
  /// The predicate that decides alone, if one operand is known to be it.
  std::optional<uint64_t> absorbing;
  /// What is computed, and how numbers are compared.
  std::string operation, comparison;
};

/// The bytes that an instruction accesses, by its type and vector: 16 of
/// `ld.shared.v4.b32`.
int64_t getAccessedBytes(const PtxInstruction &instruction);

} // namespace attn

#endif // ATTN_LIB_EMULATOR_PTXVALUES_H
