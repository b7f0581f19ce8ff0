//===- OnlineEmitter.cpp - A step in vector code ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnlineEmitter.h"
#include "MicroKernel.h"
#include "attn/IR/Utils.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

int64_t PairEmitter::getMaxKeys() {
  if (tile.keyTile)
    return static_cast<int64_t>(*tile.keyTile);
  return cast<MemRefType>(op.getKey().getType())
      .getDimSize(*keyMap.getResultPosition(b.getAffineDimExpr(1)));
}

Value PairEmitter::getExtent(Value operand, AffineMap map, unsigned dim) {
  unsigned position = *map.getResultPosition(b.getAffineDimExpr(dim));
  return getValueOrCreateConstantIndexOp(
      b, loc, memref::getMixedSize(b, loc, operand, position));
}

LaneValue PairEmitter::read(Value operand, AffineMap map, Value keyRow,
                            Value feature) {
  auto type = dyn_cast<MemRefType>(operand.getType());
  if (!type)
    return LaneValue::uniform(operand);
  SmallVector<Value> indices;
  bool alongLanes = false;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    alongLanes |= dim == 0;
    indices.push_back(dim == 0 ? zero : dim == 1 ? keyRow : feature);
  }
  if (alongLanes) {
    VectorType lanes = emitter->vectorType(type.getElementType());
    if (liesAsVector(type.getElementType()))
      return LaneValue::lanes(
          vector::LoadOp::create(b, loc, lanes, operand, indices));
    auto positions = llvm::map_to_vector(indices, LaneValue::uniform);
    positions[*map.getResultPosition(b.getAffineDimExpr(0))].stride = 1;
    return LaneValue::lanes(
        reader.read(*emitter, operand, positions, /*mask=*/{}));
  }
  Value element = memref::LoadOp::create(b, loc, operand, indices);
  if (isa<FloatType>(type.getElementType()))
    element = convertFloat(b, loc, element, accType);
  return LaneValue::uniform(element);
}

SmallVector<LaneValue> PairEmitter::arguments(Region &region,
                                              ArrayRef<LaneValue> leading,
                                              Value keyRow, Value feature) {
  SmallVector<LaneValue> values(leading);
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    AffineMap map = op.getStoredMap(op.getFirstInputIndex() + i);
    LaneValue value;
    if (!region.getArgument(leading.size() + i).use_empty())
      value = read(input, map, keyRow, feature);
    value.variesByKey = map.isFunctionOfDim(1);
    values.push_back(value);
  }
  return values;
}

LaneValue PairEmitter::inlineForRow(Region &region,
                                    ArrayRef<LaneValue> arguments, Value keyRow,
                                    LanePredicate predicate) {
  LaneValue row = LaneValue::affine(zero, 1), key = LaneValue::uniform(keyRow);
  key.variesByKey = true;
  return emitter->inlineRegion(region, arguments, {row, key}, predicate);
}

Value PairEmitter::inlineForRow(Region &region, Value value, Value keyRow,
                                Value visible) {
  SmallVector<LaneValue> args =
      arguments(region, LaneValue::lanes(value), keyRow);
  LanePredicate predicate{visible ? visible : validLanes,
                          /*mayBeEmpty=*/bool(visible)};
  return emitter->toVector(inlineForRow(region, args, keyRow, predicate));
}

Value PairEmitter::loadScores(Value offset) {
  return vector::LoadOp::create(b, loc, laneType, scores, offset);
}

void PairEmitter::storeScores(Value value, Value offset) {
  vector::StoreOp::create(b, loc, value, scores, offset);
}

SmallVector<Value> PairEmitter::forEachKeyRow(
    ValueRange inits,
    function_ref<SmallVector<Value>(Value, Value, ValueRange)> body) {
  return emitStridedLoop(
      b, loc, numKeys, /*unroll=*/1, index(lanes), inits,
      [&](Value keyRow, ValueRange offsets, ValueRange carried) {
        return body(keyRow, offsets[0], carried);
      });
}

SmallVector<Value>
PairEmitter::perVisibility(TypeRange types,
                           function_ref<SmallVector<Value>()> phase) {
  if (op.getMask().empty() || !tile.full)
    return phase();
  auto branch = scf::IfOp::create(b, loc, types, tile.full,
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  for (bool full : {true, false}) {
    b.setInsertionPointToStart(full ? branch.thenBlock() : branch.elseBlock());
    allVisible = full;
    scf::YieldOp::create(b, loc, phase());
  }
  allVisible = false;
  return SmallVector<Value>(branch.getResults());
}

Value PairEmitter::loadVisible(Value keyRow) {
  if (!bits || allVisible)
    return {};
  Value word = memref::LoadOp::create(b, loc, bits, keyRow);
  auto exact = b.getIntegerType(lanes);
  if (exact != bitsType)
    word = arith::TruncIOp::create(b, loc, exact, word);
  Value vector =
      vector::BroadcastOp::create(b, loc, VectorType::get({1}, exact), word);
  return vector::BitCastOp::create(b, loc, emitter->vectorType(b.getI1Type()),
                                   vector);
}

//===----------------------------------------------------------------------===//

void PairEmitter::count(TileCounter counter, Value condition) {
  if (tile.countTiles)
    emitTileCount(b, loc, counter, condition);
}

void PairEmitter::emitAll() {
  count(TileCounter::Computed);
  if (op.getMask().empty() || tile.full)
    count(TileCounter::Full, tile.full);
  for (unsigned i = 0; i < numScoreStatistics; ++i)
    scoreStatistics.push_back(vector::LoadOp::create(
        b, loc, laneType, tile.statistics[i], ValueRange{zero}));
  if (inPairs)
    packFeaturePairs();
  emitPhases();
}

LogicalResult PairEmitter::run() {
  inPairs = getElementTypeOrSelf(op.getQuery().getType()).isBF16();
  if (inPairs && failed(checkPairs()))
    return failure();
  b.setInsertionPoint(op);
  lanes = tile.layout.getNumRows();
  keyMap = op.getStoredMap(1);
  keyTile = getMaxKeys();
  accType = op.getAccumulationType();
  weighting = dyn_cast<AccumulateWeightingAttrInterface>(op.getWeighting());
  if (weighting)
    statistics = weighting.getStatistics();
  for (const Statistic &statistic : statistics)
    numScoreStatistics += statistic.phase == StatisticPhase::Score;
  laneType = VectorType::get({lanes}, accType);
  emitter.emplace(b, loc, lanes, reader);
  groupRows = getMicroKernelRows(accType, lanes, options);
  isReadOnce = readsOnce();

  zero = index(0);
  one = index(1);
  numKeys = getExtent(op.getKey(), keyMap, 1);
  numFeatures = getExtent(op.getKey(), keyMap, 2);
  if (tile.rows)
    validLanes = createLaneMask(b, loc, lanes, tile.rows);
  unsigned firstWeighting = op.getWeightingIndex();
  for (auto [i, operand] : llvm::enumerate(op.getWeightingOperands()))
    weightingOperands.push_back(emitter->toVector(
        read(operand, op.getStoredMap(firstWeighting + i), zero, zero)));
  scores = createWorkerScratch(
      b, op,
      MemRefType::get(
          {static_cast<int64_t>(llvm::alignTo(keyTile, groupRows)) * lanes},
          accType));
  count(TileCounter::LookedAt);
  if (op.getMask().empty()) {
    emitAll();
  } else {
    Value any = emitMask();
    auto visited = scf::IfOp::create(b, loc, any, hasHiddenPhase());
    if (hasHiddenPhase()) {
      b.setInsertionPointToStart(visited.elseBlock());
      emitHiddenPhase();
    }
    b.setInsertionPointToStart(visited.thenBlock());
    emitAll();
  }
  b.eraseOp(op);
  return success();
}

} // namespace attn
