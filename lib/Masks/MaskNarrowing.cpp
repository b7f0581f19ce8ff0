//===- MaskNarrowing.cpp - Intervals of nodes, downwards --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a node must lie in narrows its parts.
//
//===----------------------------------------------------------------------===//

#include "MaskPropagation.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace attn {

void MaskPropagation::narrow(MaskNode *node, MaskInterval interval,
                             unsigned depth) {
  if (!interval.lower && !interval.upper)
    return;
  MaskInterval &demand = demands[node];
  MaskInterval tighter = intersect(demand, interval);
  if (tighter.lower != demand.lower || tighter.upper != demand.upper) {
    demand = tighter;
    cache.clear();
  }
  if (node == stop || depth == 0)
    return;
  using Kind = MaskNode::Kind;
  // What bounds a part may be any number: nothing is calculated from it.
  if (node->isWide && node->kind != Kind::Opaque)
    return;
  switch (node->kind) {
  case Kind::Form:
    return narrowForm(node, interval, depth - 1);
  case Kind::FloorDivide:
  case Kind::TruncatingDivide:
    return narrowQuotient(node, interval, depth - 1);
  case Kind::Modulo:
    return narrowModulo(node, interval, depth - 1);
  case Kind::Minimum:
  case Kind::Maximum:
    return narrowExtremum(node, interval, depth - 1);
  case Kind::Absolute:
    return narrowAbsolute(node, interval, depth - 1);
  case Kind::Multiple: {
    // Solved for positive factors; others keep the interval.
    Scalar factor = emitter.maximum(node->divisor, 1);
    Scalar isPositive = emitter.isLessEqual(1, node->divisor);
    MaskInterval a = evaluate(node->a), quotient;
    if (interval.lower && a.lower)
      quotient.lower = emitter.select(
          isPositive, emitter.ceilDivide(*interval.lower, factor), *a.lower);
    if (interval.upper && a.upper)
      quotient.upper = emitter.select(
          isPositive, emitter.floorDivide(*interval.upper, factor), *a.upper);
    return narrow(node->a, quotient, depth - 1);
  }
  case Kind::Order:
    return narrowOrder(node, interval, depth - 1);
  case Kind::Opaque:
    return narrowRead(node, interval);
  case Kind::Dimension:
  case Kind::Remainder:
  case Kind::Product:
  case Kind::Select:
    return;
  }
}

void MaskPropagation::narrow(const MaskAffine &affine, MaskInterval interval,
                             unsigned depth) {
  if (!affine.node || (affine.node->dimensions & target) == 0)
    return;
  int64_t magnitude = std::abs(affine.scale);
  MaskInterval result;
  auto relative = [&](Scalar bound) {
    return affine.scale < 0 ? emitter.subtract(affine.offset, bound)
                            : emitter.subtract(bound, affine.offset);
  };
  if (affine.scale < 0)
    std::swap(interval.lower, interval.upper);
  if (interval.lower)
    result.lower = emitter.ceilDivide(relative(*interval.lower), magnitude);
  if (interval.upper)
    result.upper = emitter.floorDivide(relative(*interval.upper), magnitude);
  narrow(affine.node, result, depth);
}

void MaskPropagation::narrowForm(MaskNode *node, const MaskInterval &interval,
                                 unsigned depth) {
  // Long sums are narrowed in their first terms only: each takes all others.
  ArrayRef<MaskLinear::Term> terms = node->terms;
  for (size_t i = 0, e = std::min<size_t>(terms.size(), 8); i < e; ++i) {
    if ((terms[i].node->dimensions & target) == 0)
      continue;
    Bound least = Scalar(0), most = Scalar(0);
    for (size_t j = 0; j < terms.size(); ++j) {
      if (i == j)
        continue;
      MaskInterval other =
          evaluate(MaskAffine{terms[j].node, terms[j].coefficient, 0});
      least = least && other.lower ? Bound(emitter.add(*least, *other.lower))
                                   : std::nullopt;
      most = most && other.upper ? Bound(emitter.add(*most, *other.upper))
                                 : std::nullopt;
    }
    MaskInterval rest;
    if (interval.lower && most)
      rest.lower = emitter.subtract(*interval.lower, *most);
    if (interval.upper && least)
      rest.upper = emitter.subtract(*interval.upper, *least);
    narrow(MaskAffine{terms[i].node, terms[i].coefficient, 0}, rest, depth);
  }
}

void MaskPropagation::narrowQuotient(MaskNode *node,
                                     const MaskInterval &interval,
                                     unsigned depth) {
  Scalar divisor = node->divisor;
  bool roundsDown = node->kind == MaskNode::Kind::FloorDivide;
  MaskInterval result;
  if (interval.lower) {
    // x / c >= q: x >= q c, or, rounding to zero below it, x > (q - 1) c.
    Scalar quotient = *interval.lower;
    Scalar exact = emitter.multiply(quotient, divisor);
    Scalar below =
        emitter.add(emitter.multiply(emitter.add(quotient, -1), divisor), 1);
    result.lower = roundsDown ? exact
                              : emitter.select(emitter.isLessEqual(1, quotient),
                                               exact, below);
  }
  if (interval.upper) {
    // x / c <= q: x < (q + 1) c, or, rounding to zero below it, x <= q c.
    Scalar quotient = *interval.upper;
    Scalar exact = emitter.multiply(quotient, divisor);
    Scalar above = emitter.add(emitter.add(exact, divisor), -1);
    result.upper = roundsDown ? above
                              : emitter.select(emitter.isLessEqual(0, quotient),
                                               above, exact);
  }
  if (!node->divisorIsPositive.isConstant(1)) {
    MaskInterval a = evaluate(node->a);
    auto guard = [&](Bound &bound, Bound otherwise) {
      if (bound && otherwise)
        bound = emitter.select(node->divisorIsPositive, *bound, *otherwise);
      else
        bound.reset();
    };
    guard(result.lower, a.lower);
    guard(result.upper, a.upper);
  }
  narrow(node->a, result, depth);
}

/// Moves the ends of the numerator's interval inwards to the first and the last
/// number whose remainder lies in `interval`.
void MaskPropagation::narrowModulo(MaskNode *node, const MaskInterval &interval,
                                   unsigned depth) {
  if (kept != 0 && (node->dimensions & kept) != 0 &&
      (node->dimensions & ~kept) != 0)
    return;
  Scalar divisor = node->divisor;
  Scalar last = emitter.add(divisor, -1);
  Scalar least = interval.lower ? emitter.maximum(*interval.lower, 0) : 0;
  Scalar most = interval.upper ? emitter.minimum(*interval.upper, last) : last;
  feasible = emitter.conjoin(feasible, emitter.isLessEqual(least, most));
  MaskInterval a = evaluate(node->a), result;
  if (least == most) {
    // Numbers of one residue are evenly spaced.
    if (a.lower)
      result.lower = emitter.add(
          least,
          emitter.multiply(
              emitter.ceilDivide(emitter.subtract(*a.lower, least), divisor),
              divisor));
    if (a.upper)
      result.upper = emitter.add(
          least,
          emitter.multiply(
              emitter.floorDivide(emitter.subtract(*a.upper, least), divisor),
              divisor));
  } else {
    if (a.lower) {
      Scalar start =
          emitter.multiply(emitter.floorDivide(*a.lower, divisor), divisor);
      Scalar here = emitter.maximum(*a.lower, emitter.add(start, least));
      Scalar next = emitter.add(emitter.add(start, divisor), least);
      result.lower = emitter.select(
          most == last
              ? Scalar(1)
              : emitter.isLessEqual(*a.lower, emitter.add(start, most)),
          here, next);
    }
    if (a.upper) {
      Scalar start =
          emitter.multiply(emitter.floorDivide(*a.upper, divisor), divisor);
      Scalar here = emitter.minimum(*a.upper, emitter.add(start, most));
      Scalar previous = emitter.add(emitter.subtract(start, divisor), most);
      result.upper = emitter.select(
          least.isConstant(0)
              ? Scalar(1)
              : emitter.isLessEqual(emitter.add(start, least), *a.upper),
          here, previous);
    }
  }
  feasible = emitter.conjoin(feasible, isNonEmpty(result));
  if (stop && node->a.node == stop && a.lower && a.upper) {
    // What was demanded before holds for the new ends too.
    demands[stop] = {};
    stopIsSolved = true;
  }
  narrow(node->a, result, depth);
}

void MaskPropagation::narrowExtremum(MaskNode *node,
                                     const MaskInterval &interval,
                                     unsigned depth) {
  bool isMinimum = node->kind == MaskNode::Kind::Minimum;
  for (auto [part, other] :
       {std::pair(node->a, node->b), std::pair(node->b, node->a)}) {
    // Both lie above the minimum; one lies below its bound if the other cannot.
    MaskInterval own = evaluate(part), rival = evaluate(other), result;
    if (isMinimum) {
      result.lower = interval.lower;
      if (interval.upper && own.upper && rival.lower)
        result.upper =
            emitter.select(emitter.isLessEqual(*rival.lower, *interval.upper),
                           *own.upper, *interval.upper);
    } else {
      result.upper = interval.upper;
      if (interval.lower && own.lower && rival.upper)
        result.lower =
            emitter.select(emitter.isLessEqual(*interval.lower, *rival.upper),
                           *own.lower, *interval.lower);
    }
    narrow(part, result, depth);
  }
}

/// Narrows the keys to where what is read at them is wanted.
void MaskPropagation::narrowRead(MaskNode *node, const MaskInterval &interval) {
  if (!node->read || !context.isSearched(*node->read))
    return;
  MaskNode *key = context.getDimension(node->read->dimension, std::nullopt)
                      .terms.front()
                      .node;
  // Once: a second round finds few positions that the first did not leave out.
  if (!llvm::any_of(searched, [&](const auto &done) {
        return done.first == node && done.second == interval;
      })) {
    searched.push_back({node, interval});
    narrow(key, context.getReadHull(node, interval, evaluate(key)));
  }
}

/// The sign of a - b lies in the interval.
void MaskPropagation::narrowOrder(MaskNode *node, const MaskInterval &interval,
                                  unsigned depth) {
  MaskInterval a = evaluate(node->a), b = evaluate(node->b);
  bool isBelow = interval.upper && *interval.upper == Scalar(-1);
  bool isAbove = interval.lower && *interval.lower == Scalar(1);
  MaskInterval forA, forB;
  if (interval.upper) {
    forA.upper = limit(b.upper, a, /*isLower=*/false, isBelow, node->a);
    forB.lower = limit(a.lower, b, /*isLower=*/true, isBelow, node->b);
  }
  if (interval.lower) {
    forA.lower = limit(b.lower, a, /*isLower=*/true, isAbove, node->a);
    forB.upper = limit(a.upper, b, /*isLower=*/false, isAbove, node->b);
  }
  narrow(node->a, forA, depth);
  narrow(node->b, forB, depth);
}

/// A bound of `value`, which lies in `own`, by any number: exclusive if
/// `isStrict`. What is calculated with stays near what it reaches already; what
/// may be any number itself is bounded inclusively.
Bound MaskPropagation::limit(Bound bound, const MaskInterval &own, bool isLower,
                             bool isStrict, const MaskAffine &value) {
  if (!bound || !value.node || value.node->isWide)
    return bound;
  if (!own.lower || !own.upper)
    return std::nullopt;
  int64_t strict = isStrict, inclusive = !isStrict;
  if (isLower)
    return emitter.add(
        emitter.maximum(
            emitter.minimum(*bound, emitter.add(*own.upper, inclusive)),
            emitter.add(*own.lower, -strict)),
        strict);
  return emitter.add(
      emitter.minimum(
          emitter.maximum(*bound, emitter.add(*own.lower, -inclusive)),
          emitter.add(*own.upper, strict)),
      -strict);
}

void MaskPropagation::narrowAbsolute(MaskNode *node,
                                     const MaskInterval &interval,
                                     unsigned depth) {
  MaskInterval a = evaluate(node->a), result;
  if (interval.upper)
    result = {emitter.negate(*interval.upper), *interval.upper};
  if (interval.lower) {
    // |x| >= c: x >= c if it is not as low as -c, and the other way round.
    Scalar distance = emitter.maximum(*interval.lower, 0);
    MaskInterval outside;
    if (a.lower)
      outside.lower = emitter.select(
          emitter.isLessEqual(*a.lower, emitter.negate(distance)), *a.lower,
          distance);
    if (a.upper)
      outside.upper = emitter.select(emitter.isLessEqual(distance, *a.upper),
                                     *a.upper, emitter.negate(distance));
    result = intersect(result, outside);
  }
  narrow(node->a, result, depth);
}

} // namespace attn
