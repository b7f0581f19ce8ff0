//===- WgmmaKernel.cpp - Kernels on products of warpgroups ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WgmmaKernel.h"

using namespace mlir;

namespace attn {

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

Value WgmmaKernel::getBarrier(Event event, Value stage) {
  int64_t first = 1 + static_cast<int64_t>(event) * choice.getStages();
  return shared(layout.barriers + 8 * first, multiply(stage, i32(8)));
}

WgmmaKernel::Place WgmmaKernel::getNext(const Place &place) {
  if (choice.getStages() == 1)
    return {place.stage, arith::XOrIOp::create(b, loc, place.parity, i32(1))};
  Value next = add(place.stage, i32(1));
  Value isLast =
      compare(arith::CmpIPredicate::eq, next, i32(choice.getStages()));
  Value other = arith::XOrIOp::create(b, loc, place.parity, i32(1));
  return {select(isLast, i32(0), next), select(isLast, other, place.parity)};
}

void WgmmaKernel::arriveAsWarp(Value barrier) {
  emitWhere(compare(arith::CmpIPredicate::eq, threadInWarp, i32(0)),
            [&] { hardware.arrive(barrier); });
}

void WgmmaKernel::initBarriers() {
  emitWhere(compare(arith::CmpIPredicate::eq, thread, i32(0)), [&] {
    auto warps = static_cast<int32_t>(choice.getWarps());
    hardware.initBarrier(getQueryBarrier(), 1);
    for (int64_t stage = 0; stage < choice.getStages(); ++stage)
      for (auto [event, count] : {std::pair(Event::KeysFull, 1),
                                  {Event::KeysEmpty, warps},
                                  {Event::ValuesFull, 1},
                                  {Event::ValuesEmpty, warps}})
        hardware.initBarrier(getBarrier(event, i32(stage)), count);
    hardware.fenceBarriers();
  });
  hardware.barrier();
}

//===----------------------------------------------------------------------===//
// The thread that copies
//===----------------------------------------------------------------------===//

void WgmmaKernel::produce() {
  int64_t rows = choice.getRows(), keys = choice.getKeys();
  std::unique_ptr<Walk> walk = createWalk();
  Values carried = walk->begin();
  size_t numCursor = carried.size();
  Value valid = walk->valid(carried);
  emitWhere(valid, [&] {
    hardware.arriveAndExpect(getQueryBarrier(),
                             kRowBytes * rows * countParts(0));
    copyTile(0, firstRow, rows, shared(0), getQueryBarrier());
  });
  llvm::append_values(carried, valid, i32(0), i32(0));
  emitWhile(carried, numCursor, [&](ValueRange arguments) {
    ValueRange cursor = arguments.take_front(numCursor);
    Place place{arguments[numCursor + 1], arguments[numCursor + 2]};
    WalkTile tile = walk->tile(cursor);
    Value first = toKeyTile(tile).first;
    Value before = arith::XOrIOp::create(b, loc, place.parity, i32(1));
    auto copy = [&](unsigned operand, Event full, Event empty, Value to) {
      hardware.waitForPhase(getBarrier(empty, place.stage), before);
      Value barrier = getBarrier(full, place.stage);
      hardware.arriveAndExpect(barrier, kRowBytes * keys * countParts(operand));
      copyTile(operand, first, keys, to, barrier);
    };
    copy(1, Event::KeysFull, Event::KeysEmpty, getKeys(place.stage));
    copy(2, Event::ValuesFull, Event::ValuesEmpty, getValues(place.stage));
    Values next = walk->next(cursor, tile);
    Place then = getNext(place);
    next.push_back(walk->valid(next));
    llvm::append_values(next, then.stage, then.parity);
    return next;
  });
}

//===----------------------------------------------------------------------===//
// The warps that have rows
//===----------------------------------------------------------------------===//

SmallVector<Value> WgmmaKernel::consume() {
  Values none = createNeutral();
  size_t numStatistics = none.size();
  none.append(getNumSums(), createFloatConstant(b, loc, accType, 0.0));
  std::unique_ptr<Walk> walk = createWalk();
  Values begin = walk->begin();
  size_t numCursor = begin.size();
  size_t numWords = choice.getKeys() / 4;
  auto emitTiles = [&] {
    hardware.waitForPhase(getQueryBarrier(), i32(0));
    Place place{i32(0), i32(0)};
    WalkTile tile = walk->tile(begin);
    KeyTile keys = toKeyTile(tile);
    Values scores = beginSimilarities(place);
    scores = hardware.waitForProducts(0, scores);
    arriveAsWarp(getBarrier(Event::KeysEmpty, place.stage));
    countTile(keys);
    ValueRange statistics = ValueRange(none).take_front(numStatistics);
    TileWeights first =
        emitTileWeights(keys, toRows(scores), statistics, Phase::Online);
    Values words = packAll(first.weighted.weights);
    Values sums = addNotFinite(ValueRange(none).drop_front(numStatistics),
                               words, keys, first.isPartial, place);

    Values carried = walk->next(begin, tile);
    carried.push_back(walk->valid(carried));
    llvm::append_values(carried, place.stage, place.parity);
    llvm::append_range(carried, first.weighted.statistics);
    llvm::append_range(carried, words);
    llvm::append_range(carried, sums);
    Values ends = emitWhile(carried, numCursor, [&](ValueRange arguments) {
      ValueRange cursor = arguments.take_front(numCursor);
      Place before{arguments[numCursor + 1], arguments[numCursor + 2]};
      ValueRange state = arguments.drop_front(numCursor + 3);
      ValueRange old = state.take_front(numStatistics);
      ValueRange oldWords = state.slice(numStatistics, numWords);
      ValueRange oldSums = state.drop_front(numStatistics + numWords);
      Place place = getNext(before);
      WalkTile tile = walk->tile(cursor);
      KeyTile keys = toKeyTile(tile);
      Values scores = beginSimilarities(place);
      Values sums = beginSums(oldSums, oldWords, before);
      scores = hardware.waitForProducts(1, scores);
      arriveAsWarp(getBarrier(Event::KeysEmpty, place.stage));
      countTile(keys);
      TileWeights weights =
          emitTileWeights(keys, toRows(scores), old, Phase::Online);
      Values words = packAll(weights.weighted.weights);
      llvm::append_range(sums, oldWords);
      sums = hardware.waitForProducts(0, sums);
      sums.resize(getNumSums());
      arriveAsWarp(getBarrier(Event::ValuesEmpty, before.stage));
      rescale(sums, weights.weighted.rescale);
      sums = addNotFinite(sums, words, keys, weights.isPartial, place);
      Values next = walk->next(cursor, tile);
      next.push_back(walk->valid(next));
      llvm::append_values(next, place.stage, place.parity);
      llvm::append_range(next, weights.weighted.statistics);
      llvm::append_range(next, words);
      llvm::append_range(next, sums);
      return next;
    });
    Values result(ValueRange(ends).drop_front(numCursor + 3));
    Place last{ends[numCursor + 1], ends[numCursor + 2]};
    ValueRange lastWords = ValueRange(result).slice(numStatistics, numWords);
    Values total =
        beginSums(ValueRange(result).drop_front(numStatistics + numWords),
                  lastWords, last);
    llvm::append_range(total, lastWords);
    total = hardware.waitForProducts(0, total);
    result.resize(numStatistics);
    llvm::append_range(result, ArrayRef(total).take_front(getNumSums()));
    return result;
  };
  return emitIf(walk->valid(begin), emitTiles, none);
}

void WgmmaKernel::emitRows() {
  initBarriers();
  Value hasRows =
      compare(arith::CmpIPredicate::ult, warp, i32(choice.getWarps()));
  emitEither(
      TypeRange(), hasRows,
      [&] {
        hardware.setRegisters(kRowRegisters, /*more=*/true);
        Values state = consume();
        if (isSplit())
          storeStates(state);
        else
          emitFinish(state);
        return Values();
      },
      [&] {
        hardware.setRegisters(kCopyRegisters, /*more=*/false);
        emitWhere(
            compare(arith::CmpIPredicate::eq, thread, i32(getNumThreads())),
            [&] { produce(); });
        return Values();
      });
}

std::unique_ptr<KernelEmitter>
createWgmmaKernel(RewriterBase &rewriter, GenericOp op, GPUKernelAttr choice) {
  return std::make_unique<WgmmaKernel>(rewriter, op, choice);
}

} // namespace attn
