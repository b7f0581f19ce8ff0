//===- PtxParser.h - The instructions of PTX --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_PTXPARSER_H
#define ATTN_LIB_EMULATOR_PTXPARSER_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace attn {

struct PtxInstruction {
  unsigned line = 0;
  /// The predicate that it is executed under, if any, as in `!%p1`.
  std::string guard;
  /// As in `ld.shared.b32`, in parts.
  llvm::SmallVector<std::string, 6> opcode;
  llvm::SmallVector<std::string, 4> operands;

  bool is(llvm::StringRef first) const { return opcode.front() == first; }
  bool has(llvm::StringRef part) const;
  std::string getName() const;
};

/// An array in shared memory; without extent if the launch gives it one.
struct PtxShared {
  std::string name;
  int64_t bytes = 0, alignment = 1;
  bool dynamic = false;
};

struct PtxKernel {
  std::string name;
  /// Threads of a block, or 0.
  int64_t threads = 0;
  std::vector<PtxInstruction> instructions;
  /// The index of the instruction behind a label.
  llvm::StringMap<unsigned> labels;
  std::vector<PtxShared> shared;
};

/// The kernels of a module, with the shared memory that they may use. An error
/// names the line that cannot be read.
llvm::Expected<std::vector<PtxKernel>> parsePtx(llvm::StringRef text);

} // namespace attn

#endif // ATTN_LIB_EMULATOR_PTXPARSER_H
