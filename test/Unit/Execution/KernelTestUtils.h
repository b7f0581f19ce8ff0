//===- KernelTestUtils.h - Kernels from text for tests ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_UNIT_EXECUTION_KERNELTESTUTILS_H
#define ATTN_UNIT_EXECUTION_KERNELTESTUTILS_H

#include "attn/Execution/Kernel.h"
#include "attn/Execution/Module.h"
#include "attn/InitAll.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

namespace attn {

class KernelTestBase : public testing::Test {
protected:
  KernelTestBase() : context(mlir::MLIRContext::Threading::DISABLED) {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
  }

  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
  parse(llvm::StringRef text) {
    return parseModule(text, "test.mlir", context);
  }

  /// Compiles @f of `text`.
  std::unique_ptr<Kernel> compile(llvm::StringRef text) {
    auto module = parse(text);
    if (!module) {
      ADD_FAILURE() << llvm::toString(module.takeError());
      std::abort();
    }
    auto kernel = Kernel::compile(**module, "f");
    if (!kernel) {
      ADD_FAILURE() << llvm::toString(kernel.takeError());
      std::abort();
    }
    return std::move(*kernel);
  }

  /// An array of small numbers, other ones for another seed.
  static Array fill(llvm::ArrayRef<int64_t> shape, int seed) {
    auto array = Array::create(ElementType::F32, shape);
    if (!array) {
      ADD_FAILURE() << llvm::toString(array.takeError());
      std::abort();
    }
    for (int64_t i = 0; i < array->getNumElements(); ++i)
      array->set(i, ((i * 37 + seed * 101) % 64 - 32) / 32.0);
    return std::move(*array);
  }

  /// The message of a call with borrowed arrays; empty if it succeeds.
  static std::string call(const Kernel &kernel,
                          llvm::ArrayRef<ArrayView> arguments,
                          llvm::ArrayRef<ArrayView> outputs, int threads = 0) {
    CallOptions options;
    options.threads = threads;
    llvm::Error error = kernel.call(arguments, outputs, options);
    return error ? llvm::toString(std::move(error)) : "";
  }

  mlir::MLIRContext context;
};

} // namespace attn

#endif // ATTN_UNIT_EXECUTION_KERNELTESTUTILS_H
