//===- Contractions.h - Products of matrices as tiles -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TILING_CONTRACTIONS_H
#define ATTN_TILING_CONTRACTIONS_H

#include "attn/IR/ContractOp.h"

namespace attn {

/// A `linalg` op that multiplies and adds, as `attn.contract` sees it. Its
/// sides are exchanged where the rows of the product are its innermost
/// dimension, so that columns always are.
struct Contraction {
  mlir::linalg::LinalgOp op;
  /// The operands of `op` that are multiplied.
  mlir::Value lhs, rhs;
  /// Their maps and the map of the result, over the loops of `op`.
  mlir::AffineMap lhsMap, rhsMap, resultMap;
  /// The loops that a tile has. There are no rows where lhs is a vector.
  std::optional<unsigned> rows;
  unsigned columns = 0, features = 0;
  /// Further loops, each of whose positions has tiles of its own, and those
  /// that further sums are over.
  llvm::SmallVector<unsigned> outer, outerFeatures;
  /// What the sums begin with; null for 0.
  mlir::Value init;
  /// An elementwise op, and its loops in terms of those of `op`.
  struct Elementwise {
    mlir::linalg::LinalgOp op;
    mlir::AffineMap loops;
  };
  /// Those that follow, each the only user of what is before it, and the map of
  /// the last result.
  llvm::SmallVector<Elementwise> consumers;
  mlir::AffineMap finalMap;
  /// Those whose results the factors of lhs and of rhs are, the nearest first,
  /// each used by what is behind it only. `lhs` and `rhs` are what the last of
  /// them reads, and the types those of the factors.
  llvm::SmallVector<Elementwise> lhsProducers, rhsProducers;
  mlir::Type lhsType, rhsType;
};

/// A tile has at most so many rows, near enough, and columns.
constexpr int64_t kTileRows = 768, kTileColumns = 128;

/// `op` as a contraction: on tensors, a sum of products of floats, extended at
/// most. A failure says why not.
mlir::FailureOr<Contraction>
matchContraction(mlir::linalg::LinalgOp op,
                 llvm::function_ref<void(const llvm::Twine &)> why);

/// Adds the elementwise ops behind `contraction` that its tiles can compute
/// while they are in registers.
void takeConsumers(Contraction &contraction);

/// Adds the elementwise ops before `contraction` that are better computed where
/// its operands are packed than stored and read again; after `takeConsumers`,
/// which says which side is packed how often.
void takeProducers(Contraction &contraction);

/// The first input of an elementwise op that has an element of its own for each
/// element of the result; null if there is none.
mlir::OpOperand *getWholeInput(mlir::linalg::LinalgOp op);

/// How large its tiles are, and what they compute, for people.
std::string describeTiles(const Contraction &contraction, bool whole);

/// Replaces the ops of `contraction` by a parallel loop over `attn.contract`.
/// How large tiles are depends on extents only. If `whole`, one has all rows
/// and all columns, and where there are no outer loops, there is none.
void tileContraction(mlir::RewriterBase &rewriter,
                     const Contraction &contraction, bool whole);

/// Adds the products of `contraction`, which stays one op of `linalg`, in f32
/// where its result is of fewer bits, and rounds what they come to.
void widenSums(mlir::RewriterBase &rewriter, const Contraction &contraction);

} // namespace attn

#endif // ATTN_TILING_CONTRACTIONS_H
