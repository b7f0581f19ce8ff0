//===- Hardware.h - What only a GPU has -------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The instructions of kernels that no other machine has, each behind a function
// of its own: whoever brings another GPU, or executes kernels elsewhere, has to
// know these and nothing else. None calls a library; the products of
// warpgroups, which LLVM has no intrinsics for, and what LLVM is to forget are
// inline assembly, all else is not.
//
// What every vendor has in a form of its own is a `VendorHardware`, one file
// each; what only some GPUs have says which, and the forms of kernels that use
// it are theirs.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_HARDWARE_H
#define ATTN_LIB_CODEGEN_GPU_HARDWARE_H

#include "attn/Analysis/GPUTarget.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace attn {

/// What every GPU has, and each vendor's in its own way. The functions are
/// those of `Hardware`.
class VendorHardware {
public:
  virtual ~VendorHardware() = default;

  virtual void copyAsync(mlir::Value shared, mlir::Value global,
                         mlir::Value bytes) = 0;
  virtual void commitCopies() = 0;
  virtual void waitForCopies(int32_t left) = 0;
  virtual void warpBarrier() = 0;
  /// Of 32 bits.
  virtual mlir::Value exchange(mlir::Value value, int32_t mask) = 0;
  virtual mlir::Value takeFrom(mlir::Value value, mlir::Value source) = 0;
  virtual mlir::Value anyInWarp(mlir::Value condition) = 0;
  virtual mlir::Value ballot(mlir::Value condition) = 0;
  virtual mlir::Value exp2(mlir::Value x) = 0;
  virtual mlir::Value divide(mlir::Value x, mlir::Value y) = 0;
  virtual mlir::Value reciprocalSqrt(mlir::Value x) = 0;

protected:
  VendorHardware(mlir::OpBuilder &builder, mlir::Location loc)
      : b(builder), loc(loc) {}

  mlir::Value constant(int32_t value) {
    return mlir::arith::ConstantOp::create(b, loc,
                                           b.getI32IntegerAttr(value));
  }
  mlir::Value call(llvm::StringRef name, mlir::ValueRange operands);

  mlir::OpBuilder &b;
  mlir::Location loc;
};

std::unique_ptr<VendorHardware> createHardwareNvidia(mlir::OpBuilder &builder,
                                                     mlir::Location loc);
std::unique_ptr<VendorHardware> createHardwareAMD(mlir::OpBuilder &builder,
                                                  mlir::Location loc);

/// Builds instructions at the insertion point of a builder. Pointers are of the
/// LLVM dialect, in the address space that is named.
class Hardware {
public:
  Hardware(mlir::OpBuilder &builder, mlir::Location loc)
      : b(builder), loc(loc) {}

  /// Whose instructions are built: if nothing is said, those of the chip that
  /// the module around the insertion point is for.
  void setVendor(GPUVendor vendor);

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
  void copyAsync(mlir::Value shared, mlir::Value global, mlir::Value bytes) {
    own().copyAsync(shared, global, bytes);
  }

  //===--------------------------------------------------------------------===//
  // Order
  //===--------------------------------------------------------------------===//
  // Each function builds one op, or instruction of inline assembly, which its
  // comment ends with; `beginProduct` has two, besides: `wgmma.fence` and
  // `wgmma.commit_group`. Kernels without any one of these are wrong, and found
  // to be: by the names given here, test/Emulator/removals.test takes out one
  // at a time.

  /// Ends a group of the copies begun by this thread.
  /// `nvvm.cp.async.commit.group`
  void commitCopies() { own().commitCopies(); }
  /// Waits for the copies of this thread, but those of the last `left` groups.
  /// Others see them behind a barrier.
  /// `nvvm.cp.async.wait.group`
  void waitForCopies(int32_t left = 0) { own().waitForCopies(left); }
  /// Waits for all threads of the block.
  /// `gpu.barrier`
  void barrier();
  /// Waits for all threads of the warp.
  /// `nvvm.bar.warp.sync`
  void warpBarrier() { own().warpBarrier(); }
  /// Waits for `count` threads, of whole warps, at barrier `number`, from 1 to
  /// 15.
  /// `nvvm.barrier`
  void barrier(int32_t number, int32_t count);
  /// The unit that copies tensors sees the mbarriers that the thread has made.
  /// `nvvm.fence.mbarrier.init`
  void fenceBarriers();
  /// Arrives at an mbarrier.
  /// `nvvm.mbarrier.arrive`
  void arrive(mlir::Value barrier);
  /// Arrives, and awaits as many bytes, of copies of one size that follow.
  /// `nvvm.mbarrier.arrive.expect_tx`
  void arriveAndExpect(mlir::Value barrier, int64_t bytes);
  /// Waits until the phase of `parity`, an i32 of 0 or 1, is over.
  /// `nvvm.mbarrier.try_wait`
  void waitForPhase(mlir::Value barrier, mlir::Value parity);
  /// What the thread has written to shared memory is seen by units, too, which
  /// read it through a proxy of their own.
  /// `nvvm.fence.proxy`
  void fenceProxy();
  /// Waits for the groups of the warpgroup, but the last `left`. `values` are
  /// what may not be touched until then: f32 and i32.
  /// `wgmma.wait_group`
  llvm::SmallVector<mlir::Value> waitForProducts(int32_t left,
                                                 mlir::ValueRange values);
  /// Ends a group of the tiles that this thread began to store.
  /// `nvvm.cp.async.bulk.commit.group`
  void commitStores();
  /// Waits until all groups of this thread are read: their shared memory may be
  /// written again, or be no more.
  /// `nvvm.cp.async.bulk.wait_group`
  void waitForStores();

  //===--------------------------------------------------------------------===//
  // Threads
  //===--------------------------------------------------------------------===//

  /// What the thread whose number in the warp differs in the bits of `mask` has
  /// as `value`, a float or an integer of 32 bits, or an f64.
  mlir::Value exchange(mlir::Value value, int32_t mask);
  /// What thread `source` of the warp, an i32, has as `value`.
  mlir::Value takeFrom(mlir::Value value, mlir::Value source) {
    return own().takeFrom(value, source);
  }
  /// An i32 of which LLVM knows nothing any more: what is computed from it
  /// stays where it is.
  mlir::Value forget(mlir::Value value);
  /// Whether any thread of the warp has a `condition` that holds.
  mlir::Value anyInWarp(mlir::Value condition) {
    return own().anyInWarp(condition);
  }
  /// Bit i of the i32 is the `condition` of thread i of the warp.
  mlir::Value ballot(mlir::Value condition) { return own().ballot(condition); }

  //===--------------------------------------------------------------------===//
  // Matrices, NVIDIA's
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

  //===--------------------------------------------------------------------===//
  // Matrices, AMD's
  //===--------------------------------------------------------------------===//

  /// `sums` plus the product of a 16x16 matrix and another, both of f16 or
  /// bf16, by a wave of 64 threads. Thread l has four neighbours of each, which
  /// begin at 4 (l / 16): features of row l % 16 of `lhs` and of column l % 16
  /// of `rhs`, and rows of column l % 16 of `sums`, f32.
  mlir::Value multiplyInWave(mlir::Value lhs, mlir::Value rhs,
                             mlir::Value sums);

  //===--------------------------------------------------------------------===//
  // Barriers in memory, NVIDIA's from sm_90 on
  //===--------------------------------------------------------------------===//

  /// Makes 8 bytes of shared memory, at a multiple of 8, an mbarrier for
  /// `count` arrivals; the unit that copies tensors sees those of a thread
  /// behind `fenceBarriers`, other threads behind a barrier.
  void initBarrier(mlir::Value shared, int32_t count);
  /// Begins to copy a tile of a tensor to shared memory, at a multiple of 1024
  /// bytes, where its rows are swizzled. `map` points to the 128 bytes of a
  /// tensor map; `at`, i32, is where the tile begins, innermost first: what is
  /// outside of the tensor is zero. `barrier` counts the bytes.
  void copyTile(mlir::Value shared, mlir::Value map, mlir::Value barrier,
                mlir::ValueRange at);
  /// The reverse: begins to store such a tile. What is outside of the tensor is
  /// not written.
  void storeTile(mlir::Value map, mlir::Value shared, mlir::ValueRange at);
  /// As `barrier`, and tells whether a `condition` of one of the threads holds.
  mlir::Value anyAtBarrier(int32_t number, int32_t count,
                           mlir::Value condition);

  //===--------------------------------------------------------------------===//
  // Products of warpgroups, sm_90a
  //===--------------------------------------------------------------------===//

  /// The warpgroup wants `count` registers a thread, more than it has or less.
  void setRegisters(int32_t count, bool more);
  /// What describes a matrix at `shared`, in rows of 128 swizzled bytes, eight
  /// of which begin every 1024: 64 features of a row or, if a row is 64
  /// positions of a feature, `leadingBytes` from there to the next 64.
  mlir::Value describeMatrix(mlir::Value shared, int64_t leadingBytes);
  /// A factor of a product.
  struct Factor {
    /// A description, or 4 words for each 16 features.
    llvm::SmallVector<mlir::Value> values;
    /// For each 16 features how far, in bytes, they are behind the first.
    llvm::SmallVector<int64_t> offsets;
    bool inRegisters = false;
    /// Whether a row is positions, not features.
    bool transposed = false;
  };
  /// Begins to multiply 64 rows and `columns` columns of `element`: a group of
  /// products of its own, which adds to `sums`, or to zeros if there are none.
  /// What it gives may be used once it went through `waitForProducts`.
  llvm::SmallVector<mlir::Value>
  beginProduct(mlir::ValueRange sums, const Factor &lhs, const Factor &rhs,
               int64_t columns, mlir::Type element);

  //===--------------------------------------------------------------------===//
  // Numbers, f32 but where it is said
  //===--------------------------------------------------------------------===//

  /// Two f32 rounded to `element`, in an i32, the first in the lower half.
  mlir::Value pack(mlir::Value low, mlir::Value high, mlir::Type element);
  /// 2^x to 2^-22 of it; denormals are 0.
  mlir::Value exp2(mlir::Value x) { return own().exp2(x); }
  /// x / y to 2 units in the last place, of AMD's to 2.5.
  mlir::Value divide(mlir::Value x, mlir::Value y) {
    return own().divide(x, y);
  }
  /// 1 / sqrt(x) to 2^-22.9 of it; denormals are 0 to AMD's.
  mlir::Value reciprocalSqrt(mlir::Value x) { return own().reciprocalSqrt(x); }
  /// An LLVM intrinsic on f32 or f64 that is one instruction or a few:
  /// `llvm.floor`.
  mlir::Value call(llvm::StringRef name, mlir::ValueRange operands);

private:
  /// What the vendor has of the GPU that kernels are for.
  VendorHardware &own();
  mlir::Value constant(int32_t value);
  llvm::SmallVector<mlir::Value> assemble(llvm::StringRef text,
                                          llvm::StringRef constraints,
                                          mlir::TypeRange results,
                                          mlir::ValueRange operands);

  mlir::OpBuilder &b;
  mlir::Location loc;
  std::unique_ptr<VendorHardware> vendor;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_HARDWARE_H
