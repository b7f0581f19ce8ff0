//===- ListReader.h - Reads lists of key blocks -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TILING_LISTREADER_H
#define ATTN_TILING_LISTREADER_H

#include "attn/IR/BlockList.h"
#include "mlir/IR/Builders.h"

namespace attn {

/// Emits reads of the lists of an op, each number checked where it is used:
/// what is not as it must be ends the call with an error.
class ListReader {
public:
  /// The list where the dimensions of the op, whose extents are `extents`, are
  /// at `offsets`; `key` is the first key row dimension, of keys or pages.
  ListReader(mlir::OpBuilder &builder, mlir::Location loc,
             const BlockList &blocks,
             llvm::ArrayRef<mlir::OpFoldResult> offsets,
             llvm::ArrayRef<mlir::OpFoldResult> extents, unsigned key)
      : b(builder), loc(loc), blocks(blocks), offsets(offsets),
        extents(extents), key(key) {}

  /// Entry `at` of indices; and the same, in range and, of logical blocks,
  /// above the one before in the list, which begins at `first`.
  mlir::Value read(mlir::Value at) const;
  mlir::Value readChecked(mlir::Value at, mlir::Value first) const;
  /// The first entry of the list, and the one behind its last; `adjust` says
  /// what becomes of a bound before it is checked.
  std::pair<mlir::Value, mlir::Value> readBounds(
      llvm::function_ref<mlir::Value(mlir::Value)> adjust = nullptr) const;
  /// Checks that a list that holds `places` keys has the `keys` of its request.
  void checkKeys(mlir::Value keys, mlir::Value places) const;
  /// Checks that what goes by the position in a list of pages, of `op`, has
  /// room for the keys of the list.
  void checkPlaces(AttentionOpInterface op,
                   llvm::function_ref<mlir::Value()> countKeys) const;
  /// Which key the place number `place` of a list of logical blocks is, whose
  /// first entry is `first`.
  mlir::Value locate(mlir::Value place, mlir::Value first) const;
  /// How many keys of the last block of the list there are not; null for none.
  mlir::Value countLacking(mlir::Value first, mlir::Value end) const;

private:
  /// An element of indptr or indices, `position` along its last dimension, the
  /// positions of `outer` along the others.
  mlir::Value read(mlir::Value operand, llvm::ArrayRef<unsigned> outer,
                   mlir::Value position) const;
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value left,
                      mlir::Value right) const;
  void check(mlir::Value holds, llvm::StringRef message, mlir::Value expected,
             mlir::Value got) const;
  mlir::Value index(int64_t value) const {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }

  mlir::OpBuilder &b;
  mlir::Location loc;
  BlockList blocks;
  llvm::ArrayRef<mlir::OpFoldResult> offsets, extents;
  unsigned key;
};

} // namespace attn

#endif // ATTN_TILING_LISTREADER_H
