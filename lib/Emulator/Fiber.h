//===- Fiber.h - Stacks that are switched between ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_FIBER_H
#define ATTN_LIB_EMULATOR_FIBER_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <csetjmp>
#include <memory>
#include <vector>

namespace attn {

/// Stacks of one thread of the process, each with a function that runs on it
/// until it yields. They are used again by later functions.
class FiberPool {
public:
  /// `body` is called with the number of its fiber. An error if there is no
  /// memory for the stacks.
  static llvm::Expected<std::unique_ptr<FiberPool>>
  create(unsigned count, void (*body)(void *data, unsigned fiber), void *data);
  ~FiberPool();
  FiberPool(const FiberPool &) = delete;

  unsigned size() const { return fibers.size(); }

  /// Goes on with `fiber`, from its begin on if its body has returned, until it
  /// yields (true) or its body returns (false).
  bool resume(unsigned fiber);
  /// Called on a fiber: goes on behind the `resume` that runs it.
  void yield();

  /// Whether `bytes` from `address` on are on the stack of `fiber`.
  bool isOnStack(unsigned fiber, const char *address, int64_t bytes) const;

private:
  FiberPool() = default;
  static void enter(unsigned high, unsigned low);

  struct Fiber {
    jmp_buf place;
    /// Between the begin of the body and its end.
    bool begun = false;
    /// Whether its stack was ever entered.
    bool entered = false;
  };
  void (*body)(void *, unsigned) = nullptr;
  void *data = nullptr;
  std::vector<Fiber> fibers;
  char *memory = nullptr;
  size_t bytes = 0;
  unsigned running = 0;
  jmp_buf resumer;
};

} // namespace attn

#endif // ATTN_LIB_EMULATOR_FIBER_H
