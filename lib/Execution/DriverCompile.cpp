//===- DriverCompile.cpp - From a module to what was asked for --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DriverCompile.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace attn;
using llvm::createStringError;
using llvm::Expected;

Expected<TensorSpec> attn::getTensorSpec(mlir::Type type) {
  TensorSpec spec;
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  spec.scalar = !tensor;
  mlir::Type element = tensor ? tensor.getElementType() : type;
  std::string text;
  llvm::raw_string_ostream(text) << type;
  std::string elementText;
  llvm::raw_string_ostream(elementText) << element;
  std::optional<ElementType> elementType = parseElementType(elementText);
  if (!elementType || (tensor && tensor.getEncoding()))
    return createStringError(
        "expected a ranked tensor or a scalar of f16, bf16, f32, f64, i1, i8, "
        "i16, i32, i64 or index, but got " +
        text);
  spec.type = *elementType;
  if (tensor)
    for (int64_t extent : tensor.getShape())
      spec.shape.push_back(extent);
  return spec;
}

/// Refuses a CPU or a feature that LLVM does not know: it would only warn, once
/// for every use, and compile for something else.
static llvm::Error checkTarget(llvm::StringRef cpu, llvm::StringRef features) {
  llvm::InitializeNativeTarget();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return createStringError(message);
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      target->createMCSubtargetInfo(triple, "", ""));
  if (!cpu.empty() && !info->isCPUStringValid(cpu))
    return createStringError("expected a CPU that LLVM knows for " +
                             triple.str() + ", but got '" + cpu.str() +
                             "'; try " + llvm::sys::getHostCPUName().str());
  llvm::SmallVector<llvm::StringRef> parts;
  features.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    llvm::StringRef name = part.trim();
    bool sign = name.consume_front("+") || name.consume_front("-");
    bool known = llvm::any_of(
        info->getAllProcessorFeatures(),
        [&](const llvm::SubtargetFeatureKV &known) { return name == known.Key; });
    if (!sign || !known)
      return createStringError("expected --features of +NAME and -NAME that "
                               "LLVM knows for " +
                               triple.str() + ", but got '" + part.str() + "'");
  }
  return llvm::Error::success();
}

Expected<CompileOptions> attn::getCompileOptions(const DriverOptions &options) {
  if (llvm::Error error = checkTarget(options.cpu, options.features))
    return error;
  CompileOptions result;
  result.cpu = options.cpu;
  result.features = options.features;
  result.stages.requireFused = options.requireFused;
  result.stages.fusion = options.fusion;
  result.stages.countTiles = options.countTiles;
  result.stages.stopAfter = options.stopAfter.value_or(Stage::LLVM);
  result.stages.verify = options.verifyStage;
  if (llvm::Error error = resolveTarget(result))
    return error;
  return result;
}

llvm::Error attn::printConfig(llvm::raw_ostream &os, mlir::ModuleOp module,
                              const CompileOptions &options) {
  const TargetInfo &target = options.stages.target;
  os << "config: " << options.cpu << ", vectors of " << target.vectorBits
     << " bits, " << target.numRegisters << " registers"
     << (target.hasFma ? ", fma" : "") << (target.hasScalef ? ", scalef" : "")
     << "\n";
  mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
  return lowerModule(*copy, options, &os);
}

llvm::Error attn::emitModule(llvm::raw_ostream &os, mlir::ModuleOp module,
                             EmitKind kind, const CompileOptions &options) {
  if (llvm::Error error = lowerModule(module, options))
    return error;
  if (kind == EmitKind::LLVM || kind == EmitKind::Assembly)
    return printLLVM(module, options, kind == EmitKind::Assembly, os);
  module.print(os);
  os << "\n";
  return llvm::Error::success();
}
