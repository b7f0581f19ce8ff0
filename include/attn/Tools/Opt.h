//===- Opt.h - The driver behind attn-opt -----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_OPT_H
#define ATTN_TOOLS_OPT_H

#include "mlir/IR/DialectRegistry.h"

namespace attn {

/// The whole of `attn-opt`: upstream's driver, which does not see text that
/// nests too deep. Passes and pipelines are registered before. Returns the exit
/// status: 0, 1 as upstream's, 2 for options that it does not have.
int runOpt(int argc, char **argv, mlir::DialectRegistry &registry);

} // namespace attn

#endif // ATTN_TOOLS_OPT_H
