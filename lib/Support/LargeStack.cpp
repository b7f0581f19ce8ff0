//===- LargeStack.cpp - Room for recursion ----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/LargeStack.h"

#include <memory>

#include <pthread.h>
#include <signal.h>

namespace {
struct Task {
  llvm::function_ref<int()> work;
  int status = 0;
};
} // namespace

static void *runTask(void *data) {
  constexpr size_t signalStackBytes = 64 * 1024;
  auto memory = std::make_unique<char[]>(signalStackBytes);
  stack_t stack = {};
  stack.ss_sp = memory.get();
  stack.ss_size = signalStackBytes;
  bool set = sigaltstack(&stack, nullptr) == 0;
  auto *task = static_cast<Task *>(data);
  task->status = task->work();
  if (set) {
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, nullptr);
  }
  return nullptr;
}

int attn::runOnLargeStack(llvm::function_ref<int()> work) {
  constexpr size_t stackBytes = size_t(1) << 30;
  Task task{work};
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0)
    return work();
  pthread_t thread;
  bool started = pthread_attr_setstacksize(&attributes, stackBytes) == 0 &&
                 pthread_create(&thread, &attributes, runTask, &task) == 0;
  pthread_attr_destroy(&attributes);
  if (!started)
    return work();
  pthread_join(thread, nullptr);
  return task.status;
}
