//===- OnlinePhases.cpp - The phases of a step ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MicroKernel.h"
#include "OnlineEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// How many key rows ahead values are fetched. A column of channels takes a
/// part of a line from each row, which the hardware's prefetchers do not
/// follow. What lies beyond the last row is only asked for, never read.
constexpr int64_t kPrefetchRows = 12;

//===----------------------------------------------------------------------===//
// 1. Mask
//===----------------------------------------------------------------------===//

/// Stores a word of bits per key row and returns whether any is set.
Value PairEmitter::emitMask() {
  auto exact = b.getIntegerType(lanes);
  bitsType = b.getIntegerType(std::max<int64_t>(8, llvm::PowerOf2Ceil(lanes)));
  bits = createWorkerScratch(b, op, MemRefType::get({keyTile}, bitsType));
  Value none = arith::ConstantOp::create(b, loc, b.getIntegerAttr(bitsType, 0));
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  auto anyVisible = [&] {
    SmallVector<Value> any = emitStridedLoop(
        b, loc, numKeys, /*unroll=*/1, /*strides=*/{}, none,
        [&](Value keyRow, ValueRange, ValueRange seen) {
          LaneValue visible =
              inlineForRow(op.getMask(), arguments(op.getMask(), {}, keyRow),
                           keyRow, LanePredicate{validLanes});
          Value lanesSeen = emitter->toVector(visible);
          if (validLanes)
            lanesSeen = arith::AndIOp::create(b, loc, lanesSeen, validLanes);
          Value packed = vector::BitCastOp::create(
              b, loc, VectorType::get({1}, exact), lanesSeen);
          Value word = vector::ExtractOp::create(b, loc, packed, int64_t(0));
          if (exact != bitsType)
            word = arith::ExtUIOp::create(b, loc, bitsType, word);
          memref::StoreOp::create(b, loc, word, bits, keyRow);
          return SmallVector<Value>{
              arith::OrIOp::create(b, loc, seen[0], word)};
        });
    return SmallVector<Value>{
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, any[0], none)};
  };
  return perVisibility(TypeRange(b.getI1Type()), [&] {
    return allVisible ? SmallVector<Value>{yes} : anyVisible();
  })[0];
}

//===----------------------------------------------------------------------===//
// Keys and values that are read once
//===----------------------------------------------------------------------===//

/// Lines of the second-level cache, which holds a tile.
static void bringNear(OpBuilder &b, Location loc, Value buffer, Value row,
                      Value column) {
  memref::PrefetchOp::create(b, loc, buffer, ValueRange{row, column},
                             /*isWrite=*/false, /*localityHint=*/2,
                             /*isDataCache=*/true);
}

bool PairEmitter::readsOnce() {
  auto liesByRows = [&](unsigned index, unsigned column) {
    AffineMap map = op.getStoredMap(index);
    return map.getNumResults() == 2 && map.getDimPosition(0) == 1 &&
           map.getDimPosition(1) == column;
  };
  if (lanes * accType.getWidth() > options.vectorBits || !op.getValue() ||
      !liesByRows(1, 2) || !liesByRows(2, 3))
    return false;
  int64_t channels = cast<MemRefType>(op.getValue().getType()).getDimSize(1);
  return !ShapedType::isDynamic(channels) &&
         channels % (keysPerStep() * groupRows) == 0;
}

/// While the `count` key rows from `first` on meet the queries: a part of one
/// of their values.
void PairEmitter::prefetchValues(Value first, int64_t count, Value step,
                                 Value feature) {
  Value turn = arith::RemUIOp::create(b, loc, step, index(count));
  bringNear(b, loc, op.getValue(), arith::AddIOp::create(b, loc, first, turn),
            feature);
}

/// While the channels from `channel` on meet a key row, or a pair of them, the
/// one of number `step` of `steps`: a part of the keys of the next tile, in the
/// order of their addresses.
void PairEmitter::prefetchNextKeys(Value channel, Value step, Value steps) {
  int64_t channels = cast<MemRefType>(op.getValue().getType()).getDimSize(1);
  int64_t size = keysPerStep() * groupRows;
  Value perRow = index(channels / size);
  Value number = arith::MulIOp::create(
      b, loc, arith::DivUIOp::create(b, loc, channel, index(groupRows)), steps);
  number = arith::AddIOp::create(b, loc, number, step);
  Value row = arith::DivUIOp::create(b, loc, number, perRow);
  Value part = arith::RemUIOp::create(b, loc, number, perRow);
  bringNear(b, loc, op.getKey(), arith::AddIOp::create(b, loc, numKeys, row),
            arith::MulIOp::create(b, loc, part, index(size)));
}

//===----------------------------------------------------------------------===//
// 2. Similarity and score
//===----------------------------------------------------------------------===//

/// Takes turns: of so many features one asks for a part of each row.
void PairEmitter::prefetchKey(Value first, int64_t count, Value step,
                              Value feature) {
  if (isReadOnce)
    return prefetchValues(first, count, step, feature);
  auto type = dyn_cast<MemRefType>(op.getKey().getType());
  if (!type || keyMap.isFunctionOfDim(0))
    return;
  Value behind = arith::AddIOp::create(b, loc, first, index(count));
  Value turn = arith::RemUIOp::create(b, loc, step, index(count));
  Value row = arith::AddIOp::create(b, loc, behind, turn);
  SmallVector<Value> indices;
  for (AffineExpr result : keyMap.getResults())
    indices.push_back(cast<AffineDimExpr>(result).getPosition() == 1 ? row
                                                                     : feature);
  memref::PrefetchOp::create(b, loc, op.getKey(), indices, /*isWrite=*/false,
                             /*localityHint=*/3, /*isDataCache=*/true);
}

SmallVector<Value> PairEmitter::emitSimilarity(Value first, int64_t count,
                                               bool clamp) {
  SmallVector<Value> rows;
  Value last;
  if (clamp)
    last = arith::SubIOp::create(b, loc, numKeys, one);
  for (int64_t r = 0; r < count; ++r) {
    Value row = arith::AddIOp::create(b, loc, first, index(r));
    if (clamp)
      row = arith::MinSIOp::create(b, loc, row, last);
    rows.push_back(row);
  }
  Value start = createFloatConstant(b, loc, laneType, 0.0);
  SmallVector<Value> sums(count, start);
  if (inPairs)
    return scaleSums(emitSimilarityInPairs(first, rows, sums));
  FlatBuffer queries = flatten(b, loc, op.getQuery(), {zero, zero});
  auto loadQuery = [&](int64_t, Value feature, ValueRange offsets) -> Value {
    Value query =
        vector::LoadOp::create(b, loc, laneType, queries.memref, offsets[0]);
    prefetchKey(first, count, feature, feature);
    return query;
  };
  constexpr int64_t kUnroll = 2;
  if (op.getSimilarity().empty()) {
    auto loadKey = [&](int64_t r, Value feature, ValueRange) {
      LaneValue key = read(op.getKey(), keyMap, rows[r], feature);
      return key.vector ? key.vector : key.scalar;
    };
    sums = emitMicroKernel(
        b, loc, {numFeatures, kUnroll, queries.strides[0], loadQuery, loadKey},
        sums, options);
  } else {
    sums = emitStridedLoop(
        b, loc, numFeatures, kUnroll, queries.strides[0], sums,
        [&](Value feature, ValueRange offsets, ValueRange carried) {
          Value query = loadQuery(0, feature, offsets);
          SmallVector<Value> next;
          for (int64_t r = 0; r < count; ++r) {
            LaneValue key = read(op.getKey(), keyMap, rows[r], feature);
            LaneValue term = inlineForRow(
                op.getSimilarity(),
                arguments(op.getSimilarity(), {LaneValue::lanes(query), key},
                          rows[r], feature),
                rows[r], LanePredicate{validLanes});
            next.push_back(arith::AddFOp::create(b, loc, carried[r],
                                                 emitter->toVector(term)));
          }
          return next;
        });
  }
  return scaleSums(sums);
}

SmallVector<Value> PairEmitter::scaleSums(SmallVector<Value> sums) {
  double scale = op.getScale().convertToDouble();
  if (scale != 1.0) {
    Value factor = createFloatConstant(b, loc, laneType, scale);
    for (Value &sum : sums)
      sum = arith::MulFOp::create(b, loc, sum, factor);
  }
  return sums;
}

void PairEmitter::emitScores(bool updates) {
  // Where the score is the similarity, the score statistics of full tiles come
  // for free while the scores are in registers.
  bool fold = updates && op.getScore().empty() && (!bits || tile.full);
  unsigned numUpdated = updates ? numScoreStatistics : 0;
  SmallVector<Value> oldScoreStatistics(
      ArrayRef<Value>(scoreStatistics).take_front(numUpdated));
  auto combine = [&](ValueRange state, Value score, Value visible) {
    SmallVector<Value> next;
    for (unsigned i = 0; i < numUpdated; ++i)
      next.push_back(select(
          visible, weighting.combine(b, loc, i, state[i], score), state[i]));
    return next;
  };
  std::optional<int64_t> known = getConstantIntValue(numKeys);
  bool clamp = !known || *known % groupRows != 0;
  {
    auto loop =
        scf::ForOp::create(b, loc, zero, numKeys, index(groupRows),
                           fold ? ValueRange(scoreStatistics) : ValueRange());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value first = loop.getInductionVar();
    SmallVector<Value> sums = emitSimilarity(first, groupRows, clamp);
    Value offset = arith::MulIOp::create(b, loc, first, index(lanes));
    SmallVector<Value> state(loop.getRegionIterArgs());
    for (auto [r, sum] : llvm::enumerate(sums)) {
      storeScores(sum, arith::AddIOp::create(b, loc, offset, index(r * lanes)));
      if (fold)
        state = combine(state, sum, {});
    }
    if (!state.empty()) {
      scf::YieldOp::create(b, loc, state);
      scoreStatistics.assign(loop.result_begin(), loop.result_end());
    }
  }

  if (!updates && op.getScore().empty())
    return;
  SmallVector<Value> folded = scoreStatistics;
  SmallVector<Value> updated = perVisibility(
      ValueRange(oldScoreStatistics).getTypes(), [&]() -> SmallVector<Value> {
        if (fold && (!bits || allVisible))
          return folded;
        return forEachKeyRow(oldScoreStatistics, [&](Value keyRow, Value offset,
                                                     ValueRange state) {
          Value score = loadScores(offset), visible = loadVisible(keyRow);
          if (!op.getScore().empty()) {
            score = inlineForRow(op.getScore(), score, keyRow, visible);
            storeScores(score, offset);
          }
          return combine(state, score, visible);
        });
      });
  if (updates)
    scoreStatistics = updated;
}

//===----------------------------------------------------------------------===//
// 3. Weights
//===----------------------------------------------------------------------===//

void OnlineEmitter::emitWeights(ValueRange oldScoreStatistics) {
  rescale = weighting.rescale(b, loc, oldScoreStatistics, scoreStatistics,
                              /*scale=*/Value());
  // Each tile is added up by itself: sums of sums round less than long ones.
  SmallVector<Value> state;
  for (const Statistic &statistic :
       ArrayRef(statistics).drop_front(numScoreStatistics))
    state.push_back(createFloatConstant(b, loc, laneType, statistic.neutral));
  Value nothing = createFloatConstant(b, loc, laneType, 0.0);
  // The weight of a key row, which `carried` takes in.
  auto computeWeight = [&](Value keyRow, Value offset,
                           SmallVector<Value> &carried) {
    Value visible = loadVisible(keyRow);
    Value weight = weighting.weight(b, loc, loadScores(offset), scoreStatistics,
                                    weightingOperands, /*scale=*/Value());
    weight = select(visible, weight, nothing);
    for (auto [i, old] : llvm::enumerate(carried))
      old = weighting.combine(b, loc, numScoreStatistics + i, old, weight);
    if (!op.getWeight().empty())
      weight = inlineForRow(op.getWeight(), weight, keyRow, visible);
    return weight;
  };
  std::optional<int64_t> known = getConstantIntValue(numKeys);
  weightsInPairs = inPairs && known && *known % 2 == 0;
  state = perVisibility(ValueRange(state).getTypes(), [&] {
    if (weightsInPairs)
      return storeWeightPairs(state, computeWeight);
    return forEachKeyRow(
        state, [&](Value keyRow, Value offset, ValueRange carried) {
          SmallVector<Value> next(carried);
          storeScores(computeWeight(keyRow, offset, next), offset);
          return next;
        });
  });
  SmallVector<Value> updated(scoreStatistics);
  for (auto [i, here] : llvm::enumerate(state)) {
    unsigned number = numScoreStatistics + i;
    Value old =
        vector::LoadOp::create(b, loc, laneType, tile.statistics[number], zero);
    if (rescale)
      old = arith::MulFOp::create(b, loc, old, rescale);
    updated.push_back(weighting.combine(b, loc, number, old, here));
  }
  for (auto [i, value] : llvm::enumerate(updated))
    vector::StoreOp::create(b, loc, value, tile.statistics[i],
                            ValueRange{zero});
}

void OnlineEmitter::emitPhases() {
  SmallVector<Value> oldScoreStatistics(scoreStatistics);
  emitScores(/*updates=*/true);
  emitWeights(oldScoreStatistics);
  valueOperand = op.getValue();
  valueMap = op.getStoredMap(2);
  accumulator = op.getAccumulatorInit();
  emitWeightedValues();
}

//===----------------------------------------------------------------------===//
// 4. Values
//===----------------------------------------------------------------------===//

void PairEmitter::prefetch(Value values, Value position, Value rowStride) {
  Value distance =
      b.createOrFold<arith::MulIOp>(loc, index(kPrefetchRows), rowStride);
  Value ahead = b.createOrFold<arith::AddIOp>(loc, position, distance);
  memref::PrefetchOp::create(b, loc, values, ahead, /*isWrite=*/false,
                             /*localityHint=*/3, /*isDataCache=*/true);
}

void PairEmitter::emitWeightedValues() {
  if (inPairs) {
    if (!weightsInPairs)
      packWeightPairs();
    packValuePairs();
  }
  perVisibility(TypeRange(), [&] {
    emitValues();
    return SmallVector<Value>();
  });
}

void PairEmitter::emitChannels(Value first, int64_t count) {
  SmallVector<Value> rows, sums;
  for (int64_t r = 0; r < count; ++r) {
    rows.push_back(arith::AddIOp::create(b, loc, first, index(r)));
    Value sum = vector::LoadOp::create(b, loc, laneType, accumulator,
                                       ValueRange{rows[r], zero});
    if (rescale)
      sum = arith::MulFOp::create(b, loc, sum, rescale);
    sums.push_back(sum);
  }
  sums = inPairs ? emitChannelsInPairs(first, sums) : addChannels(first, sums);
  for (int64_t r = 0; r < count; ++r)
    vector::StoreOp::create(b, loc, sums[r], accumulator,
                            ValueRange{rows[r], zero});
}

SmallVector<Value> PairEmitter::addChannels(Value first, ValueRange sums) {
  bool hidesPairs = bits && !allVisible;
  // What an unknown number of rows leaves over would be a second loop.
  int64_t unroll = hidesPairs || !getConstantIntValue(numKeys) ? 1 : 2;
  bool keysFirst = valueMap.getDimPosition(0) == 1;
  FlatBuffer values =
      flatten(b, loc, valueOperand,
              keysFirst ? ValueRange{zero, first} : ValueRange{first, zero});
  Value keyStride = values.strides[keysFirst ? 0 : 1];
  Value channelStride = values.strides[keysFirst ? 1 : 0];
  Value strides[] = {index(lanes), keyStride};
  auto loadWeight = [&](int64_t, Value keyRow, ValueRange offsets) {
    Value weight = loadScores(offsets[0]);
    if (isReadOnce)
      prefetchNextKeys(first, keyRow, numKeys);
    else
      prefetch(values.memref, offsets[1], keyStride);
    return weight;
  };
  auto loadValue = [&](int64_t r, Value, ValueRange offsets) {
    Value channel = b.createOrFold<arith::MulIOp>(loc, index(r), channelStride);
    Value position = b.createOrFold<arith::AddIOp>(loc, offsets[1], channel);
    Value element = memref::LoadOp::create(b, loc, values.memref, position);
    return convertFloat(b, loc, element, accType);
  };
  // Hidden values must not leak, not even as 0 * NaN.
  auto visible = [&](int64_t, Value keyRow) { return loadVisible(keyRow); };
  return emitMicroKernel(
      b, loc, {numKeys, unroll, strides, loadWeight, loadValue, visible}, sums,
      options);
}

void PairEmitter::emitValues() {
  Value numChannels = getExtent(valueOperand, valueMap, 3);
  std::optional<int64_t> known = getConstantIntValue(numChannels);
  Value whole = arith::SubIOp::create(
      b, loc, numChannels,
      arith::RemUIOp::create(b, loc, numChannels, index(groupRows)));
  if (known)
    whole = index(*known / groupRows * groupRows);
  if (!known || *known >= groupRows)
    emitLoop(b, loc, zero, whole, groupRows,
             [&](Value first) { emitChannels(first, groupRows); });
  if (known && *known % groupRows != 0)
    emitChannels(whole, *known % groupRows);
  else if (!known)
    emitLoop(b, loc, whole, numChannels, 1,
             [&](Value first) { emitChannels(first, 1); });
}

} // namespace attn
