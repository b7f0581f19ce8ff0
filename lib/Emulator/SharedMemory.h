//===- SharedMemory.h - The shared memory of a block ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each cell, of one or two bytes, knows who wrote it and who has read it since,
// and at which *clock* of their warps. A warp's clock goes on when it passes a
// barrier, where the warps that meet learn each other's clocks: an access is
// ordered before another one if the warp of the latter knows a clock of the
// former's warp that is no earlier. (Flanagan, Freund: FastTrack, PLDI 2009,
// with a clock for each warp instead of each thread.)
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_SHAREDMEMORY_H
#define ATTN_LIB_EMULATOR_SHAREDMEMORY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace attn {

/// What warps know of each other's clocks. What writes without a warp, such as
/// the copies that one mbarrier counts, has a number behind those of the warps,
/// and a clock like theirs.
class WarpClocks {
public:
  void reset(unsigned count);
  unsigned size() const { return numWarps; }

  /// The clock of what `warp` does now.
  uint32_t now(unsigned warp) const { return known(warp, warp) + 1; }
  /// Whether what `other` did at `clock` is before what `warp` does now.
  bool isBefore(unsigned other, uint32_t clock, unsigned warp) const {
    return clock <= known(warp, other);
  }
  /// What `warp` knows, and what it has done, is added to `sum`.
  void release(unsigned warp, llvm::SmallVectorImpl<uint32_t> &sum);
  /// The clock of `warp` goes on, and it knows `sum`.
  void acquire(unsigned warp, llvm::ArrayRef<uint32_t> sum);

private:
  uint32_t known(unsigned warp, unsigned other) const {
    return clocks[warp * numWarps + other];
  }
  unsigned numWarps = 0;
  std::vector<uint32_t> clocks;
};

/// What is known of each cell of shared memory, which is named by offsets.
class SharedShadow {
public:
  /// `cellBytes` is a power of two that divides all that is accessed. What is
  /// not within the ranges of `globals` (offset, bytes), nor behind
  /// `dynamicOffset`, may not be accessed.
  void configure(int64_t bytes, unsigned cellBytes, unsigned numWarps,
                 llvm::ArrayRef<std::pair<int64_t, int64_t>> globals,
                 int64_t dynamicOffset);
  /// Nobody has written anything.
  void reset();
  int64_t getBytes() const { return bytes; }

  /// The mistake, if it is one, in an access by `thread`, which is noted.
  std::optional<std::string> read(unsigned thread, int64_t offset, int64_t size,
                                  const WarpClocks &clocks);
  std::optional<std::string> write(unsigned thread, int64_t offset,
                                   int64_t size, const WarpClocks &clocks);
  /// What is done at once: it needs no order.
  std::optional<std::string> update(int64_t offset, int64_t size);
  /// An asynchronous copy by `thread` has begun: until `land`, what it is to
  /// write is nobody's.
  std::optional<std::string> begin(unsigned thread, int64_t offset,
                                   int64_t size, const WarpClocks &clocks);
  void land(unsigned thread, int64_t offset, int64_t size,
            const WarpClocks &clocks);

  /// Adds to `state` who is writing, and which accesses are not known by all
  /// warps, but for those that have `ended`, a bit each: what makes a later
  /// access wrong. What `others` know, a warp may come to know.
  void describe(llvm::SmallVectorImpl<uint32_t> &state,
                const WarpClocks &clocks, uint64_t ended = 0,
                llvm::ArrayRef<llvm::ArrayRef<uint32_t>> others = {}) const;
  /// Whether one of `count` threads from `first` on has written the byte last.
  bool isWrittenBy(unsigned first, unsigned count, int64_t offset) const;

  //===--------------------------------------------------------------------===//
  // The asynchronous proxy
  //===--------------------------------------------------------------------===//

  /// Units that access shared memory beside the threads, through a proxy of
  /// their own, which sees what a thread has written behind a fence of it.
  void followProxies() { hasProxies = true; }
  void fenceProxy(unsigned thread);
  /// The mistake in what a unit begins to read, or write, for `thread`.
  std::optional<std::string> checkProxy(int64_t offset, int64_t size);
  /// As `begin`, for a unit that `thread` has write.
  std::optional<std::string> beginUnit(unsigned thread, int64_t offset,
                                       int64_t size, const WarpClocks &clocks);
  /// Units read, `delta` more of them, what nobody may write.
  void hold(int64_t offset, int64_t size, int delta);
  /// The unit `writer`, a number behind the warps, has written.
  void landUnit(unsigned writer, int64_t offset, int64_t size,
                const WarpClocks &clocks);

private:
  struct Cell {
    /// Of the last write; its thread, counted from 1, or 0.
    uint32_t clock = 0;
    uint16_t writer = 0;
    /// The thread, counted from 1, whose copy is to write it.
    uint16_t copier = 0;
  };
  /// Cells are there from the first that is accessed on.
  std::optional<std::string> checkRange(int64_t offset, int64_t size);
  /// What is wrong with an access, "read" or "written", to a cell that others
  /// write.
  std::optional<std::string> checkWritten(unsigned thread, int64_t i,
                                          const char *access,
                                          const WarpClocks &clocks) const;
  std::optional<std::string> checkWrite(unsigned thread, int64_t index,
                                        const WarpClocks &clocks) const;
  std::string describe(int64_t index) const;
  std::string describeWriter(unsigned writer) const;

  int64_t bytes = 0;
  unsigned shift = 1, numWarps = 1;
  bool hasProxies = false;
  std::vector<Cell> cells;
  /// For each cell whether a thread has written it, and no fence behind that;
  /// by thread what these are, as offset and size.
  std::vector<uint8_t> unfenced;
  std::vector<std::vector<std::pair<int64_t, int64_t>>> written;
  /// For each 16 bytes how many units read them.
  std::vector<uint16_t> held;
  /// For each cell and warp: when it last read it, and which of its lanes did.
  std::vector<uint32_t> reads;
  /// For each cell whether it may be accessed.
  std::vector<uint8_t> usable;
};

/// Shared memory, at an address of the host.
class SharedMemory : public SharedShadow {
public:
  /// How addresses are told apart from all others: no array is there.
  static constexpr int64_t kWindow = 1 << 18;
  SharedMemory();
  ~SharedMemory();
  SharedMemory(const SharedMemory &) = delete;

  char *getBase() const { return base; }
  bool contains(const char *address) const {
    return address >= base && address < base + kWindow;
  }
  int64_t getOffset(const char *address) const { return address - base; }
  /// Nobody has written anything: what is read is a NaN of any type.
  void reset() {
    SharedShadow::reset();
    std::memset(base, 0xFF, getBytes());
  }

private:
  char *base = nullptr;
};

} // namespace attn

#endif // ATTN_LIB_EMULATOR_SHAREDMEMORY_H
