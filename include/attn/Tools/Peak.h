//===- Peak.h - The speed limits of this machine ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_PEAK_H
#define ATTN_TOOLS_PEAK_H

#include "attn/Support/Array.h"

namespace attn {

/// Measures the highest rate of multiply-adds, in bursts that are meant to
/// alternate with what is compared to it: clocks change, and neighbours come
/// and go. A burst runs independent chains of multiply-adds on the widest
/// vectors of the host, in registers alone, on every thread at once.
class PeakMeter {
public:
  /// For arithmetic in f64, in pairs of bf16 with sums in f32 where the host
  /// has an instruction for that, or in f32 for any other type.
  PeakMeter(ElementType type, int threads);
  /// Runs one burst, about `seconds` long.
  void sample(double seconds = 0.004);
  /// The highest rate of all bursts, in flop/s, a multiply-add being two.
  double getFlops() const { return flops; }

private:
  void (*burst)(int64_t iterations);
  double flopsPerIteration;
  int threads;
  double flops = 0;
};

/// The highest rate, in bytes/s, at which `threads` threads read an array that
/// no cache holds. 0 if there is no memory for one.
double measureReadBandwidth(int threads);

/// The seconds that `threads` threads take to read `bytes` bytes, at 8-byte
/// words, in the order that is fastest.
double readMemory(const void *memory, size_t bytes, int threads);

/// The number of threads that parallel kernels run on.
int getNumThreads();
void setNumThreads(int threads);

} // namespace attn

#endif // ATTN_TOOLS_PEAK_H
