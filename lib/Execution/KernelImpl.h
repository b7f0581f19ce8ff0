//===- KernelImpl.h - What a kernel consists of -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXECUTION_KERNELIMPL_H
#define ATTN_LIB_EXECUTION_KERNELIMPL_H

#include "Code.h"
#include "attn/Execution/Signature.h"

#include <map>
#include <mutex>

namespace attn {

struct DestroyContext {
  void operator()(attn_rt_context *context) const { attn_rt_destroy(context); }
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

/// A signature as the runtime reads it.
struct FunctionDescription {
  /// Of a signature that outlives it; `device` is ATTN_CPU or ATTN_CUDA.
  FunctionDescription(const Signature &signature, int32_t device);
  FunctionDescription(const FunctionDescription &) = delete;

  std::vector<attn_rt_spec> specs;
  std::vector<attn_rt_rule> rules;
  attn_rt_function function = {};
};

/// What a kernel was compiled from, in no context: code for arrays that lie
/// otherwise is compiled when a call first lends such, whatever the host does
/// with his context meanwhile.
class Source {
public:
  llvm::Error keep(mlir::ModuleOp module, llvm::StringRef entry,
                   const CompileOptions &options);
  llvm::Expected<std::unique_ptr<Code>> compile(const Lending &lent) const;

private:
  std::string bytecode, entry;
  CompileOptions options;
  mlir::DialectRegistry registry;
};

struct Kernel::Impl {
  Signature signature;
  std::unique_ptr<FunctionDescription> description;
  /// For arrays that all lie row by row.
  std::unique_ptr<Code> code;
  Source source;
  /// Of what follows.
  std::mutex mutex;
  std::map<Lending, std::unique_ptr<Code>> lentCode;
  ContextPool contexts;

  /// The code for arrays that lie as `lent` says.
  llvm::Expected<const Code *> getCode(const Lending &lent);
};

} // namespace attn

#endif // ATTN_LIB_EXECUTION_KERNELIMPL_H
