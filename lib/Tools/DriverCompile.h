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

/// Prints what the target is, a line.
void printTarget(llvm::raw_ostream &os, const CompileOptions &options);

/// An op that runs as plain loops, and why.
struct UnfusedOp {
  /// `file:line:column: `, or nothing where that is not known.
  std::string location;
  std::string reason;
};

/// Adds what `remark` says of an op that is left unfused, if it says so.
bool readUnfused(const StageRemark &remark, std::vector<UnfusedOp> &unfused);

/// Prints the module after --stop-after, or as --emit wants it.
llvm::Error emitModule(llvm::raw_ostream &os, mlir::ModuleOp module,
                       EmitKind kind, const CompileOptions &options);

/// Prints what a GPU would have done.
void printEmulatorCounts(llvm::raw_ostream &os, const EmulatorCounts &counts);

} // namespace attn

#endif // ATTN_LIB_TOOLS_DRIVERCOMPILE_H
