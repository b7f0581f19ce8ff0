//===- Retarget.h - From a GPU's LLVM IR to the host's ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_RETARGET_H
#define ATTN_LIB_EMULATOR_RETARGET_H

#include "Assembly.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

namespace attn {

/// What a module holds that was retargeted.
struct RetargetedModule {
  struct Kernel {
    /// Of a function that takes an array of the addresses of its parameters.
    std::string entry;
    unsigned numParameters = 0;
  };
  llvm::StringMap<Kernel> kernels;
  /// Offset and bytes of each array of shared memory, and where those that a
  /// launch gives their size begin.
  std::vector<std::pair<int64_t, int64_t>> sharedArrays;
  int64_t dynamicOffset = 0;
  /// Without what lies between the arrays.
  int64_t staticBytes = 0;
  /// The least that is accessed, of 1 and 2 bytes.
  unsigned cellBytes = 2;
  /// The variables in global memory, and their bytes.
  std::vector<std::pair<std::string, int64_t>> variables;
  /// What the module's inline assembly does; it has their addresses.
  std::vector<std::unique_ptr<Assembly>> assemblies;
  /// Whether units access shared memory beside the threads.
  bool hasProxies = false;
  /// What the module calls, by its name in there.
  std::vector<std::pair<std::string, void *>> symbols;
};

/// Makes of a module for GPUs one for `machine`, in which intrinsics
/// are calls of the emulator. An error names what there is nothing for.
llvm::Expected<RetargetedModule> retarget(llvm::Module &module,
                                          llvm::TargetMachine &machine);

/// Optimizes a module that was retargeted, and has every access of memory
/// checked, and every iteration counted.
void instrument(llvm::Module &module, llvm::TargetMachine &machine,
                RetargetedModule &result);

} // namespace attn

#endif // ATTN_LIB_EMULATOR_RETARGET_H
