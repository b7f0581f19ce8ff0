//===- Operands.cpp - Tiles of the operands of an op ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Operands.h"
#include "attn/IR/Reshape.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

Operands::Operands(RewriterBase &rewriter, GenericOp op,
                   const TileSizes &sizes)
    : b(rewriter), loc(op.getLoc()), op(op), sizes(sizes),
      classes(op.getDimensionClasses()), accType(op.getAccumulationType()) {
  row = classes.queryRows.back();
  key = classes.keyRows.back();
  feature = classes.features[0];
  channel = classes.channels[0];
}

AffineMap Operands::tileMap(ArrayRef<unsigned> dims) const {
  const unsigned tileDims[] = {row, key, feature, channel};
  SmallVector<AffineExpr> results;
  for (unsigned dim : dims)
    results.push_back(
        b.getAffineDimExpr(llvm::find(tileDims, dim) - tileDims));
  return AffineMap::get(4, 0, results, b.getContext());
}

bool Operands::variesByKey(const OperandPart &part) const {
  return llvm::any_of(classes.keyRows,
                      [&](unsigned dim) { return part.has(dim); });
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

static OperandRole getRole(GenericOp op, unsigned index) {
  if (index < 3)
    return static_cast<OperandRole>(index);
  return index < op.getWeightingIndex() ? OperandRole::input
                                        : OperandRole::weighting_operand;
}

OperandPart Operands::at(const IterationBox &box, unsigned index,
                         ArrayRef<unsigned> drops) {
  OperandPart whole;
  whole.value =
      cast<AttentionOpInterface>(op.getOperation()).getMappedOperands()[index];
  whole.role = getRole(op, index);
  AffineMap map = op.getIndexingMap(index);
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    whole.dims.push_back(map.getDimPosition(i));
  return at(box, whole, drops);
}

/// Whether a slice of `extents` may leave out what is `dropped`. Which of
/// several unit dimensions goes is inferred from types, and where extents fold
/// yet, again: it is the first of them, or there is but one that stays.
static bool isDropInferred(const llvm::SmallBitVector &dropped,
                           ArrayRef<OpFoldResult> extents) {
  if (dropped.size() - dropped.count() <= 1)
    return true;
  unsigned last = dropped.find_last();
  for (auto [i, extent] : llvm::enumerate(extents.take_front(last)))
    if (!dropped.test(i) && getConstantIntValue(extent).value_or(1) == 1)
      return false;
  return true;
}

/// Where the drop cannot be left to types, sliced without reducing the rank,
/// then collapsed. That copies what lies at strides that are not known.
OperandPart Operands::at(const IterationBox &box, const OperandPart &part,
                         ArrayRef<unsigned> drops) {
  OperandPart result{part.value, {}, part.role};
  llvm::SmallBitVector dropped(part.dims.size());
  SmallVector<OpFoldResult> from, extents;
  if (!isa<RankedTensorType>(part.value.getType()))
    return result;
  for (auto [i, dim] : llvm::enumerate(part.dims)) {
    if (llvm::is_contained(drops, dim)) {
      dropped.set(i);
      from.push_back(box.offsets[dim]);
      extents.push_back(b.getIndexAttr(1));
      continue;
    }
    result.dims.push_back(dim);
    from.push_back(b.getIndexAttr(0));
    extents.push_back(tensor::getMixedSize(b, loc, part.value, i));
  }
  if (result.dims.empty()) {
    SmallVector<Value> indices;
    for (OpFoldResult offset : from)
      indices.push_back(getValueOrCreateConstantIndexOp(b, loc, offset));
    result.value = tensor::ExtractOp::create(b, loc, part.value, indices);
    return result;
  }
  if (dropped.none())
    return result;
  if (isDropInferred(dropped, extents)) {
    auto whole = cast<RankedTensorType>(part.value.getType());
    SmallVector<int64_t> kept;
    for (auto [i, extent] : llvm::enumerate(extents))
      if (!dropped.test(i))
        kept.push_back(
            getConstantIntValue(extent).value_or(ShapedType::kDynamic));
    SmallVector<OpFoldResult> strides(from.size(), b.getIndexAttr(1));
    result.value = tensor::ExtractSliceOp::create(
        b, loc, RankedTensorType::get(kept, whole.getElementType()), part.value,
        getSliceOffsets(b, loc, from, extents), extents, strides);
    return result;
  }
  Value slice = createSlice(b, loc, part.value, from, extents);
  result.value = dropUnitDimensions(b, loc, slice, dropped);
  return result;
}

OperandPart Operands::cut(const IterationBox &box, const OperandPart &part) {
  if (!part.has(row) && !part.has(key))
    return part;
  SmallVector<OpFoldResult> from, extents;
  for (auto [i, dim] : llvm::enumerate(part.dims)) {
    bool isCut = dim == row || dim == key;
    from.push_back(isCut ? box.offsets[dim] : b.getIndexAttr(0));
    extents.push_back(box.extents[dim]);
  }
  return {createSlice(b, loc, part.value, from, extents), part.dims, part.role};
}

//===----------------------------------------------------------------------===//
// What is stored
//===----------------------------------------------------------------------===//

SmallVector<OpFoldResult> Operands::storedExtents(const IterationBox &box,
                                                  OperandRole role,
                                                  ArrayRef<unsigned> dims) {
  const unsigned tileDims[] = {row, key, feature, channel};
  SmallVector<OpFoldResult> result;
  AffineMap stored = sizes.layout.getStoredMap(role, tileMap(dims));
  for (unsigned i = 0, e = stored.getNumResults(); i < e; ++i) {
    unsigned dim = stored.getDimPosition(i);
    std::optional<int64_t> extent = sizes.layout.getStoredExtent(role, dim);
    result.push_back(extent ? OpFoldResult(b.getIndexAttr(*extent))
                            : box.extents[tileDims[dim]]);
  }
  return result;
}

Type Operands::storedElement(const OperandPart &part) {
  return sizes.layout.getStoredElement(
      part.role, tileMap(part.dims), getElementTypeOrSelf(part.value.getType()),
      accType);
}

bool Operands::needsPacking(const OperandPart &part) {
  AffineMap map = tileMap(part.dims);
  if (part.dims.empty())
    return false;
  auto isPadded = [&](AffineExpr expr) {
    return sizes.layout
        .getStoredExtent(part.role, cast<AffineDimExpr>(expr).getPosition())
        .has_value();
  };
  return storedElement(part) != getElementTypeOrSelf(part.value.getType()) ||
         sizes.layout.getStoredMap(part.role, map) != map ||
         llvm::any_of(map.getResults(), isPadded);
}

Value Operands::storeInto(const OperandPart &tile, Value target) {
  auto packed =
      PackOp::create(b, loc, target.getType(), tile.value, target,
                     sizes.layout, tile.role, tileMap(tile.dims));
  Type from = getElementTypeOrSelf(tile.value.getType());
  Type to = getElementTypeOrSelf(target.getType());
  double scale = tile.role == OperandRole::query && op.getSimilarity().empty()
                     ? op.getScale().convertToDouble()
                     : 1.0;
  if (from == to && scale == 1.0)
    return packed.getResult(0);
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&packed.getElement(), {}, from, loc);
  Value element = convertFloat(b, loc, body->getArgument(0), to);
  if (element.getType() != to)
    element = arith::ExtUIOp::create(b, loc, to, element);
  if (scale != 1.0)
    element = arith::MulFOp::create(b, loc, element,
                                    createFloatConstant(b, loc, to, scale));
  YieldOp::create(b, loc, element);
  return packed.getResult(0);
}

Value Operands::createKeyBuffer(const IterationBox &box, Block *worker,
                                ArrayRef<OpFoldResult> shape, Type element) {
  // Of what a tile holds, only the number of keys is not known: that of the
  // last tile.
  SmallVector<OpFoldResult> whole(shape);
  for (OpFoldResult &extent : whole)
    if (extent == box.extents[key] && !getConstantIntValue(extent))
      extent = b.getIndexAttr(sizes.keyRows);
  auto [staticShape, dynamicSizes] = decomposeMixedValues(whole);
  Value buffer;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(worker);
    buffer = bufferization::AllocTensorOp::create(
        b, loc, RankedTensorType::get(staticShape, element), dynamicSizes,
        /*copy=*/Value());
  }
  if (llvm::equal(shape, whole))
    return buffer;
  SmallVector<OpFoldResult> zeros(shape.size(), b.getIndexAttr(0));
  return createSlice(b, loc, buffer, zeros, shape);
}

OperandPart Operands::store(const IterationBox &box, const OperandPart &tile,
                            Block *worker) {
  Type element = storedElement(tile);
  // A symbol: one element, in the accumulation type if it is a float.
  if (tile.dims.empty())
    return {convertFloat(b, loc, tile.value, element), {}, tile.role};
  if (!needsPacking(tile))
    return tile;
  SmallVector<OpFoldResult> shape = storedExtents(box, tile.role, tile.dims);
  Value target = worker ? createKeyBuffer(box, worker, shape, element)
                        : tensor::EmptyOp::create(b, loc, shape, element);
  return {storeInto(tile, target), tile.dims, tile.role};
}

} // namespace attn
