//===- Intrinsics.h - What stands for GPUs' intrinsics ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_INTRINSICS_H
#define ATTN_LIB_EMULATOR_INTRINSICS_H

#include "Block.h"

namespace attn {

/// What an intrinsic is called with: its arguments, where its results go, and
/// which of the calls in the module it is.
using SlotFunction = void (*)(const Slot *arguments, Slot *results,
                              int32_t site);

/// The implementation of an intrinsic.
struct Intrinsic {
  /// Without `llvm.nvvm.` or `llvm.amdgcn.`.
  llvm::StringRef name;
  /// Takes slots, or what the intrinsic takes.
  SlotFunction slots = nullptr;
  void *direct = nullptr;
  /// Whether calls with the same arguments, by one thread, give the same, and
  /// do nothing else.
  bool pure = false;
};

/// All of them.
llvm::ArrayRef<Intrinsic> getThreadIntrinsics();
llvm::ArrayRef<Intrinsic> getWarpIntrinsics();
llvm::ArrayRef<Intrinsic> getMatrixIntrinsics();
llvm::ArrayRef<Intrinsic> getUnitIntrinsics();
llvm::ArrayRef<Intrinsic> getWaveIntrinsics();

/// Argument `index` of a call.
template <typename T> T getArgument(const Slot *arguments, unsigned index) {
  T value;
  std::memcpy(&value, &arguments[index], sizeof(T));
  return value;
}

template <typename T> void setResult(Slot *results, unsigned index, T value) {
  std::memcpy(&results[index], &value, sizeof(T));
}

/// An f32 rounded to the nearest bf16, and a bf16 as f32, in their bits.
uint16_t roundToBF16(float value);
float extendBF16(uint16_t bits);
/// The same of f16.
uint16_t roundToF16(float value);
float extendF16(uint16_t bits);

} // namespace attn

#endif // ATTN_LIB_EMULATOR_INTRINSICS_H
