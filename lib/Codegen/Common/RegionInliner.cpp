//===- RegionInliner.cpp - Regions evaluated in lanes -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Common/RegionInliner.h"
#include "attn/IR/GuardDivision.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace attn {

static bool anyVariesByKey(ArrayRef<LaneValue> values) {
  return llvm::any_of(values,
                      [](const LaneValue &value) { return value.variesByKey; });
}

LaneValue RegionInliner::inlineRegion(Region &region,
                                      ArrayRef<LaneValue> arguments,
                                      ArrayRef<LaneValue> positions,
                                      LanePredicate predicate) {
  return inlineBlock(region.front(), arguments, positions, predicate).front();
}

SmallVector<LaneValue> RegionInliner::inlineBlock(Block &body,
                                                  ArrayRef<LaneValue> arguments,
                                                  ArrayRef<LaneValue> positions,
                                                  LanePredicate predicate) {
  llvm::DenseMap<Value, LaneValue> values;
  for (auto [argument, value] :
       llvm::zip_equal(body.getArguments(), arguments))
    values[argument] = value;
  auto lookup = [&](Value value) {
    auto it = values.find(value);
    return it == values.end() ? LaneValue::uniform(value) : it->second;
  };
  for (Operation &op : body.without_terminator()) {
    if (auto index = dyn_cast<IndexOp>(op)) {
      values[index] = positions[index.getDim()];
      continue;
    }
    if (auto index = dyn_cast<linalg::IndexOp>(op)) {
      values[index] = positions[index.getDim()];
      continue;
    }
    SmallVector<LaneValue> operands;
    for (Value operand : op.getOperands())
      operands.push_back(lookup(operand));
    bool variesByKey = anyVariesByKey(operands);
    for (auto [result, value] :
         llvm::zip_equal(op.getResults(), emit(op, operands, predicate))) {
      value.variesByKey = variesByKey;
      values[result] = value;
    }
  }
  return llvm::map_to_vector(body.getTerminator()->getOperands(), lookup);
}

SmallVector<LaneValue> RegionInliner::emit(Operation &op,
                                           ArrayRef<LaneValue> operands,
                                           LanePredicate predicate) {
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return {emitLoad(load, operands.drop_front(), predicate)};
  SmallVector<LaneValue> results;
  if (allUniform(operands)) {
    IRMapping mapping;
    for (auto [operand, value] : llvm::zip_equal(op.getOperands(), operands))
      mapping.map(operand, value.scalar);
    Operation *scalar = b.clone(op, mapping);
    guardDivision(b, scalar);
    for (Value result : scalar->getResults())
      results.push_back(LaneValue::uniform(result));
    return results;
  }
  if (std::optional<LaneValue> affine = emitAffine(op, operands))
    return {*affine};
  if (std::optional<LaneValue> near = emitNear(op, operands))
    return {*near};
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    if (Value result = emitCompare(compare, operands[0], operands[1]))
      return {LaneValue::lanes(result)};

  // Elementwise ops take vectors as they take scalars.
  OperationState state(op.getLoc(), op.getName());
  for (LaneValue operand : operands)
    state.operands.push_back(toVector(operand));
  for (Type type : op.getResultTypes())
    state.addTypes(vectorType(type));
  state.addAttributes(llvm::to_vector(op.getDiscardableAttrs()));
  state.propertiesAttr = op.getPropertiesAsAttribute();
  Operation *vector = b.create(state);
  guardDivision(b, vector);
  for (Value result : vector->getResults())
    results.push_back(LaneValue::lanes(result));
  return results;
}

std::optional<LaneValue>
RegionInliner::emitAffine(Operation &op, ArrayRef<LaneValue> operands) {
  if (!llvm::all_of(operands,
                    [](const LaneValue &value) { return value.isAffine(); }))
    return std::nullopt;
  auto scalar = [&](int64_t stride) -> std::optional<LaneValue> {
    // Far beyond any position: sums and products of strides must not overflow.
    if (std::abs(stride) > int64_t(1) << 32)
      return std::nullopt;
    IRMapping mapping;
    for (auto [operand, value] : llvm::zip_equal(op.getOperands(), operands))
      mapping.map(operand, value.scalar);
    Operation *first = b.clone(op, mapping);
    // The source may not ask for the first lane: it may overflow alone.
    if (auto flags = dyn_cast<arith::ArithIntegerOverflowFlagsInterface>(first))
      first->setAttr(flags.getIntegerOverflowAttrName(),
                     arith::IntegerOverflowFlagsAttr::get(
                         op.getContext(), arith::IntegerOverflowFlags::none));
    LaneValue result = LaneValue::affine(first->getResult(0), stride);
    // A cast as wide as what it casts is no arithmetic.
    Type type = op.getResult(0).getType();
    result.mayWrap =
        !type.isIndex() && !(isa<arith::IndexCastOp>(op) && type.isInteger(64));
    for (const LaneValue &operand : operands)
      result.mayWrap |= operand.mayWrap;
    return result;
  };
  if (isa<arith::AddIOp>(op))
    return scalar(operands[0].stride + operands[1].stride);
  if (isa<arith::SubIOp>(op))
    return scalar(operands[0].stride - operands[1].stride);
  // Sums that wrap do so in whatever is narrower as well, but not in what is
  // wider.
  if (isa<arith::IndexCastOp, arith::TruncIOp>(op) &&
      ConstantIntRanges::getStorageBitwidth(op.getOperand(0).getType()) >= 64)
    return scalar(operands[0].stride);
  if (isa<arith::MulIOp>(op)) {
    for (unsigned i : {0u, 1u}) {
      APInt factor;
      if (operands[i].isUniform() &&
          matchPattern(operands[i].scalar, m_ConstantInt(&factor)) &&
          factor.getSignificantBits() < 24)
        return scalar(operands[1 - i].stride * factor.getSExtValue());
    }
    return std::nullopt;
  }
  return std::nullopt;
}

/// max(a + o, c) with |o| <= R is a' + max(o, e), where a' = max(a, c - R) and
/// e = c - min(a', c + R): |e| <= R as well, whatever a and c are. So is the
/// minimum, mirrored.
std::optional<LaneValue> RegionInliner::emitNear(Operation &op,
                                                 ArrayRef<LaneValue> operands) {
  if (operands.size() != 2 || !op.getResult(0).getType().isIndex())
    return std::nullopt;
  unsigned fixed = operands[1].isUniform() ? 1 : 0;
  if (!operands[fixed].isUniform())
    return std::nullopt;
  std::optional<LaneValue> moving = toNear(operands[1 - fixed]);
  if (!moving)
    return std::nullopt;
  Value base = moving->scalar, bound = operands[fixed].scalar;
  auto moveTo = [&](Value origin) {
    LaneValue moved = *moving;
    moved.scalar = origin;
    return moved;
  };
  if (isa<arith::AddIOp>(op))
    return moveTo(arith::AddIOp::create(b, loc, base, bound));
  if (isa<arith::SubIOp>(op) && fixed == 1)
    return moveTo(arith::SubIOp::create(b, loc, base, bound));
  bool isMax = isa<arith::MaxSIOp>(op);
  if (moving->mayWrap || !(isMax || isa<arith::MinSIOp>(op)))
    return std::nullopt;
  // Bounds next to the ends of the number range would wrap below.
  APInt constant;
  if (!matchPattern(bound, m_ConstantInt(&constant)) ||
      constant.getSignificantBits() > 48)
    return std::nullopt;
  auto least = [&](Value lhs, Value rhs) -> Value {
    return b.createOrFold<arith::MinSIOp>(loc, lhs, rhs);
  };
  auto most = [&](Value lhs, Value rhs) -> Value {
    return b.createOrFold<arith::MaxSIOp>(loc, lhs, rhs);
  };
  Value low = arith::ConstantIndexOp::create(
      b, loc, constant.getSExtValue() - moving->reach);
  Value high = arith::ConstantIndexOp::create(
      b, loc, constant.getSExtValue() + moving->reach);
  Value origin = isMax ? most(base, low) : least(base, high);
  Value rest = arith::SubIOp::create(
      b, loc, bound, isMax ? least(origin, high) : most(origin, low));
  rest =
      broadcast(arith::IndexCastOp::create(b, loc, b.getI32Type(), rest));
  LaneValue clamped = moveTo(origin);
  clamped.offsets =
      isMax ? most(moving->offsets, rest) : least(moving->offsets, rest);
  return clamped;
}

/// a + o < b + p, where o and p are near, iff o - p < b - a, and the right side
/// may be clamped to just beyond what the left can reach. It is by clamping one
/// of a and b to what is near the other, before they are subtracted: the
/// difference of two numbers may wrap.
Value RegionInliner::emitCompare(arith::CmpIOp op, LaneValue lhs,
                                 LaneValue rhs) {
  if (!lhs.scalar || !rhs.scalar || lhs.mayWrap || rhs.mayWrap ||
      !lhs.scalar.getType().isIndex())
    return {};
  using Predicate = arith::CmpIPredicate;
  switch (op.getPredicate()) {
  case Predicate::ult:
  case Predicate::ule:
  case Predicate::ugt:
  case Predicate::uge:
    return {};
  default:
    break;
  }
  Value offsets;
  int64_t reach;
  if (lhs.isAffine() && rhs.isAffine()) {
    LaneValue steps = LaneValue::affine({}, lhs.stride - rhs.stride);
    std::optional<LaneValue> near = toNear(steps);
    if (!near)
      return {};
    offsets = near->offsets;
    reach = near->reach;
  } else {
    std::optional<LaneValue> left = toNear(lhs), right = toNear(rhs);
    if (!left || !right)
      return {};
    offsets = left->offsets;
    if (!rhs.isUniform())
      offsets = arith::SubIOp::create(b, loc, offsets, right->offsets);
    reach = left->reach + right->reach;
  }
  // Bounds that are the same for all key rows are computed once.
  ++reach;
  bool aroundLeft = rhs.variesByKey == lhs.variesByKey
                        ? matchPattern(lhs.scalar, m_Constant())
                        : rhs.variesByKey;
  Value fixed = aroundLeft ? lhs.scalar : rhs.scalar;
  Value other = aroundLeft ? rhs.scalar : lhs.scalar;
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(b, loc, number);
  };
  constexpr int64_t lowest = std::numeric_limits<int64_t>::min();
  constexpr int64_t largest = std::numeric_limits<int64_t>::max();
  Value low =
      b.createOrFold<arith::MaxSIOp>(loc, fixed, constant(lowest + reach));
  low = b.createOrFold<arith::SubIOp>(loc, low, constant(reach));
  Value high =
      b.createOrFold<arith::MinSIOp>(loc, fixed, constant(largest - reach));
  high = b.createOrFold<arith::AddIOp>(loc, high, constant(reach));
  other = arith::MaxSIOp::create(b, loc, other, low);
  other = arith::MinSIOp::create(b, loc, other, high);
  Value difference = aroundLeft ? arith::SubIOp::create(b, loc, other, fixed)
                                : arith::SubIOp::create(b, loc, fixed, other);
  Value narrow =
      arith::IndexCastOp::create(b, loc, b.getI32Type(), difference);
  return arith::CmpIOp::create(b, loc, op.getPredicate(), offsets,
                               broadcast(narrow));
}

LaneValue RegionInliner::emitLoad(memref::LoadOp op,
                                  ArrayRef<LaneValue> indices,
                                  LanePredicate predicate) {
  // One read for all lanes is in bounds if a visible pair asks for it: one of
  // this key row, or, where every key row asks for the same, of the tile.
  if (allUniform(indices) && (!predicate.lanes || !predicate.mayBeEmpty ||
                              !anyVariesByKey(indices))) {
    SmallVector<Value> scalars;
    for (LaneValue index : indices)
      scalars.push_back(index.scalar);
    return LaneValue::uniform(
        memref::LoadOp::create(b, loc, op.getMemRef(), scalars));
  }
  return LaneValue::lanes(
      reader.read(*this, op.getMemRef(), indices, predicate.lanes));
}

} // namespace attn
