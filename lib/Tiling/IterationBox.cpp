//===- IterationBox.cpp - A box of the iterations of an op ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tiling/IterationBox.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace attn {

IterationBox IterationBox::whole(OpBuilder &b, AttentionOpInterface op) {
  SmallVector<OpFoldResult> extents = getExtents(b, op);
  SmallVector<OpFoldResult> zeros(extents.size(), b.getIndexAttr(0));
  return {op, zeros, extents};
}

void IterationBox::locate(AffineMap map, SmallVectorImpl<OpFoldResult> &from,
                          SmallVectorImpl<OpFoldResult> &sizes) const {
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    from.push_back(offsets[map.getDimPosition(i)]);
    sizes.push_back(extents[map.getDimPosition(i)]);
  }
}

void IterationBox::locate(OpBuilder &b, unsigned index,
                          SmallVectorImpl<OpFoldResult> &from,
                          SmallVectorImpl<OpFoldResult> &sizes) const {
  AttentionOpInterface attention = op;
  AffineMap map = attention.getIndexingMap(index);
  locate(map, from, sizes);
  AffineExpr first = b.getAffineSymbolExpr(0), offset = b.getAffineDimExpr(0);
  SmallVector<unsigned> keyRows;
  if (index >= attention.getOutputIndex() && getRaggedDims(attention))
    keyRows = attention.getDimensionClasses().keyRows;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    if (isByPosition(attention, index, i) ||
        llvm::is_contained(keyRows, map.getDimPosition(i))) {
      from[i] = b.getIndexAttr(0);
      sizes[i] = tensor::getMixedSize(b, op->getLoc(),
                                      attention.getMappedOperands()[index], i);
    } else if (isPacked(attention, index, i))
      from[i] = affine::makeComposedFoldedAffineApply(
          b, op->getLoc(), offset + first,
          {from[i], requestRows.lookup(map.getDimPosition(i)).first});
}

Value IterationBox::slice(OpBuilder &b, Value operand, AffineMap map) const {
  if (!isa<RankedTensorType>(operand.getType()))
    return operand;
  SmallVector<OpFoldResult> from, sizes;
  locate(map, from, sizes);
  return createSlice(b, op->getLoc(), operand, from, sizes);
}

Value IterationBox::shift(OpBuilder &b, Value position, unsigned dim) const {
  if (isZeroInteger(offsets[dim]))
    return position;
  Value offset = getValueOrCreateConstantIndexOp(b, op->getLoc(), offsets[dim]);
  return arith::AddIOp::create(b, op->getLoc(), position, offset);
}

void IterationBox::cloneBody(
    OpBuilder &b, Region &from, Region &to,
    ArrayRef<std::optional<unsigned>> dims,
    function_ref<Value(BlockArgument)> argument) const {
  auto position = [&](unsigned dim) -> Value {
    if (!dims[dim])
      return {};
    return IndexOp::create(b, op->getLoc(), *dims[dim]);
  };
  cloneBody(b, from, to, position, argument);
}

void IterationBox::cloneBody(
    OpBuilder &b, Region &from, Region &to,
    function_ref<Value(unsigned)> position,
    function_ref<Value(BlockArgument)> argument) const {
  auto shifted = [&](IndexOp index) -> Value {
    unsigned dim = index.getDim();
    if (Value local = position(dim))
      return shift(b, local, dim);
    return getValueOrCreateConstantIndexOp(b, op->getLoc(), offsets[dim]);
  };
  cloneRegion(b, from, to, shifted, argument);
}

SmallVector<Value> IterationBox::getBoundArguments(OpBuilder &b) const {
  Location loc = op->getLoc();
  AttentionOpInterface attention = op;
  DimensionClasses classes = attention.getDimensionClasses();
  SmallVector<Value> arguments;
  auto add = [&](OpFoldResult position) {
    arguments.push_back(getValueOrCreateConstantIndexOp(b, loc, position));
  };
  AffineExpr first = b.getAffineDimExpr(0), extent = b.getAffineSymbolExpr(0);
  for (unsigned dim : classes.batch)
    add(offsets[dim]);
  for (unsigned dim : classes.queryRows) {
    add(offsets[dim]);
    add(affine::makeComposedFoldedAffineApply(b, loc, first + extent - 1,
                                              {offsets[dim], extents[dim]}));
  }
  for (unsigned dim : ArrayRef(classes.keyRows).drop_back())
    add(offsets[dim]);
  return arguments;
}

SmallVector<OpFoldResult> getSliceOffsets(OpBuilder &b, Location loc,
                                          ArrayRef<OpFoldResult> from,
                                          ArrayRef<OpFoldResult> extents) {
  SmallVector<OpFoldResult> offsets(from);
  for (auto [offset, extent] : llvm::zip_equal(offsets, extents))
    if (isZeroInteger(extent))
      offset = getValueOrCreateConstantIndexOp(b, loc, offset);
  return offsets;
}

Value createSlice(OpBuilder &b, Location loc, Value source,
                  ArrayRef<OpFoldResult> from, ArrayRef<OpFoldResult> extents) {
  SmallVector<OpFoldResult> strides(from.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      b, loc, source, getSliceOffsets(b, loc, from, extents), extents, strides);
}

Value insertSlice(OpBuilder &b, Location loc, Value value, Value target,
                  ArrayRef<OpFoldResult> from, ArrayRef<OpFoldResult> extents) {
  SmallVector<OpFoldResult> strides(from.size(), b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, loc, value, target,
                                       getSliceOffsets(b, loc, from, extents),
                                       extents, strides);
}

SmallVector<Value> inlineBody(OpBuilder &b, Region &region,
                              ValueRange arguments) {
  IRMapping mapping;
  mapping.map(region.getArguments(), arguments);
  for (Operation &nested : region.front().without_terminator())
    b.clone(nested, mapping);
  SmallVector<Value> results;
  for (Value yielded : region.front().getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(yielded));
  return results;
}

} // namespace attn
