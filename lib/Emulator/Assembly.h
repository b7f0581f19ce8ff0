//===- Assembly.h - Products in inline assembly -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_ASSEMBLY_H
#define ATTN_LIB_EMULATOR_ASSEMBLY_H

#include "llvm/IR/InlineAsm.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace attn {

/// An operand plus a constant: matrix descriptors are moved on within the text.
struct AssemblyAddress {
  unsigned operand = 0;
  int64_t offset = 0;
};

/// An instruction of those that LLVM has no intrinsics for.
struct AssemblyInstruction {
  enum Kind { Fence, Product, Commit, Wait } kind = Fence;
  /// wgmma.wait_group: how many groups may be left.
  int64_t left = 0;
  /// wgmma.mma_async.m64nNk16 of f16 or bf16, with sums in f32.
  int64_t columns = 0;
  bool isBF16 = false;
  /// Whether it adds to the sums, and whether the right and the left factor lie
  /// feature by feature.
  bool adds = false, transposed = false, leftTransposed = false;
  /// The operands of the sums, and of the left factor unless that is in shared
  /// memory.
  std::vector<unsigned> sums, registers;
  AssemblyAddress leftAddress, rightAddress;
};

/// What a piece of inline assembly does: operands are numbered, outputs first.
struct Assembly {
  std::vector<AssemblyInstruction> instructions;
  unsigned numOutputs = 0, numOperands = 0;
  /// For each output the operand that its register begins with; itself if none.
  std::vector<unsigned> tied;

  /// The operand that the register of `operand` begins with.
  unsigned getInput(unsigned operand) const {
    return operand < numOutputs ? tied[operand] : operand;
  }

  /// An error names the first instruction that there is nothing for.
  static llvm::Expected<Assembly> parse(const llvm::InlineAsm &assembly);
};

} // namespace attn

#endif // ATTN_LIB_EMULATOR_ASSEMBLY_H
