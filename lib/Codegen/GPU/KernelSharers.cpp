//===- KernelSharers.cpp - Warps that have the same rows --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where there are more channels than a warp has registers for, several warps
// have the same rows. Each has some of the channels, and the scores and weights
// of some of the keys:
//
//   scores of the warp's keys; what they are at most goes to shared memory
//   wait for all; statistics of the rows
//   weights of the warp's keys go to shared memory, rounded as values are
//   wait for all; sums of the warp's channels += all weights x values
//
// Statistics on weights stay those of the warp's keys until the end. All warps
// combine what there is in the same order, so that they have the same.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

void KernelEmitter::awaitRows() {
  if (divides)
    hardware.barrier();
  else
    hardware.warpBarrier();
}

/// A number for each warp, next to each other, of each row, of each statistic.
void KernelEmitter::combineSharers(std::array<Values, kThreadRows> &own,
                                   unsigned first) {
  if (own[0].empty())
    return;
  int64_t sharers = choice.getSharers(), bytes = getNumberBytes();
  int64_t rowBytes = bytes * sharers;
  auto at = [&](unsigned row, unsigned i, Value place) {
    int64_t number = (first + i) * choice.getRows() + 8 * row;
    return shared(layout.statistics + number * rowBytes, place);
  };
  Value place = multiply(add(warpRow, group), i32(rowBytes));
  emitWhere(compare(Predicate::eq, quad, i32(0)), [&] {
    Value mine = add(place, multiply(sharer, i32(bytes)));
    for (unsigned row = 0; row < kThreadRows; ++row)
      for (auto [i, value] : llvm::enumerate(own[row]))
        hardware.store(value, at(row, i, mine), bytes);
  });
  awaitRows();
  auto type = VectorType::get({sharers}, accType);
  for (unsigned row = 0; row < kThreadRows; ++row)
    for (auto [i, value] : llvm::enumerate(own[row])) {
      Value all = hardware.load(type, at(row, i, place),
                                std::min<int64_t>(16, rowBytes));
      value = lane(all, 0);
      for (int64_t other = 1; other < sharers; ++other)
        value = combine(first + i, value, lane(all, other));
    }
}

SmallVector<Value> KernelEmitter::gatherState(ValueRange state) {
  Values gathered(state);
  if (!divides)
    return gathered;
  std::array<Values, kThreadRows> own;
  auto forEach = [&](function_ref<void(unsigned, unsigned, Value &)> body) {
    for (unsigned row = 0; row < kThreadRows; ++row)
      for (unsigned i = numScoreStatistics; i < statistics.size(); ++i)
        body(row, i, gathered[row * statistics.size() + i]);
  };
  forEach([&](unsigned row, unsigned i, Value &value) {
    own[row].push_back(combineQuad(i, value));
  });
  combineSharers(own, numScoreStatistics);
  forEach([&](unsigned row, unsigned i, Value &value) {
    value = own[row][i - numScoreStatistics];
  });
  return gathered;
}

} // namespace attn
