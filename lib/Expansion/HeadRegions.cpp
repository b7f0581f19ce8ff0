//===- HeadRegions.cpp - Mask and score over heads --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadExpansion.h"
#include "attn/IR/Utils.h"

using namespace mlir;

namespace attn {

/// Positions are below this.
static constexpr int64_t kMaxExtent = int64_t(1) << 40;

/// The bounds (left, right) of the key around i + o: causal is a right bound
/// of 0, which no window can tighten. Bounds that no position reaches are none.
std::pair<int64_t, int64_t> HeadExpansion::getWindow() {
  auto limit = [](int64_t bound) { return bound < kMaxExtent ? bound : -1; };
  std::pair<int64_t, int64_t> window = {-1, -1};
  if (op.window)
    window = {limit((*op.window)[0]), limit((*op.window)[1])};
  if (op.causal != CausalKind::none)
    window.second = 0;
  return window;
}

/// An offset as an index, moved where sums with it do not wrap: beyond
/// positions and bounds, all offsets are alike.
Value HeadExpansion::createOffset(Value operand) {
  Type type = operand.getType();
  Value value = operand;
  if (!type.isIndex())
    value = rewriter.createOrFold<arith::IndexCastOp>(
        loc, rewriter.getIndexType(), operand);
  if (!type.isIndex() && type.getIntOrFloatBitWidth() <= 32)
    return value;
  auto limit = [&](int64_t bound) -> Value {
    return arith::ConstantIndexOp::create(rewriter, loc, bound);
  };
  value =
      rewriter.createOrFold<arith::MinSIOp>(loc, value, limit(4 * kMaxExtent));
  return rewriter.createOrFold<arith::MaxSIOp>(loc, value,
                                               limit(-4 * kMaxExtent));
}

/// Whether j <= i + o + right, or right is unbounded, for every pair there is.
bool HeadExpansion::isUpperBoundImplied(int64_t right) {
  if (right < 0)
    return true;
  if (op.causal == CausalKind::bottom_right && numRows == 1)
    return true;
  return !op.offset && !dynamicOffset && !alignsRequests() &&
         !ShapedType::isDynamic(numKeys) && numKeys - 1 <= offset + right;
}

/// Whether i + o - left <= j, or left is unbounded, for every pair there is.
bool HeadExpansion::isLowerBoundImplied(int64_t left) {
  if (left < 0)
    return true;
  return !op.offset && !dynamicOffset && !alignsRequests() &&
         !ShapedType::isDynamic(numRows) && numRows - 1 + offset <= left;
}

/// The position of a region argument of the named op, numbered as the query's
/// dimensions with the keys last.
Value HeadExpansion::createPosition(unsigned position) {
  auto index = [&](unsigned dim) -> Value {
    Value &value = indices[dim];
    if (!value)
      value = IndexOp::create(rewriter, loc, rewriter.getIndexType(), dim);
    return value;
  };
  if (position == rank - 1)
    return index(n);
  if (position == rank - 2)
    return index(m);
  if (position < getNumBatchDims())
    return index(position);
  if (headDims.size() == 1)
    return index(headDims[0]);
  Value keyHead = index(headDims[0]);
  Value size = getValueOrCreateConstantIndexOp(rewriter, loc, groupSize);
  Value first = arith::MulIOp::create(rewriter, loc, keyHead, size);
  return arith::AddIOp::create(rewriter, loc, first, index(headDims[1]));
}

/// row + o + constant
Value HeadExpansion::createDiagonal(Value row, int64_t constant,
                                    Value offsetValue) {
  if (offsetValue)
    row = arith::AddIOp::create(rewriter, loc, row, offsetValue);
  if (constant == 0)
    return row;
  return arith::AddIOp::create(
      rewriter, loc, row,
      arith::ConstantIndexOp::create(rewriter, loc, constant));
}

/// Copies a region of the named op, whose arguments after `leading` are
/// positions.
Value HeadExpansion::inlineBody(Region &source, ValueRange leading) {
  SmallVector<Value> arguments(leading);
  for (BlockArgument position :
       source.getArguments().drop_front(leading.size()))
    arguments.push_back(
        position.use_empty()
            ? Value()
            : createPosition(position.getArgNumber() - leading.size()));
  return inlineRegion(rewriter, source, arguments)[0];
}

/// Gives the region its block: `leading` arguments, then one per input.
Block *HeadExpansion::createBody(Region &region, TypeRange leading) {
  SmallVector<Type> types(leading);
  for (Value input : inputs) {
    Type element = getElementTypeOrSelf(input.getType());
    types.push_back(isa<FloatType>(element) ? accType : element);
  }
  SmallVector<Location> locs(types.size(), loc);
  indices.clear();
  return rewriter.createBlock(&region, region.end(), types, locs);
}

void HeadExpansion::fillMask(GenericOp generic) {
  auto [left, right] = getWindow();
  bool hasLower = !isLowerBoundImplied(left);
  bool hasUpper = !isUpperBoundImplied(right);
  if (!hasLower && !hasUpper && !op.booleanMask && op.mask->empty())
    return;
  Block *body = createBody(generic.getMask(), {});
  Value visible;
  auto require = [&](Value condition) {
    visible = visible ? arith::AndIOp::create(rewriter, loc, visible, condition)
                      : condition;
  };

  if (hasUpper || hasLower) {
    Value row = createPosition(rank - 2), column = createPosition(rank - 1);
    Value offsetValue = dynamicOffset;
    if (op.offset && isa<ShapedType>(op.offset.getType())) {
      // The offset is the last input.
      offsetValue = createOffset(body->getArguments().back());
    }
    if (alignsRequests())
      offsetValue = createOffsets();
    using Predicate = arith::CmpIPredicate;
    if (hasUpper)
      require(arith::CmpIOp::create(
          rewriter, loc, Predicate::sle, column,
          createDiagonal(row, offset + right, offsetValue)));
    if (hasLower)
      require(arith::CmpIOp::create(
          rewriter, loc, Predicate::sge, column,
          createDiagonal(row, offset - left, offsetValue)));
  }
  if (op.booleanMask)
    require(body->getArgument(op.bias ? 1 : 0));
  if (!op.mask->empty())
    require(inlineBody((*op.mask), {}));
  YieldOp::create(rewriter, loc, visible);
}

void HeadExpansion::fillScore(GenericOp generic) {
  if (!dynamicScale && !op.softcap && op.score->empty() &&
      !op.bias)
    return;
  Block *body = createBody(generic.getScore(), {accType});
  Value score = body->getArgument(0);
  if (dynamicScale)
    score = arith::MulFOp::create(rewriter, loc, score, dynamicScale);
  if (op.softcap) {
    double cap = op.softcap.getValueAsDouble();
    Value inverse = createFloatConstant(rewriter, loc, accType, 1.0 / cap);
    score = arith::MulFOp::create(rewriter, loc, score, inverse);
    score = math::TanhOp::create(rewriter, loc, score);
    Value factor = createFloatConstant(rewriter, loc, accType, cap);
    score = arith::MulFOp::create(rewriter, loc, score, factor);
  }
  if (!op.score->empty())
    score = inlineBody((*op.score), score);
  if (op.bias)
    score = arith::AddFOp::create(rewriter, loc, score, body->getArgument(1));
  YieldOp::create(rewriter, loc, score);
}

} // namespace attn
