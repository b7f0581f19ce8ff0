//===- DriverOptions.h - The command line of attn-run -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TOOLS_DRIVEROPTIONS_H
#define ATTN_LIB_TOOLS_DRIVEROPTIONS_H

#include "attn/Pipelines/Pipelines.h"
#include "attn/Support/Random.h"

#include <map>

namespace attn {

enum class DriverTarget { CPU, GPU, GPUEmulator, Reference };
enum class EmitKind { None, MLIR, LLVM, Assembly, PTX, SassStats };

/// `--shape=[ARG:]2x8x128x64`.
struct ShapeOption {
  std::optional<int64_t> argument;
  llvm::SmallVector<int64_t> shape;
};

/// The command line of attn-run, each value checked as far as it can be without
/// the module.
struct DriverOptions {
  std::string file;
  std::string entry;
  std::vector<std::string> inputs, outputs;
  std::optional<uint64_t> randomSeed;
  std::vector<ShapeOption> shapes;
  std::map<int64_t, RandomRange> randomRanges;
  DriverTarget target = DriverTarget::CPU;
  /// What the emulator draws the order of threads from; 0: they take turns.
  uint64_t schedule = 0;
  /// None: the runtime's default, one per core.
  llvm::SmallVector<int> threads;
  bool check = false;
  bool time = false;
  /// 0: as many as half a second holds, and at least 7.
  int64_t timedRuns = 0;
  /// How many MiB the copies of the arguments take that timed runs go through
  /// in turn; 0: all runs have the same.
  int64_t rotatedMiB = 0;
  bool json = false;
  std::optional<llvm::SmallVector<int64_t>> tracePair;
  EmitKind emit = EmitKind::None;
  bool printConfig = false;
  bool countTiles = false;
  WgmmaPolicy wgmma = WgmmaPolicy::Auto;
  bool requireFused = false;
  FusionPolicy fusion = FusionPolicy::Auto;
  std::optional<Stage> startAfter, stopAfter, verifyStage;
  /// Verify the module after every pass.
  bool verifyEach = false;
  std::string cpu, features;
  /// The GPU to compile for; empty: the default.
  std::string chip;
  bool help = false, version = false;

  /// Whether code is printed instead of run.
  bool showsCode() const { return emit != EmitKind::None || stopAfter; }
  /// What the stages are to compile for.
  Device getDevice() const {
    return target == DriverTarget::GPU || target == DriverTarget::GPUEmulator
               ? Device::GPU
               : Device::CPU;
  }
  /// The last stage, if no other is named: what is shown of a GPU's code are
  /// its kernels.
  Stage getLastStage() const {
    return target == DriverTarget::GPU && showsCode() ? Stage::NVVM
                                                      : Stage::LLVM;
  }
  /// Whether only what is chosen is printed, for which no argument is needed.
  bool showsConfig() const {
    return printConfig && inputs.empty() && outputs.empty() && !randomSeed &&
           !check && !time && !tracePair && !countTiles;
  }
};

/// Reads the command line. An error is one line.
llvm::Expected<DriverOptions> parseDriverOptions(llvm::ArrayRef<char *> argv);

/// What `--help` prints.
void printDriverHelp(llvm::raw_ostream &os);

} // namespace attn

#endif // ATTN_LIB_TOOLS_DRIVEROPTIONS_H
