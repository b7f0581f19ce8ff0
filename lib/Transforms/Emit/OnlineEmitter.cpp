//===- OnlineEmitter.cpp - A step in vector code ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loop nest of one step, for L query rows in the lanes and n key rows
// (queries in lanes: no reduction crosses lanes, keys and values are read in
// the layout they have, each element broadcast once per register tile):
//
//   1. mask: one bit per pair, in memory; nothing more happens if none is set;
//   2. similarity: R key rows at a time, their L-wide sums in registers, summed
//      over the features; the score region, or only the score statistics;
//   3. weights: statistics rescaled, weights in place of the scores;
//   4. values: R channels at a time, their L-wide accumulators in registers,
//      summed over the key rows.
//
// Key rows that do not fill a group of R repeat the last row: what is computed
// for them is never read, and score statistics are idempotent.
//
//===----------------------------------------------------------------------===//

#include "LaneValue.h"
#include "TileEmitter.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {
namespace {

class OnlineEmitter {
public:
  OnlineEmitter(RewriterBase &rewriter, OnlineOp op, const EmitOptions &options)
      : b(rewriter), loc(op.getLoc()), op(op), options(options) {}

  LogicalResult run();

private:
  LogicalResult checkLayout();
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  /// Reads `operand` at a key row and a feature, for all lanes.
  LaneValue read(Value operand, AffineMap map, Value keyRow, Value feature);
  /// The block arguments of a region: `leading`, then the inputs. Inputs that
  /// the region does not read are left out.
  SmallVector<LaneValue> arguments(Region &region, ArrayRef<LaneValue> leading,
                                   Value keyRow, Value feature = {});
  /// Scores are a row of lanes per key row; `offset` is keyRow * lanes.
  Value loadScores(Value offset);
  void storeScores(Value scores, Value offset);
  /// A loop over the key rows; `body` gets the key row, the offset of its
  /// scores and the values carried.
  SmallVector<Value> forEachKeyRow(
      ValueRange inits,
      function_ref<SmallVector<Value>(Value, Value, ValueRange)> body);
  /// The lanes that see `keyRow`, as a vector of i1; null where all do.
  Value loadVisible(Value keyRow);
  /// Emits `phase` for tiles with hidden pairs, for full ones, or, where only
  /// the run time tells, for both; `phase` returns `types` and asks
  /// `loadVisible`.
  SmallVector<Value> perVisibility(TypeRange types,
                                   function_ref<SmallVector<Value>()> phase);
  /// What reads in the score and weight regions are predicated by.
  Value readPredicate(Value visible) { return visible ? visible : validLanes; }
  Value select(Value condition, Value then, Value otherwise) {
    if (!condition)
      return then;
    return arith::SelectOp::create(b, loc, condition, then, otherwise);
  }

  Value emitMask();
  void emitScores();
  /// Similarity of the `count` key rows from `first` on, in registers.
  SmallVector<Value> emitSimilarity(Value first, int64_t count, bool clamp);
  void emitWeights();
  void emitValues();
  void emitChannels(Value first, int64_t count);
  void emitAll();
  /// Adds `value` to one of the counters, if the op counts its tiles.
  void count(int64_t counter, Value value);

  RewriterBase &b;
  Location loc;
  OnlineOp op;
  EmitOptions options;

  FloatType accType;
  WeightingAttrInterface weighting;
  SmallVector<Statistic> statistics;
  unsigned numScoreStatistics = 0;
  int64_t lanes = 0, groupRows = 0, keyTile = 0;
  VectorType laneType;
  std::optional<LaneEmitter> emitter;
  Value zero, one, numKeys, numFeatures, numChannels;
  AffineMap keyMap, valueMap;
  Value scores, bits;
  IntegerType bitsType;
  /// Whether the phase being emitted is for full tiles.
  bool allVisible = false;
  Value validLanes;
  SmallVector<Value> weightingOperands;
  /// Score statistics before and after the step, and the rescaling between.
  SmallVector<Value> oldScoreStatistics, scoreStatistics;
  Value rescale;
};

} // namespace

LogicalResult OnlineEmitter::checkLayout() {
  auto lanesInnermost = [&](Value operand, AffineMap map) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (!type)
      return !map.isFunctionOfDim(0);
    if (!map.isFunctionOfDim(0))
      return true;
    unsigned last = type.getRank() - 1;
    return map.getDimPosition(last) == 0 && isContiguousAlong(type, last) &&
           type.getDimSize(last) == lanes;
  };
  DimensionClasses classes = op.getDimensionClasses();
  bool canonical = op.getNumDims() == 4 &&
                   classes.classes ==
                       ArrayRef<DimensionClass>(
                           {DimensionClass::QueryRow, DimensionClass::KeyRow,
                            DimensionClass::Feature, DimensionClass::Channel});
  if (!canonical)
    return op.emitOpError(
        "cannot be vectorized: expected the dimensions (query "
        "rows, key rows, features, channels); run attn-tile");
  auto accumulator = dyn_cast<MemRefType>(op.getAccumulator().getType());
  if (!accumulator || accumulator.isDynamicDim(accumulator.getRank() - 1))
    return op.emitOpError(
        "cannot be vectorized: expected buffers with a static "
        "number of query rows innermost; run attn-tile");
  lanes = accumulator.getShape().back();
  auto attention = cast<AttentionOpInterface>(op.getOperation());
  for (auto [index, operand] : llvm::enumerate(attention.getMappedOperands()))
    if (!lanesInnermost(operand, op.getIndexingMap(index)))
      return op.emitOpError("cannot be vectorized: expected operand ")
             << index << " to have query rows innermost and contiguous";
  auto keyType = cast<MemRefType>(op.getKey().getType());
  unsigned keyPosition =
      *op.getIndexingMap(1).getResultPosition(b.getAffineDimExpr(1));
  if (auto tile = op.getKeyTile())
    keyTile = *tile;
  else if (!keyType.isDynamicDim(keyPosition))
    keyTile = keyType.getDimSize(keyPosition);
  else
    return op.emitOpError("cannot be vectorized: expected key_tile where the "
                          "number of key rows is dynamic");
  return success();
}

LaneValue OnlineEmitter::read(Value operand, AffineMap map, Value keyRow,
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
    if (!type.getElementType().isInteger(1))
      return LaneValue::lanes(
          vector::LoadOp::create(b, loc, lanes, operand, indices));
    // A vector of i1 is packed in memory, elements are a byte each; a gather
    // of consecutive elements would be folded into the vector's load.
    SmallVector<Value> elements;
    unsigned lanePosition = *map.getResultPosition(b.getAffineDimExpr(0));
    for (int64_t lane = 0, e = lanes.getDimSize(0); lane < e; ++lane) {
      indices[lanePosition] = arith::ConstantIndexOp::create(b, loc, lane);
      elements.push_back(memref::LoadOp::create(b, loc, operand, indices));
    }
    return LaneValue::lanes(
        vector::FromElementsOp::create(b, loc, lanes, elements));
  }
  Value element = memref::LoadOp::create(b, loc, operand, indices);
  if (isa<FloatType>(type.getElementType()))
    element = convertFloat(b, loc, element, accType);
  return LaneValue::uniform(element);
}

SmallVector<LaneValue> OnlineEmitter::arguments(Region &region,
                                                ArrayRef<LaneValue> leading,
                                                Value keyRow, Value feature) {
  SmallVector<LaneValue> values(leading);
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    LaneValue value;
    if (!region.getArgument(leading.size() + i).use_empty())
      value = read(input, op.getIndexingMap(3 + i), keyRow, feature);
    value.variesByKey = op.getIndexingMap(3 + i).isFunctionOfDim(1);
    values.push_back(value);
  }
  return values;
}

Value OnlineEmitter::loadScores(Value offset) {
  return vector::LoadOp::create(b, loc, laneType, scores, offset);
}

void OnlineEmitter::storeScores(Value value, Value offset) {
  vector::StoreOp::create(b, loc, value, scores, offset);
}

SmallVector<Value> OnlineEmitter::forEachKeyRow(
    ValueRange inits,
    function_ref<SmallVector<Value>(Value, Value, ValueRange)> body) {
  return emitStridedLoop(
      b, loc, numKeys, /*unroll=*/1, index(lanes), inits,
      [&](Value keyRow, ValueRange offsets, ValueRange carried) {
        return body(keyRow, offsets[0], carried);
      });
}

SmallVector<Value>
OnlineEmitter::perVisibility(TypeRange types,
                             function_ref<SmallVector<Value>()> phase) {
  if (op.getMask().empty() || !op.getFull())
    return phase();
  auto branch = scf::IfOp::create(b, loc, types, op.getFull(),
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

Value OnlineEmitter::loadVisible(Value keyRow) {
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
// 1. Mask
//===----------------------------------------------------------------------===//

/// Stores a word of bits per key row and returns whether any is set.
Value OnlineEmitter::emitMask() {
  auto exact = b.getIntegerType(lanes);
  bitsType = b.getIntegerType(std::max<int64_t>(8, llvm::PowerOf2Ceil(lanes)));
  bits = createWorkerScratch(b, op, MemRefType::get({keyTile}, bitsType));
  Value none = arith::ConstantOp::create(b, loc, b.getIntegerAttr(bitsType, 0));
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  auto anyVisible = [&] {
    SmallVector<Value> any = emitStridedLoop(
        b, loc, numKeys, /*unroll=*/1, /*strides=*/{}, none,
        [&](Value keyRow, ValueRange, ValueRange seen) {
          LaneValue visible = emitter->inlineRegion(
              op.getMask(), arguments(op.getMask(), {}, keyRow), keyRow,
              validLanes, /*mayHideRow=*/false);
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
// 2. Similarity and score
//===----------------------------------------------------------------------===//

SmallVector<Value> OnlineEmitter::emitSimilarity(Value first, int64_t count,
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
  FlatBuffer queries = flatten(b, loc, op.getQuery(), {zero, zero});
  sums = emitStridedLoop(
      b, loc, numFeatures, /*unroll=*/2, queries.strides[0], sums,
      [&](Value feature, ValueRange offsets, ValueRange carried) {
        Value query = vector::LoadOp::create(b, loc, laneType, queries.memref,
                                             offsets[0]);
        SmallVector<Value> next;
        for (int64_t r = 0; r < count; ++r) {
          LaneValue key = read(op.getKey(), keyMap, rows[r], feature);
          if (op.getSimilarity().empty()) {
            next.push_back(vector::FMAOp::create(b, loc, emitter->toVector(key),
                                                 query, carried[r]));
            continue;
          }
          LaneValue term = emitter->inlineRegion(
              op.getSimilarity(),
              arguments(op.getSimilarity(), {LaneValue::lanes(query), key},
                        rows[r], feature),
              rows[r], validLanes, /*mayHideRow=*/false);
          next.push_back(arith::AddFOp::create(b, loc, carried[r],
                                               emitter->toVector(term)));
        }
        return next;
      });
  double scale = op.getScale().convertToDouble();
  if (scale != 1.0) {
    Value factor = createFloatConstant(b, loc, laneType, scale);
    for (Value &sum : sums)
      sum = arith::MulFOp::create(b, loc, sum, factor);
  }
  return sums;
}

void OnlineEmitter::emitScores() {
  // Where the score is the similarity, the score statistics of full tiles come
  // for free while the scores are in registers.
  bool fold = op.getScore().empty() && (!bits || op.getFull());
  scoreStatistics = oldScoreStatistics;
  auto combine = [&](ValueRange state, Value score, Value visible) {
    SmallVector<Value> next;
    for (unsigned i = 0; i < numScoreStatistics; ++i)
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

  SmallVector<Value> folded = scoreStatistics;
  scoreStatistics = perVisibility(
      ValueRange(oldScoreStatistics).getTypes(), [&]() -> SmallVector<Value> {
        if (fold && (!bits || allVisible))
          return folded;
        return forEachKeyRow(oldScoreStatistics, [&](Value keyRow, Value offset,
                                                     ValueRange state) {
          Value score = loadScores(offset), visible = loadVisible(keyRow);
          if (!op.getScore().empty()) {
            SmallVector<LaneValue> args =
                arguments(op.getScore(), LaneValue::lanes(score), keyRow);
            score = emitter->toVector(emitter->inlineRegion(
                op.getScore(), args, keyRow, readPredicate(visible),
                /*mayHideRow=*/bool(visible)));
            storeScores(score, offset);
          }
          return combine(state, score, visible);
        });
      });
}

//===----------------------------------------------------------------------===//
// 3. Weights
//===----------------------------------------------------------------------===//

void OnlineEmitter::emitWeights() {
  rescale = weighting.rescale(b, loc, oldScoreStatistics, scoreStatistics);
  SmallVector<Value> state;
  for (unsigned i = numScoreStatistics, e = statistics.size(); i < e; ++i) {
    Value old =
        vector::LoadOp::create(b, loc, laneType, op.getStatistics()[i], zero);
    if (rescale)
      old = arith::MulFOp::create(b, loc, old, rescale);
    state.push_back(old);
  }
  Value nothing = createFloatConstant(b, loc, laneType, 0.0);
  state = perVisibility(ValueRange(state).getTypes(), [&] {
    return forEachKeyRow(
        state, [&](Value keyRow, Value offset, ValueRange carried) {
          Value visible = loadVisible(keyRow);
          Value weight = weighting.weight(b, loc, loadScores(offset),
                                          scoreStatistics, weightingOperands);
          weight = select(visible, weight, nothing);
          SmallVector<Value> next;
          for (auto [i, old] : llvm::enumerate(carried))
            next.push_back(
                weighting.combine(b, loc, numScoreStatistics + i, old, weight));
          if (!op.getWeight().empty()) {
            SmallVector<LaneValue> args =
                arguments(op.getWeight(), LaneValue::lanes(weight), keyRow);
            weight = emitter->toVector(emitter->inlineRegion(
                op.getWeight(), args, keyRow, readPredicate(visible),
                /*mayHideRow=*/bool(visible)));
          }
          storeScores(weight, offset);
          return next;
        });
  });
  SmallVector<Value> updated(scoreStatistics);
  llvm::append_range(updated, state);
  for (auto [i, value] : llvm::enumerate(updated))
    vector::StoreOp::create(b, loc, value, op.getStatistics()[i],
                            ValueRange{zero});
}

//===----------------------------------------------------------------------===//
// 4. Values
//===----------------------------------------------------------------------===//

void OnlineEmitter::emitChannels(Value first, int64_t count) {
  SmallVector<Value> rows, sums;
  for (int64_t r = 0; r < count; ++r) {
    rows.push_back(arith::AddIOp::create(b, loc, first, index(r)));
    Value sum = vector::LoadOp::create(b, loc, laneType, op.getAccumulator(),
                                       ValueRange{rows[r], zero});
    if (rescale)
      sum = arith::MulFOp::create(b, loc, sum, rescale);
    sums.push_back(sum);
  }
  bool hidesPairs = bits && !allVisible;
  bool keysFirst = valueMap.getDimPosition(0) == 1;
  FlatBuffer values =
      flatten(b, loc, op.getValue(),
              keysFirst ? ValueRange{zero, first} : ValueRange{first, zero});
  Value keyStride = values.strides[keysFirst ? 0 : 1];
  Value channelStride = values.strides[keysFirst ? 1 : 0];
  sums = emitStridedLoop(
      b, loc, numKeys, /*unroll=*/hidesPairs ? 1 : 2, {index(lanes), keyStride},
      sums, [&](Value keyRow, ValueRange offsets, ValueRange carried) {
        Value weight = loadScores(offsets[0]), visible = loadVisible(keyRow);
        SmallVector<Value> next;
        for (int64_t r = 0; r < count; ++r) {
          Value channel =
              b.createOrFold<arith::MulIOp>(loc, index(r), channelStride);
          Value position =
              b.createOrFold<arith::AddIOp>(loc, offsets[1], channel);
          Value element =
              memref::LoadOp::create(b, loc, values.memref, position);
          element = convertFloat(b, loc, element, accType);
          // Hidden values must not leak, not even as 0 * NaN.
          Value sum = vector::FMAOp::create(b, loc, emitter->broadcast(element),
                                            weight, carried[r]);
          next.push_back(select(visible, sum, carried[r]));
        }
        return next;
      });
  for (int64_t r = 0; r < count; ++r)
    vector::StoreOp::create(b, loc, sums[r], op.getAccumulator(),
                            ValueRange{rows[r], zero});
}

void OnlineEmitter::emitValues() {
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

//===----------------------------------------------------------------------===//

void OnlineEmitter::count(int64_t counter, Value value) {
  if (!op.getCountTiles())
    return;
  auto type = MemRefType::get({3}, b.getI64Type());
  Value counts = memref::GetGlobalOp::create(b, loc, type, getTileCountsName());
  memref::AtomicRMWOp::create(b, loc, arith::AtomicRMWKind::addi, value, counts,
                              ValueRange{index(counter)});
}

void OnlineEmitter::emitAll() {
  Value once = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(1));
  count(1, once);
  if (op.getMask().empty())
    count(2, once);
  else if (op.getFull())
    count(2, arith::ExtUIOp::create(b, loc, b.getI64Type(), op.getFull()));
  for (unsigned i = 0; i < numScoreStatistics; ++i)
    oldScoreStatistics.push_back(vector::LoadOp::create(
        b, loc, laneType, op.getStatistics()[i], ValueRange{zero}));
  emitScores();
  emitWeights();
  perVisibility(TypeRange(), [&] {
    emitValues();
    return SmallVector<Value>();
  });
}

LogicalResult OnlineEmitter::run() {
  b.setInsertionPoint(op);
  if (failed(checkLayout()))
    return failure();
  accType = op.getAccumulationType();
  weighting = op.getWeighting();
  statistics = weighting.getStatistics();
  for (const Statistic &statistic : statistics)
    numScoreStatistics += statistic.phase == StatisticPhase::Score;
  laneType = VectorType::get({lanes}, accType);
  emitter.emplace(b, loc, lanes);
  // Accumulators, one vector of the shared operand per register of lanes, and
  // two to spare.
  int64_t vectorsPerRow =
      std::max<int64_t>(1, lanes * accType.getWidth() / options.vectorBits);
  groupRows = std::max<int64_t>(1, (options.numRegisters - vectorsPerRow - 2) /
                                       vectorsPerRow);
  groupRows = std::min<int64_t>(8, llvm::bit_floor(uint64_t(groupRows)));

  zero = index(0);
  one = index(1);
  keyMap = op.getIndexingMap(1);
  valueMap = op.getIndexingMap(2);
  auto extent = [&](Value operand, AffineMap map, unsigned dim) {
    unsigned position = *map.getResultPosition(b.getAffineDimExpr(dim));
    return getValueOrCreateConstantIndexOp(
        b, loc, memref::getMixedSize(b, loc, operand, position));
  };
  numKeys = extent(op.getKey(), keyMap, 1);
  numFeatures = extent(op.getKey(), keyMap, 2);
  numChannels = extent(op.getValue(), valueMap, 3);
  if (op.getRows())
    validLanes = createLaneMask(b, loc, lanes, op.getRows());
  unsigned firstWeighting = 3 + op.getInputs().size();
  for (auto [i, operand] : llvm::enumerate(op.getWeightingOperands()))
    weightingOperands.push_back(emitter->toVector(
        read(operand, op.getIndexingMap(firstWeighting + i), zero, zero)));
  scores = createWorkerScratch(
      b, op,
      MemRefType::get(
          {static_cast<int64_t>(llvm::alignTo(keyTile, groupRows)) * lanes},
          accType));
  count(0, arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(1)));
  if (op.getMask().empty()) {
    emitAll();
  } else {
    Value any = emitMask();
    auto visited = scf::IfOp::create(b, loc, any, /*withElseRegion=*/false);
    b.setInsertionPointToStart(visited.thenBlock());
    emitAll();
  }
  b.eraseOp(op);
  return success();
}

LogicalResult emitOnline(RewriterBase &rewriter, OnlineOp op,
                         const EmitOptions &options) {
  OpBuilder::InsertionGuard guard(rewriter);
  return OnlineEmitter(rewriter, op, options).run();
}

} // namespace attn
