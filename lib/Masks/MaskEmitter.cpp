//===- MaskEmitter.cpp - Index arithmetic, folded as emitted ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Masks/MaskEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace mlir;

namespace attn {

/// Numbers beyond any position stand for infinity.
static constexpr int64_t infinity = int64_t(1) << 62;

static int64_t addSaturating(int64_t lhs, int64_t rhs) {
  int64_t sum;
  if (llvm::AddOverflow(lhs, rhs, sum))
    return lhs < 0 ? -infinity : infinity;
  return std::clamp(sum, -infinity, infinity);
}

static int64_t multiplySaturating(int64_t lhs, int64_t rhs) {
  int64_t product;
  if (llvm::MulOverflow(lhs, rhs, product))
    return (lhs < 0) != (rhs < 0) ? -infinity : infinity;
  return std::clamp(product, -infinity, infinity);
}

IndexEmitter::IndexEmitter(OpBuilder &builder, Location loc, Block &block)
    : builder(builder), loc(loc), block(block) {}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value IndexEmitter::getConstant(int64_t constant, Type type) {
  Value &value =
      constants[{const_cast<void *>(type.getAsOpaquePointer()), constant}];
  if (!value) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&block);
    TypedAttr attr = type.isIndex()
                         ? TypedAttr(builder.getIndexAttr(constant))
                         : TypedAttr(builder.getBoolAttr(constant != 0));
    value = arith::ConstantOp::create(builder, loc, attr);
  }
  return value;
}

Value IndexEmitter::materialize(Scalar value) {
  return value.isConstant()
             ? getConstant(value.getConstant(), builder.getIndexType())
             : value.getValue();
}

Value IndexEmitter::materializeTruth(Scalar truth) {
  return truth.isConstant()
             ? getConstant(truth.getConstant(), builder.getI1Type())
             : truth.getValue();
}

Scalar IndexEmitter::toIndex(Value value) {
  if (value.getType().isIndex())
    return value;
  Value &cast = casts[value];
  if (!cast) {
    cast =
        arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value);
    ++numOps;
  }
  return cast;
}

Value IndexEmitter::create(Opcode opcode, Scalar a, Scalar b, Scalar c) {
  ++numOps;
  auto compare = [&](arith::CmpIPredicate predicate) -> Value {
    return arith::CmpIOp::create(builder, loc, predicate, materialize(a),
                                 materialize(b));
  };
  switch (opcode) {
  case Opcode::Add:
    return arith::AddIOp::create(builder, loc, materialize(a), materialize(b));
  case Opcode::Subtract:
    return arith::SubIOp::create(builder, loc, materialize(a), materialize(b));
  case Opcode::Multiply:
    return arith::MulIOp::create(builder, loc, materialize(a), materialize(b));
  case Opcode::Minimum:
    return arith::MinSIOp::create(builder, loc, materialize(a), materialize(b));
  case Opcode::Maximum:
    return arith::MaxSIOp::create(builder, loc, materialize(a), materialize(b));
  case Opcode::FloorDivide:
    return arith::FloorDivSIOp::create(builder, loc, materialize(a),
                                       materialize(b));
  case Opcode::CeilDivide:
    return arith::CeilDivSIOp::create(builder, loc, materialize(a),
                                      materialize(b));
  case Opcode::TruncatingDivide:
    return arith::DivSIOp::create(builder, loc, materialize(a), materialize(b));
  case Opcode::LessEqual:
    return compare(arith::CmpIPredicate::sle);
  case Opcode::Less:
    return compare(arith::CmpIPredicate::slt);
  case Opcode::Equal:
    return compare(arith::CmpIPredicate::eq);
  case Opcode::NotEqual:
    return compare(arith::CmpIPredicate::ne);
  case Opcode::And:
    return arith::AndIOp::create(builder, loc, materializeTruth(a),
                                 materializeTruth(b));
  case Opcode::Or:
    return arith::OrIOp::create(builder, loc, materializeTruth(a),
                                materializeTruth(b));
  case Opcode::Not:
    return arith::XOrIOp::create(builder, loc, materializeTruth(a),
                                 materializeTruth(1));
  case Opcode::Select:
    return arith::SelectOp::create(builder, loc, materializeTruth(a),
                                   materialize(b), materialize(c));
  }
  return {};
}

Scalar IndexEmitter::emit(Opcode opcode, Scalar a, Scalar b, Scalar c) {
  auto pointer = [](Scalar s) { return s.getValue().getAsOpaquePointer(); };
  Key key{int(opcode),     pointer(a), a.getConstant(), pointer(b),
          b.getConstant(), pointer(c), c.getConstant()};
  auto [it, inserted] = emitted.try_emplace(key);
  if (inserted) {
    it->second = create(opcode, a, b, c);
    definitions[it->second] = {opcode, {a, b, c}};
  }
  return it->second;
}

std::optional<IndexEmitter::Definition>
IndexEmitter::getDefinition(Scalar value, Opcode opcode) const {
  if (value.isConstant())
    return std::nullopt;
  auto it = definitions.find(value.getValue());
  if (it == definitions.end() || it->second.opcode != opcode)
    return std::nullopt;
  return it->second;
}

std::pair<Scalar, int64_t> IndexEmitter::split(Scalar value) const {
  if (value.isConstant())
    return {Scalar(0), value.getConstant()};
  if (std::optional<Definition> sum = getDefinition(value, Opcode::Add))
    if (sum->operands[1].isConstant())
      return {sum->operands[0], sum->operands[1].getConstant()};
  return {value, 0};
}

//===----------------------------------------------------------------------===//
// What is known
//===----------------------------------------------------------------------===//

bool IndexEmitter::isKnownNonNegative(Scalar value) const {
  if (value.isConstant())
    return value.getConstant() >= 0;
  if (nonNegative.contains(value.getValue()))
    return true;
  auto [base, offset] = split(value);
  return offset > 0 && !base.isConstant() &&
         nonNegative.contains(base.getValue());
}

std::optional<bool> IndexEmitter::decideLessEqual(Scalar lhs, Scalar rhs,
                                                  unsigned depth) const {
  auto [lhsBase, lhsOffset] = split(lhs);
  auto [rhsBase, rhsOffset] = split(rhs);
  if (lhsBase == rhsBase)
    return lhsOffset <= rhsOffset;
  if (lhsBase.isConstant() && isKnownNonNegative(rhsBase) &&
      lhsOffset <= rhsOffset)
    return true;
  if (rhsBase.isConstant() && isKnownNonNegative(lhsBase) &&
      lhsOffset > rhsOffset)
    return false;
  if (!lhsBase.isConstant() && !rhsBase.isConstant()) {
    if (lhsOffset <= rhsOffset &&
        lessEqual.contains({lhsBase.getValue(), rhsBase.getValue()}))
      return true;
    if (lhsOffset > rhsOffset &&
        lessEqual.contains({rhsBase.getValue(), lhsBase.getValue()}))
      return false;
  }
  if (depth == 0)
    return std::nullopt;
  auto holds = [&](Scalar a, Scalar b) {
    return decideLessEqual(a, b, depth - 1) == true;
  };
  if (std::optional<Definition> min = getDefinition(lhs, Opcode::Minimum))
    if (holds(min->operands[0], rhs) || holds(min->operands[1], rhs))
      return true;
  if (std::optional<Definition> max = getDefinition(rhs, Opcode::Maximum))
    if (holds(lhs, max->operands[0]) || holds(lhs, max->operands[1]))
      return true;
  if (std::optional<Definition> max = getDefinition(lhs, Opcode::Maximum))
    if (holds(max->operands[0], rhs) && holds(max->operands[1], rhs))
      return true;
  if (std::optional<Definition> min = getDefinition(rhs, Opcode::Minimum))
    if (holds(lhs, min->operands[0]) && holds(lhs, min->operands[1]))
      return true;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Scalar IndexEmitter::add(Scalar lhs, Scalar rhs) {
  auto [lhsBase, lhsOffset] = split(lhs);
  auto [rhsBase, rhsOffset] = split(rhs);
  int64_t offset = addSaturating(lhsOffset, rhsOffset);
  if (lhsBase.isConstant() && rhsBase.isConstant())
    return offset;
  if (lhsBase.isConstant() || rhsBase.isConstant()) {
    Scalar base = lhsBase.isConstant() ? rhsBase : lhsBase;
    if (std::optional<Definition> difference =
            getDefinition(base, Opcode::Subtract))
      if (difference->operands[0].isConstant())
        return subtract(
            addSaturating(difference->operands[0].getConstant(), offset),
            difference->operands[1]);
    return offset == 0 ? base : emit(Opcode::Add, base, offset);
  }
  for (auto [a, b] : {std::pair(lhsBase, rhsBase), std::pair(rhsBase, lhsBase)})
    if (std::optional<Definition> difference =
            getDefinition(b, Opcode::Subtract))
      if (difference->operands[0].isConstant())
        return add(
            subtract(a, difference->operands[1]),
            addSaturating(difference->operands[0].getConstant(), offset));
  return add(emit(Opcode::Add, lhsBase, rhsBase), offset);
}

/// A sum with a symbol could exceed its type where the minimum does not: only
/// into positions and constants, and where an offset is undone.
Scalar IndexEmitter::incrementInside(Scalar value) {
  auto isSafe = [&](Scalar operand) {
    auto [base, offset] = split(operand);
    return operand.isConstant() || offset < 0 ||
           nonNegative.contains(base.getValue());
  };
  for (Opcode opcode : {Opcode::Minimum, Opcode::Maximum})
    if (std::optional<Definition> def = getDefinition(value, opcode))
      if (isSafe(def->operands[0]) && isSafe(def->operands[1]))
        return extremum(opcode, incrementInside(def->operands[0]),
                        incrementInside(def->operands[1]));
  return add(value, 1);
}

Scalar IndexEmitter::subtract(Scalar lhs, Scalar rhs) {
  auto [lhsBase, lhsOffset] = split(lhs);
  auto [rhsBase, rhsOffset] = split(rhs);
  int64_t offset = addSaturating(lhsOffset, -rhsOffset);
  if (lhsBase == rhsBase)
    return offset;
  if (rhsBase.isConstant())
    return add(lhsBase, offset);
  if (std::optional<Definition> difference =
          getDefinition(rhsBase, Opcode::Subtract))
    if (difference->operands[0].isConstant())
      return add(add(lhsBase, difference->operands[1]),
                 addSaturating(offset, -difference->operands[0].getConstant()));
  if (lhsBase.isConstant())
    return emit(Opcode::Subtract, offset, rhsBase);
  return add(emit(Opcode::Subtract, lhsBase, rhsBase), offset);
}

Scalar IndexEmitter::multiply(Scalar lhs, Scalar rhs) {
  if (lhs.isConstant())
    std::swap(lhs, rhs);
  if (!rhs.isConstant())
    return emit(Opcode::Multiply, lhs, rhs);
  int64_t factor = rhs.getConstant();
  if (lhs.isConstant())
    return multiplySaturating(lhs.getConstant(), factor);
  if (factor == 0)
    return 0;
  if (factor == 1)
    return lhs;
  if (factor == -1)
    return subtract(0, lhs);
  auto [base, offset] = split(lhs);
  Scalar product = emit(Opcode::Multiply, base, factor);
  if (factor > 0 && isKnownNonNegative(base))
    nonNegative.insert(product.getValue());
  return add(product, multiplySaturating(offset, factor));
}

Scalar IndexEmitter::extremum(Opcode opcode, Scalar lhs, Scalar rhs) {
  bool isMinimum = opcode == Opcode::Minimum;
  for (auto [a, b] : {std::pair(lhs, rhs), std::pair(rhs, lhs)}) {
    if (std::optional<bool> order = decideLessEqual(a, b))
      return *order == isMinimum ? a : b;
  }
  if (lhs.isConstant())
    std::swap(lhs, rhs);
  if (rhs.isConstant())
    if (std::optional<Definition> inner = getDefinition(lhs, opcode))
      if (inner->operands[1].isConstant()) {
        int64_t a = inner->operands[1].getConstant(), b = rhs.getConstant();
        return extremum(opcode, inner->operands[0],
                        isMinimum ? std::min(a, b) : std::max(a, b));
      }
  Scalar result = emit(opcode, lhs, rhs);
  bool lhsSign = isKnownNonNegative(lhs), rhsSign = isKnownNonNegative(rhs);
  if (isMinimum ? lhsSign && rhsSign : lhsSign || rhsSign)
    nonNegative.insert(result.getValue());
  return result;
}

Scalar IndexEmitter::minimum(Scalar lhs, Scalar rhs) {
  return extremum(Opcode::Minimum, lhs, rhs);
}

Scalar IndexEmitter::maximum(Scalar lhs, Scalar rhs) {
  return extremum(Opcode::Maximum, lhs, rhs);
}

Scalar IndexEmitter::floorDivide(Scalar lhs, Scalar rhs) {
  if (rhs.isConstant(1))
    return lhs;
  if (lhs.isConstant() && rhs.isConstant())
    return llvm::divideFloorSigned(lhs.getConstant(), rhs.getConstant());
  if (rhs.isConstant())
    if (std::optional<Definition> product =
            getDefinition(lhs, Opcode::Multiply))
      if (product->operands[1] == rhs)
        return product->operands[0];
  Scalar result = emit(Opcode::FloorDivide, lhs, rhs);
  if (isKnownNonNegative(lhs))
    nonNegative.insert(result.getValue());
  return result;
}

Scalar IndexEmitter::ceilDivide(Scalar lhs, Scalar rhs) {
  if (rhs.isConstant(1))
    return lhs;
  if (lhs.isConstant() && rhs.isConstant())
    return llvm::divideCeilSigned(lhs.getConstant(), rhs.getConstant());
  Scalar result = emit(Opcode::CeilDivide, lhs, rhs);
  if (isKnownNonNegative(lhs))
    nonNegative.insert(result.getValue());
  return result;
}

Scalar IndexEmitter::truncatingDivide(Scalar lhs, Scalar rhs) {
  if (rhs.isConstant(1))
    return lhs;
  if (lhs.isConstant() && rhs.isConstant())
    return lhs.getConstant() / rhs.getConstant();
  return emit(Opcode::TruncatingDivide, lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Truth
//===----------------------------------------------------------------------===//

Scalar IndexEmitter::isLessEqual(Scalar lhs, Scalar rhs) {
  if (std::optional<bool> order = decideLessEqual(lhs, rhs))
    return *order;
  // What bounds one side from within need not be compared.
  if (std::optional<Definition> max = getDefinition(lhs, Opcode::Maximum))
    for (unsigned i : {0, 1})
      if (decideLessEqual(max->operands[i], rhs) == true)
        return isLessEqual(max->operands[1 - i], rhs);
  if (std::optional<Definition> min = getDefinition(rhs, Opcode::Minimum))
    for (unsigned i : {0, 1})
      if (decideLessEqual(lhs, min->operands[i]) == true)
        return isLessEqual(lhs, min->operands[1 - i]);
  // x - y <= c and c <= x - y compare x with y.
  auto [lhsBase, lhsOffset] = split(lhs);
  auto [rhsBase, rhsOffset] = split(rhs);
  if (rhsBase.isConstant())
    if (std::optional<Definition> difference =
            getDefinition(lhsBase, Opcode::Subtract))
      return isLessEqual(
          difference->operands[0],
          add(difference->operands[1], addSaturating(rhsOffset, -lhsOffset)));
  if (lhsBase.isConstant())
    if (std::optional<Definition> difference =
            getDefinition(rhsBase, Opcode::Subtract))
      return isLessEqual(
          add(difference->operands[1], addSaturating(lhsOffset, -rhsOffset)),
          difference->operands[0]);
  int64_t offset = addSaturating(rhsOffset, -lhsOffset);
  if (lhsBase.isConstant())
    return emit(Opcode::LessEqual, -offset, rhsBase);
  if (rhsBase.isConstant())
    return emit(Opcode::LessEqual, lhsBase, offset);
  if (offset == -1)
    return emit(Opcode::Less, lhsBase, rhsBase);
  return emit(Opcode::LessEqual, lhsBase, add(rhsBase, offset));
}

Scalar IndexEmitter::isLessEqualAsIs(Scalar lhs, Scalar rhs) {
  if (std::optional<bool> order = decideLessEqual(lhs, rhs))
    return *order;
  return emit(Opcode::LessEqual, lhs, rhs);
}

Scalar IndexEmitter::isEqual(Scalar lhs, Scalar rhs) {
  auto [lhsBase, lhsOffset] = split(lhs);
  auto [rhsBase, rhsOffset] = split(rhs);
  if (lhsBase == rhsBase)
    return lhsOffset == rhsOffset;
  return emit(Opcode::Equal, lhs, rhs);
}

Scalar IndexEmitter::conjoin(Scalar lhs, Scalar rhs) {
  if (lhs.isConstant())
    return lhs.getConstant() ? rhs : lhs;
  if (rhs.isConstant())
    return rhs.getConstant() ? lhs : rhs;
  if (std::optional<Definition> inner = getDefinition(lhs, Opcode::And))
    if (inner->operands[0] == rhs || inner->operands[1] == rhs)
      return lhs;
  return lhs == rhs ? lhs : emit(Opcode::And, lhs, rhs);
}

Scalar IndexEmitter::disjoin(Scalar lhs, Scalar rhs) {
  if (lhs.isConstant())
    return lhs.getConstant() ? lhs : rhs;
  if (rhs.isConstant())
    return rhs.getConstant() ? rhs : lhs;
  if (std::optional<Definition> inner = getDefinition(lhs, Opcode::Or))
    if (inner->operands[0] == rhs || inner->operands[1] == rhs)
      return lhs;
  return lhs == rhs ? lhs : emit(Opcode::Or, lhs, rhs);
}

Scalar IndexEmitter::invert(Scalar truth) {
  if (truth.isConstant())
    return truth.getConstant() == 0;
  if (std::optional<Definition> inner = getDefinition(truth, Opcode::Not))
    return inner->operands[0];
  if (std::optional<Definition> order = getDefinition(truth, Opcode::LessEqual))
    return emit(Opcode::Less, order->operands[1], order->operands[0]);
  if (std::optional<Definition> order = getDefinition(truth, Opcode::Less))
    return emit(Opcode::LessEqual, order->operands[1], order->operands[0]);
  if (std::optional<Definition> equal = getDefinition(truth, Opcode::Equal))
    return emit(Opcode::NotEqual, equal->operands[0], equal->operands[1]);
  return emit(Opcode::Not, truth, 0);
}

Scalar IndexEmitter::select(Scalar condition, Scalar ifTrue, Scalar ifFalse) {
  if (condition.isConstant())
    return condition.getConstant() ? ifTrue : ifFalse;
  if (ifTrue == ifFalse)
    return ifTrue;
  Scalar result = emit(Opcode::Select, condition, ifTrue, ifFalse);
  if (isKnownNonNegative(ifTrue) && isKnownNonNegative(ifFalse))
    nonNegative.insert(result.getValue());
  return result;
}

} // namespace attn
