//===- PtxChecker.cpp - What PTX does with shared memory --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A path is followed by all threads of a block together: each instruction by
// all that are there before the next one; where some go another way, they meet
// the others again before any goes on.
// What that order hides the clocks of SharedMemory.h show.
//
// Where ways meet, a path ends whose state was there before: same places, same
// registers of those that are still read, same copies on their way, same
// accesses that no barrier orders yet. So that there are finitely many, what
// changes with each round of a loop is given up: at once if no address is
// computed from it and threads wait for others there; else after some rounds,
// unless the loop is known to end.
//
//===----------------------------------------------------------------------===//

#include "attn/Emulator/PtxChecker.h"
#include "PtxBlock.h"
#include "PtxProducts.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

#include <set>

using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

namespace attn {

/// How many states of a kernel are looked at.
static constexpr int64_t kMostStates = 1 << 15;
/// How many values of a register are told apart at the head of a loop that may
/// go on for ever.
static constexpr unsigned kMostValues = 16;
/// How often the head of a loop is come to, where warps have loops of their own
/// that ask the same, before it ends if it may: more often than the mbarriers
/// of a ring of three stages take for all their phases.
static constexpr unsigned kMostTiles = 7;
/// The same of a loop around such a one.
static constexpr unsigned kMostOuterTiles = 2;
/// How often the head of a loop is come to that is known to end.
static constexpr unsigned kMostRounds = 1 << 16;

namespace {

/// A state, and how its path came there.
struct Path {
  explicit Path(PtxBlock block) : block(std::move(block)) {}

  PtxBlock block;
  /// How often a way was chosen, and such counts when the state was last looked
  /// at, and when a head of a loop was last come to; and how often that was.
  unsigned numChoices = 0, numSeen = 0;
  struct Visit {
    unsigned numChoices = 0, count = 0;
  };
  llvm::DenseMap<unsigned, Visit> visits;
};

/// Follows one kernel.
class KernelChecker {
public:
  KernelChecker(const PtxKernel &kernel, PtxReport &report)
      : kernel(kernel), report(report), numThreads(kernel.threads),
        program(kernel, kernel.threads, addresses) {}

  Error run();

private:
  PtxBlock start();
  Error follow(Path &path);
  /// From `place` on, as long as no other threads are there.
  Error advance(Path &path, unsigned place);
  void branch(Path &path, const PtxStep &step, unsigned place);
  void branchNamed(Path &path, const PtxStep &step, unsigned place);
  /// Whether the state is a new one.
  bool enter(Path &path, unsigned place);
  Error comeToLoop(Path &path, unsigned place);
  std::string describeWaiting(const PtxBlock &block) const;

  const PtxKernel &kernel;
  PtxReport &report;
  unsigned numThreads;
  llvm::StringMap<uint64_t> addresses;
  PtxProgram program;
  std::vector<Path> paths;
  std::set<std::pair<uint64_t, uint64_t>> states;
  /// By head of a loop and register: the values seen, and whether it is given
  /// up there.
  struct Values {
    llvm::SmallDenseSet<uint64_t, 4> seen;
    bool given = false;
  };
  llvm::DenseMap<std::pair<unsigned, unsigned>, Values> values;
};

} // namespace

//===----------------------------------------------------------------------===//
// Before
//===----------------------------------------------------------------------===//

PtxBlock KernelChecker::start() {
  PtxBlock block(program, numThreads, report);
  std::vector<std::pair<int64_t, int64_t>> arrays;
  int64_t end = 0, granule = 16;
  std::optional<int64_t> dynamic;
  for (const PtxShared &array : kernel.shared) {
    if (array.dynamic) {
      dynamic = addresses[array.name];
      continue;
    }
    arrays.push_back({addresses[array.name], array.bytes});
    end = std::max<int64_t>(end, addresses[array.name] + array.bytes);
  }
  for (const PtxInstruction &op : kernel.instructions)
    if (int64_t size = getPtxGranule(op))
      granule = std::min(granule, size);
  block.shared.configure(dynamic ? SharedMemory::kWindow : end, granule,
                         block.getNumWarps(), arrays, dynamic.value_or(end));
  return block;
}

Error KernelChecker::run() {
  if (numThreads == 0 || numThreads > 1024)
    return llvm::createStringError(
        "kernel @" + kernel.name +
        ": expected .maxntid with 1 to 1024 threads, but got " +
        (numThreads ? Twine(numThreads) : Twine("none")));
  ++report.kernels;
  int64_t next = 0, alignment = 16;
  for (const PtxShared &array : kernel.shared) {
    alignment = std::max(alignment, array.alignment);
    if (array.dynamic)
      continue;
    next = llvm::alignTo(next, std::max<int64_t>(array.alignment, 16));
    addresses[array.name] = next;
    next += array.bytes + 16;
  }
  for (const PtxShared &array : kernel.shared)
    if (array.dynamic)
      addresses[array.name] = llvm::alignTo(next, alignment);
  if (Error error = program.analyze())
    return error;
  if (Error error = checkPtxProducts(program))
    return error;
  paths.push_back(Path(start()));
  while (!paths.empty()) {
    if (int64_t(states.size()) > kMostStates) {
      report.more = true;
      break;
    }
    ++report.paths;
    Path path = std::move(paths.back());
    paths.pop_back();
    if (Error error = follow(path))
      return error;
  }
  report.states += states.size();
  return Error::success();
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

bool KernelChecker::enter(Path &path, unsigned place) {
  if (!program.isJoin(place))
    return true;
  // What is forgotten may make it the same as another one.
  unsigned now = path.numChoices + path.block.countOldAnswers();
  if (now == path.numSeen)
    return true;
  path.numSeen = now;
  llvm::SmallVector<uint32_t, 0> state;
  path.block.describe(state);
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(llvm::ArrayRef(
      reinterpret_cast<const uint8_t *>(state.data()), 4 * state.size()));
  return states.insert({hash.low64, hash.high64}).second;
}

/// Registers are given up there that would be others in each round.
Error KernelChecker::comeToLoop(Path &path, unsigned place) {
  Path::Visit &visit = path.visits[place];
  if (++visit.count > kMostRounds)
    return path.block.fail(program[place], "expected a loop that ends");
  bool isChosen = visit.count > 1 && visit.numChoices != path.numChoices;
  visit.numChoices = path.numChoices;
  if (program.hasUnits())
    return Error::success();
  for (unsigned reg : program.getLive(place).set_bits()) {
    const PtxValue &value = path.block.getRegister(reg);
    if (!value)
      continue;
    Values &known = values[{place, reg}];
    bool isPrecise = program.isPrecise(reg) || !program.waitsInLoop(place);
    if (!known.given && (!isPrecise || isChosen)) {
      known.seen.insert(value->hash);
      known.given = known.seen.size() > (isPrecise ? kMostValues : 1);
    }
    if (known.given)
      path.block.forget(reg);
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// A path
//===----------------------------------------------------------------------===//

/// Where threads of units are, of which there are several kinds.
std::string KernelChecker::describeWaiting(const PtxBlock &block) const {
  std::string text;
  for (unsigned i = 0, begin = 0; program.hasUnits() && i < numThreads; ++i) {
    if (i + 1 < numThreads && block.getPlace(i + 1) == block.getPlace(begin))
      continue;
    text +=
        (begin ? "; threads " : ": threads ") + std::to_string(begin) + " to " +
        std::to_string(i) +
        (block.hasEnded(i)
             ? " ended"
             : " in line " +
                   std::to_string(block.getStep(block.getPlace(i)).op->line));
    begin = i + 1;
  }
  return text;
}

Error KernelChecker::follow(Path &path) {
  for (;;) {
    unsigned place = path.block.activate();
    if (place != kPtxEnd) {
      if (program.isHeader(place))
        if (Error error = comeToLoop(path, place))
          return error;
      if (!enter(path, place))
        return Error::success();
      if (Error error = advance(path, place))
        return error;
      continue;
    }
    unsigned waiting = 0;
    while (waiting < numThreads && !path.block.isWaiting(waiting))
      ++waiting;
    if (waiting == numThreads)
      return Error::success();
    if (path.block.releaseAny())
      continue;
    const PtxStep &step = program[path.block.getPlace(waiting)];
    return path.block.fail(step, Twine(step.effect->stuck) +
                                     describeWaiting(path.block));
  }
}

Error KernelChecker::advance(Path &path, unsigned place) {
  for (bool isFirst = true;; isFirst = false) {
    bool meets = place >= path.block.getNextPlace() || program.isJoin(place);
    if (!isFirst && meets) {
      path.block.go(place);
      return Error::success();
    }
    const PtxStep &step = program[place];
    if (step.ends) {
      for (unsigned i = 0; i < numThreads; ++i)
        if (path.block.isActive(i))
          if (auto mistake = path.block.units.finish(i))
            return path.block.fail(step,
                                   "thread " + Twine(i) + ": " + *mistake);
      path.block.go(kPtxEnd);
      return Error::success();
    }
    if (step.branches) {
      branch(path, step, place);
      return Error::success();
    }
    if (step.effect) {
      path.block.go(place);
      if (Error error = step.effect->execute(path.block, step))
        return error;
    }
    path.block.compute(step);
    if (step.effect && step.effect->release) {
      path.block.releaseAny();
      return Error::success();
    }
    ++place;
  }
}

/// What depends on what is not known is followed both ways.
void KernelChecker::branch(Path &path, const PtxStep &step, unsigned place) {
  PtxBlock &block = path.block;
  if (step.guard < 0)
    return block.go(step.target);
  if (step.irrelevant)
    return block.go(step.meeting);
  if (program.hasUnits())
    return branchNamed(path, step, place);
  if (block.getQuestion(step.guard) == 0)
    return block.branch(*block.getRegister(step.guard), step.negated,
                        step.target, place + 1);
  // What is assumed here, of threads that do not know it, holds wherever the
  // predicate is asked again.
  auto assume = [&](Path &from, bool taken) {
    ++from.numChoices;
    PtxValue predicate = from.block.assume(step.guard, taken != step.negated);
    from.block.setRegister(step.guard, predicate);
    from.block.branch(*predicate, step.negated, step.target, place + 1);
  };
  Path other = path;
  assume(other, false);
  paths.push_back(std::move(other));
  assume(path, true);
}

/// Who asks what others have asked gets the same answer.
void KernelChecker::branchNamed(Path &path, const PtxStep &step,
                                unsigned place) {
  PtxBlock &block = path.block;
  uint64_t question = block.getQuestion(step.guard);
  auto go = [&](PtxBlock &of, bool holds) {
    PtxValue predicate = of.assume(step.guard, holds);
    if (question == kPtxNameless)
      of.setRegister(step.guard, predicate);
    of.branch(*predicate, step.negated, step.target, place + 1);
  };
  if (question == 0)
    return go(block, false);
  if (question != kPtxNameless)
    if (auto answer = block.getAnswer(question))
      return go(block, *answer);
  auto choose = [&](Path &from, bool holds) {
    ++from.numChoices;
    if (question != kPtxNameless)
      from.block.answer(question, holds);
    go(from.block, holds);
  };
  // Where the loop is left, if it may not go on.
  PtxProgram::Exit exit = program.getExit(place);
  if (exit.head != kPtxEnd &&
      path.visits[exit.head].count >
          (exit.isOuter ? kMostOuterTiles : kMostTiles)) {
    PtxBlock left = block;
    go(left, true);
    unsigned thread = 0;
    while (!block.isActive(thread))
      ++thread;
    bool isTaken = left.getPlace(thread) == step.target;
    return choose(path, isTaken == exit.ifTaken);
  }
  Path other = path;
  choose(other, false);
  paths.push_back(std::move(other));
  choose(path, true);
}

llvm::Expected<PtxReport> checkPtx(StringRef text) {
  auto kernels = parsePtx(text);
  if (!kernels)
    return kernels.takeError();
  PtxReport report;
  for (const PtxKernel &kernel : *kernels)
    if (Error error = KernelChecker(kernel, report).run())
      return std::move(error);
  return report;
}

} // namespace attn
