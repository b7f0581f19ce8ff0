//===- Fragments.h - Products of fragments ----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A warp multiplies 16x16 and 16x8 elements at a time, which its threads have
// in registers: fragments. Either factor lies in shared memory position by
// position (rows of the left one, columns of the right one), its features next
// to each other, or feature by feature.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_FRAGMENTS_H
#define ATTN_LIB_CODEGEN_GPU_FRAGMENTS_H

#include "Hardware.h"

namespace attn {

/// A factor in shared memory.
struct FragmentSource {
  /// Of 16-bit elements, `stride` bytes from one line to the next.
  bool isLeft, featuresInner;
  int64_t stride;

  /// The bytes from position and feature 0 to what thread `threadInWarp`, an
  /// i32, gives the address of.
  mlir::Value getLane(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value threadInWarp) const;
  /// The bytes from there to another position and feature.
  int64_t getOffset(int64_t position, int64_t feature) const {
    return featuresInner ? position * stride + 2 * feature
                         : feature * stride + 2 * position;
  }
  /// What a warp has of 16 features of 16 positions that begin at `shared`: of
  /// the left factor a fragment of 4 words, of the right one two of 2 words. If
  /// `count` is 1, which only the right one may have, one of 8 positions.
  llvm::SmallVector<mlir::Value> load(Hardware &hardware, mlir::Value shared,
                                      int64_t count = 2) const;
};

/// `sums`, of `rows` times 16 rows by `columns` times 8 columns, 4 for each
/// pair, by rows first, plus the product of 16 features: `left` gives the 4
/// words of a fragment, `right` the 2 words of each of a pair of fragments, or
/// of the last one if their number is odd.
void multiplyFragments(
    Hardware &hardware, llvm::SmallVectorImpl<mlir::Value> &sums, int64_t rows,
    int64_t columns, mlir::Type element,
    llvm::function_ref<llvm::SmallVector<mlir::Value>(int64_t)> left,
    llvm::function_ref<llvm::SmallVector<mlir::Value>(int64_t)> right);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_FRAGMENTS_H
