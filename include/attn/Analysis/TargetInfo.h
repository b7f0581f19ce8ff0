//===- TargetInfo.h - What the kernels need to know of a CPU ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_ANALYSIS_TARGETINFO_H
#define ATTN_ANALYSIS_TARGETINFO_H

#include "mlir/Support/LLVM.h"
#include <cstdint>
#include <string>

namespace attn {

/// The vector unit of a CPU, as LLVM names its features.
struct TargetInfo {
  /// Width of the widest vectors, in bits.
  int64_t vectorBits = 128;
  /// Number of architectural vector registers.
  int64_t numRegisters = 16;
  /// Whether a multiply-add is one instruction.
  bool hasFma = false;
  /// Whether scaling by a power of two is one instruction (AVX-512).
  bool hasScalef = false;
  /// Whether pairs of bf16 are multiplied and added to f32 in one instruction
  /// (AVX512_BF16).
  bool hasBf16Dot = false;

  /// Reads the features of an x86 CPU from a comma-separated list such as
  /// "+avx2,+fma"; other targets get 128-bit vectors.
  static TargetInfo fromFeatures(llvm::StringRef features);
};

} // namespace attn

#endif // ATTN_ANALYSIS_TARGETINFO_H
