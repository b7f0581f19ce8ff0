//===- LargeStackTest.cpp - Room for recursion ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/LargeStack.h"

#include "gtest/gtest.h"

#include <signal.h>

using namespace attn;

namespace {

/// Takes a page of the stack for each level.
int recurse(int depth) {
  volatile char page[4096];
  page[depth % 4096] = 1;
  return depth == 0 ? 0 : recurse(depth - 1) + page[depth % 4096];
}

/// 100 MiB of recursion, which no default stack holds.
TEST(LargeStack, Recursion) {
  EXPECT_EQ(runOnLargeStack([] { return recurse(25000); }), 25000);
}

/// A handler of stack overflows has a stack to run on.
TEST(LargeStack, SignalStack) {
  EXPECT_EQ(runOnLargeStack([] {
              stack_t stack;
              sigaltstack(nullptr, &stack);
              return int(stack.ss_flags != SS_DISABLE);
            }),
            1);
}

} // namespace
