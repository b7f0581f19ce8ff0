//===- Kernel.cpp - A compiled function with a checked call -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Execution/Kernel.h"
#include "Codegen.h"
#include "ShapeRules.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

using namespace mlir;

/// LLVM's OpenMP runtime, which kernels call; named here so that it is linked.
extern "C" int omp_get_max_threads();

namespace attn {

struct Kernel::Impl {
  SmallVector<TensorSpec> arguments, results;
  ShapeRules rules;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  /// Takes pointers to its arguments: the result, then each argument.
  void (*function)(void **) = nullptr;
  /// The counters in the kernel, if it counts.
  const int64_t *tileCounts = nullptr;
};

Kernel::Kernel(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Kernel::~Kernel() = default;

Kernel::TileCounts Kernel::getTileCounts() const {
  if (const int64_t *counts = impl->tileCounts)
    return {counts[0], counts[1], counts[2]};
  return {};
}

ArrayRef<TensorSpec> Kernel::getArguments() const { return impl->arguments; }
ArrayRef<TensorSpec> Kernel::getResults() const { return impl->results; }

llvm::Expected<TensorSpec> getTensorSpec(Type type) {
  TensorSpec spec;
  auto tensor = dyn_cast<RankedTensorType>(type);
  spec.scalar = !tensor;
  std::string text, elementText;
  llvm::raw_string_ostream(text) << type;
  llvm::raw_string_ostream(elementText)
      << (tensor ? tensor.getElementType() : type);
  std::optional<ElementType> element = parseElementType(elementText);
  if (!element || (tensor && tensor.getEncoding()))
    return llvm::createStringError(
        "expected a ranked tensor or a scalar of f16, bf16, f32, f64, i1, i8, "
        "i16, i32, i64 or index, but got " +
        text);
  spec.type = *element;
  if (tensor)
    spec.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  return spec;
}

/// What the values of `types` take; an error names the first that cannot be
/// passed as an array.
static llvm::Error getSpecs(TypeRange types, StringRef what,
                            SmallVectorImpl<TensorSpec> &specs) {
  for (auto [index, type] : llvm::enumerate(types)) {
    llvm::Expected<TensorSpec> spec = getTensorSpec(type);
    if (!spec)
      return llvm::createStringError(what + " " + Twine(index) + ": " +
                                     llvm::toString(spec.takeError()));
    specs.push_back(*spec);
  }
  return llvm::Error::success();
}

/// Adds `@NAME(ptr)`, which unpacks an array of pointers, calls @entry and
/// stores its result behind the first.
static void createPackedEntry(ModuleOp module, LLVM::LLVMFuncOp entry,
                              StringRef name) {
  OpBuilder b(module.getBodyRegion());
  Location loc = entry.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(module.getContext()), {pointer});
  b.setInsertionPointToEnd(module.getBody());
  auto packed = LLVM::LLVMFuncOp::create(b, loc, name, type);
  Block *body = packed.addEntryBlock(b);
  b.setInsertionPointToStart(body);
  SmallVector<Value> operands;
  unsigned next = 1;
  auto load = [&](unsigned index, Type type) -> Value {
    Value slot =
        LLVM::GEPOp::create(b, loc, pointer, pointer, body->getArgument(0),
                            ArrayRef<LLVM::GEPArg>{index});
    Value address = LLVM::LoadOp::create(b, loc, pointer, slot);
    if (!type)
      return address;
    return LLVM::LoadOp::create(b, loc, type, address);
  };
  for (Type argument : entry.getFunctionType().getParams())
    operands.push_back(load(next++, argument));
  auto call = LLVM::CallOp::create(b, loc, entry, operands);
  if (call.getNumResults())
    LLVM::StoreOp::create(b, loc, call.getResult(), load(0, {}));
  LLVM::ReturnOp::create(b, loc, ValueRange());
}

llvm::Expected<std::unique_ptr<Kernel>>
Kernel::compile(ModuleOp module, StringRef entry,
                const CompileOptions &userOptions) {
  CompileOptions options = userOptions;
  if (llvm::Error error = resolveTarget(options))
    return std::move(error);
  auto function = module.lookupSymbol<func::FuncOp>(entry);
  if (!function || function.isDeclaration())
    return llvm::createStringError("expected a function @" + entry +
                                   " with a body in the module");
  auto impl = std::make_unique<Impl>();
  if (llvm::Error error =
          getSpecs(function.getArgumentTypes(), "argument", impl->arguments))
    return std::move(error);
  if (llvm::Error error =
          getSpecs(function.getResultTypes(), "result", impl->results))
    return std::move(error);
  for (auto [index, spec] : llvm::enumerate(impl->results))
    if (spec.scalar)
      return llvm::createStringError(
          "expected result " + Twine(index) +
          " to be a ranked tensor: return a tensor of rank 0 instead");
  impl->rules = ShapeRules::derive(function);

  options.stages.stopAfter = Stage::LLVM;
  if (llvm::Error error = lowerModule(module, options))
    return std::move(error);
  auto lowered = module.lookupSymbol<LLVM::LLVMFuncOp>(entry);
  if (!lowered)
    return llvm::createStringError("@" + entry + " was not lowered");
  createPackedEntry(module, lowered, "_attn_entry");

  bool counts = module.lookupSymbol(getTileCountsName());

  auto machine = createTargetMachine(options);
  if (!machine)
    return machine.takeError();
  auto context = std::make_unique<llvm::LLVMContext>();
  auto translated = translateAndOptimize(module, *context, **machine);
  if (!translated)
    return translated.takeError();

  llvm::TargetMachine &target = **machine;
  auto jit =
      llvm::orc::LLJITBuilder()
          .setDataLayout(target.createDataLayout())
          .setCompileFunctionCreator(
              [&](llvm::orc::JITTargetMachineBuilder)
                  -> llvm::Expected<
                      std::unique_ptr<llvm::orc::IRCompileLayer::IRCompiler>> {
                return std::make_unique<llvm::orc::TMOwningSimpleCompiler>(
                    std::move(*machine));
              })
          .create();
  if (!jit)
    return jit.takeError();
  impl->jit = std::move(*jit);
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      impl->jit->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  llvm::orc::JITDylib &library = impl->jit->getMainJITDylib();
  library.addGenerator(std::move(*process));
  // The runtime, by address: it need not be visible in the process.
  llvm::orc::SymbolMap runtime;
  runtime[impl->jit->mangleAndIntern("omp_get_max_threads")] = {
      llvm::orc::ExecutorAddr::fromPtr(&omp_get_max_threads),
      llvm::JITSymbolFlags::Exported};
  if (llvm::Error error =
          library.define(llvm::orc::absoluteSymbols(std::move(runtime))))
    return std::move(error);
  if (llvm::Error error = impl->jit->addIRModule(llvm::orc::ThreadSafeModule(
          std::move(*translated), std::move(context))))
    return std::move(error);
  auto address = impl->jit->lookup("_attn_entry");
  if (!address)
    return address.takeError();
  impl->function = address->toPtr<void (*)(void **)>();
  if (counts) {
    auto symbol = impl->jit->lookup(getTileCountsName());
    if (!symbol)
      return symbol.takeError();
    impl->tileCounts = symbol->toPtr<const int64_t *>();
  }
  return std::unique_ptr<Kernel>(new Kernel(std::move(impl)));
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static llvm::Error checkArgument(size_t index, const TensorSpec &spec,
                                 const Array *array) {
  auto mismatch = [&](const Twine &what) {
    return llvm::createStringError("argument " + Twine(index) + " expected " +
                                   toString(spec.shape, spec.type) + what);
  if (llvm::Error error = checkHostRuns(options))
    return std::move(error);
  };
  if (!array)
    return mismatch(", but got nothing");
  bool fits = array->getType() == spec.type &&
              array->getRank() == static_cast<int64_t>(spec.shape.size());
  for (size_t dim = 0; fits && dim < spec.shape.size(); ++dim)
    fits = spec.shape[dim] < 0 || spec.shape[dim] == array->getShape()[dim];
  if (!fits)
    return mismatch(", but got " + array->toString());
  return llvm::Error::success();
}

llvm::Expected<std::vector<Array>>
Kernel::call(ArrayRef<const Array *> arguments) const {
  if (arguments.size() != impl->arguments.size())
    return llvm::createStringError("expected " + Twine(impl->arguments.size()) +
                                   " arguments, but got " +
                                   Twine(arguments.size()));
  for (auto [index, array] : llvm::enumerate(arguments))
    if (llvm::Error error = checkArgument(index, impl->arguments[index], array))
      return std::move(error);
  if (llvm::Error error = impl->rules.check(arguments))
    return std::move(error);

  // A ranked memref is passed as: allocated and aligned pointer, offset,
  // extents, strides, each a word.
  std::vector<int64_t> words;
  size_t numWords = 0;
  for (const Array *array : arguments)
    numWords += 3 + 2 * array->getRank();
  words.reserve(numWords);
  SmallVector<void *> slots{nullptr};
  auto push = [&](int64_t word) {
    words.push_back(word);
    slots.push_back(&words.back());
  };
  for (auto [array, spec] : llvm::zip_equal(arguments, impl->arguments)) {
    if (spec.scalar) {
      slots.push_back(const_cast<void *>(array->getData()));
      continue;
    }
    int64_t data = reinterpret_cast<int64_t>(array->getData());
    push(data);
    push(data);
    push(0);
    for (int64_t extent : array->getShape())
      push(extent);
    for (int64_t stride : array->getStrides())
      push(stride);
  }
  size_t resultWords = 0;
  for (const TensorSpec &spec : impl->results)
    resultWords += 3 + 2 * spec.shape.size();
  SmallVector<int64_t> result(resultWords);
  slots[0] = result.data();
  impl->function(slots.data());

  std::vector<Array> results;
  const int64_t *word = result.data();
  llvm::Error errors = llvm::Error::success();
  for (const TensorSpec &spec : impl->results) {
    size_t rank = spec.shape.size();
    void *allocation = reinterpret_cast<void *>(word[0]);
    char *data =
        reinterpret_cast<char *>(word[1]) + word[2] * getByteWidth(spec.type);
    auto array = Array::adopt(spec.type, ArrayRef<int64_t>(word + 3, rank),
                              allocation, data);
    word += 3 + 2 * rank;
    if (array)
      results.push_back(std::move(*array));
    else
      errors = llvm::joinErrors(std::move(errors), array.takeError());
  }
  if (errors)
    return std::move(errors);
  return results;
}

} // namespace attn
