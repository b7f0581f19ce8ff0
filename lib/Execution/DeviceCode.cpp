//===- DeviceCode.cpp - The kernels of a module -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DeviceCode.h"
#include "attn/Emulator/TensorMap.h"
#include "attn/Runtime/attn_rt_gpu_code.h"
#include "attn/Support/FirstError.h"
#include "mlir/Target/LLVMIR/Export.h"

using namespace mlir;

namespace attn {

llvm::Expected<std::unique_ptr<llvm::Module>>
translateKernels(gpu::GPUModuleOp kernels, llvm::LLVMContext &context) {
  FirstError error(kernels.getContext());
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(kernels, context, kernels.getName());
  if (!translated)
    return error.take("the kernels cannot be translated to LLVM IR");
  return translated;
}

llvm::Expected<std::unique_ptr<EmulatedCode>>
EmulatedCode::take(ModuleOp module, const EmulatorOptions &options) {
  auto code = std::make_unique<EmulatedCode>();
  for (auto kernels : llvm::to_vector(module.getOps<gpu::GPUModuleOp>())) {
    auto context = std::make_unique<llvm::LLVMContext>();
    auto translated = translateKernels(kernels, *context);
    if (!translated)
      return translated.takeError();
    auto emulator = Emulator::create(
        llvm::orc::ThreadSafeModule(std::move(*translated), std::move(context)),
        options);
    if (!emulator)
      return emulator.takeError();
    code->modules[kernels.getName()] = std::move(*emulator);
    kernels.erase();
  }
  return code;
}

/// The error of the kernels that a thread launches, and what it may say.
static thread_local attn_rt_gpu_error errorWord;
static thread_local ArrayRef<const char *> errorMessages;

void *EmulatedCode::getErrorWord(attn_rt_context *, const char *const *messages,
                                 int64_t numMessages) {
  errorMessages = ArrayRef(messages, numMessages);
  errorWord = {};
  return &errorWord;
}

void EmulatedCode::launch(attn_rt_context *context, const void *code,
                          const char *module, const char *kernel, int64_t gridX,
                          int64_t gridY, int64_t gridZ, int64_t blockX,
                          int64_t blockY, int64_t blockZ, int64_t sharedBytes,
                          int64_t *parameters, int64_t numParameters,
                          const int64_t *arrays, int64_t numArrays) {
  auto fail = [&](StringRef text) {
    // Braces would stand for numbers.
    std::string plain = text.str();
    llvm::replace(plain, '{', '(');
    attn_rt_fail(context, plain.c_str(), 0, 0, 0);
  };
  auto &modules = static_cast<const EmulatedCode *>(code)->modules;
  auto found = modules.find(module);
  if (found == modules.end())
    return fail("expected kernels in a module @" + std::string(module) +
                ", but there is none");
  EmulatedLaunch launch;
  launch.kernel = kernel;
  launch.grid = {gridX, gridY, gridZ};
  launch.block = {blockX, blockY, blockZ};
  launch.dynamicSharedBytes = sharedBytes;
  SmallVector<void *> addresses;
  for (int64_t i = 0; i < numParameters; ++i)
    addresses.push_back(&parameters[i]);
  launch.parameters = addresses;
  SmallVector<EmulatedArray> spans;
  for (int64_t i = 0; i < numArrays; ++i)
    spans.push_back(
        {reinterpret_cast<void *>(arrays[2 * i]), arrays[2 * i + 1]});
  launch.arrays = spans;
  if (llvm::Error error = found->second->launch(launch))
    return fail(llvm::toString(std::move(error)));
  if (errorWord.raised)
    attn_rt_fail(context, errorMessages[errorWord.message], 2,
                 errorWord.numbers[0], errorWord.numbers[1]);
  errorWord = {};
}

void EmulatedCode::map(attn_rt_context *, int64_t *map, void *base,
                       int64_t elementBytes, int64_t rank,
                       const int64_t *extents) {
  EmulatedTensorMap made(base, elementBytes, rank, extents);
  std::memset(map, 0, 128);
  std::memcpy(map, &made, sizeof(made));
}

void EmulatedCode::copyIn(attn_rt_context *, void *device, const void *host,
                          int64_t bytes) {
  std::memcpy(device, host, bytes);
}

EmulatorCounts EmulatedCode::getCounts() const {
  EmulatorCounts sum;
  for (auto &entry : modules)
    sum += entry.second->getCounts();
  return sum;
}

} // namespace attn
