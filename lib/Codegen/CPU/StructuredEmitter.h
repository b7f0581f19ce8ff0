//===- StructuredEmitter.h - Structured ops in vectors ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is no tile: elementwise ops, reductions, transpositions. Lanes run along
// the innermost dimension of the result:
//
//   parallel over blocks of the outermost parallel loop {
//     for the other parallel loops { for lanes {
//       for the reduction loops { the body, in lanes } } } }
//
// or, where a reduction alone is contiguous, along that:
//
//       for the other reduction loops { for lanes { the body, in lanes } }
//       the lanes reduced to one
//
// Where an operand is contiguous along another parallel loop, as in a
// transposition, squares of it are transposed in registers.
//
// Blocks have about so many elements, whoever computes them.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_STRUCTUREDEMITTER_H
#define ATTN_LIB_CODEGEN_CPU_STRUCTUREDEMITTER_H

#include "TileEmitter.h"
#include "VectorReader.h"

namespace attn {

/// Emits the loops above in place of one structured op on buffers.
class StructuredEmitter {
public:
  StructuredEmitter(mlir::RewriterBase &rewriter, mlir::linalg::LinalgOp op,
                    const EmitOptions &options)
      : b(rewriter), loc(op.getLoc()), op(op), options(options) {}

  /// Fails without a trace if the op is of another form: it is left as it is.
  mlir::LogicalResult run();

private:
  using Value = mlir::Value;

  mlir::LogicalResult match();
  bool matchAcrossLanes();
  void matchSquares();
  Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  LaneValue read(mlir::OpOperand &operand, Value mask);
  void write(mlir::OpOperand &operand, Value value, Value mask);
  /// What the body yields, given what the inits hold.
  llvm::SmallVector<Value> emitBody(mlir::ValueRange inits, Value mask);
  /// Calls `body` with each position along `dims`, which carries `values`.
  llvm::SmallVector<Value>
  forEach(llvm::ArrayRef<unsigned> dims, mlir::ValueRange values,
          llvm::function_ref<llvm::SmallVector<Value>(mlir::ValueRange)> body);
  /// The same for the lanes of the lane dimension between two positions, the
  /// last of them with a mask.
  llvm::SmallVector<Value> forEachLanes(
      Value from, Value to, mlir::ValueRange values,
      llvm::function_ref<llvm::SmallVector<Value>(mlir::ValueRange, Value mask)>
          body);
  /// Sets the bounds of the outermost loop to those of a block, in a parallel
  /// loop over blocks, if there is more than one.
  void emitBlocks(unsigned dim);
  void emitLanes(Value mask);
  void emitAcrossLanes();
  void emitRows();
  /// The same for squares of the lane dimension and `squareDim`.
  void emitSquares();
  void emitSquare(Value row, Value lane);

  mlir::RewriterBase &b;
  mlir::Location loc;
  mlir::linalg::LinalgOp op;
  EmitOptions options;
  VectorReader reader;

  int64_t lanes = 1;
  /// The loop that lanes run along, and whether it is a reduction.
  unsigned laneDim = 0;
  bool acrossLanes = false;
  mlir::Operation *combiner = nullptr;
  /// The loop that other operands are contiguous along, if there is one, and
  /// their lanes at the position at hand.
  std::optional<unsigned> squareDim;
  llvm::SmallDenseMap<mlir::OpOperand *, Value> turned;
  /// The other loops.
  llvm::SmallVector<unsigned> parallel, reductions;
  llvm::SmallVector<Value> lower, upper;
  llvm::SmallVector<LaneValue> positions;
};

/// Replaces a structured op on buffers by vector code, if it is of a form that
/// has some.
mlir::LogicalResult emitStructured(mlir::RewriterBase &rewriter,
                                   mlir::linalg::LinalgOp op,
                                   const EmitOptions &options);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_STRUCTUREDEMITTER_H
