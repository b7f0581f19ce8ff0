//===- DriverCompile.h - From a module to what was asked for ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TOOLS_DRIVERCOMPILE_H
#define ATTN_LIB_TOOLS_DRIVERCOMPILE_H

#include "DriverOptions.h"

#include "attn/Execution/Kernel.h"

namespace attn {

/// The options of a compilation, the target's filled in. An error if there is
/// no such CPU.
llvm::Expected<CompileOptions> getCompileOptions(const DriverOptions &options);

/// Prints what the target is and, as the stages tell it while they lower a copy
/// of `module`, what was chosen for each op and why.
llvm::Error printConfig(llvm::raw_ostream &os, mlir::ModuleOp module,
                        const CompileOptions &options);

/// Prints the module after --stop-after, or as --emit wants it.
llvm::Error emitModule(llvm::raw_ostream &os, mlir::ModuleOp module,
                       EmitKind kind, const CompileOptions &options);

} // namespace attn

#endif // ATTN_LIB_TOOLS_DRIVERCOMPILE_H
