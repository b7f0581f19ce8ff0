//===- Fiber.cpp - Stacks that are switched between -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A stack is entered once by `swapcontext`, which calls the system. From then
// on `_setjmp` and `_longjmp` switch, which do not.
//
//===----------------------------------------------------------------------===//

#include "Fiber.h"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

namespace attn {

/// What kernels put on a stack is what registers of the host cannot hold.
static constexpr size_t kStackBytes = 256 << 10;

llvm::Expected<std::unique_ptr<FiberPool>>
FiberPool::create(unsigned count, void (*body)(void *, unsigned), void *data) {
  std::unique_ptr<FiberPool> pool(new FiberPool);
  pool->body = body;
  pool->data = data;
  pool->fibers.resize(count);
  pool->bytes = count * kStackBytes;
  void *memory = ::mmap(nullptr, pool->bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return llvm::createStringError("there is no memory for the stacks of " +
                                   std::to_string(count) + " threads");
  pool->memory = static_cast<char *>(memory);
  // A stack that grows too far ends the process rather than another's.
  for (unsigned i = 0; i < count; ++i)
    ::mprotect(pool->memory + i * kStackBytes, ::sysconf(_SC_PAGESIZE),
               PROT_NONE);
  return pool;
}

FiberPool::~FiberPool() {
  if (memory)
    ::munmap(memory, bytes);
}

bool FiberPool::isOnStack(unsigned fiber, const char *address,
                          int64_t size) const {
  const char *begin = memory + fiber * kStackBytes;
  return address >= begin && address + size <= begin + kStackBytes;
}

/// What runs on a stack, for ever: one body after the other.
void FiberPool::enter(unsigned high, unsigned low) {
  auto *pool =
      reinterpret_cast<FiberPool *>(static_cast<uintptr_t>(high) << 32 | low);
  for (;;) {
    Fiber &fiber = pool->fibers[pool->running];
    pool->body(pool->data, pool->running);
    fiber.begun = false;
    if (_setjmp(fiber.place) == 0)
      _longjmp(pool->resumer, 1);
  }
}

bool FiberPool::resume(unsigned number) {
  Fiber &fiber = fibers[number];
  running = number;
  fiber.begun = true;
  if (_setjmp(resumer) == 0) {
    if (fiber.entered)
      _longjmp(fiber.place, 1);
    fiber.entered = true;
    ucontext_t context, ignored;
    ::getcontext(&context);
    context.uc_stack.ss_sp = memory + number * kStackBytes;
    context.uc_stack.ss_size = kStackBytes;
    context.uc_link = nullptr;
    auto self = reinterpret_cast<uintptr_t>(this);
    ::makecontext(&context, reinterpret_cast<void (*)()>(&FiberPool::enter), 2,
                  static_cast<unsigned>(self >> 32),
                  static_cast<unsigned>(self));
    ::swapcontext(&ignored, &context);
  }
  return fibers[running].begun;
}

void FiberPool::yield() {
  if (_setjmp(fibers[running].place) == 0)
    _longjmp(resumer, 1);
}

} // namespace attn
