//===- PtxEffects.cpp - Instructions that order threads ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxEffects.h"
#include "PtxBlock.h"
#include "PtxUnits.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

namespace attn {

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

/// How many threads a barrier is for; 0: all.
static std::optional<unsigned> getBarrierSize(const PtxInstruction &op) {
  // One that answers has the answer before the number, and a predicate behind.
  unsigned first = op.has("red") ? 1 : 0, count = 0;
  if (op.operands.size() < 1 + 2 * first)
    return std::nullopt;
  unsigned left = op.operands.size() - 1 - 2 * first;
  if (left > 1 || (left == 1 &&
                   (StringRef(op.operands[first + 1]).getAsInteger(10, count) ||
                    count == 0 || count % 32 != 0)))
    return std::nullopt;
  return count;
}

/// The number of the barrier that a thread comes to.
static std::optional<int64_t> getBarrier(const PtxBlock &block,
                                         const PtxStep &step, unsigned thread) {
  return block.getNumber(step.op->operands[step.op->has("red") ? 1 : 0])
      .get(thread);
}

static Error waitAtBarrier(PtxBlock &block, const PtxStep &step) {
  auto size = getBarrierSize(*step.op);
  bool isKnown = size && *size <= block.getNumThreads();
  for (unsigned i = 0; isKnown && i < block.getNumThreads(); ++i)
    if (block.isActive(i)) {
      auto number = getBarrier(block, step, i);
      isKnown = number && *number >= 0 && *number < 16;
    }
  if (!isKnown)
    return block.fail(step, "expected the number of a barrier and of threads "
                            "in whole warps, but got '" +
                                step.op->getName() + " " +
                                llvm::join(step.op->operands, ", ") + "'");
  block.wait();
  return Error::success();
}

/// All threads that have not ended are at the barrier, or as many as it is for.
static bool releaseBarrier(PtxBlock &block, unsigned place, int64_t number) {
  unsigned size = *getBarrierSize(*block.getStep(place).op), expected = size;
  std::vector<unsigned> there;
  for (unsigned i = 0; i < block.getNumThreads(); ++i) {
    expected += size == 0 && !block.hasEnded(i);
    if (!block.isWaiting(i))
      continue;
    // All threads come to the same place; some may come to others.
    const PtxStep &step = block.getStep(block.getPlace(i));
    if ((size == 0 ? block.getPlace(i) == place
                   : step.effect->execute == waitAtBarrier &&
                         getBarrierSize(*step.op) == size) &&
        getBarrier(block, step, i) == number)
      there.push_back(i);
  }
  if (there.size() != expected)
    return false;
  llvm::SmallVector<uint32_t> sum;
  llvm::BitVector warps(block.getNumWarps());
  for (unsigned thread : there)
    warps.set(thread / 32);
  for (unsigned warp : warps.set_bits())
    block.clocks.release(warp, sum);
  for (unsigned warp : warps.set_bits())
    block.clocks.acquire(warp, sum);
  for (unsigned thread : there)
    block.release(thread);
  return true;
}

static bool releaseBarriers(PtxBlock &block, unsigned place) {
  llvm::SmallVector<int64_t> numbers;
  for (unsigned i = 0; i < block.getNumThreads(); ++i)
    if (block.isWaiting(i) && block.getPlace(i) == place) {
      int64_t number = *getBarrier(block, block.getStep(place), i);
      if (!llvm::is_contained(numbers, number))
        numbers.push_back(number);
    }
  bool any = false;
  for (int64_t number : numbers)
    any |= releaseBarrier(block, place, number);
  return any;
}

static Error waitInWarp(PtxBlock &block, const PtxStep &) {
  block.wait();
  return Error::success();
}

/// All threads of a warp that have not ended are there.
static bool releaseWarps(PtxBlock &block, unsigned place) {
  bool any = false;
  for (unsigned warp = 0; warp < block.getNumWarps(); ++warp) {
    bool whole = true, some = false;
    unsigned end = std::min(32 * warp + 32, block.getNumThreads());
    for (unsigned i = 32 * warp; i < end; ++i) {
      bool isThere = block.isWaiting(i) && block.getPlace(i) == place;
      whole &= isThere || block.hasEnded(i);
      some |= isThere;
    }
    if (!whole || !some)
      continue;
    any = true;
    block.clocks.acquire(warp, {});
    for (unsigned i = 32 * warp; i < end; ++i)
      if (!block.hasEnded(i))
        block.release(i);
  }
  return any;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

static Error commit(PtxBlock &block, const PtxStep &) {
  block.commitCopies();
  return Error::success();
}

static Error waitForAll(PtxBlock &block, const PtxStep &) {
  block.commitCopies();
  block.waitForCopies(0);
  return Error::success();
}

static Error waitForGroups(PtxBlock &block, const PtxStep &step) {
  int64_t left = 0;
  if (step.op->operands.size() != 1 ||
      StringRef(step.op->operands[0]).getAsInteger(10, left))
    return block.fail(step, "expected how many groups may be left, but got '" +
                                llvm::join(step.op->operands, ", ") + "'");
  block.waitForCopies(left);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

static bool isMatrix(const PtxInstruction &op) {
  return op.is("ldmatrix") || op.is("stmatrix");
}

static int64_t getSize(const PtxInstruction &op) {
  int64_t size = 0;
  if (isMatrix(op))
    return 16;
  if (!op.is("cp"))
    return getAccessedBytes(op);
  if (op.operands.size() < 3 ||
      StringRef(op.operands[2]).getAsInteger(10, size))
    return 0;
  return size;
}

/// The mistake that an access by a thread is, if it is one.
using Access = std::optional<std::string> (*)(PtxBlock &block, unsigned thread,
                                              int64_t offset, int64_t size);

static Error accessAll(PtxBlock &block, const PtxStep &step, Access access) {
  const PtxInstruction &op = *step.op;
  auto addresses = getPtxAddresses(op, *step.effect);
  PtxValue address =
      addresses.empty() ? nullptr : block.getAddress(addresses.front());
  if (!address) {
    // A generic address that is not known is taken for one of global memory.
    if (op.has("shared")) {
      ++block.report->accesses;
      ++block.report->unknown;
    }
    return Error::success();
  }
  ++block.report->accesses;
  int64_t size = getSize(op);
  if (size == 0)
    return block.fail(step, "expected the bytes of a copy");
  // The lanes whose addresses count: eight for each matrix.
  unsigned lanes = 32;
  if (isMatrix(op))
    lanes = op.has("x4") ? 32 : op.has("x2") ? 16 : 8;
  for (unsigned i = 0; i < block.getNumThreads(); ++i) {
    if (!block.isActive(i) || i % 32 >= lanes)
      continue;
    int64_t offset = address->lanes[i];
    std::optional<std::string> mistake;
    if (offset % size)
      mistake = "accesses " + std::to_string(size) + " bytes at byte " +
                std::to_string(offset) + ", which are not aligned";
    else
      mistake = access(block, i, offset, size);
    if (mistake)
      return block.fail(step, "thread " + Twine(i) + ": " + *mistake);
  }
  return Error::success();
}

static Error read(PtxBlock &block, const PtxStep &step) {
  return accessAll(block, step,
                   [](PtxBlock &of, unsigned i, int64_t offset, int64_t size) {
                     return of.shared.read(i, offset, size, of.clocks);
                   });
}

static Error write(PtxBlock &block, const PtxStep &step) {
  return accessAll(block, step,
                   [](PtxBlock &of, unsigned i, int64_t offset, int64_t size) {
                     return of.shared.write(i, offset, size, of.clocks);
                   });
}

static Error update(PtxBlock &block, const PtxStep &step) {
  return accessAll(block, step,
                   [](PtxBlock &of, unsigned, int64_t offset, int64_t size) {
                     return of.shared.update(offset, size);
                   });
}

static Error copy(PtxBlock &block, const PtxStep &step) {
  return accessAll(block, step,
                   [](PtxBlock &of, unsigned i, int64_t offset, int64_t size) {
                     auto mistake = of.shared.begin(i, offset, size, of.clocks);
                     if (!mistake)
                       of.addCopy(i, offset, size);
                     return mistake;
                   });
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static constexpr unsigned kFirst[] = {0}, kSecond[] = {1}, kThird[] = {2},
                          kFirstAndThird[] = {0, 2}, kSecondAndThird[] = {1, 2};

static const PtxEffect kEffects[] = {
    {"bar.warp.sync", waitInWarp, releaseWarps,
     "a part of the threads of a warp comes to its barrier"},
    {"bar.sync",
     waitAtBarrier,
     releaseBarriers,
     "a part of the threads comes to a barrier of all",
     {},
     kFirst},
    {"bar.red",
     waitAtBarrier,
     releaseBarriers,
     "a part of the threads comes to a barrier of all",
     {},
     kSecond},
    {"barrier.sync",
     waitAtBarrier,
     releaseBarriers,
     "a part of the threads comes to a barrier of all",
     {},
     kFirst},
    {"barrier.red",
     waitAtBarrier,
     releaseBarriers,
     "a part of the threads comes to a barrier of all",
     {},
     kSecond},
    {"mbarrier.init", initPtxBarrier, nullptr, "", kFirst, kSecond},
    {"mbarrier.arrive.expect_tx", expectPtxBytes, nullptr, "", kFirst, kThird},
    {"mbarrier.arrive", arrivePtx, nullptr, "", kFirst},
    {"mbarrier.try_wait.parity", waitForPtxPhase, releasePtxPhase,
     "a part of the threads waits for ever at an mbarrier", kFirst, kThird,
     /*succeeds=*/true},
    {"fence.mbarrier_init", fencePtxBarriers},
    {"fence.proxy.async", fencePtxProxy},
    {"cp.async.bulk.tensor.global.bulk_group", storePtxTile, nullptr, "",
     kSecond},
    {"cp.async.bulk.tensor", copyPtxTile, nullptr, "", kFirstAndThird},
    {"cp.async.bulk.commit_group", commitPtxStores},
    {"cp.async.bulk.wait_group", waitForPtxStores},
    {"wgmma.fence", orderPtxRegisters},
    {"wgmma.mma_async", beginPtxProduct, nullptr, "", {}, kSecondAndThird},
    {"wgmma.commit_group", commitPtxProducts},
    {"wgmma.wait_group", waitForPtxProducts},
    {"setmaxnreg", setPtxRegisters},
    {"cp.async.commit_group", commit},
    {"cp.async.wait_group", waitForGroups},
    {"cp.async.wait_all", waitForAll},
    {"cp.async.ca.shared", copy, nullptr, "", kFirst},
    {"cp.async.cg.shared", copy, nullptr, "", kFirst},
    {"ld", read, nullptr, "", kFirst},
    {"ldmatrix", read, nullptr, "", kFirst},
    {"st", write, nullptr, "", kFirst},
    {"stmatrix", write, nullptr, "", kFirst},
    {"atom", update, nullptr, "", kFirst},
    {"red", update, nullptr, "", kFirst},
};

static bool isAccess(const PtxInstruction &op) {
  return op.is("ld") || op.is("st") || op.is("atom") || op.is("red") ||
         isMatrix(op);
}

/// Whether what it accesses may be shared memory, by its name.
static bool mayBeShared(const PtxInstruction &op) {
  return op.has("shared") || !(op.has("global") || op.has("param") ||
                               op.has("local") || op.has("const"));
}

static bool matches(const PtxInstruction &op, StringRef opcode) {
  auto [first, rest] = opcode.split('.');
  if (!op.is(first))
    return false;
  llvm::ArrayRef<std::string> parts = llvm::ArrayRef(op.opcode).drop_front();
  while (!rest.empty()) {
    auto [part, behind] = rest.split('.');
    while (!parts.empty() && parts.front() != part)
      parts = parts.drop_front();
    if (parts.empty())
      return false;
    parts = parts.drop_front();
    rest = behind;
  }
  return true;
}

llvm::Expected<const PtxEffect *> findPtxEffect(const PtxInstruction &op) {
  if (isAccess(op) && !mayBeShared(op))
    return nullptr;
  for (const PtxEffect &effect : kEffects)
    if (matches(op, effect.opcode))
      return &effect;
  if (llvm::is_contained({"bar", "barrier", "cp", "fence", "mbarrier",
                          "setmaxnreg", "tcgen05", "wgmma"},
                         StringRef(op.opcode.front())))
    return llvm::createStringError(
        "expected an instruction whose effect is known, but got '" +
        op.getName() + "'");
  return nullptr;
}

llvm::SmallVector<StringRef, 2> getPtxAddresses(const PtxInstruction &op,
                                                const PtxEffect &effect) {
  llvm::SmallVector<StringRef, 2> addresses;
  unsigned number = 0;
  for (StringRef operand : op.operands)
    if (operand.starts_with("[") &&
        llvm::is_contained(effect.addresses, number++))
      addresses.push_back(operand);
  return addresses;
}

llvm::SmallVector<StringRef, 4> getPtxUses(const PtxInstruction &op,
                                           const PtxEffect &effect) {
  llvm::SmallVector<StringRef, 4> uses(getPtxAddresses(op, effect));
  for (unsigned number : effect.numbers)
    if (number < op.operands.size() && op.operands[number].front() != '{')
      uses.push_back(op.operands[number]);
  return uses;
}

std::pair<StringRef, int64_t> splitPtxAddress(StringRef operand) {
  operand.consume_front("[");
  operand.consume_back("]");
  auto [name, text] = operand.split('+');
  int64_t offset = 0;
  if (!text.empty() && text.trim().getAsInteger(10, offset))
    return {"", 0};
  return {name.trim(), offset};
}

int64_t getPtxGranule(const PtxInstruction &op) {
  if (op.is("mbarrier"))
    return 8;
  bool isCopy = op.is("cp") && op.has("shared");
  return isCopy || (isAccess(op) && mayBeShared(op)) ? getSize(op) : 0;
}

} // namespace attn
