//===- PtxBlock.cpp - The threads of a block on a path ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxBlock.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using llvm::StringRef;

namespace attn {

PtxBlock::PtxBlock(const PtxProgram &program, unsigned numThreads,
                   PtxReport &report)
    : report(&report), program(&program),
      places(numThreads, program.size() ? 0 : kPtxEnd), active(numThreads),
      waiting(numThreads), registers(program.getNumRegisters()),
      isWritten(program.getNumRegisters()), numGroups(numThreads) {
  clocks.reset(llvm::divideCeil(numThreads, 32));
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

unsigned PtxBlock::activate() {
  unsigned place = kPtxEnd;
  auto isBefore = [&](unsigned lhs, unsigned rhs) {
    if (lhs == kPtxEnd || rhs == kPtxEnd)
      return lhs < rhs;
    unsigned depth = program->getDepth(lhs), other = program->getDepth(rhs);
    return depth != other ? depth > other : lhs < rhs;
  };
  for (unsigned i = 0; i < places.size(); ++i)
    if (!waiting[i] && places[i] != place && isBefore(places[i], place))
      place = places[i];
  allActive = true;
  nextPlace = kPtxEnd;
  for (unsigned i = 0; i < places.size(); ++i) {
    active[i] = !waiting[i] && places[i] == place;
    allActive &= active[i] || places[i] == kPtxEnd;
    if (!active[i] && !waiting[i] && places[i] > place)
      nextPlace = std::min(nextPlace, places[i]);
  }
  return place;
}

void PtxBlock::go(unsigned place) {
  for (unsigned i = 0; i < places.size(); ++i)
    if (active[i])
      places[i] = place;
}

void PtxBlock::branch(const PtxLanes &predicate, bool negated, unsigned taken,
                      unsigned otherwise) {
  for (unsigned i = 0; i < places.size(); ++i)
    if (active[i])
      places[i] = (predicate.lanes[i] & 1) != negated ? taken : otherwise;
}

void PtxBlock::wait() {
  for (unsigned i = 0; i < places.size(); ++i)
    waiting[i] |= active[i];
}

void PtxBlock::release(unsigned thread) {
  waiting[thread] = false;
  ++places[thread];
}

bool PtxBlock::releaseAny() {
  llvm::SmallVector<unsigned> all;
  for (unsigned i = 0; i < places.size(); ++i)
    if (waiting[i] && !llvm::is_contained(all, places[i]))
      all.push_back(places[i]);
  bool any = false;
  for (unsigned place : all)
    any |= (*program)[place].effect->release(*this, place);
  return any;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

PtxValue PtxBlock::getValue(const PtxOperand &operand) const {
  return operand.reg >= 0 ? registers[operand.reg] : operand.constant;
}

PtxValue PtxBlock::getAddress(StringRef operand) const {
  auto [name, offset] = splitPtxAddress(operand);
  PtxValue base = getValue(program->getOperand(name));
  if (!base || offset == 0)
    return base;
  std::vector<uint64_t> lanes = base->lanes;
  for (uint64_t &lane : lanes)
    lane += offset;
  return makePtxValue(std::move(lanes));
}

/// What the other threads have stays; what they never had, they do not use.
void PtxBlock::setRegister(int reg, PtxValue value) {
  const PtxValue &old = registers[reg];
  if (!allActive && isWritten[reg] && !old)
    value = nullptr;
  isWritten[reg] = true;
  if (value && old && !allActive) {
    std::vector<uint64_t> lanes = old->lanes;
    for (unsigned i = 0; i < lanes.size(); ++i)
      if (active[i])
        lanes[i] = value->lanes[i];
    value = makePtxValue(std::move(lanes));
  }
  registers[reg] = std::move(value);
}

void PtxBlock::compute(const PtxStep &step) {
  if (step.outputs.empty())
    return;
  PtxValue value;
  if (step.arithmetic) {
    llvm::SmallVector<PtxValue, 3> inputs;
    for (const PtxOperand &input : step.inputs)
      inputs.push_back(getValue(input));
    value = step.arithmetic->evaluate(inputs);
  }
  for (int reg : step.outputs)
    setRegister(reg, value);
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

void PtxBlock::addCopy(unsigned thread, int64_t offset, int64_t size) {
  copies.push_back({offset, size, thread, numGroups[thread]});
}

void PtxBlock::commitCopies() {
  for (unsigned i = 0; i < places.size(); ++i)
    numGroups[i] += active[i];
}

void PtxBlock::waitForCopies(int64_t left) {
  llvm::erase_if(copies, [&](const Copy &copy) {
    bool lands = active[copy.thread] &&
                 copy.group + left < int64_t(numGroups[copy.thread]);
    if (lands)
      shared.land(copy.thread, copy.offset, copy.size, clocks);
    return lands;
  });
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

void PtxBlock::describe(llvm::SmallVectorImpl<uint32_t> &state) const {
  // Runs of threads that are at the same place.
  llvm::SmallVector<unsigned> all;
  for (unsigned i = 0; i < places.size(); ++i) {
    if (i && places[i] == places[i - 1] && waiting[i] == waiting[i - 1])
      continue;
    state.append({i, places[i], waiting[i]});
    if (places[i] != kPtxEnd && !llvm::is_contained(all, places[i]))
      all.push_back(places[i]);
  }
  for (unsigned reg = 0; reg < registers.size(); ++reg) {
    const PtxValue &value = registers[reg];
    if (!isWritten[reg] || llvm::none_of(all, [&](unsigned place) {
          return program->getLive(place)[reg];
        }))
      continue;
    uint64_t hash = value ? value->hash : 0;
    state.append({reg, uint32_t(hash), uint32_t(hash >> 32)});
  }
  std::vector<Copy> ordered = copies;
  llvm::sort(ordered, [](const Copy &lhs, const Copy &rhs) {
    return std::tie(lhs.offset, lhs.thread) < std::tie(rhs.offset, rhs.thread);
  });
  state.push_back(ordered.size());
  for (const Copy &copy : ordered)
    state.append({uint32_t(copy.offset), uint32_t(copy.size), copy.thread,
                  numGroups[copy.thread] - copy.group});
  shared.describe(state, clocks);
}

} // namespace attn
