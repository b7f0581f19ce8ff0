//===- FewRowsSimilarity.cpp - Scores of a few query rows -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The similarity of a step: key by key, lanes along the features, and the sums
// across the lanes, which become scores with lanes along the keys.
//
//===----------------------------------------------------------------------===//

#include "FewRowsEmitter.h"
#include "MicroKernel.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// The most multiplications that the features of the keys that meet at once are
/// unrolled to.
constexpr int64_t kMaxUnrolled = 256;

SmallVector<Value> FewRowsEmitter::inlineSimilarity(Value keyRow, Value feature,
                                                    Value mask, int64_t first,
                                                    ValueRange sums) {
  keepOrder(matchPattern(feature, m_Zero()));
  Value element = readRow(key, maps[1], zero, keyRow, feature, mask);
  Values next;
  for (auto [r, sum] : llvm::enumerate(sums)) {
    Value row = index(first + r);
    Value with = getQuery(first + r, feature, mask);
    // Rows that the tile has room for and that are none read as the last one.
    if (op.getRows()) {
      Value last = arith::SubIOp::create(b, loc, numRows, index(1));
      row = arith::MinSIOp::create(b, loc, row, last);
    }
    Position here{LaneValue::uniform(row), LaneValue::uniform(keyRow),
                  LaneValue::affine(feature, 1)};
    LaneValue term = inlineAt(
        op.getSimilarity(), {LaneValue::lanes(with), LaneValue::lanes(element)},
        here, LanePredicate{mask});
    Value added = select(mask, lane->toVector(term), constant(0.0));
    next.push_back(arith::AddFOp::create(b, loc, sum, added));
  }
  return next;
}

/// Adds to `sums` what the features from `feature` on give.
SmallVector<Value> FewRowsEmitter::multiplyFeatures(ValueRange keys,
                                                    Value feature, Value mask,
                                                    int64_t first,
                                                    ValueRange sums) {
  if (!op.getSimilarity().empty())
    return inlineSimilarity(keys[0], feature, mask, first, sums);
  auto loadKey = [&](int64_t number, Value, ValueRange) {
    keepOrder(matchPattern(feature, m_Zero()));
    if (first == 0 && asksAhead)
      memref::PrefetchOp::create(
          b, loc, op.getKey(),
          ValueRange{add(keys[number], index(kKeysAhead)), feature},
          /*isWrite=*/false, kSecondLevel, /*isDataCache=*/true);
    return readFeatures(key, maps[1], zero, keys[number], feature, mask);
  };
  auto loadQuery = [&](int64_t r, Value, ValueRange) {
    return getQuery(first + r, feature, mask);
  };
  MicroKernel kernel{/*steps=*/{}, /*unroll=*/1, /*strides=*/{}, loadKey,
                     loadQuery};
  kernel.columns = keys.size();
  if (inPairs)
    kernel.element = MicroKernelElement::DotPair;
  return emitMicroKernelStep(b, loc, kernel, feature, /*offsets=*/{}, sums,
                             options);
}

SmallVector<Value> FewRowsEmitter::multiplyKeys(ValueRange keys, int64_t first,
                                                int64_t count, bool unrolls) {
  std::optional<int64_t> known = getConstantIntValue(numFeatures);
  int64_t step = numTogether;
  Value whole =
      known ? index(*known / step * step)
            : arith::AndIOp::create(b, loc, numFeatures, index(~(step - 1)))
                  .getResult();
  Values sums(count * keys.size(), constant(0.0));
  auto multiply = [&](Value feature, ValueRange carried, Value mask) {
    return multiplyFeatures(keys, feature, mask, first, carried);
  };
  if (unrolls) {
    for (int64_t feature = 0; feature + step <= *known; feature += step)
      sums = multiply(index(feature), sums, {});
  } else {
    sums =
        loop(zero, whole, step, sums, [&](Value feature, ValueRange carried) {
          return multiply(feature, carried, {});
        });
  }
  if (known && *known % step == 0)
    return sums;
  Value rest = arith::SubIOp::create(b, loc, numFeatures, whole);
  Value mask = createLaneMask(b, loc, step, rest);
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

/// Pairs of vectors become one, which holds the sums of the halves of what the
/// lanes of each add up to: in each part of `width` lanes lie `sources` of
/// `width / sources` lanes, those of the first vectors first.
SmallVector<Value> FewRowsEmitter::addPairs(ValueRange pairs, int64_t width,
                                            int64_t sources) {
  // Lane l of the sum of a pair: the two places that are added, of 2 `lanes`.
  SmallVector<int64_t> low, high;
  int64_t half = width / sources / 2;
  for (int64_t start = 0; start < lanes; start += width)
    for (int64_t vector : {int64_t(0), lanes})
      for (int64_t source = 0; source < sources; ++source)
        for (int64_t i = 0; i < half; ++i) {
          int64_t place = vector + start + source * 2 * half + i;
          low.push_back(place);
          high.push_back(place + half);
        }
  Values sums;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    Value lows = vector::ShuffleOp::create(b, loc, pairs[i], pairs[i + 1], low);
    Value highs =
        vector::ShuffleOp::create(b, loc, pairs[i], pairs[i + 1], high);
    sums.push_back(arith::AddFOp::create(b, loc, lows, highs));
  }
  return sums;
}

/// Pairs become one, and so on. Halves of whole vectors come first, then halves
/// of the parts of 128 bits that one shuffle of a target works on, each in an
/// order that ends with the lanes in the order of the vectors. Where
/// multiplying takes as long as reading it is the other way round: shuffles
/// across parts, of which there are fewer then, are where multiplications are.
Value FewRowsEmitter::sumAcrossLanes(Values vectors) {
  int64_t part = getPartLanes();
  if (rows > kMaxKeyRows) {
    for (int64_t sources = 1; sources < part; sources *= 2)
      vectors = addPairs(vectors, part, sources);
    for (int64_t sources = 1; vectors.size() > 1; sources *= 2)
      vectors = addPairs(vectors, lanes, sources);
    return vectors[0];
  }
  Values rest;
  for (int64_t first = 0; first < part; ++first) {
    Values column;
    for (int64_t i = first; i < lanes; i += part)
      column.push_back(vectors[i]);
    for (int64_t sources = 1; column.size() > 1; sources *= 2)
      column = addPairs(column, lanes, sources);
    rest.push_back(column[0]);
  }
  for (int64_t sources = 1; rest.size() > 1; sources *= 2)
    rest = addPairs(rest, part, sources);
  return rest[0];
}

//===----------------------------------------------------------------------===//
// In parts
//===----------------------------------------------------------------------===//

int64_t FewRowsEmitter::countKeysInParts(int64_t count) {
  int64_t part = getPartLanes(), rowsTogether = lanes / part;
  std::optional<int64_t> known = getConstantIntValue(numFeatures);
  auto type = cast<MemRefType>(key.getType());
  // Groups alike, as queries are arranged once; the vectors of sums are as many
  // as there are lanes.
  if (rows <= kMaxKeyRows || count != groupRows || count % rowsTogether != 0 ||
      lanes * rowsTogether % count != 0 || !known || *known % lanes != 0 ||
      !keepsQueries() || !op.getSimilarity().empty() ||
      type.getElementType() != accType || !type.isLastDimUnitStride() ||
      !liesByRows(maps[1]))
    return 0;
  int64_t keys = lanes * rowsTogether / count;
  return keys % part == 0 && lanes % keys == 0 ? keys : 0;
}

Value FewRowsEmitter::takePart(Value vector, int64_t number) {
  int64_t part = getPartLanes(), first = number * part;
  return vector::ShuffleOp::create(
      b, loc, vector, vector,
      llvm::to_vector(llvm::seq<int64_t>(first, first + part)));
}

void FewRowsEmitter::arrangeQueries() {
  int64_t part = getPartLanes(), rowsTogether = lanes / part;
  if (countKeysInParts(groupRows) == 0)
    return;
  int64_t steps = *getConstantIntValue(numFeatures) / part;
  int64_t vectors = rows / rowsTogether;
  queryParts = createLocalScratch(
      b, op, MemRefType::get({vectors, steps, lanes}, accType));
  loop(zero, index(vectors * rowsTogether), 1, {}, [&](Value row, ValueRange) {
    Value together = index(rowsTogether);
    Value vector = arith::DivUIOp::create(b, loc, row, together);
    Value place =
        mul(arith::RemUIOp::create(b, loc, row, together), index(part));
    return loop(zero, index(steps), 1, {}, [&](Value step, ValueRange) {
      Value features = vector::LoadOp::create(
          b, loc, VectorType::get({part}, accType), query,
          ValueRange{row, mul(step, index(part))});
      vector::StoreOp::create(b, loc, features, queryParts,
                              ValueRange{vector, step, place});
      return Values();
    });
  });
}

SmallVector<Value> FewRowsEmitter::multiplyParts(ValueRange keys, int64_t first,
                                                 ValueRange sums) {
  constexpr int64_t kLineBits = 64 * 8;
  int64_t part = getPartLanes(), rowsTogether = lanes / part;
  int64_t numKnown = *getConstantIntValue(numFeatures);
  // Lines in the order of their addresses, evenly over the parts: many at once
  // have to wait, and what follows with them.
  int64_t line = kLineBits / accType.getWidth();
  int64_t perRow = llvm::divideCeil(numKnown, line);
  int64_t perPart =
      llvm::divideCeil(perRow * keys.size(), int64_t(numKnown / part));
  SmallVector<int64_t> repeated;
  for (int64_t i = 0; i < lanes; ++i)
    repeated.push_back(i % part);
  auto askAhead = [&](Value step) {
    for (int64_t i = 0; i < perPart; ++i) {
      Value number = add(mul(step, index(perPart)), index(i));
      Value row = arith::DivUIOp::create(b, loc, number, index(perRow));
      Value column = arith::RemUIOp::create(b, loc, number, index(perRow));
      memref::PrefetchOp::create(
          b, loc, op.getKey(),
          ValueRange{add(add(keys[0], row), index(kKeysAhead)),
                     mul(column, index(line))},
          /*isWrite=*/false, kSecondLevel, /*isDataCache=*/true);
    }
  };
  auto multiplyPart = [&](Value step, ValueRange sums) {
    keepOrder(/*beginsKey=*/true);
    if (asksAhead && first == 0)
      askAhead(step);
    auto loadKey = [&](int64_t number, Value, ValueRange) -> Value {
      Value features = vector::LoadOp::create(
          b, loc, VectorType::get({part}, accType), key,
          ValueRange{keys[number], mul(step, index(part))});
      return vector::ShuffleOp::create(b, loc, features, features, repeated);
    };
    auto loadQuery = [&](int64_t r, Value, ValueRange) -> Value {
      return vector::LoadOp::create(
          b, loc, laneType, queryParts,
          ValueRange{index(first / rowsTogether + r), step, zero});
    };
    MicroKernel kernel{/*steps=*/{}, /*unroll=*/1, /*strides=*/{}, loadKey,
                       loadQuery};
    kernel.columns = keys.size();
    return emitMicroKernelStep(b, loc, kernel, step, /*offsets=*/{}, sums,
                               options);
  };
  return loop(zero, index(numKnown / part), rowsTogether, sums,
              [&](Value firstStep, ValueRange carried) {
                Values sums(carried);
                for (int64_t i = 0; i < rowsTogether; ++i)
                  sums = multiplyPart(add(firstStep, index(i)), sums);
                return sums;
              });
}

void FewRowsEmitter::storeParts(Values sums, int64_t keys, int64_t first,
                                Value place) {
  int64_t part = getPartLanes(), rowsTogether = lanes / part;
  for (int64_t sources = 1; sources < part; sources *= 2)
    sums = addPairs(sums, part, sources);
  // Those of the first rows come first.
  int64_t perRows = keys / part;
  for (auto [i, sum] : llvm::enumerate(sums))
    for (int64_t r = 0; r < rowsTogether; ++r) {
      Value scores = takePart(sum, r);
      Value row = index(first + i / perRows * rowsTogether + r);
      vector::StoreOp::create(
          b, loc, scores, weights,
          ValueRange{row, add(place, index(i % perRows * part))});
    }
}

//===----------------------------------------------------------------------===//
// A vector of keys
//===----------------------------------------------------------------------===//

void FewRowsEmitter::emitSimilarity(const Block &block, int64_t first,
                                    int64_t count) {
  // Keys that do not fill a turn repeat the last one: what is computed for them
  // is not used.
  int64_t keysInParts = countKeysInParts(count);
  int64_t keys =
      keysInParts ? keysInParts : lanes / int64_t(llvm::PowerOf2Ceil(count));
  std::optional<int64_t> known = getConstantIntValue(numFeatures);
  bool unrolls = known && *known / numTogether * count * keys <= kMaxUnrolled;
  Value last;
  if (block.lanes && keys > 1)
    last = arith::SubIOp::create(b, loc, numKeys, index(1));
  // Of more rows it takes as long to read the queries as to multiply them with
  // one key.
  int64_t together =
      count > kMaxKeyRows && op.getSimilarity().empty() ? keys : 1;
  loop(zero, block.count, keys, {}, [&](Value number, ValueRange) {
    Values vectors(lanes, constant(0.0)), keyRows;
    for (int64_t k = 0; k < keys; ++k) {
      Value keyRow = add(add(block.first, number), index(k));
      if (last)
        keyRow = arith::MinSIOp::create(b, loc, keyRow, last);
      if (known && op.getAheadKey()) {
        int64_t turns = llvm::divideCeil(rows, groupRows);
        // What is asked for with one key is not to come with that of the one
        // before: reads that wait are few, and those of keys wait behind them.
        keepOrder(/*beginsKey=*/true);
        auto [near, part] = takeTurn(block, index(first / groupRows), turns,
                                     add(number, index(k)), blockKeys);
        bringNear(op.getAheadKey(), maps[1], near, zero,
                  *known - *known / kRestOfKeys, part, turns);
      }
      keyRows.push_back(keyRow);
      if (keysInParts)
        continue;
      if (static_cast<int64_t>(keyRows.size()) < together)
        continue;
      Values sums = multiplyKeys(keyRows, first, count, unrolls);
      for (auto [i, sum] : llvm::enumerate(sums))
        vectors[i / together * keys + k + 1 - together + i % together] = sum;
      keyRows.clear();
    }
    if (keysInParts) {
      storeParts(multiplyParts(keyRows, first, vectors), keys, first, number);
      return Values();
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

} // namespace attn
