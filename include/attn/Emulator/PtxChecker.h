//===- PtxChecker.h - What PTX does with shared memory ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Follows kernels as LLVM has written them down, after all that it moves, with
// no GPU and no assembler. Where in shared memory a thread reads or writes is
// computed for every thread, from its number and constants; parameters and
// memory are unknown, and a branch that depends on them is followed both ways,
// a loop until nothing new is met. So every wait and barrier is seen, and what
// it is for: that a kernel has them in the right places does not depend on
// numbers. Where warps have loops of their own, for which units of the GPU copy
// and multiply, those that ask the same question get the same answer, and some
// rounds are followed: more than a ring of buffers takes for all its phases.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EMULATOR_PTXCHECKER_H
#define ATTN_EMULATOR_PTXCHECKER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace attn {

/// What was looked at.
struct PtxReport {
  int64_t kernels = 0, paths = 0;
  /// The states told apart where paths meet.
  int64_t states = 0;
  /// Instructions on these paths that use shared memory, and those of them
  /// whose address could not be computed.
  int64_t accesses = 0, unknown = 0;
  /// There were more states than are looked at.
  bool more = false;
};

/// Checks the kernels of a PTX module. An error, of one line, names the kernel
/// and the line: shared memory is accessed by two threads that no barrier
/// orders, before an asynchronous copy to it has been waited for, or outside of
/// its arrays; a barrier is not for all threads, or an mbarrier waited for that
/// never comes; registers of a product of a warpgroup are touched while it may
/// not be over. Kernels have to say by `.maxntid` how many threads a block has.
llvm::Expected<PtxReport> checkPtx(llvm::StringRef text);

} // namespace attn

#endif // ATTN_EMULATOR_PTXCHECKER_H
