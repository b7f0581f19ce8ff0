//===- DriverCompile.cpp - From a module to what was asked for --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DriverCompile.h"

#include "attn/Execution/Assembler.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using llvm::createStringError;
using llvm::Expected;

Expected<CompileOptions> attn::getCompileOptions(const DriverOptions &options) {
  CompileOptions result;
  result.cpu = options.cpu;
  result.features = options.features;
  result.stages.requireFused = options.requireFused;
  result.stages.fusion = options.fusion;
  result.stages.countTiles = options.countTiles;
  result.stages.startAfter = options.startAfter;
  result.stages.stopAfter = options.stopAfter.value_or(options.getLastStage());
  result.stages.device = options.getDevice();
  if (!options.chip.empty())
    result.stages.chip = options.chip;
  result.stages.wgmma = options.wgmma;
  result.stages.verify = options.verifyStage;
  result.verifyEach = options.verifyEach;
  result.emulated = options.target == DriverTarget::GPUEmulator;
  result.emulator.seed = options.schedule;
  if (llvm::Error error = resolveTarget(result))
    return error;
  return result;
}

void attn::printTarget(llvm::raw_ostream &os, const CompileOptions &options) {
  if (options.stages.device == Device::GPU) {
    GPUTarget gpu = *GPUTarget::find(options.stages.chip);
    os << "config: " << gpu.chip;
    if (!gpu.isAMD())
      os << ", PTX " << gpu.ptxVersion / 10 << "." << gpu.ptxVersion % 10;
    os << ", " << gpu.sharedBytes << " bytes of shared memory a block\n";
    return;
  }
  const TargetInfo &target = options.stages.target;
  os << "config: " << options.cpu << ", vectors of " << target.vectorBits
     << " bits, " << target.numRegisters << " registers"
     << (target.hasFma ? ", fma" : "") << (target.hasScalef ? ", scalef" : "")
     << (target.hasBf16Dot ? ", bf16 dot" : "") << "\n";
}

bool attn::readUnfused(const StageRemark &remark,
                       std::vector<UnfusedOp> &unfused) {
  llvm::StringRef reason = remark.text;
  if (remark.name != "fusion" || !remark.missed ||
      !reason.consume_front("left unfused: "))
    return false;
  unfused.push_back({remark.location, reason.str()});
  return true;
}

/// What NVIDIA's assembler says of the kernels, of each a line.
static llvm::Error printSassStats(llvm::raw_ostream &os, mlir::ModuleOp module,
                                  llvm::StringRef chip) {
  std::string assembler = findAssembler();
  if (assembler.empty())
    return createStringError("expected ptxas, NVIDIA's assembler, but there is "
                             "none; scripts/setup.sh --with-ptxas gets one");
  std::string ptx;
  llvm::raw_string_ostream text(ptx);
  if (llvm::Error error = printKernels(module, chip, /*text=*/true, text))
    return error;
  if (ptx.empty())
    return llvm::Error::success();
  Expected<AssembledKernels> assembled =
      assemble(assembler, ptx, *GPUTarget::find(chip));
  if (!assembled)
    return assembled.takeError();
  os << summarizeReport(assembled->report, getLaunchMemory(module));
  return llvm::Error::success();
}

llvm::Error attn::emitModule(llvm::raw_ostream &os, mlir::ModuleOp module,
                             EmitKind kind, const CompileOptions &options) {
  // A kernel that is called has names of its own; here they are the module's.
  if (options.stages.stopAfter == Stage::LLVM && !options.stages.startAfter)
    for (llvm::StringRef name :
         {"attn_rt_alloc", "attn_rt_alloc_result", "attn_rt_fail",
          "attn_rt_free", "attn_rt_parallel_for", "memrefCopy"})
      if (module.lookupSymbol(name))
        return createStringError("expected no function @" + name.str() +
                                 ", as the code calls that of the runtime; "
                                 "rename it");
  if (llvm::Error error = lowerModule(module, options))
    return error;
  if (kind == EmitKind::SassStats)
    return printSassStats(os, module, options.stages.chip);
  if (options.stages.device == Device::GPU && kind != EmitKind::None &&
      kind != EmitKind::MLIR)
    return printKernels(module, options.stages.chip,
                        /*text=*/kind != EmitKind::LLVM, os);
  if (kind == EmitKind::LLVM || kind == EmitKind::Assembly)
    return printLLVM(module, options, kind == EmitKind::Assembly, os);
  module.print(os);
  os << "\n";
  return llvm::Error::success();
}

void attn::printEmulatorCounts(llvm::raw_ostream &os,
                               const EmulatorCounts &counts) {
  os << "emulator: " << counts.launches << " launches, " << counts.blocks
     << " blocks, " << counts.barriers << " barriers, " << counts.copies
     << " asynchronous copies, " << counts.matrixLoads << " matrices loaded, "
     << counts.products << " products, " << counts.bankConflicts
     << " bank conflicts\n";
}
