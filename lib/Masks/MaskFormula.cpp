//===- MaskFormula.cpp - Formulas over intervals of nodes -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Masks/MaskExpr.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace attn {

MaskFormula *MaskExprContext::create(MaskFormula::Kind kind) {
  formulas.emplace_back(kind);
  return &formulas.back();
}

MaskFormula *MaskExprContext::getTruth(Scalar truth) {
  if (truth.isConstant())
    return create(truth.getConstant() ? MaskFormula::Kind::True
                                      : MaskFormula::Kind::False);
  MaskFormula *formula = create(MaskFormula::Kind::Truth);
  formula->truth = truth;
  return formula;
}

MaskFormula *MaskExprContext::combine(MaskFormula::Kind kind,
                                      ArrayRef<MaskFormula *> children) {
  bool isAnd = kind == MaskFormula::Kind::And;
  MaskFormula::Kind neutral =
      isAnd ? MaskFormula::Kind::True : MaskFormula::Kind::False;
  MaskFormula::Kind absorbing =
      isAnd ? MaskFormula::Kind::False : MaskFormula::Kind::True;
  SmallVector<MaskFormula *> flat;
  for (MaskFormula *child : children) {
    if (child->kind == absorbing)
      return child;
    if (child->kind == neutral)
      continue;
    ArrayRef<MaskFormula *> parts =
        child->kind == kind ? ArrayRef<MaskFormula *>(child->children)
                            : ArrayRef<MaskFormula *>(child);
    for (MaskFormula *part : parts)
      if (!llvm::is_contained(flat, part))
        flat.push_back(part);
  }
  if (flat.empty())
    return create(neutral);
  if (flat.size() == 1)
    return flat.front();
  MaskFormula *formula = create(kind);
  formula->children = std::move(flat);
  return formula;
}

MaskFormula *MaskExprContext::conjoin(ArrayRef<MaskFormula *> children) {
  return combine(MaskFormula::Kind::And, children);
}

MaskFormula *MaskExprContext::disjoin(ArrayRef<MaskFormula *> children) {
  return combine(MaskFormula::Kind::Or, children);
}

MaskFormula *MaskExprContext::getLiteral(const MaskLinear &value,
                                         std::optional<Scalar> lower,
                                         std::optional<Scalar> upper) {
  auto decide = [&](Scalar lhs, Scalar rhs) {
    return getTruth(emitter.isLessEqual(lhs, rhs));
  };
  if (value.isUniform())
    return conjoin({lower ? decide(*lower, value.offset) : getTruth(1),
                    upper ? decide(value.offset, *upper) : getTruth(1)});
  for (const MaskLinear::Term &term : value.terms)
    if (term.node->kind == MaskNode::Kind::Opaque && !term.node->read)
      return getTruth(1);

  // lower <= scale * node + offset <= upper, solved for the node.
  MaskAffine affine = getAffine(value);
  auto relative = [&](std::optional<Scalar> bound) -> std::optional<Scalar> {
    if (!bound)
      return std::nullopt;
    return affine.scale < 0 ? emitter.subtract(affine.offset, *bound)
                            : emitter.subtract(*bound, affine.offset);
  };
  std::optional<Scalar> least = relative(lower), most = relative(upper);
  if (affine.scale < 0)
    std::swap(least, most);
  int64_t magnitude = std::abs(affine.scale);
  if (least)
    least = emitter.ceilDivide(*least, magnitude);
  if (most)
    most = emitter.floorDivide(*most, magnitude);

  MaskNode *node = affine.node;
  if (least && most && least->isConstant() && most->isConstant() &&
      least->getConstant() > most->getConstant())
    return getTruth(0);
  if (least && least->isConstant()) {
    if (node->upper && least->getConstant() > *node->upper)
      return getTruth(0);
    if (node->lower && least->getConstant() <= *node->lower)
      least.reset();
  }
  if (most && most->isConstant()) {
    if (node->lower && most->getConstant() < *node->lower)
      return getTruth(0);
    if (node->upper && most->getConstant() >= *node->upper)
      most.reset();
  }
  if (!least && !most)
    return getTruth(1);
  MaskFormula *literal = create(MaskFormula::Kind::Literal);
  literal->node = node;
  literal->lower = least;
  literal->upper = most;
  return literal;
}

/// Says how a condition on k * max(a, b) + rest, say, follows from conditions
/// on k * a + rest and k * b + rest. Two-sided conditions are split at
/// selections and remainders only.
MaskFormula *MaskExprContext::splitSummand(
    const MaskLinear &value, bool isTwoSided,
    llvm::function_ref<MaskFormula *(const MaskLinear &)> test) {
  for (auto [index, term] : llvm::enumerate(value.terms)) {
    MaskNode *node = term.node;
    int64_t factor = term.coefficient;
    bool isExtremum = node->kind == Kind::Minimum ||
                      node->kind == Kind::Maximum ||
                      node->kind == Kind::Absolute;
    if (node->kind != Kind::Select && node->kind != Kind::Remainder &&
        !(isExtremum && !isTwoSided))
      continue;
    MaskLinear rest = value;
    rest.terms.erase(rest.terms.begin() + index);
    auto testWith = [&](const MaskLinear &part) {
      return test(add(rest, scale(part, factor)));
    };
    MaskLinear a = getLinear(node->a);
    if (node->kind == Kind::Remainder) {
      // The sign of a remainder is the numerator's.
      MaskLinear opposite = scale(a, -1);
      Scalar divisor = node->divisor;
      return disjoin(
          {conjoin({isNonNegative(a, 1), testWith(modulo(a, divisor))}),
           conjoin({isNonNegative(add(opposite, getUniform(-1)), 1),
                    testWith(scale(modulo(opposite, divisor), -1))})});
    }
    if (node->kind == Kind::Select)
      return disjoin({conjoin({node->condition, testWith(a)}),
                      conjoin({node->inverse, testWith(getLinear(node->b))})});
    MaskLinear b =
        node->kind == Kind::Absolute ? scale(a, -1) : getLinear(node->b);
    bool isMaximum = node->kind != Kind::Minimum;
    MaskFormula *first = testWith(a), *second = testWith(b);
    return isMaximum == (factor > 0) ? disjoin({first, second})
                                     : conjoin({first, second});
  }
  return nullptr;
}

MaskFormula *MaskExprContext::isNonNegative(const MaskLinear &value,
                                            unsigned budget) {
  if (budget > 0)
    if (MaskFormula *split = splitSummand(
            value, /*isTwoSided=*/false, [&](const MaskLinear &part) {
              return isNonNegative(part, budget - 1);
            }))
      return split;
  return getLiteral(value, Scalar(0), std::nullopt);
}

MaskFormula *MaskExprContext::isZero(const MaskLinear &value, unsigned budget) {
  // A remainder is zero whatever the sign of the numerator.
  if (value.terms.size() == 1 && value.offset.isConstant(0)) {
    MaskNode *node = value.terms.front().node;
    if (node->kind == Kind::Remainder)
      return isZero(modulo(getLinear(node->a), node->divisor), budget);
  }
  if (budget > 0) {
    if (MaskFormula *split = splitSummand(
            value, /*isTwoSided=*/true,
            [&](const MaskLinear &part) { return isZero(part, budget - 1); }))
      return split;
    for (const MaskLinear::Term &term : value.terms)
      if (term.node->kind == Kind::Minimum ||
          term.node->kind == Kind::Maximum || term.node->kind == Kind::Absolute)
        return conjoin({isNonNegative(value, budget),
                        isNonNegative(scale(value, -1), budget)});
  }
  return getLiteral(value, Scalar(0), Scalar(0));
}

MaskFormula *MaskExprContext::isNonZero(const MaskLinear &value) {
  if (value.terms.size() == 1 && value.offset.isConstant(0)) {
    MaskNode *node = value.terms.front().node;
    if (node->kind == Kind::Remainder)
      return isNonZero(modulo(getLinear(node->a), node->divisor));
  }
  return disjoin({isNonNegative(add(value, getUniform(-1))),
                  isNonNegative(add(scale(value, -1), getUniform(-1)))});
}

MaskFormula *MaskExprContext::isOrdered(const MaskLinear &lhs,
                                        const MaskLinear &rhs, int64_t lower,
                                        int64_t upper) {
  if (lhs.isUniform() && !rhs.isUniform())
    return isOrdered(rhs, lhs, -upper, -lower);
  auto isConstant = [](const MaskLinear &value) {
    return value.isUniform() && value.offset.isConstant();
  };
  if (isConstant(rhs)) {
    auto getBound = [&](bool isKnown, int64_t by) -> std::optional<Scalar> {
      if (!isKnown)
        return std::nullopt;
      return emitter.add(rhs.offset, by);
    };
    return getLiteral(lhs, getBound(lower >= 0, lower),
                      getBound(upper <= 0, upper));
  }
  for (const MaskLinear &side : {lhs, rhs})
    for (const MaskLinear::Term &term : side.terms)
      if (term.node->kind == MaskNode::Kind::Opaque && !term.node->read)
        return getTruth(1);
  MaskNode order(Kind::Order);
  order.a = getAffine(lhs);
  order.b = getAffine(rhs);
  return getLiteral(getLinear(intern(std::move(order))), Scalar(lower),
                    Scalar(upper));
}

} // namespace attn
