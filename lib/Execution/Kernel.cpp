//===- Kernel.cpp - A compiled function with a checked call -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelImpl.h"
#include "attn/Execution/Module.h"
#include "attn/Support/LargeStack.h"
#include "mlir/Bytecode/BytecodeWriter.h"

using namespace mlir;

namespace attn {

char CheckError::ID = 0;

Kernel::Kernel(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Kernel::~Kernel() = default;

ArrayRef<TensorSpec> Kernel::getArguments() const {
  return impl->signature.arguments;
}
ArrayRef<TensorSpec> Kernel::getResults() const {
  return impl->signature.results;
}

llvm::Expected<std::unique_ptr<Kernel>>
Kernel::compile(ModuleOp original, StringRef entry,
                const CompileOptions &userOptions) {
  if (!original)
    return llvm::createStringError(
        "expected a module to compile, but got none");
  CompileOptions options = userOptions;
  if (llvm::Error error = resolveTarget(options))
    return std::move(error);
  if (llvm::Error error = checkHostRuns(options))
    return std::move(error);
  OwningOpRef<ModuleOp> module = original.clone();
  auto function = module->lookupSymbol<func::FuncOp>(entry);
  if (!function || function.isDeclaration())
    return llvm::createStringError("expected a function @" + entry +
                                   " with a body in the module");
  auto impl = std::make_unique<Impl>();
  llvm::Expected<Signature> signature = readSignature(
      function, /*memrefs=*/options.stages.startAfter >= Stage::Bufferize);
  if (!signature)
    return signature.takeError();
  impl->signature = std::move(*signature);
  bool onGPU = options.stages.device == Device::GPU && !options.emulated;
  impl->description = std::make_unique<FunctionDescription>(
      impl->signature, onGPU ? ATTN_CUDA : ATTN_CPU);
  if (llvm::Error error = impl->source.keep(original, entry, options))
    return std::move(error);
  auto code = Code::compile(*module, function, options,
                            Lending(impl->signature.arguments.size(),
                                    impl->signature.results.size()));
  if (!code)
    return code.takeError();
  impl->code = std::move(*code);
  return std::unique_ptr<Kernel>(new Kernel(std::move(impl)));
}

//===----------------------------------------------------------------------===//
// Code for lent arrays
//===----------------------------------------------------------------------===//

llvm::Error Source::keep(ModuleOp module, StringRef entry,
                         const CompileOptions &options) {
  llvm::raw_string_ostream os(bytecode);
  if (failed(writeBytecodeToFile(module, os)))
    return llvm::createStringError("the module cannot be kept");
  this->entry = entry.str();
  this->options = options;
  // Remarks were made once; what is called may be gone.
  this->options.onRemark = nullptr;
  module.getContext()->getDialectRegistry().appendTo(registry);
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Code>>
Source::compile(const Lending &lent) const {
  if (options.stages.startAfter >= Stage::Bufferize)
    return llvm::createStringError(
        "expected arrays that lie row by row, since the kernel was compiled "
        "from memrefs, which do");
  llvm::Expected<std::unique_ptr<Code>> result = nullptr;
  // The caller's stack may be small, and his context is his.
  runOnLargeStack([&] {
    MLIRContext context(registry, MLIRContext::Threading::DISABLED);
    auto module = parseModule(bytecode, "kernel", context);
    if (!module)
      result = module.takeError();
    else
      result =
          Code::compile(**module, (*module)->lookupSymbol<func::FuncOp>(entry),
                        options, lent);
    return 0;
  });
  return result;
}

llvm::Expected<const Code *> Kernel::Impl::getCode(const Lending &lent) {
  if (lent.none())
    return code.get();
  std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Code> &found = lentCode[lent];
  if (!found) {
    auto compiled = source.compile(lent);
    if (!compiled)
      return compiled.takeError();
    found = std::move(*compiled);
  }
  return found.get();
}

Kernel::TileCounts Kernel::getTileCounts() const {
  TileCounts sum;
  auto add = [&](const Code &code) {
    if (const int64_t *counts = code.tileCounts) {
      sum.examined += counts[0];
      sum.computed += counts[1];
      sum.full += counts[2];
    }
  };
  add(*impl->code);
  std::lock_guard<std::mutex> lock(impl->mutex);
  for (auto &[lent, code] : impl->lentCode)
    if (code)
      add(*code);
  return sum;
}

EmulatorCounts Kernel::getEmulatorCounts() const {
  EmulatorCounts sum;
  auto add = [&](const Code &code) {
    if (code.emulated)
      sum += code.emulated->getCounts();
  };
  add(*impl->code);
  std::lock_guard<std::mutex> lock(impl->mutex);
  for (auto &[lent, code] : impl->lentCode)
    if (code)
      add(*code);
  return sum;
}

} // namespace attn
