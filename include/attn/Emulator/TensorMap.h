//===- TensorMap.h - What the emulator takes as a tensor map ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EMULATOR_TENSORMAP_H
#define ATTN_EMULATOR_TENSORMAP_H

#include <cstdint>

namespace attn {

/// What takes the place of a `CUtensorMap`, the 128 bytes of which only a
/// driver knows: tiles of a tensor, the innermost dimension first, in rows of
/// 128 bytes that are swizzled.
struct EmulatedTensorMap {
  static constexpr uint64_t kMark = 0x70616d726f736e74;
  uint64_t mark = kMark;
  /// Null if the tensor has no elements.
  const char *base = nullptr;
  int32_t rank = 0, elementBytes = 0;
  int64_t sizes[5] = {};
  /// Bytes from one position to the next, along all dimensions but the first.
  int64_t strides[4] = {};
  /// The extents of a tile.
  int32_t box[5] = {};

  EmulatedTensorMap() = default;
  /// `extents` holds sizes, bytes between positions along each dimension, and
  /// the box, for each dimension, the innermost first.
  EmulatedTensorMap(void *array, int64_t bytes, int64_t rank,
                    const int64_t *extents)
      : base(static_cast<const char *>(array)),
        rank(static_cast<int32_t>(rank)),
        elementBytes(static_cast<int32_t>(bytes)) {
    for (int64_t i = 0; i < rank && i < 5; ++i) {
      sizes[i] = extents[i];
      if (i > 0)
        strides[i - 1] = extents[rank + i];
      box[i] = static_cast<int32_t>(extents[2 * rank + i]);
      if (extents[i] == 0)
        base = nullptr;
    }
  }
};
static_assert(sizeof(EmulatedTensorMap) <= 128);

} // namespace attn

#endif // ATTN_EMULATOR_TENSORMAP_H
