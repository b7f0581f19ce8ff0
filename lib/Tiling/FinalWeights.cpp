//===- FinalWeights.cpp - A second walk, with final weights -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where a weight has to be final when it is used, keys are walked twice: for
// the statistics, by steps whose values have no channels, and once these take
// in all keys, by `attn.replay`, which computes the scores again. Nothing of
// the size of all pairs is kept in between. Without statistics the second walk
// is the only one.
//
//===----------------------------------------------------------------------===//

#include "FusedAttention.h"
#include "OrderedWeights.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

bool FusedAttention::isReplayed() { return ordered || needsFinalWeights(op); }

bool FusedAttention::needsStatistics() {
  return !op.getWeighting().getStatistics().empty();
}

unsigned FusedAttention::getWeightsIndex() { return op.getLse() ? 2 : 1; }

Value FusedAttention::emitNoMass(int64_t tiles) {
  SmallVector<OpFoldResult> shape =
      operands.storedExtents(box, OperandRole::statistic, operands.row);
  shape[0] = repeat(shape[0], tiles);
  return createFilledTensor(b, loc, shape, op.getAccumulationType(), 0.0);
}

bool FusedAttention::gathersValues() {
  return op.getWeighting().getWeightingKind() == WeightingKind::Select &&
         !isReplayed();
}

void FusedAttention::forWalk(function_ref<void()> body) {
  if (gathersValues())
    withoutChannels(body);
  else
    body();
}

void FusedAttention::withoutChannels(function_ref<void()> body) {
  OpFoldResult &extent = box.extents[operands.channel];
  OpFoldResult whole = extent;
  extent = b.getIndexAttr(0);
  body();
  box.extents[operands.channel] = whole;
}

bool FusedAttention::leavesGaps() {
  // Without a mask each pair is written; where keys may lack, all are zero from
  // the first.
  return isFinal && op.getWeights() && !op.getMask().empty() && !mayLackKeys();
}

bool FusedAttention::mayLackKeys() { return blocks || getRaggedDims(op); }

Value FusedAttention::clearUnlisted(Value slice) {
  if (!mayLackKeys())
    return slice;
  Value zero =
      createFloatConstant(b, loc, getElementTypeOrSelf(slice.getType()), 0.0);
  return linalg::FillOp::create(b, loc, zero, slice).getResult(0);
}

SmallVector<Value> FusedAttention::clearGap(ValueRange state, Value from,
                                            Value to) {
  AffineExpr first = b.getAffineDimExpr(0), last = b.getAffineDimExpr(1);
  OpFoldResult length = affine::makeComposedFoldedAffineMax(
      b, loc,
      AffineMap::get(2, 0, {last - first, b.getAffineConstantExpr(0)},
                     b.getContext()),
      {from, to});
  SmallVector<Value> next(state);
  if (getConstantIntValue(length) == 0)
    return next;
  OpFoldResult position = std::exchange(keyPosition, from);
  OpFoldResult extent = std::exchange(box.extents[operands.key], length);
  SmallVector<OpFoldResult> offsets, extents;
  locateWeights(offsets, extents);
  Value slice = createSlice(b, loc, state[1], offsets, extents);
  Value zero =
      createFloatConstant(b, loc, getElementTypeOrSelf(slice.getType()), 0.0);
  slice = linalg::FillOp::create(b, loc, zero, slice).getResult(0);
  next[1] = insertSlice(b, loc, slice, state[1], offsets, extents);
  box.extents[operands.key] = extent;
  keyPosition = position;
  return next;
}

SmallVector<Value> FusedAttention::walkAndClear(Walk &walk, ValueRange ranges,
                                                Value from, Value to,
                                                ValueRange inits) {
  if (ranges.size() == 2) {
    SmallVector<Value> state =
        clearGap(inits, from, clamp(ranges[0], from, to));
    state = forEachTile(b, loc, walk, state,
                        [&](const WalkTile &tile, ValueRange carried) {
                          return emitKeyTile(tile, carried);
                        });
    return clearGap(state, clamp(ranges[1], from, to), to);
  }
  SmallVector<Value> state(inits);
  state.push_back(from);
  state = forEachTile(
      b, loc, walk, state, [&](const WalkTile &tile, ValueRange carried) {
        SmallVector<Value> next = clearGap(carried.drop_back(), carried.back(),
                                           toValue(tile.position));
        next = emitKeyTile(tile, next);
        next.push_back(toValue(affine::makeComposedFoldedAffineApply(
            b, loc, b.getAffineDimExpr(0) + b.getAffineSymbolExpr(0),
            {tile.position, tile.extent})));
        return next;
      });
  Value end = state.pop_back_val();
  return clearGap(state, end, to);
}

void FusedAttention::locateWeights(SmallVectorImpl<OpFoldResult> &from,
                                   SmallVectorImpl<OpFoldResult> &extents) {
  AffineMap map = op.getIndexingMap(op.getOutputIndex() + getWeightsIndex());
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    bool isKey = llvm::is_contained(classes.keyRows, dim);
    from.push_back(dim == operands.key ? keyPosition
                   : isKey             ? box.offsets[dim]
                                       : OpFoldResult(b.getIndexAttr(0)));
    extents.push_back(box.extents[dim]);
  }
}

SmallVector<Value> FusedAttention::emitReplay(ValueRange state, Value full) {
  Tiles tiles = takeTiles();
  // What only the weights have of dimensions, of extent 1, is behind the
  // tile's.
  SmallVector<unsigned> dims{operands.row, operands.key, operands.feature,
                             operands.channel};
  if (op.getWeights()) {
    llvm::append_range(dims, nest->getResultDims());
    AffineMap map = op.getIndexingMap(op.getOutputIndex() + getWeightsIndex());
    llvm::copy_if(ArrayRef(classes.keyRows).drop_back(),
                  std::back_inserter(dims),
                  [&](unsigned dim) { return map.isFunctionOfDim(dim); });
  }
  SmallVector<AffineMap> maps;
  auto addMap = [&](ArrayRef<unsigned> mapped) {
    SmallVector<AffineExpr> results;
    for (unsigned dim : mapped)
      results.push_back(
          b.getAffineDimExpr(llvm::find(dims, dim) - dims.begin()));
    maps.push_back(AffineMap::get(dims.size(), 0, results, b.getContext()));
  };
  for (const OperandPart &tile : tiles.parts)
    addMap(tile.dims);
  for (size_t i = 0; i < finished.size(); ++i)
    addMap(operands.row);
  addMap({operands.row, operands.channel});
  SmallVector<Value> inits{state[0]};
  SmallVector<Attribute> targets{
      ReplayTargetAttr::get(b.getContext(), ReplayTarget::over_keys)};
  SmallVector<OpFoldResult> from, extents;
  OperandPart weights{Value(), {}, OperandRole::weights};
  if (op.getWeights()) {
    AffineMap map = op.getIndexingMap(op.getOutputIndex() + getWeightsIndex());
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
      weights.dims.push_back(map.getDimPosition(i));
    locateWeights(from, extents);
    weights.value = createSlice(b, loc, state[1], from, extents);
    OperandPart target = operands.foldResult(box, weights, nest->getWorker());
    addMap(target.dims);
    inits.push_back(target.value);
    targets.push_back(
        ReplayTargetAttr::get(b.getContext(), ReplayTarget::stored));
  }
  if (ordered) {
    addMap(operands.row);
    inits.push_back(state.back());
    targets.push_back(
        ReplayTargetAttr::get(b.getContext(), ReplayTarget::row_state));
  }

  ValueRange all(tiles.values);
  unsigned weighting = op.getWeightingIndex();
  ValueRange inputs = all.slice(3, weighting - 3);
  auto replay = ReplayOp::create(
      b, loc, ValueRange(inits).getTypes(), all[0], all[1],
      /*contracted=*/all[2], /*pairs=*/ValueRange(), inputs,
      all.drop_front(weighting), finished, countKeys(), nest->getRows(), full,
      emitPosition(), inits, b.getAffineMapArrayAttr(maps), op.getWeighting(),
      sizes.layout, b.getArrayAttr(targets), op.getAccumulationType(),
      llvm::APFloat(tiles.scale), b.getI64IntegerAttr(sizes.keyRows),
      countTiles && !needsStatistics());
  cloneBody(op.getSimilarity(), replay.getSimilarity(), inputs);
  cloneBody(op.getMask(), replay.getMask(), inputs);
  cloneBody(op.getScore(), replay.getScore(), inputs);
  cloneBody(op.getWeight(), ordered ? replay.getElement() : replay.getWeight(),
            inputs);
  if (ordered)
    orderElements(b, replay, ordered);
  SmallVector<Value> next(replay.getResults());
  if (op.getWeights())
    next[1] = insertSlice(b, loc, operands.unfoldResult(box, next[1], weights),
                          state[1], from, extents);
  return next;
}

} // namespace attn
