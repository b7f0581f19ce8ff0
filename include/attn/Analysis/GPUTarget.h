//===- GPUTarget.h - What the kernels need to know of a GPU -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_ANALYSIS_GPUTARGET_H
#define ATTN_ANALYSIS_GPUTARGET_H

#include "mlir/IR/Operation.h"
#include <cstdint>
#include <optional>
#include <string>

namespace attn {

/// Which kernels take the form `wgmma`, on chips that have it: those that can,
/// with another one for arrays that it is not for; the same without; none.
enum class WgmmaPolicy { Auto, Always, Never };

/// Who makes a GPU, which decides what its instructions are.
enum class GPUVendor { Nvidia, AMD };

/// A GPU as LLVM names it, and what of it decides tiles.
struct GPUTarget {
  /// As in `sm_80` and `gfx942`.
  llvm::StringRef chip;
  /// The least version of PTX that has the chip, as in 70 for 7.0; of
  /// NVIDIA's.
  unsigned ptxVersion;
  /// Shared memory that one block may have, in bytes.
  int64_t sharedBytes;
  /// Multiprocessors, of the largest GPU of the kind; each has blocks of its
  /// own.
  int64_t processors;
  GPUVendor vendor = GPUVendor::Nvidia;

  /// The triple of LLVM's target.
  llvm::StringRef getTriple() const;
  /// As LLVM names the version: `+ptx70`.
  std::string getFeatures() const;
  bool isAMD() const { return vendor == GPUVendor::AMD; }

  /// 10 times the compute capability: 80 of `sm_80`; of NVIDIA's.
  int32_t getNumber() const;
  /// Whether what is compiled for the chip runs on no later one: `sm_90a`.
  bool isExact() const;

  /// Whether groups of four warps multiply.
  bool hasWgmma() const { return chip == "sm_90a"; }

  /// The latest of NVIDIA's that a GPU of this number is, or follows on; the
  /// exact one if that has more to offer.
  static std::optional<GPUTarget> ofNumber(int32_t number);

  /// The chip of that name, if it is known.
  static std::optional<GPUTarget> find(llvm::StringRef chip);
  /// The names of all, with commas between.
  static std::string listChips();

  /// The attribute of a module that names the chip that its kernels are for.
  static llvm::StringRef getAttributeName() { return "attn.chip"; }
  /// The chip that the module around `op` is for: the default if it names none.
  static GPUTarget of(mlir::Operation *op);
};

/// What code is made for where nothing else is said: it runs on later chips,
/// too.
inline llvm::StringRef getDefaultChip() { return "sm_80"; }

} // namespace attn

#endif // ATTN_ANALYSIS_GPUTARGET_H
