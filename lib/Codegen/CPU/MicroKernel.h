//===- MicroKernel.h - Products in registers --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one loop that everything stands on: C[r x lanes] += A[r x k] B[k x
// lanes], with C in registers from the first step to the last. Each step loads
// the lanes of B once and broadcasts one element of A per row. Both sides are
// read where they lie: how is the caller's to say. B may be several columns of
// lanes, and A have an element per lane.
//
// A tile of R rows by V vectors of lanes needs R V accumulators, V registers
// for B and a few for what is broadcast. With R V multiplications in flight
// nobody waits for a result, and R V multiplications per R + V loads keep loads
// from being the limit.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_MICROKERNEL_H
#define ATTN_LIB_CODEGEN_CPU_MICROKERNEL_H

#include "TileEmitter.h"

namespace attn {

/// The rows of a tile of `lanes` elements of `type` each that the registers
/// hold: a power of two, 8 at most. Rows that lie a multiple of the page size
/// apart share a set of the first-level cache, which has 8 ways.
int64_t getMicroKernelRows(mlir::FloatType type, int64_t lanes,
                           const EmitOptions &options);

/// What the elements of A and B are.
enum class MicroKernelElement {
  /// Those of C.
  Accumulation,
  /// Pairs of bf16, DotPairs.h, along k; those of C are f32. A step takes two
  /// positions along k.
  DotPair
};

/// What a micro-kernel multiplies.
struct MicroKernel {
  /// The number of steps, and how many are in the loop's body.
  mlir::Value steps;
  int64_t unroll = 1;
  /// What each step adds to the offsets that `left` and `right` are given.
  mlir::ValueRange strides;
  /// The lanes of B in a column at a step.
  llvm::function_ref<mlir::Value(int64_t column, mlir::Value step,
                                 mlir::ValueRange offsets)>
      right;
  /// The element of A in a row at a step, or one per lane.
  llvm::function_ref<mlir::Value(int64_t row, mlir::Value step,
                                 mlir::ValueRange offsets)>
      left;
  /// The lanes of a column that a position along k adds to, a vector of i1, one
  /// i1 or null for all; without it all. Others keep what they have, whatever
  /// is in A and B.
  llvm::function_ref<mlir::Value(int64_t column, mlir::Value position)>
      predicate = nullptr;
  MicroKernelElement element = MicroKernelElement::Accumulation;
  /// How many columns of lanes there are.
  int64_t columns = 1;
};

/// Emits one step, for loops that are the caller's: `sums` has a vector per row
/// and column, those of a row next to each other, and so has what is returned.
llvm::SmallVector<mlir::Value>
emitMicroKernelStep(mlir::OpBuilder &b, mlir::Location loc,
                    const MicroKernel &kernel, mlir::Value step,
                    mlir::ValueRange offsets, mlir::ValueRange sums,
                    const EmitOptions &options);

/// Emits the loop.
llvm::SmallVector<mlir::Value> emitMicroKernel(mlir::OpBuilder &b,
                                               mlir::Location loc,
                                               const MicroKernel &kernel,
                                               mlir::ValueRange sums,
                                               const EmitOptions &options);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_MICROKERNEL_H
