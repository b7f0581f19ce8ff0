//===- Utils.h - Helpers that rewrites share --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_UTILS_H
#define ATTN_IR_UTILS_H

#include "attn/IR/Attn.h"
#include "mlir/IR/Builders.h"

namespace attn {

/// The extent of each dimension of an op on tensors, as a number wherever an
/// operand tells it. Of packed rows: of all requests.
llvm::SmallVector<mlir::OpFoldResult> getExtents(mlir::OpBuilder &builder,
                                                 AttentionOpInterface op);

/// The number of key rows, which is the product of the extents of the key row
/// dimensions, as an index.
mlir::Value createNumKeys(mlir::OpBuilder &builder, AttentionOpInterface op,
                          llvm::ArrayRef<mlir::OpFoldResult> extents);

/// A float, or a vector of floats, as one of float type `element`: extended,
/// rounded once, or as it is. What is no float stays, as it does where
/// `element` is none.
mlir::Value convertFloat(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value value, mlir::Type element);

/// A new tensor whose elements are all `value`.
mlir::Value createFilledTensor(mlir::OpBuilder &builder, mlir::Location loc,
                               llvm::ArrayRef<mlir::OpFoldResult> shape,
                               mlir::Type element, double value);

/// Copies the body of `region`, one of an attention op, to the insertion point
/// and returns what it yields. `arguments` stand for the block arguments, and
/// `position` gives what stands for an `attn.index`, at the insertion point.
/// `guardDivisions` is for code that hidden pairs run as well: see
/// `guardDivision`. Vectors of pairs are inlined by `RegionInliner`.
llvm::SmallVector<mlir::Value>
inlineRegion(mlir::OpBuilder &builder, mlir::Region &region,
             mlir::ValueRange arguments,
             llvm::function_ref<mlir::Value(IndexOp)> position = nullptr,
             bool guardDivisions = false);

/// Copies the body of `from`, if it has one, into the empty region `to`.
/// `position` gives what stands for an `attn.index`, at the insertion point.
/// The arguments may be changed before what reads them is copied: `argument`,
/// if given, gives what stands for argument `index`.
void cloneRegion(
    mlir::OpBuilder &builder, mlir::Region &from, mlir::Region &to,
    llvm::function_ref<mlir::Value(IndexOp)> position,
    llvm::function_ref<mlir::Value(mlir::BlockArgument)> argument = nullptr);

/// `message` behind the place in the source that `loc` names, if it does:
/// `file:line:column: message`.
std::string locateMessage(mlir::Location loc, const llvm::Twine &message);

/// Reports an error on `op` unless `vectorBits`, the width of a target's
/// vectors as an option gave it, is a power of two from 64 to 4096.
mlir::LogicalResult checkVectorBits(mlir::Operation *op, int64_t vectorBits);

} // namespace attn

#endif // ATTN_IR_UTILS_H
