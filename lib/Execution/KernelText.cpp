//===- KernelText.cpp - GPU kernels as text ---------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codegen.h"
#include "DeviceCode.h"
#include "attn/Analysis/GPUTarget.h"
#include "attn/Analysis/KernelNames.h"
#include "attn/Support/RunPasses.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Linker/Linker.h"

using namespace mlir;

namespace attn {

/// Kernels are emitted as they are to be; what is left to LLVM are sums of
/// addresses.
void optimizeKernels(llvm::Module &kernels, llvm::TargetMachine &machine) {
  // Registers are what tiles are chosen by: the assembler is not to spill any
  // for more blocks at once.
  for (llvm::Function &function : kernels)
    if (function.getCallingConv() == llvm::CallingConv::PTX_Kernel)
      function.addFnAttr("nvvm.minctasm", "1");
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = tuning.LoopVectorization = tuning.SLPVectorization =
      false;
  runPasses(
      kernels, machine,
      [](llvm::PassBuilder &builder) {
        return builder.buildPerModuleDefaultPipeline(
            llvm::OptimizationLevel::O2);
      },
      tuning);
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createGPUMachine(const GPUTarget &gpu) {
  TargetDescription description;
  description.triple = "nvptx64-nvidia-cuda";
  description.cpu = gpu.chip.str();
  description.features = gpu.getFeatures();
  description.jit = false;
  return createTargetMachine(description);
}

llvm::Expected<std::string> emitPTX(llvm::Module &kernels,
                                    llvm::TargetMachine &machine) {
  llvm::SmallVector<char> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager pm;
  if (machine.addPassesToEmitFile(pm, stream, nullptr,
                                  llvm::CodeGenFileType::AssemblyFile))
    return llvm::createStringError("the target cannot emit PTX");
  pm.run(kernels);
  return std::string(text.data(), text.size());
}

llvm::Error printKernels(ModuleOp module, llvm::StringRef chip, bool ptx,
                         llvm::raw_ostream &os) {
  std::optional<GPUTarget> gpu = GPUTarget::find(chip);
  if (!gpu)
    return llvm::createStringError("expected one of the chips " +
                                   GPUTarget::listChips() + ", but got " +
                                   chip);
  auto machine = createGPUMachine(*gpu);
  if (!machine)
    return machine.takeError();
  // One text for all kernels: each has a header. They are called as they are
  // where they are launched.
  nameKernels(module);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> all;
  for (auto kernels : module.getOps<gpu::GPUModuleOp>()) {
    llvm::Expected<std::unique_ptr<llvm::Module>> translated =
        translateKernels(kernels, context);
    if (!translated)
      return translated.takeError();
    (*translated)->setDataLayout((*machine)->createDataLayout());
    (*translated)->setTargetTriple((*machine)->getTargetTriple());
    if (!all)
      all = std::move(*translated);
    else if (llvm::Linker::linkModules(*all, std::move(*translated)))
      return llvm::createStringError("the kernels cannot be put together");
  }
  if (!all)
    return llvm::Error::success();
  optimizeKernels(*all, **machine);
  if (!ptx) {
    os << *all;
    return llvm::Error::success();
  }
  llvm::Expected<std::string> text = emitPTX(*all, **machine);
  if (!text)
    return text.takeError();
  os << *text;
  return llvm::Error::success();
}

} // namespace attn
