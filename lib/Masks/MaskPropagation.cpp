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

} // namespace attn
