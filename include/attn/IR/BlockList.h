//===- BlockList.h - Key blocks that are data -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_BLOCKLIST_H
#define ATTN_IR_BLOCKLIST_H

#include "attn/IR/Attn.h"

namespace attn {

/// The lists of key blocks of an op.
struct BlockList {
  mlir::Value indptr, indices;
  BlockListAttr attr;

  /// None if the op has no lists.
  static std::optional<BlockList> of(mlir::Operation *op);

  /// Whether keys of the op are in pages, as far as its attributes say.
  static bool hasPages(mlir::Operation *op);

  bool isPhysical() const { return attr.isPhysical(); }
  int64_t getRows() const { return attr.getRows(); }
  int64_t getKeys() const { return attr.getKeys(); }
  /// Of core ops: the map of `indptr`, and of `indices` before its last
  /// dimension.
  mlir::AffineMap getIndptrMap() const { return attr.getMaps()[0]; }
  mlir::AffineMap getIndicesMap() const { return attr.getMaps()[1]; }
  /// Of core ops: the dimension along which lists follow each other, none where
  /// there is one list.
  std::optional<unsigned> getListDim() const;
  /// Of core ops: whether rows at two positions along `dim` may have different
  /// lists.
  bool dependsOn(unsigned dim) const;
};

/// How many neighbours along a dimension of a core op have one list of key
/// blocks, and as many keys in it; 0 if all have, or there are no lists.
int64_t countRowsOfList(AttentionOpInterface op, unsigned dim);

/// Whether dimension `position` of mapped operand `index`, of an op whose keys
/// are in pages, goes by the position in the list of a row: of what lies in no
/// page, as a bias. Its extent is its own, as many keys as any list has or
/// more.
bool isByPosition(AttentionOpInterface op, unsigned index, unsigned position);
/// The same of any of its dimensions.
bool isByPosition(AttentionOpInterface op, unsigned index);

/// blocks ::= `{` (`rows` `=` int | `keys` `=` int | `kind` `=` kind | `maps`
/// `=` list of maps)* `}`
mlir::ParseResult parseBlockList(mlir::OpAsmParser &parser,
                                 BlockListAttr &blocks);
void printBlockList(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                    BlockListAttr blocks);

/// What the reference and compiled code say of lists that are not as they must
/// be: {0} is what was expected, {1} what came.
struct BlockListErrors {
  static constexpr llvm::StringLiteral noList =
      "expected indptr to have {0} entries or more, one behind those of the "
      "lists, but got {1}";
  static constexpr llvm::StringLiteral bounds =
      "expected indptr to hold numbers from 0 to {0}, the entries of indices, "
      "but got {1}";
  static constexpr llvm::StringLiteral order =
      "expected a list of blocks to end at {0}, where it begins, or behind, "
      "but "
      "got {1}";
  static constexpr llvm::StringLiteral keys =
      "expected a list of blocks to hold the {0} keys of its request or more, "
      "but got {1}";
  static constexpr llvm::StringLiteral places =
      "expected what goes by the position in a list of pages to have {0} keys "
      "or more, as the list has, but got {1}";
  static constexpr llvm::StringLiteral block =
      "expected the blocks of a list to be at least 0 and below {0}, but got "
      "{1}";
  static constexpr llvm::StringLiteral ascent =
      "expected the blocks of a list to ascend, above {0} after it, but got "
      "{1}";
};

namespace detail {

/// Constraints (C18) to (C20) of `attn.generic`.
mlir::LogicalResult verifyBlockList(AttentionOpInterface op);

/// The extents that `indptr` and `indices` have in common with operands.
void relateBlockList(mlir::Operation *op, OperandRelations &relations);

} // namespace detail
} // namespace attn

#endif // ATTN_IR_BLOCKLIST_H
