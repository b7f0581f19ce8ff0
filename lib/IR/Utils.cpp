//===- Utils.cpp - Helpers that rewrites share ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Utils.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/Elements.h"
#include "attn/IR/GuardDivision.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// One less than there are starts.
static OpFoldResult countRequests(OpBuilder &b, AttentionOpInterface op) {
  auto ragged = cast<RaggedOpInterface>(op.getOperation());
  Value starts =
      ragged.getQueryStarts() ? ragged.getQueryStarts() : ragged.getKeyStarts();
  return affine::makeComposedFoldedAffineApply(
      b, op.getLoc(), b.getAffineSymbolExpr(0) - 1,
      {getExtent(b, op.getLoc(), starts, 0)});
}

SmallVector<OpFoldResult> getExtents(OpBuilder &b, AttentionOpInterface op) {
  SmallVector<OpFoldResult> extents(op.getNumDims());
  std::optional<RaggedDims> ragged = getRaggedDims(op);
  if (ragged)
    extents[ragged->request] = countRequests(b, op);
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    AffineMap map = op.getStoredMap(index);
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
      if ((ragged && isWithinRequest(op, index, i)) ||
          isByPosition(op, index, i))
        continue;
      OpFoldResult &extent = extents[map.getDimPosition(i)];
      if (!extent || (isa<Value>(extent) &&
                      !cast<ShapedType>(operand.getType()).isDynamicDim(i)))
        extent = getExtent(b, op.getLoc(), operand, i);
    }
  }
  return extents;
}

Value createNumKeys(OpBuilder &b, AttentionOpInterface op,
                    ArrayRef<OpFoldResult> extents) {
  Location loc = op.getLoc();
  Value product;
  for (unsigned dim : op.getDimensionClasses().keyRows) {
    Value extent = getValueOrCreateConstantIndexOp(b, loc, extents[dim]);
    product = product ? arith::MulIOp::create(b, loc, product, extent) : extent;
  }
  return product;
}

Value convertFloat(OpBuilder &b, Location loc, Value value, Type element) {
  auto from = dyn_cast<FloatType>(getElementTypeOrSelf(value.getType()));
  auto to = dyn_cast<FloatType>(element);
  if (!from || !to || from == to)
    return value;
  Type target = to;
  if (auto vectorType = dyn_cast<VectorType>(value.getType()))
    target = vectorType.clone(to);
  // Types of one width, as f16 and bf16, convert by way of f32, which holds
  // both exactly.
  if (from.getWidth() == to.getWidth())
    return convertFloat(b, loc, convertFloat(b, loc, value, b.getF32Type()),
                        to);
  if (from.getWidth() < to.getWidth())
    return arith::ExtFOp::create(b, loc, target, value);
  return arith::TruncFOp::create(b, loc, target, value);
}

Value createFilledTensor(OpBuilder &b, Location loc,
                         ArrayRef<OpFoldResult> shape, Type element,
                         double value) {
  Value empty = tensor::EmptyOp::create(b, loc, shape, element);
  Value filling;
  if (isa<FloatType>(element))
    filling = createFloatConstant(b, loc, element, value);
  else
    filling = arith::ConstantOp::create(
        b, loc, b.getIntegerAttr(element, static_cast<int64_t>(value)));
  return linalg::FillOp::create(b, loc, filling, empty).getResult(0);
}

SmallVector<Value> inlineRegion(OpBuilder &b, Region &region,
                                ValueRange arguments,
                                function_ref<Value(IndexOp)> position,
                                bool guardDivisions) {
  Block &body = region.front();
  IRMapping mapping;
  mapping.map(body.getArguments(), arguments);
  for (Operation &nested : body.without_terminator()) {
    if (auto index = dyn_cast<IndexOp>(nested)) {
      mapping.map(index.getResult(), position(index));
      continue;
    }
    Operation *copy = b.clone(nested, mapping);
    if (guardDivisions)
      guardDivision(b, copy);
  }
  return llvm::map_to_vector(
      body.getTerminator()->getOperands(),
      [&](Value yielded) { return mapping.lookupOrDefault(yielded); });
}

void cloneRegion(OpBuilder &b, Region &from, Region &to,
                 function_ref<Value(IndexOp)> position,
                 function_ref<Value(BlockArgument)> argument) {
  if (from.empty())
    return;
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&to);
  for (BlockArgument old : from.getArguments())
    body->addArgument(old.getType(), old.getLoc());
  SmallVector<Value> arguments(body->getArguments());
  if (argument)
    for (BlockArgument copy : body->getArguments())
      arguments[copy.getArgNumber()] = argument(copy);
  YieldOp::create(b, from.front().getTerminator()->getLoc(),
                  inlineRegion(b, from, arguments, position));
}

std::string locateMessage(Location loc, const Twine &message) {
  std::string place;
  if (auto file = loc->findInstanceOf<FileLineColLoc>())
    place = (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" +
             Twine(file.getColumn()) + ": ")
                .str();
  return place + message.str();
}

LogicalResult checkVectorBits(Operation *op, int64_t vectorBits) {
  if (vectorBits >= 64 && vectorBits <= 4096 && llvm::isPowerOf2_64(vectorBits))
    return success();
  return op->emitError("expected vector-bits to be a power of two from 64 to "
                       "4096, but got ")
         << vectorBits;
}

} // namespace attn
