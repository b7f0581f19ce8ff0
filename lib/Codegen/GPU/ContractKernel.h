//===- ContractKernel.h - Products of matrices as GPU kernels ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of threads has a tile of the product, and goes over the features with
// its sums in registers. While it multiplies what one half of shared memory
// holds of both factors, the next features are copied to the other half:
//
//   wait for these features; ask for the next ones
//   sums += lhs x rhs
//
// In the end the sums go through shared memory, so that what follows them,
// inputs and the result, is read and written by neighbours together, and is
// there once.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_CONTRACTKERNEL_H
#define ATTN_LIB_CODEGEN_GPU_CONTRACTKERNEL_H

#include "KernelBuilder.h"
#include "attn/IR/ContractOp.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attn {

/// How a kernel divides a product.
struct ContractTiles {
  /// Whether fragments are multiplied, of 16-bit elements.
  bool mma;
  /// Of a block.
  int64_t rows, columns, features;
  /// The warps, four in all, side by side along rows and along columns.
  int64_t warpRows, warpColumns;
  /// The threads of a warp: of one of AMD's that multiplies fragments 64.
  int64_t warpThreads = 32;

  static ContractTiles of(ContractOp op);
  int64_t rowsOfWarp() const { return rows / warpRows; }
  int64_t columnsOfWarp() const { return columns / warpColumns; }
};

/// Emits a kernel in place of an `attn.contract` on buffers.
class ContractKernel : protected KernelBuilder {
public:
  virtual ~ContractKernel() = default;

  /// With `loop`, which holds the op and else only what computes its operands,
  /// in place of the loop, whose positions have blocks of their own.
  void run(mlir::scf::ForallOp loop);

protected:
  /// A factor. What rows are to the left one are columns to the right one: its
  /// positions.
  struct Factor {
    /// The operand, positions as rows and features as columns.
    MatrixView view;
    /// Whether features are what lies next to each other.
    bool featuresInner;
    /// Of a tile: positions, and in shared memory where it begins, the bytes
    /// from one line to the next, and in all.
    int64_t positions, start, stride, size;
    /// The first position of the block, an index, and how many there are, an
    /// i32.
    mlir::Value first, count;
    /// Whether lines can be copied 16 bytes at a time, an i1; null if none can.
    mlir::Value aligned;
  };

  ContractKernel(mlir::RewriterBase &rewriter, ContractOp op,
                 ContractTiles tiles);

  /// The layout in shared memory of a factor whose `positions` and
  /// `featuresInner` are known.
  virtual void placeFactor(Factor &factor) = 0;
  /// Begins to copy `count` features, an i32, from `first` on, an index, to the
  /// half of shared memory that begins at `half`.
  virtual void copyFactor(unsigned side, mlir::Value first, mlir::Value count,
                          mlir::Value half) = 0;
  /// Waits for what this thread has begun to copy.
  virtual void waitForCopies() {}
  /// Called in the kernel before anything is copied.
  virtual void begin() {}
  /// The sums of this thread plus the products of what `half` holds.
  virtual Values addProduct(mlir::ValueRange sums, mlir::Value half) = 0;
  /// How many sums there are, and their type: numbers, or vectors of these.
  virtual int64_t countSums() const = 0;
  virtual mlir::Type getSumType() const { return accType; }
  /// Stores the sums of this thread to shared memory.
  virtual void storeSums(mlir::ValueRange sums) = 0;
  /// The columns that rows of sums have behind them, so that rows that are
  /// stored together lie in different banks: pairs of neighbouring rows.
  virtual int64_t countSpareColumns() const { return 8; }

  int64_t countThreads() const {
    return tiles.warpThreads * tiles.warpRows * tiles.warpColumns;
  }
  /// The bytes from one row of sums to the next in shared memory.
  int64_t sumStride();
  /// Of an element of `factor`.
  mlir::Value getAddress(const Factor &factor, mlir::Value position,
                         mlir::Value feature);
  /// The element of a factor at a position and a feature of the matrix, in the
  /// accumulation type, with what its region makes of it.
  mlir::Value loadElement(unsigned side, mlir::Value position,
                          mlir::Value feature);

  ContractOp op;
  ContractTiles tiles;
  mlir::FloatType accType;
  /// What stands for the operands of the op in the kernel.
  Values operands;
  Factor factors[2];

private:
  mlir::Value getExtent(ContractOp::Dim dim);
  void locateBlock(mlir::scf::ForallOp loop);
  MatrixView view(unsigned number, ContractOp::Dim row, ContractOp::Dim column);
  void placeFactors();
  void viewFactors();
  mlir::Value loadInput(unsigned number, mlir::Value row, mlir::Value column,
                        mlir::Value feature);
  Values walkFeatures();
  void finish();
  void finishElement(mlir::Value row, mlir::Value column, mlir::Value sum);

  /// On the host: by dimension, and of the loop around the op.
  mlir::Value extents[3];
  Values loopExtents;
  mlir::Value rowTiles, columnTiles;
};

/// The forms.
std::unique_ptr<ContractKernel> createMmaContract(mlir::RewriterBase &rewriter,
                                                  ContractOp op,
                                                  ContractTiles tiles);
std::unique_ptr<ContractKernel> createMfmaContract(mlir::RewriterBase &rewriter,
                                                   ContractOp op,
                                                   ContractTiles tiles);
std::unique_ptr<ContractKernel>
createPlainContract(mlir::RewriterBase &rewriter, ContractOp op,
                    ContractTiles tiles);

/// Emits a kernel in place of `op`, or of the parallel loop around it where
/// that holds nothing else.
void emitContractKernel(mlir::RewriterBase &rewriter, ContractOp op);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_CONTRACTKERNEL_H
