//===- PtxUnits.h - What PTX has units of a GPU do --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Barriers in memory, copies of tensors, and what products of warpgroups read
// of shared memory, as the emulator has them (AsyncUnits.h). Here a copy lands
// at once: the clock that its mbarrier has for it tells who may know of that.
// PTX does not say how many bytes a copy has. Of one to shared memory these are
// the bytes that its mbarrier awaits, by the arrival before it, divided among
// the copies that follow each other there; one from there reads what threads of
// its warpgroup have written from where it begins, without a gap.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_PTXUNITS_H
#define ATTN_LIB_EMULATOR_PTXUNITS_H

#include "MemoryBarrier.h"
#include "SharedMemory.h"

#include "llvm/Support/Error.h"

#include <deque>
#include <memory>

namespace attn {

class PtxBlock;
struct PtxStep;

/// What the units of a block have been asked for on a path.
class PtxUnits {
public:
  /// So many mbarriers a block may have, each of which has a clock.
  static constexpr unsigned kMostBarriers = 32;
  using Mistake = std::optional<std::string>;

  //===--------------------------------------------------------------------===//
  // Called for a thread
  //===--------------------------------------------------------------------===//

  Mistake init(PtxBlock &block, unsigned thread, int64_t at, int64_t count);
  void fence(unsigned thread);
  /// `bytes` more are awaited, of so many copies, 0 if of none.
  Mistake arrive(PtxBlock &block, unsigned thread, int64_t at, int64_t bytes,
                 int64_t copies);
  /// The mistake in waiting at an mbarrier; whether the phase of `parity` is
  /// over, which the thread knows then.
  Mistake checkWait(PtxBlock &block, unsigned thread, int64_t at) const;
  bool tryWait(PtxBlock &block, unsigned thread, int64_t at, uint64_t parity);
  Mistake copy(PtxBlock &block, unsigned thread, int64_t to, int64_t at);
  /// Bytes of shared memory are read until a wait; up to `end`, if it is known.
  Mistake store(PtxBlock &block, unsigned thread, int64_t from,
                std::optional<int64_t> end);
  void commitStores(unsigned thread);
  Mistake waitForStores(PtxBlock &block, unsigned thread, size_t left);
  /// The thread ends.
  Mistake finish(unsigned thread) const;

  //===--------------------------------------------------------------------===//
  // Called for a warp
  //===--------------------------------------------------------------------===//

  /// Words of 16 bytes are read until a wait.
  Mistake beginProduct(PtxBlock &block, unsigned warp,
                       std::vector<int64_t> words);
  void commitProducts(unsigned warp);
  Mistake waitForProducts(PtxBlock &block, unsigned warp, size_t left);

  /// What makes two states the same, but for what is known of accesses: that,
  /// by mbarrier, is in the clocks that `addClocks` appends.
  void describe(llvm::SmallVectorImpl<uint32_t> &state) const;
  void addClocks(llvm::SmallVectorImpl<llvm::ArrayRef<uint32_t>> &clocks) const;

private:
  struct Barrier : MemoryBarrier {
    /// Of each of the copies that are awaited.
    int64_t copyBytes = 0;
  };
  using Words = std::shared_ptr<const std::vector<int64_t>>;
  /// What is read until a group is waited for.
  struct Reads {
    std::vector<Words> open;
    std::deque<std::vector<Words>> groups;

    void commit() {
      groups.push_back(std::move(open));
      open.clear();
    }
    bool isEmpty() const { return open.empty() && groups.empty(); }
    void describe(llvm::SmallVectorImpl<uint32_t> &state) const;
  };

  Mistake checkBarrier(PtxBlock &block, unsigned thread, int64_t at) const;
  Mistake begin(PtxBlock &block, unsigned thread, Reads &reads,
                std::vector<int64_t> words);
  Mistake land(PtxBlock &block, unsigned thread, Reads &reads, size_t left);

  std::map<int64_t, Barrier> barriers;
  /// By warp, and by thread.
  std::map<unsigned, Reads> products, stores;
};

//===----------------------------------------------------------------------===//
// Effects, see PtxEffects.h
//===----------------------------------------------------------------------===//

llvm::Error initPtxBarrier(PtxBlock &block, const PtxStep &step);
llvm::Error expectPtxBytes(PtxBlock &block, const PtxStep &step);
llvm::Error arrivePtx(PtxBlock &block, const PtxStep &step);
llvm::Error waitForPtxPhase(PtxBlock &block, const PtxStep &step);
bool releasePtxPhase(PtxBlock &block, unsigned place);
llvm::Error fencePtxBarriers(PtxBlock &block, const PtxStep &step);
llvm::Error fencePtxProxy(PtxBlock &block, const PtxStep &step);
llvm::Error copyPtxTile(PtxBlock &block, const PtxStep &step);
llvm::Error storePtxTile(PtxBlock &block, const PtxStep &step);
llvm::Error commitPtxStores(PtxBlock &block, const PtxStep &step);
llvm::Error waitForPtxStores(PtxBlock &block, const PtxStep &step);
llvm::Error orderPtxRegisters(PtxBlock &block, const PtxStep &step);
llvm::Error beginPtxProduct(PtxBlock &block, const PtxStep &step);
llvm::Error commitPtxProducts(PtxBlock &block, const PtxStep &step);
llvm::Error waitForPtxProducts(PtxBlock &block, const PtxStep &step);
llvm::Error setPtxRegisters(PtxBlock &block, const PtxStep &step);

} // namespace attn

#endif // ATTN_LIB_EMULATOR_PTXUNITS_H
