//===- KernelWalk.cpp - The keys that a block meets -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

bool KernelEmitter::isAlwaysFull() const {
  GenericOp attention = op;
  std::optional<int64_t> keys = getConstantIntValue(extents[keyDim]);
  return attention.getMask().empty() && !isListed && keys &&
         *keys % choice.getKeys() == 0;
}

std::unique_ptr<Walk> KernelEmitter::createWalk() {
  if (isListed) {
    Value from = listBase, to = add(listBase, listCount);
    if (part) {
      Value splits = index(choice.getSplits());
      Value share = arith::CeilDivUIOp::create(b, loc, listCount, splits);
      from = add(from, multiply(split, share));
      to = arith::MinSIOp::create(b, loc, to, add(from, share));
    }
    return std::make_unique<SpanWalk>(b, loc, /*tileRows=*/1, from, to,
                                      /*whole=*/true);
  }
  Value from = index(0);
  Value to = getValueOrCreateConstantIndexOp(b, loc, extents[keyDim]);
  Values ranges{from, to};
  if (!op.getMask().empty() && !op.getRanges().empty())
    ranges = inlineBody(b, op.getRanges(), box.getBoundArguments(b));
  if (ranges.empty())
    ranges = {from, from};
  // Ranges are within what all requests have together.
  if (op.getKeyStarts())
    for (size_t i = 1; i < ranges.size(); i += 2)
      ranges[i] = arith::MinSIOp::create(b, loc, ranges[i], to);
  if (part) {
    std::tie(from, to) = takeSplit(ranges, from, to);
    if (ranges.size() == 2)
      ranges = {from, to};
  }
  if (ranges.size() == 2)
    return std::make_unique<SpanWalk>(b, loc, choice.getKeys(), ranges[0],
                                      ranges[1], isAlwaysFull());
  return std::make_unique<RangesWalk>(b, loc, choice.getKeys(), ranges, from,
                                      to, /*clips=*/part.has_value());
}

KeyTile KernelEmitter::toKeyTile(const WalkTile &tile) {
  if (isListed)
    return readKeyTile(getValueOrCreateConstantIndexOp(b, loc, tile.location));
  KeyTile keys;
  keys.first = getValueOrCreateConstantIndexOp(b, loc, tile.location);
  if (getConstantIntValue(tile.extent) != choice.getKeys())
    keys.count = toI32(getValueOrCreateConstantIndexOp(b, loc, tile.extent));
  return keys;
}

/// Of the tiles that a kernel meets each is looked at and computed.
void KernelEmitter::countTile(const KeyTile &keys) {
  if (!counts)
    return;
  Value full = arith::ExtUIOp::create(b, loc, b.getI64Type(), emitFull(keys));
  Value one = arith::ConstantIntOp::create(b, loc, b.getI64Type(), 1);
  Value counting = compare(arith::CmpIPredicate::eq, thread, i32(0));
  if (hasFirst)
    counting = arith::AndIOp::create(b, loc, counting, hasFirst);
  emitIf(counting,
         [&] {
           Values numbers{one, one, full};
           for (auto [i, more] : llvm::enumerate(numbers))
             memref::AtomicRMWOp::create(b, loc, arith::AtomicRMWKind::addi,
                                         more, counts, index(i));
           return Values();
         },
         {});
}

SmallVector<Value> KernelEmitter::walkKeys(ValueRange state, Phase phase,
                                           bool isFirst) {
  if (choice.getStages() > 1)
    return walkStages(state, phase, isFirst);
  std::unique_ptr<Walk> walk = createWalk();
  Values carried = walk->begin();
  size_t numCursor = carried.size();
  Value valid = walk->valid(carried);
  bool takes = isFirst && takesQueries();
  if (takes)
    copyQueries();
  if (!isFirst)
    finishCopies();
  // Each step waits first: what stays in shared memory is there for all.
  emitIf(valid,
         [&] {
           if (isFirst && !takes)
             copyQueries();
           copyKeys(toKeyTile(walk->tile(carried)));
           return Values();
         },
         {});
  if (takes)
    synchronize();
  if (isFirst)
    takeQueries();

  carried.push_back(valid);
  llvm::append_range(carried, state);
  Values result = emitWhile(carried, numCursor, [&](ValueRange arguments) {
    ValueRange cursor = arguments.take_front(numCursor);
    WalkTile tile = walk->tile(cursor);
    Values next = walk->next(cursor, tile);
    Value hasNext = walk->valid(next);
    KeyTile keys = toKeyTile(tile);
    if (isFirst)
      countTile(keys);
    Values stepped = emitStep(keys, hasNext, toKeyTile(walk->tile(next)),
                              arguments.drop_front(numCursor + 1), phase);
    next.push_back(hasNext);
    llvm::append_range(next, stepped);
    return next;
  });
  return Values(ValueRange(result).drop_front(numCursor + 1));
}

} // namespace attn
