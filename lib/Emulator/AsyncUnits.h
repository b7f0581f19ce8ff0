//===- AsyncUnits.h - Barriers in memory, copies of tensors -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An *mbarrier*, 8 bytes of shared memory, counts threads that arrive and bytes
// that copies have written. Once none of either is awaited, its phase is over,
// of which waiting threads know the parity, and the next one begins with the
// same count. A *tensor copy* takes a box of elements, by a map of the tensor,
// to shared memory, at any time until the phase is over that it is counted in;
// or from there to the tensor, at any time until the thread has waited for the
// group of copies that it is in.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_ASYNCUNITS_H
#define ATTN_LIB_EMULATOR_ASYNCUNITS_H

#include "MemoryBarrier.h"
#include "SharedMemory.h"
#include "attn/Emulator/TensorMap.h"

namespace attn {

class Block;

/// What the units of a block have been asked for.
class AsyncUnits {
public:
  /// So many mbarriers a block may have, each of which has a clock.
  static constexpr unsigned kMostBarriers = 64;

  explicit AsyncUnits(Block &block) : block(block) {}
  void reset();

  //===--------------------------------------------------------------------===//
  // Called by a thread
  //===--------------------------------------------------------------------===//

  void init(char *address, int64_t count);
  /// The unit of copies sees the mbarriers that the thread has initialized.
  void fence();
  /// `count` threads arrive; `bytes` more are awaited.
  void arrive(char *address, int64_t count, int64_t bytes);
  /// Whether the phase of `parity` is over. Of two calls that follow each other
  /// the second one waits until it is.
  bool tryWait(char *address, uint32_t parity);
  void copy(char *to, char *barrier, const EmulatedTensorMap &map,
            llvm::ArrayRef<int32_t> at);
  void store(char *from, const EmulatedTensorMap &map,
             llvm::ArrayRef<int32_t> at);
  /// What the thread has begun to store is a group.
  void commitStores();
  /// Waits until at most `open` groups of the thread are left.
  void waitForStores(int64_t open);

  //===--------------------------------------------------------------------===//
  // Called between the turns of threads
  //===--------------------------------------------------------------------===//

  /// One of the copies is over.
  void land(size_t index);
  size_t getNumCopies() const { return copies.size() + stores.size(); }
  /// What is wrong at the end of the block, or nothing.
  std::string describeEnd() const;

private:
  struct Barrier : MemoryBarrier {
    llvm::SmallVector<std::pair<unsigned, uint32_t>> waiting;
  };
  struct Copy {
    int64_t to, barrier, bytes;
    /// What is written, read when the copy began; the map, if not.
    std::vector<char> data;
    EmulatedTensorMap map;
    std::array<int32_t, 5> at;
  };

  struct Store {
    int64_t from, bytes;
    EmulatedTensorMap map;
    std::array<int32_t, 5> at;
    unsigned thread;
    /// The number of its group among those of the thread; 0 for none yet.
    int64_t group = 0;
  };

  Barrier &get(char *address);
  /// Checks the map of a copy, and gives its bytes.
  int64_t checkMap(const EmulatedTensorMap &map, llvm::ArrayRef<int32_t> at);
  void landStore(size_t index);
  /// The groups of a thread that are not over.
  int64_t countGroups(unsigned thread) const;
  void completeIfOver(Barrier &barrier);
  void checkSource(const Copy &copy);
  void readBox(Copy &copy);

  Block &block;
  std::map<int64_t, Barrier> barriers;
  std::vector<Copy> copies;
  std::vector<Store> stores;
  /// How many groups each thread has ended; threads that wait, and for how many
  /// to be left.
  std::map<unsigned, int64_t> numGroups, waitingForStores;
};

} // namespace attn

#endif // ATTN_LIB_EMULATOR_ASYNCUNITS_H
