//===- StructuredKernel.h - Structured ops as GPU kernels -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_STRUCTUREDKERNEL_H
#define ATTN_LIB_CODEGEN_GPU_STRUCTUREDKERNEL_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Emits a kernel in place of a `linalg` op on buffers. An error says what of
/// it has no form.
mlir::LogicalResult emitStructuredKernel(mlir::RewriterBase &rewriter,
                                         mlir::linalg::LinalgOp op);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_STRUCTUREDKERNEL_H
