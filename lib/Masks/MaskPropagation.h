//===- MaskPropagation.h - Intervals of nodes over a box --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_MASKS_MASKPROPAGATION_H
#define ATTN_LIB_MASKS_MASKPROPAGATION_H

#include "attn/Masks/MaskSolver.h"
#include "llvm/ADT/MapVector.h"

namespace attn {

/// Infinite if missing.
using Bound = std::optional<Scalar>;

/// The state of one propagation: intervals that nodes must lie in.
class MaskPropagation {
public:
  MaskPropagation(MaskExprContext &context, const MaskBox &box)
      : context(context), emitter(context.getEmitter()), box(box) {}

  /// Nodes whose parts are not narrowed.
  void stopAt(MaskNode *node) { stop = node; }
  /// Narrows only what depends on these dimensions.
  void restrictTo(uint64_t dimensions) { target = dimensions; }
  /// Does not narrow by remainders of what mixes these dimensions with others.
  void keepRemaindersOf(uint64_t dimensions) { kept = dimensions; }

  /// The interval of a node over the box, as narrowed so far.
  MaskInterval evaluate(MaskNode *node);
  /// Demands that the node lie in the interval, and narrows its parts.
  void narrow(MaskNode *node, MaskInterval interval, unsigned depth = 12);

  /// False if a remainder was found that no numerator has.
  Scalar isFeasible() const { return feasible; }
  /// False if a narrowed position has no values left.
  Scalar haveDimensionsValues();
  Scalar isNonEmpty(const MaskInterval &interval);
  /// False if the node cannot lie in the interval.
  Scalar mayLieIn(MaskNode *node, const MaskInterval &interval);
  MaskInterval intersect(const MaskInterval &lhs, const MaskInterval &rhs);

private:
  MaskInterval evaluate(const MaskAffine &affine);
  MaskInterval compute(MaskNode *node);
  MaskInterval computeQuotient(MaskNode *node);
  MaskInterval computeRemainder(MaskNode *node);
  MaskInterval computeProduct(const MaskInterval &a, const MaskInterval &b);

  void narrow(const MaskAffine &affine, MaskInterval interval, unsigned depth);
  void narrowForm(MaskNode *node, const MaskInterval &interval, unsigned depth);
  void narrowQuotient(MaskNode *node, const MaskInterval &interval,
                      unsigned depth);
  void narrowModulo(MaskNode *node, const MaskInterval &interval,
                    unsigned depth);
  void narrowExtremum(MaskNode *node, const MaskInterval &interval,
                      unsigned depth);
  void narrowAbsolute(MaskNode *node, const MaskInterval &interval,
                      unsigned depth);
  void narrowRead(MaskNode *node, const MaskInterval &interval);
  void narrowOrder(MaskNode *node, const MaskInterval &interval,
                   unsigned depth);
  Bound limit(Bound bound, const MaskInterval &own, bool isLower, bool isStrict,
              const MaskAffine &value);

  MaskExprContext &context;
  IndexEmitter &emitter;
  const MaskBox &box;
  MaskNode *stop = nullptr;
  /// Whether what is demanded of `stop` implies its interval over the box.
  bool stopIsSolved = false;
  uint64_t target = ~uint64_t(0), kept = 0;
  Scalar feasible = 1;
  llvm::MapVector<MaskNode *, MaskInterval> demands;
  llvm::SmallVector<std::pair<MaskNode *, MaskInterval>, 2> searched;
  llvm::DenseMap<MaskNode *, MaskInterval> cache;
};

} // namespace attn

#endif // ATTN_LIB_MASKS_MASKPROPAGATION_H
