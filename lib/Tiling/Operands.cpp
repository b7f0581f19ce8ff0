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
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <cmath>

using namespace mlir;

namespace attn {

Operands::Operands(RewriterBase &rewriter, GenericOp op, const TileSizes &sizes)
    : b(rewriter), loc(op.getLoc()), op(op), sizes(sizes),
      classes(op.getDimensionClasses()), accType(op.getAccumulationType()) {
  rowDims = sizes.rowDims;
  row = rowDims.front();
  key = classes.keyRows.back();
  feature = classes.features[0];
  channel = classes.channels[0];
}

AffineMap Operands::tileMap(ArrayRef<unsigned> dims) const {
  const unsigned tileDims[] = {row, key, feature, channel};
  SmallVector<AffineExpr> results;
  for (unsigned dim : dims)
    results.push_back(b.getAffineDimExpr(llvm::find(tileDims, dim) - tileDims));
  return AffineMap::get(4, 0, results, b.getContext());
}

bool Operands::variesByKey(const OperandPart &part) const {
  return llvm::any_of(classes.keyRows,
                      [&](unsigned dim) { return part.has(dim); });
}

bool Operands::variesByRow(const OperandPart &part) const {
  return llvm::any_of(rowDims, [&](unsigned dim) { return part.has(dim); });
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
  takeRequest(box, index, whole);
  return at(box, whole, drops);
}

void Operands::takeRequest(const IterationBox &box, unsigned index,
                           OperandPart &part) {
  if (!isa<RankedTensorType>(part.value.getType()))
    return;
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc, part.value);
  SmallVector<OpFoldResult> from(extents.size(), b.getIndexAttr(0));
  bool isWhole = true;
  for (unsigned i = 0, e = extents.size(); i < e; ++i)
    if (isPacked(op, index, i)) {
      IterationBox::Rows rows = box.requestRows.lookup(part.dims[i]);
      from[i] = rows.first;
      extents[i] = rows.count;
      isWhole = false;
    }
  if (!isWhole)
    part.value = createSlice(b, loc, part.value, from, extents);
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
  OperandPart result{part.value, {}, part.role, part.hasRowsApart};
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
  std::optional<size_t> lastRow;
  for (auto [i, dim] : llvm::enumerate(part.dims)) {
    if (!llvm::is_contained(rowDims, dim) || dropped.test(i))
      continue;
    for (size_t j = lastRow.value_or(i); j < i; ++j)
      result.hasRowsApart |= dropped.test(j);
    lastRow = i;
  }
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

OperandPart Operands::cut(const IterationBox &box, const OperandPart &part,
                          Block *worker) {
  auto isCut = [&](unsigned dim) {
    return dim == key || llvm::is_contained(rowDims, dim);
  };
  if (llvm::none_of(part.dims, isCut))
    return part;
  SmallVector<OpFoldResult> from, extents;
  for (auto [i, dim] : llvm::enumerate(part.dims)) {
    from.push_back(isCut(dim) ? box.offsets[dim] : b.getIndexAttr(0));
    extents.push_back(box.extents[dim]);
  }
  OperandPart slice = part;
  slice.value = createSlice(b, loc, part.value, from, extents);
  return foldRows(box, slice, worker);
}

int64_t Operands::countRowsPerRow(const IterationBox &box) const {
  int64_t perRow = 1;
  for (unsigned dim : ArrayRef(rowDims).drop_front())
    perRow *= *getConstantIntValue(box.extents[dim]);
  return perRow;
}

OpFoldResult Operands::countRows(const IterationBox &box) {
  return affine::makeComposedFoldedAffineApply(
      b, loc, b.getAffineSymbolExpr(0) * countRowsPerRow(box),
      {box.extents[row]});
}

Value Operands::unfoldRow(const IterationBox &box, Value position,
                          unsigned dim) {
  int64_t perRow = 1;
  for (unsigned inner : llvm::reverse(rowDims)) {
    if (inner == dim)
      break;
    perRow *= *getConstantIntValue(box.extents[inner]);
  }
  auto constant = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  if (perRow != 1)
    position = arith::DivUIOp::create(b, loc, position, constant(perRow));
  if (dim == row)
    return position;
  return arith::RemUIOp::create(
      b, loc, position, constant(*getConstantIntValue(box.extents[dim])));
}

SmallVector<unsigned> Operands::foldDims(ArrayRef<unsigned> dims) const {
  SmallVector<unsigned> folded;
  for (unsigned dim : dims) {
    unsigned here = llvm::is_contained(rowDims, dim) ? row : dim;
    if (here != row || !llvm::is_contained(folded, row))
      folded.push_back(here);
  }
  return folded;
}

SmallVector<unsigned>
Operands::gatherRows(ArrayRef<unsigned> dims,
                     SmallVectorImpl<ReassociationIndices> &groups) const {
  SmallVector<unsigned> gathered;
  for (unsigned dim : foldDims(dims)) {
    groups.emplace_back();
    bool isRow = llvm::is_contained(rowDims, dim);
    for (unsigned inner : isRow ? ArrayRef<unsigned>(rowDims) : dim) {
      groups.back().push_back(gathered.size());
      gathered.push_back(inner);
    }
  }
  return gathered;
}

Value Operands::copyInOrder(Value value, ArrayRef<unsigned> from, Value target,
                            ArrayRef<unsigned> to) {
  auto map = [&](ArrayRef<unsigned> dims) {
    SmallVector<AffineExpr> results;
    for (unsigned dim : dims)
      results.push_back(b.getAffineDimExpr(llvm::find(to, dim) - to.begin()));
    return AffineMap::get(to.size(), 0, results, b.getContext());
  };
  AffineMap maps[] = {map(from), map(to)};
  SmallVector<utils::IteratorType> iterators(to.size(),
                                             utils::IteratorType::parallel);
  auto copy = linalg::GenericOp::create(
      b, loc, target.getType(), value, target, maps, iterators,
      [](OpBuilder &b, Location loc, ValueRange arguments) {
        linalg::YieldOp::create(b, loc, arguments[0]);
      });
  return copy.getResult(0);
}

Value Operands::copyRowByRow(const OperandPart &part, Value target) {
  unsigned position = llvm::find(part.dims, row) - part.dims.begin();
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc, part.value);
  SmallVector<OpFoldResult> from(extents.size(), b.getIndexAttr(0));
  Value end = getValueOrCreateConstantIndexOp(b, loc, extents[position]);
  auto loop =
      scf::ForOp::create(b, loc, arith::ConstantIndexOp::create(b, loc, 0), end,
                         arith::ConstantIndexOp::create(b, loc, 1), target);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  from[position] = loop.getInductionVar();
  extents[position] = b.getIndexAttr(1);
  Value copied =
      insertSlice(b, loc, createSlice(b, loc, part.value, from, extents),
                  loop.getRegionIterArgs()[0], from, extents);
  scf::YieldOp::create(b, loc, copied);
  return loop.getResult(0);
}

bool Operands::isFoldedInPlace(const OperandPart &slice) {
  SmallVector<ReassociationIndices> groups;
  if (ArrayRef<unsigned>(gatherRows(slice.dims, groups)) !=
      ArrayRef<unsigned>(slice.dims))
    return false;
  return slice.role != OperandRole::weights ||
         cast<ShapedType>(op.getWeights().getType()).hasStaticShape();
}

OperandPart Operands::foldResult(const IterationBox &box,
                                 const OperandPart &slice, Block *worker) {
  OperandPart folded{slice.value, foldDims(slice.dims), slice.role};
  if (rowDims.size() == 1)
    return folded;
  SmallVector<ReassociationIndices> groups;
  SmallVector<unsigned> gathered = gatherRows(slice.dims, groups);
  if (!isFoldedInPlace(slice)) {
    SmallVector<OpFoldResult> shape;
    for (unsigned dim : gathered)
      shape.push_back(box.extents[dim]);
    folded.value = createKeyBuffer(box, worker, shape,
                                   getElementTypeOrSelf(slice.value.getType()));
  }
  folded.value = tensor::CollapseShapeOp::create(b, loc, folded.value, groups);
  return folded;
}

Value Operands::unfoldResult(const IterationBox &box, Value value,
                             const OperandPart &slice) {
  if (rowDims.size() == 1)
    return value;
  SmallVector<ReassociationIndices> groups;
  SmallVector<unsigned> gathered = gatherRows(slice.dims, groups);
  SmallVector<OpFoldResult> shape;
  SmallVector<int64_t> known;
  if (isFoldedInPlace(slice))
    return tensor::ExpandShapeOp::create(
        b, loc, slice.value.getType(), value, groups,
        tensor::getMixedSizes(b, loc, slice.value));
  for (unsigned dim : gathered)
    shape.push_back(box.extents[dim]);
  Type type = RankedTensorType::get(decomposeMixedValues(shape).first,
                                    getElementTypeOrSelf(value.getType()));
  value = tensor::ExpandShapeOp::create(b, loc, type, value, groups, shape);
  // In the order that it has, what is inserted is copied there.
  if (ArrayRef<unsigned>(gathered) == ArrayRef<unsigned>(slice.dims))
    return value;
  return copyInOrder(value, gathered, slice.value, slice.dims);
}

OperandPart Operands::foldRows(const IterationBox &box, const OperandPart &part,
                               Block *worker) {
  auto isRow = [&](unsigned dim) { return llvm::is_contained(rowDims, dim); };
  if (rowDims.size() == 1 || llvm::none_of(part.dims, isRow))
    return part;
  // Where the rows stand, and the other dimensions around them.
  OperandPart folded{part.value, foldDims(part.dims), part.role};
  SmallVector<ReassociationIndices> groups;
  SmallVector<unsigned> gathered = gatherRows(part.dims, groups);
  if (part.hasRowsApart ||
      ArrayRef<unsigned>(part.dims) != ArrayRef<unsigned>(gathered)) {
    SmallVector<OpFoldResult> shape;
    for (unsigned dim : gathered)
      shape.push_back(box.extents[dim]);
    Value target = createKeyBuffer(box, worker, shape,
                                   getElementTypeOrSelf(part.value.getType()));
    // In the order that it has, a copy at once would be taken for none.
    folded.value = ArrayRef<unsigned>(part.dims) == ArrayRef<unsigned>(gathered)
                       ? copyRowByRow(part, target)
                       : copyInOrder(part.value, part.dims, target, gathered);
  }
  folded.value = tensor::CollapseShapeOp::create(b, loc, folded.value, groups);
  return folded;
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
    result.push_back(extent     ? OpFoldResult(b.getIndexAttr(*extent))
                     : dim == 0 ? countRows(box)
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

double Operands::getQueryScale() {
  double scale = op.getScale().convertToDouble();
  if (!op.getSimilarity().empty())
    return 1.0;
  Type query = getElementTypeOrSelf(op.getQuery().getType());
  Type stored = sizes.layout.getStoredElement(
      OperandRole::query, tileMap({row, feature}), query, accType);
  int exponent;
  bool isPowerOfTwo = std::frexp(scale, &exponent) == 0.5;
  return stored == accType || isPowerOfTwo ? scale : 1.0;
}

Value Operands::storeInto(const OperandPart &tile, Value target) {
  auto packed = PackOp::create(b, loc, target.getType(), tile.value, target,
                               sizes.layout, tile.role, tileMap(tile.dims));
  Type from = getElementTypeOrSelf(tile.value.getType());
  Type to = getElementTypeOrSelf(target.getType());
  double scale = tile.role == OperandRole::query ? getQueryScale() : 1.0;
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
  // Of what a tile holds, only the number of keys and that of rows may be its
  // own: those of the last tile.
  int64_t rows = sizes.layout.getNumRows();
  auto getRoom = [&](OpFoldResult extent) -> std::optional<int64_t> {
    auto value = dyn_cast<Value>(extent);
    if (!value)
      return std::nullopt;
    if (extent == box.extents[key])
      return sizes.keyRows;
    if (extent == box.extents[row])
      return rows / countRowsPerRow(box);
    if (worker->getParent()->isAncestor(value.getParentRegion()))
      return rows;
    return std::nullopt;
  };
  SmallVector<OpFoldResult> whole(shape);
  for (OpFoldResult &extent : whole)
    if (std::optional<int64_t> room = getRoom(extent);
        room && !getConstantIntValue(extent))
      extent = b.getIndexAttr(*room);
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

OperandPart Operands::createTile(const IterationBox &box,
                                 const OperandPart &part, Block *worker) {
  SmallVector<unsigned> dims = foldDims(part.dims);
  Type element = sizes.layout.getStoredElement(
      part.role, tileMap(dims), getElementTypeOrSelf(part.value.getType()),
      accType);
  return {createKeyBuffer(box, worker, storedExtents(box, part.role, dims),
                          element),
          dims, part.role};
}

Value Operands::storeKeys(const IterationBox &box, const OperandPart &tile,
                          Value buffer, OpFoldResult first) {
  AffineMap stored = sizes.layout.getStoredMap(tile.role, tileMap(tile.dims));
  SmallVector<OpFoldResult> from, extents;
  extents = storedExtents(box, tile.role, tile.dims);
  for (AffineExpr result : stored.getResults())
    from.push_back(result == b.getAffineDimExpr(1) ? first : b.getIndexAttr(0));
  Value target = createSlice(b, loc, buffer, from, extents);
  return insertSlice(b, loc, storeInto(tile, target), buffer, from, extents);
}

} // namespace attn
