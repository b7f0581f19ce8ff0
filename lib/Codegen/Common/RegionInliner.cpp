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
  llvm::DenseMap<Value, LaneValue> values;
  for (auto [argument, value] :
       llvm::zip_equal(region.getArguments(), arguments))
    values[argument] = value;
  auto lookup = [&](Value value) {
    auto it = values.find(value);
    return it == values.end() ? LaneValue::uniform(value) : it->second;
  };
  for (Operation &op : region.front().without_terminator()) {
    if (auto index = dyn_cast<IndexOp>(op)) {
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
  return lookup(region.front().getTerminator()->getOperand(0));
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
    return LaneValue::affine(b.clone(op, mapping)->getResult(0), stride);
  };
  if (isa<arith::AddIOp>(op))
    return scalar(operands[0].stride + operands[1].stride);
  if (isa<arith::SubIOp>(op))
    return scalar(operands[0].stride - operands[1].stride);
  // Sums that wrap do so in whatever is narrower as well, but not in what is
  // wider.
  if (isa<arith::IndexCastOp>(op) &&
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
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    if (Value result = emitCompare(compare, operands[0], operands[1]))
      return LaneValue::lanes(result);
  return std::nullopt;
}

/// max(a + o, c) with |o| <= R is a' + max(o, e), where a' = max(a, c - R) and
/// e = max(c - a', -R): |e| <= R as well, whatever a and c are. So is the
/// minimum, mirrored.
std::optional<LaneValue>
RegionInliner::emitNear(Operation &op, ArrayRef<LaneValue> operands) {
  if (operands.size() != 2 || !op.getResult(0).getType().isIndex())
    return std::nullopt;
  unsigned fixed = operands[1].isUniform() ? 1 : 0;
  if (!operands[fixed].isUniform())
    return std::nullopt;
  std::optional<LaneValue> moving = toNear(operands[1 - fixed]);
  if (!moving)
    return std::nullopt;
  Value base = moving->scalar, bound = operands[fixed].scalar;
  if (isa<arith::AddIOp>(op))
    return LaneValue::near(arith::AddIOp::create(b, loc, base, bound),
                           moving->offsets, moving->reach);
  if (isa<arith::SubIOp>(op) && fixed == 1)
    return LaneValue::near(arith::SubIOp::create(b, loc, base, bound),
                           moving->offsets, moving->reach);
  // Bounds next to the ends of the number range would wrap below.
  APInt constant;
  if (!matchPattern(bound, m_ConstantInt(&constant)) ||
      constant.getSignificantBits() > 48)
    return std::nullopt;
  auto clamp = [&](auto create, int64_t reach) {
    Value limit = arith::ConstantIndexOp::create(b, loc, reach);
    Value nearest = arith::SubIOp::create(b, loc, bound, limit);
    Value origin = create(base, nearest);
    Value rest = arith::SubIOp::create(b, loc, bound, origin);
    Value opposite = arith::ConstantIndexOp::create(b, loc, -reach);
    rest = create(rest, opposite);
    rest = arith::IndexCastOp::create(b, loc, b.getI32Type(), rest);
    Value offsets = create(moving->offsets, broadcast(rest));
    return LaneValue::near(origin, offsets, moving->reach);
  };
  if (isa<arith::MaxSIOp>(op))
    return clamp(
        [&](Value lhs, Value rhs) -> Value {
          return arith::MaxSIOp::create(b, loc, lhs, rhs);
        },
        moving->reach);
  if (isa<arith::MinSIOp>(op))
    return clamp(
        [&](Value lhs, Value rhs) -> Value {
          return arith::MinSIOp::create(b, loc, lhs, rhs);
        },
        -moving->reach);
  return std::nullopt;
}

/// a + s lane < c + t lane  iff  (s - t) lane < c - a, and the right side may
/// be clamped to just beyond what the left can reach.
Value RegionInliner::emitCompare(arith::CmpIOp op, LaneValue lhs,
                                 LaneValue rhs) {
  using Predicate = arith::CmpIPredicate;
  Predicate predicate = op.getPredicate();
  bool isSigned = predicate == Predicate::slt || predicate == Predicate::sle ||
                  predicate == Predicate::sgt || predicate == Predicate::sge ||
                  predicate == Predicate::eq || predicate == Predicate::ne;
  // Positions do not wrap; arithmetic in narrower types may.
  Type type = lhs.scalar.getType();
  int64_t stride = lhs.stride - rhs.stride;
  if (!isSigned || !isa<IndexType>(type) ||
      std::abs(stride) >= (int64_t(1) << 24))
    return {};
  // The one that moves is near a position; the other may be any number, and is
  // brought near before it is subtracted.
  bool leftMoves = lhs.stride != 0;
  Value moving = leftMoves ? lhs.scalar : rhs.scalar;
  Value other = leftMoves ? rhs.scalar : lhs.scalar;
  Value reach =
      arith::ConstantIndexOp::create(b, loc, std::abs(stride) * numLanes + 1);
  Value low = arith::SubIOp::create(b, loc, moving, reach);
  Value high = arith::AddIOp::create(b, loc, moving, reach);
  other = arith::MaxSIOp::create(b, loc, other, low);
  other = arith::MinSIOp::create(b, loc, other, high);
  Value difference = leftMoves ? arith::SubIOp::create(b, loc, other, moving)
                               : arith::SubIOp::create(b, loc, moving, other);
  Type i32 = b.getI32Type();
  Value narrow = arith::IndexCastOp::create(b, loc, i32, difference);
  return arith::CmpIOp::create(b, loc, predicate, createSteps(stride),
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
