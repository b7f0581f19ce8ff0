//===- Progress.h - A sign of life on a terminal ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TOOLS_PROGRESS_H
#define ATTN_LIB_TOOLS_PROGRESS_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace attn {

/// Says on stderr, if that is a terminal, what has been going on for more than
/// two seconds, and clears the line when it is over.
class Progress {
public:
  /// With `ticks`, a thread of its own keeps the line current; without, only
  /// `update` does, so that nothing disturbs a timing.
  explicit Progress(llvm::StringRef what, bool ticks = false);
  ~Progress();
  void update();

private:
  std::string what;
  std::chrono::steady_clock::time_point start, lastShown;
  bool onTerminal, shown = false, done = false;
  std::mutex mutex;
  std::condition_variable wake;
  std::thread ticker;
};

} // namespace attn

#endif // ATTN_LIB_TOOLS_PROGRESS_H
