//===- Kernel.cpp - A compiled function with a checked call -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Execution/Kernel.h"
#include "Codegen.h"
#include "attn/Execution/ShapeRules.h"
#include "attn/Runtime/attn_rt.h"
#include "attn/Tiling/Tiling.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

#include <algorithm>
#include <cstring>
#include <mutex>

using namespace mlir;

namespace attn {

namespace {
struct DestroyContext {
  void operator()(attn_rt_context *context) const {
    attn_rt_destroy(context);
  }
};
using ContextPtr = std::unique_ptr<attn_rt_context, DestroyContext>;

/// The contexts of calls that are over: what they keep serves the next ones.
class ContextPool {
public:
  /// A context for one call; null if there is no memory.
  ContextPtr take() {
    std::lock_guard<std::mutex> lock(mutex);
    if (free.empty())
      return ContextPtr(attn_rt_create(nullptr));
    ContextPtr context = std::move(free.back());
    free.pop_back();
    return context;
  }
  void giveBack(ContextPtr context) {
    attn_rt_reset(context.get());
    std::lock_guard<std::mutex> lock(mutex);
    free.push_back(std::move(context));
  }

private:
  std::mutex mutex;
  std::vector<ContextPtr> free;
};
} // namespace

struct Kernel::Impl {
  SmallVector<TensorSpec> arguments, results;
  ShapeRules rules;
  /// What the JIT says beside the error of a lookup; it may until it is gone.
  std::string linkMessage;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  /// Takes pointers to its arguments: the result, then each argument.
  void (*function)(attn_rt_context *, void **) = nullptr;
  ContextPool contexts;
  /// The counters in the kernel, if it counts.
  const int64_t *tileCounts = nullptr;

  llvm::Error createJIT(std::unique_ptr<llvm::TargetMachine> machine);
  /// The address of a symbol, once the code is added.
  template <typename T> llvm::Error lookup(StringRef name, T &address);
};

char CheckError::ID = 0;

Kernel::Kernel(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Kernel::~Kernel() = default;

Kernel::TileCounts Kernel::getTileCounts() const {
  if (const int64_t *counts = impl->tileCounts)
    return {counts[0], counts[1], counts[2]};
  return {};
}

ArrayRef<TensorSpec> Kernel::getArguments() const { return impl->arguments; }
ArrayRef<TensorSpec> Kernel::getResults() const { return impl->results; }

llvm::Expected<TensorSpec> getTensorSpec(Type type, bool scalars) {
  TensorSpec spec;
  auto tensor = dyn_cast<RankedTensorType>(type);
  spec.scalar = !tensor;
  std::string text, elementText;
  llvm::raw_string_ostream(text) << type;
  llvm::raw_string_ostream(elementText)
      << (tensor ? tensor.getElementType() : type);
  std::optional<ElementType> element = parseElementType(elementText);
  if (!element || (tensor && tensor.getEncoding()) || (!tensor && !scalars))
    return llvm::createStringError(
        "expected a ranked tensor" + Twine(scalars ? " or a scalar" : "") +
        " of f16, bf16, f32, f64, i1, i8, i16, i32, i64 or index, but got " +
        text +
        (element && !tensor ? "; return a tensor<" + text + "> instead" : ""));
  spec.type = *element;
  if (tensor)
    spec.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  return spec;
}

/// What the values of `types` take; an error names the first that cannot be
/// passed as an array.
static llvm::Error getSpecs(TypeRange types, StringRef what, bool scalars,
                            SmallVectorImpl<TensorSpec> &specs) {
  for (auto [index, type] : llvm::enumerate(types)) {
    llvm::Expected<TensorSpec> spec = getTensorSpec(type, scalars);
    if (!spec)
      return llvm::createStringError(what + " " + Twine(index) + ": " +
                                     llvm::toString(spec.takeError()));
    specs.push_back(*spec);
  }
  return llvm::Error::success();
}

/// Adds `@NAME(context, ptr)`, which unpacks an array of pointers, calls @entry
/// with the context and stores its result behind the first.
static void createPackedEntry(ModuleOp module, LLVM::LLVMFuncOp entry,
                              StringRef name) {
  OpBuilder b(module.getBodyRegion());
  Location loc = entry.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(module.getContext()), {pointer, pointer});
  b.setInsertionPointToEnd(module.getBody());
  auto packed = LLVM::LLVMFuncOp::create(b, loc, name, type);
  Block *body = packed.addEntryBlock(b);
  b.setInsertionPointToStart(body);
  SmallVector<Value> operands{body->getArgument(0)};
  unsigned next = 1;
  auto load = [&](unsigned index, Type type) -> Value {
    Value slot =
        LLVM::GEPOp::create(b, loc, pointer, pointer, body->getArgument(1),
                            ArrayRef<LLVM::GEPArg>{index});
    Value address = LLVM::LoadOp::create(b, loc, pointer, slot);
    if (!type)
      return address;
    return LLVM::LoadOp::create(b, loc, type, address);
  };
  for (Type argument : entry.getFunctionType().getParams().drop_front())
    operands.push_back(load(next++, argument));
  auto call = LLVM::CallOp::create(b, loc, entry, operands);
  if (call.getNumResults())
    LLVM::StoreOp::create(b, loc, call.getResult(), load(0, {}));
  LLVM::ReturnOp::create(b, loc, ValueRange());
}

/// `wanted`, or what follows on it if that is taken.
static std::string getFreeName(ModuleOp module, StringRef wanted) {
  std::string name = wanted.str();
  for (unsigned number = 0; module.lookupSymbol(name); ++number)
    name = wanted.str() + std::to_string(number);
  return name;
}

/// Drops what `entry` does not call, and gives every function that stays a name
/// of its own, so that none is taken for one of the C library or of a runtime
/// (`malloc`). An error if one has no body.
static llvm::Error isolateFunction(ModuleOp module, func::FuncOp entry) {
  for (auto function : module.getOps<func::FuncOp>())
    function.setVisibility(function == entry
                               ? SymbolTable::Visibility::Public
                               : SymbolTable::Visibility::Private);
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  pm.addPass(createSymbolDCEPass());
  if (failed(pm.run(module)))
    return llvm::createStringError("the functions that @" + entry.getName() +
                                   " does not call cannot be dropped");
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isDeclaration())
      return llvm::createStringError("expected every function that is called "
                                     "to have a body, but @" +
                                     function.getName() +
                                     " is only declared; define it");
    std::string name =
        getFreeName(module, "attn_function." + function.getName().str());
    if (failed(SymbolTable::replaceAllSymbolUses(
            function, StringAttr::get(module.getContext(), name), module)))
      return llvm::createStringError("@" + function.getName() +
                                     " cannot be renamed");
    function.setName(name);
  }
  return llvm::Error::success();
}

llvm::Error
Kernel::Impl::createJIT(std::unique_ptr<llvm::TargetMachine> machine) {
  llvm::orc::LLJITBuilder builder;
  builder.setDataLayout(machine->createDataLayout());
  builder.setCompileFunctionCreator(
      [&](llvm::orc::JITTargetMachineBuilder)
          -> llvm::Expected<
              std::unique_ptr<llvm::orc::IRCompileLayer::IRCompiler>> {
        return std::make_unique<llvm::orc::TMOwningSimpleCompiler>(
            std::move(machine));
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
  auto define = [&](StringRef name, auto *function) {
    runtime[jit->mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(function),
        llvm::JITSymbolFlags::Exported};
  };
  define("attn_rt_alloc", &attn_rt_alloc);
  define("attn_rt_alloc_result", &attn_rt_alloc_result);
  define("attn_rt_free", &attn_rt_free);
  define("attn_rt_fail", &attn_rt_fail);
  define("attn_rt_parallel_for", &attn_rt_parallel_for);
  return library.define(llvm::orc::absoluteSymbols(std::move(runtime)));
}

template <typename T>
llvm::Error Kernel::Impl::lookup(StringRef name, T &address) {
  auto found = jit->lookup(name);
  if (found) {
    address = found->toPtr<T>();
    return llvm::Error::success();
  }
  std::string message = llvm::toString(found.takeError());
  return llvm::createStringError("the kernel cannot be linked: " +
                                 (linkMessage.empty() ? message : linkMessage));
}

llvm::Expected<std::unique_ptr<Kernel>>
Kernel::compile(ModuleOp module, StringRef entry,
                const CompileOptions &userOptions) {
  CompileOptions options = userOptions;
  if (llvm::Error error = resolveTarget(options))
    return std::move(error);
  if (llvm::Error error = checkHostRuns(options))
    return std::move(error);
  auto function = module.lookupSymbol<func::FuncOp>(entry);
  if (!function || function.isDeclaration())
    return llvm::createStringError("expected a function @" + entry +
                                   " with a body in the module");
  auto impl = std::make_unique<Impl>();
  if (llvm::Error error = getSpecs(function.getArgumentTypes(), "argument",
                                   /*scalars=*/true, impl->arguments))
    return std::move(error);
  if (llvm::Error error = getSpecs(function.getResultTypes(), "result",
                                   /*scalars=*/false, impl->results))
    return std::move(error);
  impl->rules = ShapeRules::derive(function);
  if (llvm::Error error = isolateFunction(module, function))
    return std::move(error);
  // The renaming took the old name, and maybe what `entry` points to.
  std::string name = function.getName().str();

  options.stages.stopAfter = Stage::LLVM;
  if (llvm::Error error = lowerModule(module, options))
    return std::move(error);
  auto lowered = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  if (!lowered)
    return llvm::createStringError("@" + entry + " was not lowered");
  std::string packed = getFreeName(module, "attn_entry");
  createPackedEntry(module, lowered, packed);
  bool counts = module.lookupSymbol(getTileCountsName());

  auto machine = createTargetMachine(options);
  if (!machine)
    return machine.takeError();
  auto context = std::make_unique<llvm::LLVMContext>();
  auto translated = translateAndOptimize(module, *context, **machine);
  if (!translated)
    return translated.takeError();
  if (llvm::Error error = impl->createJIT(std::move(*machine)))
    return std::move(error);
  if (llvm::Error error = impl->jit->addIRModule(llvm::orc::ThreadSafeModule(
          std::move(*translated), std::move(context))))
    return std::move(error);
  if (llvm::Error error = impl->lookup(packed, impl->function))
    return std::move(error);
  if (counts)
    if (llvm::Error error = impl->lookup(getTileCountsName(), impl->tileCounts))
      return std::move(error);
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

/// A copy of `data`, which belongs to somebody else.
static llvm::Expected<Array>
copyArray(ElementType type, ArrayRef<int64_t> shape, const void *data) {
  llvm::Expected<Array> array = Array::create(type, shape);
  if (array && array->getNumBytes() != 0)
    std::memcpy(array->getData(), data, array->getNumBytes());
  return array;
}

/// The results of a call, from the memrefs in `words`. What the context does
/// not own, since it was returned before or is no allocation of the call, is
/// copied.
static llvm::Expected<std::vector<Array>>
takeResults(ArrayRef<TensorSpec> specs, ArrayRef<int64_t> words,
            attn_rt_context *context) {
  SmallVector<ArrayRef<int64_t>> memrefs;
  for (const TensorSpec &spec : specs) {
    size_t size = 3 + 2 * spec.shape.size();
    memrefs.push_back(words.take_front(size));
    words = words.drop_front(size);
  }
  std::vector<Array> results;
  llvm::Error errors = llvm::Error::success();
  // From the last on: what is copied is there until the first takes it over.
  for (size_t index = specs.size(); index-- > 0;) {
    ArrayRef<int64_t> memref = memrefs[index];
    ElementType type = specs[index].type;
    void *allocation = reinterpret_cast<void *>(memref[0]);
    char *data =
        reinterpret_cast<char *>(memref[1]) + memref[2] * getByteWidth(type);
    ArrayRef<int64_t> shape = memref.slice(3, specs[index].shape.size());
    bool again = llvm::any_of(
        ArrayRef(memrefs).take_front(index),
        [&](ArrayRef<int64_t> other) { return other[0] == memref[0]; });
    void *owned = again ? nullptr : attn_rt_take(context, allocation);
    auto array = owned ? Array::adopt(type, shape, owned, data)
                       : copyArray(type, shape, data);
    if (array)
      results.push_back(std::move(*array));
    else
      errors = llvm::joinErrors(array.takeError(), std::move(errors));
  }
  if (errors)
    return std::move(errors);
  std::reverse(results.begin(), results.end());
  return results;
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
  ContextPtr context = impl->contexts.take();
  if (!context)
    return llvm::createStringError("there is no memory for a call");
  impl->function(context.get(), slots.data());
  if (const char *message = attn_rt_get_error(context.get())) {
    llvm::Error error = llvm::make_error<CheckError>(message);
    impl->contexts.giveBack(std::move(context));
    return std::move(error);
  }
  auto results = takeResults(impl->results, result, context.get());
  impl->contexts.giveBack(std::move(context));
  return results;
}

} // namespace attn
