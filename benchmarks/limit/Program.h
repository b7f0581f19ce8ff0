//===- Program.h - What the parts of attn-limit share -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCHMARKS_LIMIT_PROGRAM_H
#define ATTN_BENCHMARKS_LIMIT_PROGRAM_H

#include "Limit.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <vector>

namespace attn::limit {

/// Arrays that begin on a cache line; large ones in large pages, as the arrays
/// of attn-run are.
struct Numbers {
  explicit Numbers(size_t count) : data(allocate(count), std::free) {}
  std::unique_ptr<float, void (*)(void *)> data;

private:
  static float *allocate(size_t count) {
    constexpr size_t largePage = size_t(2) << 20;
    size_t bytes = count * sizeof(float);
    size_t alignment = bytes < 2 * largePage ? 64 : largePage;
    bytes = (bytes + alignment - 1) / alignment * alignment;
    void *memory = std::aligned_alloc(alignment, bytes);
#ifdef MADV_HUGEPAGE
    if (memory && alignment == largePage)
      (void)madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<float *>(memory);
  }
};

[[noreturn]] inline void fail(const std::string &message, int status = 2) {
  std::fprintf(stderr, "attn-limit: error: %s\n", message.c_str());
  std::exit(status);
}

/// Whether AVX-512 is used; `isa`, avx512 or avx2, is the best if it is empty.
inline bool chooseIsa(std::string &isa) {
  bool avx512 =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa.empty())
    isa = avx512 ? "avx512" : "avx2";
  if (isa == "avx512" ? !avx512 : !avx2)
    fail("expected a CPU with " + isa + ", but this one has it not");
  return isa == "avx512";
}

/// What `attn-limit decode` does.
int runDecode(int argc, char **argv);
/// What `attn-limit pages` does.
int runPages(int argc, char **argv);

/// The largest difference of a row of some from its definition.
double getRowError(const Rows &head, int64_t row);

/// So much memory takes turns that nothing is found in a cache.
constexpr int64_t kRotatedBytes = int64_t(256) << 20, kRotations = 25;

template <typename BodyT> double getSeconds(BodyT &&body) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
  body();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline double getMedian(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Seconds of a nest and of what only reads, in turns over all copies, and the
/// shares that the reading has of the nest's.
struct Turns {
  std::vector<double> times, reads, fractions;

  /// Prints what all cases say of the nest, which has `bytes` to read.
  void print(int64_t bytes) const {
    std::printf("\"median_ms\": %.6f, \"min_ms\": %.6f, \"runs\": %zu, "
                "\"gb_per_s\": %.3f, ",
                getMedian(times) * 1e3,
                *std::min_element(times.begin(), times.end()) * 1e3,
                times.size(), bytes / getMedian(times) / 1e9);
  }
};

/// Times `run` and `read`, each of a copy of the arrays; the first turn does
/// not count.
template <typename RunT, typename ReadT>
Turns takeTurns(int64_t copies, RunT &&run, ReadT &&read) {
  Turns turns;
  for (int64_t turn = -1; turn < kRotations; ++turn)
    for (bool reading : {true, false})
      for (int64_t copy = 0; copy < copies; ++copy) {
        double seconds = getSeconds([&] { reading ? read(copy) : run(copy); });
        if (turn >= 0)
          (reading ? turns.reads : turns.times).push_back(seconds);
      }
  for (size_t i = 0; i < turns.times.size(); ++i)
    turns.fractions.push_back(turns.reads[i] / turns.times[i]);
  return turns;
}

/// Prints the error of a nest, and ends the program if it is too large.
inline void reportError(double error) {
  std::printf("\"error\": %.3g}\n", error);
  if (!(error < 1e-5))
    fail("expected an error below 1e-5, but got " + std::to_string(error), 1);
}

/// Reads the options behind the shape; `given` has the fields of both.
template <typename CaseT>
void parseOptions(int argc, char **argv, CaseT &given) {
  for (int i = 3; i < argc; ++i) {
    std::string text = argv[i];
    if (text == "--check")
      given.check = true;
    else if (text == "--isa=avx512" || text == "--isa=avx2")
      given.isa = text.substr(6);
    else
      fail("expected --check or --isa=avx512|avx2, but got '" + text + "'");
  }
}

} // namespace attn::limit

#endif // ATTN_BENCHMARKS_LIMIT_PROGRAM_H
