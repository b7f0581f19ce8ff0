//===- FewRowsPhases.cpp - The phases of a step of few rows -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DotPairs.h"
#include "FewRowsEmitter.h"
#include "MicroKernel.h"
#include "Selection.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// Vectors of channels that are summed at once, for one query row, two, and for
/// more: up to 16 sums in registers.
constexpr int64_t kRowSums = 16, kChannelSums = 8, kGroupSums = 2;

//===----------------------------------------------------------------------===//
// 1. Mask
//===----------------------------------------------------------------------===//

std::pair<Value, Value> FewRowsEmitter::emitMask(const Block &block) {
  Value none = arith::ConstantOp::create(
      b, loc, b.getIntegerAttr(b.getIntegerType(lanes), 0));
  Value all = block.lanes
                  ? toWord(block.lanes)
                  : arith::ConstantOp::create(
                        b, loc, b.getIntegerAttr(b.getIntegerType(lanes), -1))
                        .getResult();
  auto emitWord = [&](Value row) {
    LaneValue visible = inlineAt(op.getMask(), {}, along(block, row),
                                 LanePredicate{block.lanes});
    Value word = toWord(lane->toVector(visible));
    return block.lanes ? arith::AndIOp::create(b, loc, word, all).getResult()
                       : word;
  };
  Values seen =
      loop(zero, numRows, 1, {none, none},
           [&](Value row, ValueRange carried) -> Values {
             Value word;
             if (!op.getFull()) {
               word = emitWord(row);
             } else {
               auto branch =
                   scf::IfOp::create(b, loc, all.getType(), op.getFull(),
                                     /*addThenBlock=*/true,
                                     /*addElseBlock=*/true);
               OpBuilder::InsertionGuard guard(b);
               b.setInsertionPointToStart(branch.thenBlock());
               scf::YieldOp::create(b, loc, all);
               b.setInsertionPointToStart(branch.elseBlock());
               scf::YieldOp::create(b, loc, emitWord(row));
               word = branch.getResult(0);
             }
             memref::StoreOp::create(b, loc, word, words, row);
             Value hidden = arith::XOrIOp::create(b, loc, word, all);
             return {arith::OrIOp::create(b, loc, carried[0], word),
                     arith::OrIOp::create(b, loc, carried[1], hidden)};
           });
  auto isSet = [&](Value word) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, word, none);
  };
  return {isSet(seen[0]), isSet(seen[1])};
}

//===----------------------------------------------------------------------===//
// 3. Weights
//===----------------------------------------------------------------------===//

SmallVector<Value>
FewRowsEmitter::updateStatistics(Value row, ValueRange scores, Value visible) {
  Values old, olds, combined;
  Value moves;
  for (unsigned i = 0; i < numScoreStatistics; ++i) {
    old.push_back(
        memref::LoadOp::create(b, loc, scoreStatistics[i], ValueRange{row}));
    Value before = broadcast(old[i]);
    olds.push_back(before);
    Value after = before;
    for (Value score : scores)
      after = weighting.combine(b, loc, i, after, score);
    combined.push_back(select(visible, after, before));
    Value differs = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE,
                                          combined[i], before);
    moves = moves ? arith::OrIOp::create(b, loc, moves, differs).getResult()
                  : differs;
  }
  if (!moves)
    return {};
  Value word = toWord(moves);
  Value none =
      arith::ConstantOp::create(b, loc, b.getIntegerAttr(word.getType(), 0));
  Value moved =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, word, none);
  bool keeps = !takenByWeights.empty();
  auto branch = scf::IfOp::create(
      b, loc, TypeRange(keeps ? ValueRange() : ValueRange(old)), moved,
      /*addThenBlock=*/true, /*addElseBlock=*/!keeps);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  // In all lanes, though one would do: exponentials of numbers are calls.
  Values next, nexts;
  for (unsigned i = 0; i < numScoreStatistics; ++i) {
    next.push_back(combineLanes(i, combined[i]));
    nexts.push_back(broadcast(next[i]));
    memref::StoreOp::create(b, loc, next[i], scoreStatistics[i],
                            ValueRange{row});
  }
  if (Value factors = weighting.rescale(b, loc, olds, nexts, /*scale=*/Value()))
    rescaleRow(row, factors);
  keepForWeights(row, nexts);
  scf::YieldOp::create(b, loc, keeps ? Values() : next);
  if (keeps)
    return {};
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, old);
  return Values(branch.getResults());
}

/// Of most blocks no key is better; of the others those that may be are taken
/// in one by one.
void FewRowsEmitter::emitSelection(const Block &block, Value row, Value score,
                                   Value visible) {
  auto select = cast<SelectWeightingAttrInterface>(op.getWeighting());
  Selection kept(b, loc, op.getStatistics()[0], op.getStatistics()[1],
                 select.getNumSelected(), /*rows=*/1, /*leading=*/{}, row);
  Value least = vector::ExtractOp::create(b, loc, kept.loadLeast(), int64_t(0));
  Value candidates = mayBeBetter(b, loc, score, broadcast(least));
  if (visible)
    candidates = arith::AndIOp::create(b, loc, candidates, visible);
  auto branch = scf::IfOp::create(b, loc, isAnySet(b, loc, candidates),
                                  /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  vector::StoreOp::create(b, loc, score, weights, ValueRange{row, zero});
  Value word = toWord(candidates), position = block.first;
  if (op.getPosition())
    position = add(op.getPosition(), position);
  loop(zero, block.count, 1, {}, [&](Value number, ValueRange) {
    Value shift = arith::IndexCastOp::create(b, loc, word.getType(), number);
    Value bit = arith::TruncIOp::create(
        b, loc, b.getI1Type(), arith::ShRUIOp::create(b, loc, word, shift));
    auto taken = scf::IfOp::create(b, loc, bit, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(taken.thenBlock());
    auto broadcastOne = [&](Value element) {
      return vector::BroadcastOp::create(
          b, loc, VectorType::get({1}, element.getType()), element);
    };
    Value candidate =
        memref::LoadOp::create(b, loc, weights, ValueRange{row, number});
    kept.insert(broadcastOne(candidate), broadcastOne(add(position, number)),
                /*candidates=*/{}, /*byIndex=*/false);
    return Values();
  });
}

void FewRowsEmitter::bringRestNear(const Block &block, Value row) {
  std::optional<int64_t> known = getConstantIntValue(numFeatures);
  if (!op.getAheadKey() || !known)
    return;
  int64_t rest = *known / kRestOfKeys;
  int64_t keys = llvm::divideCeil(blockKeys, rows);
  Value first = b.createOrFold<arith::MulIOp>(loc, row, index(keys));
  first = add(block.first, first);
  for (int64_t i = 0; i < keys && rest > 0; ++i)
    bringNear(op.getAheadKey(), maps[1], add(first, index(i)),
              index(*known - rest), rest, zero, /*numParts=*/1);
}

void FewRowsEmitter::emitWeights(const Block &block, Value row) {
  bringRestNear(block, row);
  double scale = op.getScale().convertToDouble();
  Value visible = block.lanes;
  if (words)
    visible = toLanes(memref::LoadOp::create(b, loc, words, row));
  LanePredicate predicate{visible, /*mayBeEmpty=*/bool(words)};
  // A vector of the block, and where its weights are.
  auto forEachVector = [&](function_ref<void(const Position &, Value)> body) {
    for (int64_t first = 0; first < blockKeys; first += lanes) {
      Block part{add(block.first, index(first)), index(lanes), block.lanes};
      body(along(part, row), index(first));
    }
  };
  Values scores;
  forEachVector([&](const Position &position, Value place) {
    Value score = vector::LoadOp::create(b, loc, laneType, weights,
                                         ValueRange{row, place});
    if (scale != 1.0)
      score = arith::MulFOp::create(b, loc, score, constant(scale));
    if (!op.getScore().empty())
      score = lane->toVector(inlineAt(op.getScore(), LaneValue::lanes(score),
                                      position, predicate));
    scores.push_back(score);
  });
  if (!weighting) {
    emitSelection(block, row, scores[0], visible);
    return;
  }
  Values finals;
  if (replay)
    finals = loadFinished(row);
  else
    for (Value statistic : updateStatistics(row, scores, visible))
      finals.push_back(broadcast(statistic));
  Values sum;
  for (unsigned i = numScoreStatistics; i < statistics.size() && !replay; ++i)
    sum.push_back(vector::LoadOp::create(
        b, loc, laneType, sums,
        ValueRange{index(i - numScoreStatistics), row, zero}));
  ArrayRef<Value> left = scores;
  forEachVector([&](const Position &position, Value place) {
    Values operands;
    for (auto [i, operand] : llvm::enumerate(op.getWeightingOperands()))
      operands.push_back(lane->toVector(read(
          operand, maps[op.getWeightingIndex() + i], position, /*mask=*/{})));
    Value weight = emitWeight(row, left.front(), finals, operands);
    left = left.drop_front();
    if (factors)
      for (int64_t i :
           llvm::seq(cast<MemRefType>(factors.getType()).getDimSize(1)))
        weight = arith::MulFOp::create(
            b, loc, weight,
            broadcast(memref::LoadOp::create(b, loc, factors,
                                             ValueRange{row, index(i)})));
    weight = select(visible, weight, constant(0.0));
    for (auto [i, old] : llvm::enumerate(sum))
      old = weighting.combine(b, loc, numScoreStatistics + i, old, weight);
    if (!op.getWeight().empty())
      weight = lane->toVector(inlineAt(op.getWeight(), LaneValue::lanes(weight),
                                       position, predicate));
    if (replay) {
      if (!op.getWeight().empty())
        weight = select(visible, weight, constant(0.0));
      storeTarget(weight, row, add(block.first, place), block.lanes);
    }
    if (inPairs)
      vector::StoreOp::create(b, loc, roundToNeighbors(b, loc, weight, options),
                              weightPairs, ValueRange{row, zero});
    else
      vector::StoreOp::create(b, loc, weight, weights, ValueRange{row, place});
  });
  for (auto [i, next] : llvm::enumerate(sum))
    vector::StoreOp::create(b, loc, next, sums,
                            ValueRange{index(i), row, zero});
}

//===----------------------------------------------------------------------===//
// 4. Values
//===----------------------------------------------------------------------===//

void FewRowsEmitter::forEachColumn(
    Value columns, int64_t most,
    function_ref<void(Value, int64_t, Value)> body) {
  if (std::optional<int64_t> known = getConstantIntValue(columns)) {
    int64_t vectors = llvm::divideCeil(*known, lanes);
    auto isCut = [&](int64_t end) { return end * lanes > *known; };
    int64_t step = most * lanes, whole = *known / step;
    if (isLocal)
      for (int64_t i = 0; i < whole; ++i)
        body(index(i * step), most, {});
    else if (whole > 1)
      loop(zero, index(whole * step), step, {}, [&](Value column, ValueRange) {
        body(column, most, {});
        return Values();
      });
    else if (whole == 1)
      body(zero, most, {});
    int64_t rest = vectors - whole * most;
    if (rest == 0)
      return;
    Value mask;
    if (isCut(vectors))
      mask =
          createLaneMask(b, loc, lanes, index(*known - (vectors - 1) * lanes));
    body(index(whole * step), rest, mask);
    return;
  }
  most = std::min<int64_t>(most, 4);
  Value whole = arith::SubIOp::create(
      b, loc, columns,
      arith::RemUIOp::create(b, loc, columns, index(most * lanes)));
  loop(zero, whole, most * lanes, {}, [&](Value column, ValueRange) {
    body(column, most, {});
    return Values();
  });
  loop(whole, columns, lanes, {}, [&](Value column, ValueRange) {
    Value rest = arith::SubIOp::create(b, loc, columns, column);
    body(column, 1, createLaneMask(b, loc, lanes, rest));
    return Values();
  });
}

SmallVector<Value> FewRowsEmitter::addValues(const Block &block,
                                             const Channels &channels,
                                             Value step, bool isCut,
                                             ValueRange visible,
                                             ValueRange sums) {
  Value first = step;
  if (inPairs)
    first = arith::MulIOp::create(b, loc, step, index(2));
  first = add(block.first, first);
  auto loadWeight = [&](int64_t r, Value, ValueRange) -> Value {
    Value weight =
        memref::LoadOp::create(b, loc, inPairs ? weightPairs : weights,
                               ValueRange{channels.rows[r], step});
    return broadcast(weight);
  };
  // Two vectors of channels fill one of bf16, and are read at once.
  LaneBuilder whole(b, loc, numTogether);
  Value elements, seconds;
  auto loadValues = [&](int64_t v, Value, ValueRange) -> Value {
    int64_t other = v ^ 1, last = channels.first.size() - 1;
    bool readsTwo = inPairs && other <= last && !channels.getMask(v) &&
                    !channels.getMask(other);
    if (readsTwo && v > other)
      return interleaveDotPairs(b, loc, elements, seconds, lanes, lanes);
    auto load = [&](Value keyRow) {
      return readRow(readsTwo ? whole : *lane, value, maps[2], /*row=*/zero,
                     keyRow, channels.first[v], channels.getMask(v));
    };
    keepOrder(v == 0);
    elements = load(first);
    if (!inPairs)
      return elements;
    seconds = isCut ? arith::ConstantOp::create(
                          b, loc, b.getZeroAttr(elements.getType()))
                          .getResult()
                    : load(add(first, index(1)));
    return interleaveDotPairs(b, loc, elements, seconds, /*from=*/0, lanes);
  };
  // Hidden values must not leak, not even as 0 * NaN.
  auto sees = [&](int64_t r, Value number) -> Value {
    if (visible.empty())
      return {};
    Value word = visible[r];
    Value shift = arith::IndexCastOp::create(b, loc, word.getType(), number);
    Value bit = arith::ShRUIOp::create(b, loc, word, shift);
    return arith::TruncIOp::create(b, loc, b.getI1Type(), bit);
  };
  MicroKernel kernel{/*steps=*/{}, /*unroll=*/1, /*strides=*/{},
                     loadWeight,   loadValues,   sees};
  kernel.columns = channels.rows.size();
  if (inPairs)
    kernel.element = MicroKernelElement::DotPair;
  return emitMicroKernelStep(b, loc, kernel, step, /*offsets=*/{}, sums,
                             options);
}

void FewRowsEmitter::emitChannels(const Block &block, const Channels &channels,
                                  bool hidesPairs) {
  int64_t numRows = channels.rows.size(), vectors = channels.first.size();
  Values visible, sums(numRows * vectors);
  if (hidesPairs)
    for (Value row : channels.rows)
      visible.push_back(memref::LoadOp::create(b, loc, words, row));
  // In the order of their addresses.
  auto forEachSum = [&](function_ref<void(int64_t, int64_t, Value &)> body) {
    for (int64_t r = 0; r < numRows; ++r)
      for (int64_t v = 0; v < vectors; ++v)
        body(r, v, sums[v * numRows + r]);
  };
  forEachSum([&](int64_t r, int64_t v, Value &sum) {
    sum = loadSum(channels.rows[r], channels.first[v], channels.getMask(v));
  });
  Value steps = block.count;
  if (inPairs)
    steps = b.createOrFold<arith::DivUIOp>(loc, steps, index(2));
  int64_t turns = llvm::divideCeil(rows, numRows);
  Value turn = arith::DivUIOp::create(b, loc, channels.rows[0], index(numRows));
  auto askAhead = [&](Value number) {
    Value ahead = asksAhead ? op.getValue() : op.getAheadValue();
    if (!ahead)
      return;
    std::pair<Value, Value> at(add(add(block.first, index(kKeysAhead)), number),
                               turn);
    if (!asksAhead)
      at = takeTurn(block, turn, turns, number, blockKeys);
    bringNear(ahead, maps[2], at.first, channels.first[0], vectors * lanes,
              at.second, turns);
  };
  sums = loop(zero, steps, 1, sums, [&](Value step, ValueRange carried) {
    Value first =
        b.createOrFold<arith::MulIOp>(loc, step, index(numKeysTogether));
    for (int64_t k = 0; k < numKeysTogether; ++k)
      askAhead(add(first, index(k)));
    return addValues(block, channels, step, /*isCut=*/false, visible, carried);
  });
  if (inPairs && block.lanes) {
    Value rest = arith::RemUIOp::create(b, loc, block.count, index(2));
    Value isOdd =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, zero);
    auto branch =
        scf::IfOp::create(b, loc, ValueRange(sums).getTypes(), isOdd,
                          /*addThenBlock=*/true, /*addElseBlock=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(
        b, loc,
        addValues(block, channels, steps, /*isCut=*/true, visible, sums));
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, sums);
    sums = Values(branch.getResults());
  }
  forEachSum([&](int64_t r, int64_t v, Value &sum) {
    storeSum(sum, channels.rows[r], channels.first[v], channels.getMask(v));
  });
}

void FewRowsEmitter::emitValues(const Block &block, bool hidesPairs) {
  std::optional<int64_t> known = getConstantIntValue(numChannels);
  // Whole rows of values before more query rows, unless there are many.
  bool isWide = !known || *known > kChannelSums * lanes;
  int64_t together = rows == 1 || isWide ? 1 : 2;
  int64_t most = together == 1 ? kRowSums : kChannelSums;
  if (rows > kMaxKeyRows) {
    together = groupRows;
    most = kGroupSums;
  }
  auto emitRows = [&](Value row, int64_t count) {
    forEachColumn(numChannels, most,
                  [&](Value column, int64_t vectors, Value mask) {
                    Channels channels;
                    for (int64_t r = 0; r < count; ++r)
                      channels.rows.push_back(add(row, index(r)));
                    for (int64_t v = 0; v < vectors; ++v)
                      channels.first.push_back(add(column, index(v * lanes)));
                    channels.mask = mask;
                    emitChannels(block, channels, hidesPairs);
                  });
  };
  int64_t whole = rows / together * together;
  if (isLocal)
    for (int64_t row = 0; row < whole; row += together)
      emitRows(index(row), together);
  else if (whole > together)
    loop(zero, index(whole), together, {}, [&](Value row, ValueRange) {
      emitRows(row, together);
      return Values();
    });
  else
    emitRows(zero, together);
  if (whole != rows)
    emitRows(index(whole), rows - whole);
}

} // namespace attn
