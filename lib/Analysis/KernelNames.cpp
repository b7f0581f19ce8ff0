//===- KernelNames.cpp - What GPU kernels are called ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/KernelNames.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace attn {

void nameKernels(ModuleOp module) {
  llvm::StringSet<> taken;
  for (auto kernels : module.getOps<gpu::GPUModuleOp>())
    for (auto kernel : kernels.getOps<FunctionOpInterface>()) {
      if (kernel.isExternal())
        continue;
      std::string name = kernel.getName().str();
      for (char &letter : name)
        letter = llvm::isAlnum(letter) || letter == '_' ? letter : '_';
      std::string wanted = name;
      for (unsigned number = 0; !taken.insert(name).second; ++number)
        name = wanted + "_" + std::to_string(number);
      if (name == kernel.getName() ||
          SymbolTable::lookupSymbolIn(kernels, name))
        continue;
      auto attribute = StringAttr::get(module.getContext(), name);
      if (succeeded(
              SymbolTable::replaceAllSymbolUses(kernel, attribute, module)))
        kernel.setName(attribute);
    }
}

} // namespace attn
