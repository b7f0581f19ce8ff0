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
      numWarps(llvm::divideCeil(numThreads, 32)),
      places(numThreads, program.size() ? 0 : kPtxEnd), active(numThreads),
      waiting(numThreads), registers(program.getNumRegisters()),
      isWritten(program.getNumRegisters()), numGroups(numThreads) {
  clocks.reset(numWarps + (program.hasUnits() ? PtxUnits::kMostBarriers : 0));
  if (program.hasUnits())
    shared.followProxies();
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
  for (unsigned i = 0; base && i < places.size(); ++i)
    if (active[i] && base->getName(i))
      return nullptr;
  if (!base || offset == 0)
    return base;
  std::vector<uint64_t> lanes = base->lanes;
  for (uint64_t &lane : lanes)
    lane += offset;
  return makePtxValue(std::move(lanes));
}

PtxBlock::Number PtxBlock::getNumber(StringRef operand) const {
  auto [name, offset] = splitPtxAddress(operand);
  return {getValue(program->getOperand(name)), offset};
}

std::optional<int64_t> PtxBlock::Number::get(unsigned thread) const {
  if (!base || base->getName(thread))
    return std::nullopt;
  return static_cast<int64_t>(base->lanes[thread]) + offset;
}

/// What the other threads have stays; what they never had, they do not use.
void PtxBlock::setRegister(int reg, PtxValue value) {
  const PtxValue &old = registers[reg];
  auto isPartial = [](const PtxValue &of) { return of && !of->names.empty(); };
  if (!allActive && isWritten[reg] &&
      (program->hasUnits() || isPartial(value) || isPartial(old))) {
    std::vector<uint64_t> lanes(places.size()), names(places.size());
    for (unsigned i = 0; i < places.size(); ++i) {
      const PtxValue &from = active[i] ? value : old;
      lanes[i] = from ? from->lanes[i] : 0;
      names[i] = from ? from->getName(i) : kPtxNameless;
    }
    registers[reg] = makePtxValue(std::move(lanes), std::move(names));
    return;
  }
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
  llvm::SmallVector<PtxValue, 3> inputs;
  for (const PtxOperand &input : step.inputs)
    inputs.push_back(getValue(input));
  if (step.effect && step.effect->succeeds)
    value = makePtxValue(std::vector<uint64_t>(places.size(), 1));
  else if (step.arithmetic)
    value = program->hasUnits()
                ? step.arithmetic->evaluateNamed(inputs, places.size())
                : step.arithmetic->evaluate(inputs);
  for (int reg : step.outputs)
    setRegister(reg, step.loads && program->hasUnits() ? load(step, inputs, reg)
                                                       : value);
}

/// What is in memory that no thread of the kernel writes has a name.
PtxValue PtxBlock::load(const PtxStep &step, llvm::ArrayRef<PtxValue> inputs,
                        int reg) const {
  // Which of the registers it is, and what is added to that of the address: one
  // may have loaded more than another.
  llvm::ArrayRef<int> written = program->getWritten(&step - &(*program)[0]);
  int64_t size = getAccessedBytes(*step.op) / int64_t(written.size());
  auto [base, offset] = splitPtxAddress(step.op->operands.back());
  offset += size * (llvm::find(written, reg) - written.begin());
  std::string text = inputs.empty() ? base.str() : "";
  text += "+" + std::to_string(offset);
  std::vector<uint64_t> lanes(places.size()), names(places.size());
  for (unsigned i = 0; i < places.size(); ++i) {
    llvm::SmallVector<uint64_t, 4> parts;
    for (const PtxValue &input : inputs)
      parts.append({input ? input->lanes[i] : 0,
                    input ? input->getName(i) : kPtxNameless});
    names[i] = llvm::is_contained(parts, kPtxNameless) ? kPtxNameless
                                                       : namePtx(text, parts);
  }
  return makePtxValue(std::move(lanes), std::move(names));
}

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

uint64_t PtxBlock::getQuestion(int reg) const {
  const PtxValue &value = registers[reg];
  uint64_t question = 0;
  for (unsigned i = 0; i < places.size(); ++i) {
    uint64_t name = value ? value->getName(i) : kPtxNameless;
    if (!active[i] || name == 0 || name == question)
      continue;
    if (question != 0)
      return kPtxNameless;
    question = name;
  }
  return question;
}

uint64_t PtxBlock::getActiveWarps() const {
  uint64_t warps = 0;
  for (unsigned i = 0; i < places.size(); ++i)
    if (active[i])
      warps |= uint64_t(1) << i / 32;
  return warps;
}

uint64_t PtxBlock::getOtherWarps() const {
  uint64_t warps = 0;
  for (unsigned i = 0; i < places.size(); ++i)
    if (!program->isEnd(places[i]))
      warps |= uint64_t(1) << i / 32;
  return (uint64_t(1) << numWarps) - 1 - warps;
}

std::optional<bool> PtxBlock::getAnswer(uint64_t question) {
  for (Answer &answer : answers)
    if (answer.question == question) {
      answer.warps |= getActiveWarps();
      return answer.holds;
    }
  return std::nullopt;
}

void PtxBlock::answer(uint64_t question, bool holds) {
  answers.push_back({question, holds, getActiveWarps()});
}

PtxValue PtxBlock::assume(int reg, bool holds) const {
  std::vector<uint64_t> lanes(places.size(), holds);
  if (const PtxValue &value = registers[reg])
    for (unsigned i = 0; i < places.size(); ++i)
      lanes[i] = value->getName(i) == 0 ? value->lanes[i]
                                        : (value->lanes[i] & 1) ^ holds;
  return makePtxValue(std::move(lanes));
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
  if (!program->hasUnits())
    return shared.describe(state, clocks);
  llvm::SmallVector<llvm::ArrayRef<uint32_t>> others;
  units.addClocks(others);
  shared.describe(state, clocks, getOtherWarps(), others);
  units.describe(state);
  for (const Answer &answer :
       llvm::ArrayRef(answers).drop_front(countOldAnswers()))
    state.append({uint32_t(answer.question), uint32_t(answer.question >> 32),
                  answer.holds});
}

size_t PtxBlock::countOldAnswers() const {
  uint64_t others = getOtherWarps(), all = (uint64_t(1) << numWarps) - 1;
  size_t first = answers.size();
  while (first > 0 && (answers[first - 1].warps | others) != all)
    --first;
  return first;
}

} // namespace attn
