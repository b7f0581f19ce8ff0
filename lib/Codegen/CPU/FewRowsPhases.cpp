//===- FewRowsPhases.cpp - The phases of a step of few rows -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FewRowsEmitter.h"
#include "Selection.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// The most multiplications that the features of the keys that meet at once are
/// unrolled to.
constexpr int64_t kMaxUnrolled = 256;

/// Vectors of channels that are summed at once, for one query row and for more:
/// 16 sums in registers.
constexpr int64_t kRowSums = 16, kChannelSums = 8;

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
// 2. Similarity
//===----------------------------------------------------------------------===//

/// Adds to `sums`, one per query row, what the features from `feature` on give.
SmallVector<Value> FewRowsEmitter::multiplyFeatures(const Position &position,
                                                    Value feature, Value mask,
                                                    int64_t first,
                                                    ValueRange sums) {
  keepOrder();
  Value key =
      readRow(op.getKey(), maps[1], zero, position.key.scalar, feature, mask);
  Values next;
  for (auto [r, sum] : llvm::enumerate(sums)) {
    Value row = index(first + r);
    Value query = getQuery(first + r, feature, mask);
    if (op.getSimilarity().empty()) {
      next.push_back(vector::FMAOp::create(b, loc, key, query, sum));
      continue;
    }
    // Rows that the tile has room for and that are none read as the last one.
    if (op.getRows()) {
      Value last = arith::SubIOp::create(b, loc, numRows, index(1));
      row = arith::MinSIOp::create(b, loc, row, last);
    }
    Position here{LaneValue::uniform(row), position.key,
                  LaneValue::affine(feature, 1)};
    LaneValue term = inlineAt(op.getSimilarity(),
                              {LaneValue::lanes(query), LaneValue::lanes(key)},
                              here, LanePredicate{mask});
    Value value = select(mask, lane->toVector(term), constant(0.0));
    next.push_back(arith::AddFOp::create(b, loc, sum, value));
  }
  return next;
}

SmallVector<Value> FewRowsEmitter::multiplyKey(Value key, int64_t first,
                                               int64_t count, bool unrolls) {
  std::optional<int64_t> known = getConstantIntValue(numFeatures);
  Value whole =
      known ? index(*known / lanes * lanes)
            : arith::AndIOp::create(b, loc, numFeatures, index(~(lanes - 1)))
                  .getResult();
  Position position{{}, LaneValue::uniform(key), {}};
  Values sums(count, constant(0.0));
  auto multiply = [&](Value feature, ValueRange carried, Value mask) {
    return multiplyFeatures(position, feature, mask, first, carried);
  };
  if (unrolls) {
    for (int64_t feature = 0; feature + lanes <= *known; feature += lanes)
      sums = multiply(index(feature), sums, {});
  } else {
    sums =
        loop(zero, whole, lanes, sums, [&](Value feature, ValueRange carried) {
          return multiply(feature, carried, {});
        });
  }
  if (known && *known % lanes == 0)
    return sums;
  Value rest = arith::SubIOp::create(b, loc, numFeatures, whole);
  Value mask = createLaneMask(b, loc, lanes, rest);
  if (known)
    return multiply(whole, sums, mask);
  Value isCut =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, zero);
  auto branch = scf::IfOp::create(b, loc, ValueRange(sums).getTypes(), isCut,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, multiply(whole, sums, mask));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, sums);
  return Values(branch.getResults());
}

void FewRowsEmitter::emitSimilarity(const Block &block, int64_t first,
                                    int64_t count) {
  // Keys that do not fill a turn repeat the last one: what is computed for them
  // is not used.
  int64_t keys = lanes / int64_t(llvm::PowerOf2Ceil(count));
  std::optional<int64_t> known = getConstantIntValue(numFeatures);
  bool unrolls = known && *known / lanes * count * keys <= kMaxUnrolled;
  Value last;
  if (block.lanes && keys > 1)
    last = arith::SubIOp::create(b, loc, numKeys, index(1));
  loop(zero, block.count, keys, {}, [&](Value number, ValueRange) {
    Values vectors(lanes, constant(0.0));
    for (int64_t k = 0; k < keys; ++k) {
      Value key = add(add(block.first, number), index(k));
      if (last)
        key = arith::MinSIOp::create(b, loc, key, last);
      if (known)
        bringNear(op.getAheadKey(), maps[1], key, zero, *known,
                  index(first / groupRows), llvm::divideCeil(rows, groupRows));
      for (auto [r, sum] :
           llvm::enumerate(multiplyKey(key, first, count, unrolls)))
        vectors[r * keys + k] = sum;
    }
    Value scores = sumAcrossLanes(vectors);
    for (int64_t r = 0; r < count; ++r) {
      Value part = scores;
      if (keys != lanes)
        part = vector::ShuffleOp::create(
            b, loc, scores, scores,
            llvm::to_vector(llvm::seq(r * keys, (r + 1) * keys)));
      vector::StoreOp::create(b, loc, part, weights,
                              ValueRange{index(first + r), number});
    }
    return Values();
  });
}

//===----------------------------------------------------------------------===//
// 3. Weights
//===----------------------------------------------------------------------===//

SmallVector<Value> FewRowsEmitter::updateStatistics(Value row, Value score,
                                                    Value visible) {
  Values old, olds, combined;
  Value moves;
  for (unsigned i = 0; i < numScoreStatistics; ++i) {
    old.push_back(
        memref::LoadOp::create(b, loc, scoreStatistics[i], ValueRange{row}));
    Value before = broadcast(old[i]);
    olds.push_back(before);
    Value after = weighting.combine(b, loc, i, before, score);
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
  auto branch = scf::IfOp::create(b, loc, ValueRange(old).getTypes(), moved,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
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
  scf::YieldOp::create(b, loc, next);
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

void FewRowsEmitter::emitWeights(const Block &block, Value row) {
  Value score =
      vector::LoadOp::create(b, loc, laneType, weights, ValueRange{row, zero});
  double scale = op.getScale().convertToDouble();
  if (scale != 1.0)
    score = arith::MulFOp::create(b, loc, score, constant(scale));

  Value visible = block.lanes;
  if (words)
    visible = toLanes(memref::LoadOp::create(b, loc, words, row));
  LanePredicate predicate{visible, /*mayBeEmpty=*/bool(words)};
  auto inlineFor = [&](Region &region, Value value) {
    return lane->toVector(inlineAt(region, LaneValue::lanes(value),
                                   along(block, row), predicate));
  };
  if (!op.getScore().empty())
    score = inlineFor(op.getScore(), score);
  if (!weighting) {
    emitSelection(block, row, score, visible);
    return;
  }
  Values finals;
  for (Value statistic : updateStatistics(row, score, visible))
    finals.push_back(broadcast(statistic));
  Values operands;
  for (auto [i, operand] : llvm::enumerate(op.getWeightingOperands()))
    operands.push_back(
        lane->toVector(read(operand, maps[op.getWeightingIndex() + i],
                            along(block, row), /*mask=*/{})));
  Value weight =
      weighting.weight(b, loc, score, finals, operands, /*scale=*/Value());
  weight = select(visible, weight, constant(0.0));
  for (unsigned i = numScoreStatistics; i < statistics.size(); ++i) {
    Value place[] = {index(i - numScoreStatistics), row, zero};
    Value old = vector::LoadOp::create(b, loc, laneType, sums, place);
    vector::StoreOp::create(b, loc, weighting.combine(b, loc, i, old, weight),
                            sums, place);
  }
  if (!op.getWeight().empty())
    weight = inlineFor(op.getWeight(), weight);
  vector::StoreOp::create(b, loc, weight, weights, ValueRange{row, zero});
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

void FewRowsEmitter::emitChannels(const Block &block, Value firstRow,
                                  int64_t numRows, Value firstChannel,
                                  int64_t vectors, Value mask,
                                  bool hidesPairs) {
  Values rowNumbers, channels, visible, accumulators;
  for (int64_t r = 0; r < numRows; ++r) {
    rowNumbers.push_back(add(firstRow, index(r)));
    if (hidesPairs)
      visible.push_back(memref::LoadOp::create(b, loc, words, rowNumbers[r]));
  }
  auto maskOf = [&](int64_t v) { return v + 1 == vectors ? mask : Value(); };
  for (int64_t v = 0; v < vectors; ++v)
    channels.push_back(add(firstChannel, index(v * lanes)));
  for (Value row : rowNumbers)
    for (int64_t v = 0; v < vectors; ++v)
      accumulators.push_back(loadSum(row, channels[v], maskOf(v)));
  accumulators = loop(
      zero, block.count, 1, accumulators,
      [&](Value number, ValueRange carried) {
        Value key = add(block.first, number);
        Value part = arith::DivUIOp::create(b, loc, firstRow, index(numRows));
        bringNear(op.getAheadValue(), maps[2], key, firstChannel,
                  vectors * lanes, part, llvm::divideCeil(rows, numRows));
        Values factors, sees;
        for (int64_t r = 0; r < numRows; ++r) {
          Value weight = memref::LoadOp::create(
              b, loc, weights, ValueRange{rowNumbers[r], number});
          factors.push_back(broadcast(weight));
          if (!hidesPairs)
            continue;
          Value word = visible[r];
          Value shift =
              arith::IndexCastOp::create(b, loc, word.getType(), number);
          Value bit = arith::ShRUIOp::create(b, loc, word, shift);
          sees.push_back(arith::TruncIOp::create(b, loc, b.getI1Type(), bit));
        }
        Values next(carried);
        for (int64_t v = 0; v < vectors; ++v) {
          keepOrder();
          Value value = readRow(op.getValue(), maps[2], /*row=*/zero, key,
                                channels[v], maskOf(v));
          for (int64_t r = 0; r < numRows; ++r) {
            Value &sum = next[r * vectors + v];
            Value updated =
                vector::FMAOp::create(b, loc, value, factors[r], sum);
            // Hidden values must not leak, not even as 0 * NaN.
            sum = select(hidesPairs ? sees[r] : Value(), updated, sum);
          }
        }
        return next;
      });
  for (int64_t r = 0; r < numRows; ++r)
    for (int64_t v = 0; v < vectors; ++v)
      storeSum(accumulators[r * vectors + v], rowNumbers[r], channels[v],
               maskOf(v));
}

void FewRowsEmitter::emitValues(const Block &block, bool hidesPairs) {
  std::optional<int64_t> known = getConstantIntValue(numChannels);
  // Whole rows of values before more query rows.
  bool isWide = !known || *known > kChannelSums * lanes;
  int64_t together = rows == 1 || isWide ? 1 : 2;
  auto emitRows = [&](Value row, int64_t count) {
    forEachColumn(numChannels, together == 1 ? kRowSums : kChannelSums,
                  [&](Value column, int64_t vectors, Value mask) {
                    emitChannels(block, row, count, column, vectors, mask,
                                 hidesPairs);
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
