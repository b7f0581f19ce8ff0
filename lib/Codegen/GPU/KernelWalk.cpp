//===- KernelWalk.cpp - The keys that a block meets -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

bool KernelEmitter::isAlwaysFull() const {
  GenericOp attention = op;
  std::optional<int64_t> keys = getConstantIntValue(extents[keyDim]);
  return attention.getMask().empty() && keys && *keys % choice.getKeys() == 0;
}

std::unique_ptr<Walk> KernelEmitter::createWalk() {
  Value from = index(0);
  Value to = getValueOrCreateConstantIndexOp(b, loc, extents[keyDim]);
  Values ranges{from, to};
  if (!op.getMask().empty() && !op.getRanges().empty())
    ranges = inlineBody(b, op.getRanges(), box.getBoundArguments(b));
  if (ranges.empty())
    ranges = {from, from};
  if (isSplit()) {
    std::tie(from, to) = takeSplit(ranges, from, to);
    if (ranges.size() == 2)
      ranges = {from, to};
  }
  if (ranges.size() == 2)
    return std::make_unique<SpanWalk>(b, loc, choice.getKeys(), ranges[0],
                                      ranges[1], isAlwaysFull());
  return std::make_unique<RangesWalk>(b, loc, choice.getKeys(), ranges, from,
                                      to, /*clips=*/isSplit());
}

KeyTile KernelEmitter::toKeyTile(const WalkTile &tile) {
  KeyTile keys;
  keys.first = getValueOrCreateConstantIndexOp(b, loc, tile.location);
  if (getConstantIntValue(tile.extent) != choice.getKeys())
    keys.count = toI32(getValueOrCreateConstantIndexOp(b, loc, tile.extent));
  return keys;
}

SmallVector<Value> KernelEmitter::walkKeys(ValueRange state, Phase phase,
                                           bool isFirst) {
  if (choice.getStages() > 1)
    return walkStages(state, phase, isFirst);
  std::unique_ptr<Walk> walk = createWalk();
  Values carried = walk->begin();
  size_t numCursor = carried.size();
  Value valid = walk->valid(carried);
  if (isFirst)
    copyQueries();
  emitIf(valid,
         [&] {
           copyKeys(toKeyTile(walk->tile(carried)));
           return Values();
         },
         {});
  synchronize();
  if (isFirst)
    takeQueries();

  carried.push_back(valid);
  llvm::append_range(carried, state);
  auto loop = scf::WhileOp::create(
      b, loc, llvm::to_vector(ValueRange(carried).getTypes()), carried,
      [&](OpBuilder &, Location, ValueRange arguments) {
        scf::ConditionOp::create(b, loc, arguments[numCursor], arguments);
      },
      [&](OpBuilder &, Location, ValueRange arguments) {
        ValueRange cursor = arguments.take_front(numCursor);
        WalkTile tile = walk->tile(cursor);
        Values next = walk->next(cursor, tile);
        Value hasNext = walk->valid(next);
        Values stepped =
            emitStep(toKeyTile(tile), hasNext, toKeyTile(walk->tile(next)),
                     arguments.drop_front(numCursor + 1), phase);
        next.push_back(hasNext);
        llvm::append_range(next, stepped);
        scf::YieldOp::create(b, loc, next);
      });
  return Values(loop.getResults().drop_front(numCursor + 1));
}

} // namespace attn
