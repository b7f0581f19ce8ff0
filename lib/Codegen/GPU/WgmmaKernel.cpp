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

SmallVector<Value> WgmmaKernel::advanceRing(ValueRange ring,
                                            const Place &place) {
  if (ring.empty())
    return {};
  return {place.stage, place.parity,
          arith::XOrIOp::create(b, loc, ring[2], i32(1))};
}

void WgmmaKernel::initBarriers() {
  emitWhere(compare(arith::CmpIPredicate::eq, thread, i32(0)), [&] {
    auto warps = static_cast<int32_t>(choice.getWarps());
    hardware.initBarrier(getQueryFull(), 1);
    if (isPersistent())
      hardware.initBarrier(getQueryEmpty(),
                           storedRows > 0 ? getNumGroups() : warps);
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
// Query tiles
//===----------------------------------------------------------------------===//

Value WgmmaKernel::getGroup() {
  return arith::ShRUIOp::create(b, loc, warp, i32(2));
}

/// The last query tile of a mask that has ranges may be the longest: those of
/// all positions come first.
Value WgmmaKernel::orderTile(Value number) {
  if (!numOuter)
    return number;
  Value tiles = toI32(numTiles), outer = toI32(numOuter);
  Value before = arith::DivUIOp::create(b, loc, number, outer);
  Value position = arith::RemUIOp::create(b, loc, number, outer);
  Value tile = arith::SubIOp::create(
      b, loc, arith::SubIOp::create(b, loc, tiles, i32(1)), before);
  return add(multiply(position, tiles), tile);
}

/// Blocks take tiles by rounds, forwards and backwards by turns, so that none
/// has the longest of each.
SmallVector<Value>
WgmmaKernel::forEachTile(ValueRange inits,
                         function_ref<Values(ValueRange)> body) {
  auto emitTile = [&](Value number, ValueRange carried) {
    extents = wholeExtents;
    locateBlock(orderTile(number));
    auto emitRows = [&] {
      takeRequestKeys();
      if (isListed)
        takeHead(tileNumber);
      return body(carried);
    };
    if (!mayHaveNoRows())
      return emitRows();
    return emitIf(compare(arith::CmpIPredicate::sgt, numRows, i32(0)), emitRows,
                  carried);
  };
  if (!isPersistent())
    return emitTile(block, inits);
  Value count = toI32(numTurns), step = toI32(grid);
  Value last = arith::SubIOp::create(b, loc, step, i32(1));
  Values carried{
      i32(0), block,
      arith::ConstantOp::create(b, loc, b.getBoolAttr(true)).getResult()};
  size_t numOwn = carried.size();
  llvm::append_range(carried, inits);
  Values ends = emitWhile(carried, numOwn - 1, [&](ValueRange arguments) {
    Value round = add(arguments[0], step);
    Value own = arith::SubIOp::create(b, loc, last, arguments[1]);
    Value isThere = compare(arith::CmpIPredicate::ult, add(round, own), count);
    Values next{round, own, isThere};
    llvm::append_range(next, emitTile(add(arguments[0], arguments[1]),
                                      arguments.drop_front(numOwn)));
    return next;
  });
  return Values(ValueRange(ends).drop_front(numOwn));
}

void WgmmaKernel::emitKernel(Value numBlocks) {
  OpBuilder::InsertionGuard guard(b);
  numTurns = grid = numBlocks;
  if (isPersistent())
    grid = b.createOrFold<arith::MinUIOp>(loc, numBlocks,
                                          index(choice.getBlocks()));
  if (!isSplit() && !op.getMask().empty() && !op.getRanges().empty())
    numOuter = b.createOrFold<arith::DivUIOp>(loc, numBlocks, numTiles);
  gpu::LaunchOp launch = enterKernel(grid);
  block = toI32(launch.getBlockIds().x);
  identifyThread(launch.getThreadIds().x);
  // Known to be the warp's: where its matrices are lies in registers that a
  // warp has once.
  warpGroup = hardware.takeFrom(getGroup(), i32(0));
  initBarriers();
  // A block of 256 threads has all registers that these can use.
  bool givesRegisters = choice.getWarps() > kGroupWarps;
  // A walk over lists, or over query tiles as well, needs more.
  bool isLong = isListed || isPersistent();
  auto consumeAll = [&] {
    if (givesRegisters)
      hardware.setRegisters(isLong ? kRowRegistersBesideLong : kRowRegisters,
                            /*more=*/true);
    reader.setSpare(memref::ExtractAlignedPointerAsIndexOp::create(
        b, loc, spare ? spare : op.getQuery()));
    forEachTile(beginRing(), [&](ValueRange ring) { return consume(ring); });
    return Values();
  };
  auto produceAll = [&] {
    if (givesRegisters)
      hardware.setRegisters(isLong ? kLongCopyRegisters : kCopyRegisters,
                            /*more=*/false);
    emitWhere(compare(arith::CmpIPredicate::eq, thread, i32(getNumThreads())),
              [&] {
                forEachTile(beginRing(),
                            [&](ValueRange ring) { return produce(ring); });
              });
    return Values();
  };
  Value hasRows =
      compare(arith::CmpIPredicate::ult, warp, i32(choice.getWarps()));
  emitEither(TypeRange(), hasRows, consumeAll, produceAll);
}

//===----------------------------------------------------------------------===//
// The thread that copies
//===----------------------------------------------------------------------===//

SmallVector<Value> WgmmaKernel::produce(ValueRange ring) {
  int64_t bytes = kRowBytes * choice.getKeys();
  auto copy = [&](unsigned operand, ValueRange keys, const Place &place) {
    bool isKey = operand == 1;
    Value before = arith::XOrIOp::create(b, loc, place.parity, i32(1));
    hardware.waitForPhase(
        getBarrier(isKey ? Event::KeysEmpty : Event::ValuesEmpty, place.stage),
        before);
    Value barrier =
        getBarrier(isKey ? Event::KeysFull : Event::ValuesFull, place.stage);
    hardware.arriveAndExpect(barrier, bytes * countParts(operand));
    copyKeyTile(operand, keys,
                isKey ? getKeys(place.stage) : getValues(place.stage), barrier);
  };
  if (isPersistent())
    hardware.waitForPhase(
        getQueryEmpty(),
        arith::XOrIOp::create(b, loc, getQueryParity(ring), i32(1)));
  std::unique_ptr<Walk> walk = createWalk();
  Values carried = walk->begin();
  size_t numCursor = carried.size();
  Value valid = walk->valid(carried);
  auto takeQueries = [&] {
    hardware.arriveAndExpect(getQueryFull(),
                             kRowBytes * countTileRows(0) * countParts(0));
    copyQueryTile();
    return Values();
  };
  if (isAlwaysFull())
    takeQueries();
  else
    emitEither(TypeRange(), valid, takeQueries, [&] {
      hardware.arrive(getQueryFull());
      return Values();
    });
  Place first = getPlace(ring);
  llvm::append_values(carried, valid, first.stage, first.parity);
  Values ends = emitWhile(carried, numCursor, [&](ValueRange arguments) {
    ValueRange cursor = arguments.take_front(numCursor);
    Place place{arguments[numCursor + 1], arguments[numCursor + 2]};
    WalkTile tile = walk->tile(cursor);
    Values keys = locateKeys(toKeyTile(tile));
    copy(1, keys, place);
    copy(2, keys, place);
    Values next = walk->next(cursor, tile);
    Place then = getNext(place);
    next.push_back(walk->valid(next));
    llvm::append_values(next, then.stage, then.parity);
    return next;
  });
  return advanceRing(ring, {ends[numCursor + 1], ends[numCursor + 2]});
}

//===----------------------------------------------------------------------===//
// The warps that have rows
//===----------------------------------------------------------------------===//

SmallVector<Value> WgmmaKernel::walk(ValueRange ring) {
  Values none = createNeutral();
  size_t numStatistics = none.size();
  none.append(getNumSums(), createFloatConstant(b, loc, accType, 0.0));
  std::unique_ptr<Walk> walk = createWalk();
  Values begin = walk->begin();
  size_t numCursor = begin.size();
  size_t numWords = choice.getKeys() / 4;
  auto emitTiles = [&] {
    Place place = getPlace(ring);
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
    Values sums =
        addNotFinite(ValueRange(none).slice(numStatistics, getNumSums()), words,
                     keys, first.isPartial, place);

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
    if (isPersistent())
      arriveAsWarp(getBarrier(Event::ValuesEmpty, last.stage));
    result.resize(numStatistics);
    llvm::append_range(result, ArrayRef(total).take_front(getNumSums()));
    llvm::append_range(result, advanceRing(ring, getNext(last)));
    return result;
  };
  llvm::append_range(none, advanceRing(ring, getPlace(ring)));
  return emitIf(walk->valid(begin), emitTiles, none);
}

SmallVector<Value> WgmmaKernel::consume(ValueRange ring) {
  readInputs();
  emitScalars();
  hardware.waitForPhase(getQueryFull(), getQueryParity(ring));
  Values all = walk(ring);
  finish(ValueRange(all).drop_back(ring.size()));
  return Values(ValueRange(all).take_back(ring.size()));
}

/// Where a warpgroup has its queries, which all products of it have read, it
/// puts its rows of the output.
void WgmmaKernel::finish(ValueRange state) {
  if (storedRows == 0) {
    if (isPersistent())
      arriveAsWarp(getQueryEmpty());
    return isSplit() ? storeStates(state) : emitFinish(state);
  }
  emitFinish(state);
  hardware.fenceProxy();
  groupBarrier();
  Value number =
      arith::AndIOp::create(b, loc, thread, i32(32 * kGroupWarps - 1));
  emitWhere(compare(arith::CmpIPredicate::eq, number, i32(0)), [&] {
    storeOutputTile();
    hardware.commitStores();
    hardware.waitForStores();
    if (isPersistent())
      hardware.arrive(getQueryEmpty());
  });
}

/// The columns of a thread come in pairs, a word each; words of 16 bytes change
/// places within a row.
void WgmmaKernel::storeRow(const MatrixView &output, unsigned row,
                           ValueRange sums, ValueRange factors) {
  if (storedRows == 0)
    return KernelEmitter::storeRow(output, row, sums, factors);
  // Addresses are not to be kept in registers from one query tile to the next.
  Value number = isPersistent() ? hardware.forget(group) : group;
  Value own = add(add(warpRow, number), i32(8 * row));
  Value line = add(multiply(own, i32(kRowBytes)), multiply(quad, i32(4)));
  for (int64_t tile = 0; tile < getNumSums() / 4; ++tile) {
    Value low = multiplyAll(sums[4 * tile + 2 * row], factors);
    Value high = multiplyAll(sums[4 * tile + 2 * row + 1], factors);
    Value place = arith::XOrIOp::create(b, loc, number, i32(tile % 8));
    Value at = add(line, multiply(place, i32(16)));
    hardware.store(hardware.pack(low, high, output.element),
                   shared(tile / 8 * choice.getRows() * kRowBytes, at), 4);
  }
}

void WgmmaKernel::groupBarrier() {
  constexpr int32_t kThreads = 32 * kGroupWarps;
  if (getNumGroups() == 1)
    return hardware.barrier(kGroupBarrier, kThreads);
  Value isFirst = compare(arith::CmpIPredicate::eq, getGroup(), i32(0));
  auto meet = [&](int32_t number) {
    hardware.barrier(number, kThreads);
    return Values();
  };
  emitEither(
      TypeRange(), isFirst, [&] { return meet(kGroupBarrier); },
      [&] { return meet(kGroupBarrier + 1); });
}

std::unique_ptr<KernelEmitter> createWgmmaKernel(RewriterBase &rewriter,
                                                 GenericOp op,
                                                 GPUKernelAttr choice,
                                                 bool hasMaps) {
  return std::make_unique<WgmmaKernel>(rewriter, op, choice, hasMaps);
}

} // namespace attn
