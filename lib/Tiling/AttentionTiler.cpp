//===- AttentionTiler.cpp - The loop over query tiles -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionTiler.h"
#include "attn/Tiling/Tiling.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

AttentionTiler::AttentionTiler(RewriterBase &rewriter, GenericOp op,
                               TileSizes sizes, bool countTiles)
    : rewriter(rewriter), loc(op.getLoc()), op(op), sizes(sizes),
      countTiles(countTiles), classes(op.getDimensionClasses()),
      accType(op.getAccumulationType()), lane(classes.queryRows.back()),
      key(classes.keyRows[0]), feature(classes.features[0]),
      channel(classes.channels[0]) {}

Value AttentionTiler::index(int64_t value) {
  return arith::ConstantIndexOp::create(rewriter, loc, value);
}

Value AttentionTiler::toValue(OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(rewriter, loc, size);
}

//===----------------------------------------------------------------------===//
// Tiles of operands
//===----------------------------------------------------------------------===//

OpFoldResult getSliceOffset(OpBuilder &b, Location loc, OpFoldResult offset,
                            OpFoldResult extent) {
  if (!isZeroInteger(extent))
    return offset;
  return getValueOrCreateConstantIndexOp(b, loc, offset);
}

SmallVector<unsigned> AttentionTiler::order(AffineMap map,
                                            ArrayRef<unsigned> kept) {
  SmallVector<unsigned> dims;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    if (llvm::is_contained(kept, map.getDimPosition(i)))
      dims.push_back(map.getDimPosition(i));
  return dims;
}

void AttentionTiler::locate(AffineMap map, ArrayRef<unsigned> kept,
                            SmallVectorImpl<OpFoldResult> &sliceOffsets,
                            SmallVectorImpl<OpFoldResult> &sliceExtents,
                            SmallVectorImpl<int64_t> &shape) {
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    if (!llvm::is_contained(kept, dim)) {
      sliceOffsets.push_back(offsets[dim]);
      sliceExtents.push_back(rewriter.getIndexAttr(1));
      continue;
    }
    sliceOffsets.push_back(
        getSliceOffset(rewriter, loc, offsets[dim], extents[dim]));
    sliceExtents.push_back(extents[dim]);
    shape.push_back(
        getConstantIntValue(extents[dim]).value_or(ShapedType::kDynamic));
  }
}

Value AttentionTiler::slice(Value value, AffineMap map,
                            ArrayRef<unsigned> kept) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return value;
  SmallVector<OpFoldResult> sliceOffsets, sliceExtents;
  SmallVector<int64_t> shape;
  locate(map, kept, sliceOffsets, sliceExtents, shape);
  if (shape.empty()) {
    SmallVector<Value> indices;
    for (OpFoldResult offset : sliceOffsets)
      indices.push_back(toValue(offset));
    return tensor::ExtractOp::create(rewriter, loc, value, indices);
  }
  SmallVector<OpFoldResult> strides(type.getRank(), rewriter.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      rewriter, loc, RankedTensorType::get(shape, type.getElementType()), value,
      sliceOffsets, sliceExtents, strides);
}

SmallVector<OpFoldResult>
AttentionTiler::storedExtents(OperandRole role, ArrayRef<unsigned> dims) {
  unsigned tileDims[] = {lane, key, feature, channel};
  SmallVector<OpFoldResult> result;
  AffineMap stored = sizes.layout.getStoredMap(role, tileMap(dims));
  for (unsigned i = 0, e = stored.getNumResults(); i < e; ++i) {
    unsigned dim = stored.getDimPosition(i);
    std::optional<int64_t> extent = sizes.layout.getStoredExtent(role, dim);
    result.push_back(extent ? OpFoldResult(rewriter.getIndexAttr(*extent))
                            : extents[tileDims[dim]]);
  }
  return result;
}

Type AttentionTiler::storedElement(OperandRole role, Value source,
                                   ArrayRef<unsigned> dims) {
  return sizes.layout.getStoredElement(
      role, tileMap(dims), getElementTypeOrSelf(source.getType()), accType);
}

Value AttentionTiler::packInto(Value source, OperandRole role,
                               ArrayRef<unsigned> dims, Value target) {
  auto packed = PackOp::create(rewriter, loc, target.getType(), source, target,
                               sizes.layout, role, tileMap(dims));
  Type from = getElementTypeOrSelf(source.getType());
  Type to = getElementTypeOrSelf(target.getType());
  double scale = role == OperandRole::query && op.getSimilarity().empty()
                     ? op.getScale().convertToDouble()
                     : 1.0;
  if (from == to && scale == 1.0)
    return packed.getResult(0);
  OpBuilder::InsertionGuard guard(rewriter);
  Block *body = rewriter.createBlock(&packed.getElement(), {}, from, loc);
  Value element = convertFloat(rewriter, loc, body->getArgument(0), to);
  if (element.getType() != to)
    element = arith::ExtUIOp::create(rewriter, loc, to, element);
  if (scale != 1.0)
    element = arith::MulFOp::create(
        rewriter, loc, element, createFloatConstant(rewriter, loc, to, scale));
  YieldOp::create(rewriter, loc, element);
  return packed.getResult(0);
}

Value AttentionTiler::createKeyBuffer(ArrayRef<OpFoldResult> tile,
                                      Type element) {
  // Of what a tile holds, only the number of keys is not known: that of the
  // last tile.
  SmallVector<OpFoldResult> whole(tile);
  for (OpFoldResult &extent : whole)
    if (extent == extents[key] && !getConstantIntValue(extent))
      extent = rewriter.getIndexAttr(sizes.keyRows);
  auto [shape, dynamicSizes] = decomposeMixedValues(whole);
  Value buffer;
  {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToStart(worker);
    buffer = bufferization::AllocTensorOp::create(
        rewriter, loc, RankedTensorType::get(shape, element), dynamicSizes,
        /*copy=*/Value());
  }
  if (llvm::equal(tile, whole))
    return buffer;
  SmallVector<OpFoldResult> zeros;
  for (OpFoldResult extent : tile)
    zeros.push_back(
        getSliceOffset(rewriter, loc, rewriter.getIndexAttr(0), extent));
  SmallVector<OpFoldResult> ones(tile.size(), rewriter.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(rewriter, loc, buffer, zeros, tile,
                                        ones);
}

Value AttentionTiler::pack(Value source, OperandRole role,
                           ArrayRef<unsigned> dims) {
  SmallVector<OpFoldResult> stored = storedExtents(role, dims);
  Type element = storedElement(role, source, dims);
  Value target = llvm::is_contained(dims, key)
                     ? createKeyBuffer(stored, element)
                     : tensor::EmptyOp::create(rewriter, loc, stored, element);
  return packInto(source, role, dims, target);
}

AffineMap AttentionTiler::tileMap(ArrayRef<unsigned> dims) {
  SmallVector<AffineExpr> results;
  for (unsigned dim : dims) {
    unsigned position = dim == lane      ? 0
                        : dim == key     ? 1
                        : dim == feature ? 2
                                         : 3;
    results.push_back(rewriter.getAffineDimExpr(position));
  }
  return AffineMap::get(4, 0, results, rewriter.getContext());
}

AttentionTiler::Operand
AttentionTiler::tileOperand(Value operand, OperandRole role, AffineMap map) {
  SmallVector<unsigned> dims = order(map, {lane, key, feature, channel});
  Value tile = slice(operand, map, dims);
  Type element = storedElement(role, operand, dims);
  AffineMap logical = tileMap(dims);
  if (dims.empty())
    // A symbol: one element, in the accumulation type if it is a float.
    tile = convertFloat(rewriter, loc, tile, element);
  else if (element != getElementTypeOrSelf(operand.getType()) ||
           llvm::is_contained(dims, lane) ||
           sizes.layout.getStoredMap(role, logical) != logical)
    tile = pack(tile, role, dims);
  return {tile, logical};
}

//===----------------------------------------------------------------------===//
// The loop over query tiles
//===----------------------------------------------------------------------===//

LogicalResult AttentionTiler::run() {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);

  wholeExtents = getExtents(rewriter, op);
  SmallVector<unsigned> parallel(classes.batch);
  parallel.append(classes.queryRows.begin(), classes.queryRows.end());
  SmallVector<OpFoldResult> bounds;
  for (unsigned dim : parallel) {
    if (dim != lane) {
      bounds.push_back(wholeExtents[dim]);
      continue;
    }
    AffineExpr extent = rewriter.getAffineSymbolExpr(0);
    bounds.push_back(affine::makeComposedFoldedAffineApply(
        rewriter, loc, extent.ceilDiv(sizes.layout.getNumRows() * sizes.queryTiles),
        {wholeExtents[dim]}));
  }
  auto forall = scf::ForallOp::create(rewriter, loc, bounds, op.getDpsInits(),
                                      /*mapping=*/std::nullopt);
  rewriter.setInsertionPoint(forall.getTerminator());
  worker = forall.getBody();
  offsets.assign(op.getNumDims(), rewriter.getIndexAttr(0));
  extents = wholeExtents;
  for (auto [dim, iv] : llvm::zip_equal(parallel, forall.getInductionVars())) {
    offsets[dim] = iv;
    extents[dim] = rewriter.getIndexAttr(1);
  }
  int64_t blockRows = sizes.layout.getNumRows() * sizes.queryTiles;
  AffineExpr block = rewriter.getAffineDimExpr(0);
  offsets[lane] = affine::makeComposedFoldedAffineApply(
      rewriter, loc, block * blockRows, {offsets[lane]});
  extents[lane] = clampExtent(offsets[lane], wholeExtents[lane], blockRows);

  SmallVector<Value> outSlices;
  unsigned outputMap = op.getOutputIndex();
  for (auto [i, out] : llvm::enumerate(forall.getRegionIterArgs())) {
    AffineMap map = op.getIndexingMap(outputMap + i);
    outSlices.push_back(slice(out, map, order(map, {lane, channel})));
  }
  SmallVector<Value> results = sizes.queryTiles == 1
                                   ? emitQueryTile(outSlices)
                                   : emitQueryBlock(outSlices);

  for (auto [i, result] : llvm::enumerate(results)) {
    SmallVector<OpFoldResult> sliceOffsets, sliceExtents;
    SmallVector<int64_t> shape;
    AffineMap map = op.getIndexingMap(outputMap + i);
    SmallVector<unsigned> kept{lane, channel};
    rewriter.setInsertionPoint(forall.getTerminator());
    locate(map, kept, sliceOffsets, sliceExtents, shape);
    SmallVector<OpFoldResult> strides(sliceOffsets.size(),
                                      rewriter.getIndexAttr(1));
    rewriter.setInsertionPointToEnd(forall.getTerminator().getBody());
    tensor::ParallelInsertSliceOp::create(rewriter, loc, result,
                                          forall.getRegionIterArgs()[i],
                                          sliceOffsets, sliceExtents, strides);
  }
  rewriter.replaceOp(op, forall.getResults());
  return success();
}

OpFoldResult AttentionTiler::clampExtent(OpFoldResult offset, OpFoldResult end,
                                         int64_t size, bool aligned) {
  std::optional<int64_t> known = getConstantIntValue(end);
  if (aligned && known && *known % size == 0)
    return rewriter.getIndexAttr(size);
  AffineExpr from = rewriter.getAffineDimExpr(0);
  AffineExpr to = rewriter.getAffineSymbolExpr(0);
  AffineMap rest =
      AffineMap::get(1, 1, {rewriter.getAffineConstantExpr(size), to - from},
                     rewriter.getContext());
  return affine::makeComposedFoldedAffineMin(rewriter, loc, rest,
                                             {offset, end});
}

SmallVector<Value>
AttentionTiler::emitInitialState(ArrayRef<OpFoldResult> leading) {
  auto filled = [&](OperandRole role, ArrayRef<unsigned> dims, double value) {
    SmallVector<OpFoldResult> shape(leading);
    llvm::append_range(shape, storedExtents(role, dims));
    return createFilledTensor(rewriter, loc, shape, accType, value);
  };
  SmallVector<Value> state{
      filled(OperandRole::accumulator, {lane, channel}, 0.0)};
  for (const Statistic &statistic : op.getWeighting().getStatistics())
    state.push_back(filled(OperandRole::statistic, {lane}, statistic.neutral));
  return state;
}

SmallVector<Value> AttentionTiler::emitQueryTile(ValueRange outSlices) {
  if (!getConstantIntValue(extents[lane]))
    rows = cast<Value>(extents[lane]);
  AffineMap queryMap = op.getIndexingMap(0);
  SmallVector<unsigned> dims = order(queryMap, {lane, feature});
  Value query =
      pack(slice(op.getQuery(), queryMap, dims), OperandRole::query, dims);
  fixed.push_back({query, tileMap(dims)});
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    AffineMap map = op.getIndexingMap(3 + i);
    fixed.push_back(map.isFunctionOfDim(key) ? Operand()
                                             : tileOperand(input, OperandRole::input, map));
  }
  for (auto [i, operand] : llvm::enumerate(op.getWeightingOperands()))
    weightingTiles.push_back(
        tileOperand(operand, OperandRole::weighting_operand,
                    op.getIndexingMap(op.getWeightingIndex() + i)));
  return emitFinish(emitKeyLoop(emitInitialState()), outSlices);
}

SmallVector<Value> AttentionTiler::emitFinish(ValueRange state,
                                              ValueRange outSlices) {
  SmallVector<AffineMap> maps;
  // Maps of attn.finish are over (m, e).
  auto finishMap = [&](AffineMap map) {
    SmallVector<AffineExpr> exprs;
    for (AffineExpr expr : map.getResults())
      exprs.push_back(rewriter.getAffineDimExpr(
          cast<AffineDimExpr>(expr).getPosition() == 0 ? 0 : 1));
    return AffineMap::get(2, 0, exprs, rewriter.getContext());
  };
  maps.push_back(finishMap(tileMap({lane, channel})));
  for (size_t i = 1; i < state.size(); ++i)
    maps.push_back(finishMap(tileMap({lane})));
  SmallVector<Value> weightingValues;
  for (Operand &operand : weightingTiles) {
    weightingValues.push_back(operand.value);
    maps.push_back(finishMap(operand.map));
  }
  for (size_t i = 0; i < outSlices.size(); ++i)
    maps.push_back(finishMap(tileMap(
        order(op.getIndexingMap(op.getOutputIndex() + i), {lane, channel}))));
  auto finish = FinishOp::create(
      rewriter, loc, outSlices.getTypes(), state[0], state.drop_front(),
      weightingValues, toValue(wholeExtents[key]), outSlices[0],
      outSlices.size() > 1 ? outSlices[1] : Value(),
      rewriter.getAffineMapArrayAttr(maps), op.getWeighting(), sizes.layout);
  return SmallVector<Value>(finish.getResults());
}

LogicalResult tileAttention(RewriterBase &rewriter, GenericOp op,
                            TileSizes sizes, bool countTiles) {
  if (!fitsKernel(op).fused)
    return rewriter.notifyMatchFailure(op, fitsKernel(op).reason);
  return AttentionTiler(rewriter, op, sizes, countTiles).run();
}

} // namespace attn
