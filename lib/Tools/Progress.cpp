//===- Progress.cpp - A sign of life on a terminal --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Progress.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using Clock = std::chrono::steady_clock;

Progress::Progress(llvm::StringRef what, bool ticks)
    : what(what.str()), start(Clock::now()), lastShown(start),
      onTerminal(llvm::sys::Process::StandardErrIsDisplayed()) {
  if (!onTerminal || !ticks)
    return;
  ticker = std::thread([this] {
    std::unique_lock<std::mutex> lock(mutex);
    while (!wake.wait_for(lock, std::chrono::milliseconds(500),
                          [this] { return done; }))
      update();
  });
}

Progress::~Progress() {
  if (ticker.joinable()) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      done = true;
    }
    wake.notify_one();
    ticker.join();
  }
  if (shown)
    llvm::errs() << "\r\x1b[K";
}

void Progress::update() {
  Clock::time_point now = Clock::now();
  if (!onTerminal || now - start < std::chrono::seconds(2) ||
      now - lastShown < std::chrono::milliseconds(400))
    return;
  shown = true;
  lastShown = now;
  llvm::errs() << "\r\x1b[Kattn-run: " << what
               << llvm::format(
                      "... %.0f s",
                      std::chrono::duration<double>(now - start).count());
}
