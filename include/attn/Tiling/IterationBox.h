//===- IterationBox.h - A box of the iterations of an op --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TILING_ITERATIONBOX_H
#define ATTN_TILING_ITERATIONBOX_H

#include "attn/IR/Attn.h"

namespace attn {

/// Which part of the iterations of an attention op on tensors is at hand. The
/// pipeline and the models of upstream's tiling interfaces slice operands and
/// copy regions by it.
struct IterationBox {
  AttentionOpInterface op;
  /// Position of the first iteration and number of them, per dimension.
  llvm::SmallVector<mlir::OpFoldResult> offsets, extents;
  /// First and number of the packed rows of the request at hand, by dimension:
  /// positions are within the request.
  struct Rows {
    mlir::OpFoldResult first, count;
  };
  llvm::DenseMap<unsigned, Rows> requestRows = llvm::DenseMap<unsigned, Rows>();

  /// All iterations.
  static IterationBox whole(mlir::OpBuilder &builder, AttentionOpInterface op);

  /// Appends where the box lies in an operand with `map`.
  void locate(mlir::AffineMap map,
              llvm::SmallVectorImpl<mlir::OpFoldResult> &from,
              llvm::SmallVectorImpl<mlir::OpFoldResult> &sizes) const;

  /// The same of mapped operand `index`, which may be packed; where it goes by
  /// the position in a list of pages, of all positions, and so of the keys that
  /// weights of packed requests have.
  void locate(mlir::OpBuilder &builder, unsigned index,
              llvm::SmallVectorImpl<mlir::OpFoldResult> &from,
              llvm::SmallVectorImpl<mlir::OpFoldResult> &sizes) const;

  /// What the box reads of an operand with `map`, of the operand's rank.
  mlir::Value slice(mlir::OpBuilder &builder, mlir::Value operand,
                    mlir::AffineMap map) const;

  /// The position in the op of a position in the box.
  mlir::Value shift(mlir::OpBuilder &builder, mlir::Value position,
                    unsigned dim) const;

  /// Copies a region of the op into an op over the box, in which positions are
  /// still those of the op. `dims` gives the dimension of the new op for each
  /// of the old one, and none for those along which the box is one position.
  /// `argument`, if given, gives what stands for an argument of the region.
  void cloneBody(mlir::OpBuilder &builder, mlir::Region &from, mlir::Region &to,
                 llvm::ArrayRef<std::optional<unsigned>> dims,
                 llvm::function_ref<mlir::Value(mlir::BlockArgument)> argument =
                     nullptr) const;

  /// The same, where `position` gives the position in the box along a
  /// dimension, null for one along which the box is one position.
  void cloneBody(
      mlir::OpBuilder &builder, mlir::Region &from, mlir::Region &to,
      llvm::function_ref<mlir::Value(unsigned)> position,
      llvm::function_ref<mlir::Value(mlir::BlockArgument)> argument) const;

  /// The arguments of `ranges`, and the first of `classify`: the position along
  /// each batch dimension, the first and the last along each query row
  /// dimension, the position along each key row dimension but the last.
  llvm::SmallVector<mlir::Value>
  getBoundArguments(mlir::OpBuilder &builder) const;
};

/// The slice of `source`, a tensor, from `from` on, of `extents` and its rank;
/// and `target` with `value` in place of such a slice.
mlir::Value createSlice(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value source,
                        llvm::ArrayRef<mlir::OpFoldResult> from,
                        llvm::ArrayRef<mlir::OpFoldResult> extents);
mlir::Value insertSlice(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value value, mlir::Value target,
                        llvm::ArrayRef<mlir::OpFoldResult> from,
                        llvm::ArrayRef<mlir::OpFoldResult> extents);

/// The offsets of a slice of `extents`: values where an extent is known to be
/// 0, as the start of nothing, where known, is out of bounds.
llvm::SmallVector<mlir::OpFoldResult>
getSliceOffsets(mlir::OpBuilder &builder, mlir::Location loc,
                llvm::ArrayRef<mlir::OpFoldResult> from,
                llvm::ArrayRef<mlir::OpFoldResult> extents);

/// Copies the body of `region` to the insertion point, with `arguments` for its
/// arguments, and returns what it yields.
llvm::SmallVector<mlir::Value> inlineBody(mlir::OpBuilder &builder,
                                          mlir::Region &region,
                                          mlir::ValueRange arguments);

} // namespace attn

#endif // ATTN_TILING_ITERATIONBOX_H
