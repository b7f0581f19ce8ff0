//===- AsyncUnits.cpp - Barriers in memory, copies of tensors ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parallel Thread Execution ISA, "mbarrier" and "cp.async.bulk.tensor".
//
//===----------------------------------------------------------------------===//

#include "AsyncUnits.h"
#include "Block.h"

using llvm::Twine;

namespace attn {

void AsyncUnits::reset() {
  barriers.clear();
  copies.clear();
  stores.clear();
  numGroups.clear();
  waitingForStores.clear();
}

//===----------------------------------------------------------------------===//
// Barriers in memory
//===----------------------------------------------------------------------===//

void AsyncUnits::init(char *address, int64_t count) {
  // It is written as any memory is, once no other thread may look at it.
  block.checkWrite(block.getThread(), address, 8, 8);
  int64_t at = block.getShared().getOffset(address);
  if (!block.getShared().contains(address))
    block.fail("initializes an mbarrier that is not in shared memory");
  if (count < 1 || count >= 1 << 20)
    block.fail("expected an mbarrier for 1 to 1048575 arrivals, but got " +
               Twine(count));
  if (barriers.size() == kMostBarriers && !barriers.count(at))
    block.fail("expected at most " + Twine(kMostBarriers) + " mbarriers");
  MemoryBarrier::init(barriers, at, count, block.getThread());
}

void AsyncUnits::fence() {
  for (auto &entry : barriers)
    if (entry.second.initializer == block.getThread())
      entry.second.isFenced = true;
}

AsyncUnits::Barrier &AsyncUnits::get(char *address) {
  int64_t at = block.getShared().getOffset(address);
  auto found = barriers.find(at);
  if (!block.getShared().contains(address) || found == barriers.end())
    block.fail("expected an mbarrier, but there is none at byte " + Twine(at) +
               " of shared memory");
  // That it was initialized is to be known.
  block.checkRead(block.getThread(), address, 8, 8);
  return found->second;
}

void AsyncUnits::completeIfOver(Barrier &barrier) {
  uint32_t parity = barrier.phase & 1;
  if (!barrier.completeIfOver())
    return;
  for (auto [thread, waited] : barrier.waiting)
    if (waited == parity)
      block.wake(thread);
  llvm::erase_if(barrier.waiting,
                 [&](auto &entry) { return entry.second == parity; });
}

void AsyncUnits::arrive(char *address, int64_t count, int64_t bytes) {
  Barrier &barrier = get(address);
  if (count < 1 || count > barrier.pending)
    block.fail("arrives at the mbarrier at byte " +
               Twine(block.getShared().getOffset(address)) +
               " of shared memory, which awaits " + Twine(barrier.pending) +
               " arrivals, not " + Twine(count));
  unsigned warp = block.getThread() / 32;
  block.getClocks().release(warp, barrier.sum);
  // What the warp does now, the barrier does not order.
  block.getClocks().acquire(warp, {});
  barrier.bytes += bytes;
  barrier.pending -= count;
  completeIfOver(barrier);
}

bool AsyncUnits::tryWait(char *address, uint32_t parity) {
  Barrier &barrier = get(address);
  parity &= 1;
  if (!barrier.isOver(parity)) {
    // It may give up at any time.
    if (block.takesTurn())
      return false;
    barrier.waiting.push_back({block.getThread(), parity});
    block.wait("mbarrier", block.getShared().getOffset(address));
  }
  block.getClocks().acquire(block.getThread() / 32, barrier.lastSum);
  return true;
}

//===----------------------------------------------------------------------===//
// Copies of tensors
//===----------------------------------------------------------------------===//

/// Of each row of 128 bytes the words of 16 change places.
static int64_t swizzle(int64_t offset) {
  return offset ^ ((offset >> 7 & 7) << 4);
}

/// Where element `index` of the box lies; null outside of the tensor.
static const char *locate(const EmulatedTensorMap &map,
                          const std::array<int32_t, 5> &at, int64_t index) {
  const char *address = map.base;
  for (int32_t dim = 0; dim < map.rank; ++dim) {
    int64_t position = at[dim] + index % map.box[dim];
    index /= map.box[dim];
    if (position < 0 || position >= map.sizes[dim])
      return nullptr;
    address += position * (dim ? map.strides[dim - 1] : map.elementBytes);
  }
  return address;
}

void AsyncUnits::checkSource(const Copy &copy) {
  int64_t bytes = copy.map.elementBytes;
  for (int64_t i = 0; i < copy.bytes / bytes; ++i)
    if (const char *address = locate(copy.map, copy.at, i))
      block.checkGlobal(block.getThread(), address, bytes, "copies");
}

void AsyncUnits::readBox(Copy &copy) {
  int64_t bytes = copy.map.elementBytes;
  copy.data.assign(copy.bytes, 0);
  for (int64_t i = 0; i < copy.bytes / bytes; ++i)
    if (const char *address = locate(copy.map, copy.at, i))
      std::memcpy(&copy.data[i * bytes], address, bytes);
}

int64_t AsyncUnits::checkMap(const EmulatedTensorMap &map,
                             llvm::ArrayRef<int32_t> at) {
  if (map.mark != EmulatedTensorMap::kMark)
    block.fail("copies by what is no tensor map");
  if (map.rank != static_cast<int32_t>(at.size()))
    block.fail("copies at " + Twine(at.size()) +
               " coordinates by a tensor map of " + Twine(map.rank) +
               " dimensions");
  if (!map.base)
    block.fail("copies by the map of a tensor that has no elements");
  int64_t bytes = map.elementBytes;
  for (int32_t dim = 0; dim < map.rank; ++dim)
    bytes *= map.box[dim];
  return bytes;
}

void AsyncUnits::copy(char *to, char *barrierAddress,
                      const EmulatedTensorMap &map,
                      llvm::ArrayRef<int32_t> at) {
  Barrier &barrier = get(barrierAddress);
  SharedMemory &shared = block.getShared();
  int64_t bytes = checkMap(map, at);
  if (!barrier.isFenced)
    block.fail("copies for an mbarrier whose initialization the unit of copies "
               "may not see; put a fence behind it");
  Copy copy;
  copy.map = map;
  copy.at = {};
  llvm::copy(at, copy.at.begin());
  copy.bytes = bytes;
  copy.to = shared.getOffset(to);
  copy.barrier = shared.getOffset(barrierAddress);
  if (!shared.contains(to))
    block.fail("copies a tensor to what is not shared memory");
  // Otherwise rows are swizzled unlike those of products.
  block.checkAlignment(block.getThread(), to, copy.bytes, 1024);
  if (auto mistake = shared.beginUnit(block.getThread(), copy.to, copy.bytes,
                                      block.getClocks()))
    block.fail(*mistake);
  std::memset(to, 0xFF, copy.bytes);
  checkSource(copy);
  if (block.flipsCoin())
    readBox(copy);
  copies.push_back(std::move(copy));
  ++block.getCounts().copies;
}

void AsyncUnits::store(char *from, const EmulatedTensorMap &map,
                       llvm::ArrayRef<int32_t> at) {
  SharedMemory &shared = block.getShared();
  Store store;
  store.bytes = checkMap(map, at);
  store.map = map;
  store.at = {};
  llvm::copy(at, store.at.begin());
  store.thread = block.getThread();
  store.from = shared.getOffset(from);
  if (!shared.contains(from))
    block.fail("stores a tensor from what is not shared memory");
  block.checkAlignment(store.thread, from, store.bytes, 1024);
  if (auto mistake = shared.checkProxy(store.from, store.bytes))
    block.fail(*mistake);
  block.checkRead(store.thread, from, store.bytes, 1024);
  for (int64_t i = 0; i < store.bytes / map.elementBytes; ++i)
    if (const char *address = locate(map, store.at, i))
      block.checkGlobal(store.thread, address, map.elementBytes, "stores");
  shared.hold(store.from, store.bytes, 1);
  stores.push_back(store);
  ++block.getCounts().copies;
}

void AsyncUnits::commitStores() {
  int64_t &number = numGroups[block.getThread()];
  ++number;
  for (Store &store : stores)
    if (store.thread == block.getThread() && store.group == 0)
      store.group = number;
}

int64_t AsyncUnits::countGroups(unsigned thread) const {
  int64_t last = 0, oldest = 0;
  if (auto known = numGroups.find(thread); known != numGroups.end())
    last = known->second;
  for (const Store &store : stores)
    if (store.thread == thread && store.group > 0)
      oldest = oldest ? std::min(oldest, store.group) : store.group;
  return oldest ? last - oldest + 1 : 0;
}

void AsyncUnits::waitForStores(int64_t open) {
  unsigned thread = block.getThread();
  if (countGroups(thread) <= open)
    return;
  waitingForStores[thread] = open;
  block.wait("cp.async.bulk.wait_group");
}

/// What it reads is what is there now: whoever writes it before is found to.
void AsyncUnits::landStore(size_t index) {
  Store store = stores[index];
  stores.erase(stores.begin() + index);
  SharedMemory &shared = block.getShared();
  int64_t bytes = store.map.elementBytes;
  for (int64_t i = 0; i < store.bytes / bytes; ++i)
    if (const char *address = locate(store.map, store.at, i))
      std::memcpy(const_cast<char *>(address),
                  shared.getBase() + swizzle(store.from + i * bytes), bytes);
  shared.hold(store.from, store.bytes, -1);
  auto waiting = waitingForStores.find(store.thread);
  if (waiting == waitingForStores.end() ||
      countGroups(store.thread) > waiting->second)
    return;
  waitingForStores.erase(waiting);
  block.wake(store.thread);
}

void AsyncUnits::land(size_t index) {
  if (index >= copies.size())
    return landStore(index - copies.size());
  Copy copy = std::move(copies[index]);
  copies.erase(copies.begin() + index);
  if (copy.data.empty())
    readBox(copy);
  SharedMemory &shared = block.getShared();
  for (int64_t i = 0; i < copy.bytes; i += 16)
    std::memcpy(shared.getBase() + swizzle(copy.to + i), &copy.data[i],
                std::min<int64_t>(16, copy.bytes - i));
  Barrier &barrier = barriers[copy.barrier];
  WarpClocks &clocks = block.getClocks();
  unsigned unit = clocks.size() - kMostBarriers + barrier.number;
  shared.landUnit(unit, copy.to, copy.bytes, clocks);
  clocks.release(unit, barrier.sum);
  clocks.acquire(unit, {});
  barrier.bytes -= copy.bytes;
  completeIfOver(barrier);
}

std::string AsyncUnits::describeEnd() const {
  if (!copies.empty() || !stores.empty())
    return "ends while its copies of tensors may not be over; wait for them";
  for (auto &[at, barrier] : barriers)
    if (barrier.bytes != 0)
      return "ends while the mbarrier at byte " + std::to_string(at) +
             " of shared memory awaits " + std::to_string(barrier.bytes) +
             " bytes";
  return "";
}

} // namespace attn
