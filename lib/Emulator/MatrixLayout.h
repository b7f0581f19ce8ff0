//===- MatrixLayout.h - Where products find their factors -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parallel Thread Execution ISA, "Asynchronous Warpgroup Level Matrix
// Multiply-Accumulate Instructions": matrices in shared memory are given by
// descriptors, of which those in rows of 128 swizzled bytes are known here.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_MATRIXLAYOUT_H
#define ATTN_LIB_EMULATOR_MATRIXLAYOUT_H

#include <cstdint>
#include <vector>

namespace attn {

/// Whether it describes a matrix in rows of 128 swizzled bytes.
inline bool isSwizzled128(uint64_t descriptor) { return descriptor >> 62 == 1; }

/// The offset in shared memory of 16-bit element (`position`, `feature`) of a
/// matrix: 64 elements to a swizzled row of 128 bytes, along the features, or
/// along the positions if it is transposed.
inline int64_t locateElement(uint64_t descriptor, int64_t position,
                             int64_t feature, bool transposed) {
  int64_t at = (descriptor & 0x3FFF) << 4;
  int64_t leading = (descriptor >> 16 & 0x3FFF) << 4;
  int64_t stride = (descriptor >> 32 & 0x3FFF) << 4;
  at += transposed ? position % 64 * 2 + position / 64 * leading +
                         feature % 8 * 128 + feature / 8 * stride
                   : position % 8 * 128 + position / 8 * stride + feature * 2;
  return at ^ ((at >> 7 & 7) << 4);
}

/// Appends the words of 16 bytes that a product over 16 features reads of
/// `positions` positions from `first` on.
inline void listMatrixWords(std::vector<int64_t> &words, uint64_t descriptor,
                            int64_t first, int64_t positions, bool transposed) {
  int64_t step = transposed ? 8 : 1, features = transposed ? 1 : 8;
  for (int64_t position = first; position < first + positions; position += step)
    for (int64_t feature = 0; feature < 16; feature += features)
      words.push_back(locateElement(descriptor, position, feature, transposed));
}

} // namespace attn

#endif // ATTN_LIB_EMULATOR_MATRIXLAYOUT_H
