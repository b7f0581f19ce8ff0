//===- KernelNames.h - What GPU kernels are called --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_ANALYSIS_KERNELNAMES_H
#define ATTN_ANALYSIS_KERNELNAMES_H

#include "mlir/IR/BuiltinOps.h"

namespace attn {

/// Gives the kernels of a module, in order, names that PTX has, and that no
/// other kernel of it has: they may be put together.
void nameKernels(mlir::ModuleOp module);

} // namespace attn

#endif // ATTN_ANALYSIS_KERNELNAMES_H
