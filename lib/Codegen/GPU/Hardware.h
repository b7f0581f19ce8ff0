//===- Hardware.h - What only a GPU has -------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The instructions of kernels that no other machine has, each behind a function
// of its own: whoever brings another GPU, or executes kernels elsewhere, has to
// know these and nothing else. None is inline assembly, none calls a library.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_HARDWARE_H
#define ATTN_LIB_CODEGEN_GPU_HARDWARE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace attn {

/// Builds instructions at the insertion point of a builder. Pointers are of the
/// LLVM dialect, in the address space that is named.
class Hardware {
public:
  Hardware(mlir::OpBuilder &builder, mlir::Location loc)
      : b(builder), loc(loc) {}

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  /// The shared memory of the block that its launch asks for.
  mlir::Value getShared();
  /// `address`, an index, as a pointer to global memory.
  mlir::Value toGlobal(mlir::Value address);
  /// `pointer` moved on by a number of bytes, an i32 or a constant.
  mlir::Value move(mlir::Value pointer, mlir::Value bytes);
  mlir::Value move(mlir::Value pointer, int64_t bytes);
  mlir::Value load(mlir::Type type, mlir::Value pointer, unsigned alignment);
  void store(mlir::Value value, mlir::Value pointer, unsigned alignment);

  /// Begins to copy 16 bytes from global to shared memory, both of which begin
  /// at multiples of 16. With `bytes`, an i32 that is 0 or 16, the others are
  /// zero.
  void copyAsync(mlir::Value shared, mlir::Value global, mlir::Value bytes);

  //===--------------------------------------------------------------------===//
  // Order
  //===--------------------------------------------------------------------===//
  // Each function builds one op, which its comment ends with. Kernels without
  // any one of these are wrong, and found to be: by the names given here,
  // test/Emulator/removals.test takes out one at a time.

  /// Ends a group of the copies begun by this thread.
  /// `nvvm.cp.async.commit.group`
  void commitCopies();
  /// Waits for the copies of this thread, but those of the last `left` groups.
  /// Others see them behind a barrier.
  /// `nvvm.cp.async.wait.group`
  void waitForCopies(int32_t left = 0);
  /// Waits for all threads of the block.
  /// `gpu.barrier`
  void barrier();
  /// Waits for all threads of the warp.
  /// `nvvm.bar.warp.sync`
  void warpBarrier();

  //===--------------------------------------------------------------------===//
  // Threads
  //===--------------------------------------------------------------------===//

  /// What the thread whose number in the warp differs in the bits of `mask` has
  /// as `value`, a float or an integer of 32 bits.
  mlir::Value exchange(mlir::Value value, int32_t mask);
  /// Whether any thread of the warp has a `condition` that holds.
  mlir::Value anyInWarp(mlir::Value condition);

  //===--------------------------------------------------------------------===//
  // Matrices
  //===--------------------------------------------------------------------===//

  /// `count` (2 or 4) 8x8 matrices of 16-bit elements, of each of which a
  /// thread gets two neighbours of row thread / 4, or with `transposed` of a
  /// column, in an i32. Threads 8i to 8i + 7 give the rows of matrix i.
  llvm::SmallVector<mlir::Value> loadMatrices(mlir::Value shared,
                                              unsigned count, bool transposed);
  /// `sums`, 4 f32, plus the product of a 16x16 matrix, in 4 i32, and a 16x8
  /// one, in 2 i32, of `element`, f16 or bf16.
  llvm::SmallVector<mlir::Value> multiply(mlir::ValueRange lhs,
                                          mlir::ValueRange rhs,
                                          mlir::ValueRange sums,
                                          mlir::Type element);
  /// Two f32 rounded to `element`, in an i32, the first in the lower half.
  mlir::Value pack(mlir::Value low, mlir::Value high, mlir::Type element);

  //===--------------------------------------------------------------------===//
  // Numbers, all f32
  //===--------------------------------------------------------------------===//

  /// 2^x to 2^-22 of it; denormals are 0.
  mlir::Value exp2(mlir::Value x);
  /// x / y to 2 units in the last place.
  mlir::Value divide(mlir::Value x, mlir::Value y);
  /// 1 / sqrt(x) to 2^-22.9 of it.
  mlir::Value reciprocalSqrt(mlir::Value x);
  /// An LLVM intrinsic on f32 that is one instruction or a few: `llvm.floor`.
  mlir::Value call(llvm::StringRef name, mlir::ValueRange operands);

private:
  mlir::Value constant(int32_t value);

  mlir::OpBuilder &b;
  mlir::Location loc;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_HARDWARE_H
