//===- PtxProducts.cpp - Registers of asynchronous products -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parallel Thread Execution ISA, "wgmma.fence" and "wgmma.wait_group": to touch
// a register of a product before the group that it is in was waited for is not
// defined; nor is a product whose registers are written behind the last fence,
// but by a product that adds to the same sums.
//
//===----------------------------------------------------------------------===//

#include "PtxProducts.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

#include <deque>

using llvm::ArrayRef;
using llvm::BitVector;
using llvm::Error;
using llvm::StringRef;

namespace attn {

namespace {

using Registers = llvm::SmallVector<int, 4>;

/// What is on its way at a place.
struct Flight {
  /// By place, the products of no group yet, and those of groups.
  std::vector<unsigned> open;
  std::deque<std::vector<unsigned>> groups;

  bool operator==(const Flight &other) const {
    return open == other.open && groups == other.groups;
  }
};

/// What is so on some way to a place, and what has been written since a fence
/// on any.
struct State {
  Flight flight;
  BitVector written;
  bool isFenced = false;
};

/// Follows all ways through a program.
class ProductChecker {
public:
  explicit ProductChecker(const PtxProgram &program) : program(program) {}
  Error run();

private:
  Error step(State &state, unsigned place);
  Error begin(State &state, unsigned place);
  /// The mistake in touching registers, if they are in flight: as sums, or as
  /// left factors, if these count.
  Error checkTouched(const State &state, unsigned place,
                     ArrayRef<int> registers, bool factors = true);
  bool merge(unsigned block, const State &state);
  /// Sums, and left factors in registers.
  Registers getSums(unsigned place) const {
    return program.getRegisters(program[place].op->operands[0]);
  }
  Registers getFactors(unsigned place) const;

  const PtxProgram &program;
  BitVector concerned;
  /// What was met at the begin of each block.
  std::vector<std::vector<State>> states;
};

} // namespace

static bool isProduct(const PtxStep &step) {
  return step.op->is("wgmma") && step.op->has("mma_async");
}

Registers ProductChecker::getFactors(unsigned place) const {
  StringRef left = program[place].op->operands[1];
  return left.starts_with("{") ? program.getRegisters(left) : Registers();
}

Error ProductChecker::checkTouched(const State &state, unsigned place,
                                   ArrayRef<int> registers, bool factors) {
  auto check = [&](ArrayRef<unsigned> products) -> Error {
    for (unsigned product : products)
      for (const Registers &own :
           {getSums(product), factors ? getFactors(product) : Registers()})
        for (int reg : registers)
          if (llvm::is_contained(own, reg))
            return program.fail(
                *program[place].op,
                program.getName(reg) +
                    " is touched while the product of line " +
                    llvm::Twine(program[product].op->line) +
                    " may not be over; wait for its group before");
    return Error::success();
  };
  for (const std::vector<unsigned> &group : state.flight.groups)
    if (Error error = check(group))
      return error;
  return check(state.flight.open);
}

Error ProductChecker::begin(State &state, unsigned place) {
  const PtxInstruction &op = *program[place].op;
  Registers sums = getSums(place), factors = getFactors(place);
  if (!state.isFenced)
    return program.fail(op, "multiplies without a wgmma.fence before");
  for (const Registers &own : {sums, factors})
    for (int reg : own)
      if (state.written[reg])
        return program.fail(op, program.getName(reg) +
                                    " may have been written behind the last "
                                    "wgmma.fence; put a fence behind it");
  // What adds to the same sums follows; what others read or write does not.
  auto isSame = [&](unsigned other) { return getSums(other) == sums; };
  State others = state;
  llvm::erase_if(others.flight.open, isSame);
  for (std::vector<unsigned> &group : others.flight.groups)
    llvm::erase_if(group, isSame);
  if (Error error = checkTouched(others, place, sums))
    return error;
  // Left factors are read, as others may that are on their way.
  if (Error error = checkTouched(state, place, factors, /*factors=*/false))
    return error;
  for (int reg : sums)
    if (llvm::is_contained(factors, reg))
      return program.fail(op, program.getName(reg) +
                                  " is a sum and a left factor of one product; "
                                  "let these be other registers");
  state.flight.open.push_back(place);
  return Error::success();
}

Error ProductChecker::step(State &state, unsigned place) {
  const PtxStep &step = program[place];
  const PtxInstruction &op = *step.op;
  Flight &flight = state.flight;
  if (op.is("wgmma")) {
    if (op.has("fence")) {
      state.isFenced = true;
      state.written.reset();
    } else if (isProduct(step)) {
      return begin(state, place);
    } else if (op.has("commit_group")) {
      flight.groups.push_back(std::move(flight.open));
      flight.open.clear();
    } else if (op.has("wait_group")) {
      unsigned left = 0;
      if (op.operands.empty() ||
          StringRef(op.operands[0]).getAsInteger(10, left))
        return program.fail(op, "expected how many groups may be left");
      if (!flight.open.empty())
        return program.fail(op,
                            "waits for products while that of line " +
                                llvm::Twine(program[flight.open[0]].op->line) +
                                " is in no group; commit it");
      while (flight.groups.size() > left)
        flight.groups.pop_front();
    }
    return Error::success();
  }
  if (step.ends && (!flight.open.empty() || !flight.groups.empty()))
    return program.fail(op, "ends while products may not be over; wait for "
                            "them");
  for (int reg : program.getWritten(place))
    if (concerned[reg])
      state.written.set(reg);
  if (flight.open.empty() && flight.groups.empty())
    return Error::success();
  if (Error error = checkTouched(state, place, program.getRead(place)))
    return error;
  return checkTouched(state, place, program.getWritten(place));
}

/// Whether something is new at the begin of a block.
bool ProductChecker::merge(unsigned block, const State &state) {
  for (State &known : states[block]) {
    if (!(known.flight == state.flight) || known.isFenced != state.isFenced)
      continue;
    BitVector before = known.written;
    known.written |= state.written;
    return known.written != before;
  }
  states[block].push_back(state);
  return true;
}

Error ProductChecker::run() {
  concerned.resize(program.getNumRegisters());
  bool any = false;
  for (unsigned place = 0; place < program.size(); ++place)
    if (isProduct(program[place])) {
      any = true;
      for (const Registers &own : {getSums(place), getFactors(place)})
        for (int reg : own)
          concerned.set(reg);
    }
  if (!any)
    return Error::success();
  auto blocks = program.getBlocks();
  states.resize(blocks.size());
  State start;
  start.written.resize(program.getNumRegisters());
  merge(0, start);
  std::deque<unsigned> work = {0};
  while (!work.empty()) {
    unsigned number = work.front();
    work.pop_front();
    // Loops with a product in each round that is never waited for.
    if (states[number].size() > 16)
      return program.fail(*program[blocks[number].begin].op,
                          "expected products to be waited for in each round");
    std::vector<State> before = states[number];
    for (State &state : before) {
      for (unsigned i = blocks[number].begin; i < blocks[number].end; ++i)
        if (Error error = step(state, i))
          return error;
      for (unsigned next : blocks[number].next)
        if (merge(next, state))
          work.push_back(next);
    }
  }
  return Error::success();
}

Error checkPtxProducts(const PtxProgram &program) {
  return ProductChecker(program).run();
}

} // namespace attn
