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
  // What a launch asks for is LDS of no size that is defined elsewhere.
  if (machine.getTargetTriple().isAMDGCN())
    for (llvm::GlobalVariable &global : kernels.globals())
      if (global.getValueType()->isArrayTy() &&
          global.getValueType()->getArrayNumElements() == 0) {
        global.setLinkage(llvm::GlobalValue::ExternalLinkage);
        global.setInitializer(nullptr);
        global.setAlignment(llvm::Align(16));
      }
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
  description.triple = gpu.getTriple().str();
  description.cpu = gpu.chip.str();
  description.features = gpu.getFeatures();
  description.jit = false;
  return createTargetMachine(description);
}

llvm::Expected<std::string> emitKernels(llvm::Module &kernels,
                                        llvm::TargetMachine &machine) {
  llvm::SmallVector<char> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager pm;
  if (machine.addPassesToEmitFile(pm, stream, nullptr,
                                  llvm::CodeGenFileType::AssemblyFile))
    return llvm::createStringError("the target cannot emit text");
  pm.run(kernels);
  return std::string(text.data(), text.size());
}

llvm::Error printKernels(ModuleOp module, llvm::StringRef chip, bool text,
                         llvm::raw_ostream &os) {
  std::optional<GPUTarget> gpu = GPUTarget::find(chip);
  if (!gpu)
    return llvm::createStringError("expected one of the chips " +
                                   GPUTarget::listChips() + ", but got " +
                                   chip);
  GPUTarget named = GPUTarget::of(module);
  if (named.vendor != gpu->vendor)
    return llvm::createStringError("expected kernels for " + chip +
                                   ", but the module has them for " +
                                   named.chip);
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
  if (!text) {
    os << *all;
    return llvm::Error::success();
  }
  llvm::Expected<std::string> code = emitKernels(*all, **machine);
  if (!code)
    return code.takeError();
  os << *code;
  return llvm::Error::success();
}

} // namespace attn
