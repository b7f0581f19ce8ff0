//===- PtxProgram.cpp - What of PTX matters, and where it goes --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxProgram.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using llvm::BitVector;
using llvm::Error;
using llvm::SmallVector;
using llvm::StringRef;

namespace attn {

Error PtxProgram::fail(const PtxInstruction &op,
                       const llvm::Twine &text) const {
  return llvm::createStringError("kernel @" + kernel.name + ", line " +
                                 llvm::Twine(op.line) + ": " + text);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// The names in an operand that begin with `%`: of `{%r1, %r2}`, `%p1|%p2` or
/// `[%rd1+16]`.
static SmallVector<StringRef, 4> getNames(StringRef operand) {
  SmallVector<StringRef, 4> names;
  for (size_t begin = operand.find('%'); begin != StringRef::npos;
       begin = operand.find('%')) {
    operand = operand.drop_front(begin);
    StringRef name = operand.take_until(
        [](char c) { return StringRef(",}|]+ ;").contains(c); });
    names.push_back(name);
    operand = operand.drop_front(name.size());
  }
  return names;
}

/// The number of a thread, or what follows from it alone.
static bool tellsThreads(StringRef name) {
  return name == "%tid.x" || name == "%laneid" || name == "%warpid";
}

SmallVector<int, 4> PtxProgram::getRegisters(StringRef operand) const {
  SmallVector<int, 4> registers;
  for (StringRef name : getNames(operand)) {
    auto known = names.find(name);
    if (known != names.end())
      registers.push_back(known->second);
  }
  return registers;
}

PtxOperand PtxProgram::getOperand(StringRef text) const {
  PtxOperand operand;
  auto fill = [&](auto &&of) {
    std::vector<uint64_t> lanes(numThreads);
    for (unsigned i = 0; i < numThreads; ++i)
      lanes[i] = of(i);
    operand.constant = makePtxValue(std::move(lanes));
    return operand;
  };
  auto known = names.find(text);
  if (known != names.end()) {
    operand.reg = known->second;
    return operand;
  }
  if (text == "%tid.x")
    return fill([](unsigned i) { return i; });
  if (text == "%laneid")
    return fill([](unsigned i) { return i % 32; });
  if (text == "%warpid")
    return fill([](unsigned i) { return i / 32; });
  uint64_t number = 0;
  int64_t negative = 0;
  auto address = addresses.find(text);
  if (address != addresses.end())
    number = address->second;
  else if (text == "%ntid.x")
    number = numThreads;
  else if (!text.getAsInteger(0, negative))
    number = negative;
  else if (text != "%tid.y" && text != "%tid.z" &&
           text.getAsInteger(0, number)) {
    // The number of a block, say.
    if (usesUnits)
      operand.constant =
          makePtxValue(std::vector<uint64_t>(numThreads),
                       std::vector<uint64_t>(numThreads, namePtx(text, {})));
    return operand;
  }
  return fill([=](unsigned) { return number; });
}

StringRef PtxProgram::getName(int reg) const {
  for (auto &entry : names)
    if (entry.second == reg)
      return entry.first();
  return "";
}

static bool hasResult(const PtxInstruction &op) {
  if (op.is("bar") || op.is("barrier"))
    return op.has("red");
  return !op.operands.empty() && op.operands[0].front() != '[' &&
         !op.is("bra") && !op.is("cp");
}

/// Whether it is one for a unit, which works beside the threads.
static bool isForUnit(const PtxInstruction &op) {
  return op.is("mbarrier") || op.is("wgmma") || op.has("bulk");
}

SmallVector<int, 4> PtxProgram::getReads(unsigned place) const {
  const PtxInstruction &op = *steps[place].op;
  SmallVector<int, 4> registers = getRegisters(op.guard);
  for (StringRef operand : llvm::drop_begin(op.operands, hasResult(op) ? 1 : 0))
    registers.append(getRegisters(operand));
  return registers;
}

SmallVector<int, 4> PtxProgram::getWrites(unsigned place) const {
  const PtxInstruction &op = *steps[place].op;
  return hasResult(op) ? getRegisters(op.operands[0]) : SmallVector<int, 4>();
}

//===----------------------------------------------------------------------===//
// Steps and blocks
//===----------------------------------------------------------------------===//

Error PtxProgram::decode() {
  for (const PtxInstruction &op : kernel.instructions) {
    PtxStep step;
    step.op = &op;
    auto effect = findPtxEffect(op);
    if (!effect)
      return fail(op, llvm::toString(effect.takeError()));
    step.effect = *effect;
    step.loads = op.is("ld") && !step.effect;
    usesUnits |= isForUnit(op);
    step.branches = op.is("bra");
    step.ends = op.is("ret") || op.is("exit");
    // Only branches have guards in what LLVM writes.
    if (!op.guard.empty() && (step.effect || step.ends))
      return fail(op, "expected no predicate but on branches, but got '@" +
                          op.guard + "'");
    if (step.branches) {
      auto target = kernel.labels.find(
          op.operands.empty() ? StringRef() : StringRef(op.operands.front()));
      if (target == kernel.labels.end() ||
          target->second >= kernel.instructions.size())
        return fail(op, "expected a label of the kernel, but got '" +
                            llvm::join(op.operands, ", ") + "'");
      step.target = target->second;
    }
    for (StringRef operand : op.operands)
      for (StringRef name : getNames(operand))
        if (!name.contains('.') && !tellsThreads(name))
          names.try_emplace(name, names.size());
    StringRef guard = op.guard;
    step.negated = guard.consume_front("!");
    if (!guard.empty())
      step.guard = names.try_emplace(guard, names.size()).first->second;
    steps.push_back(std::move(step));
  }
  if (steps.empty())
    return Error::success();
  const PtxStep &last = steps.back();
  if (!last.ends && (!last.branches || last.guard >= 0))
    return fail(*last.op, "expected 'ret' at the end");
  for (unsigned i = 0; i < steps.size(); ++i) {
    reads.push_back(getReads(i));
    writes.push_back(getWrites(i));
  }
  return Error::success();
}

void PtxProgram::findBlocks() {
  std::vector<bool> begins(steps.size() + 1);
  begins[0] = true;
  for (auto &label : kernel.labels)
    begins[label.second] = true;
  for (unsigned i = 0; i < steps.size(); ++i)
    if (steps[i].branches || steps[i].ends)
      begins[i + 1] = true;
  for (unsigned i = 0; i < steps.size(); ++i) {
    if (begins[i])
      blocks.push_back({i, i, {}});
    blocks.back().end = i + 1;
    blockOf.push_back(blocks.size() - 1);
  }
  joins.assign(steps.size(), false);
  headers.assign(steps.size(), false);
  std::vector<unsigned> numBefore(blocks.size());
  for (auto [number, block] : llvm::enumerate(blocks)) {
    const PtxStep &last = steps[block.end - 1];
    if (last.branches)
      block.next.push_back(blockOf[last.target]);
    if (!last.ends && (!last.branches || last.guard >= 0) &&
        number + 1 < blocks.size())
      block.next.push_back(number + 1);
    for (unsigned next : block.next)
      joins[blocks[next].begin] = ++numBefore[next] > 1;
  }
}

void PtxProgram::findLoops() {
  waits.assign(steps.size(), false);
  exits.assign(blocks.size(), {});
  std::vector<unsigned> extents(blocks.size(), ~0u);
  std::vector<SmallVector<unsigned, 2>> before(blocks.size());
  for (auto [number, block] : llvm::enumerate(blocks))
    for (unsigned next : block.next)
      before[next].push_back(number);
  // The head of a loop is on all ways to what leads back to it, wherever that
  // stands; where warps have no loops of their own, it stands before.
  std::vector<BitVector> heads(blocks.size(), BitVector(blocks.size(), true));
  heads[0].reset();
  heads[0].set(0);
  for (bool changes = usesUnits; changes;) {
    changes = false;
    for (unsigned i = 1; i < blocks.size(); ++i) {
      BitVector common(blocks.size(), !before[i].empty());
      for (unsigned from : before[i])
        common &= heads[from];
      common.set(i);
      changes |= common != heads[i];
      heads[i] = std::move(common);
    }
  }
  auto leadsBack = [&](unsigned from, unsigned head) {
    return usesUnits ? heads[from][head] : from >= head;
  };
  BitVector rounds(blocks.size());
  std::vector<BitVector> loops(blocks.size());
  // What leads back to the head.
  for (auto [head, block] : llvm::enumerate(blocks)) {
    BitVector inside(blocks.size());
    inside.set(head);
    SmallVector<unsigned> work;
    for (unsigned from : before[head])
      if (leadsBack(from, head))
        work.push_back(from);
    headers[block.begin] = !work.empty();
    while (!work.empty()) {
      unsigned next = work.pop_back_val();
      if (inside[next])
        continue;
      inside.set(next);
      work.append(before[next].begin(), before[next].end());
    }
    if (!headers[block.begin])
      continue;
    for (unsigned number : inside.set_bits()) {
      // The least loop that is left counts.
      auto next = llvm::ArrayRef(blocks[number].next);
      if (next.size() == 2 && inside[next[0]] != inside[next[1]] &&
          inside.count() < extents[number]) {
        extents[number] = inside.count();
        exits[number] = {block.begin, !inside[next[0]]};
      }
      for (unsigned i = blocks[number].begin; i < blocks[number].end; ++i)
        if (steps[i].effect && steps[i].effect->release)
          waits[block.begin] = true;
    }
    if (waits[block.begin] && inside.count() > 1)
      rounds.set(head);
    loops[head] = std::move(inside);
  }
  for (Exit &exit : exits)
    if (exit.head != kPtxEnd)
      for (unsigned other : rounds.set_bits())
        exit.isOuter |=
            other != blockOf[exit.head] && loops[blockOf[exit.head]][other];
}

/// The nearest block that all ways from a block lead to.
void PtxProgram::findMeetings() {
  unsigned count = blocks.size();
  std::vector<BitVector> behind(count + 1, BitVector(count + 1, true));
  behind[count].reset();
  behind[count].set(count);
  for (bool changes = true; changes;) {
    changes = false;
    for (unsigned i = count; i-- > 0;) {
      BitVector common(count + 1, true);
      if (blocks[i].next.empty())
        common = behind[count];
      for (unsigned next : blocks[i].next)
        common &= behind[next];
      common.set(i);
      changes |= common != behind[i];
      behind[i] = std::move(common);
    }
  }
  meetings.assign(count, count);
  for (unsigned i = 0; i < count; ++i) {
    depths.push_back(behind[i].count());
    for (unsigned other : behind[i].set_bits())
      if (other != i && behind[other].count() + 1 == behind[i].count())
        meetings[i] = other;
  }
}

//===----------------------------------------------------------------------===//
// What matters
//===----------------------------------------------------------------------===//

void PtxProgram::addSources(BitVector &registers) const {
  for (bool changes = true; changes;) {
    changes = false;
    for (unsigned i = 0; i < steps.size(); ++i) {
      if (llvm::none_of(writes[i], [&](int reg) { return registers[reg]; }))
        continue;
      for (int reg : reads[i]) {
        changes |= !registers[reg];
        registers.set(reg);
      }
    }
  }
}

/// Whether going through a block is the same as not going there.
bool PtxProgram::isSkipped(unsigned block) const {
  for (unsigned i = blocks[block].begin; i < blocks[block].end; ++i)
    if (steps[i].effect ||
        llvm::any_of(writes[i], [&](int reg) { return needed[reg]; }))
      return false;
  return true;
}

void PtxProgram::findNeeded() {
  needed.resize(names.size());
  for (const PtxStep &step : steps)
    if (step.effect)
      for (StringRef use : getPtxUses(*step.op, *step.effect))
        for (int reg : getRegisters(use))
          needed.set(reg);
  addSources(needed);
  for (BitVector before; before != needed;) {
    before = needed;
    std::vector<bool> skipped;
    for (unsigned i = 0; i < blocks.size(); ++i)
      skipped.push_back(isSkipped(i));
    for (auto [number, block] : llvm::enumerate(blocks)) {
      PtxStep &branch = steps[block.end - 1];
      if (branch.guard < 0 || !branch.branches)
        continue;
      unsigned meeting = meetings[number];
      branch.meeting =
          meeting == blocks.size() ? kPtxEnd : blocks[meeting].begin;
      branch.irrelevant = true;
      BitVector seen(blocks.size());
      SmallVector<unsigned, 2> work = block.next;
      while (!work.empty()) {
        unsigned next = work.pop_back_val();
        if (next == meeting || seen[next])
          continue;
        seen.set(next);
        branch.irrelevant &= skipped[next];
        work.append(blocks[next].next);
      }
      if (!branch.irrelevant)
        needed.set(branch.guard);
    }
    addSources(needed);
  }
  for (unsigned i = 0; i < steps.size(); ++i) {
    PtxStep &step = steps[i];
    for (int reg : writes[i])
      if (needed[reg])
        step.outputs.push_back(reg);
    if (step.loads && usesUnits && !step.outputs.empty())
      for (int reg : reads[i])
        step.inputs.push_back({reg, nullptr});
    if (step.outputs.size() != 1 || writes[i].size() != 1 || step.effect ||
        step.loads || !step.op->guard.empty())
      continue;
    step.arithmetic = PtxArithmetic::decode(*step.op);
    if (step.arithmetic)
      for (StringRef operand : llvm::drop_begin(step.op->operands))
        step.inputs.push_back(getOperand(operand));
  }
}

void PtxProgram::findPrecise() {
  BitVector ofThreads(names.size());
  for (bool changes = true; changes;) {
    changes = false;
    for (unsigned i = 0; i < steps.size(); ++i) {
      bool depends =
          llvm::any_of(reads[i], [&](int reg) { return ofThreads[reg]; }) ||
          llvm::any_of(steps[i].op->operands, [](StringRef operand) {
            return llvm::any_of(getNames(operand), tellsThreads);
          });
      for (int reg : writes[i])
        if (depends && !ofThreads[reg]) {
          ofThreads.set(reg);
          changes = true;
        }
    }
  }
  precise.resize(names.size());
  for (const PtxStep &step : steps) {
    if (step.effect)
      for (StringRef use : getPtxUses(*step.op, *step.effect))
        for (int reg : getRegisters(use))
          precise.set(reg);
    if (step.branches && step.guard >= 0 && !step.irrelevant &&
        ofThreads[step.guard])
      precise.set(step.guard);
  }
  addSources(precise);
}

void PtxProgram::findLive() {
  live.assign(steps.size(), BitVector(names.size()));
  auto update = [&](unsigned place, BitVector after) {
    const PtxStep &step = steps[place];
    for (int reg : step.outputs)
      after.reset(reg);
    for (const PtxOperand &input : step.inputs)
      if (input.reg >= 0)
        after.set(input.reg);
    if (step.branches && step.guard >= 0 && !step.irrelevant)
      after.set(step.guard);
    if (step.effect)
      for (StringRef use : getPtxUses(*step.op, *step.effect))
        for (int reg : getRegisters(use))
          after.set(reg);
    bool changes = after != live[place];
    live[place] = std::move(after);
    return changes;
  };
  for (bool changes = true; changes;) {
    changes = false;
    for (const Block &block : llvm::reverse(blocks)) {
      BitVector after(names.size());
      for (unsigned next : block.next)
        after |= live[blocks[next].begin];
      for (unsigned i = block.end; i-- > block.begin;) {
        bool changed = update(i, after);
        changes |= changed;
        // What is before depends on nothing else.
        if (!changed && i + 1 < block.end)
          break;
        after = live[i];
      }
    }
  }
}

Error PtxProgram::analyze() {
  if (Error error = decode())
    return error;
  if (steps.empty())
    return Error::success();
  findBlocks();
  findMeetings();
  findLoops();
  findNeeded();
  findPrecise();
  findLive();
  return Error::success();
}

} // namespace attn
