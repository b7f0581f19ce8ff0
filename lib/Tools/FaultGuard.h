//===- FaultGuard.h - What a kernel that crashes says -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TOOLS_FAULTGUARD_H
#define ATTN_LIB_TOOLS_FAULTGUARD_H

#include <csignal>
#include <iterator>

namespace attn {

/// While it lives, a fault of any thread (a read out of bounds, an integer
/// division by zero) ends the process with one line and status 1, in place of
/// a dump of the stack: what a module makes of its arguments is no fault of the
/// compiler. What stdout holds is written first.
class FaultGuard {
public:
  FaultGuard();
  ~FaultGuard();
  FaultGuard(const FaultGuard &) = delete;

  static constexpr int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

private:
  struct sigaction previous[std::size(signals)];
};

} // namespace attn

#endif // ATTN_LIB_TOOLS_FAULTGUARD_H
