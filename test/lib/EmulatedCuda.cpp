//===- EmulatedCuda.cpp - A driver that runs kernels on the CPU -*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The driver that is not one, with kernels that the emulator runs. It takes the
// text of kernels as any driver does, but cannot compile it: what it runs is
// the LLVM IR that this was made of, `attn-run --target=gpu --emit=llvm`, in
// the file that EMULATED_CUDA_KERNELS names. Kernels reach the memory that was
// allocated here, and nothing else. EMULATED_CUDA_LOG names a file that calls
// are written to; EMULATED_CUDA_CHIP is the GPU's number.
//
//===----------------------------------------------------------------------===//

#include "../Unit/Runtime/FakeCuda.h"

#include "attn/Emulator/Emulator.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Support/SourceMgr.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" FakeCuda *getFakeCuda();

namespace {

struct Kernel {
  std::string name;
  size_t numParameters;
};

/// The kernels of the file; loaded when the first is wanted.
struct EmulatedKernels {
  std::unique_ptr<attn::Emulator> emulator;
  std::map<std::string, Kernel> kernels;

  static int fail(const llvm::Twine &text) {
    std::fprintf(stderr, "emulated driver: %s\n", text.str().c_str());
    return 999;
  }

  int load() {
    const char *path = std::getenv("EMULATED_CUDA_KERNELS");
    if (emulator || !path)
      return emulator ? 0 : fail("expected EMULATED_CUDA_KERNELS");
    auto context = std::make_unique<llvm::LLVMContext>();
    llvm::SMDiagnostic error;
    auto module = llvm::parseIRFile(path, error, *context);
    if (!module)
      return fail(error.getMessage());
    for (llvm::Function &function : *module)
      if (function.getCallingConv() == llvm::CallingConv::PTX_Kernel)
        kernels[function.getName().str()] = {function.getName().str(),
                                             function.arg_size()};
    auto created = attn::Emulator::create(
        llvm::orc::ThreadSafeModule(std::move(module), std::move(context)));
    if (!created)
      return fail(llvm::toString(created.takeError()));
    emulator = std::move(*created);
    return 0;
  }

  void *find(const char *image, const char *name) {
    // Text, or what an assembler made of it.
    std::string entry = ".entry " + std::string(name) + "(";
    bool isText =
        std::strstr(image, ".version ") && std::strstr(image, entry.c_str());
    if ((!isText && std::memcmp(image,
                                "\x7f"
                                "ELF",
                                4) != 0) ||
        load() != 0)
      return nullptr;
    // Functions that are compiled to be called have names of their own.
    llvm::StringRef own = name;
    own.consume_front("attn_function_");
    auto found = kernels.find(own.str());
    return found == kernels.end() ? nullptr : &found->second;
  }

  int run(const Kernel &kernel, const FakeLaunch &launch, void **parameters) {
    attn::EmulatedLaunch emulated;
    emulated.kernel = kernel.name;
    emulated.grid = {launch.grid[0], launch.grid[1], launch.grid[2]};
    emulated.block = {launch.block[0], launch.block[1], launch.block[2]};
    emulated.dynamicSharedBytes = launch.shared;
    emulated.parameters = {parameters, kernel.numParameters};
    std::vector<attn::EmulatedArray> arrays;
    for (auto [address, bytes] : getFakeCuda()->memory)
      arrays.push_back(
          {reinterpret_cast<void *>(address), static_cast<int64_t>(bytes)});
    emulated.arrays = arrays;
    if (llvm::Error error = emulator->launch(emulated))
      return fail(llvm::toString(std::move(error)));
    return 0;
  }
};

/// It stays: LLVM may be gone before it.
EmulatedKernels &emulated = *new EmulatedKernels;

/// What was asked for, in order.
void writeLog() {
  const char *path = std::getenv("EMULATED_CUDA_LOG");
  FILE *file = path ? std::fopen(path, "a") : nullptr;
  if (!file)
    return;
  for (const std::string &call : getFakeCuda()->calls)
    std::fprintf(file, "%s\n", call.c_str());
  std::fclose(file);
}

struct Start {
  Start() {
    FakeCuda &driver = *getFakeCuda();
    driver.find = [](const char *image, const char *name) {
      return emulated.find(image, name);
    };
    driver.run = [](void *kernel, const FakeLaunch &launch, void **parameters) {
      return emulated.run(*static_cast<Kernel *>(kernel), launch, parameters);
    };
    if (const char *chip = std::getenv("EMULATED_CUDA_CHIP"))
      driver.chip = std::atoi(chip);
    std::atexit(writeLog);
  }
} start;

} // namespace
