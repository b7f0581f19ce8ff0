//===- Reshape.h - Reshapes of tensors and memrefs --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_RESHAPE_H
#define ATTN_IR_RESHAPE_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallBitVector.h"

/// Reshapes that move no data, for ranked tensors and strided memrefs alike.
namespace attn {

/// Casts to a type that differs in what is known statically, if it does.
mlir::Value castShaped(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value value, mlir::Type type);

/// Splits dimension `position` into (outer, inner).
mlir::Value expandDimension(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value value, unsigned position,
                            mlir::OpFoldResult outer, mlir::OpFoldResult inner);

/// Merges dimensions `position` and `position + 1` of a tensor.
mlir::Value collapseDimension(mlir::OpBuilder &builder, mlir::Location loc,
                              mlir::Value value, unsigned position);

/// Drops dimensions whose static extent is 1.
mlir::Value dropUnitDimensions(mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::Value value,
                               const llvm::SmallBitVector &dropped);

} // namespace attn

#endif // ATTN_IR_RESHAPE_H
