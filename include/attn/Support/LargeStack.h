//===- LargeStack.h - Room for recursion ------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_LARGESTACK_H
#define ATTN_SUPPORT_LARGESTACK_H

#include "llvm/ADT/STLFunctionalExtras.h"

namespace attn {

/// Runs `work` to its end on a thread with a stack of 1 GiB, of which only what
/// is used takes memory, and returns what it returns: passes recurse along
/// chains of ops. Signal handlers that ask for a stack of their own have one
/// there. On this thread where the system gives no such stack.
int runOnLargeStack(llvm::function_ref<int()> work);

} // namespace attn

#endif // ATTN_SUPPORT_LARGESTACK_H
