//===- Peak.cpp - The speed limits of this machine --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tools/Peak.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

using namespace attn;

// LLVM's OpenMP runtime ships no header in every package; these are stable.
extern "C" {
void omp_set_num_threads(int);
int omp_get_max_threads(void);
int omp_get_thread_num(void);
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads,
                   unsigned flags);
}

int attn::getNumThreads() { return omp_get_max_threads(); }
void attn::setNumThreads(int threads) { omp_set_num_threads(threads); }

using Clock = std::chrono::steady_clock;

static double getSeconds(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

//===----------------------------------------------------------------------===//
// Multiply-adds
//===----------------------------------------------------------------------===//

/// Chains of multiply-adds in flight: enough for two units of latency 5.
static constexpr int numChains = 15;

#if defined(__x86_64__)
/// A burst in assembly, so that no compiler, at any level, spills a chain: with
/// OP(n) a step of chain n in register n, and register 15 the factor and the
/// summand 1/2. Every chain tends to 1: no step meets a denormal.
#define ATTN_CHAINS(OP)                                                        \
  OP(0)                                                                        \
  OP(1)                                                                        \
  OP(2) OP(3) OP(4) OP(5) OP(6) OP(7) OP(8) OP(9) OP(10) OP(11) OP(12) OP(13)  \
      OP(14)
#define ATTN_BURST(NAME, BROADCAST, COPY, OP, END)                             \
  static void NAME(int64_t iterations) {                                       \
    const double half64 = 0.5;                                                 \
    const float half32 = 0.5f;                                                 \
    asm volatile(BROADCAST ATTN_CHAINS(COPY) ".p2align 5\n1:\n" ATTN_CHAINS(   \
                     OP) "decq %0\njnz 1b\n" END                               \
                 : "+r"(iterations)                                            \
                 : [half64] "m"(half64), [half32] "m"(half32)                  \
                 : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",       \
                   "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",  \
                   "xmm13", "xmm14", "xmm15");                                 \
  }
#define COPY_ZMM(N) "vmovaps %%zmm15, %%zmm" #N "\n"
#define COPY_YMM(N) "vmovaps %%ymm15, %%ymm" #N "\n"
#define COPY_XMM(N) "movaps %%xmm15, %%xmm" #N "\n"
#define FMA_ZMM_F32(N) "vfmadd132ps %%zmm15, %%zmm15, %%zmm" #N "\n"
#define FMA_ZMM_F64(N) "vfmadd132pd %%zmm15, %%zmm15, %%zmm" #N "\n"
/// The factors are the pair (0, 1/2): every chain tends to where 1/4 is lost.
#define DOT_ZMM_BF16(N) "vdpbf16ps %%zmm15, %%zmm15, %%zmm" #N "\n"
#define FMA_YMM_F32(N) "vfmadd132ps %%ymm15, %%ymm15, %%ymm" #N "\n"
#define FMA_YMM_F64(N) "vfmadd132pd %%ymm15, %%ymm15, %%ymm" #N "\n"
#define FMA_XMM_F32(N)                                                         \
  "mulps %%xmm15, %%xmm" #N "\naddps %%xmm15, %%xmm" #N "\n"
#define FMA_XMM_F64(N)                                                         \
  "mulpd %%xmm15, %%xmm" #N "\naddpd %%xmm15, %%xmm" #N "\n"
ATTN_BURST(burstF32Avx512, "vbroadcastss %[half32], %%zmm15\n", COPY_ZMM,
           FMA_ZMM_F32, "vzeroupper\n")
ATTN_BURST(burstF64Avx512, "vbroadcastsd %[half64], %%zmm15\n", COPY_ZMM,
           FMA_ZMM_F64, "vzeroupper\n")
ATTN_BURST(burstBf16Avx512, "vbroadcastss %[half32], %%zmm15\n", COPY_ZMM,
           DOT_ZMM_BF16, "vzeroupper\n")
ATTN_BURST(burstF32Avx2, "vbroadcastss %[half32], %%ymm15\n", COPY_YMM,
           FMA_YMM_F32, "vzeroupper\n")
ATTN_BURST(burstF64Avx2, "vbroadcastsd %[half64], %%ymm15\n", COPY_YMM,
           FMA_YMM_F64, "vzeroupper\n")
ATTN_BURST(burstF32, "movss %[half32], %%xmm15\nshufps $0, %%xmm15, %%xmm15\n",
           COPY_XMM, FMA_XMM_F32, "")
ATTN_BURST(burstF64, "movsd %[half64], %%xmm15\nunpcklpd %%xmm15, %%xmm15\n",
           COPY_XMM, FMA_XMM_F64, "")
#else
/// Elsewhere the compiler's own 128-bit vectors must do.
template <typename Scalar> static void burstPortable(int64_t iterations) {
  typedef Scalar Vector __attribute__((vector_size(16)));
  Vector chains[numChains], half = Vector() + Scalar(0.5);
  for (Vector &chain : chains)
    chain = half;
  for (int64_t step = 0; step < iterations; ++step)
    for (Vector &chain : chains)
      chain = chain * half + half;
  Vector sum = chains[0];
  for (int chain = 1; chain < numChains; ++chain)
    sum += chains[chain];
  volatile Scalar sink = sum[0];
  (void)sink;
}
static void burstF32(int64_t iterations) { burstPortable<float>(iterations); }
static void burstF64(int64_t iterations) { burstPortable<double>(iterations); }
#endif

PeakMeter::PeakMeter(ElementType type, int threads) : threads(threads) {
  bool wide = type == ElementType::F64;
  int bytes = 16, productsPerLane = 1;
  burst = wide ? burstF64 : burstF32;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    bytes = 64;
    burst = wide ? burstF64Avx512 : burstF32Avx512;
    if (type == ElementType::BF16 && __builtin_cpu_supports("avx512bf16")) {
      productsPerLane = 2;
      burst = burstBf16Avx512;
    }
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    bytes = 32;
    burst = wide ? burstF64Avx2 : burstF32Avx2;
  }
#endif
  flopsPerIteration =
      2.0 * numChains * productsPerLane * bytes / (wide ? 8 : 4);
}

namespace {
/// What the threads of one burst share; each fills its own slot.
struct Burst {
  void (*body)(int64_t);
  double seconds;
  double rates[1024];
};
} // namespace

/// Steps per second of one thread, over about the time asked for.
static void runBurst(void *data) {
  auto &shared = *static_cast<Burst *>(data);
  constexpr int64_t chunk = 4096;
  shared.body(chunk);
  int64_t iterations = 0;
  Clock::time_point start = Clock::now();
  double elapsed;
  do {
    shared.body(chunk);
    iterations += chunk;
    elapsed = getSeconds(start);
  } while (elapsed < shared.seconds);
  shared.rates[omp_get_thread_num()] = iterations / elapsed;
}

void PeakMeter::sample(double seconds) {
  Burst shared = {burst, seconds, {}};
  if (threads == 1)
    runBurst(&shared);
  else
    GOMP_parallel(runBurst, &shared, std::min(threads, 1024), 0);
  double rate = 0;
  for (double threadRate : shared.rates)
    rate += threadRate;
  flops = std::max(flops, rate * flopsPerIteration);
}

//===----------------------------------------------------------------------===//
// Reading memory
//===----------------------------------------------------------------------===//

namespace {
struct Sweep {
  const uint64_t *data;
  size_t wordsPerThread;
  uint64_t sums[1024];
};
} // namespace

/// Reads four parts in turn, eight cache lines of each: with pages of 4 KiB one
/// stream ends too often for the prefetchers, and is a fifth slower.
static void runSweep(void *data) {
  constexpr size_t streams = 4, block = 64;
  auto &shared = *static_cast<Sweep *>(data);
  int thread = omp_get_thread_num();
  const uint64_t *words = shared.data + thread * shared.wordsPerThread;
  size_t part = shared.wordsPerThread / streams;
  uint64_t sums[8] = {};
  auto readBlock = [&](const uint64_t *from, size_t count) {
    for (size_t word = 0; word + 8 <= count; word += 8)
      for (int lane = 0; lane < 8; ++lane)
        sums[lane] += from[word + lane];
  };
  size_t word = 0;
  for (; word + block <= part; word += block)
    for (size_t stream = 0; stream < streams; ++stream)
      readBlock(words + stream * part + word, block);
  for (size_t stream = 0; stream < streams; ++stream)
    readBlock(words + stream * part + word, part - word);
  for (uint64_t sum : sums)
    shared.sums[thread] += sum;
}

double attn::readMemory(const void *memory, size_t bytes, int threads) {
  threads = std::min(threads, 1024);
  Sweep shared = {static_cast<const uint64_t *>(memory),
                  bytes / sizeof(uint64_t) / threads,
                  {}};
  Clock::time_point start = Clock::now();
  if (threads == 1)
    runSweep(&shared);
  else
    GOMP_parallel(runSweep, &shared, threads, 0);
  double seconds = getSeconds(start);
  volatile uint64_t sink = shared.sums[0];
  (void)sink;
  return seconds;
}

double attn::measureReadBandwidth(int threads) {
  constexpr size_t bytes = size_t(128) << 20;
  void *memory = std::aligned_alloc(64, bytes);
  if (!memory)
    return 0;
  // Pages that were never written may all be the same one.
  std::memset(memory, 1, bytes);
  double best = 0;
  for (int round = 0; round < 5; ++round)
    best = std::max(best, bytes / readMemory(memory, bytes, threads));
  std::free(memory);
  return best;
}
