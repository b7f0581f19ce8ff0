//===- KernelBuilder.h - Helpers that build kernels -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_KERNELBUILDER_H
#define ATTN_LIB_CODEGEN_GPU_KERNELBUILDER_H

#include "Hardware.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// An operand at one position along all dimensions but two, whose elements are
/// found by a row and a column.
struct MatrixView {
  /// The address of element (0, 0), an index, in bytes.
  mlir::Value address;
  /// The bytes from one row to the next, an index, and between columns.
  mlir::Value rowBytes, columnBytes;
  /// If the rows are those of several dimensions, the bytes along each but the
  /// first.
  llvm::SmallVector<mlir::Value> otherRowBytes = {};
  mlir::Type element;
  /// Where rows are keys, and these lie along several dimensions: the bytes
  /// along each outer one.
  llvm::SmallVector<mlir::Value> outerBytes = {};
  bool hasKeys = false;
};

/// What emitters of kernels have in common: short names for what they build,
/// the launch, and who a thread is.
class KernelBuilder {
protected:
  using Values = llvm::SmallVector<mlir::Value>;

  KernelBuilder(mlir::RewriterBase &rewriter, mlir::Location loc)
      : b(rewriter), loc(loc), hardware(rewriter, loc) {}

  //===--------------------------------------------------------------------===//
  // Numbers
  //===--------------------------------------------------------------------===//

  mlir::Value index(int64_t value);
  mlir::Value i32(int64_t value);
  mlir::Value toI32(mlir::Value index);
  mlir::Value toIndex(mlir::Value number);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value multiply(mlir::Value lhs, mlir::Value rhs);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value lhs,
                      mlir::Value rhs);
  mlir::Value select(mlir::Value condition, mlir::Value then,
                     mlir::Value otherwise);
  /// Both, of which one may be null, for true.
  mlir::Value both(mlir::Value lhs, mlir::Value rhs);
  mlir::Value lane(mlir::Value vector, int64_t number);
  /// The position along an innermost dimension of `extent`, an index or an i32,
  /// of what is number `rest`, an i32, which becomes the number of the others.
  mlir::Value takePosition(mlir::Value &rest, mlir::Value extent);

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  /// `body` where `condition` holds; `otherwise` elsewhere.
  Values emitIf(mlir::Value condition, llvm::function_ref<Values()> body,
                mlir::ValueRange otherwise);
  /// The same of what gives nothing; always, if the condition is null.
  void emitWhere(mlir::Value condition, llvm::function_ref<void()> body);
  /// One or the other, which give values of `types`.
  Values emitEither(mlir::TypeRange types, mlir::Value condition,
                    llvm::function_ref<Values()> body,
                    llvm::function_ref<Values()> otherwise);
  /// A loop that carries `inits`.
  Values
  emitLoop(mlir::Value from, mlir::Value to, mlir::Value step,
           mlir::ValueRange inits,
           llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body);
  /// Repeats `body`, which is given `carried` and gives what is carried on, as
  /// long as number `condition` of it holds; returns it then.
  Values emitWhile(mlir::ValueRange carried, size_t condition,
                   llvm::function_ref<Values(mlir::ValueRange)> body);

  //===--------------------------------------------------------------------===//
  // The launch
  //===--------------------------------------------------------------------===//

  /// Checks that `count` fits in 31 bits, of which `what` is the name.
  void checkCount(mlir::Value count, llvm::StringRef what);
  /// Goes on where there are blocks: a grid of none is none.
  void enterIfAny(mlir::Value numBlocks);
  /// Launches `numBlocks` blocks; the insertion point moves into one.
  mlir::gpu::LaunchOp enterBlocks(mlir::Value numBlocks, int64_t numThreads,
                                  int64_t sharedBytes = 0);
  /// Launches `numBlocks` blocks of whole warps. The insertion point moves into
  /// one, and `memory` and the numbers of the block and its threads are known.
  void enterLaunch(mlir::Value numBlocks, int64_t numWarps,
                   int64_t sharedBytes);
  /// Sets the numbers of the thread.
  void identifyThread(mlir::Value threadIndex);

  /// Shared memory at a constant plus the thread's own bytes, an i32.
  mlir::Value shared(int64_t bytes, mlir::Value own = {});

  //===--------------------------------------------------------------------===//
  // Rings of stages
  //===--------------------------------------------------------------------===//

  /// A stage of a ring of tiles, and the parity of its use, i32.
  struct Place {
    mlir::Value stage, parity;
  };
  /// The one behind `place`, of `stages`.
  Place getNext(const Place &place, int64_t stages);
  /// One thread of the warp arrives at an mbarrier.
  void arriveAsWarp(mlir::Value barrier);

  mlir::RewriterBase &b;
  mlir::Location loc;
  Hardware hardware;
  /// The number of the block, an i32, and its shared memory.
  mlir::Value block, memory;
  /// Numbers of the thread, i32: in the block, of its warp, in its warp, and of
  /// the latter g and q.
  mlir::Value thread, warp, threadInWarp, group, quad;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_KERNELBUILDER_H
