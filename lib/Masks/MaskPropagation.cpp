//===- MaskPropagation.cpp - Intervals of nodes over a box ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskPropagation.h"

using namespace mlir;

namespace attn {

MaskInterval MaskPropagation::intersect(const MaskInterval &lhs,
                                        const MaskInterval &rhs) {
  MaskInterval result = lhs;
  if (rhs.lower)
    result.lower =
        lhs.lower ? emitter.maximum(*lhs.lower, *rhs.lower) : *rhs.lower;
  if (rhs.upper)
    result.upper =
        lhs.upper ? emitter.minimum(*lhs.upper, *rhs.upper) : *rhs.upper;
  return result;
}

Scalar MaskPropagation::isNonEmpty(const MaskInterval &interval) {
  if (!interval.lower || !interval.upper)
    return 1;
  return emitter.isLessEqual(*interval.lower, *interval.upper);
}

Scalar MaskPropagation::haveDimensionsValues() {
  Scalar result = 1;
  for (auto &[node, demand] : demands)
    if (node->kind == MaskNode::Kind::Dimension || node == stop)
      result = emitter.conjoin(result, isNonEmpty(evaluate(node)));
  return result;
}

Scalar MaskPropagation::mayLieIn(MaskNode *node, const MaskInterval &interval) {
  if (node->kind != MaskNode::Kind::Order) {
    MaskInterval reached = evaluate(node);
    Scalar answer = isNonEmpty({reached.lower, interval.upper});
    answer =
        emitter.conjoin(answer, isNonEmpty({interval.lower, reached.upper}));
    return emitter.conjoin(answer, isNonEmpty(interval));
  }
  // Some x may be less than some y, or equal, if the least x is.
  auto mayBeBelow = [&](Bound least, Bound most, bool isStrict) -> Scalar {
    if (!least || !most)
      return 1;
    return isStrict ? emitter.invert(emitter.isLessEqualAsIs(*most, *least))
                    : emitter.isLessEqualAsIs(*least, *most);
  };
  MaskInterval a = evaluate(node->a), b = evaluate(node->b);
  Scalar answer = 1;
  if (interval.upper)
    answer = mayBeBelow(a.lower, b.upper, *interval.upper == Scalar(-1));
  if (interval.lower)
    answer = emitter.conjoin(
        answer, mayBeBelow(b.lower, a.upper, *interval.lower == Scalar(1)));
  return answer;
}

//===----------------------------------------------------------------------===//
// Upwards
//===----------------------------------------------------------------------===//

MaskInterval MaskPropagation::evaluate(MaskNode *node) {
  auto known = cache.find(node);
  if (known != cache.end())
    return known->second;
  if (stopIsSolved && node == stop)
    return demands.lookup(node);
  MaskInterval result = compute(node);
  auto demand = demands.find(node);
  if (demand != demands.end())
    result = intersect(result, demand->second);
  cache[node] = result;
  return result;
}

MaskInterval MaskPropagation::evaluate(const MaskAffine &affine) {
  if (!affine.node)
    return {affine.offset, affine.offset};
  MaskInterval node = evaluate(affine.node);
  if (affine.scale < 0)
    std::swap(node.lower, node.upper);
  auto apply = [&](Bound bound) -> Bound {
    if (!bound)
      return std::nullopt;
    return emitter.add(emitter.multiply(*bound, affine.scale), affine.offset);
  };
  return {apply(node.lower), apply(node.upper)};
}

MaskInterval MaskPropagation::compute(MaskNode *node) {
  using Kind = MaskNode::Kind;
  switch (node->kind) {
  case Kind::Dimension:
    return box.lookup(node->dimension);
  case Kind::Opaque:
    if (node->read && !context.isSearched(*node->read))
      return context.getReadBounds(node, box);
    return {};
  case Kind::Form: {
    MaskInterval sum{Scalar(0), Scalar(0)};
    for (const MaskLinear::Term &term : node->terms) {
      MaskInterval part = evaluate(MaskAffine{term.node, term.coefficient, 0});
      sum.lower = sum.lower && part.lower
                      ? Bound(emitter.add(*sum.lower, *part.lower))
                      : std::nullopt;
      sum.upper = sum.upper && part.upper
                      ? Bound(emitter.add(*sum.upper, *part.upper))
                      : std::nullopt;
    }
    return sum;
  }
  case Kind::FloorDivide:
  case Kind::TruncatingDivide:
    return computeQuotient(node);
  case Kind::Modulo:
  case Kind::Remainder:
    return computeRemainder(node);
  case Kind::Minimum:
  case Kind::Maximum: {
    MaskInterval a = evaluate(node->a), b = evaluate(node->b);
    bool isMinimum = node->kind == Kind::Minimum;
    auto combine = [&](Bound x, Bound y, bool oneSuffices) -> Bound {
      if (x && y)
        return isMinimum ? emitter.minimum(*x, *y) : emitter.maximum(*x, *y);
      return oneSuffices ? (x ? x : y) : std::nullopt;
    };
    return {combine(a.lower, b.lower, !isMinimum),
            combine(a.upper, b.upper, isMinimum)};
  }
  case Kind::Absolute: {
    MaskInterval a = evaluate(node->a), result{Scalar(0), std::nullopt};
    if (a.lower)
      result.lower = emitter.maximum(*result.lower, *a.lower);
    if (a.upper)
      result.lower = emitter.maximum(*result.lower, emitter.negate(*a.upper));
    if (a.lower && a.upper)
      result.upper = emitter.maximum(emitter.negate(*a.lower), *a.upper);
    return result;
  }
  case Kind::Product: {
    MaskInterval a = evaluate(node->a), b = evaluate(node->b);
    bool isSquare = node->a.node == node->b.node &&
                    node->a.scale == node->b.scale &&
                    node->a.offset == node->b.offset;
    MaskInterval result = computeProduct(a, b);
    if (isSquare) {
      result.lower = Scalar(0);
      if (a.lower && a.upper) {
        Scalar least = emitter.maximum(
            emitter.maximum(*a.lower, emitter.negate(*a.upper)), 0);
        result.lower = emitter.multiply(least, least);
      }
    }
    return result;
  }
  case Kind::Multiple:
    return computeProduct(evaluate(node->a), {node->divisor, node->divisor});
  case Kind::Select: {
    MaskInterval a = evaluate(node->a), b = evaluate(node->b), result;
    if (a.lower && b.lower)
      result.lower = emitter.minimum(*a.lower, *b.lower);
    if (a.upper && b.upper)
      result.upper = emitter.maximum(*a.upper, *b.upper);
    return result;
  }
  case Kind::Order:
    // Asked by `mayLieIn`.
    return {};
  }
  return {};
}

MaskInterval MaskPropagation::computeQuotient(MaskNode *node) {
  MaskInterval a = evaluate(node->a), result;
  bool roundsDown = node->kind == MaskNode::Kind::FloorDivide;
  auto divide = [&](Bound bound) -> Bound {
    if (!bound)
      return std::nullopt;
    return roundsDown ? emitter.floorDivide(*bound, node->divisor)
                      : emitter.truncatingDivide(*bound, node->divisor);
  };
  result = {divide(a.lower), divide(a.upper)};
  if (node->divisorIsPositive.isConstant(1))
    return result;
  // |x / c| <= |x|, whatever c is.
  if (!a.lower || !a.upper)
    return {};
  Scalar magnitude = emitter.maximum(emitter.negate(*a.lower), *a.upper);
  magnitude = emitter.maximum(magnitude, 0);
  return {emitter.select(node->divisorIsPositive, *result.lower,
                         emitter.negate(magnitude)),
          emitter.select(node->divisorIsPositive, *result.upper, magnitude)};
}

MaskInterval MaskPropagation::computeRemainder(MaskNode *node) {
  MaskInterval a = evaluate(node->a);
  Scalar most = emitter.add(node->divisor, -1);
  if (node->kind == MaskNode::Kind::Remainder) {
    MaskInterval result{emitter.negate(most), most};
    if (a.lower)
      result.lower =
          emitter.maximum(*result.lower, emitter.minimum(*a.lower, 0));
    if (a.upper)
      result.upper = emitter.minimum(most, emitter.maximum(*a.upper, 0));
    return result;
  }
  if (!a.lower || !a.upper)
    return {Scalar(0), most};
  // Within one period the remainder grows with the numerator.
  Scalar first = emitter.floorDivide(*a.lower, node->divisor);
  Scalar last = emitter.floorDivide(*a.upper, node->divisor);
  Scalar isOnePeriod = emitter.isEqual(first, last);
  Scalar start = emitter.multiply(first, node->divisor);
  return {emitter.select(isOnePeriod, emitter.subtract(*a.lower, start), 0),
          emitter.select(isOnePeriod, emitter.subtract(*a.upper, start), most)};
}

MaskInterval MaskPropagation::computeProduct(const MaskInterval &a,
                                             const MaskInterval &b) {
  if (!a.lower || !a.upper || !b.lower || !b.upper) {
    bool isNonNegative = a.lower && b.lower &&
                         emitter.isKnownNonNegative(*a.lower) &&
                         emitter.isKnownNonNegative(*b.lower);
    if (!isNonNegative)
      return {};
    return {emitter.multiply(*a.lower, *b.lower), std::nullopt};
  }
  if (emitter.isKnownNonNegative(*a.lower) &&
      emitter.isKnownNonNegative(*b.lower))
    return {emitter.multiply(*a.lower, *b.lower),
            emitter.multiply(*a.upper, *b.upper)};
  Scalar products[] = {emitter.multiply(*a.lower, *b.lower),
                       emitter.multiply(*a.lower, *b.upper),
                       emitter.multiply(*a.upper, *b.lower),
                       emitter.multiply(*a.upper, *b.upper)};
  Scalar least = products[0], most = products[0];
  for (Scalar product : products) {
    least = emitter.minimum(least, product);
    most = emitter.maximum(most, product);
  }
  return {least, most};
}

//===----------------------------------------------------------------------===//
// Downwards
//===----------------------------------------------------------------------===//

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
