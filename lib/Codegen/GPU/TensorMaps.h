//===- TensorMaps.h - Maps of tensors for units that copy -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the unit that copies tiles of a tensor is told of it, by the host.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_TENSORMAPS_H
#define ATTN_LIB_CODEGEN_GPU_TENSORMAPS_H

#include "mlir/IR/Builders.h"

namespace attn {

/// Whether there is a map of `buffer`, whose innermost elements lie next to
/// each other: an i1.
mlir::Value checkMap(mlir::OpBuilder &b, mlir::Location loc,
                     mlir::Value buffer);

/// The map of `buffer`, of which `tile` is copied at once, in swizzled rows of
/// its innermost extent.
mlir::Value createMap(mlir::OpBuilder &b, mlir::Location loc,
                      mlir::Value buffer, llvm::ArrayRef<int64_t> tile);

/// Where a kernel that takes `map` finds it.
mlir::Value getMapAddress(mlir::OpBuilder &b, mlir::Location loc,
                          mlir::Value map);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_TENSORMAPS_H
