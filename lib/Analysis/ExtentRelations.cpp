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

#include <map>

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

namespace {
/// Gathers the relations of one op.
struct Gatherer {
  Operation *op;
  std::vector<ExtentRelation> &relations;

  unsigned getNumber(Value value) const {
    return llvm::find(op->getOperands(), value) - op->operand_begin();
  }
  void add(Value left, int64_t leftDim, Value right, int64_t rightDim,
           const Twine &meaning, bool multiple = false) {
    relations.push_back({op, getNumber(left), getNumber(right), leftDim,
                         rightDim, TracedExtent::of(left, leftDim),
                         TracedExtent::of(right, rightDim), multiple,
                         meaning.str()});
  }
};
} // namespace

static int64_t getRank(Value value) {
  auto type = dyn_cast<ShapedType>(value.getType());
  return type && type.hasRank() ? type.getRank() : 0;
}

/// What dimension `dim` of a query of `rank` dimensions is.
static StringRef describeQuery(int64_t dim, int64_t rank) {
  return dim == rank - 2   ? "query rows"
         : dim == rank - 3 ? "query heads"
                           : "the batch of query";
}

static void gatherSdpa(SdpaOp op, Gatherer gatherer) {
  Value query = op.getQuery(), key = op.getKey(), value = op.getValue();
  int64_t rank = getRank(query), last = rank - 1;
  for (int64_t dim = 0; dim + 2 < last; ++dim) {
    gatherer.add(key, dim, query, dim, "the batch of key and query");
    gatherer.add(value, dim, query, dim, "the batch of value and query");
  }
  if (last >= 2) {
    gatherer.add(query, last - 2, key, last - 2,
                 "query heads, a multiple of key heads", /*multiple=*/true);
    gatherer.add(value, last - 2, key, last - 2, "the heads of value and key");
  }
  gatherer.add(value, last - 1, key, last - 1, "the rows of value and key");
  gatherer.add(key, last, query, last, "the width of key and query");
  for (Value output : {op.getOutput(), op.getLse()})
    for (int64_t dim = 0; output && dim < last; ++dim)
      gatherer.add(output, dim, query, dim, describeQuery(dim, rank));
  gatherer.add(op.getOutput(), last, value, last,
               "the width of output and value");
  for (Value operand : {op.getBias(), Value(op.getBooleanMask())}) {
    if (!operand)
      continue;
    auto type = cast<ShapedType>(operand.getType());
    int64_t missing = rank - type.getRank();
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      // An extent that is 1 by its type is broadcast.
      if (type.getDimSize(dim) == 1)
        continue;
      if (dim + missing == last)
        gatherer.add(operand, dim, key, last - 1, "key rows");
      else
        gatherer.add(operand, dim, query, dim + missing,
                     describeQuery(dim + missing, rank));
    }
  }
  if (Value offset = op.getOffset())
    for (int64_t dim = 0; dim < getRank(offset); ++dim)
      gatherer.add(offset, dim, query, dim, "the batch of offset and query");
}

static void gatherMapped(AttentionOpInterface op, Gatherer gatherer) {
  std::map<unsigned, std::pair<Value, unsigned>> first;
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    AffineMap map = op.getIndexingMap(index);
    if (getRank(operand) != map.getNumResults())
      continue;
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
      unsigned dim = map.getDimPosition(i);
      auto [known, inserted] = first.insert({dim, {operand, i}});
      if (!inserted)
        gatherer.add(operand, i, known->second.first, known->second.second,
                     "dimension d" + Twine(dim) + " of " +
                         op->getName().getStringRef());
    }
  }
}

std::vector<ExtentRelation> getExtentRelations(func::FuncOp function) {
  std::vector<ExtentRelation> relations;
  function.walk([&](Operation *op) {
    if (auto sdpa = dyn_cast<SdpaOp>(op))
      gatherSdpa(sdpa, {op, relations});
    else if (auto mapped = dyn_cast<AttentionOpInterface>(op))
      gatherMapped(mapped, {op, relations});
  });
  return relations;
}

} // namespace attn
