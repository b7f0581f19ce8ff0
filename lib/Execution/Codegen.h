//===- Codegen.h - From the LLVM dialect to machine code --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXECUTION_CODEGEN_H
#define ATTN_LIB_EXECUTION_CODEGEN_H

#include "attn/Execution/Kernel.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"

namespace attn {

/// A machine for a target that is resolved.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const TargetDescription &description);

/// Leaves out of the features of an x86 CPU, which is resolved, those that the
/// runtime cannot ask a machine for. Returns the others that code may use, as
/// bits of ATTN_RT_X86_FEATURES; none for other architectures.
llvm::Expected<uint64_t> restrictToTestable(TargetDescription &description);

/// Translates a module in the LLVM dialect and optimizes it for `machine`.
llvm::Expected<std::unique_ptr<llvm::Module>>
translateAndOptimize(mlir::ModuleOp module, llvm::LLVMContext &context,
                     llvm::TargetMachine &machine);

/// The object code of an optimized module, for `machine`.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
compileToObject(llvm::Module &module, llvm::TargetMachine &machine);

} // namespace attn

#endif // ATTN_LIB_EXECUTION_CODEGEN_H
