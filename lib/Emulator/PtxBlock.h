//===- PtxBlock.h - The threads of a block on a path ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_PTXBLOCK_H
#define ATTN_LIB_EMULATOR_PTXBLOCK_H

#include "PtxProgram.h"
#include "PtxUnits.h"
#include "attn/Emulator/PtxChecker.h"

namespace attn {

/// How far the threads have come, and what is known there: all that a state of
/// the search is.
class PtxBlock {
public:
  PtxBlock(const PtxProgram &program, unsigned numThreads, PtxReport &report);

  //===--------------------------------------------------------------------===//
  // Threads
  //===--------------------------------------------------------------------===//

  unsigned getNumThreads() const { return places.size(); }
  unsigned getNumWarps() const { return numWarps; }
  bool isActive(unsigned thread) const { return active[thread]; }
  bool isWaiting(unsigned thread) const { return waiting[thread]; }
  bool hasEnded(unsigned thread) const { return places[thread] == kPtxEnd; }
  unsigned getPlace(unsigned thread) const { return places[thread]; }
  const PtxStep &getStep(unsigned place) const { return (*program)[place]; }

  /// A place where threads can go on, which become active; `kPtxEnd` if there
  /// is none. Threads that others can meet wait for these.
  unsigned activate();
  /// The next place behind that one of others that can go on.
  unsigned getNextPlace() const { return nextPlace; }
  /// The active threads go to `place`, or wait where they are.
  void go(unsigned place);
  void wait();
  /// They go to `taken` where `predicate` holds, else to `otherwise`.
  void branch(const PtxLanes &predicate, bool negated, unsigned taken,
              unsigned otherwise);
  /// A thread that waits is past it.
  void release(unsigned thread);
  /// Those that all wait, if any can go on now.
  bool releaseAny();

  //===--------------------------------------------------------------------===//
  // Registers
  //===--------------------------------------------------------------------===//

  PtxValue getValue(const PtxOperand &operand) const;
  /// The address that `[register+constant]` is; null where it is not known.
  PtxValue getAddress(llvm::StringRef operand) const;
  /// What `register`, or `[register+constant]`, is for a thread.
  struct Number {
    PtxValue base;
    int64_t offset = 0;
    std::optional<int64_t> get(unsigned thread) const;
  };
  Number getNumber(llvm::StringRef operand) const;
  void setRegister(int reg, PtxValue value);
  void compute(const PtxStep &step);
  const PtxValue &getRegister(int reg) const { return registers[reg]; }
  void forget(int reg) { registers[reg] = nullptr; }

  //===--------------------------------------------------------------------===//
  // Questions
  //===--------------------------------------------------------------------===//

  /// What the active threads do not know of a predicate: 0 if they know it.
  uint64_t getQuestion(int reg) const;
  /// The answer that was given before, whoever asked; and one that holds.
  std::optional<bool> getAnswer(uint64_t question);
  void answer(uint64_t question, bool holds);
  /// How many nobody asks for again: all threads ask in the same order, and
  /// have the last of these.
  size_t countOldAnswers() const;
  /// A predicate under the assumption that what is not known is `holds`.
  PtxValue assume(int reg, bool holds) const;

  //===--------------------------------------------------------------------===//
  // Copies
  //===--------------------------------------------------------------------===//

  /// Of an active thread, to bytes of shared memory.
  void addCopy(unsigned thread, int64_t offset, int64_t size);
  /// Ends a group of each active thread; waits for all but the last `left`.
  void commitCopies();
  void waitForCopies(int64_t left);

  /// What makes two states the same: where the threads are, what is known of
  /// registers that are still read, what is on its way, and which accesses are
  /// not yet ordered before what others do.
  void describe(llvm::SmallVectorImpl<uint32_t> &state) const;

  llvm::Error fail(const PtxStep &step, const llvm::Twine &text) const {
    return program->fail(*step.op, text);
  }

  SharedShadow shared;
  WarpClocks clocks;
  PtxUnits units;
  PtxReport *report;

private:
  struct Copy {
    int64_t offset, size;
    unsigned thread;
    /// How many of the thread's were ended before it.
    uint32_t group;
  };

  PtxValue load(const PtxStep &step, llvm::ArrayRef<PtxValue> inputs,
                int reg) const;
  /// The warps with an active thread, and those that do nothing any more, a bit
  /// each.
  uint64_t getActiveWarps() const;
  uint64_t getOtherWarps() const;
  struct Answer {
    uint64_t question;
    bool holds;
    /// The warps that have it, a bit each.
    uint64_t warps;
  };

  const PtxProgram *program;
  unsigned numWarps;
  std::vector<unsigned> places;
  /// Whether a thread is active, or waits at its place.
  std::vector<uint8_t> active, waiting;
  bool allActive = true;
  unsigned nextPlace = kPtxEnd;
  /// Null where it is not known what a thread has, or none has anything.
  std::vector<PtxValue> registers;
  std::vector<uint8_t> isWritten;
  /// In the order in which they were given.
  std::vector<Answer> answers;
  std::vector<Copy> copies;
  /// Of each thread.
  std::vector<uint32_t> numGroups;
};

} // namespace attn

#endif // ATTN_LIB_EMULATOR_PTXBLOCK_H
