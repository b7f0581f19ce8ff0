//===- AttentionSlices.h - A tile of an op and what it reads ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_INTERFACES_ATTENTIONSLICES_H
#define ATTN_LIB_INTERFACES_ATTENTIONSLICES_H

#include "attn/IR/Utils.h"
#include "attn/Tiling/IterationBox.h"

namespace attn {

/// A box of the iterations of an op that can be computed by itself.
struct AttentionTile : IterationBox {
  /// Whether the tile has all of a dimension, as far as is known.
  llvm::SmallVector<bool> whole;

  /// The tile, or an error on `op` where it cannot be computed by itself. With
  /// `splitsKeys` it need not have all key rows.
  static mlir::FailureOr<AttentionTile>
  create(AttentionOpInterface op, llvm::ArrayRef<mlir::OpFoldResult> offsets,
         llvm::ArrayRef<mlir::OpFoldResult> sizes, bool splitsKeys = false);

  /// What the tile reads of an operand, which is the operand where that is all
  /// of it; a new slice is added to `slices`.
  mlir::Value sliceOf(mlir::OpBuilder &builder, mlir::Value operand,
                      mlir::AffineMap map,
                      llvm::SmallVectorImpl<mlir::Operation *> &slices) const;

private:
  bool isWhole(mlir::AffineMap map) const;
};

/// Attaches the model through which the keys of `attn.generic` are split.
void attachPartialReductionModel(mlir::MLIRContext *context);

} // namespace attn

#endif // ATTN_LIB_INTERFACES_ATTENTIONSLICES_H
