//===- KernelImages.cpp - Kernels as drivers load them ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DeviceCode.h"
#include "attn/Execution/Assembler.h"

using namespace mlir;

namespace attn {

int32_t getImageKind(const GPUTarget &gpu, bool binary) {
  if (gpu.isExact())
    return binary ? ATTN_GPU_CUBIN_EXACT : ATTN_GPU_PTX_EXACT;
  return binary ? ATTN_GPU_CUBIN : ATTN_GPU_PTX;
}

llvm::Expected<std::vector<KernelImages>>
takeKernelImages(ModuleOp module, const GPUTarget &gpu, StringRef assembler) {
  auto machine = createGPUMachine(gpu);
  if (!machine)
    return machine.takeError();
  std::vector<KernelImages> images;
  for (auto kernels : llvm::to_vector(module.getOps<gpu::GPUModuleOp>())) {
    llvm::LLVMContext context;
    auto translated = translateKernels(kernels, context);
    if (!translated)
      return translated.takeError();
    (*translated)->setDataLayout((*machine)->createDataLayout());
    (*translated)->setTargetTriple((*machine)->getTargetTriple());
    optimizeKernels(**translated, **machine);
    llvm::Expected<std::string> text = emitKernels(**translated, **machine);
    if (!text)
      return text.takeError();
    KernelImages image;
    image.name = kernels.getName().str();
    image.ptx = std::move(*text);
    if (!assembler.empty()) {
      llvm::Expected<AssembledKernels> assembled =
          assemble(assembler, image.ptx, gpu);
      if (!assembled)
        return assembled.takeError();
      image.binary = std::move(assembled->code);
    }
    images.push_back(std::move(image));
    kernels.erase();
  }
  return images;
}

LoadableCode::LoadableCode(std::vector<KernelImages> images,
                           const GPUTarget &gpu)
    : kernels(std::move(images)) {
  for (const KernelImages &kernel : kernels)
    this->images.push_back({getImageKind(gpu, /*binary=*/false),
                            gpu.getNumber(), kernel.ptx.c_str(),
                            static_cast<int64_t>(kernel.ptx.size()) + 1});
  for (auto [kernel, image] : llvm::zip_equal(kernels, this->images))
    modules.push_back({kernel.name.c_str(), &image, 1});
  code = {ATTN_RT_VERSION, 0, modules.data(),
          static_cast<int64_t>(modules.size())};
}

LoadableCode::~LoadableCode() { attn_rt_gpu_forget(&code); }

} // namespace attn
