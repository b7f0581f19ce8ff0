//===- AttentionSlices.h - A tile of an op and what it reads ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_INTERFACES_ATTENTIONSLICES_H
#define ATTN_LIB_INTERFACES_ATTENTIONSLICES_H

#include "attn/IR/Utils.h"

namespace attn {

/// A box of the iterations of an op on tensors.
struct AttentionTile {
  AttentionOpInterface op;
  /// Per dimension of the op.
  llvm::SmallVector<mlir::OpFoldResult> offsets, sizes;
  /// Whether the tile has all of a dimension, as far as is known.
  llvm::SmallVector<bool> whole;

  /// The tile, or an error on `op` where it cannot be computed by itself. With
  /// `splitsKeys` it need not have all key rows.
  static mlir::FailureOr<AttentionTile>
  create(AttentionOpInterface op, llvm::ArrayRef<mlir::OpFoldResult> offsets,
         llvm::ArrayRef<mlir::OpFoldResult> sizes, bool splitsKeys = false);

  /// Where the tile lies in an operand.
  void locate(mlir::AffineMap map,
              llvm::SmallVectorImpl<mlir::OpFoldResult> &from,
              llvm::SmallVectorImpl<mlir::OpFoldResult> &extents) const;

  /// What the tile reads of an operand; a new slice is added to `slices`.
  mlir::Value slice(mlir::OpBuilder &builder, mlir::Value operand,
                    mlir::AffineMap map,
                    llvm::SmallVectorImpl<mlir::Operation *> &slices) const;

  /// The position in the op of a position in the tile.
  mlir::Value shift(mlir::OpBuilder &builder, mlir::Value position,
                    unsigned dim) const;

  /// Copies a region of the op into an op over the tile, in which the positions
  /// are still those of the op. `dims` gives the dimension of the new op for
  /// each of the old one, if they differ.
  void cloneBody(mlir::OpBuilder &builder, mlir::Region &from, mlir::Region &to,
                 llvm::ArrayRef<unsigned> dims = {}) const;

private:
  bool isWhole(mlir::AffineMap map) const;
};

/// Attaches the model through which the keys of `attn.generic` are split.
void attachPartialReductionModel(mlir::MLIRContext *context);

} // namespace attn

#endif // ATTN_LIB_INTERFACES_ATTENTIONSLICES_H
