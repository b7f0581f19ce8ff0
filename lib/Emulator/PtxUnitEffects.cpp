//===- PtxUnitEffects.cpp - Instructions for units of a GPU -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixLayout.h"
#include "PtxBlock.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

namespace attn {

/// Has each active thread do something with the numbers that its operands are:
/// addresses in shared memory first. An error where one is not known.
static Error forActive(
    PtxBlock &block, const PtxStep &step,
    llvm::function_ref<PtxUnits::Mistake(unsigned, llvm::ArrayRef<int64_t>)>
        body) {
  auto uses = getPtxUses(*step.op, *step.effect);
  ++block.report->accesses;
  llvm::SmallVector<PtxBlock::Number, 4> operands;
  for (StringRef use : uses)
    operands.push_back(block.getNumber(use));
  llvm::SmallVector<int64_t, 4> numbers(uses.size());
  for (unsigned i = 0; i < block.getNumThreads(); ++i) {
    if (!block.isActive(i))
      continue;
    for (auto [number, use, operand] : llvm::zip(numbers, uses, operands)) {
      auto known = operand.get(i);
      if (!known)
        return block.fail(step, "expected '" + use +
                                    "' to follow from the number of a thread "
                                    "and constants");
      number = *known;
    }
    if (auto mistake = body(i, numbers))
      return block.fail(step, "thread " + Twine(i) + ": " + *mistake);
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Barriers in memory
//===----------------------------------------------------------------------===//

Error initPtxBarrier(PtxBlock &block, const PtxStep &step) {
  return forActive(block, step, [&](unsigned i, llvm::ArrayRef<int64_t> with) {
    return block.units.init(block, i, with[0], with[1]);
  });
}

/// The copies that follow an arrival, before anything else has an effect.
static int64_t countCopies(PtxBlock &block, const PtxStep &step) {
  int64_t count = 0;
  for (const PtxStep *next = &step + 1;
       !next->branches && !next->ends &&
       (!next->effect || next->effect->execute == copyPtxTile);
       ++next)
    count += next->effect != nullptr;
  return count;
}

Error expectPtxBytes(PtxBlock &block, const PtxStep &step) {
  int64_t copies = countCopies(block, step);
  return forActive(
      block, step,
      [&](unsigned i, llvm::ArrayRef<int64_t> with) -> PtxUnits::Mistake {
        if (copies == 0 || with[1] % copies != 0)
          return "awaits " + std::to_string(with[1]) + " bytes, but " +
                 std::to_string(copies) +
                 " copies follow; let copies of the same size follow";
        return block.units.arrive(block, i, with[0], with[1], copies);
      });
}

Error arrivePtx(PtxBlock &block, const PtxStep &step) {
  return forActive(block, step, [&](unsigned i, llvm::ArrayRef<int64_t> with) {
    return block.units.arrive(block, i, with[0], /*bytes=*/0, /*copies=*/0);
  });
}

Error waitForPtxPhase(PtxBlock &block, const PtxStep &step) {
  if (Error error =
          forActive(block, step, [&](unsigned i, llvm::ArrayRef<int64_t> with) {
            return block.units.checkWait(block, i, with[0]);
          }))
    return error;
  block.wait();
  return Error::success();
}

bool releasePtxPhase(PtxBlock &block, unsigned place) {
  const PtxStep &step = block.getStep(place);
  auto uses = getPtxUses(*step.op, *step.effect);
  PtxBlock::Number at = block.getNumber(uses[0]);
  PtxBlock::Number parity = block.getNumber(uses[1]);
  bool any = false;
  for (unsigned i = 0; i < block.getNumThreads(); ++i)
    if (block.isWaiting(i) && block.getPlace(i) == place &&
        block.units.tryWait(block, i, *at.get(i), *parity.get(i))) {
      block.release(i);
      any = true;
    }
  return any;
}

Error fencePtxBarriers(PtxBlock &block, const PtxStep &step) {
  return forActive(block, step, [&](unsigned i, llvm::ArrayRef<int64_t>) {
    block.units.fence(i);
    return std::nullopt;
  });
}

Error fencePtxProxy(PtxBlock &block, const PtxStep &step) {
  return forActive(block, step, [&](unsigned i, llvm::ArrayRef<int64_t>) {
    block.units.fence(i);
    block.shared.fenceProxy(i);
    return std::nullopt;
  });
}

//===----------------------------------------------------------------------===//
// Copies of tensors
//===----------------------------------------------------------------------===//

Error copyPtxTile(PtxBlock &block, const PtxStep &step) {
  return forActive(block, step, [&](unsigned i, llvm::ArrayRef<int64_t> with) {
    return block.units.copy(block, i, with[0], with[1]);
  });
}

Error storePtxTile(PtxBlock &block, const PtxStep &step) {
  // Where the next one begins.
  const PtxStep *next = &step + 1;
  while (!next->branches && !next->ends && !next->effect)
    ++next;
  PtxBlock::Number behind;
  if (next->effect && next->effect->execute == storePtxTile)
    behind = block.getNumber(getPtxUses(*next->op, *next->effect).front());
  return forActive(block, step, [&](unsigned i, llvm::ArrayRef<int64_t> with) {
    std::optional<int64_t> end = behind.get(i);
    if (end && *end <= with[0])
      end.reset();
    return block.units.store(block, i, with[0], end);
  });
}

Error commitPtxStores(PtxBlock &block, const PtxStep &step) {
  return forActive(block, step, [&](unsigned i, llvm::ArrayRef<int64_t>) {
    block.units.commitStores(i);
    return std::nullopt;
  });
}

/// How many groups may be left, the only operand.
static llvm::Expected<int64_t> getLeft(PtxBlock &block, const PtxStep &step) {
  int64_t left = 0;
  if (step.op->operands.size() != 1 ||
      StringRef(step.op->operands[0]).getAsInteger(10, left))
    return block.fail(step, "expected how many groups may be left, but got '" +
                                llvm::join(step.op->operands, ", ") + "'");
  return left;
}

Error waitForPtxStores(PtxBlock &block, const PtxStep &step) {
  auto left = getLeft(block, step);
  if (!left)
    return left.takeError();
  return forActive(block, step, [&](unsigned i, llvm::ArrayRef<int64_t>) {
    return block.units.waitForStores(block, i, *left);
  });
}

//===----------------------------------------------------------------------===//
// Products of warpgroups
//===----------------------------------------------------------------------===//

/// Warpgroups that are there, each as a whole; the first warp of each.
static llvm::Expected<llvm::SmallVector<unsigned>>
getWarpgroups(PtxBlock &block, const PtxStep &step) {
  llvm::SmallVector<unsigned> groups;
  for (unsigned first = 0; first < block.getNumThreads(); first += 128) {
    unsigned count = 0;
    for (unsigned i = first; i < first + 128 && i < block.getNumThreads(); ++i)
      count += block.isActive(i);
    if (count != 0 && count != 128)
      return block.fail(step, "expected the 128 threads of warpgroup " +
                                  Twine(first / 128) + " together, but got " +
                                  Twine(count));
    if (count)
      groups.push_back(first / 32);
  }
  return groups;
}

/// Registers are looked at by PtxProducts.h.
Error orderPtxRegisters(PtxBlock &block, const PtxStep &step) {
  auto groups = getWarpgroups(block, step);
  return groups ? Error::success() : groups.takeError();
}

Error setPtxRegisters(PtxBlock &block, const PtxStep &step) {
  return orderPtxRegisters(block, step);
}

/// The columns of `m64n128k16`.
static int64_t getColumns(const PtxInstruction &op) {
  int64_t columns = 0;
  for (StringRef part : op.opcode)
    if (part.consume_front("m64n") && !part.consumeInteger(10, columns) &&
        part == "k16")
      return columns;
  return 0;
}

Error beginPtxProduct(PtxBlock &block, const PtxStep &step) {
  auto groups = getWarpgroups(block, step);
  if (!groups)
    return groups.takeError();
  int64_t columns = getColumns(*step.op);
  auto uses = getPtxUses(*step.op, *step.effect);
  bool inRegisters = uses.size() == 1;
  if (columns == 0 || uses.empty() || step.op->operands.size() < 7)
    return block.fail(step, "expected a product of 64 rows and 16 features");
  // That of the left factor is said before that of the right one.
  llvm::ArrayRef<std::string> said = step.op->operands;
  bool isTransposed = said.back() == "1";
  bool isLeftTransposed = said[said.size() - 2] == "1";
  return forActive(
      block, step,
      [&](unsigned i, llvm::ArrayRef<int64_t> with) -> PtxUnits::Mistake {
        if (i % 32 != 0)
          return std::nullopt;
        std::vector<int64_t> words;
        for (int64_t descriptor : with)
          if (!isSwizzled128(descriptor))
            return "expected the descriptor of a matrix in rows of 128 "
                   "swizzled bytes, but got 0x" +
                   llvm::utohexstr(descriptor);
        if (!inRegisters)
          listMatrixWords(words, with[0], i / 32 % 4 * 16, 16,
                          isLeftTransposed);
        listMatrixWords(words, with.back(), 0, columns, isTransposed);
        return block.units.beginProduct(block, i / 32, std::move(words));
      });
}

Error commitPtxProducts(PtxBlock &block, const PtxStep &step) {
  auto groups = getWarpgroups(block, step);
  if (!groups)
    return groups.takeError();
  for (unsigned first : *groups)
    for (unsigned warp = first; warp < first + 4; ++warp)
      block.units.commitProducts(warp);
  return Error::success();
}

Error waitForPtxProducts(PtxBlock &block, const PtxStep &step) {
  auto groups = getWarpgroups(block, step);
  auto left = getLeft(block, step);
  if (!groups || !left)
    return llvm::joinErrors(groups.takeError(), left.takeError());
  for (unsigned first : *groups)
    for (unsigned warp = first; warp < first + 4; ++warp)
      if (auto mistake = block.units.waitForProducts(block, warp, *left))
        return block.fail(step, "warp " + Twine(warp) + ": " + *mistake);
  return Error::success();
}

} // namespace attn
