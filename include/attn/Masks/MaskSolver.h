//===- MaskSolver.h - Keys that a formula lets a box see --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Answers two questions about a formula and a box of positions, by code: may
// the formula hold somewhere in the box, and for which keys?
//
// The formula is brought into disjunctive normal form, of at most 16 terms. A
// term is a conjunction of intervals of nodes, and is solved by propagating
// them (Benhamou et al., "Revising hull and box consistency", 1999): from the
// positions up, every node has an interval over the box; downwards, the
// interval that a node must lie in narrows those of its parts. `j floordiv 64
// <= 3` narrows j to at most 255, and `(i - j) mod 4 = 0` narrows i - j to
// begin and end with multiples of 4. A term is impossible if some interval is
// empty. The bounds are SSA values, so extents and symbols may be dynamic, and
// the propagation itself, being emitted, takes a fixed number of rounds.
//
// Larger formulas are split: a disjunction may hold if one of its parts may, a
// conjunction only if each group of its parts may.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_MASKS_MASKSOLVER_H
#define ATTN_MASKS_MASKSOLVER_H

#include "attn/Masks/MaskExpr.h"

namespace attn {

/// A half-open range of keys within [0, number of keys).
struct MaskRange {
  Scalar begin, end;
};

/// Emits, where the context's emitter stands, what a formula lets a box see.
/// Answers are kept: to ask again costs no code.
class MaskSolver {
public:
  /// `box` bounds every dimension that is not uniform: for `mayHold` by the
  /// positions of the box, for `getRanges` the key by all there are.
  MaskSolver(MaskExprContext &context, MaskBox box, unsigned keyDimension);

  /// False only if the formula holds nowhere in the box.
  Scalar mayHold(MaskFormula *formula);

  /// At most `limit` ranges that hold every key for which the formula holds
  /// with some rows of the box.
  llvm::SmallVector<MaskRange> getRanges(MaskFormula *formula, unsigned limit);

private:
  struct Literal {
    MaskNode *node;
    MaskInterval interval;
  };
  struct Term {
    Scalar truth = 1;
    llvm::SmallVector<Literal, 4> literals;
  };
  using Terms = llvm::SmallVector<Term, 4>;

  /// The disjunctive normal form, unless it has too many terms.
  const std::optional<Terms> &normalize(MaskFormula *formula);
  std::optional<Terms> computeNormalForm(MaskFormula *formula);
  std::optional<Terms> multiply(const Terms &lhs, const Terms &rhs);
  std::optional<Term> conjoin(const Term &lhs, const Term &rhs);
  void absorb(Terms &terms);
  /// Parts whose conjunction is the formula, each as normal as can be.
  llvm::SmallVector<MaskFormula *> group(MaskFormula *conjunction);

  Scalar computeMayHold(MaskFormula *formula);
  Scalar mayHold(const Term &term);
  MaskRange getRange(const Term &term);
  /// Groups of literals that share no dimension.
  llvm::SmallVector<llvm::SmallVector<Literal, 4>>
  getComponents(const Term &term);
  Scalar mayHoldTogether(llvm::ArrayRef<Literal> literals);
  llvm::SmallVector<MaskRange> reduce(llvm::SmallVector<MaskRange> ranges,
                                      unsigned limit);
  llvm::SmallVector<MaskRange> computeRanges(MaskFormula *formula,
                                             unsigned limit);
  MaskRange getWhole();
  uint64_t getKeyBit() const;

  MaskExprContext &context;
  IndexEmitter &emitter;
  MaskBox box;
  unsigned keyDimension;
  /// The number of ops when the question was asked.
  unsigned firstOp = 0;
  llvm::DenseMap<MaskFormula *, std::optional<Terms>> normalForms;
  llvm::DenseMap<MaskFormula *, Scalar> answers;
  llvm::DenseMap<MaskFormula *, llvm::SmallVector<MaskRange>> ranges;
};

} // namespace attn

#endif // ATTN_MASKS_MASKSOLVER_H
