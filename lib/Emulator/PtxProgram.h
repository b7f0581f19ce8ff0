//===- PtxProgram.h - What of PTX matters, and where it goes ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of the instructions of a kernel most compute what neither an address in
// shared memory nor the way to an access depends on. What is left are *steps*
// with an effect, branches around them, and what these are computed from.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_PTXPROGRAM_H
#define ATTN_LIB_EMULATOR_PTXPROGRAM_H

#include "PtxEffects.h"
#include "PtxValues.h"

#include "llvm/ADT/BitVector.h"

namespace attn {

/// Where threads are that have ended.
constexpr unsigned kPtxEnd = ~0u;

/// A register by its number, or a value that is known, or neither.
struct PtxOperand {
  int reg = -1;
  PtxValue constant;
};

/// What an instruction does, as far as it matters.
struct PtxStep {
  const PtxInstruction *op = nullptr;
  /// What it does beside computing, or null.
  const PtxEffect *effect = nullptr;
  /// What it computes, if that is needed and can be known.
  std::optional<PtxArithmetic> arithmetic;
  llvm::SmallVector<PtxOperand, 3> inputs;
  /// The registers that it writes and that are needed.
  llvm::SmallVector<int, 2> outputs;
  /// Whether it loads what threads that load the same get, too.
  bool loads = false;

  bool branches = false, ends = false;
  /// Of a branch: where to, under which predicate (-1: always), or under which
  /// one that does not hold.
  unsigned target = 0;
  int guard = -1;
  bool negated = false;
  /// Whether it makes no difference which way is taken; then where both ways
  /// meet.
  bool irrelevant = false;
  unsigned meeting = kPtxEnd;
};

class PtxProgram {
public:
  /// `addresses` are those of arrays in shared memory.
  PtxProgram(const PtxKernel &kernel, unsigned numThreads,
             const llvm::StringMap<uint64_t> &addresses)
      : kernel(kernel), numThreads(numThreads), addresses(addresses) {}

  /// An error names the line of what is not understood.
  llvm::Error analyze();

  const PtxStep &operator[](unsigned place) const { return steps[place]; }
  unsigned size() const { return steps.size(); }
  unsigned getNumRegisters() const { return names.size(); }
  /// The register, constant or address that an operand is.
  PtxOperand getOperand(llvm::StringRef text) const;
  /// Whether warps have units of the GPU work for them, and so may have loops
  /// of their own, which ask the same questions.
  bool hasUnits() const { return usesUnits; }

  /// Steps that follow each other.
  struct Block {
    unsigned begin, end;
    llvm::SmallVector<unsigned, 2> next;
  };
  llvm::ArrayRef<Block> getBlocks() const { return blocks; }
  /// The registers of an operand, and those that an instruction reads and
  /// writes, needed or not; what one is called.
  llvm::SmallVector<int, 4> getRegisters(llvm::StringRef operand) const;
  llvm::ArrayRef<int> getRead(unsigned place) const { return reads[place]; }
  llvm::ArrayRef<int> getWritten(unsigned place) const { return writes[place]; }
  llvm::StringRef getName(int reg) const;

  /// Whether threads that are at a step, if it is one, only end.
  bool isEnd(unsigned place) const {
    return place == kPtxEnd || steps[place].ends;
  }
  /// Whether several ways lead to a step, and whether some of them from behind
  /// it.
  bool isJoin(unsigned place) const { return joins[place]; }
  bool isHeader(unsigned place) const { return headers[place]; }
  /// Whether threads wait for others in the loop whose head a step is.
  bool waitsInLoop(unsigned place) const { return waits[place]; }
  /// Of a branch at the end of a block out of a loop: its head, and whether it
  /// is left if the branch is taken.
  struct Exit {
    unsigned head = kPtxEnd;
    bool ifTaken = false;
    /// Whether threads wait in another loop within that one, other than asking
    /// again.
    bool isOuter = false;
  };
  const Exit &getExit(unsigned place) const { return exits[blockOf[place]]; }
  /// How many blocks all ways from a step lead through: threads that are at a
  /// lesser depth can be met by those at a greater one.
  unsigned getDepth(unsigned place) const { return depths[blockOf[place]]; }
  /// The registers that are read at a step or after it before they are written.
  const llvm::BitVector &getLive(unsigned place) const { return live[place]; }
  /// Those that addresses or the ways of single threads are computed from.
  bool isPrecise(unsigned reg) const { return precise[reg]; }

  llvm::Error fail(const PtxInstruction &op, const llvm::Twine &text) const;

private:
  llvm::Error decode();
  void findBlocks();
  void findMeetings();
  void findLoops();
  bool isSkipped(unsigned block) const;
  /// Adds to `registers` what those of it are computed from.
  void addSources(llvm::BitVector &registers) const;
  void findNeeded();
  void findPrecise();
  void findLive();
  /// The registers that an instruction reads and writes, needed or not.
  llvm::SmallVector<int, 4> getReads(unsigned place) const;
  llvm::SmallVector<int, 4> getWrites(unsigned place) const;

  const PtxKernel &kernel;
  unsigned numThreads;
  const llvm::StringMap<uint64_t> &addresses;
  llvm::StringMap<int> names;
  std::vector<PtxStep> steps;
  std::vector<Block> blocks;
  std::vector<unsigned> blockOf;
  /// By block: where all ways from it meet, or the number of blocks.
  std::vector<unsigned> meetings, depths;
  std::vector<bool> joins, headers, waits;
  std::vector<Exit> exits;
  bool usesUnits = false;
  llvm::BitVector needed, precise;
  std::vector<llvm::BitVector> live;
  std::vector<llvm::SmallVector<int, 4>> reads, writes;
};

} // namespace attn

#endif // ATTN_LIB_EMULATOR_PTXPROGRAM_H
