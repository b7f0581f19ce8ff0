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
  /// Elementwise ops that follow, each the only user of what is before it.
  llvm::SmallVector<mlir::linalg::LinalgOp> consumers;
};

/// `op` as a contraction: on tensors, a sum of products of floats, extended at
/// most. A failure says why not.
mlir::FailureOr<Contraction>
matchContraction(mlir::linalg::LinalgOp op,
                 llvm::function_ref<void(const llvm::Twine &)> why);

/// Adds the elementwise ops behind `contraction` that its tiles can compute
/// while they are in registers.
void takeConsumers(Contraction &contraction);

/// How large its tiles are, and what they compute, for people.
std::string describeTiles(const Contraction &contraction);

/// Replaces the ops of `contraction` by a parallel loop over `attn.contract`.
/// How large tiles are depends on extents only.
void tileContraction(mlir::RewriterBase &rewriter,
                     const Contraction &contraction);

} // namespace attn

#endif // ATTN_TILING_CONTRACTIONS_H
