//===- Elements.h - What tensors and buffers hold ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ELEMENTS_H
#define ATTN_IR_ELEMENTS_H

#include "mlir/IR/Builders.h"

namespace attn {

/// The element of `table`, a tensor or a buffer, at `indices`.
mlir::Value createRead(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value table, mlir::ValueRange indices);

/// The extent of `table` along dimension `dim`, a number where its type tells.
mlir::OpFoldResult getExtent(mlir::OpBuilder &builder, mlir::Location loc,
                             mlir::Value table, int64_t dim);

} // namespace attn

#endif // ATTN_IR_ELEMENTS_H
