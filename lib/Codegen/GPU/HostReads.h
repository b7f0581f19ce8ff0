//===- HostReads.h - Elements that only kernels take ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_HOSTREADS_H
#define ATTN_LIB_CODEGEN_GPU_HOSTREADS_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace attn {

/// Whether only kernels take what the host reads, and what it computes of it
/// without side effects.
bool isTakenByKernels(mlir::memref::LoadOp load);

/// Lets kernels under `root` read by themselves the elements that only they
/// take, where these are not written before the last of them is launched.
void moveReadsIntoKernels(mlir::Operation *root);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_HOSTREADS_H
