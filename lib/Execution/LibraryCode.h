//===- LibraryCode.h - What a library holds beside its code -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXECUTION_LIBRARYCODE_H
#define ATTN_LIB_EXECUTION_LIBRARYCODE_H

#include "PackedCode.h"
#include "attn/Execution/Library.h"

namespace attn {

/// The code of a function for one CPU: entries in the module of the library.
struct FunctionVersion {
  std::string cpu;
  /// Bits of ATTN_RT_X86_FEATURES, or ATTN_RT_GPU_FEATURES.
  uint64_t features = 0;
  llvm::Function *plain = nullptr, *strided = nullptr;
};

/// Adds to `module` what is said of `function` (an `attn_rt_function`), and the
/// function that C calls, which hands its arguments to `attn_rt_call` with it,
/// or to `attn_rt_gpu_call` if it runs on a GPU. `lent` is what strided code
/// takes as it lies.
void addLibraryFunction(llvm::Module &module, const LibraryFunction &function,
                        llvm::ArrayRef<FunctionVersion> versions,
                        const Lending &lent, bool gpu);

/// Puts `kernels`, compiled for `gpu`, into the module that launches them.
void defineKernels(llvm::Module &module, llvm::ArrayRef<KernelImages> kernels,
                   const GPUTarget &gpu);

} // namespace attn

#endif // ATTN_LIB_EXECUTION_LIBRARYCODE_H
