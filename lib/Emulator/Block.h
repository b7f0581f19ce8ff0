//===- Block.h - The threads of a block -------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_BLOCK_H
#define ATTN_LIB_EMULATOR_BLOCK_H

#include "AsyncUnits.h"
#include "BankCounter.h"
#include "Fiber.h"
#include "SharedMemory.h"
#include "WarpgroupProducts.h"
#include "attn/Emulator/Emulator.h"

#include <deque>

namespace attn {

/// A value of an intrinsic: its bytes are the first ones.
using Slot = uint64_t;

/// The lanes of a warp that have come to the same place.
struct Meeting {
  /// What they execute, and which of its occurrences, if that matters.
  llvm::StringRef what;
  int32_t site = 0;
  uint32_t mask = 0, arrived = 0;
  const Slot *arguments[32];
  Slot *results[32];

  bool has(unsigned lane) const { return mask >> lane & 1; }
  /// Argument `index` of a lane.
  template <typename T> T get(unsigned lane, unsigned index) const {
    T value;
    std::memcpy(&value, &arguments[lane][index], sizeof(T));
    return value;
  }
  template <typename T> void set(unsigned lane, unsigned index, T value) const {
    std::memcpy(&results[lane][index], &value, sizeof(T));
  }
};

/// Runs the blocks of a launch, one after the other. What is called by a thread
/// of a block returns to it only if it did nothing wrong.
class Block {
public:
  /// What kernels are compiled to: takes the addresses of its parameters.
  using Entry = void (*)(void *const *);

  /// `shared` has no more bytes than the launch says.
  Block(const EmulatedLaunch &launch, Entry entry, SharedMemory &shared,
        llvm::ArrayRef<EmulatedArray> globals, const EmulatorOptions &options,
        EmulatorCounts &counts);

  /// The block at this place of the grid, to its end.
  llvm::Error run(FiberPool &fibers, std::array<int64_t, 3> place);
  /// What the fibers of the pool call.
  static void runThread(void *, unsigned thread);

  //===--------------------------------------------------------------------===//
  // Called by a thread
  //===--------------------------------------------------------------------===//

  /// The block that runs in this thread of the process.
  static Block &current();

  unsigned getThread() const { return running; }
  unsigned getLane() const { return running % 32; }
  /// The position in the block of the thread that runs, along x, y or z.
  int64_t getPosition(unsigned dim) const;
  int64_t getPlace(unsigned dim) const { return place[dim]; }
  const EmulatedLaunch &getLaunch() const { return launch; }

  /// Ends the launch: `thread` has done what is wrong. It does not return.
  void fail(unsigned thread, const llvm::Twine &message);
  void fail(const llvm::Twine &message) { fail(running, message); }

  /// The lanes of `mask` meet; the last one to come executes `compute`. If
  /// `aligned`, all lanes of the warp execute the same instruction.
  void meet(llvm::StringRef what, bool aligned, uint32_t mask, int32_t site,
            const Slot *arguments, Slot *results,
            llvm::function_ref<void(Meeting &)> compute);
  /// The lanes of `mask` meet and see what the others have written.
  void syncWarp(uint32_t mask, int32_t site);
  /// Arrives at a barrier at which `count` threads meet, all if that is 0, and
  /// waits unless it only arrives. `vote` is added up over the threads.
  unsigned syncBlock(unsigned barrier, unsigned count, bool aligned, bool waits,
                     int32_t site, bool vote = false);

  void checkRead(unsigned thread, const char *address, int64_t bytes,
                 int64_t alignment);
  void checkWrite(unsigned thread, const char *address, int64_t bytes,
                  int64_t alignment);
  /// The thread loads or stores by instruction `site`: what banks it goes to.
  void countBanks(const char *address, int64_t bytes, int32_t site);
  /// Of what is done at once: others may do it too.
  void checkAtomic(unsigned thread, const char *address, int64_t bytes,
                   int64_t alignment);
  /// The thread goes round a loop. Others get a turn once in a while.
  void countIteration();
  /// Begins a copy of `bytes` to shared memory, of which the last are zeros
  /// that have no source.
  void copy(char *to, const char *from, int64_t bytes, int64_t sourceBytes);
  void commitCopies();
  /// Waits until at most `open` groups of copies of this thread are not over.
  void waitForCopies(size_t open);

  EmulatorCounts &getCounts() { return counts; }
  SharedMemory &getShared() { return shared; }
  WarpClocks &getClocks() { return clocks; }
  AsyncUnits &getUnits() { return units; }
  WarpgroupProducts &getProducts() { return products; }

  //===--------------------------------------------------------------------===//
  // Called by the units
  //===--------------------------------------------------------------------===//

  /// The thread waits until it is woken.
  void wait(llvm::StringRef where, int barrier = -1);
  void wake(unsigned thread) {
    threads[thread].state = State::Ready;
    iterations = 0;
  }
  /// Whether the thread, which may try again, is to do so: others get a turn.
  bool takesTurn();
  /// What schedules differ in; false where threads take turns in their order.
  bool flipsCoin() { return options.seed && draw() % 2; }
  void checkAlignment(unsigned thread, const char *address, int64_t bytes,
                      int64_t alignment);
  void checkGlobal(unsigned thread, const char *address, int64_t bytes,
                   const char *what);

private:
  struct Copy {
    char *to;
    const char *from;
    int64_t bytes, sourceBytes;
    /// What was read when the copy began, if it was.
    bool early;
    char data[16];
  };
  enum class State : uint8_t { Ready, Waiting, Done };
  struct Thread {
    State state = State::Ready;
    /// Where it waits: what it executes or, if that is not -1, at a barrier.
    llvm::StringRef where;
    int barrier = -1;
    /// What the last barrier has added up.
    unsigned votes = 0;
    /// Whether it was told to try again.
    bool tries = false;
    std::vector<Copy> open;
    std::deque<std::vector<Copy>> groups;
  };
  struct Warp {
    std::vector<Meeting> meetings;
    uint32_t done = 0;
    BankCounter banks;
  };
  struct Barrier {
    unsigned arrived = 0, count = 0, votes = 0;
    /// Of each warp that has come, at which occurrence.
    llvm::SmallVector<std::pair<unsigned, int32_t>> sites;
    /// All lanes of these warps have to come.
    llvm::SmallVector<unsigned> alignedWarps;
    llvm::SmallVector<uint32_t> sum;
    std::vector<unsigned> waiting;
  };

  void startThreads();
  llvm::Error runThreads(FiberPool &fibers);
  void finishThread(unsigned thread);
  void completeIfAllCame(Barrier &barrier);
  /// Some of what is on its way arrives; if `isNeeded`, something does unless
  /// there is nothing.
  bool advanceUnits(bool isNeeded);
  std::string describeEnd();
  std::string describeDeadlock() const;
  std::string describeThread(unsigned thread) const;
  uint32_t getLanes(unsigned warp) const;
  uint64_t draw();

  const EmulatedLaunch &launch;
  Entry entry;
  SharedMemory &shared;
  llvm::ArrayRef<EmulatedArray> globals;
  const EmulatorOptions &options;
  EmulatorCounts &counts;
  uint64_t random;

  std::array<int64_t, 3> place{};
  FiberPool *fibers = nullptr;
  unsigned running = 0, numThreads = 0, numDone = 0;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::array<Barrier, 16> barriers;
  WarpClocks clocks;
  AsyncUnits units{*this};
  WarpgroupProducts products{*this};
  std::string error;
  /// Since a thread went on.
  uint64_t iterations = 0;
};

} // namespace attn

#endif // ATTN_LIB_EMULATOR_BLOCK_H
