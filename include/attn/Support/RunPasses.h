//===- RunPasses.h - Passes of LLVM over a module ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_RUNPASSES_H
#define ATTN_SUPPORT_RUNPASSES_H

#include "llvm/Passes/PassBuilder.h"

namespace attn {

/// Runs the passes that `build` makes over `module`, with the analyses of
/// LLVM, which ask `machine` for what it costs.
void runPasses(
    llvm::Module &module, llvm::TargetMachine &machine,
    llvm::function_ref<llvm::ModulePassManager(llvm::PassBuilder &)> build,
    llvm::PipelineTuningOptions tuning = {});

} // namespace attn

#endif // ATTN_SUPPORT_RUNPASSES_H
