//===- Pipelines.h - The stages from attention to code ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PIPELINES_PIPELINES_H
#define ATTN_PIPELINES_PIPELINES_H

#include "attn/Analysis/GPUTarget.h"
#include "attn/Analysis/KernelFit.h"
#include "attn/Analysis/TargetInfo.h"
#include "mlir/Pass/PassManager.h"

#include <optional>

namespace attn {

/// The stages in order. Each has a function below that populates a pass
/// manager, and a sentence that holds afterwards, which `attn-verify-stage`
/// checks.
enum class Stage {
  Import,
  Generalize,
  Bound,
  Tile,
  Bufferize,
  Vectorize,
  GPU,
  NVVM,
  LLVM
};

/// The names of the stages, in the order of `Stage`.
llvm::ArrayRef<llvm::StringRef> getStageNames();

/// The stage of that name, if there is one.
std::optional<Stage> parseStage(llvm::StringRef name);

/// What attention runs on.
enum class Device { CPU, GPU };

/// Whether what is compiled for `device` goes through `stage`.
bool isStageOf(Device device, Stage stage);

/// What the stages are told: the target, and what overrides their choices.
struct StageOptions {
  Device device = Device::CPU;
  TargetInfo target;
  /// The GPU that kernels are for, one that `GPUTarget` finds.
  std::string chip = getDefaultChip().str();
  /// Which kernels take the form wgmma, on chips that have it.
  WgmmaPolicy wgmma = WgmmaPolicy::Auto;
  /// Query and key rows in a tile; 0 chooses.
  int64_t queryTile = 0, keyTile = 0;
  /// An op that would be left unfused is an error.
  bool requireFused = false;
  /// Which ops to fuse.
  FusionPolicy fusion = FusionPolicy::Auto;
  /// Count the key tiles that are looked at, computed and full.
  bool countTiles = false;
  /// The stage that the module has been through, if any.
  std::optional<Stage> startAfter;
  /// The stage after which to stop.
  Stage stopAfter = Stage::LLVM;
  /// The stage whose sentence is checked, if any.
  std::optional<Stage> verify;
};

/// The module verifies, nothing in it is larger than any memory, and what
/// memory is accessed by is checked.
void buildImportStage(mlir::OpPassManager &pm, const StageOptions &options);
/// Only core ops remain of the dialect.
void buildGeneralizeStage(mlir::OpPassManager &pm);
/// Every mask has its ranges and its classifier.
void buildBoundStage(mlir::OpPassManager &pm);
/// Loops over batch, query tiles and key tiles; nothing that the compiler
/// created spans all query rows and all key rows (unfused ops aside).
void buildTileStage(mlir::OpPassManager &pm, const StageOptions &options);
/// Before bufferization for a GPU: products of matrices are one op each, with
/// the elementwise ops that follow, and so are other elementwise ops that alone
/// use each other.
void prepareKernels(mlir::OpPassManager &pm, const StageOptions &options);
/// No tensors; scratch is allocated once per worker.
void buildBufferizeStage(mlir::OpPassManager &pm);
/// No op of the dialect: tile bodies are vectors and loops.
void buildVectorizeStage(mlir::OpPassManager &pm, const StageOptions &options);
/// Ops on buffers have become launches of kernels, and nothing outside of a
/// kernel reads or writes memory.
void buildGPUStage(mlir::OpPassManager &pm);
/// Kernels are in the dialects `llvm` and `nvvm` or, for a chip of AMD's,
/// `rocdl`.
void buildKernelStage(mlir::OpPassManager &pm, const StageOptions &options);
/// The LLVM dialect only: parallel loops, errors and memory are calls of the
/// runtime.
void buildLLVMStage(mlir::OpPassManager &pm, const StageOptions &options);

/// All stages for `options.device`, after `options.startAfter` and up to
/// `options.stopAfter`.
void buildPipeline(mlir::OpPassManager &pm, const StageOptions &options);

/// Registers `--attn-cpu-pipeline`.
void registerPipelines();

} // namespace attn

#endif // ATTN_PIPELINES_PIPELINES_H
