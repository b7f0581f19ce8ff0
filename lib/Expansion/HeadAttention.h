//===- HeadAttention.h - Attention over heads of rows -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What named ops on `batch x heads x rows x features` share, whatever they are
// called: an op fills in what it has, and is verified, compared, expanded into
// the core op, and evaluated for the reference.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXPANSION_HEADATTENTION_H
#define ATTN_LIB_EXPANSION_HEADATTENTION_H

#include "attn/IR/Evaluation.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// The parts of a named op; what is null or empty is not there.
struct HeadAttention {
  mlir::Operation *op = nullptr;
  mlir::Value query, key, value, bias, booleanMask, offset, sink, queryStarts,
      keyStarts, output, lse, weights;
  mlir::Region *mask = nullptr, *score = nullptr;
  mlir::FloatAttr scale, softcap;
  CausalKind causal = CausalKind::none;
  std::optional<llvm::ArrayRef<int64_t>> window;
  mlir::Value indptr, indices;
  BlockListAttr blocks;

  /// Whether the batch is requests of different lengths, with starts.
  bool isRagged() const { return queryStarts || keyStarts; }
  /// Whether these are packed in an operand: rows x heads (x features).
  bool isPacked(mlir::Value operand) const;
  /// The extents of query, key, value, output or log-sum-exp in the order batch
  /// x heads x rows x features, however they lie. That of packed rows is
  /// dynamic, as each request has its own.
  llvm::SmallVector<int64_t> getShape(mlir::Value operand) const;
  /// The dimension of the operand that lies there; none for packed requests,
  /// and for the batch of pages.
  std::optional<int64_t> getDim(mlir::Value operand, int64_t dim) const;
  RaggedExtents getRaggedExtents() const;

  /// The number of dimensions before rows and features, heads included.
  int64_t getNumLeadingDims() const;
  /// Whether key and value are pages, `pages x heads x rows x features`.
  bool isPaged() const { return blocks && blocks.isPhysical(); }
  /// The rank of key and value.
  int64_t getKeyRank() const;
  /// The dimension of the query along which lists of blocks follow each other.
  int64_t getListDim() const;
  /// The dimensions of the query, the first ones, that may have lists of their
  /// own.
  int64_t getNumListBatchDims() const;
  /// The type of all arithmetic: the widest of f32 and the element types of
  /// query, key, value and output.
  mlir::FloatType getAccumulationType() const;
  mlir::InFlightDiagnostic emitOpError(const llvm::Twine &message) const {
    return op->emitOpError(message);
  }

  /// Constraints (C1) to (C7) and (C10) to (C17) of the named ops.
  mlir::LogicalResult verify() const;
  /// (C16), and (C17) but for what shapes say.
  mlir::LogicalResult verifyBlocks() const;
  /// (C8) and (C9).
  mlir::LogicalResult verifyRegions() const;
  /// (C14) and (C15).
  mlir::LogicalResult verifyRagged() const;
  void nameRegionArguments(mlir::Region &region,
                           mlir::OpAsmSetValueNameFn setName) const;
  void getExtentRelations(OperandRelations &relations) const;
  /// Replaces the op by an `attn.generic` with a softmax, of a sink if there is
  /// one, and reshapes around it for grouped heads.
  mlir::LogicalResult expand(mlir::RewriterBase &rewriter) const;
  /// The results in plain numbers.
  llvm::Expected<llvm::SmallVector<PlainResult>>
  evaluate(Evaluation &evaluation) const;
  /// The operands that visibility depends on.
  llvm::SmallVector<mlir::Value> getMaskOperands() const;
};

} // namespace attn

#endif // ATTN_LIB_EXPANSION_HEADATTENTION_H
