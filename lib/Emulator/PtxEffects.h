//===- PtxEffects.h - Instructions that order threads -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A table of what instructions do with shared memory, or wait for. One that is
// not in it, of a family that has to do with either, is an error.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_PTXEFFECTS_H
#define ATTN_LIB_EMULATOR_PTXEFFECTS_H

#include "PtxParser.h"

namespace attn {

class PtxBlock;
struct PtxStep;

struct PtxEffect {
  /// The first parts of the opcode, in order; what is between may be left out:
  /// `cp.async.wait_group`.
  llvm::StringLiteral opcode;
  /// What the active threads of the block do. If they have to wait, their
  /// places stay.
  llvm::Error (*execute)(PtxBlock &block, const PtxStep &step);
  /// Of what waits: lets go threads that wait at `place` for what has come.
  /// Called whenever threads begin to wait, and if all do; null for others.
  bool (*release)(PtxBlock &block, unsigned place) = nullptr;
  /// What is said of threads that wait for ever.
  llvm::StringLiteral stuck = "";
  /// Which of the operands in brackets are addresses in shared memory, and
  /// which of all operands are numbers that have to be known, unless they are
  /// lists.
  llvm::ArrayRef<unsigned> addresses = {}, numbers = {};
  /// Whether the predicate that it gives holds once the threads go on.
  bool succeeds = false;
};

/// The effect of an instruction; null if it has none. An error where it may
/// have one that is not known.
llvm::Expected<const PtxEffect *> findPtxEffect(const PtxInstruction &op);

/// The operands of an instruction that are addresses in shared memory, and all
/// that its effect depends on.
llvm::SmallVector<llvm::StringRef, 2> getPtxAddresses(const PtxInstruction &op,
                                                      const PtxEffect &effect);
llvm::SmallVector<llvm::StringRef, 4> getPtxUses(const PtxInstruction &op,
                                                 const PtxEffect &effect);

/// What follows `[`, and the constant that is added.
std::pair<llvm::StringRef, int64_t> splitPtxAddress(llvm::StringRef operand);

/// The bytes that each thread accesses at once, of an access; 0 of others.
int64_t getPtxGranule(const PtxInstruction &op);

} // namespace attn

#endif // ATTN_LIB_EMULATOR_PTXEFFECTS_H
