//===- Compiler.h - What attn-compile does ----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_COMPILER_H
#define ATTN_TOOLS_COMPILER_H

#include "mlir/IR/DialectRegistry.h"

namespace attn {

/// The whole of `attn-compile`: reads the command line, compiles the public
/// functions of a module, and writes an object or a library with its C header,
/// or nothing. Returns the exit status: 0; 1 where something fails; 2 for wrong
/// usage and bad input. Errors are one line each on stderr.
int compileMain(int argc, char **argv, mlir::DialectRegistry &registry);

} // namespace attn

#endif // ATTN_TOOLS_COMPILER_H
