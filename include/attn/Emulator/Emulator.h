//===- Emulator.h - GPU kernels run on the CPU ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels in LLVM IR for NVIDIA's GPUs run here as they are, but for the
// leaves: each intrinsic becomes a call of a function that does the same to the
// threads of a block, which are stacks that are switched between. Two things
// are stricter than on a GPU, so that a kernel which is right by luck fails:
//
// * Every access is checked. Global memory is the arrays that a launch names.
//   Shared memory is a NaN until it is written.
// * Accesses of two threads to the same shared memory, one of them a write, are
//   an error unless a barrier orders them, whatever the schedule was; and so is
//   any access to what an asynchronous copy is still to write. A copy is over
//   for its thread when that has waited for it, and for others after a barrier.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EMULATOR_EMULATOR_H
#define ATTN_EMULATOR_EMULATOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/Support/Error.h"

#include <array>
#include <memory>

namespace attn {

/// What the emulator is told.
struct EmulatorOptions {
  /// 0: the threads take turns in their order. Others draw the order, and when
  /// the sources of asynchronous copies are read.
  uint64_t seed = 0;
  /// The most bytes of shared memory that a block may have.
  int64_t sharedLimit = 232448;
  /// How often the threads of a block may go round their loops, all together,
  /// until one ends or passes a barrier or the like.
  uint64_t maxIterations = uint64_t(1) << 25;
};

/// Global memory that a kernel may access.
struct EmulatedArray {
  void *base = nullptr;
  int64_t bytes = 0;
};

/// One launch of a kernel.
struct EmulatedLaunch {
  llvm::StringRef kernel;
  /// Blocks of the grid and threads of a block: x, y, z.
  std::array<int64_t, 3> grid{1, 1, 1}, block{1, 1, 1};
  int64_t dynamicSharedBytes = 0;
  /// The address of each parameter.
  llvm::ArrayRef<void *> parameters;
  llvm::ArrayRef<EmulatedArray> arrays;
};

/// What launches so far have done, summed over warps.
struct EmulatorCounts {
  int64_t launches = 0, blocks = 0;
  /// Matrix products, 8x8 matrices loaded, asynchronous copies, barriers of a
  /// block.
  int64_t products = 0, matrixLoads = 0, copies = 0, barriers = 0;
  /// How many more times than once shared memory had to be gone to.
  int64_t bankConflicts = 0;

  EmulatorCounts &operator+=(const EmulatorCounts &other);
};

/// Kernels compiled for this machine. Launches of one emulator take turns.
class Emulator {
public:
  /// Takes over `module`, whose kernels have the calling convention
  /// `ptx_kernel` or `amdgpu_kernel`, and use intrinsics `llvm.nvvm.*` or
  /// `llvm.amdgcn.*`. An error names the first intrinsic, or inline assembly,
  /// that there is nothing for.
  static llvm::Expected<std::unique_ptr<Emulator>>
  create(llvm::orc::ThreadSafeModule module,
         const EmulatorOptions &options = {});
  ~Emulator();

  /// Runs a kernel to its end. An error, of one line, says what the kernel did
  /// wrong, and which thread of which block.
  llvm::Error launch(const EmulatedLaunch &launch);

  EmulatorCounts getCounts() const;

private:
  struct Impl;
  explicit Emulator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace attn

#endif // ATTN_EMULATOR_EMULATOR_H
