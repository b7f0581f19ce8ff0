//===- Nest.cpp - The loops around the keys ---------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Nest.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

/// The dimensions along which a worker has one position.
static SmallVector<unsigned> getOuterDims(GenericOp op,
                                          const TileSizes &sizes) {
  DimensionClasses classes = op.getDimensionClasses();
  SmallVector<unsigned> outer = classes.batch;
  llvm::copy_if(
      classes.queryRows, std::back_inserter(outer),
      [&](unsigned dim) { return !llvm::is_contained(sizes.rowDims, dim); });
  return outer;
}

/// How many rows of a tile belong to each position along the first of its query
/// row dimensions.
static int64_t countRowsPerRow(const TileSizes &sizes,
                               const IterationBox &box) {
  int64_t rows = 1;
  for (unsigned dim : ArrayRef(sizes.rowDims).drop_front())
    rows *= *getConstantIntValue(box.extents[dim]);
  return rows;
}

/// The request of packed queries.
static std::optional<unsigned> getPackedRequest(GenericOp op) {
  return op.getQueryStarts() ? getRaggedDims(op)->request
                             : std::optional<unsigned>();
}

SmallVector<OpFoldResult> Nest::getBounds(OpBuilder &b, GenericOp op,
                                          const TileSizes &sizes,
                                          const RequestFilter &filter,
                                          const IterationBox &box) {
  SmallVector<OpFoldResult> bounds;
  std::optional<unsigned> request = getPackedRequest(op);
  for (unsigned dim : attn::getOuterDims(op, sizes))
    if (dim != request)
      bounds.push_back(box.extents[dim]);
  int64_t tileRows = sizes.layout.getNumRows() / countRowsPerRow(sizes, box);
  AffineExpr extent = b.getAffineSymbolExpr(0);
  if (request && filter.most) {
    bounds.push_back(affine::makeComposedFoldedAffineApply(
        b, op.getLoc(),
        extent * countBlocksOfRequest(filter, tileRows * sizes.queryTiles),
        {box.extents[*request]}));
    return bounds;
  }
  if (request) {
    bounds.push_back(countBlocks(
        b, op.getLoc(), box.extents[sizes.rowDims.front()],
        box.extents[*request], tileRows * sizes.queryTiles));
    return bounds;
  }
  bounds.push_back(affine::makeComposedFoldedAffineApply(
      b, op.getLoc(), extent.ceilDiv(tileRows * sizes.queryTiles),
      {box.extents[sizes.rowDims.front()]}));
  return bounds;
}

Nest::Nest(RewriterBase &rewriter, GenericOp op, const TileSizes &sizes,
           const RequestFilter &filter, IterationBox &box, ValueRange inits,
           OpFoldResult splits)
    : b(rewriter), loc(op.getLoc()), op(op), filter(filter), box(box),
      row(sizes.rowDims.front()), rowsPerRow(countRowsPerRow(sizes, box)),
      roomRows(sizes.layout.getNumRows()), wholeRows(box.extents[row]),
      outer(attn::getOuterDims(op, sizes)), isSplit(static_cast<bool>(splits)) {
  tileRows = roomRows / rowsPerRow;
  int64_t blockRows = tileRows * sizes.queryTiles;
  SmallVector<OpFoldResult> bounds = getBounds(b, op, sizes, filter, box);
  if (isSplit)
    bounds.push_back(splits);
  loop = scf::ForallOp::create(b, loc, bounds, inits, /*mapping=*/std::nullopt);
  b.setInsertionPoint(loop.getTerminator());
  SmallVector<Value> positions = loop.getInductionVars();
  if (isSplit)
    positions.pop_back();
  Value block = positions.pop_back_val();
  std::optional<unsigned> packed = getPackedRequest(op);
  ArrayRef<Value> left = positions;
  for (unsigned dim : outer) {
    if (dim != packed) {
      box.offsets[dim] = left.front();
      left = left.drop_front();
    }
    box.extents[dim] = b.getIndexAttr(1);
  }
  if (packed)
    takePackedBlock(block, blockRows);
  else
    moveRows(
        affine::makeComposedFoldedAffineApply(
            b, loc, b.getAffineDimExpr(0) * blockRows, {OpFoldResult(block)}),
        blockRows);
  setRows();
  takeRequestKeys();
}

SmallVector<OpFoldResult> Nest::getPosition() {
  return getAsOpFoldResult(loop.getInductionVars());
}

void Nest::setRows() {
  AffineExpr extent = b.getAffineSymbolExpr(0);
  OpFoldResult count = affine::makeComposedFoldedAffineApply(
      b, loc, extent * rowsPerRow, {box.extents[row]});
  rows = getConstantIntValue(count) == roomRows
             ? Value()
             : getValueOrCreateConstantIndexOp(b, loc, count);
}

void Nest::moveRows(OpFoldResult offset, int64_t size) {
  box.offsets[row] = offset;
  if (box.requestRows.contains(row)) {
    // A block may have no rows.
    Value rest =
        arith::SubIOp::create(b, loc, cast<Value>(wholeRows),
                              getValueOrCreateConstantIndexOp(b, loc, offset));
    rest = arith::MinSIOp::create(b, loc, rest,
                                  arith::ConstantIndexOp::create(b, loc, size));
    box.extents[row] =
        arith::MaxSIOp::create(b, loc, rest,
                               arith::ConstantIndexOp::create(b, loc, 0))
            .getResult();
    return;
  }
  std::optional<int64_t> known = getConstantIntValue(wholeRows);
  if (known && *known > 0 && *known <= size) {
    // There is one. Were that left to folding, the type of what is inserted
    // would have to change with it.
    box.offsets[row] = b.getIndexAttr(0);
    box.extents[row] = wholeRows;
    return;
  }
  if (known && *known % size == 0) {
    box.extents[row] = b.getIndexAttr(size);
    return;
  }
  AffineExpr from = b.getAffineDimExpr(0), to = b.getAffineSymbolExpr(0);
  AffineMap rest = AffineMap::get(
      1, 1, {b.getAffineConstantExpr(size), to - from}, b.getContext());
  box.extents[row] =
      affine::makeComposedFoldedAffineMin(b, loc, rest, {offset, wholeRows});
}

SmallVector<Value> Nest::sliceInits() {
  SmallVector<Value> slices;
  for (auto [i, init] : llvm::enumerate(loop.getRegionIterArgs())) {
    SmallVector<OpFoldResult> from, extents;
    box.locate(b, op.getOutputIndex() + i, from, extents);
    slices.push_back(createSlice(b, loc, init, from, extents));
  }
  return slices;
}

SmallVector<Value> Nest::forEachQueryTile(
    ValueRange inits,
    function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  OpFoldResult blockOffset = box.offsets[row], blockExtent = box.extents[row];
  AffineExpr extent = b.getAffineSymbolExpr(0);
  OpFoldResult count = affine::makeComposedFoldedAffineApply(
      b, loc, extent.ceilDiv(tileRows), {blockExtent});
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value end = getValueOrCreateConstantIndexOp(b, loc, count);
  auto tiles = scf::ForOp::create(b, loc, zero, end, one, inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(tiles.getBody());
  Value tile = tiles.getInductionVar();
  AffineExpr first = b.getAffineDimExpr(0), number = b.getAffineDimExpr(1);
  moveRows(
      affine::makeComposedFoldedAffineApply(b, loc, first + number * tileRows,
                                            {blockOffset, OpFoldResult(tile)}),
      tileRows);
  setRows();
  scf::YieldOp::create(b, loc, body(tile, tiles.getRegionIterArgs()));
  rows = {};
  box.offsets[row] = blockOffset;
  box.extents[row] = blockExtent;
  return SmallVector<Value>(tiles.getResults());
}

void Nest::locateInit(unsigned index, Value tile,
                      SmallVectorImpl<OpFoldResult> &from,
                      SmallVectorImpl<OpFoldResult> &extents) {
  AffineMap map = op.getIndexingMap(op.getOutputIndex() + index);
  OpFoldResult local = affine::makeComposedFoldedAffineApply(
      b, loc, b.getAffineDimExpr(0) * tileRows, {OpFoldResult(tile)});
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    from.push_back(dim == row ? local : OpFoldResult(b.getIndexAttr(0)));
    // Of keys, all: weights are written tile by tile of them.
    extents.push_back(
        llvm::is_contained(op.getDimensionClasses().keyRows, dim)
            ? tensor::getMixedSize(b, loc, op.getDpsInits()[index], i)
            : box.extents[dim]);
  }
}

Value Nest::takeInit(Value slice, unsigned index, Value tile) {
  SmallVector<OpFoldResult> from, extents;
  locateInit(index, tile, from, extents);
  return createSlice(b, loc, slice, from, extents);
}

Value Nest::putInit(Value result, Value slice, unsigned index, Value tile) {
  SmallVector<OpFoldResult> from, extents;
  locateInit(index, tile, from, extents);
  return insertSlice(b, loc, result, slice, from, extents);
}

ValueRange Nest::finish(ValueRange slices) {
  return finish(slices, [&](unsigned i, auto &from, auto &extents) {
    box.locate(b, op.getOutputIndex() + i, from, extents);
  });
}

ValueRange
Nest::finish(ValueRange slices,
             function_ref<void(unsigned, SmallVectorImpl<OpFoldResult> &,
                               SmallVectorImpl<OpFoldResult> &)>
                 locate) {
  OpBuilder::InsertionGuard guard(b);
  for (auto [i, slice] : llvm::enumerate(slices)) {
    b.setInsertionPoint(loop.getTerminator());
    SmallVector<OpFoldResult> from, extents;
    locate(i, from, extents);
    from = getSliceOffsets(b, loc, from, extents);
    SmallVector<OpFoldResult> strides(from.size(), b.getIndexAttr(1));
    b.setInsertionPointToEnd(loop.getTerminator().getBody());
    tensor::ParallelInsertSliceOp::create(
        b, loc, slice, loop.getRegionIterArgs()[i], from, extents, strides);
  }
  return loop.getResults();
}

//===----------------------------------------------------------------------===//
// Buffers with an entry per query tile
//===----------------------------------------------------------------------===//

/// Offsets and sizes of an entry.
static void locateEntry(OpBuilder &b, Location loc, Value buffer, Value tile,
                        OpFoldResult extent,
                        SmallVectorImpl<OpFoldResult> &from,
                        SmallVectorImpl<OpFoldResult> &extents) {
  extents = tensor::getMixedSizes(b, loc, buffer);
  from.assign(extents.size(), b.getIndexAttr(0));
  from[0] = affine::makeComposedFoldedAffineApply(
      b, loc, b.getAffineDimExpr(0) * b.getAffineSymbolExpr(0),
      {OpFoldResult(tile), extent});
  extents[0] = extent;
}

Value takeEntry(OpBuilder &b, Location loc, Value buffer, Value tile,
                OpFoldResult extent) {
  SmallVector<OpFoldResult> from, extents;
  locateEntry(b, loc, buffer, tile, extent, from, extents);
  return createSlice(b, loc, buffer, from, extents);
}

Value putEntry(OpBuilder &b, Location loc, Value value, Value buffer,
               Value tile, OpFoldResult extent) {
  SmallVector<OpFoldResult> from, extents;
  locateEntry(b, loc, buffer, tile, extent, from, extents);
  return insertSlice(b, loc, value, buffer, from, extents);
}

} // namespace attn
