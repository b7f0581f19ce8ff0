//===- MaskExpr.h - Masks as formulas over linear forms ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The language in which masks are analysed. A mask depends on
//
//  * *uniform* values: constants, symbols, extents, and whatever is computed
//    from them. They are the same for all pairs of a box, so they are plain
//    SSA values (`Scalar`), computed where the analysis emits its code;
//  * positions along query rows and along the keys, which range over a box.
//
// Integers are linear forms over *nodes*: positions, and what is not linear in
// them (`i floordiv 64`). Nodes are unique, and a linear form that stands under
// a comparison or a division is itself a node, stripped of its offset and its
// common factor. So `i - j < 8`, `j <= i + 2` and `(j - i) mod 4 = 0` speak of
// one node, and what one of them says about it sharpens the others.
//
// Truth values are formulas over intervals of nodes, without a negation: it is
// pushed to the comparisons when a formula is built. A formula is a *necessary*
// condition: what is not understood is `true`. Whether all pairs of a box are
// visible is asked as whether none is visible of the negated mask, which is
// translated separately, so "not understood" is on the safe side both times.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_MASKS_MASKEXPR_H
#define ATTN_MASKS_MASKEXPR_H

#include "attn/Masks/MaskReads.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <deque>
#include <optional>

namespace attn {

struct MaskNode;
struct MaskFormula;

/// offset + the sum of coefficient * node, nodes ascending by id.
struct MaskLinear {
  struct Term {
    MaskNode *node;
    int64_t coefficient;
  };
  llvm::SmallVector<Term, 2> terms;
  Scalar offset = 0;

  bool isUniform() const { return terms.empty(); }
};

/// scale * node + offset; without a node, the offset.
struct MaskAffine {
  MaskNode *node = nullptr;
  int64_t scale = 0;
  Scalar offset = 0;
};

struct MaskNode {
  enum class Kind {
    /// The position along a query row dimension or along the keys.
    Dimension,
    /// Anything: a value read at a position, or arithmetic not understood.
    Opaque,
    /// The sum of `terms`.
    Form,
    /// a / divisor, rounded down or to zero; a minus that; divisor > 0.
    FloorDivide,
    Modulo,
    TruncatingDivide,
    Remainder,
    Minimum,
    Maximum,
    Absolute,
    /// a * b, and a * divisor where `divisor` is any uniform value.
    Product,
    Multiple,
    /// `condition` ? a : b.
    Select,
    /// -1, 0 or 1, as a is less than b, equal or greater.
    Order
  };
  explicit MaskNode(Kind kind) : kind(kind) {}

  Kind kind;
  unsigned id = 0;
  unsigned dimension = 0;
  llvm::SmallVector<MaskLinear::Term, 2> terms;
  MaskAffine a, b;
  Scalar divisor = 1;
  /// Whether the divisor is positive, where it is not known to be. If it is
  /// not, the quotient is bounded by the numerator's magnitude.
  Scalar divisorIsPositive = 1;
  /// Necessary conditions for the condition and its negation.
  MaskFormula *condition = nullptr, *inverse = nullptr;
  /// The dimensions that the value depends on, a bit each.
  uint64_t dimensions = 0;
  /// Whether there is a remainder somewhere inside.
  bool isPeriodic = false;
  /// Whether something inside is searched for (`setSearched`).
  bool isSearched = false;
  /// Whether this may be any number of 64 bits: it is compared, minima, maxima
  /// and selections of it are taken, and nothing is calculated from it.
  bool isWide = false;
  /// Static bounds.
  std::optional<int64_t> lower, upper;
  /// Opaque: what is read.
  const MaskRead *read = nullptr;
};

struct MaskFormula {
  enum class Kind { True, False, Truth, Literal, And, Or };
  explicit MaskFormula(Kind kind) : kind(kind) {}

  Kind kind;
  /// Truth: a uniform truth value.
  Scalar truth = 1;
  /// Literal: lower <= node <= upper.
  MaskNode *node = nullptr;
  std::optional<Scalar> lower, upper;
  llvm::SmallVector<MaskFormula *> children;
};

/// The intervals of the dimensions, by number.
using MaskBox = llvm::SmallDenseMap<unsigned, MaskInterval, 4>;

/// The least and the greatest value, as far as they are known.
using MaskBounds = std::pair<std::optional<int64_t>, std::optional<int64_t>>;

/// Builds nodes and formulas and owns them.
class MaskExprContext {
public:
  explicit MaskExprContext(IndexEmitter &emitter) : emitter(emitter) {}
  IndexEmitter &getEmitter() { return emitter; }

  MaskLinear getUniform(Scalar value) { return {{}, value}; }
  /// The position along a dimension, from 0 to `last` at most, if given.
  MaskLinear getDimension(unsigned dimension, std::optional<int64_t> last);
  /// A value of which nothing is known, the same at each use; unlike every
  /// other one if null.
  MaskLinear getOpaque(mlir::Value value = {});
  /// A value that is read at a position.
  MaskLinear getRead(mlir::Value value, MaskRead read);
  /// The dimension whose ranges are asked for: what is read along it is
  /// searched for what is wanted, not bounded over the box.
  void setSearched(unsigned dimension) { searched = dimension; }
  bool isSearched(const MaskRead &read) const {
    return read.dimension == searched;
  }
  /// What a node that is read lies between in the box, in code that is emitted
  /// once.
  MaskInterval getReadBounds(const MaskNode *node, const MaskBox &box);
  /// Those of `positions` where a node that is read lies within `values`, and
  /// others; nothing, if too many such searches were emitted.
  MaskInterval getReadHull(const MaskNode *node, const MaskInterval &values,
                           const MaskInterval &positions);
  /// Whether a number of any size is part of `value`.
  static bool isWide(const MaskLinear &value);
  MaskLinear add(const MaskLinear &lhs, const MaskLinear &rhs);
  MaskLinear subtract(const MaskLinear &lhs, const MaskLinear &rhs);
  MaskLinear scale(const MaskLinear &value, int64_t factor);
  MaskLinear multiply(const MaskLinear &lhs, const MaskLinear &rhs);
  /// Divisions by a uniform divisor; nothing is known of its sign.
  MaskLinear floorDivide(const MaskLinear &value, Scalar divisor);
  MaskLinear ceilDivide(const MaskLinear &value, Scalar divisor);
  MaskLinear modulo(const MaskLinear &value, Scalar divisor);
  MaskLinear truncatingDivide(const MaskLinear &value, Scalar divisor);
  MaskLinear remainder(const MaskLinear &value, Scalar divisor);
  MaskLinear minimum(const MaskLinear &lhs, const MaskLinear &rhs);
  MaskLinear maximum(const MaskLinear &lhs, const MaskLinear &rhs);
  MaskLinear absolute(const MaskLinear &value);
  MaskLinear select(MaskFormula *condition, MaskFormula *inverse,
                    const MaskLinear &ifTrue, const MaskLinear &ifFalse);
  bool isKnownNonNegative(const MaskLinear &value);
  /// What a value lies between, its offset aside if that is no constant.
  MaskBounds getStaticBounds(const MaskLinear &value);

  MaskFormula *getTruth(Scalar truth);
  MaskFormula *conjoin(llvm::ArrayRef<MaskFormula *> children);
  MaskFormula *disjoin(llvm::ArrayRef<MaskFormula *> children);
  /// value >= 0; minima, maxima, absolute values and selections that are
  /// summands are split up to `budget` levels deep.
  MaskFormula *isNonNegative(const MaskLinear &value, unsigned budget = 4);
  /// value = 0, value != 0.
  MaskFormula *isZero(const MaskLinear &value, unsigned budget = 4);
  MaskFormula *isNonZero(const MaskLinear &value);
  /// The sign of lhs - rhs lies in [lower, upper], without a calculation.
  MaskFormula *isOrdered(const MaskLinear &lhs, const MaskLinear &rhs,
                         int64_t lower, int64_t upper);

private:
  using Kind = MaskNode::Kind;

  MaskAffine getAffine(const MaskLinear &value);
  MaskLinear getLinear(MaskNode *node);
  MaskLinear getLinear(const MaskAffine &value);
  /// `value`, or an opaque one if a number in it is too large to calculate
  /// with.
  MaskLinear limit(MaskLinear value);
  /// The node equal to `prototype`, which is filled in with what is known.
  MaskNode *intern(MaskNode prototype);
  /// `value` divided, rounded as `kind` says, or the remainder. Divisions are
  /// drawn into minima, maxima and selections up to `budget` levels deep.
  MaskLinear divide(Kind kind, const MaskLinear &value, Scalar divisor,
                    unsigned budget = 3);
  std::optional<MaskLinear> divideInside(Kind kind, const MaskLinear &value,
                                         Scalar divisor, unsigned budget);
  MaskLinear extremum(Kind kind, const MaskLinear &lhs, const MaskLinear &rhs);
  /// lower <= value <= upper.
  MaskFormula *getLiteral(const MaskLinear &value, std::optional<Scalar> lower,
                          std::optional<Scalar> upper);
  /// Splits a summand of `value`: combines what `test` says of each case.
  MaskFormula *
  splitSummand(const MaskLinear &value, bool isTwoSided,
               llvm::function_ref<MaskFormula *(const MaskLinear &)> test);
  MaskFormula *create(MaskFormula::Kind kind);
  MaskFormula *combine(MaskFormula::Kind kind,
                       llvm::ArrayRef<MaskFormula *> children);
  MaskBounds getBounds(const MaskAffine &affine);
  /// The bounds of a division.
  MaskBounds getQuotientBounds(const MaskNode &node);
  /// Fills in the bounds of a node from those of its parts.
  void inferBounds(MaskNode &node);
  unsigned numOpaque = 0;

  IndexEmitter &emitter;
  std::deque<MaskNode> nodes;
  std::deque<MaskFormula> formulas;
  std::deque<MaskRead> reads;
  std::optional<unsigned> searched;
  llvm::DenseMap<const MaskNode *, MaskInterval> readBounds;
  struct Search {
    const MaskNode *node;
    MaskInterval values, positions, hull;
  };
  llvm::SmallVector<Search> searches;
  std::map<std::vector<int64_t>, MaskNode *> uniqueNodes;
};

} // namespace attn

#endif // ATTN_MASKS_MASKEXPR_H
