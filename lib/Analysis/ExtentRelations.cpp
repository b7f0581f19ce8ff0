//===- ExtentRelations.cpp - Which extents an op wants equal ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/ExtentRelations.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;

namespace attn {

//===----------------------------------------------------------------------===//
// Tracing
//===----------------------------------------------------------------------===//

/// The size of dimension `dim` of a slice, past the dimensions it drops.
static OpFoldResult getSliceSize(tensor::ExtractSliceOp slice, int64_t dim) {
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  int64_t position = 0;
  for (;; ++position)
    if (!dropped[position] && dim-- == 0)
      return slice.getMixedSizes()[position];
}

/// A value that has the shape of `value` by construction, or none.
static Value getSameShape(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  if (isa<tensor::CastOp, memref::CastOp>(op))
    return op->getOperand(0);
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return destination.getTiedOpOperand(cast<OpResult>(value))->get();
  if (OpTrait::hasElementwiseMappableTraits(op))
    for (Value operand : op->getOperands())
      if (isa<RankedTensorType>(operand.getType()))
        return operand;
  return {};
}

/// The operand that an op makes an extent of, or null.
static OpFoldResult getSizeOperand(Value value, int64_t dim) {
  Operation *op = value.getDefiningOp();
  if (auto empty = dyn_cast_or_null<tensor::EmptyOp>(op))
    return empty.getMixedSizes()[dim];
  if (auto alloc = dyn_cast_or_null<memref::AllocOp>(op))
    return alloc.getMixedSizes()[dim];
  if (auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(op))
    return getSliceSize(slice, dim);
  return {};
}

/// What `size` is a dimension of, if a ranked value that has it.
static std::pair<Value, int64_t> getDimOf(Value size) {
  auto dim = size.getDefiningOp<ShapedDimOpInterface>();
  if (!dim)
    return {};
  std::optional<int64_t> number = getConstantIntValue(dim.getDimension());
  auto type = cast<ShapedType>(dim.getShapedValue().getType());
  if (!number || !type.hasRank() || *number < 0 || *number >= type.getRank())
    return {};
  return {dim.getShapedValue(), *number};
}

TracedExtent TracedExtent::of(Value shaped, int64_t dim) {
  TracedExtent extent;
  while (shaped) {
    auto type = cast<ShapedType>(shaped.getType());
    if (!type.hasRank())
      break;
    extent.source = shaped;
    extent.dim = dim;
    if (!extent.number && !type.isDynamicDim(dim))
      extent.number = type.getDimSize(dim);
    if (Value same = getSameShape(shaped)) {
      shaped = same;
      continue;
    }
    OpFoldResult size = getSizeOperand(shaped, dim);
    if (!size)
      break;
    if (std::optional<int64_t> number = getConstantIntValue(size)) {
      extent.number = number;
      break;
    }
    std::tie(shaped, dim) = getDimOf(cast<Value>(size));
    if (!shaped) {
      extent.size = cast<Value>(size);
      extent.source = {};
    }
  }
  return extent;
}

bool TracedExtent::operator==(const TracedExtent &other) const {
  if (number && other.number)
    return *number == *other.number;
  if (size || other.size)
    return size == other.size;
  return source == other.source && dim == other.dim;
}

bool TracedExtent::isOfArgument(func::FuncOp function) const {
  auto argument = dyn_cast_or_null<BlockArgument>(source);
  return argument && argument.getOwner() == &function.front();
}

//===----------------------------------------------------------------------===//
// Relations
//===----------------------------------------------------------------------===//

bool ExtentRelation::isCheckedAtCall(func::FuncOp function) const {
  return op->getBlock() == &function.getBody().front() &&
         left.isOfArgument(function) && right.isOfArgument(function);
}

std::vector<ExtentRelation> getExtentRelations(func::FuncOp function) {
  std::vector<ExtentRelation> relations;
  function.walk([&](ExtentRelationsOpInterface op) {
    OperandRelations gathered(op);
    op.getExtentRelations(gathered);
    for (const OperandRelation &relation : gathered.get())
      relations.push_back(
          {relation, op,
           TracedExtent::of(op->getOperand(relation.leftOperand),
                            relation.leftDim),
           TracedExtent::of(op->getOperand(relation.rightOperand),
                            relation.rightDim)});
  });
  return relations;
}

} // namespace attn
