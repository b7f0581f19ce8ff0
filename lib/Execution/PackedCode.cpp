//===- PackedCode.cpp - A function with a uniform entry ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackedCode.h"
#include "Codegen.h"
#include "attn/Tiling/Tiling.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace attn {

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

llvm::Error dropUncalled(ModuleOp module, StringRef entry) {
  for (auto function : module.getOps<func::FuncOp>())
    function.setVisibility(function.getName() == entry
                               ? SymbolTable::Visibility::Public
                               : SymbolTable::Visibility::Private);
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  pm.addPass(createSymbolDCEPass());
  if (failed(pm.run(module)))
    return llvm::createStringError("the functions that @" + entry +
                                   " does not call cannot be dropped");
  return llvm::Error::success();
}

/// Drops what `entry` does not call, and gives every function that stays a name
/// of its own, so that none is taken for one of the C library or of a runtime
/// (`malloc`). An error if one has no body, unless stages have `begun`: these
/// declare what they call of the runtime.
static llvm::Error isolateFunction(ModuleOp module, func::FuncOp entry,
                                   bool begun) {
  if (llvm::Error error = dropUncalled(module, entry.getName()))
    return error;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isDeclaration() && begun)
      continue;
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

/// Rows of the innermost dimension, wherever they lie.
static StridedLayoutAttr getLentLayout(RankedTensorType type) {
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  strides.back() = 1;
  return StridedLayoutAttr::get(type.getContext(), /*offset=*/0, strides);
}

/// Tells the stages which arrays of `function` lie as `lent` says.
static void stateLayouts(func::FuncOp function, Lending &lent) {
  StringRef name = bufferization::BufferizationDialect::kBufferLayoutAttrName;
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes()))
    if (lent.arguments[index])
      function.setArgAttr(index, name,
                          getLentLayout(cast<RankedTensorType>(type)));
  // What a function of the module calls keeps its results.
  if (!SymbolTable::symbolKnownUseEmpty(function, function->getParentOp()))
    lent.results.assign(lent.results.size(), false);
  for (auto [index, type] : llvm::enumerate(function.getResultTypes()))
    if (lent.results[index])
      function.setResultAttr(index, name,
                             getLentLayout(cast<RankedTensorType>(type)));
}

llvm::Expected<PackedCode> compilePacked(ModuleOp module, func::FuncOp function,
                                         const CompileOptions &userOptions,
                                         Lending &lent,
                                         llvm::LLVMContext &context,
                                         llvm::TargetMachine &machine,
                                         StringRef assembler) {
  CompileOptions options = userOptions;
  options.stages.stopAfter = Stage::LLVM;
  std::optional<GPUTarget> gpu = GPUTarget::find(options.stages.chip);
  if (options.stages.device == Device::GPU && !options.emulated && gpu &&
      gpu->isAMD())
    return llvm::createStringError("expected a chip of NVIDIA's to run kernels "
                                   "on, but got " +
                                   gpu->chip + ", for which that is not built");
  stateLayouts(function, lent);
  // The renaming takes the old name.
  std::string entry = function.getName().str();
  if (llvm::Error error = isolateFunction(
          module, function, options.stages.startAfter.has_value()))
    return std::move(error);
  std::string name = function.getName().str();
  if (llvm::Error error = lowerModule(module, options))
    return std::move(error);
  auto lowered = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  if (!lowered)
    return llvm::createStringError("@" + entry + " was not lowered");
  PackedCode packed;
  if (options.stages.device == Device::GPU && options.emulated) {
    auto device = EmulatedCode::take(module, options.emulator);
    if (!device)
      return device.takeError();
    packed.emulated = std::move(*device);
  } else if (options.stages.device == Device::GPU) {
    auto images = takeKernelImages(
        module, *GPUTarget::find(options.stages.chip), assembler);
    if (!images)
      return images.takeError();
    packed.images = std::move(*images);
  }
  packed.entry = getFreeName(module, "attn_entry");
  createPackedEntry(module, lowered, packed.entry);
  packed.counts = module.lookupSymbol(getTileCountsName());
  auto translated = translateAndOptimize(module, context, machine);
  if (!translated)
    return translated.takeError();
  packed.module = std::move(*translated);
  return packed;
}

} // namespace attn
