//===- PtxUnits.cpp - What PTX has units of a GPU do ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxUnits.h"
#include "PtxBlock.h"

#include "llvm/Support/xxhash.h"

#include <set>

namespace attn {

using Mistake = PtxUnits::Mistake;

//===----------------------------------------------------------------------===//
// Barriers in memory
//===----------------------------------------------------------------------===//

static std::string nameBarrier(int64_t at) {
  return "the mbarrier at byte " + std::to_string(at) + " of shared memory";
}

Mistake PtxUnits::init(PtxBlock &block, unsigned thread, int64_t at,
                       int64_t count) {
  // It is written as any memory is, once no other thread may look at it.
  if (auto mistake = block.shared.write(thread, at, 8, block.clocks))
    return mistake;
  if (barriers.size() == kMostBarriers && !barriers.count(at))
    return "expected at most " + std::to_string(kMostBarriers) + " mbarriers";
  MemoryBarrier::init(barriers, at, count, thread);
  return std::nullopt;
}

void PtxUnits::fence(unsigned thread) {
  for (auto &entry : barriers)
    if (entry.second.initializer == thread)
      entry.second.isFenced = true;
}

Mistake PtxUnits::checkBarrier(PtxBlock &block, unsigned thread,
                               int64_t at) const {
  if (!barriers.count(at))
    return "expected an mbarrier, but there is none at byte " +
           std::to_string(at) + " of shared memory";
  // That it was initialized is to be known.
  return block.shared.read(thread, at, 8, block.clocks);
}

Mistake PtxUnits::arrive(PtxBlock &block, unsigned thread, int64_t at,
                         int64_t bytes, int64_t copies) {
  if (auto mistake = checkBarrier(block, thread, at))
    return mistake;
  Barrier &barrier = barriers[at];
  block.clocks.release(thread / 32, barrier.sum);
  // What the warp does now, the barrier does not order.
  block.clocks.acquire(thread / 32, {});
  barrier.bytes += bytes;
  if (copies)
    barrier.copyBytes = bytes / copies;
  --barrier.pending;
  barrier.completeIfOver();
  return std::nullopt;
}

Mistake PtxUnits::checkWait(PtxBlock &block, unsigned thread,
                            int64_t at) const {
  return checkBarrier(block, thread, at);
}

bool PtxUnits::tryWait(PtxBlock &block, unsigned thread, int64_t at,
                       uint64_t parity) {
  Barrier &barrier = barriers[at];
  if (!barrier.isOver(parity))
    return false;
  block.clocks.acquire(thread / 32, barrier.lastSum);
  return true;
}

Mistake PtxUnits::copy(PtxBlock &block, unsigned thread, int64_t to,
                       int64_t at) {
  if (auto mistake = checkBarrier(block, thread, at))
    return mistake;
  Barrier &barrier = barriers[at];
  if (!barrier.isFenced)
    return "copies for an mbarrier whose initialization the unit of copies may "
           "not see; put a fence behind it";
  if (barrier.copyBytes == 0 || barrier.bytes < barrier.copyBytes)
    return "copies a tensor for " + nameBarrier(at) + ", which awaits " +
           std::to_string(barrier.bytes) +
           " bytes; arrive before and await those of the copy";
  if (to % 1024)
    return "copies a tensor to byte " + std::to_string(to) +
           " of shared memory, which is no multiple of 1024";
  int64_t bytes = barrier.copyBytes;
  if (auto mistake = block.shared.beginUnit(thread, to, bytes, block.clocks))
    return mistake;
  unsigned unit = block.getNumWarps() + barrier.number;
  block.shared.landUnit(unit, to, bytes, block.clocks);
  block.clocks.release(unit, barrier.sum);
  block.clocks.acquire(unit, {});
  barrier.bytes -= bytes;
  barrier.completeIfOver();
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// What is read until it is waited for
//===----------------------------------------------------------------------===//

Mistake PtxUnits::begin(PtxBlock &block, unsigned thread, Reads &reads,
                        std::vector<int64_t> words) {
  for (int64_t at : words) {
    if (auto mistake = block.shared.checkProxy(at, 16))
      return mistake;
    if (auto mistake = block.shared.read(thread, at, 16, block.clocks))
      return mistake;
    block.shared.hold(at, 16, 1);
  }
  reads.open.push_back(
      std::make_shared<const std::vector<int64_t>>(std::move(words)));
  return std::nullopt;
}

Mistake PtxUnits::land(PtxBlock &block, unsigned thread, Reads &reads,
                       size_t left) {
  for (; reads.groups.size() > left; reads.groups.pop_front())
    for (const Words &words : reads.groups.front())
      for (int64_t at : *words) {
        // It may have been read until now.
        if (auto mistake = block.shared.read(thread, at, 16, block.clocks))
          return mistake;
        block.shared.hold(at, 16, -1);
      }
  return std::nullopt;
}

Mistake PtxUnits::beginProduct(PtxBlock &block, unsigned warp,
                               std::vector<int64_t> words) {
  return begin(block, 32 * warp, products[warp], std::move(words));
}

void PtxUnits::commitProducts(unsigned warp) { products[warp].commit(); }

Mistake PtxUnits::waitForProducts(PtxBlock &block, unsigned warp, size_t left) {
  return land(block, 32 * warp, products[warp], left);
}

Mistake PtxUnits::store(PtxBlock &block, unsigned thread, int64_t from,
                        std::optional<int64_t> end) {
  std::vector<int64_t> words;
  for (int64_t at = from; (!end || at < *end) &&
                          block.shared.isWrittenBy(thread / 128 * 128, 128, at);
       at += 16)
    words.push_back(at);
  return begin(block, thread, stores[thread], std::move(words));
}

void PtxUnits::commitStores(unsigned thread) { stores[thread].commit(); }

Mistake PtxUnits::waitForStores(PtxBlock &block, unsigned thread, size_t left) {
  return land(block, thread, stores[thread], left);
}

Mistake PtxUnits::finish(unsigned thread) const {
  auto found = stores.find(thread);
  if (found == stores.end() || found->second.isEmpty())
    return std::nullopt;
  return "ends while its copies from shared memory may not have read it; wait "
         "for them";
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

void PtxUnits::Reads::describe(llvm::SmallVectorImpl<uint32_t> &state) const {
  auto append = [&](const std::vector<Words> &group) {
    state.push_back(group.size());
    for (const Words &words : group) {
      uint64_t hash = llvm::xxh3_64bits(llvm::ArrayRef(
          reinterpret_cast<const uint8_t *>(words->data()), 8 * words->size()));
      state.append({uint32_t(hash), uint32_t(hash >> 32)});
    }
  };
  append(open);
  for (const std::vector<Words> &group : groups)
    append(group);
}

void PtxUnits::describe(llvm::SmallVectorImpl<uint32_t> &state) const {
  for (auto &[at, barrier] : barriers)
    state.append({uint32_t(at), uint32_t(barrier.pending),
                  uint32_t(barrier.bytes), barrier.phase & 1,
                  barrier.isFenced});
  for (auto *all : {&products, &stores})
    for (auto &[number, reads] : *all)
      if (!reads.isEmpty()) {
        state.push_back(number);
        reads.describe(state);
      }
}

void PtxUnits::addClocks(
    llvm::SmallVectorImpl<llvm::ArrayRef<uint32_t>> &clocks) const {
  for (auto &entry : barriers) {
    clocks.push_back(entry.second.sum);
    clocks.push_back(entry.second.lastSum);
  }
}

} // namespace attn
