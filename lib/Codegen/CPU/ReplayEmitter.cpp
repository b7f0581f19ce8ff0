//===- ReplayEmitter.cpp - Pairs with finished statistics -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loop nest of a step with its third phase replaced: the statistics are
// those of all keys, so that a weight is final when it is computed. What pairs
// yield to the targets comes from it, key row by key row: sums over query rows
// and states stay in registers meanwhile. What is stored lies rows first, as
// its owner wants it, and is transposed back in registers, block by block.
//
//===----------------------------------------------------------------------===//

#include "OnlineEmitter.h"
#include "Selection.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {
namespace {

class ReplayEmitter final : public PairEmitter {
public:
  ReplayEmitter(RewriterBase &rewriter, ReplayOp op, const EmitOptions &options)
      : PairEmitter(rewriter, op, PairTile::of(op), options), replay(op) {}

  /// What this emits; reports an error for anything else.
  LogicalResult check();

private:
  void emitPhases() override;
  bool hasHiddenPhase() override;
  void emitHiddenPhase() override;
  void emitWeights();
  /// What the pairs of a key row yield to each target, from their weights and
  /// what the targets that are rows hold before it.
  SmallVector<Value> yieldElements(Value weight, Value score, Value keyRow,
                                   Value visible, ValueRange rows);
  void emitTargets(bool allHidden);
  /// Sets up where the elements of each target lie.
  void createBuffers();
  bool isRow(unsigned init) {
    ReplayTarget target = replay.getTarget(init);
    return target == ReplayTarget::row || target == ReplayTarget::row_state;
  }
  /// Writes the rows of lanes that `getWeights` gives for a key row.
  void emitStored(Value target, AffineMap map,
                  function_ref<Value(Value, Value, int64_t)> getWeights);
  SmallVector<Value> locate(AffineMap map, Value row, Value keyRow);

  ReplayOp replay;
  /// By init: a row of lanes for each key row, which targets that are yielded
  /// the same share; null for targets that are rows.
  SmallVector<Value> elements;
};

} // namespace

LogicalResult ReplayEmitter::check() {
  for (unsigned i = 0, e = replay.getInits().size(); i < e; ++i) {
    ReplayTarget target = replay.getTarget(i);
    if (target == ReplayTarget::over_rows)
      return replay.emitOpError("cannot be vectorized: expected targets "
                                "stored, over_keys, row or row_state, but got ")
             << stringifyReplayTarget(target);
  }
  if (!replay.getPairs().empty())
    return replay.emitOpError("cannot be vectorized: expected query and key as "
                              "the only pair, but got ")
           << replay.getPairs().size() / 2 << " more";
  return success();
}

void ReplayEmitter::emitPhases() {
  emitScores(/*updates=*/false);
  createBuffers();
  emitWeights();
  emitTargets(/*allHidden=*/false);
}

bool ReplayEmitter::hasHiddenPhase() {
  return llvm::any_of(
      llvm::seq<unsigned>(0, replay.getInits().size()),
      [&](unsigned i) { return replay.getTarget(i) == ReplayTarget::stored; });
}

/// Hidden pairs yield zeros.
void ReplayEmitter::emitHiddenPhase() { emitTargets(/*allHidden=*/true); }

void ReplayEmitter::emitWeights() {
  Value keys =
      arith::IndexCastOp::create(b, loc, b.getI64Type(), replay.getKeys());
  keys = emitter->broadcast(arith::SIToFPOp::create(b, loc, accType, keys));
  AccumulateWeightingAttrInterface weighs = weighting;
  std::optional<Selection> kept;
  SmallVector<Value> factors;
  if (weighs) {
    SmallVector<Value> finished;
    for (Value statistic : tile.statistics)
      finished.push_back(vector::LoadOp::create(b, loc, laneType, statistic,
                                                ValueRange{zero}));
    factors = weighs.finish(b, loc, finished, weightingOperands, keys,
                            /*scale=*/Value());
  } else {
    auto select = cast<SelectWeightingAttrInterface>(op.getWeighting());
    weighs = select.getSelectedWeighting();
    kept.emplace(b, loc, tile.statistics[0], tile.statistics[1],
                 select.getNumSelected(), lanes);
    SelectedWeights selected =
        emitSelectedWeights(b, loc, *kept, weighs, weightingOperands, keys,
                            laneType, /*weights=*/Value());
    factors = selected.factors;
    scoreStatistics = selected.scoreStatistics;
  }
  Value nothing = createFloatConstant(b, loc, laneType, 0.0);
  SmallVector<Value> rows;
  for (auto [i, init] : llvm::enumerate(replay.getInits()))
    if (isRow(i))
      rows.push_back(
          vector::LoadOp::create(b, loc, laneType, init, ValueRange{zero}));
  rows = perVisibility(ValueRange(rows).getTypes(), [&] {
    return forEachKeyRow(
        rows, [&](Value keyRow, Value offset, ValueRange carried) {
          Value visible = loadVisible(keyRow), weighed = visible;
          if (kept) {
            Value key = keyRow;
            if (replay.getPosition())
              key = arith::AddIOp::create(b, loc, replay.getPosition(), key);
            weighed = kept->contains(emitter->broadcast(key));
            if (visible)
              weighed = arith::AndIOp::create(b, loc, weighed, visible);
          }
          Value score = loadScores(offset);
          Value weight = weighs.weight(b, loc, score, scoreStatistics,
                                       weightingOperands, /*scale=*/Value());
          for (Value factor : factors)
            weight = arith::MulFOp::create(b, loc, weight, factor);
          weight = select(weighed, weight, nothing);
          if (!op.getWeight().empty())
            weight = inlineForRow(op.getWeight(), weight, keyRow, visible);
          SmallVector<Value> next, written;
          SmallVector<Value> yielded =
              yieldElements(weight, score, keyRow, visible, carried);
          for (auto [i, element] : llvm::enumerate(yielded)) {
            element = select(visible, element, nothing);
            if (isRow(i)) {
              next.push_back(
                  arith::AddFOp::create(b, loc, carried[next.size()], element));
            } else if (!llvm::is_contained(written, elements[i])) {
              vector::StoreOp::create(b, loc, element, elements[i], offset);
              written.push_back(elements[i]);
            }
          }
          return next;
        });
  });
  size_t next = 0;
  for (auto [i, init] : llvm::enumerate(replay.getInits()))
    if (isRow(i))
      vector::StoreOp::create(b, loc, rows[next++], init, ValueRange{zero});
}

SmallVector<Value> ReplayEmitter::yieldElements(Value weight, Value score,
                                                Value keyRow, Value visible,
                                                ValueRange rows) {
  Region &region = replay.getElement();
  if (region.empty())
    return SmallVector<Value>(replay.getInits().size(), weight);
  SmallVector<LaneValue> leading{LaneValue::lanes(weight),
                                 LaneValue::lanes(score)};
  size_t next = 0;
  for (unsigned i = 0, e = replay.getInits().size(); i < e; ++i) {
    if (replay.getTarget(i) == ReplayTarget::row_state)
      leading.push_back(LaneValue::lanes(rows[next]));
    next += isRow(i);
  }
  LanePredicate predicate{visible ? visible : validLanes,
                          /*mayBeEmpty=*/bool(visible)};
  LaneValue row = LaneValue::affine(zero, 1), key = LaneValue::uniform(keyRow);
  key.variesByKey = true;
  return llvm::map_to_vector(
      emitter->inlineBlock(region.front(), arguments(region, leading, keyRow),
                           {row, key}, predicate),
      [&](LaneValue value) { return emitter->toVector(value); });
}

void ReplayEmitter::createBuffers() {
  unsigned number = replay.getInits().size();
  elements.assign(number, Value());
  auto yielded = [&](unsigned i) {
    return replay.getElement().empty()
               ? Value()
               : replay.getElement().front().getTerminator()->getOperand(i);
  };
  bool taken = false;
  for (unsigned i = 0; i < number; ++i) {
    if (isRow(i))
      continue;
    for (unsigned j = 0; j < i; ++j)
      if (!isRow(j) && yielded(i) == yielded(j))
        elements[i] = elements[j];
    if (elements[i])
      continue;
    // The first take the place of the scores, which are read before.
    elements[i] =
        taken ? createWorkerScratch(b, op, cast<MemRefType>(scores.getType()))
              : scores;
    taken = true;
  }
}

void ReplayEmitter::emitTargets(bool allHidden) {
  unsigned output = op.getOutputIndex();
  for (auto [i, init] : llvm::enumerate(replay.getInits())) {
    if (isRow(i))
      continue;
    Value buffer = elements.empty() ? Value() : elements[i];
    if (replay.getTarget(i) == ReplayTarget::stored) {
      emitStored(init, op.getStoredMap(output + i),
                 [&](Value keyRow, Value lane, int64_t count) -> Value {
                   auto type = VectorType::get({count}, accType);
                   if (allHidden)
                     return createFloatConstant(b, loc, type, 0.0);
                   Value offset =
                       arith::MulIOp::create(b, loc, keyRow, index(lanes));
                   offset = arith::AddIOp::create(b, loc, offset, lane);
                   return vector::LoadOp::create(b, loc, type, buffer, offset);
                 });
      continue;
    }
    if (allHidden)
      continue;
    unsigned contracted = *replay.getContractedIndex(i);
    valueOperand = replay->getOperand(contracted);
    valueMap = op.getStoredMap(contracted);
    accumulator = init;
    scores = buffer;
    emitWeightedValues();
  }
}

SmallVector<Value> ReplayEmitter::locate(AffineMap map, Value row,
                                         Value keyRow) {
  SmallVector<Value> indices;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    indices.push_back(dim == 0 ? row : dim == 1 ? keyRow : zero);
  }
  return indices;
}

void ReplayEmitter::emitStored(
    Value target, AffineMap map,
    function_ref<Value(Value, Value, int64_t)> getWeights) {
  auto type = cast<MemRefType>(target.getType());
  unsigned last = map.getNumResults() - 1, inner = map.getDimPosition(last);
  Value numRows = getExtent(target, map, 0);
  if (inner == 0 && isContiguousAlong(type, last)) {
    // Rows are neighbours in memory as they are in lanes.
    Value mask;
    if (getConstantIntValue(numRows) != lanes)
      mask = createLaneMask(b, loc, lanes, numRows);
    emitLoop(b, loc, zero, numKeys, 1, [&](Value keyRow) {
      storeElements(b, loc, getWeights(keyRow, zero, lanes), target,
                    locate(map, zero, keyRow), mask);
    });
    return;
  }
  if (inner == 1 && isContiguousAlong(type, last)) {
    int64_t block = getTransposeBlock(accType, lanes, options.vectorBits);
    // Whole lines of the cache, unless rows are shorter.
    constexpr int64_t kLineBits = 64 * 8;
    int64_t columnBlocks = std::max<int64_t>(
        1, kLineBits / (block * getMemoryWidth(type.getElementType())));
    while (columnBlocks > 1 && keyTile <= block * columnBlocks / 2)
      columnBlocks /= 2;
    emitTransposed(
        b, loc, {numRows, numKeys, block, columnBlocks},
        [&](ArrayRef<Value> keyRows, Value row) {
          return llvm::map_to_vector(keyRows, [&](Value keyRow) {
            return getWeights(keyRow, row, block);
          });
        },
        [&](Value vector, Value row, Value keyRow, Value mask) {
          storeElements(b, loc, vector, target, locate(map, row, keyRow), mask);
        });
    return;
  }
  Value buffer = createWorkerScratch(b, op, MemRefType::get({lanes}, accType));
  emitLoop(b, loc, zero, numKeys, 1, [&](Value keyRow) {
    vector::StoreOp::create(b, loc, getWeights(keyRow, zero, lanes), buffer,
                            ValueRange{zero});
    emitLoop(b, loc, zero, numRows, 1, [&](Value row) {
      Value element = memref::LoadOp::create(b, loc, buffer, row);
      element = convertFloat(b, loc, element, type.getElementType());
      memref::StoreOp::create(b, loc, element, target,
                              locate(map, row, keyRow));
    });
  });
}

LogicalResult emitReplay(RewriterBase &rewriter, ReplayOp op,
                         const EmitOptions &options) {
  OpBuilder::InsertionGuard guard(rewriter);
  ReplayEmitter emitter(rewriter, op, options);
  if (failed(emitter.check()))
    return failure();
  return emitter.run();
}

} // namespace attn
