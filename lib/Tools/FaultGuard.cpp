//===- FaultGuard.cpp - What a kernel that crashes says ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FaultGuard.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace attn;

/// Only what is safe in a signal handler: no allocation, no stream.
static void reportFault(int signal) {
  llvm::StringRef text =
      "attn-run: error: the kernel accessed memory that it does not have "
      "(SIGSEGV); look for an index out of bounds, or a recursion without end, "
      "with --target=reference\n";
  if (signal == SIGFPE)
    text = "attn-run: error: the kernel divided an integer by zero, or out of "
           "its range (SIGFPE); look for the place with --target=reference\n";
  else if (signal == SIGILL)
    text = "attn-run: error: the kernel met an instruction that this machine "
           "cannot execute (SIGILL); leave out --cpu and --features, or use "
           "--target=reference\n";
  [[maybe_unused]] ssize_t written =
      ::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(1);
}

FaultGuard::FaultGuard() {
  llvm::outs().flush();
  struct sigaction action = {};
  action.sa_handler = reportFault;
  action.sa_flags = SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (auto [index, signal] : llvm::enumerate(signals))
    sigaction(signal, &action, &previous[index]);
}

FaultGuard::~FaultGuard() {
  for (auto [index, signal] : llvm::enumerate(signals))
    sigaction(signal, &previous[index], nullptr);
}
