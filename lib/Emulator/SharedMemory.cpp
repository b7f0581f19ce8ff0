//===- SharedMemory.cpp - The shared memory of a block ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedMemory.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <sys/mman.h>

namespace attn {

//===----------------------------------------------------------------------===//
// Clocks
//===----------------------------------------------------------------------===//

void WarpClocks::reset(unsigned count) {
  numWarps = count;
  clocks.assign(count * count, 0);
}

void WarpClocks::release(unsigned warp, llvm::SmallVectorImpl<uint32_t> &sum) {
  sum.resize(numWarps, 0);
  for (unsigned other = 0; other < numWarps; ++other)
    sum[other] =
        std::max(sum[other], other == warp ? now(warp) : known(warp, other));
}

void WarpClocks::acquire(unsigned warp, llvm::ArrayRef<uint32_t> sum) {
  uint32_t *mine = &clocks[warp * numWarps];
  ++mine[warp];
  for (unsigned other = 0; other < sum.size(); ++other)
    mine[other] = std::max(mine[other], sum[other]);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Of a read: the clock, and the lane, counted from 1, or several.
static constexpr unsigned kLaneBits = 6;
static constexpr uint32_t kSeveral = 33;

SharedMemory::SharedMemory() {
  void *memory = ::mmap(nullptr, 2 * kWindow, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return;
  // Addresses are what bits are taken of: the window is aligned to its size.
  auto address = reinterpret_cast<uintptr_t>(memory);
  uintptr_t aligned = (address + kWindow - 1) / kWindow * kWindow;
  if (aligned > address)
    ::munmap(memory, aligned - address);
  if (address + kWindow > aligned)
    ::munmap(reinterpret_cast<void *>(aligned + kWindow),
             address + kWindow - aligned);
  base = reinterpret_cast<char *>(aligned);
}

SharedMemory::~SharedMemory() {
  if (base)
    ::munmap(base, kWindow);
}

void SharedShadow::configure(
    int64_t newBytes, unsigned cellBytes, unsigned warps,
    llvm::ArrayRef<std::pair<int64_t, int64_t>> globals,
    int64_t dynamicOffset) {
  bytes = newBytes;
  shift = llvm::Log2_32(cellBytes);
  numWarps = warps;
  int64_t count = (bytes + (1 << shift) - 1) >> shift;
  cells.clear();
  reads.clear();
  usable.assign(count, 0);
  unfenced.resize(hasProxies ? count : 0);
  written.resize(hasProxies ? 32 * warps : 0);
  held.resize(hasProxies ? bytes / 16 + 1 : 0);
  auto allow = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin >> shift;
         i < std::min(count, end) && (i << shift) < end; ++i)
      usable[i] = 1;
  };
  for (auto [offset, size] : globals)
    allow(offset, offset + size);
  allow(dynamicOffset, bytes);
}

void SharedShadow::reset() {
  std::fill(cells.begin(), cells.end(), Cell());
  std::fill(reads.begin(), reads.end(), 0);
  std::fill(unfenced.begin(), unfenced.end(), 0);
  std::fill(held.begin(), held.end(), 0);
  for (auto &ranges : written)
    ranges.clear();
}

std::string SharedShadow::describe(int64_t index) const {
  return "byte " + std::to_string(index << shift) + " of shared memory";
}

std::optional<std::string> SharedShadow::checkRange(int64_t offset,
                                                    int64_t size) {
  bool inside = offset >= 0 && offset + size <= bytes;
  for (int64_t i = offset >> shift; inside && i << shift < offset + size; ++i)
    inside = usable[i];
  if (inside) {
    size_t count = (offset + size + (1 << shift) - 1) >> shift;
    if (cells.size() < count) {
      cells.resize(count);
      reads.resize(count * numWarps);
    }
    return std::nullopt;
  }
  return "accesses " + std::to_string(size) + " bytes at byte " +
         std::to_string(offset) +
         " of shared memory, which are in no array of the kernel";
}

static std::string getThread(unsigned thread) {
  return "thread " + std::to_string(thread);
}

std::string SharedShadow::describeWriter(unsigned writer) const {
  return writer < 32 * numWarps ? getThread(writer) : "a tensor copy";
}

std::optional<std::string>
SharedShadow::checkWritten(unsigned thread, int64_t i, const char *access,
                           const WarpClocks &clocks) const {
  const Cell &cell = cells[i];
  if (cell.copier)
    return describe(i) + " is " + access + " while the asynchronous copy of " +
           getThread(cell.copier - 1) +
           " may not have written it; wait for the copy, then at a barrier";
  if (cell.writer && cell.writer != thread + 1 &&
      !clocks.isBefore((cell.writer - 1) / 32, cell.clock, thread / 32))
    return describe(i) + " is " + access + " while " +
           describeWriter(cell.writer - 1) +
           " may not have written it; put a barrier between the two";
  return std::nullopt;
}

std::optional<std::string> SharedShadow::read(unsigned thread, int64_t offset,
                                              int64_t size,
                                              const WarpClocks &clocks) {
  if (auto mistake = checkRange(offset, size))
    return mistake;
  unsigned warp = thread / 32, lane = thread % 32 + 1;
  uint32_t now = clocks.now(warp);
  for (int64_t i = offset >> shift; i << shift < offset + size; ++i) {
    if (auto mistake = checkWritten(thread, i, "read", clocks))
      return mistake;
    uint32_t &noted = reads[i * numWarps + warp];
    bool again =
        noted >> kLaneBits == now && (noted & ((1 << kLaneBits) - 1)) != lane;
    noted = now << kLaneBits | (again ? kSeveral : lane);
  }
  return std::nullopt;
}

std::optional<std::string>
SharedShadow::checkWrite(unsigned thread, int64_t i,
                         const WarpClocks &clocks) const {
  if (auto mistake = checkWritten(thread, i, "written", clocks))
    return mistake;
  if (hasProxies && held[(i << shift) / 16])
    return describe(i) +
           " is written while a product or copy may not have read it; wait for "
           "that, then at a barrier";
  unsigned warp = thread / 32;
  for (unsigned other = 0; other < numWarps; ++other) {
    uint32_t noted = reads[i * numWarps + other];
    if (!noted)
      continue;
    uint32_t clock = noted >> kLaneBits;
    unsigned lane = noted & ((1 << kLaneBits) - 1);
    bool mine = other == warp && lane == thread % 32 + 1;
    if (mine || clocks.isBefore(other, clock, warp))
      continue;
    std::string reader = lane == kSeveral
                             ? "threads of warp " + std::to_string(other)
                             : getThread(other * 32 + lane - 1);
    return describe(i) + " is written while " + reader +
           " may not have read it; put a barrier between the two";
  }
  return std::nullopt;
}

std::optional<std::string> SharedShadow::write(unsigned thread, int64_t offset,
                                               int64_t size,
                                               const WarpClocks &clocks) {
  if (auto mistake = checkRange(offset, size))
    return mistake;
  uint32_t now = clocks.now(thread / 32);
  for (int64_t i = offset >> shift; i << shift < offset + size; ++i) {
    if (auto mistake = checkWrite(thread, i, clocks))
      return mistake;
    cells[i].writer = thread + 1;
    cells[i].clock = now;
  }
  if (hasProxies) {
    std::fill(unfenced.begin() + (offset >> shift),
              unfenced.begin() + ((offset + size - 1) >> shift) + 1, 1);
    written[thread].push_back({offset, size});
  }
  return std::nullopt;
}

std::optional<std::string> SharedShadow::update(int64_t offset, int64_t size) {
  if (auto mistake = checkRange(offset, size))
    return mistake;
  for (int64_t i = offset >> shift; i << shift < offset + size; ++i)
    if (cells[i].copier)
      return describe(i) + " is updated while the asynchronous copy of " +
             getThread(cells[i].copier - 1) +
             " may not have written it; wait for the copy, then at a barrier";
  return std::nullopt;
}

std::optional<std::string> SharedShadow::begin(unsigned thread, int64_t offset,
                                               int64_t size,
                                               const WarpClocks &clocks) {
  if (auto mistake = write(thread, offset, size, clocks))
    return mistake;
  for (int64_t i = offset >> shift; i << shift < offset + size; ++i)
    cells[i].copier = thread + 1;
  return std::nullopt;
}

void SharedShadow::land(unsigned thread, int64_t offset, int64_t size,
                        const WarpClocks &clocks) {
  uint32_t now = clocks.now(thread / 32);
  for (int64_t i = offset >> shift; i << shift < offset + size; ++i) {
    cells[i].copier = 0;
    cells[i].clock = now;
  }
}

bool SharedShadow::isWrittenBy(unsigned first, unsigned count,
                               int64_t offset) const {
  size_t i = offset >> shift;
  return offset >= 0 && i < cells.size() && cells[i].writer > first &&
         cells[i].writer <= first + count;
}

namespace {
/// Who knows of what a warp, or a unit, did at a clock: warps, then others, a
/// bit each. Neighbours mostly have been accessed together.
class Knowing {
public:
  Knowing(unsigned numWarps, const WarpClocks &clocks, uint64_t ended,
          llvm::ArrayRef<llvm::ArrayRef<uint32_t>> others)
      : numWarps(numWarps), clocks(clocks), ended(ended), others(others),
        last(clocks.size()) {}

  uint64_t get(unsigned warp, uint32_t clock) {
    auto &[lastClock, knowing] = last[warp];
    if (lastClock == clock)
      return knowing;
    lastClock = clock;
    knowing = ended;
    for (unsigned other = 0; other < numWarps; ++other)
      knowing |= uint64_t(clocks.isBefore(warp, clock, other)) << other;
    // More than there are bits for count as none.
    for (auto [i, sum] : llvm::enumerate(others.take_front(64 - numWarps)))
      if (sum.size() > warp && clock <= sum[warp])
        knowing |= uint64_t(1) << (numWarps + i);
    return knowing;
  }
  bool isKnownByAll(uint64_t knowing) const {
    uint64_t all = (uint64_t(1) << numWarps) - 1;
    return (knowing & all) == all;
  }

private:
  unsigned numWarps;
  const WarpClocks &clocks;
  uint64_t ended;
  llvm::ArrayRef<llvm::ArrayRef<uint32_t>> others;
  std::vector<std::pair<uint32_t, uint64_t>> last;
};
} // namespace

void SharedShadow::describe(
    llvm::SmallVectorImpl<uint32_t> &state, const WarpClocks &clocks,
    uint64_t ended, llvm::ArrayRef<llvm::ArrayRef<uint32_t>> others) const {
  Knowing knowing(numWarps, clocks, ended, others);
  auto append = [&](uint32_t i, uint32_t what, uint32_t who, uint64_t known) {
    if (!knowing.isKnownByAll(known))
      state.append({i, what, who, uint32_t(known), uint32_t(known >> 32)});
  };
  for (uint32_t i = 0; i < cells.size(); ++i) {
    const Cell &cell = cells[i];
    if (cell.copier)
      state.append({i, 1, cell.copier});
    if (hasProxies && unfenced[i])
      state.append({i, 2});
    if (cell.writer)
      append(i, 3, cell.writer,
             knowing.get((cell.writer - 1) / 32, cell.clock));
    for (unsigned warp = 0; warp < numWarps; ++warp)
      if (uint32_t noted = reads[i * numWarps + warp])
        append(i, 4 + warp, noted & ((1 << kLaneBits) - 1),
               knowing.get(warp, noted >> kLaneBits));
  }
}

//===----------------------------------------------------------------------===//
// The asynchronous proxy
//===----------------------------------------------------------------------===//

void SharedShadow::fenceProxy(unsigned thread) {
  if (!hasProxies)
    return;
  for (auto [offset, size] : written[thread])
    for (int64_t i = offset >> shift; i << shift < offset + size; ++i)
      if (cells[i].writer == thread + 1)
        unfenced[i] = 0;
  written[thread].clear();
}

std::optional<std::string> SharedShadow::checkProxy(int64_t offset,
                                                    int64_t size) {
  if (auto mistake = checkRange(offset, size))
    return mistake;
  for (int64_t i = offset >> shift; i << shift < offset + size; ++i)
    if (unfenced[i])
      return describe(i) + " is accessed through the asynchronous proxy, " +
             "which may not see what " + describeWriter(cells[i].writer - 1) +
             " has written; put a fence of the proxy behind the latter";
  return std::nullopt;
}

std::optional<std::string> SharedShadow::beginUnit(unsigned thread,
                                                   int64_t offset, int64_t size,
                                                   const WarpClocks &clocks) {
  if (auto mistake = checkProxy(offset, size))
    return mistake;
  if (auto mistake = begin(thread, offset, size, clocks))
    return mistake;
  // The thread itself has written nothing.
  written[thread].pop_back();
  for (int64_t i = offset >> shift; i << shift < offset + size; ++i)
    unfenced[i] = 0;
  return std::nullopt;
}

void SharedShadow::hold(int64_t offset, int64_t size, int delta) {
  for (int64_t i = offset / 16; i * 16 < offset + size; ++i)
    held[i] += delta;
}

void SharedShadow::landUnit(unsigned writer, int64_t offset, int64_t size,
                            const WarpClocks &clocks) {
  uint32_t now = clocks.now(writer);
  for (int64_t i = offset >> shift; i << shift < offset + size; ++i) {
    cells[i].copier = 0;
    cells[i].writer = 32 * writer + 1;
    cells[i].clock = now;
    unfenced[i] = 0;
  }
}

} // namespace attn
