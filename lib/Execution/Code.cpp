//===- Code.cpp - The machine code of a function ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Code.h"
#include "Codegen.h"
#include "PackedCode.h"
#include "attn/Tiling/Tiling.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"

using namespace mlir;

namespace attn {

namespace {
/// Compiles modules for one machine.
class ObjectCompiler final : public llvm::orc::IRCompileLayer::IRCompiler {
public:
  explicit ObjectCompiler(std::unique_ptr<llvm::TargetMachine> machine)
      : IRCompiler(
            llvm::orc::irManglingOptionsFromTargetOptions(machine->Options)),
        machine(std::move(machine)) {}

  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
  operator()(llvm::Module &module) override {
    return compileToObject(module, *machine);
  }

private:
  std::unique_ptr<llvm::TargetMachine> machine;
};
} // namespace

llvm::Error Code::createJIT(std::unique_ptr<llvm::TargetMachine> machine) {
  llvm::orc::LLJITBuilder builder;
  builder.setDataLayout(machine->createDataLayout());
  builder.setCompileFunctionCreator(
      [&](llvm::orc::JITTargetMachineBuilder)
          -> llvm::Expected<
              std::unique_ptr<llvm::orc::IRCompileLayer::IRCompiler>> {
        return std::make_unique<ObjectCompiler>(std::move(machine));
      });
  auto created = builder.create();
  if (!created)
    return created.takeError();
  jit = std::move(*created);
  jit->getExecutionSession().setErrorReporter([this](llvm::Error error) {
    std::string message = llvm::toString(std::move(error));
    if (linkMessage.empty())
      linkMessage = std::move(message);
  });
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      jit->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  llvm::orc::JITDylib &library = jit->getMainJITDylib();
  library.addGenerator(std::move(*process));
  // The runtime, by address: it need not be visible in the process.
  llvm::orc::SymbolMap runtime;
  auto define = [&](StringRef name, auto *address) {
    runtime[jit->mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(address),
        llvm::JITSymbolFlags::Exported};
  };
  define("attn_rt_alloc", &attn_rt_alloc);
  define("attn_rt_alloc_result", &attn_rt_alloc_result);
  define("attn_rt_free", &attn_rt_free);
  define("attn_rt_fail", &attn_rt_fail);
  define("attn_rt_parallel_for", &attn_rt_parallel_for);
  if (emulated) {
    define("attn_rt_gpu_launch", &EmulatedCode::launch);
    define("attn_rt_gpu_map", &EmulatedCode::map);
    define("attn_rt_gpu_get_error_word", &EmulatedCode::getErrorWord);
    define("attn_rt_gpu_code", emulated.get());
    define("attn_rt_gpu_alloc", &attn_rt_alloc);
    define("attn_rt_gpu_alloc_result", &attn_rt_alloc_result);
    define("attn_rt_gpu_free", &attn_rt_free);
    define("attn_rt_gpu_copy_in", &EmulatedCode::copyIn);
  } else if (loadable) {
    define("attn_rt_gpu_launch", &attn_rt_gpu_launch);
    define("attn_rt_gpu_map", &attn_rt_gpu_map);
    define("attn_rt_gpu_code", loadable->get());
    define("attn_rt_gpu_alloc", &attn_rt_gpu_alloc);
    define("attn_rt_gpu_alloc_result", &attn_rt_gpu_alloc_result);
    define("attn_rt_gpu_free", &attn_rt_gpu_free);
    define("attn_rt_gpu_copy_in", &attn_rt_gpu_copy_in);
    define("attn_rt_gpu_get_error_word", &attn_rt_gpu_get_error_word);
  }
  return library.define(llvm::orc::absoluteSymbols(std::move(runtime)));
}

template <typename T> llvm::Error Code::lookup(StringRef name, T &address) {
  auto found = jit->lookup(name);
  if (found) {
    address = found->toPtr<T>();
    return llvm::Error::success();
  }
  std::string message = llvm::toString(found.takeError());
  return llvm::createStringError("the kernel cannot be linked: " +
                                 (linkMessage.empty() ? message : linkMessage));
}

llvm::Expected<std::unique_ptr<Code>>
Code::compile(ModuleOp module, func::FuncOp function,
              const CompileOptions &options, Lending lent) {
  auto machine = createTargetMachine(options);
  if (!machine)
    return machine.takeError();
  auto context = std::make_unique<llvm::LLVMContext>();
  auto packed =
      compilePacked(module, function, options, lent, *context, **machine);
  if (!packed)
    return packed.takeError();
  std::unique_ptr<Code> code(new Code);
  code->lent = std::move(lent);
  code->emulated = std::move(packed->emulated);
  if (options.stages.device == Device::GPU && !options.emulated)
    code->loadable = std::make_unique<LoadableCode>(
        std::move(packed->images), *GPUTarget::find(options.stages.chip));
  if (llvm::Error error = code->createJIT(std::move(*machine)))
    return std::move(error);
  if (llvm::Error error = code->jit->addIRModule(llvm::orc::ThreadSafeModule(
          std::move(packed->module), std::move(context))))
    return std::move(error);
  if (llvm::Error error = code->lookup(packed->entry, code->function))
    return std::move(error);
  if (packed->counts)
    if (llvm::Error error = code->lookup(getTileCountsName(), code->tileCounts))
      return std::move(error);
  return code;
}

} // namespace attn
