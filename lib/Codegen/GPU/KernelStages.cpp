//===- KernelStages.cpp - Tiles that are on their way -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With several stages, each of which holds the keys and values of a tile, the
// copies of later tiles go on while a tile is at hand. The copies of a tile are
// a group; groups may be empty, so that how many there are is known. A step:
//
//   wait for the group of this tile, and at a barrier for all threads, which
//     are done with the tile before
//   copy the tile that is so many stages on to where that one was
//   scores, statistics, weights and sums of this tile
//
// A second cursor runs ahead of the first.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"

using namespace mlir;

namespace attn {

void KernelEmitter::copyTile(const KeyTile &tile, Phase phase) {
  copyKeys(tile);
  if (needsValues(phase))
    copyValues(tile);
}

SmallVector<Value> KernelEmitter::walkStages(ValueRange state, Phase phase,
                                             bool isFirst) {
  int64_t stages = choice.getStages();
  int64_t all = stages * layout.stageBytes;
  auto synchronizeStages = [&] {
    hardware.waitForCopies(stages - 2);
    hardware.barrier();
  };
  std::unique_ptr<Walk> walk = createWalk();
  Values cursor = walk->begin();
  size_t numCursor = cursor.size();
  cursor.push_back(walk->valid(cursor));
  // Behind a tile that is not there are no others.
  auto fill = [&](ValueRange ahead) {
    ValueRange place = ahead.take_front(numCursor);
    Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
    Values otherwise(place);
    otherwise.push_back(no);
    Values next = emitIf(
        ahead[numCursor],
        [&] {
          WalkTile tile = walk->tile(place);
          copyTile(toKeyTile(tile), phase);
          Values behind = walk->next(place, tile);
          behind.push_back(walk->valid(behind));
          return behind;
        },
        otherwise);
    hardware.commitCopies();
    return next;
  };
  bool takes = isFirst && takesQueries();
  if (takes) {
    copyQueries();
  } else if (isFirst) {
    emitIf(cursor[numCursor],
           [&] {
             copyQueries();
             return Values();
           },
           {});
  } else {
    // As finishCopies, all of which are in groups.
    hardware.waitForCopies();
    hardware.barrier();
  }
  Values ahead = cursor;
  for (int64_t stage = 0; stage + 1 < stages; ++stage) {
    fillStage = i32(stage * layout.stageBytes);
    ahead = fill(ahead);
  }
  if (takes)
    synchronizeStages();
  if (isFirst)
    takeQueries();

  auto advance = [&](Value stage) {
    Value next = add(stage, i32(layout.stageBytes));
    Value isLast = compare(arith::CmpIPredicate::eq, next, i32(all));
    return select(isLast, i32(0), next);
  };
  Values carried = cursor;
  llvm::append_range(carried, ahead);
  carried.push_back(i32(0));
  carried.push_back(i32((stages - 1) * layout.stageBytes));
  size_t numOwn = carried.size();
  llvm::append_range(carried, state);
  Values result = emitWhile(carried, numCursor, [&](ValueRange arguments) {
    ValueRange place = arguments.take_front(numCursor);
    readStage = arguments[numOwn - 2];
    fillStage = arguments[numOwn - 1];
    synchronizeStages();
    Values furtherOn = fill(arguments.slice(numCursor + 1, numCursor + 1));
    WalkTile tile = walk->tile(place);
    KeyTile keys = toKeyTile(tile);
    if (isFirst)
      countTile(keys);
    Values stepped = emitPairs(keys, emitSimilarities(keys),
                               arguments.drop_front(numOwn), phase);
    Values next = walk->next(place, tile);
    next.push_back(walk->valid(next));
    llvm::append_range(next, furtherOn);
    next.push_back(advance(readStage));
    next.push_back(advance(fillStage));
    llvm::append_range(next, stepped);
    return next;
  });
  readStage = fillStage = Value();
  return Values(ValueRange(result).drop_front(numOwn));
}

} // namespace attn
