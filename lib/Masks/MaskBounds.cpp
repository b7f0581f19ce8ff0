//===- MaskBounds.cpp - Static bounds of mask expressions -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Masks/MaskExpr.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

using Bound = std::optional<int64_t>;

/// Bounds beyond these are not kept, so that sums of them do not overflow.
static constexpr int64_t maxBound = int64_t(1) << 61;

static Bound keepBound(int64_t value) {
  return -maxBound <= value && value <= maxBound ? Bound(value) : std::nullopt;
}

static Bound addBounds(Bound lhs, Bound rhs) {
  return lhs && rhs ? keepBound(*lhs + *rhs) : std::nullopt;
}

static MaskBounds scaleBounds(const MaskNode &node, int64_t factor) {
  auto multiply = [&](Bound bound) -> Bound {
    int64_t product;
    if (!bound || llvm::MulOverflow(*bound, factor, product))
      return std::nullopt;
    return keepBound(product);
  };
  Bound lower = multiply(node.lower), upper = multiply(node.upper);
  return factor < 0 ? MaskBounds(upper, lower) : MaskBounds(lower, upper);
}

MaskBounds MaskExprContext::getBounds(const MaskAffine &affine) {
  Bound offset;
  if (affine.offset.isConstant())
    offset = keepBound(affine.offset.getConstant());
  Bound least = offset;
  if (!offset && emitter.isKnownNonNegative(affine.offset))
    least = 0;
  if (!affine.node)
    return {least, offset};
  auto [lower, upper] = scaleBounds(*affine.node, affine.scale);
  return {addBounds(lower, least), addBounds(upper, offset)};
}

MaskBounds MaskExprContext::getQuotientBounds(const MaskNode &node) {
  auto [lower, upper] = getBounds(node.a);
  MaskBounds bounds;
  if (node.divisor.isConstant()) {
    if (lower)
      bounds.first = emitter.floorDivide(*lower, node.divisor).getConstant();
    if (upper)
      bounds.second = (node.kind == Kind::FloorDivide
                           ? emitter.floorDivide(*upper, node.divisor)
                           : emitter.ceilDivide(*upper, node.divisor))
                          .getConstant();
    return bounds;
  }
  if (lower && upper) {
    bounds.second = std::max(-*lower, *upper);
    bounds.first = -*bounds.second;
  }
  if (node.divisorIsPositive.isConstant(1) && lower && *lower >= 0)
    bounds.first = 0;
  return bounds;
}

void MaskExprContext::inferBounds(MaskNode &node) {
  auto [lowerA, upperA] = getBounds(node.a);
  auto [lowerB, upperB] = getBounds(node.b);
  switch (node.kind) {
  case Kind::Dimension:
    node.lower = 0;
    return;
  case Kind::Form:
    node.lower = node.upper = 0;
    for (const MaskLinear::Term &term : node.terms) {
      auto [lower, upper] = scaleBounds(*term.node, term.coefficient);
      node.lower = addBounds(node.lower, lower);
      node.upper = addBounds(node.upper, upper);
    }
    return;
  case Kind::Modulo:
    node.lower = 0;
    if (node.divisor.isConstant())
      node.upper = node.divisor.getConstant() - 1;
    else if (lowerA && *lowerA >= 0)
      node.upper = upperA;
    return;
  case Kind::FloorDivide:
  case Kind::TruncatingDivide:
    std::tie(node.lower, node.upper) = getQuotientBounds(node);
    return;
  case Kind::Minimum:
    if (lowerA && lowerB)
      node.lower = std::min(*lowerA, *lowerB);
    if (upperA || upperB)
      node.upper =
          std::min(upperA.value_or(maxBound), upperB.value_or(maxBound));
    return;
  case Kind::Maximum:
    if (lowerA || lowerB)
      node.lower =
          std::max(lowerA.value_or(-maxBound), lowerB.value_or(-maxBound));
    if (upperA && upperB)
      node.upper = std::max(*upperA, *upperB);
    return;
  case Kind::Absolute:
    node.lower = 0;
    if (lowerA && upperA)
      node.upper = std::max(-*lowerA, *upperA);
    return;
  case Kind::Select:
    if (lowerA && lowerB)
      node.lower = std::min(*lowerA, *lowerB);
    if (upperA && upperB)
      node.upper = std::max(*upperA, *upperB);
    return;
  case Kind::Product:
    if (lowerA && lowerB && *lowerA >= 0 && *lowerB >= 0)
      node.lower = 0;
    return;
  case Kind::Multiple:
    if (lowerA && *lowerA >= 0 && emitter.isKnownNonNegative(node.divisor))
      node.lower = 0;
    return;
  case Kind::Remainder:
    if (lowerA)
      node.lower = std::min<int64_t>(*lowerA, 0);
    if (upperA)
      node.upper = std::max<int64_t>(*upperA, 0);
    return;
  case Kind::Order:
    node.lower = -1;
    node.upper = 1;
    return;
  case Kind::Opaque:
    return;
  }
}

bool MaskExprContext::isKnownNonNegative(const MaskLinear &value) {
  if (value.isUniform())
    return emitter.isKnownNonNegative(value.offset);
  Bound lower = getBounds(getAffine(value)).first;
  return lower && *lower >= 0;
}

MaskBounds MaskExprContext::getStaticBounds(const MaskLinear &value) {
  MaskAffine affine = getAffine(value);
  if (!value.offset.isConstant())
    affine.offset = 0;
  return getBounds(affine);
}

} // namespace attn
