//===- ContractKernel.h - Products of matrices as GPU kernels ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of threads has a tile of the product, and goes over the features with
// its sums in registers. In the end the sums go through shared memory, so that
// what follows them, inputs and the result, is read and written by neighbours
// together, and some columns at once where they lie so.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_CONTRACTKERNEL_H
#define ATTN_LIB_CODEGEN_GPU_CONTRACTKERNEL_H

#include "KernelBuilder.h"
#include "attn/IR/ContractOp.h"
#include "attn/IR/GPUKernel.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace attn {

/// How a kernel divides a product.
struct ContractTiles {
  /// Of a block.
  int64_t rows, columns, features;
  /// The warps side by side along rows and along columns.
  int64_t warpRows, warpColumns;
  /// The threads of a warp: of one of AMD's that multiplies fragments 64.
  int64_t warpThreads = 32;

  static ContractTiles of(GPUContractAttr choice);
  int64_t rowsOfWarp() const { return rows / warpRows; }
  int64_t columnsOfWarp() const { return columns / warpColumns; }
};

/// The size of dimension `at` of a buffer, which may be a view that is computed
/// in a loop: what its size is computed from is not.
mlir::OpFoldResult getContractSize(mlir::OpBuilder &b, mlir::Location loc,
                                   mlir::Value buffer, unsigned at);

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
                 GPUContractAttr choice);

  /// The layout in shared memory of a factor whose `positions` and
  /// `featuresInner` are known.
  virtual void placeFactor(Factor &factor) = 0;
  /// The bytes of shared memory for factors, and warps that have no sums.
  virtual int64_t countFactorBytes() const = 0;
  virtual int64_t countOtherWarps() const { return 0; }
  /// On the host, before the launch.
  virtual void prepareLaunch() {}
  /// In the kernel: all sums, which `finish` is given then.
  virtual void compute() = 0;
  /// Stores the sums of this thread to shared memory.
  virtual void storeSums(mlir::ValueRange sums) = 0;
  /// The columns that rows of sums have behind them, so that rows that are
  /// stored together lie in different banks: pairs of neighbouring rows.
  virtual int64_t countSpareColumns() const { return 8; }
  /// Whether all threads read sums, whether they have something to store or
  /// not, so that what they do in shared memory depends on no extent.
  virtual bool readsAllSums() const { return false; }
  /// Waits for all threads that have sums.
  virtual void meet() { hardware.barrier(); }

  /// What follows the sums of this thread, in what is factors' memory until
  /// then.
  void finish(mlir::ValueRange ownSums);
  MatrixView view(unsigned number, ContractOp::Dim row, ContractOp::Dim column);
  /// What is in an operand at a position.
  mlir::Value loadInput(unsigned number, mlir::Value row, mlir::Value column,
                        mlir::Value feature);
  /// Where in an operand with `map` a dimension is.
  static std::optional<unsigned> getPosition(mlir::AffineMap map,
                                             ContractOp::Dim dim);
  int64_t countThreads() const {
    return tiles.warpThreads * tiles.warpRows * tiles.warpColumns;
  }
  /// The bytes from one row of sums to the next in shared memory.
  int64_t sumStride() const {
    return (tiles.columns + countSpareColumns()) * accBytes;
  }

  ContractOp op;
  ContractTiles tiles;
  mlir::FloatType accType;
  int64_t accBytes;
  /// What stands for the operands of the op in the kernel.
  Values operands;
  Factor factors[2];
  /// On the host: by dimension.
  mlir::Value extents[3];
  /// What stands in the block for what the loop around the op computes.
  mlir::IRMapping blockMapping;

private:
  mlir::Value getExtent(ContractOp::Dim dim);
  void locateBlock(mlir::scf::ForallOp loop);
  void placeFactors();
  mlir::Value findWords();
  Values loadSums(mlir::Value row, mlir::Value column, int64_t count);
  void finishWord(mlir::Value row, mlir::Value column, mlir::ValueRange sums,
                  mlir::Value hasWords);
  void storeWord(mlir::Value row, mlir::Value column, mlir::ValueRange sums);
  void storeElement(mlir::Value row, mlir::Value column, mlir::Value sum);
  mlir::Value computeElement(mlir::Value sum,
                             llvm::function_ref<mlir::Value(unsigned)> load);
  mlir::Value getAddress(unsigned number, const MatrixView &own,
                         mlir::Value row, mlir::Value column);

  /// On the host: of the loop around the op.
  Values loopExtents;
  mlir::Value rowTiles, columnTiles;
};

/// A product whose threads copy factors themselves: while they multiply what
/// one half of shared memory holds of both, the next features are copied to the
/// other half.
///
///   wait for these features; ask for the next ones
///   sums += lhs x rhs
class HalvesContract : public ContractKernel {
protected:
  using ContractKernel::ContractKernel;

  int64_t countFactorBytes() const override {
    return 2 * (factors[0].size + factors[1].size);
  }
  void compute() override;

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

  /// Of an element of `factor`.
  mlir::Value getFactorAddress(const Factor &factor, mlir::Value position,
                               mlir::Value feature);
  /// The element of a factor at a position and a feature of the matrix, in the
  /// accumulation type, with what its region makes of it.
  mlir::Value loadElement(unsigned side, mlir::Value position,
                          mlir::Value feature);

private:
  void viewFactors();
  Values walkFeatures();
};

/// A factor as the unit that copies tensors has it: an array of the host, and
/// for each of its dimensions the one of the op, or where the block is.
struct MappedFactor {
  mlir::Value buffer;
  llvm::SmallVector<std::optional<ContractOp::Dim>> dims;
  llvm::SmallVector<mlir::OpFoldResult> offsets;
};

/// The forms.
std::unique_ptr<ContractKernel> createMmaContract(mlir::RewriterBase &rewriter,
                                                  ContractOp op,
                                                  GPUContractAttr choice);
std::unique_ptr<ContractKernel> createMfmaContract(mlir::RewriterBase &rewriter,
                                                   ContractOp op,
                                                   GPUContractAttr choice);
std::unique_ptr<ContractKernel>
createPlainContract(mlir::RewriterBase &rewriter, ContractOp op,
                    GPUContractAttr choice);
std::unique_ptr<ContractKernel>
createWgmmaContract(mlir::RewriterBase &rewriter, ContractOp op,
                    GPUContractAttr choice,
                    llvm::ArrayRef<MappedFactor> sources);

/// Emits a kernel in place of `op`, or of the parallel loop around it where
/// that holds nothing else.
mlir::LogicalResult emitContractKernel(mlir::RewriterBase &rewriter,
                                       ContractOp op);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_CONTRACTKERNEL_H
