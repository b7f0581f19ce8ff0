//===- WaveIntrinsics.cpp - What the lanes of AMD's waves do ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// AMD Instinct MI300 Instruction Set Architecture, "Data Share" and "Matrix
// Arithmetic Instructions". A wave has 64 lanes. Its halves are warps here, of
// which each may go its own way: what a lane takes from the other half, which
// may be elsewhere, is an error or, in a ballot, ones. Products alone are of
// all 64.
//
//===----------------------------------------------------------------------===//

#include "Intrinsics.h"

#include "llvm/ADT/bit.h"

#include <algorithm>

namespace attn {

constexpr unsigned kWave = 64, kHalf = 32;

//===----------------------------------------------------------------------===//
// Halves of a wave
//===----------------------------------------------------------------------===//

/// The lanes below this one that `mask` has, of the lower or the upper half,
/// and `base`.
template <unsigned first>
static int32_t countLanesBelow(uint32_t mask, int32_t base) {
  unsigned lane = Block::current().getThread() % kWave;
  unsigned below = std::clamp<int>(lane - first, 0, kHalf);
  uint64_t lanes = (uint64_t(1) << below) - 1;
  return llvm::popcount(mask & lanes) + base;
}

/// ds_swizzle(value, offset) with masks for and, or and xor in the offset.
static void swizzle(const Slot *arguments, Slot *results, int32_t site) {
  Block &block = Block::current();
  uint32_t offset = getArgument<uint32_t>(arguments, 1);
  if (offset >> 15)
    block.fail("expected ds_swizzle with masks, but got offset " +
               llvm::Twine(offset));
  block.meet("ds_swizzle", /*aligned=*/false, ~0u, site, arguments, results,
             [&](Meeting &meeting) {
               for (unsigned lane = 0; lane < kHalf; ++lane) {
                 unsigned source =
                     ((lane & offset) | (offset >> 5 & 31)) ^ (offset >> 10);
                 meeting.set(lane, 0,
                             meeting.get<uint32_t>(source % kHalf, 0));
               }
             });
}

/// ds_bpermute(4 x lane, value).
static void permute(const Slot *arguments, Slot *results, int32_t site) {
  Block &block = Block::current();
  unsigned half = block.getThread() % kWave / kHalf;
  block.meet("ds_bpermute", /*aligned=*/false, ~0u, site, arguments, results,
             [&](Meeting &meeting) {
               for (unsigned lane = 0; lane < kHalf; ++lane) {
                 unsigned source = meeting.get<uint32_t>(lane, 0) / 4 % kWave;
                 if (source / kHalf != half)
                   block.fail(block.getThread() / kHalf * kHalf + lane,
                              "ds_bpermute takes the value of lane " +
                                  llvm::Twine(source) +
                                  " of the other half of its wave");
                 meeting.set(lane, 0,
                             meeting.get<uint32_t>(source % kHalf, 1));
               }
             });
}

static void ballot(const Slot *arguments, Slot *results, int32_t site) {
  Block &block = Block::current();
  bool isUpper = block.getThread() % kWave >= kHalf;
  block.meet("ballot", /*aligned=*/false, ~0u, site, arguments, results,
             [&](Meeting &meeting) {
               uint64_t half = 0;
               for (unsigned lane = 0; lane < kHalf; ++lane)
                 half |= uint64_t(meeting.get<uint8_t>(lane, 0) & 1) << lane;
               constexpr uint64_t kOnes = ~uint32_t(0);
               uint64_t all = isUpper ? half << kHalf | kOnes
                                      : kOnes << kHalf | half;
               for (unsigned lane = 0; lane < kHalf; ++lane)
                 meeting.set(lane, 0, all);
             });
}

static void syncHalf(const Slot *, Slot *, int32_t site) {
  Block::current().syncWarp(~0u, site);
}

static void syncBlock(const Slot *, Slot *, int32_t site) {
  Block::current().syncBlock(/*barrier=*/0, /*count=*/0, /*aligned=*/true,
                             /*waits=*/true, site);
}

//===----------------------------------------------------------------------===//
// Products of a wave
//===----------------------------------------------------------------------===//

/// C[16 x 16] += A[16 x 16] B[16 x 16], of 16-bit elements, with sums in f32.
/// Lane l has features 4 (l / 16) + i of row l % 16 of A and of column l % 16
/// of B, and rows 4 (l / 16) + i of column l % 16 of C.
template <float (*extend)(uint16_t)>
static void multiply(const Slot *arguments, Slot *results, int32_t site) {
  constexpr unsigned kOwn = 4, kSize = 16, kWaves = 8, kLastBarrier = 15;
  Block &block = Block::current();
  unsigned wave = block.getThread() / kWave;
  unsigned lane = block.getThread() % kWave;
  // Behind the sums, which take two.
  for (unsigned modifier : {4, 5, 6})
    if (getArgument<uint32_t>(arguments, modifier))
      block.fail("expected products that neither broadcast nor permute");
  if (wave >= kWaves)
    block.fail("expected products of at most " + llvm::Twine(kWaves) +
               " waves");
  // What lanes show each other: all of a wave come before one reads, and have
  // read before one writes again.
  static thread_local uint16_t factors[kWaves][2][kSize][kSize];
  for (unsigned side : {0u, 1u})
    std::memcpy(&factors[wave][side][lane % kSize][lane / kSize * kOwn],
                &arguments[side], kOwn * sizeof(uint16_t));
  auto meet = [&] {
    block.syncBlock(kLastBarrier - wave, kWave, /*aligned=*/true,
                    /*waits=*/true, site);
  };
  meet();
  float sums[kOwn];
  std::memcpy(sums, &arguments[2], sizeof(sums));
  for (unsigned i = 0; i < kOwn; ++i)
    for (unsigned k = 0; k < kSize; ++k)
      sums[i] += extend(factors[wave][0][lane / kSize * kOwn + i][k]) *
                 extend(factors[wave][1][lane % kSize][k]);
  meet();
  std::memcpy(results, sums, sizeof(sums));
  block.getCounts().products += lane == 0;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

llvm::ArrayRef<Intrinsic> getWaveIntrinsics() {
  auto pure = [](llvm::StringRef name, auto *function) -> Intrinsic {
    return {name, nullptr, reinterpret_cast<void *>(function), true};
  };
  static const Intrinsic table[] = {
      pure("mbcnt.lo", countLanesBelow<0>),
      pure("mbcnt.hi", countLanesBelow<kHalf>),
      {"ds.swizzle", swizzle},
      {"ds.bpermute", permute},
      {"ballot.i64", ballot},
      {"wave.barrier", syncHalf},
      {"s.barrier", syncBlock},
      {"mfma.f32.16x16x16f16", multiply<extendF16>},
      {"mfma.f32.16x16x16bf16.1k", multiply<extendBF16>},
  };
  return table;
}

} // namespace attn
