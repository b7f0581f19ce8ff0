//===- KernelSelect.cpp - The keys that rows keep ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weightings of kind *select*: k (score, key) pairs for each query row in
// shared memory, best first, place by place for all rows of the block. The
// scores of a tile go through shared memory to one thread for each row, which
// inserts those that are better than the last: each place keeps the better of
// what it has and what comes, and hands on the other. At the end the keys that
// are kept are weighted, and their values are read from where they lie.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

using namespace mlir;

namespace attn {

using Float = arith::CmpFPredicate;

/// NaN is better than any number; of equals neither is.
static Value isBetter(OpBuilder &b, Location loc, Value score, Value than) {
  Value greater = arith::CmpFOp::create(b, loc, Float::OGT, score, than);
  Value isNaN = arith::CmpFOp::create(b, loc, Float::UNO, score, score);
  Value isNumber = arith::CmpFOp::create(b, loc, Float::ORD, than, than);
  Value first = arith::AndIOp::create(b, loc, isNaN, isNumber);
  return arith::OrIOp::create(b, loc, greater, first);
}

/// Place `place`, an i32, of row `row`, an i32, of 16 to each warp.
Value KernelEmitter::locateKept(Value place, Value row, bool isKey) {
  int64_t rows = 16 * choice.getWarps();
  Value word = add(multiply(place, i32(rows)), row);
  int64_t bytes = getNumberBytes();
  return shared(layout.kept + (isKey ? bytes * rows * numKept : 0),
                multiply(word, i32(isKey ? 4 : bytes)));
}

Value KernelEmitter::loadKept(Value place, Value row, bool isKey) {
  Type type = isKey ? Type(b.getI32Type()) : Type(accType);
  return hardware.load(type, locateKept(place, row, isKey),
                       isKey ? 4 : getNumberBytes());
}

SmallVector<Value>
KernelEmitter::forEachPlace(ValueRange inits,
                            function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, loc, i32(0), i32(numKept), i32(1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Values next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!inits.empty())
    scf::YieldOp::create(b, loc, next);
  return Values(loop.getResults());
}

/// One thread of the warp for each of its rows.
void KernelEmitter::forOwnRow(function_ref<void(Value)> body) {
  emitIf(compare(arith::CmpIPredicate::slt, threadInWarp, i32(16)),
         [&] {
           body(add(multiply(warp, i32(16)), threadInWarp));
           return Values();
         },
         {});
}

void KernelEmitter::selectKeys(const KeyTile &tile,
                               const RowValues &similarities) {
  double least = -std::numeric_limits<double>::infinity();
  RowValues visible{};
  if (!isAlwaysFull())
    visible = emitVisible(tile);
  Value first = add(multiply(warp, i32(16)), group);
  int64_t bytes = getNumberBytes(), rowBytes = bytes * layout.weightStride;
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value score = emitScore(tile, similarities[row], row, visible[row]);
    storeLanes(hide(visible[row], score, least), layout.weights,
               multiply(add(first, i32(8 * row)), i32(rowBytes)));
  }
  hardware.warpBarrier();
  forOwnRow([&](Value row) {
    Value own = multiply(row, i32(rowBytes));
    Value count = tile.count ? tile.count : i32(choice.getKeys());
    auto loop = scf::ForOp::create(b, loc, i32(0), count, i32(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value key = loop.getInductionVar();
    Value score = hardware.load(
        accType, shared(layout.weights, add(own, multiply(key, i32(bytes)))),
        bytes);
    offerKey(row, score, add(toI32(tile.first), key));
  });
}

/// A score that no key has is better than none.
void KernelEmitter::offerKey(Value row, Value score, Value key) {
  Value last = loadKept(i32(numKept - 1), row, /*isKey=*/false);
  emitWhere(isBetter(b, loc, score, last), [&] { insertKey(row, score, key); });
}

/// Keys ascend, so that of equal scores the one that is there stays. What a
/// place hands on goes before those behind it.
void KernelEmitter::insertKey(Value row, Value score, Value key) {
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  forEachPlace({score, key, no}, [&](Value place, ValueRange carried) {
    Value oldScore = loadKept(place, row, /*isKey=*/false);
    Value oldKey = loadKept(place, row, /*isKey=*/true);
    Value taken = arith::OrIOp::create(b, loc, carried[2],
                                       isBetter(b, loc, carried[0], oldScore));
    hardware.store(select(taken, carried[0], oldScore),
                   locateKept(place, row, /*isKey=*/false), getNumberBytes());
    hardware.store(select(taken, carried[1], oldKey),
                   locateKept(place, row, /*isKey=*/true), 4);
    return Values{select(taken, oldScore, carried[0]),
                  select(taken, oldKey, carried[1]), taken};
  });
}

void KernelEmitter::clearKept() {
  forOwnRow([&](Value row) {
    forEachPlace({}, [&](Value place, ValueRange) {
      Value least = createFloatConstant(
          b, loc, accType, -std::numeric_limits<double>::infinity());
      hardware.store(least, locateKept(place, row, /*isKey=*/false),
                     getNumberBytes());
      hardware.store(i32(-1), locateKept(place, row, /*isKey=*/true), 4);
      return Values();
    });
  });
}

/// Of the keys that parts have kept, those that are kept of all.
void KernelEmitter::emitSelected() {
  clearKept();
  if (isSplit())
    takeKept();
  else
    walkKeys({}, Phase::Select);
  hardware.warpBarrier();
  MatrixView output = view(op.getOutputIndex(), rowDim, channelDim);
  Values sums(getNumSums(), createFloatConstant(b, loc, accType, 0.0));
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Values final = weighKept(row);
    Values own = gatherValues(row, final);
    for (auto [i, sum] : llvm::enumerate(own))
      sums[4 * (i / 2) + 2 * row + i % 2] = sum;
    storeResults(output, row, final, sums, {});
  }
}

/// The statistics of the keys that a row keeps.
SmallVector<Value> KernelEmitter::weighKept(unsigned row) {
  Value own = add(add(multiply(warp, i32(16)), group), i32(8 * row));
  Values neutral = createNeutral(), operands = weightingOperands(row);
  neutral.resize(statistics.size());
  auto isKept = [&](Value place) {
    return compare(arith::CmpIPredicate::sge,
                   loadKept(place, own, /*isKey=*/true), i32(0));
  };
  auto reduce = [&](unsigned from, unsigned to,
                    function_ref<Value(Value)> element) {
    if (from == to)
      return Values();
    return forEachPlace(
        ValueRange(neutral).slice(from, to - from),
        [&](Value place, ValueRange carried) {
          Value score = element(loadKept(place, own, /*isKey=*/false));
          Value there = isKept(place);
          Values next;
          for (unsigned i = from; i < to; ++i)
            next.push_back(select(there, combine(i, carried[i - from], score),
                                  carried[i - from]));
          return next;
        });
  };
  Values final =
      reduce(0, numScoreStatistics, [](Value score) { return score; });
  Values score = final;
  llvm::append_range(
      final, reduce(numScoreStatistics, statistics.size(), [&](Value element) {
        return weighting.weight(b, loc, element, score, operands, scale);
      }));
  return final;
}

/// The weighted values of the keys that a row keeps, two for each 8 channels.
SmallVector<Value> KernelEmitter::gatherValues(unsigned row, ValueRange final) {
  Value own = add(add(multiply(warp, i32(16)), group), i32(8 * row));
  Values operands = weightingOperands(row);
  Values factors = weighting.finish(b, loc, final, operands, numKeys, scale);
  ValueRange score = final.take_front(numScoreStatistics);
  MatrixView values = view(2, keyDim, channelDim);
  Value last = arith::SubIOp::create(b, loc, countChannels(), i32(1));
  last = arith::MaxSIOp::create(b, loc, last, i32(0));
  Values zeros(getNumSums() / 2, createFloatConstant(b, loc, accType, 0.0));
  return forEachPlace(zeros, [&](Value place, ValueRange carried) {
    Value key = loadKept(place, own, /*isKey=*/true);
    auto addKey = [&] {
      Value position = toIndex(key);
      Value weight = multiplyAll(
          weighting.weight(b, loc, loadKept(place, own, /*isKey=*/false), score,
                           operands, scale),
          factors);
      SmallVector<LaneValue> where;
      if (op.getWeights() || !op.getWeight().empty())
        where = positions(LaneValue::uniform(position), row);
      if (!op.getWeight().empty())
        weight = lane(inlineRegion(op.getWeight(), LaneValue::uniform(weight),
                                   where, row, {}),
                      0);
      if (op.getWeights())
        emitWhere(arith::AndIOp::create(b, loc, hasRow[row], storesRows),
                  [&] { storeWeight(viewWeights(), row, where, 0, weight); });
      Value address = rowAddress(values, position, i32(0));
      Values next;
      for (auto [i, sum] : llvm::enumerate(carried)) {
        Value column = add(multiply(quad, i32(2)), i32(8 * (i / 2) + i % 2));
        if (firstChannel)
          column = add(column, firstChannel);
        column = arith::MinSIOp::create(b, loc, column, last);
        Value at = add(address, multiply(toIndex(column), values.columnBytes));
        auto addChannel = [&, sum = sum] {
          Value value =
              hardware.load(values.element, hardware.toGlobal(at),
                            values.element.getIntOrFloatBitWidth() / 8);
          return Values{math::FmaOp::create(
              b, loc, weight, convertFloat(b, loc, value, accType), sum)};
        };
        // There may be no channel at all.
        next.push_back(numColumns ? emitIf(compare(arith::CmpIPredicate::sgt,
                                                   numColumns, i32(0)),
                                           addChannel, sum)[0]
                                  : addChannel()[0]);
      }
      return next;
    };
    Value isKept = compare(arith::CmpIPredicate::sge, key, i32(0));
    return emitIf(isKept, addKey, carried);
  });
}

} // namespace attn
