//===- AttentionBlock.cpp - Query tiles that share keys ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionTiler.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

/// Offsets, sizes and strides of tile `tile` in a buffer with one entry per
/// query tile in front.
static void locateTile(OpBuilder &b, Location loc, Value buffer, Value tile,
                       SmallVectorImpl<OpFoldResult> &offsets,
                       SmallVectorImpl<OpFoldResult> &extents,
                       SmallVectorImpl<OpFoldResult> &strides) {
  extents = tensor::getMixedSizes(b, loc, buffer);
  for (OpFoldResult extent : extents)
    offsets.push_back(getSliceOffset(b, loc, b.getIndexAttr(0), extent));
  strides.assign(extents.size(), b.getIndexAttr(1));
  offsets[0] = tile;
  extents[0] = b.getIndexAttr(1);
}

static Value takeTile(OpBuilder &b, Location loc, Value buffer, Value tile) {
  SmallVector<OpFoldResult> offsets, extents, strides;
  locateTile(b, loc, buffer, tile, offsets, extents, strides);
  auto type = cast<RankedTensorType>(buffer.getType());
  auto tileType = RankedTensorType::get(type.getShape().drop_front(),
                                        type.getElementType());
  return tensor::ExtractSliceOp::create(b, loc, tileType, buffer, offsets,
                                        extents, strides);
}

static Value putTile(OpBuilder &b, Location loc, Value value, Value buffer,
                     Value tile) {
  SmallVector<OpFoldResult> offsets, extents, strides;
  locateTile(b, loc, buffer, tile, offsets, extents, strides);
  return tensor::InsertSliceOp::create(b, loc, value, buffer, offsets, extents,
                                       strides);
}

SmallVector<Value> AttentionTiler::forEachQueryTile(
    ValueRange inits,
    function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  OpFoldResult blockOffset = offsets[lane], blockExtent = extents[lane];
  AffineExpr extent = rewriter.getAffineSymbolExpr(0);
  OpFoldResult count = affine::makeComposedFoldedAffineApply(
      rewriter, loc, extent.ceilDiv(sizes.layout.getNumRows()), {blockExtent});
  Value zero = index(0), end = toValue(count), one = index(1);
  auto loop = scf::ForOp::create(rewriter, loc, zero, end, one, inits);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(loop.getBody());
  Value tile = loop.getInductionVar();
  AffineExpr first = rewriter.getAffineDimExpr(0);
  AffineExpr position = rewriter.getAffineDimExpr(1);
  offsets[lane] = affine::makeComposedFoldedAffineApply(
      rewriter, loc, first + position * sizes.layout.getNumRows(),
      {blockOffset, OpFoldResult(tile)});
  extents[lane] =
      clampExtent(offsets[lane], wholeExtents[lane], sizes.layout.getNumRows());
  rows = dyn_cast<Value>(extents[lane]);
  scf::YieldOp::create(rewriter, loc, body(tile, loop.getRegionIterArgs()));
  rows = {};
  offsets[lane] = blockOffset;
  extents[lane] = blockExtent;
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> AttentionTiler::packBlock() {
  // The query, the inputs, the weighting's operands, and their maps.
  SmallVector<Value> operands{op.getQuery()};
  llvm::append_range(operands, op.getInputs());
  llvm::append_range(operands, op.getWeightingOperands());
  SmallVector<unsigned> mapIndices{0};
  SmallVector<OperandRole> roles{OperandRole::query};
  for (unsigned i = 3; mapIndices.size() < operands.size(); ++i) {
    mapIndices.push_back(i);
    roles.push_back(i < op.getWeightingIndex()
                        ? OperandRole::input
                        : OperandRole::weighting_operand);
  }

  SmallVector<Operand> tiles;
  SmallVector<SmallVector<unsigned>> dims;
  SmallVector<Value> buffers, inits;
  for (auto [operand, mapIndex, role] :
       llvm::zip_equal(operands, mapIndices, roles)) {
    AffineMap map = op.getIndexingMap(mapIndex);
    dims.push_back(order(map, {lane, key, feature, channel}));
    tiles.emplace_back();
    buffers.emplace_back();
    if (llvm::is_contained(dims.back(), key))
      continue;
    if (!llvm::is_contained(dims.back(), lane)) {
      tiles.back() = tileOperand(operand, role, map);
      continue;
    }
    SmallVector<OpFoldResult> shape = storedExtents(role, dims.back());
    shape.insert(shape.begin(), rewriter.getIndexAttr(sizes.queryTiles));
    tiles.back().map = tileMap(dims.back());
    buffers.back() = tensor::EmptyOp::create(
        rewriter, loc, shape, storedElement(role, operand, dims.back()));
    inits.push_back(buffers.back());
  }
  SmallVector<Value> packed =
      forEachQueryTile(inits, [&](Value tile, ValueRange carried) {
        SmallVector<Value> next;
        for (size_t i = 0; i < operands.size(); ++i) {
          if (!buffers[i])
            continue;
          AffineMap map = op.getIndexingMap(mapIndices[i]);
          Value buffer = carried[next.size()];
          Value target = takeTile(rewriter, loc, buffer, tile);
          Value source = slice(operands[i], map, dims[i]);
          target = packInto(source, roles[i], dims[i], target);
          next.push_back(putTile(rewriter, loc, target, buffer, tile));
        }
        return next;
      });
  size_t next = 0;
  for (Value &buffer : buffers)
    if (buffer)
      buffer = packed[next++];
  size_t numFixed = 1 + op.getInputs().size();
  fixed.assign(tiles.begin(), tiles.begin() + numFixed);
  weightingTiles.assign(tiles.begin() + numFixed, tiles.end());
  return buffers;
}

std::pair<Value, Value> AttentionTiler::emitKeyHull() {
  Value first = index(0), end = toValue(wholeExtents[key]);
  if (op.getMask().empty() || op.getRanges().empty())
    return {first, end};
  SmallVector<Value> ranges = inlineBound(op.getRanges(), {});
  if (ranges.empty())
    return {first, first};
  std::tie(first, end) = std::pair(ranges[0], ranges[1]);
  for (size_t i = 2; i < ranges.size(); i += 2) {
    first = arith::MinSIOp::create(rewriter, loc, first, ranges[i]);
    end = arith::MaxSIOp::create(rewriter, loc, end, ranges[i + 1]);
  }
  return {first, end};
}

AttentionTiler::Operand AttentionTiler::packSharedKeys(Value operand,
                                                       OperandRole role,
                                                       AffineMap map) {
  Operand tile = tileOperand(operand, role, map);
  return tile.value.getDefiningOp<PackOp>() ? tile : Operand();
}

AttentionTiler::Operand
AttentionTiler::keyTileOf(const Operand &packed, Value operand,
                          OperandRole role, AffineMap map) {
  if (!packed.value)
    return tileOperand(operand, role, map);
  auto type = cast<RankedTensorType>(packed.value.getType());
  SmallVector<OpFoldResult> from, size,
      strides(type.getRank(), rewriter.getIndexAttr(1));
  AffineExpr position = rewriter.getAffineDimExpr(0);
  AffineExpr first = rewriter.getAffineDimExpr(1);
  for (unsigned dim : order(map, {key, feature, channel})) {
    size.push_back(extents[dim]);
    from.push_back(dim == key
                       ? affine::makeComposedFoldedAffineApply(
                             rewriter, loc, position - first,
                             {offsets[key], shared->first})
                       : getSliceOffset(rewriter, loc, rewriter.getIndexAttr(0),
                                        extents[dim]));
  }
  return {tensor::ExtractSliceOp::create(rewriter, loc, packed.value, from,
                                         size, strides),
          packed.map};
}

SmallVector<Value> AttentionTiler::emitQueryBlock(ValueRange outSlices) {
  SmallVector<Value> packed = packBlock();
  auto takeOperands = [&](Value tile) {
    for (auto [i, buffer] : llvm::enumerate(packed)) {
      Operand &operand =
          i < fixed.size() ? fixed[i] : weightingTiles[i - fixed.size()];
      if (buffer)
        operand.value = takeTile(rewriter, loc, buffer, tile);
    }
  };
  auto takeAll = [&](ValueRange buffers, Value tile) {
    SmallVector<Value> tiles;
    for (Value buffer : buffers)
      tiles.push_back(takeTile(rewriter, loc, buffer, tile));
    return tiles;
  };

  SmallVector<Value> state =
      emitInitialState(OpFoldResult(rewriter.getIndexAttr(sizes.queryTiles)));
  auto [first, end] = emitKeyHull();
  auto blocks = scf::ForOp::create(rewriter, loc, first, end,
                                   index(sizes.keyRows), state);
  {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToStart(blocks.getBody());
    Value start = blocks.getInductionVar();
    offsets[key] = start;
    extents[key] = clampExtent(start, end, sizes.keyRows,
                               /*aligned=*/op.getMask().empty());
    AffineExpr from = rewriter.getAffineDimExpr(0);
    AffineExpr size = rewriter.getAffineSymbolExpr(0);
    Value limit = toValue(affine::makeComposedFoldedAffineApply(
        rewriter, loc, from + size, {OpFoldResult(start), extents[key]}));
    shared = SharedKeys{start, limit,
                        packSharedKeys(op.getKey(), OperandRole::key,
                                       op.getIndexingMap(1)),
                        packSharedKeys(op.getValue(), OperandRole::value,
                                       op.getIndexingMap(2))};
    SmallVector<Value> updated = forEachQueryTile(
        blocks.getRegionIterArgs(), [&](Value tile, ValueRange carried) {
          takeOperands(tile);
          SmallVector<Value> next = emitKeyLoop(takeAll(carried, tile));
          for (auto [value, buffer] : llvm::zip_equal(next, carried))
            value = putTile(rewriter, loc, value, buffer, tile);
          return next;
        });
    scf::YieldOp::create(rewriter, loc, updated);
    shared.reset();
  }

  return forEachQueryTile(outSlices, [&](Value tile, ValueRange carried) {
    takeOperands(tile);
    SmallVector<SmallVector<OpFoldResult>> from, size, strides;
    SmallVector<Value> slices;
    AffineExpr position = rewriter.getAffineDimExpr(0);
    OpFoldResult local = affine::makeComposedFoldedAffineApply(
        rewriter, loc, position * sizes.layout.getNumRows(), {OpFoldResult(tile)});
    for (auto [i, out] : llvm::enumerate(carried)) {
      AffineMap map = op.getIndexingMap(op.getOutputIndex() + i);
      from.emplace_back();
      size.emplace_back();
      for (unsigned dim : order(map, {lane, channel})) {
        from.back().push_back(
            dim == lane ? local
                        : getSliceOffset(rewriter, loc,
                                         rewriter.getIndexAttr(0),
                                         extents[dim]));
        size.back().push_back(extents[dim]);
      }
      strides.emplace_back(from.back().size(), rewriter.getIndexAttr(1));
      slices.push_back(tensor::ExtractSliceOp::create(
          rewriter, loc, out, from.back(), size.back(), strides.back()));
    }
    SmallVector<Value> next =
        emitFinish(takeAll(blocks.getResults(), tile), slices);
    for (auto [i, out] : llvm::enumerate(carried))
      next[i] = tensor::InsertSliceOp::create(rewriter, loc, next[i], out,
                                              from[i], size[i], strides[i]);
    return next;
  });
}

} // namespace attn
