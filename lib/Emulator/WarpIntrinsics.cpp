//===- WarpIntrinsics.cpp - What the lanes of a warp do together *- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parallel Thread Execution ISA, "Data Movement and Conversion Instructions:
// shfl.sync", "vote.sync", "redux.sync", "elect.sync".
//
//===----------------------------------------------------------------------===//

#include "Intrinsics.h"

#include <algorithm>
#include <cmath>

namespace attn {

//===----------------------------------------------------------------------===//
// Shuffles
//===----------------------------------------------------------------------===//

namespace {
enum class Shuffle { Up, Down, Butterfly, Index };
} // namespace

/// shfl.sync(mask, value, b, c): the lane from which `lane` takes, and whether
/// that is none but itself.
static std::pair<unsigned, bool> getSource(Shuffle kind, unsigned lane,
                                           uint32_t b, uint32_t c) {
  unsigned segment = c >> 8 & 31, bound = c & 31;
  int first = lane & segment;
  int last = first | (bound & ~segment);
  b &= 31;
  int source = lane;
  bool valid = true;
  switch (kind) {
  case Shuffle::Up:
    source = static_cast<int>(lane) - static_cast<int>(b);
    valid = source >= last;
    break;
  case Shuffle::Down:
    source = lane + b;
    valid = source <= last;
    break;
  case Shuffle::Butterfly:
    source = lane ^ b;
    valid = source <= last;
    break;
  case Shuffle::Index:
    source = first | (b & ~segment);
    valid = source <= last;
    break;
  }
  return {valid ? source : lane, valid};
}

template <Shuffle kind>
static void shuffle(const Slot *arguments, Slot *results, int32_t site) {
  static constexpr llvm::StringRef names[] = {
      "shfl.sync.up", "shfl.sync.down", "shfl.sync.bfly", "shfl.sync.idx"};
  Block &block = Block::current();
  block.meet(names[static_cast<int>(kind)], /*aligned=*/false,
             getArgument<uint32_t>(arguments, 0), site, arguments, results,
             [&](Meeting &meeting) {
               for (unsigned lane = 0; lane < 32; ++lane) {
                 if (!meeting.has(lane))
                   continue;
                 auto [source, valid] =
                     getSource(kind, lane, meeting.get<uint32_t>(lane, 2),
                               meeting.get<uint32_t>(lane, 3));
                 if (!meeting.has(source))
                   block.fail(
                       block.getThread() / 32 * 32 + lane,
                       meeting.what + llvm::Twine(" takes the value of lane ") +
                           llvm::Twine(source) + ", which is not in its mask");
                 meeting.set(lane, 0, meeting.get<uint32_t>(source, 1));
                 meeting.set<uint8_t>(lane, 1, valid);
               }
             });
}

//===----------------------------------------------------------------------===//
// Votes
//===----------------------------------------------------------------------===//

namespace {
enum class Vote { All, Any, Uniform, Ballot };
} // namespace

template <Vote kind>
static void vote(const Slot *arguments, Slot *results, int32_t site) {
  static constexpr llvm::StringRef names[] = {
      "vote.sync.all", "vote.sync.any", "vote.sync.uni", "vote.sync.ballot"};
  Block::current().meet(names[static_cast<int>(kind)], /*aligned=*/false,
                        getArgument<uint32_t>(arguments, 0), site, arguments,
                        results, [&](Meeting &meeting) {
                          uint32_t ballot = 0;
                          for (unsigned lane = 0; lane < 32; ++lane)
                            if (meeting.has(lane) &&
                                (meeting.get<uint8_t>(lane, 1) & 1))
                              ballot |= 1u << lane;
                          uint32_t result = ballot;
                          if (kind == Vote::All)
                            result = ballot == meeting.mask;
                          else if (kind == Vote::Any)
                            result = ballot != 0;
                          else if (kind == Vote::Uniform)
                            result = ballot == 0 || ballot == meeting.mask;
                          for (unsigned lane = 0; lane < 32; ++lane)
                            if (meeting.has(lane))
                              meeting.set(lane, 0, result);
                        });
}

static void elect(const Slot *arguments, Slot *results, int32_t site) {
  Block::current().meet("elect.sync", /*aligned=*/false,
                        getArgument<uint32_t>(arguments, 0), site, arguments,
                        results, [&](Meeting &meeting) {
                          unsigned leader = llvm::countr_zero(meeting.mask);
                          for (unsigned lane = 0; lane < 32; ++lane)
                            if (meeting.has(lane)) {
                              meeting.set<uint32_t>(lane, 0, leader);
                              meeting.set<uint8_t>(lane, 1, lane == leader);
                            }
                        });
}

static void syncWarp(const Slot *arguments, Slot *, int32_t site) {
  Block::current().syncWarp(getArgument<uint32_t>(arguments, 0), site);
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// redux.sync(value, mask).
template <typename T, T (*combine)(T, T)>
static void reduce(const Slot *arguments, Slot *results, int32_t site) {
  Block::current().meet("redux.sync", /*aligned=*/false,
                        getArgument<uint32_t>(arguments, 1), site, arguments,
                        results, [&](Meeting &meeting) {
                          unsigned first = llvm::countr_zero(meeting.mask);
                          T sum = meeting.get<T>(first, 0);
                          for (unsigned lane = first + 1; lane < 32; ++lane)
                            if (meeting.has(lane))
                              sum = combine(sum, meeting.get<T>(lane, 0));
                          for (unsigned lane = 0; lane < 32; ++lane)
                            if (meeting.has(lane))
                              meeting.set(lane, 0, sum);
                        });
}

template <typename T> static T add(T a, T b) { return a + b; }
template <typename T> static T least(T a, T b) { return std::min(a, b); }
template <typename T> static T greatest(T a, T b) { return std::max(a, b); }
static uint32_t bitAnd(uint32_t a, uint32_t b) { return a & b; }
static uint32_t bitOr(uint32_t a, uint32_t b) { return a | b; }
static uint32_t bitXor(uint32_t a, uint32_t b) { return a ^ b; }
static float leastFloat(float a, float b) { return std::fmin(a, b); }
static float greatestFloat(float a, float b) { return std::fmax(a, b); }

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

llvm::ArrayRef<Intrinsic> getWarpIntrinsics() {
  static const Intrinsic table[] = {
      {"shfl.sync.up.i32", shuffle<Shuffle::Up>},
      {"shfl.sync.up.f32", shuffle<Shuffle::Up>},
      {"shfl.sync.up.i32p", shuffle<Shuffle::Up>},
      {"shfl.sync.up.f32p", shuffle<Shuffle::Up>},
      {"shfl.sync.down.i32", shuffle<Shuffle::Down>},
      {"shfl.sync.down.f32", shuffle<Shuffle::Down>},
      {"shfl.sync.down.i32p", shuffle<Shuffle::Down>},
      {"shfl.sync.down.f32p", shuffle<Shuffle::Down>},
      {"shfl.sync.bfly.i32", shuffle<Shuffle::Butterfly>},
      {"shfl.sync.bfly.f32", shuffle<Shuffle::Butterfly>},
      {"shfl.sync.bfly.i32p", shuffle<Shuffle::Butterfly>},
      {"shfl.sync.bfly.f32p", shuffle<Shuffle::Butterfly>},
      {"shfl.sync.idx.i32", shuffle<Shuffle::Index>},
      {"shfl.sync.idx.f32", shuffle<Shuffle::Index>},
      {"shfl.sync.idx.i32p", shuffle<Shuffle::Index>},
      {"shfl.sync.idx.f32p", shuffle<Shuffle::Index>},
      {"vote.all.sync", vote<Vote::All>},
      {"vote.any.sync", vote<Vote::Any>},
      {"vote.uni.sync", vote<Vote::Uniform>},
      {"vote.ballot.sync", vote<Vote::Ballot>},
      {"elect.sync", elect},
      {"bar.warp.sync", syncWarp},
      {"redux.sync.add", reduce<uint32_t, add<uint32_t>>},
      {"redux.sync.umin", reduce<uint32_t, least<uint32_t>>},
      {"redux.sync.umax", reduce<uint32_t, greatest<uint32_t>>},
      {"redux.sync.min", reduce<int32_t, least<int32_t>>},
      {"redux.sync.max", reduce<int32_t, greatest<int32_t>>},
      {"redux.sync.and", reduce<uint32_t, bitAnd>},
      {"redux.sync.or", reduce<uint32_t, bitOr>},
      {"redux.sync.xor", reduce<uint32_t, bitXor>},
      {"redux.sync.fmin", reduce<float, leastFloat>},
      {"redux.sync.fmax", reduce<float, greatestFloat>},
  };
  return table;
}

} // namespace attn
