//===- MaskExpr.cpp - Linear forms and nodes of masks -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Masks/MaskExpr.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;

namespace attn {

/// Coefficients and constants beyond these make a value opaque, so that no
/// bound overflows.
static constexpr int64_t maxCoefficient = int64_t(1) << 20;
static constexpr int64_t maxConstant = int64_t(1) << 40;
/// Searches take time for each tile of rows.
static constexpr size_t maxSearches = 4;

static bool isWithin(int64_t value, int64_t limit) {
  return -limit <= value && value <= limit;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

MaskNode *MaskExprContext::intern(MaskNode node) {
  std::vector<int64_t> key{int64_t(node.kind), node.dimension};
  auto addScalar = [&](Scalar scalar) {
    key.push_back(
        reinterpret_cast<intptr_t>(scalar.getValue().getAsOpaquePointer()));
    key.push_back(scalar.getConstant());
  };
  for (const MaskLinear::Term &term : node.terms) {
    key.push_back(term.node->id);
    key.push_back(term.coefficient);
  }
  for (const MaskAffine &affine : {node.a, node.b}) {
    key.push_back(affine.node ? affine.node->id : -1);
    key.push_back(affine.scale);
    addScalar(affine.offset);
  }
  addScalar(node.divisor);
  addScalar(node.divisorIsPositive);
  key.push_back(reinterpret_cast<intptr_t>(node.condition));
  key.push_back(reinterpret_cast<intptr_t>(node.inverse));
  MaskNode *&known = uniqueNodes[key];
  if (known)
    return known;

  if (node.kind == Kind::Dimension)
    node.dimensions = uint64_t(1) << std::min(node.dimension, 63u);
  node.isPeriodic |= node.kind == Kind::Modulo || node.kind == Kind::Remainder;
  auto include = [&](const MaskNode *part) {
    if (!part)
      return;
    node.dimensions |= part->dimensions;
    node.isPeriodic |= part->isPeriodic;
    node.isSearched |= part->isSearched;
    node.isWide |= part->isWide && node.kind != Kind::Order;
  };
  for (const MaskLinear::Term &term : node.terms)
    include(term.node);
  include(node.a.node);
  include(node.b.node);
  // Conditions are not looked through: they may depend on any position.
  if (node.kind == Kind::Opaque || node.kind == Kind::Select)
    node.dimensions = ~uint64_t(0);
  inferBounds(node);
  node.id = nodes.size();
  nodes.push_back(std::move(node));
  return known = &nodes.back();
}

MaskAffine MaskExprContext::getAffine(const MaskLinear &value) {
  if (value.terms.empty())
    return {nullptr, 0, value.offset};
  int64_t factor = 0;
  for (const MaskLinear::Term &term : value.terms)
    factor = std::gcd(factor, term.coefficient);
  if (value.terms.front().coefficient < 0)
    factor = -factor;
  if (value.terms.size() == 1)
    return {value.terms.front().node, factor, value.offset};
  MaskNode form(Kind::Form);
  for (const MaskLinear::Term &term : value.terms)
    form.terms.push_back({term.node, term.coefficient / factor});
  return {intern(std::move(form)), factor, value.offset};
}

MaskLinear MaskExprContext::getLinear(MaskNode *node) {
  return {{{node, 1}}, 0};
}

MaskLinear MaskExprContext::getLinear(const MaskAffine &value) {
  if (!value.node)
    return getUniform(value.offset);
  MaskLinear inner;
  if (value.node->kind == Kind::Form)
    inner.terms = value.node->terms;
  else
    inner = getLinear(value.node);
  for (MaskLinear::Term &term : inner.terms)
    term.coefficient *= value.scale;
  inner.offset = value.offset;
  return inner;
}

bool MaskExprContext::isWide(const MaskLinear &value) {
  return llvm::any_of(value.terms, [](const MaskLinear::Term &term) {
    return term.node->isWide;
  });
}

MaskLinear MaskExprContext::limit(MaskLinear value) {
  if (isWide(value) &&
      (value.terms.size() != 1 || value.terms.front().coefficient != 1 ||
       !value.offset.isConstant(0)))
    return getOpaque();
  if (value.offset.isConstant() &&
      !isWithin(value.offset.getConstant(), maxConstant))
    return getOpaque();
  for (const MaskLinear::Term &term : value.terms)
    if (!isWithin(term.coefficient, maxCoefficient))
      return getOpaque();
  return value;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

MaskLinear MaskExprContext::getDimension(unsigned dimension,
                                         std::optional<int64_t> last) {
  MaskNode prototype(Kind::Dimension);
  prototype.dimension = dimension;
  MaskNode *node = intern(std::move(prototype));
  if (last)
    node->upper = last;
  return getLinear(node);
}

MaskLinear MaskExprContext::getOpaque(Value value) {
  MaskNode prototype(Kind::Opaque);
  prototype.divisor = value;
  if (!value)
    prototype.divisor = int64_t(++numOpaque);
  MaskNode *node = intern(std::move(prototype));
  auto type = value ? dyn_cast<IntegerType>(value.getType()) : IntegerType();
  if (type && type.getWidth() <= 32 && !node->read) {
    node->lower = llvm::minIntN(type.getWidth());
    node->upper = llvm::maxIntN(type.getWidth());
  }
  return getLinear(node);
}

MaskLinear MaskExprContext::getRead(Value value, MaskRead read) {
  MaskLinear result = getOpaque(value);
  MaskNode *node = result.terms.front().node;
  if (node->read)
    return result;
  node->dimensions = uint64_t(1) << std::min(read.dimension, 63u);
  node->isSearched = isSearched(read);
  node->isWide = !node->lower;
  if (value.getType().isInteger(1))
    std::tie(node->lower, node->upper) = MaskBounds(0, 1);
  reads.push_back(std::move(read));
  node->read = &reads.back();
  return result;
}

MaskInterval MaskExprContext::getReadBounds(const MaskNode *node,
                                            const MaskBox &box) {
  auto [known, inserted] = readBounds.try_emplace(node);
  if (inserted) {
    known->second = emitReadBounds(emitter, *node->read,
                                   box.lookup(node->read->dimension));
    emitter.countOps(16);
  }
  return known->second;
}

MaskInterval MaskExprContext::getReadHull(const MaskNode *node,
                                          const MaskInterval &values,
                                          const MaskInterval &positions) {
  for (const Search &search : searches)
    if (search.node == node && search.values == values &&
        search.positions == positions)
      return search.hull;
  if (searches.size() == maxSearches ||
      !node->read->summaries->canSummarize(node->read->table))
    return {};
  MaskInterval hull =
      emitReadHull(emitter, *node->read, values, positions);
  emitter.countOps(64);
  searches.push_back({node, values, positions, hull});
  return hull;
}

MaskLinear MaskExprContext::add(const MaskLinear &lhs, const MaskLinear &rhs) {
  MaskLinear sum;
  sum.offset = emitter.add(lhs.offset, rhs.offset);
  auto *l = lhs.terms.begin(), *r = rhs.terms.begin();
  while (l != lhs.terms.end() || r != rhs.terms.end()) {
    if (r == rhs.terms.end() ||
        (l != lhs.terms.end() && l->node->id < r->node->id)) {
      sum.terms.push_back(*l++);
    } else if (l == lhs.terms.end() || r->node->id < l->node->id) {
      sum.terms.push_back(*r++);
    } else {
      if (int64_t total = l->coefficient + r->coefficient)
        sum.terms.push_back({l->node, total});
      ++l, ++r;
    }
  }
  return limit(std::move(sum));
}

MaskLinear MaskExprContext::subtract(const MaskLinear &lhs,
                                     const MaskLinear &rhs) {
  return add(lhs, scale(rhs, -1));
}

MaskLinear MaskExprContext::scale(const MaskLinear &value, int64_t factor) {
  if (factor == 0)
    return getUniform(0);
  if (!isWithin(factor, value.isUniform() ? maxConstant : maxCoefficient) ||
      (value.offset.isConstant() && !isWithin(factor, maxCoefficient) &&
       !isWithin(value.offset.getConstant(), maxCoefficient)))
    return getOpaque();
  MaskLinear product = value;
  for (MaskLinear::Term &term : product.terms)
    term.coefficient *= factor;
  product.offset = emitter.multiply(value.offset, factor);
  return limit(std::move(product));
}

MaskLinear MaskExprContext::multiply(const MaskLinear &lhs,
                                     const MaskLinear &rhs) {
  if (isWide(lhs) || isWide(rhs))
    return getOpaque();
  for (auto [value, factor] : {std::pair(&lhs, &rhs), std::pair(&rhs, &lhs)}) {
    if (!factor->isUniform())
      continue;
    if (factor->offset.isConstant())
      return scale(*value, factor->offset.getConstant());
    if (value->isUniform())
      return getUniform(emitter.multiply(value->offset, factor->offset));
    MaskNode multiple(Kind::Multiple);
    multiple.a = getAffine({value->terms, 0});
    multiple.divisor = factor->offset;
    return add(getLinear(intern(std::move(multiple))),
               getUniform(emitter.multiply(value->offset, factor->offset)));
  }
  MaskNode product(Kind::Product);
  product.a = getAffine(lhs);
  product.b = getAffine(rhs);
  return getLinear(intern(std::move(product)));
}

//===----------------------------------------------------------------------===//
// Divisions
//===----------------------------------------------------------------------===//

static bool isRemainder(MaskNode::Kind kind) {
  return kind == MaskNode::Kind::Modulo || kind == MaskNode::Kind::Remainder;
}

/// f(min(x, y)) is min(f(x), f(y)) for quotients f, which are monotone; and
/// selections commute with everything.
std::optional<MaskLinear> MaskExprContext::divideInside(Kind kind,
                                                        const MaskLinear &value,
                                                        Scalar divisor,
                                                        unsigned budget) {
  if (budget == 0 || value.terms.size() != 1)
    return std::nullopt;
  MaskNode *node = value.terms.front().node;
  int64_t factor = value.terms.front().coefficient;
  Kind inner = node->kind;
  bool isExtremum = inner == Kind::Minimum || inner == Kind::Maximum ||
                    inner == Kind::Absolute;
  // The order of quotients by a divisor of unknown sign is not known.
  if (inner != Kind::Select &&
      (!isExtremum || isRemainder(kind) || !divisor.isConstant()))
    return std::nullopt;
  MaskLinear a = getLinear(node->a);
  MaskLinear b = inner == Kind::Absolute ? scale(a, -1) : getLinear(node->b);
  auto apply = [&](const MaskLinear &part) {
    return divide(kind, add(scale(part, factor), getUniform(value.offset)),
                  divisor, budget - 1);
  };
  MaskLinear first = apply(a), second = apply(b);
  if (inner == Kind::Select)
    return select(node->condition, node->inverse, first, second);
  bool isMaximum = inner != Kind::Minimum;
  return extremum(isMaximum == (factor > 0) ? Kind::Maximum : Kind::Minimum,
                  first, second);
}

MaskLinear MaskExprContext::divide(Kind kind, const MaskLinear &value,
                                   Scalar divisor, unsigned budget) {
  if (isWide(value))
    return getOpaque();
  if (divisor.isConstant()) {
    int64_t constant = divisor.getConstant();
    if (!isWithin(constant, maxConstant) || constant == 0)
      return getOpaque();
    if (constant < 0) {
      if (kind == Kind::Modulo)
        return getOpaque();
      if (kind == Kind::Remainder)
        return divide(kind, value, -constant, budget);
      return divide(kind, scale(value, -1), -constant, budget);
    }
    if (constant == 1)
      return isRemainder(kind) ? getUniform(0) : value;
  }
  if (isKnownNonNegative(value)) {
    if (kind == Kind::TruncatingDivide)
      kind = Kind::FloorDivide;
    else if (kind == Kind::Remainder)
      kind = Kind::Modulo;
  }
  if (std::optional<MaskLinear> inside =
          divideInside(kind, value, divisor, budget))
    return *inside;

  // floor((c x + y) / c) is x + floor(y / c), and (c x + y) mod c is y mod c.
  MaskLinear numerator = value, whole;
  bool roundsDown = kind == Kind::FloorDivide || kind == Kind::Modulo;
  if (divisor.isConstant() && roundsDown) {
    int64_t constant = divisor.getConstant();
    numerator.terms.clear();
    for (const MaskLinear::Term &term : value.terms) {
      if (term.coefficient % constant == 0)
        whole.terms.push_back({term.node, term.coefficient / constant});
      else
        numerator.terms.push_back(term);
    }
    if (value.offset.isConstant()) {
      whole.offset = emitter.floorDivide(value.offset, constant);
      numerator.offset =
          value.offset.getConstant() - whole.offset.getConstant() * constant;
    }
    if (kind == Kind::Modulo)
      whole = getUniform(0);
    if (numerator.isUniform()) {
      Scalar quotient = emitter.floorDivide(numerator.offset, divisor);
      if (kind == Kind::FloorDivide)
        return add(whole, getUniform(quotient));
      return getUniform(emitter.subtract(numerator.offset,
                                         emitter.multiply(quotient, divisor)));
    }
  }
  MaskNode node(kind);
  node.a = getAffine(numerator);
  node.divisor = divisor;
  if (!divisor.isConstant()) {
    // The sign of a divisor changes no remainder.
    Scalar magnitude = divisor;
    if (isRemainder(kind) && !emitter.isKnownNonNegative(divisor))
      magnitude = emitter.maximum(divisor, emitter.negate(divisor));
    node.divisor = emitter.maximum(magnitude, 1);
    if (!isRemainder(kind))
      node.divisorIsPositive = emitter.isLessEqual(1, divisor);
  }
  return add(whole, getLinear(intern(std::move(node))));
}

MaskLinear MaskExprContext::floorDivide(const MaskLinear &value,
                                        Scalar divisor) {
  return divide(Kind::FloorDivide, value, divisor);
}

MaskLinear MaskExprContext::ceilDivide(const MaskLinear &value,
                                       Scalar divisor) {
  if (divisor.isConstant() && divisor.getConstant() > 0)
    return divide(Kind::FloorDivide,
                  add(value, getUniform(divisor.getConstant() - 1)), divisor);
  return scale(divide(Kind::FloorDivide, scale(value, -1), divisor), -1);
}

MaskLinear MaskExprContext::modulo(const MaskLinear &value, Scalar divisor) {
  return divide(Kind::Modulo, value, divisor);
}

MaskLinear MaskExprContext::truncatingDivide(const MaskLinear &value,
                                             Scalar divisor) {
  return divide(Kind::TruncatingDivide, value, divisor);
}

MaskLinear MaskExprContext::remainder(const MaskLinear &value, Scalar divisor) {
  return divide(Kind::Remainder, value, divisor);
}

//===----------------------------------------------------------------------===//
// Minima, maxima, selections
//===----------------------------------------------------------------------===//

MaskLinear MaskExprContext::extremum(Kind kind, const MaskLinear &lhs,
                                     const MaskLinear &rhs) {
  MaskLinear difference = subtract(lhs, rhs);
  if (difference.isUniform()) {
    // max(x + s, x + t) is x + max(s, t).
    Scalar offset = kind == Kind::Minimum
                        ? emitter.minimum(lhs.offset, rhs.offset)
                        : emitter.maximum(lhs.offset, rhs.offset);
    return {lhs.terms, offset};
  }
  if (isKnownNonNegative(difference))
    return kind == Kind::Maximum ? lhs : rhs;
  if (isKnownNonNegative(scale(difference, -1)))
    return kind == Kind::Maximum ? rhs : lhs;
  MaskNode node(kind);
  node.a = getAffine(lhs);
  node.b = getAffine(rhs);
  return getLinear(intern(std::move(node)));
}

MaskLinear MaskExprContext::minimum(const MaskLinear &lhs,
                                    const MaskLinear &rhs) {
  return extremum(Kind::Minimum, lhs, rhs);
}

MaskLinear MaskExprContext::maximum(const MaskLinear &lhs,
                                    const MaskLinear &rhs) {
  return extremum(Kind::Maximum, lhs, rhs);
}

MaskLinear MaskExprContext::absolute(const MaskLinear &value) {
  if (isWide(value))
    return getOpaque();
  if (isKnownNonNegative(value))
    return value;
  if (value.isUniform())
    return getUniform(
        emitter.maximum(value.offset, emitter.negate(value.offset)));
  MaskNode node(Kind::Absolute);
  node.a = getAffine(value);
  return getLinear(intern(std::move(node)));
}

MaskLinear MaskExprContext::select(MaskFormula *condition, MaskFormula *inverse,
                                   const MaskLinear &ifTrue,
                                   const MaskLinear &ifFalse) {
  if (condition->kind == MaskFormula::Kind::False)
    return ifFalse;
  if (inverse->kind == MaskFormula::Kind::False)
    return ifTrue;
  MaskNode node(Kind::Select);
  node.condition = condition;
  node.inverse = inverse;
  node.a = getAffine(ifTrue);
  node.b = getAffine(ifFalse);
  return getLinear(intern(std::move(node)));
}

} // namespace attn
