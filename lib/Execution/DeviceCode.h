//===- DeviceCode.h - The kernels of a module -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXECUTION_DEVICECODE_H
#define ATTN_LIB_EXECUTION_DEVICECODE_H

#include "attn/Emulator/Emulator.h"
#include "attn/Runtime/attn_rt.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

namespace attn {

/// Translates kernels in the dialects `llvm` and `nvvm` to LLVM IR for NVIDIA's
/// GPUs. An error names what has no translation.
llvm::Expected<std::unique_ptr<llvm::Module>>
translateKernels(mlir::gpu::GPUModuleOp kernels, llvm::LLVMContext &context);

/// Kernels that the emulator runs, by the name of their `gpu.module`.
class EmulatedCode {
public:
  /// Takes the kernels out of `module`, in which only launches are left.
  static llvm::Expected<std::unique_ptr<EmulatedCode>>
  take(mlir::ModuleOp module, const EmulatorOptions &options);

  /// What code calls as `attn_rt_gpu_launch`, with an `EmulatedCode`. Of each
  /// array it is given the address and the bytes.
  static void launch(attn_rt_context *context, const void *code,
                     const char *module, const char *kernel, int64_t gridX,
                     int64_t gridY, int64_t gridZ, int64_t blockX,
                     int64_t blockY, int64_t blockZ, int64_t sharedBytes,
                     int64_t *parameters, int64_t numParameters,
                     const int64_t *arrays, int64_t numArrays);

  EmulatorCounts getCounts() const;

private:
  llvm::StringMap<std::unique_ptr<Emulator>> modules;
};

} // namespace attn

#endif // ATTN_LIB_EXECUTION_DEVICECODE_H
