//===- Operands.h - Tiles of the operands of an op --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TILING_OPERANDS_H
#define ATTN_LIB_TILING_OPERANDS_H

#include "attn/Analysis/KernelFit.h"
#include "attn/Tiling/IterationBox.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Part of an operand: its value, which of the op's dimensions it has, in its
/// order, and what it is to a tile.
struct OperandPart {
  mlir::Value value;
  llvm::SmallVector<unsigned> dims;
  OperandRole role = OperandRole::query;
  /// Whether dimensions that it lacks lie between its query rows.
  bool hasRowsApart = false;

  explicit operator bool() const { return static_cast<bool>(value); }
  bool has(unsigned dim) const { return llvm::is_contained(dims, dim); }
};

/// Takes tiles of the operands of one `attn.generic`, and stores them as a
/// layout says. A tile has four dimensions: query rows, the innermost key row
/// dimension, the features and the channels. Rows of several query row
/// dimensions are folded into one, which stands where the first of them does.
class Operands {
public:
  Operands(mlir::RewriterBase &rewriter, GenericOp op, const TileSizes &sizes);

  /// The query row dimensions of a tile, in the order of the op's.
  llvm::SmallVector<unsigned, 2> rowDims;
  /// The dimensions of a tile, the first of the query row dimensions for all.
  unsigned row, key, feature, channel;

  /// The map of a tile, over (row, key, feature, channel), of those dimensions.
  mlir::AffineMap tileMap(llvm::ArrayRef<unsigned> dims) const;
  /// Whether a part differs from one key row to the next, along any key row
  /// dimension.
  bool variesByKey(const OperandPart &part) const;
  /// Whether it differs from one row of a tile to the next.
  bool variesByRow(const OperandPart &part) const;
  /// Those of `dims` that a tile has, in which query rows are one.
  llvm::SmallVector<unsigned> foldDims(llvm::ArrayRef<unsigned> dims) const;

  /// Mapped operand `index` at the positions of `box` along the dimensions that
  /// `drops`, which the part lacks, and all of it along the others.
  OperandPart at(const IterationBox &box, unsigned index,
                 llvm::ArrayRef<unsigned> drops);
  /// The rows of the request at hand, in place of packed rows of all.
  void takeRequest(const IterationBox &box, unsigned index, OperandPart &part);
  /// The same of a part.
  OperandPart at(const IterationBox &box, const OperandPart &part,
                 llvm::ArrayRef<unsigned> drops);
  /// What `box` has of a part along its rows and keys, query rows folded.
  /// A buffer that it takes belongs to `worker`.
  OperandPart cut(const IterationBox &box, const OperandPart &part,
                  mlir::Block *worker);
  /// A tile of a result, of whatever query row dimensions `slice` has as one of
  /// all of them: that slice, or where they do not lie side by side in it, in
  /// their order, or at strides that are not known, a buffer of `worker`.
  OperandPart foldResult(const IterationBox &box, const OperandPart &slice,
                         mlir::Block *worker);
  /// `slice` with such a tile, which is `value`, in its place.
  mlir::Value unfoldResult(const IterationBox &box, mlir::Value value,
                           const OperandPart &slice);
  /// How many rows of a tile belong to each position along the first of its
  /// query row dimensions.
  int64_t countRowsPerRow(const IterationBox &box) const;
  /// The number of rows in a tile.
  mlir::OpFoldResult countRows(const IterationBox &box);
  /// The position along query row dimension `dim` of row `position` of a tile.
  mlir::Value unfoldRow(const IterationBox &box, mlir::Value position,
                        unsigned dim);

  /// Whether the layout stores such a part otherwise than it lies.
  bool needsPacking(const OperandPart &part);
  /// A tile as the layout stores it. Where `box` is inside of a loop over keys,
  /// `worker` is the block that its buffer belongs to.
  OperandPart store(const IterationBox &box, const OperandPart &tile,
                    mlir::Block *worker = nullptr);
  /// A buffer of `worker` for the key tile at hand of `part`, a tile of which
  /// `storeKeys` stores some keys at a time: from number `first` on, what
  /// `tile` has. Returns the buffer with these.
  OperandPart createTile(const IterationBox &box, const OperandPart &part,
                         mlir::Block *worker);
  mlir::Value storeKeys(const IterationBox &box, const OperandPart &tile,
                        mlir::Value buffer, mlir::OpFoldResult first);
  /// The part of the scale that queries carry: all of it where the similarity
  /// is their product with the keys, and none where that would round what is
  /// stored of them once more.
  double getQueryScale();
  /// Writes a tile into `target` as the layout stores it, queries with their
  /// part of the scale.
  mlir::Value storeInto(const OperandPart &tile, mlir::Value target);

  /// The extents and the element type that the layout stores a tile with.
  llvm::SmallVector<mlir::OpFoldResult>
  storedExtents(const IterationBox &box, OperandRole role,
                llvm::ArrayRef<unsigned> dims);
  mlir::Type storedElement(const OperandPart &part);

private:
  /// The dimensions of a part with its query rows next to each other where the
  /// first of them stands, in the order of `rowDims`; and those of each
  /// dimension of the part in which rows are one.
  llvm::SmallVector<unsigned>
  gatherRows(llvm::ArrayRef<unsigned> dims,
             llvm::SmallVectorImpl<mlir::ReassociationIndices> &groups) const;
  /// Whether the rows of a result are folded where they lie. Of weights a slice
  /// of some keys is: its strides are known if their number is.
  bool isFoldedInPlace(const OperandPart &slice);
  /// Copies `value`, whose dimensions are `from`, into `target`, with `to`.
  mlir::Value copyInOrder(mlir::Value value, llvm::ArrayRef<unsigned> from,
                          mlir::Value target, llvm::ArrayRef<unsigned> to);
  /// Copies a part into `target`, of the same shape.
  mlir::Value copyRowByRow(const OperandPart &part, mlir::Value target);
  /// A tile of whatever query row dimensions `part` has as one of all of them,
  /// in one dimension: collapsed in place, or copied where it is the same for
  /// several rows or has them in another order.
  OperandPart foldRows(const IterationBox &box, const OperandPart &part,
                       mlir::Block *worker);
  /// A buffer of `shape` for the key tile at hand, or the part of one that it
  /// fills, at the end of the keys. The buffer is the worker's, not the tile's,
  /// and no two are merged: CSE does that to a `tensor.empty`.
  mlir::Value createKeyBuffer(const IterationBox &box, mlir::Block *worker,
                              llvm::ArrayRef<mlir::OpFoldResult> shape,
                              mlir::Type element);

  mlir::RewriterBase &b;
  mlir::Location loc;
  GenericOp op;
  const TileSizes &sizes;
  DimensionClasses classes;
  mlir::FloatType accType;
};

} // namespace attn

#endif // ATTN_LIB_TILING_OPERANDS_H
