//===- DeviceCode.h - The kernels of a module -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXECUTION_DEVICECODE_H
#define ATTN_LIB_EXECUTION_DEVICECODE_H

#include "attn/Analysis/GPUTarget.h"
#include "attn/Emulator/Emulator.h"
#include "attn/Runtime/attn_rt_gpu_code.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Target/TargetMachine.h"

namespace attn {

/// Translates kernels in the dialect `llvm` and that of their GPU to LLVM IR.
/// An error names what has no translation.
llvm::Expected<std::unique_ptr<llvm::Module>>
translateKernels(mlir::gpu::GPUModuleOp kernels, llvm::LLVMContext &context);

/// Optimizes kernels for `machine`, a GPU.
void optimizeKernels(llvm::Module &kernels, llvm::TargetMachine &machine);

/// The text of optimized kernels: PTX, which drivers take, or the assembly of a
/// GPU of AMD's.
llvm::Expected<std::string> emitKernels(llvm::Module &kernels,
                                        llvm::TargetMachine &machine);

/// A machine for a GPU. LLVM ends the process where the version of PTX does not
/// know the chip: it is the least that does.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createGPUMachine(const GPUTarget &gpu);

/// Kernels that a driver loads, and those that they are loaded as.
struct KernelImages {
  /// Of a `gpu.module`.
  std::string name, ptx;
  /// The same, assembled; empty if there was no assembler.
  std::string binary;
};

/// Takes the kernels out of `module`, in which only launches are left, and
/// compiles them for `gpu`, with `assembler` (ptxas) to code, too.
llvm::Expected<std::vector<KernelImages>>
takeKernelImages(mlir::ModuleOp module, const GPUTarget &gpu,
                 llvm::StringRef assembler = "");

/// What of `attn_rt_gpu_image` says which GPUs run an image of `gpu`.
int32_t getImageKind(const GPUTarget &gpu, bool binary);

/// Kernels as the runtime takes them.
class LoadableCode {
public:
  LoadableCode(std::vector<KernelImages> images, const GPUTarget &gpu);
  ~LoadableCode();
  LoadableCode(const LoadableCode &) = delete;

  /// What `attn_rt_gpu_launch` is given.
  const attn_rt_gpu_code *get() const { return &code; }

private:
  std::vector<KernelImages> kernels;
  std::vector<attn_rt_gpu_image> images;
  std::vector<attn_rt_gpu_module> modules;
  attn_rt_gpu_code code = {};
};

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

  /// What code calls as `attn_rt_gpu_map`.
  static void map(attn_rt_context *context, int64_t *map, void *base,
                  int64_t elementBytes, int64_t rank, const int64_t *extents);

  /// What code calls as `attn_rt_gpu_copy_in`: all memory is the host's.
  static void copyIn(attn_rt_context *context, void *device, const void *host,
                     int64_t bytes);
  /// What code calls as `attn_rt_gpu_get_error_word`: what kernels write there
  /// is known behind each launch.
  static void *getErrorWord(attn_rt_context *context,
                            const char *const *messages, int64_t numMessages);

  EmulatorCounts getCounts() const;

private:
  llvm::StringMap<std::unique_ptr<Emulator>> modules;
};

} // namespace attn

#endif // ATTN_LIB_EXECUTION_DEVICECODE_H
