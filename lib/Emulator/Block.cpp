//===- Block.cpp - The threads of a block -----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Block.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

#include <map>

using llvm::Twine;

namespace attn {

static thread_local Block *currentBlock = nullptr;

Block &Block::current() { return *currentBlock; }

Block::Block(const EmulatedLaunch &launch, Entry entry, SharedMemory &shared,
             llvm::ArrayRef<EmulatedArray> globals,
             const EmulatorOptions &options, EmulatorCounts &counts)
    : launch(launch), entry(entry), shared(shared), globals(globals),
      options(options), counts(counts),
      random(options.seed * 0x9E3779B97F4A7C15u + 1),
      numThreads(launch.block[0] * launch.block[1] * launch.block[2]) {
  threads.resize(numThreads);
  warps.resize((numThreads + 31) / 32);
}

uint64_t Block::draw() {
  random ^= random << 13;
  random ^= random >> 7;
  random ^= random << 17;
  return random;
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

void Block::runThread(void *, unsigned thread) {
  Block &block = current();
  block.entry(block.launch.parameters.data());
  block.finishThread(thread);
}

void Block::startThreads() {
  for (Thread &thread : threads) {
    thread.state = State::Ready;
    thread.tries = false;
    thread.open.clear();
    thread.groups.clear();
  }
  for (Warp &warp : warps) {
    warp.meetings.clear();
    warp.done = 0;
  }
  barriers.fill(Barrier());
  clocks.reset(warps.size() + AsyncUnits::kMostBarriers);
  units.reset();
  products.reset(warps.size());
  shared.reset();
  numDone = 0;
  iterations = 0;
}

llvm::Error Block::run(FiberPool &pool, std::array<int64_t, 3> newPlace) {
  place = newPlace;
  fibers = &pool;
  startThreads();
  Block *outer = currentBlock;
  currentBlock = this;
  llvm::Error result = runThreads(pool);
  currentBlock = outer;
  ++counts.blocks;
  for (Warp &warp : warps)
    counts.bankConflicts += warp.banks.take();
  return result;
}

llvm::Error Block::runThreads(FiberPool &pool) {
  std::vector<unsigned> order(numThreads);
  for (unsigned i = 0; i < numThreads; ++i)
    order[i] = i;
  while (numDone < numThreads) {
    if (options.seed)
      for (unsigned i = numThreads; i-- > 1;)
        std::swap(order[i], order[draw() % (i + 1)]);
    bool goesOn = false;
    for (unsigned thread : order) {
      if (threads[thread].state != State::Ready)
        continue;
      goesOn = true;
      // Some fall behind by a turn.
      if (options.seed && draw() % 8 == 0)
        continue;
      running = thread;
      pool.resume(thread);
      if (!error.empty())
        return llvm::createStringError(error);
    }
    if (!advanceUnits(/*isNeeded=*/!goesOn) && !goesOn)
      return llvm::createStringError(describeDeadlock());
  }
  std::string end = describeEnd();
  return end.empty() ? llvm::Error::success() : llvm::createStringError(end);
}

bool Block::advanceUnits(bool isNeeded) {
  size_t count = units.getNumCopies();
  if (isNeeded && count > 0) {
    units.land(options.seed ? draw() % count : 0);
    return true;
  }
  if (options.seed) {
    for (size_t i = count; i-- > 0;)
      if (draw() % 4 == 0)
        units.land(i);
    products.computeSome();
  }
  return false;
}

std::string Block::describeEnd() {
  std::string end = units.describeEnd();
  if (end.empty())
    end = products.describeEnd();
  return end.empty() ? end : describeThread(0) + ": " + end;
}

bool Block::takesTurn() {
  Thread &thread = threads[running];
  thread.tries = !thread.tries;
  if (thread.tries)
    fibers->yield();
  return threads[running].tries;
}

void Block::finishThread(unsigned thread) {
  Thread &state = threads[thread];
  auto isOpen = [](const std::vector<Copy> &group) { return !group.empty(); };
  if (isOpen(state.open) || llvm::any_of(state.groups, isOpen))
    fail("ends while its asynchronous copies may not be over; wait for them");
  products.finish(thread);
  state.state = State::Done;
  warps[thread / 32].done |= 1u << thread % 32;
  ++numDone;
  iterations = 0;
  // Barriers are for the threads that are left.
  for (Barrier &barrier : barriers) {
    if (llvm::is_contained(barrier.alignedWarps, thread / 32))
      fail("ends while others of its warp wait at a barrier that takes all of "
           "them");
    if (barrier.arrived && !barrier.count)
      completeIfAllCame(barrier);
  }
}

void Block::wait(llvm::StringRef where, int barrier) {
  Thread &thread = threads[running];
  thread.state = State::Waiting;
  thread.where = where;
  thread.barrier = barrier;
  unsigned self = running;
  while (threads[self].state == State::Waiting)
    fibers->yield();
}

//===----------------------------------------------------------------------===//
// Mistakes
//===----------------------------------------------------------------------===//

int64_t Block::getPosition(unsigned dim) const {
  int64_t rest = running;
  for (unsigned i = 0; i < dim; ++i)
    rest /= launch.block[i];
  return dim == 2 ? rest : rest % launch.block[dim];
}

std::string Block::describeThread(unsigned thread) const {
  auto print = [](int64_t x, int64_t y, int64_t z) {
    return "(" + std::to_string(x) + ", " + std::to_string(y) + ", " +
           std::to_string(z) + ")";
  };
  const auto &extents = launch.block;
  return "kernel @" + launch.kernel.str() + ", block " +
         print(place[0], place[1], place[2]) + ", thread " +
         print(thread % extents[0], thread / extents[0] % extents[1],
               thread / extents[0] / extents[1]);
}

void Block::fail(unsigned thread, const Twine &message) {
  if (error.empty())
    error = describeThread(thread) + ": " + message.str();
  for (;;)
    fibers->yield();
}

/// 0 to 3, 7
static std::string listThreads(llvm::ArrayRef<unsigned> threads) {
  llvm::SmallVector<std::string> parts;
  for (size_t i = 0; i < threads.size();) {
    size_t last = i;
    while (last + 1 < threads.size() && threads[last + 1] == threads[last] + 1)
      ++last;
    parts.push_back(std::to_string(threads[i]) +
                    (last > i ? " to " + std::to_string(threads[last]) : ""));
    i = last + 1;
  }
  return (threads.size() > 1 ? "threads " : "thread ") +
         llvm::join(parts, ", ");
}

std::string Block::describeDeadlock() const {
  std::map<std::string, std::vector<unsigned>> groups;
  for (auto [index, thread] : llvm::enumerate(threads)) {
    std::string what = "ended";
    if (thread.state != State::Done)
      what = "at " + thread.where.str() +
             (thread.barrier < 0 ? "" : " " + std::to_string(thread.barrier));
    groups[what].push_back(index);
  }
  llvm::SmallVector<std::string> parts;
  for (auto &[what, members] : groups)
    parts.push_back(listThreads(members) + " " + what);
  return "kernel @" + launch.kernel.str() + ", block (" +
         std::to_string(place[0]) + ", " + std::to_string(place[1]) + ", " +
         std::to_string(place[2]) +
         "): no thread can go on: " + llvm::join(parts, "; ");
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

uint32_t Block::getLanes(unsigned warp) const {
  unsigned count = std::min<unsigned>(32, numThreads - warp * 32);
  return count == 32 ? ~0u : (1u << count) - 1;
}

static std::string printLanes(uint32_t mask) {
  return "0x" + llvm::utohexstr(mask, /*LowerCase=*/true);
}

void Block::meet(llvm::StringRef what, bool aligned, uint32_t mask,
                 int32_t site, const Slot *arguments, Slot *results,
                 llvm::function_ref<void(Meeting &)> compute) {
  unsigned self = running, warpNumber = self / 32, lane = self % 32;
  Warp &warp = warps[warpNumber];
  if (!(mask >> lane & 1))
    fail("executes " + what + " with the mask " + printLanes(mask) +
         ", which its lane " + Twine(lane) + " is not in");
  if (aligned && mask != ~0u)
    fail(what + " takes all 32 lanes, but got the mask " + printLanes(mask));
  if (uint32_t lacking = mask & ~getLanes(warpNumber))
    fail("executes " + what + " with the mask " + printLanes(mask) +
         ", but its warp has no lanes " + printLanes(lacking));
  Meeting *found = nullptr;
  for (Meeting &meeting : warp.meetings) {
    if (!(meeting.mask & mask))
      continue;
    unsigned other = warpNumber * 32 + llvm::countr_zero(meeting.arrived);
    if (meeting.what != what)
      fail("comes to " + what + " while thread " + Twine(other) +
           " of its warp waits at " + meeting.what);
    if (meeting.mask != mask)
      fail("comes to " + what + " with the mask " + printLanes(mask) +
           ", but thread " + Twine(other) + " with " +
           printLanes(meeting.mask));
    if (aligned && meeting.site != site)
      fail("comes to another " + what + " than thread " + Twine(other) +
           " of its warp");
    found = &meeting;
  }
  if (!found) {
    found = &warp.meetings.emplace_back();
    found->what = what;
    found->site = site;
    found->mask = mask;
  }
  found->arrived |= 1u << lane;
  found->arguments[lane] = arguments;
  found->results[lane] = results;
  if (found->arrived != mask) {
    wait(what);
    return;
  }
  Meeting meeting = *found;
  warp.meetings.erase(warp.meetings.begin() + (found - warp.meetings.data()));
  compute(meeting);
  iterations = 0;
  for (unsigned other = 0; other < 32; ++other)
    if (meeting.has(other))
      threads[warpNumber * 32 + other].state = State::Ready;
}

void Block::syncWarp(uint32_t mask, int32_t site) {
  unsigned warp = running / 32;
  meet("bar.warp.sync", /*aligned=*/false, mask, site, nullptr, nullptr,
       [&](Meeting &) {
         // A part of the warp has no clock of its own.
         if ((mask | warps[warp].done) == getLanes(warp))
           clocks.acquire(warp, {});
       });
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

void Block::completeIfAllCame(Barrier &barrier) {
  unsigned expected = barrier.count ? barrier.count : numThreads - numDone;
  if (barrier.arrived < expected)
    return;
  ++counts.barriers;
  iterations = 0;
  llvm::SmallVector<uint32_t> sum = std::move(barrier.sum);
  llvm::SmallVector<unsigned> passed;
  for (unsigned thread : barrier.waiting) {
    threads[thread].state = State::Ready;
    threads[thread].votes = barrier.votes;
    if (!llvm::is_contained(passed, thread / 32))
      passed.push_back(thread / 32);
  }
  for (unsigned warp : passed) {
    clocks.acquire(warp, sum);
    counts.bankConflicts += warps[warp].banks.take();
  }
  barrier = Barrier();
}

unsigned Block::syncBlock(unsigned number, unsigned count, bool aligned,
                          bool waits, int32_t site, bool vote) {
  if (number >= barriers.size())
    fail("expected a barrier from 0 to 15, but got " + Twine(number));
  if (count % 32 != 0 || count > numThreads)
    fail("expected a barrier of a multiple of 32 threads, of at most " +
         Twine(numThreads) + ", but got " + Twine(count));
  unsigned self = running, warp = self / 32;
  Barrier &barrier = barriers[number];
  if (barrier.arrived && barrier.count != count)
    fail("comes to barrier " + Twine(number) + " of " + Twine(count) +
         " threads, at which others wait for " + Twine(barrier.count));
  barrier.count = count;
  auto known = llvm::find_if(barrier.sites,
                             [&](auto &entry) { return entry.first == warp; });
  if (known == barrier.sites.end())
    barrier.sites.push_back({warp, site});
  else if (aligned && known->second != site)
    fail("comes to another place with barrier " + Twine(number) +
         " than other threads of its warp");
  if (aligned && warps[warp].done)
    fail("comes to a barrier that takes all threads of its warp, of which some "
         "have ended");
  if (aligned && !llvm::is_contained(barrier.alignedWarps, warp))
    barrier.alignedWarps.push_back(warp);
  clocks.release(warp, barrier.sum);
  ++barrier.arrived;
  barrier.votes += vote;
  if (!waits) {
    // What the warp does now, the barrier does not order.
    clocks.acquire(warp, {});
    completeIfAllCame(barrier);
    return 0;
  }
  barrier.waiting.push_back(self);
  threads[self].state = State::Waiting;
  completeIfAllCame(barrier);
  if (threads[self].state == State::Waiting)
    wait("barrier", number);
  return threads[self].votes;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void Block::checkAlignment(unsigned thread, const char *address, int64_t bytes,
                           int64_t alignment) {
  if (alignment <= 1 || reinterpret_cast<uintptr_t>(address) % alignment == 0)
    return;
  bool isShared = shared.contains(address);
  int64_t offset = shared.getOffset(address);
  fail(thread, "accesses " + Twine(bytes) + " bytes that are not aligned to " +
                   Twine(alignment) +
                   (isShared ? ", at byte " + std::to_string(offset) +
                                   " of shared memory"
                             : std::string(" of global memory")));
}

void Block::checkGlobal(unsigned thread, const char *address, int64_t bytes,
                        const char *what) {
  auto isIn = [&](const EmulatedArray &array) {
    auto *base = static_cast<const char *>(array.base);
    return address >= base && address + bytes <= base + array.bytes;
  };
  if (llvm::any_of(launch.arrays, isIn) || llvm::any_of(globals, isIn) ||
      fibers->isOnStack(thread, address, bytes))
    return;
  // Which array it may be that was meant: the nearest.
  std::string nearest;
  uint64_t least = UINT64_MAX;
  for (auto [index, array] : llvm::enumerate(launch.arrays)) {
    auto *base = static_cast<const char *>(array.base);
    int64_t offset = address - base;
    uint64_t distance = offset < 0 ? -offset : offset - array.bytes + bytes;
    if (distance >= least)
      continue;
    least = distance;
    nearest = ": byte " + std::to_string(offset) + " from array " +
              std::to_string(index) + ", which has " +
              std::to_string(array.bytes);
  }
  fail(thread, Twine(what) + " " + Twine(bytes) +
                   " bytes that are in no array of the kernel" + nearest);
}

void Block::checkRead(unsigned thread, const char *address, int64_t bytes,
                      int64_t alignment) {
  checkAlignment(thread, address, bytes, alignment);
  if (!shared.contains(address))
    return checkGlobal(thread, address, bytes, "reads");
  if (auto mistake =
          shared.read(thread, shared.getOffset(address), bytes, clocks))
    fail(thread, *mistake);
}

void Block::checkWrite(unsigned thread, const char *address, int64_t bytes,
                       int64_t alignment) {
  checkAlignment(thread, address, bytes, alignment);
  if (!shared.contains(address))
    return checkGlobal(thread, address, bytes, "writes");
  if (auto mistake =
          shared.write(thread, shared.getOffset(address), bytes, clocks))
    fail(thread, *mistake);
}

void Block::countBanks(const char *address, int64_t bytes, int32_t site) {
  if (shared.contains(address))
    warps[running / 32].banks.note(running % 32, site,
                                   shared.getOffset(address), bytes);
}

void Block::checkAtomic(unsigned thread, const char *address, int64_t bytes,
                        int64_t alignment) {
  checkAlignment(thread, address, bytes, alignment);
  if (!shared.contains(address))
    return checkGlobal(thread, address, bytes, "updates");
  if (auto mistake = shared.update(shared.getOffset(address), bytes))
    fail(thread, *mistake);
}

void Block::countIteration() {
  if (++iterations > options.maxIterations)
    fail("goes round a loop as if for ever: " + Twine(options.maxIterations) +
         " iterations of the block, and no thread goes on");
  // What it waits for others have to do.
  if (iterations % 4096 == 0)
    fibers->yield();
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

void Block::copy(char *to, const char *from, int64_t bytes,
                 int64_t sourceBytes) {
  if (!shared.contains(to))
    fail("copies asynchronously to what is not shared memory");
  if (sourceBytes < 0 || sourceBytes > bytes)
    fail("copies " + Twine(sourceBytes) + " bytes asynchronously to " +
         Twine(bytes));
  checkAlignment(running, to, bytes, bytes);
  if (sourceBytes) {
    checkAlignment(running, from, bytes, bytes);
    checkGlobal(running, from, sourceBytes, "copies");
  }
  if (auto mistake = shared.begin(running, shared.getOffset(to), bytes, clocks))
    fail(*mistake);
  std::memset(to, 0xFF, bytes);
  Copy copy{to, from, bytes, sourceBytes, options.seed && draw() % 2, {}};
  if (copy.early)
    std::memcpy(copy.data, from, sourceBytes);
  threads[running].open.push_back(copy);
  ++counts.copies;
}

void Block::commitCopies() {
  Thread &thread = threads[running];
  thread.groups.push_back(std::move(thread.open));
  thread.open.clear();
}

void Block::waitForCopies(size_t open) {
  Thread &thread = threads[running];
  while (thread.groups.size() > open) {
    for (const Copy &copy : thread.groups.front()) {
      std::memcpy(copy.to, copy.early ? copy.data : copy.from,
                  copy.sourceBytes);
      std::memset(copy.to + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
      shared.land(running, shared.getOffset(copy.to), copy.bytes, clocks);
    }
    thread.groups.pop_front();
  }
}

} // namespace attn
