//===- GPU.cpp - The stages for a GPU ---------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"
#include "attn/Pipelines/Pipelines.h"
#include "attn/Transforms/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace attn {

void prepareKernels(OpPassManager &pm, const StageOptions &options) {
  pm.addNestedPass<func::FuncOp>(createOwnInitsPass());
  // Ops that have no kernel of their own.
  pm.addNestedPass<func::FuncOp>(createDecomposeAttentionPass());
  TileContractionsPassOptions contractions;
  contractions.whole = true;
  pm.addNestedPass<func::FuncOp>(createTileContractionsPass(contractions));
  ChooseGPUContractPassOptions choose;
  choose.chip = options.chip;
  choose.wgmma = options.wgmma;
  pm.addNestedPass<func::FuncOp>(createChooseGPUContractPass(choose));
  // What is left becomes kernels op by op, which store what the next one reads.
  pm.addPass(createLinalgElementwiseOpFusionPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void buildGPUStage(OpPassManager &pm) {
  pm.addPass(createLowerAffinePass());
  pm.addNestedPass<func::FuncOp>(createEmitGPUPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createGpuKernelOutliningPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// The conversion to the dialect of a GPU's instructions.
static void addConversion(OpPassManager &pm, StringRef chip) {
  std::optional<GPUTarget> gpu = GPUTarget::find(chip);
  if (!gpu || !gpu->isAMD()) {
    pm.addPass(createConvertGpuOpsToNVVMOps());
    return;
  }
  ConvertGpuOpsToROCDLOpsOptions convert;
  convert.chipset = chip.str();
  pm.addPass(createConvertGpuOpsToROCDLOps(convert));
}

void buildKernelStage(OpPassManager &pm, const StageOptions &options) {
  pm.addPass(createLowerTensorMapsPass());
  OpPassManager &flat = pm.nest<gpu::GPUModuleOp>();
  flat.addPass(createExpandKernelMathPass());
  flat.addPass(arith::createArithExpandOpsPass());
  flat.addPass(createConvertVectorToSCFPass(
      VectorTransferToSCFOptions().enableFullUnroll()));
  flat.addPass(memref::createExpandStridedMetadataPass());
  flat.addPass(createLowerAffinePass());
  flat.addPass(createConvertNVGPUToNVVMPass());
  flat.addPass(createSCFToControlFlowPass());
  pm.addPass(createLowerKernelChecksPass());
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createConvertVectorToLLVMPass());
  addConversion(kernels, options.chip);
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  // What conversions of functions have dropped.
  pm.addPass(createLowerTensorMapsPass());
}

} // namespace attn
