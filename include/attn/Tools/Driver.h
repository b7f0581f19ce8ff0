//===- Driver.h - What attn-run does ----------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_DRIVER_H
#define ATTN_TOOLS_DRIVER_H

#include "mlir/IR/DialectRegistry.h"

namespace attn {

/// The whole of `attn-run`: reads the command line, compiles one function of a
/// module, runs it, and prints, stores, checks or times its results. Returns
/// the exit status: 0; 1 where a check fails, a module does not compile or a
/// timing cannot be believed; 2 for wrong usage and bad input. Errors are one
/// line each on stderr.
int runMain(int argc, char **argv, mlir::DialectRegistry &registry);

} // namespace attn

#endif // ATTN_TOOLS_DRIVER_H
