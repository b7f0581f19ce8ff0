//===- KernelImpl.h - What a kernel consists of -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXECUTION_KERNELIMPL_H
#define ATTN_LIB_EXECUTION_KERNELIMPL_H

#include "attn/Execution/Kernel.h"
#include "attn/Execution/ShapeRules.h"
#include "attn/Runtime/attn_rt.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

namespace attn {

struct DestroyContext {
  void operator()(attn_rt_context *context) const {
    attn_rt_destroy(context);
  }
};
using ContextPtr = std::unique_ptr<attn_rt_context, DestroyContext>;

/// The contexts of calls that are over: what they keep serves the next ones.
class ContextPool {
public:
  /// A context for one call; null if there is no memory.
  ContextPtr take() {
    std::lock_guard<std::mutex> lock(mutex);
    if (free.empty())
      return ContextPtr(attn_rt_create(nullptr));
    ContextPtr context = std::move(free.back());
    free.pop_back();
    return context;
  }
  void giveBack(ContextPtr context) {
    attn_rt_reset(context.get());
    std::lock_guard<std::mutex> lock(mutex);
    free.push_back(std::move(context));
  }

private:
  std::mutex mutex;
  std::vector<ContextPtr> free;
};

struct Kernel::Impl {
  llvm::SmallVector<TensorSpec> arguments, results;
  ShapeRules rules;
  /// What the JIT says beside the error of a lookup; it may until it is gone.
  std::string linkMessage;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  /// Takes pointers to its arguments: the result, then each argument.
  void (*function)(attn_rt_context *, void **) = nullptr;
  /// The counters in the kernel, if it counts.
  const int64_t *tileCounts = nullptr;
  ContextPool contexts;

  llvm::Error createJIT(std::unique_ptr<llvm::TargetMachine> machine);
  /// The address of a symbol, once the code is added.
  template <typename T> llvm::Error lookup(llvm::StringRef name, T &address);
};

} // namespace attn

#endif // ATTN_LIB_EXECUTION_KERNELIMPL_H
