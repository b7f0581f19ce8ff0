//===- PtxChecker.cpp - What PTX does with shared memory --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A path is followed by all threads of a block together: each instruction by
// all that are there before the next one, those that are the least far first.
// What that order hides the clocks of SharedMemory.h show.
//
//===----------------------------------------------------------------------===//

#include "attn/Emulator/PtxChecker.h"
#include "PtxValues.h"
#include "SharedMemory.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

#include <deque>

using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

namespace attn {

/// How often a branch that goes back is taken on a path where it might not be.
static constexpr unsigned kIterations = 2;
static constexpr int64_t kMostPaths = 256;
/// How often it is taken where it is known to be.
static constexpr unsigned kMostKnown = 1 << 14;
/// How often a loop goes round that only other branches leave.
static constexpr unsigned kMostRounds = 256;
static constexpr unsigned kEnded = ~0u;

namespace {

/// Where a copy goes.
using Span = std::pair<int64_t, int64_t>;

/// How far the threads have come on a path.
struct Path {
  explicit Path(PtxRegisters registers) : registers(std::move(registers)) {}

  PtxRegisters registers;
  SharedShadow shared;
  WarpClocks clocks;
  /// The next instruction of each thread.
  std::vector<unsigned> places;
  /// The copies of each thread that are in no group, and its groups.
  std::vector<std::vector<Span>> open;
  std::vector<std::deque<std::vector<Span>>> groups;
  /// How often each branch was taken back.
  llvm::DenseMap<unsigned, unsigned> taken;
};

/// Follows one kernel.
class KernelChecker {
public:
  KernelChecker(const PtxKernel &kernel, PtxReport &report)
      : kernel(kernel), report(report), numThreads(kernel.threads) {}

  Error run();

private:
  void placeShared();
  void findIrrelevant();
  Error follow(Path &path);
  Error execute(Path &path, unsigned place);
  Error branch(Path &path, unsigned place);
  Error synchronize(Path &path, const PtxInstruction &op);
  Error access(Path &path, const PtxInstruction &op);
  void commit(Path &path);
  void wait(Path &path, size_t left);
  Error orderCopies(Path &path, const PtxInstruction &op);
  Error fail(const PtxInstruction &op, const Twine &text) const {
    return llvm::createStringError("kernel @" + kernel.name + ", line " +
                                   Twine(op.line) + ": " + text);
  }
  /// Whether `op` has to do with shared memory or its order.
  static bool isRelevant(const PtxInstruction &op);

  const PtxKernel &kernel;
  PtxReport &report;
  unsigned numThreads;
  llvm::StringMap<uint64_t> addresses;
  std::vector<std::pair<int64_t, int64_t>> arrays;
  int64_t dynamicOffset = 0;
  /// Branches that only leave out what has nothing to do with shared memory.
  std::vector<bool> irrelevant;
  std::vector<Path> paths;
  /// The threads that execute an instruction.
  std::vector<bool> active;
  bool all = true;
};

} // namespace

static bool isAccess(const PtxInstruction &op) {
  StringRef name = op.opcode.front();
  return name == "ld" || name == "st" || name == "atom" || name == "red" ||
         name == "ldmatrix" || name == "stmatrix";
}

//===----------------------------------------------------------------------===//
// Before
//===----------------------------------------------------------------------===//

void KernelChecker::placeShared() {
  int64_t next = 0, alignment = 16;
  for (const PtxShared &array : kernel.shared) {
    if (array.dynamic) {
      alignment = std::max(alignment, array.alignment);
      continue;
    }
    next = llvm::alignTo(next, std::max<int64_t>(array.alignment, 16));
    addresses[array.name] = next;
    arrays.push_back({next, array.bytes});
    next += array.bytes + 16;
  }
  dynamicOffset = llvm::alignTo(next, alignment);
  for (const PtxShared &array : kernel.shared)
    if (array.dynamic)
      addresses[array.name] = dynamicOffset;
}

/// Whether what it accesses may be shared memory, by its name.
static bool mayBeShared(const PtxInstruction &op) {
  return op.has("shared") || !(op.has("global") || op.has("param") ||
                               op.has("local") || op.has("const"));
}

bool KernelChecker::isRelevant(const PtxInstruction &op) {
  StringRef name = op.opcode.front();
  if (name == "bar" || name == "barrier" || name == "cp" || name == "ret" ||
      name == "exit")
    return true;
  return isAccess(op) && mayBeShared(op);
}

/// bra over instructions that are all of no interest: it makes no difference.
void KernelChecker::findIrrelevant() {
  irrelevant.assign(kernel.instructions.size(), false);
  for (auto [index, op] : llvm::enumerate(kernel.instructions)) {
    if (!op.is("bra") || op.guard.empty())
      continue;
    auto target = kernel.labels.find(op.operands.front());
    if (target == kernel.labels.end() || target->second <= index)
      continue;
    bool plain = true;
    for (unsigned i = index + 1; plain && i < target->second; ++i) {
      const PtxInstruction &skipped = kernel.instructions[i];
      plain = !isRelevant(skipped);
      if (skipped.is("bra")) {
        auto next = kernel.labels.find(skipped.operands.front());
        plain = next != kernel.labels.end() && next->second > i &&
                next->second <= target->second;
      }
    }
    irrelevant[index] = plain;
  }
}

Error KernelChecker::run() {
  if (numThreads == 0 || numThreads > 1024)
    return llvm::createStringError(
        "kernel @" + kernel.name +
        ": expected .maxntid with 1 to 1024 threads, but got " +
        (numThreads ? Twine(numThreads) : Twine("none")));
  ++report.kernels;
  placeShared();
  findIrrelevant();
  active.resize(numThreads);
  Path first{PtxRegisters(numThreads, addresses)};
  unsigned numWarps = llvm::divideCeil(numThreads, 32);
  bool bytes = llvm::any_of(kernel.instructions, [](auto &op) {
    return isAccess(op) && mayBeShared(op) && getAccessedBytes(op) == 1;
  });
  bool dynamic =
      llvm::any_of(kernel.shared, [](auto &array) { return array.dynamic; });
  first.shared.configure(dynamic ? SharedMemory::kWindow : dynamicOffset,
                         bytes ? 1 : 2, numWarps, arrays, dynamicOffset);
  first.shared.reset();
  first.clocks.reset(numWarps);
  first.places.assign(numThreads, 0);
  first.open.resize(numThreads);
  first.groups.resize(numThreads);
  paths.push_back(std::move(first));
  int64_t done = 0;
  while (!paths.empty()) {
    if (done++ == kMostPaths) {
      report.more = true;
      break;
    }
    ++report.paths;
    Path path = std::move(paths.back());
    paths.pop_back();
    if (Error error = follow(path))
      return error;
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// A path
//===----------------------------------------------------------------------===//

Error KernelChecker::follow(Path &path) {
  for (;;) {
    unsigned place = *llvm::min_element(path.places);
    if (place == kEnded)
      return Error::success();
    if (place >= kernel.instructions.size()) {
      if (kernel.instructions.empty())
        return Error::success();
      return fail(kernel.instructions.back(), "expected 'ret' at the end");
    }
    all = true;
    for (unsigned i = 0; i < numThreads; ++i) {
      active[i] = path.places[i] == place;
      all &= active[i] || path.places[i] == kEnded;
    }
    if (Error error = execute(path, place))
      return error;
  }
}

Error KernelChecker::execute(Path &path, unsigned place) {
  const PtxInstruction &op = kernel.instructions[place];
  if (op.is("bra"))
    return branch(path, place);
  // What is copied to the end on a path may be waited for on one that can be.
  bool ends = op.is("ret") || op.is("exit");
  for (unsigned i = 0; i < numThreads; ++i)
    if (active[i])
      path.places[i] = ends ? kEnded : place + 1;
  if (ends)
    return Error::success();
  // Only branches have guards in what LLVM writes.
  if (!op.guard.empty() && isRelevant(op))
    return fail(op, "expected no predicate but on branches, but got '@" +
                        op.guard + "'");
  if (op.is("bar") || op.is("barrier"))
    return synchronize(path, op);
  if (op.is("cp") && !op.has("shared"))
    return orderCopies(path, op);
  if (Error error = access(path, op))
    return error;
  path.registers.execute(op, active, all);
  return Error::success();
}

/// What depends on what is not known is followed both ways.
Error KernelChecker::branch(Path &path, unsigned place) {
  const PtxInstruction &op = kernel.instructions[place];
  auto target = kernel.labels.find(op.operands.front());
  if (target == kernel.labels.end())
    return fail(op, "expected a label, but got '" + op.operands.front() + "'");
  auto go = [&](Path &from, bool taken) {
    for (unsigned i = 0; i < numThreads; ++i)
      if (active[i])
        from.places[i] = taken ? target->second : place + 1;
  };
  bool back = target->second <= place;
  unsigned &taken = path.taken[place];
  if (op.guard.empty()) {
    // Round a loop that is left elsewhere, or not on this path.
    if (!back || ++taken <= kMostRounds) {
      go(path, true);
    } else {
      path.places.assign(numThreads, kEnded);
      report.more = true;
    }
    return Error::success();
  }
  StringRef name = op.guard;
  bool negated = name.consume_front("!");
  if (PtxValue known = path.registers.get(name)) {
    for (unsigned i = 0; i < numThreads; ++i)
      if (active[i])
        path.places[i] =
            ((*known)[i] & 1) != negated ? target->second : place + 1;
    if (back && ++taken > kMostKnown)
      return fail(op, "expected a loop that ends");
    return Error::success();
  }
  if (irrelevant[place]) {
    go(path, false);
    return Error::success();
  }
  // What is assumed here holds wherever the predicate is asked again.
  auto assume = [&](Path &from, bool taken) {
    from.registers.assume(name, taken != negated);
    go(from, taken);
  };
  if (++taken > kIterations) {
    // Out of the loop, as is likely.
    assume(path, !back);
    return Error::success();
  }
  Path other = path;
  assume(other, !back);
  paths.push_back(std::move(other));
  assume(path, back);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

void KernelChecker::commit(Path &path) {
  for (unsigned i = 0; i < numThreads; ++i)
    if (active[i]) {
      path.groups[i].push_back(std::move(path.open[i]));
      path.open[i].clear();
    }
}

void KernelChecker::wait(Path &path, size_t left) {
  for (unsigned i = 0; i < numThreads; ++i)
    while (active[i] && path.groups[i].size() > left) {
      for (auto [offset, size] : path.groups[i].front())
        path.shared.land(i, offset, size, path.clocks);
      path.groups[i].pop_front();
    }
}

Error KernelChecker::orderCopies(Path &path, const PtxInstruction &op) {
  size_t left = 0;
  if (op.has("commit_group") || op.has("wait_all"))
    commit(path);
  else if (!op.has("wait_group") || op.operands.empty() ||
           StringRef(op.operands[0]).getAsInteger(10, left))
    return fail(op, "expected an asynchronous copy that is known, but got '" +
                        op.getName() + "'");
  if (!op.has("commit_group"))
    wait(path, left);
  return Error::success();
}

Error KernelChecker::synchronize(Path &path, const PtxInstruction &op) {
  unsigned numWarps = path.clocks.size();
  if (op.has("warp")) {
    for (unsigned warp = 0; warp < numWarps; ++warp) {
      bool whole = true;
      for (unsigned i = 32 * warp; i < std::min(32 * warp + 32, numThreads);
           ++i)
        whole &= active[i] || path.places[i] == kEnded;
      if (whole)
        path.clocks.acquire(warp, {});
    }
    return Error::success();
  }
  if (!op.has("sync") || op.operands.size() != 1)
    return fail(op, "expected a barrier of all threads, but got '" +
                        op.getName() + "'");
  if (!all)
    return fail(op, "a part of the threads comes to a barrier of all");
  llvm::SmallVector<uint32_t> sum;
  for (unsigned warp = 0; warp < numWarps; ++warp)
    path.clocks.release(warp, sum);
  for (unsigned warp = 0; warp < numWarps; ++warp)
    path.clocks.acquire(warp, sum);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

Error KernelChecker::access(Path &path, const PtxInstruction &op) {
  bool copies = op.is("cp");
  if ((!copies && !isAccess(op)) || !mayBeShared(op))
    return Error::success();
  bool matrix = op.is("ldmatrix") || op.is("stmatrix");
  bool loads = op.is("ld") || op.is("ldmatrix");
  bool stores = op.is("st") || op.is("stmatrix");
  auto operand = llvm::find_if(
      op.operands, [](StringRef text) { return text.starts_with("["); });
  if (operand == op.operands.end())
    return Error::success();
  PtxValue address = path.registers.getAddress(*operand);
  if (!address) {
    // A generic address that is not known is taken for one of global memory.
    if (op.has("shared")) {
      ++report.accesses;
      ++report.unknown;
    }
    return Error::success();
  }
  ++report.accesses;
  int64_t size = getAccessedBytes(op);
  if (copies && (op.operands.size() < 3 ||
                 StringRef(op.operands[2]).getAsInteger(10, size)))
    return fail(op, "expected the bytes of a copy");
  // The lanes whose addresses count: eight for each matrix.
  unsigned lanes = 32;
  if (matrix) {
    size = 16;
    lanes = op.has("x4") ? 32 : op.has("x2") ? 16 : 8;
  }
  for (unsigned i = 0; i < numThreads; ++i) {
    if (!active[i] || i % 32 >= lanes)
      continue;
    int64_t offset = (*address)[i];
    std::optional<std::string> mistake;
    if (offset % size)
      mistake = "accesses " + std::to_string(size) + " bytes at byte " +
                std::to_string(offset) + ", which are not aligned";
    else if (copies)
      mistake = path.shared.begin(i, offset, size, path.clocks);
    else if (loads)
      mistake = path.shared.read(i, offset, size, path.clocks);
    else if (stores)
      mistake = path.shared.write(i, offset, size, path.clocks);
    else
      mistake = path.shared.update(offset, size);
    if (mistake)
      return fail(op, "thread " + Twine(i) + ": " + *mistake);
    if (copies)
      path.open[i].push_back({offset, size});
  }
  return Error::success();
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
