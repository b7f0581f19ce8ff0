//===- DriverTime.h - Timing a kernel ---------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TOOLS_DRIVERTIME_H
#define ATTN_LIB_TOOLS_DRIVERTIME_H

#include "DriverCompile.h"

#include "attn/Execution/Kernel.h"
#include "llvm/Support/raw_ostream.h"

namespace attn {

/// What `--time` reports. Rates are 0 where they are not known.
struct Timing {
  double compileMs = 0, medianMs = 0, minMs = 0;
  int64_t runs = 0;
  double gflops = 0, peakGflops = 0, peakFraction = 0;
  /// On a GPU: of a product of f16 matrices with so many rows and columns.
  double productGflops = 0;
  int64_t productSize = 0;
  double readGBps = 0;
  /// The copies of the arguments that runs had in turn, and the bytes of one.
  int64_t copies = 1, argumentBytes = 0;
  /// With several copies, how long a plain read of one takes, the median.
  double readMs = 0;
  int threads = 1;
  /// What the kernels were compiled for, if they ran on a GPU; then the rates
  /// of this machine are not known.
  std::string chip;
  /// The ops that ran as plain loops.
  std::vector<UnfusedOp> unfused;

  /// Set if the kernel came out faster than it can be.
  bool isMeasuringError() const { return peakFraction > 0.97; }
  /// The rate of the runs over that of the product.
  double getProductFraction() const {
    return productGflops > 0 ? gflops / productGflops : 0;
  }
  /// The rate of the runs over that of plain reads of what they read.
  double getReadFraction() const {
    return medianMs > 0 ? readMs / medianMs : 0;
  }
  /// One line for people.
  void print(llvm::raw_ostream &os) const;
  /// One JSON object on one line.
  void printJson(llvm::raw_ostream &os) const;
};

/// The arguments of one call.
using Arguments = std::vector<const Array *>;

/// Times `runs` calls (0: as many as half a second holds, at least 7, and 25
/// with each copy of the arguments if there are several) after warm-up, in
/// alternation with bursts of the peak for `type`. Calls have the copies in
/// turn; after each turn, all are read once. `flops` is the work of one call.
/// Results are written to memory that earlier calls' had, as where the caller
/// keeps arrays for them; those of the last call that was timed are left in
/// `results`.
llvm::Expected<Timing> timeKernel(Kernel &kernel,
                                  llvm::ArrayRef<Arguments> copies,
                                  int64_t runs, double flops, ElementType type,
                                  std::vector<Array> &results);

/// Times `runs` calls on a GPU, as `Kernel::timeOnGPU` does.
llvm::Expected<Timing> timeOnGPU(const Kernel &kernel,
                                 const Arguments &arguments, int64_t runs,
                                 double flops, llvm::StringRef chip,
                                 std::vector<Array> &results);

/// Times our own product of f16 matrices on the GPU that `options` compile for,
/// as `timeOnGPU` does: what attention is measured by there.
llvm::Error timeProductOnGPU(mlir::MLIRContext &context,
                             const CompileOptions &options, Timing &timing);

} // namespace attn

#endif // ATTN_LIB_TOOLS_DRIVERTIME_H
