//===- CPU.cpp - The stages for a CPU ---------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"
#include "attn/Pipelines/Pipelines.h"
#include "attn/Transforms/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace attn {

ArrayRef<StringRef> getStageNames() {
  static constexpr StringRef kNames[] = {"import", "generalize", "bound",
                                         "tile",   "bufferize",  "vectorize",
                                         "gpu",    "nvvm",       "llvm"};
  return kNames;
}

std::optional<Stage> parseStage(StringRef name) {
  for (auto [index, known] : llvm::enumerate(getStageNames()))
    if (name == known)
      return static_cast<Stage>(index);
  return std::nullopt;
}

bool isStageOf(Device device, Stage stage) {
  switch (stage) {
  case Stage::Tile:
  case Stage::Vectorize:
    return device == Device::CPU;
  case Stage::GPU:
  case Stage::NVVM:
    return device == Device::GPU;
  default:
    return true;
  }
}

static void addCleanup(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void buildImportStage(OpPassManager &pm, const StageOptions &options) {
  pm.addPass(createCheckSizesPass());
  // What a GPU's memory holds is checked by kernels.
  CheckExtentsPassOptions extents;
  extents.startsValues = options.device == Device::CPU;
  pm.addPass(createCheckExtentsPass(extents));
}

void buildGeneralizeStage(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createGeneralizeElementwisePass());
  pm.addNestedPass<func::FuncOp>(createGeneralizeAttentionPass());
  // Whatever extent is a constant is one before tiles are made: upstream's
  // patterns give slices that do not verify where one turns out to be 0 later.
  pm.addPass(createCompositeFixedPointPass("attn-find-extents", addCleanup));
}

void buildBoundStage(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createBoundAttentionPass());
}

void buildTileStage(OpPassManager &pm, const StageOptions &options) {
  TileAttentionPassOptions tile;
  tile.queryTile = options.queryTile;
  tile.keyTile = options.keyTile;
  tile.requireFused = options.requireFused;
  tile.fusion = options.fusion;
  tile.vectorBits = options.target.vectorBits;
  tile.hasBf16Dot = options.target.hasBf16Dot;
  tile.countTiles = options.countTiles;
  SpecializeRowsPassOptions rows;
  rows.queryTile = options.queryTile;
  rows.fusion = options.fusion;
  rows.vectorBits = options.target.vectorBits;
  rows.hasBf16Dot = options.target.hasBf16Dot;
  pm.addNestedPass<func::FuncOp>(createOwnInitsPass());
  pm.addNestedPass<func::FuncOp>(createSpecializeRowsPass(rows));
  pm.addNestedPass<func::FuncOp>(createTileAttentionPass(tile));
  pm.addNestedPass<func::FuncOp>(createDecomposeAttentionPass());
  pm.addNestedPass<func::FuncOp>(createTileContractionsPass());
  addCleanup(pm);
}

void buildBufferizeStage(OpPassManager &pm) {
  pm.addPass(createLendArgumentsPass());
  pm.addPass(createLendResultsPass());
  pm.addNestedPass<func::FuncOp>(createSeparateInitsPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  // A tile that is computed in place is copied onto itself, as can be seen once
  // both are one value.
  pm.addPass(createCSEPass());
  pm.addPass(createCountTilesPass());
  addCleanup(pm);
}

void buildVectorizeStage(OpPassManager &pm, const StageOptions &options) {
  pm.addPass(createLowerAffinePass());
  pm.addPass(createOutlineContractionsPass());
  VectorizeAttentionPassOptions vectorize;
  vectorize.vectorBits = options.target.vectorBits;
  vectorize.numRegisters = options.target.numRegisters;
  vectorize.hasBf16Dot = options.target.hasBf16Dot;
  pm.addNestedPass<func::FuncOp>(createVectorizeAttentionPass(vectorize));
  // Deallocation follows every control flow it knows; regions of attention ops
  // are none, so it comes when they are gone.
  pm.addPass(bufferization::createOwnershipBasedBufferDeallocationPass());
  pm.addPass(bufferization::createBufferDeallocationSimplificationPass());
  pm.addPass(bufferization::createLowerDeallocationsPass());
  // A function that returns an argument it writes returns a copy.
  pm.addPass(createConvertBufferizationToMemRefPass());
}

void buildLLVMStage(OpPassManager &pm, const StageOptions &options) {
  if (options.device == Device::GPU)
    pm.addPass(createLowerLaunchesPass());
  // What is said of f16 and bf16 is computed in f32.
  pm.addNestedPass<func::FuncOp>(math::createMathExtendToSupportedTypes());
  ExpandMathPassOptions math;
  math.hasScalef = options.target.hasScalef;
  pm.addNestedPass<func::FuncOp>(createExpandMathPass(math));
  pm.addPass(createOutlineParallelPass());
  pm.addNestedPass<func::FuncOp>(createExpandViewsPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createLowerMathPass());
  pm.addPass(createSCFToControlFlowPass());
  ThreadContextPassOptions memory;
  memory.deviceMemory = options.device == Device::GPU;
  pm.addPass(createThreadContextPass(memory));
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  // Taking memrefs apart leaves constants that nothing uses.
  if (options.device == Device::GPU)
    pm.addPass(createCSEPass());
}

void buildPipeline(OpPassManager &pm, const StageOptions &options) {
  auto stage = [&](Stage stage, auto &&build) {
    if (stage < options.startAfter || stage > options.stopAfter ||
        !isStageOf(options.device, stage))
      return;
    if (stage != options.startAfter)
      build();
    // What comes from elsewhere is not taken on trust.
    if (stage == options.verify || stage == options.startAfter) {
      VerifyStagePassOptions verify;
      verify.stage = getStageNames()[static_cast<size_t>(stage)].str();
      pm.addPass(createVerifyStagePass(verify));
    }
  };
  stage(Stage::Import, [&] { buildImportStage(pm, options); });
  stage(Stage::Generalize, [&] { buildGeneralizeStage(pm); });
  stage(Stage::Bound, [&] {
    // What bounds a mask depends on who asks.
    if (options.device == Device::GPU) {
      NameChipPassOptions name;
      name.chip = options.chip;
      pm.addPass(createNameChipPass(name));
      ChooseGPUKernelPassOptions choose;
      choose.chip = options.chip;
      choose.countTiles = options.countTiles;
      choose.wgmma = options.wgmma;
      pm.addNestedPass<func::FuncOp>(createChooseGPUKernelPass(choose));
    }
    buildBoundStage(pm);
  });
  stage(Stage::Tile, [&] { buildTileStage(pm, options); });
  stage(Stage::Bufferize, [&] {
    if (options.device == Device::GPU)
      prepareKernels(pm, options);
    buildBufferizeStage(pm);
  });
  stage(Stage::Vectorize, [&] { buildVectorizeStage(pm, options); });
  stage(Stage::GPU, [&] { buildGPUStage(pm); });
  stage(Stage::NVVM, [&] { buildKernelStage(pm, options); });
  stage(Stage::LLVM, [&] { buildLLVMStage(pm, options); });
}

/// The stages by name, for options.
static llvm::cl::ValuesClass getStageValues() {
  return llvm::cl::values(
      clEnumValN(Stage::Import, "import", "the module verifies"),
      clEnumValN(Stage::Generalize, "generalize", "only core ops remain"),
      clEnumValN(Stage::Bound, "bound", "masks have their key ranges"),
      clEnumValN(Stage::Tile, "tile", "loops over tiles"),
      clEnumValN(Stage::Bufferize, "bufferize", "no tensors"),
      clEnumValN(Stage::Vectorize, "vectorize", "vectors and loops"),
      clEnumValN(Stage::GPU, "gpu", "launches of kernels"),
      clEnumValN(Stage::NVVM, "nvvm", "kernels in the dialect of NVVM"),
      clEnumValN(Stage::LLVM, "llvm", "the LLVM dialect"));
}

namespace {

/// The text form of StageOptions.
struct TextOptions : PassPipelineOptions<TextOptions> {
  Option<std::string> features{
      *this, "features",
      llvm::cl::desc("The target's features, as in \"+avx2,+fma\""),
      llvm::cl::init("")};
  Option<int64_t> queryTile{*this, "query-tile",
                            llvm::cl::desc("Query rows in a tile; 0 chooses"),
                            llvm::cl::init(0)};
  Option<int64_t> keyTile{*this, "key-tile",
                          llvm::cl::desc("Key rows in a tile; 0 chooses"),
                          llvm::cl::init(0)};
  Option<bool> requireFused{
      *this, "require-fused",
      llvm::cl::desc("Report an error where an op would be left unfused"),
      llvm::cl::init(false)};
  Option<FusionPolicy> fusion{
      *this, "fusion", llvm::cl::desc("Which ops to fuse"),
      llvm::cl::init(FusionPolicy::Auto), getFusionPolicyValues()};
  Option<bool> countTiles{
      *this, "count-tiles",
      llvm::cl::desc("Count the key tiles looked at, computed and full"),
      llvm::cl::init(false)};
  Option<Stage> startAfter{
      *this, "start-after",
      llvm::cl::desc("The stage that the module has been through"),
      llvm::cl::init(Stage::Import), getStageValues()};
  Option<Stage> stopAfter{*this, "stop-after",
                          llvm::cl::desc("The last stage to run"),
                          llvm::cl::init(Stage::LLVM), getStageValues()};
  Option<std::string> chip{*this, "chip",
                           llvm::cl::desc("The GPU that kernels are for"),
                           llvm::cl::init(getDefaultChip().str())};
  Option<WgmmaPolicy> wgmma{
      *this, "wgmma", llvm::cl::desc("Which kernels take the form wgmma"),
      llvm::cl::init(WgmmaPolicy::Auto), getWgmmaPolicyValues()};
  Option<Stage> verify{*this, "verify",
                       llvm::cl::desc("The stage whose sentence is checked"),
                       llvm::cl::init(Stage::LLVM), getStageValues()};
};

} // namespace

void registerPipelines() {
  auto build = [](Device device) {
    return [device](OpPassManager &pm, const TextOptions &text) {
      StageOptions options;
      options.device = device;
      options.chip = text.chip;
      options.target = TargetInfo::fromFeatures(text.features);
      options.queryTile = text.queryTile;
      options.keyTile = text.keyTile;
      options.requireFused = text.requireFused;
      options.fusion = text.fusion;
      options.countTiles = text.countTiles;
      options.wgmma = text.wgmma;
      if (text.startAfter.hasValue())
        options.startAfter = text.startAfter;
      options.stopAfter = text.stopAfter;
      if (text.verify.hasValue())
        options.verify = text.verify;
      buildPipeline(pm, options);
    };
  };
  PassPipelineRegistration<TextOptions>(
      "attn-cpu-pipeline", "All stages from attention to LLVM for a CPU",
      build(Device::CPU));
  PassPipelineRegistration<TextOptions>(
      "attn-gpu-pipeline", "All stages from attention to LLVM for a GPU",
      build(Device::GPU));
}

} // namespace attn
