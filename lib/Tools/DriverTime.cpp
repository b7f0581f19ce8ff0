//===- DriverTime.cpp - Timing a kernel -------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DriverTime.h"
#include "Progress.h"
#include "attn/Support/Random.h"

#include "attn/Execution/Module.h"
#include "attn/Tools/Peak.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Process.h"

#include <chrono>
#ifdef __GLIBC__
#include <malloc.h>
#endif

using namespace attn;
using llvm::format;

using Clock = std::chrono::steady_clock;

static double getSeconds(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Leaves what is freed with the process, so that a call finds the pages that
/// the last one's results had: asking the system for 32 MiB of new ones takes
/// as long as a third of the kernel.
static void keepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

/// Of an even number, the mean of the two in the middle; sorts.
static double getMedian(std::vector<double> &values) {
  if (values.empty())
    return 0;
  llvm::sort(values);
  size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle]
                           : (values[middle - 1] + values[middle]) / 2;
}

llvm::Expected<Timing>
attn::timeKernel(Kernel &kernel, llvm::ArrayRef<Arguments> copies, int64_t runs,
                 double flops, ElementType type, std::vector<Array> &results) {
  constexpr double minSeconds = 0.5, roundSeconds = 0.005;
  constexpr int64_t maxRuns = 10001, rotations = 25;
  const int64_t minRuns = copies.size() > 1 ? rotations * copies.size() : 7;
  // Runs of seconds: enough after these, so that an answer comes in time.
  constexpr double longSeconds = 5;
  constexpr int64_t longRuns = 3;
  Timing timing;
  timing.threads = getNumThreads();
  timing.copies = copies.size();
  for (const Array *array : copies.front())
    timing.argumentBytes += array->getNumBytes();
  keepFreedMemory();
  PeakMeter peak(type, timing.threads);
  size_t turn = 0;
  auto callOnce = [&](double &seconds) -> llvm::Error {
    const Arguments &arguments = copies[turn++ % copies.size()];
    // The old results are freed here, outside the timed interval.
    results.clear();
    Clock::time_point start = Clock::now();
    llvm::Expected<std::vector<Array>> called = kernel.call(arguments);
    seconds = getSeconds(start);
    if (!called)
      return called.takeError();
    results = std::move(*called);
    return llvm::Error::success();
  };

  std::vector<double> times, reads;
  auto readAll = [&] {
    for (const Arguments &arguments : copies) {
      double sum = 0;
      for (const Array *array : arguments)
        sum +=
            readMemory(array->getData(), array->getNumBytes(), timing.threads);
      reads.push_back(sum * 1e3);
    }
  };

  // Warm-up: pages, caches, clocks; two runs or more, one if it is a long one.
  Progress progress("timing");
  double seconds = 0;
  Clock::time_point start = Clock::now();
  for (int run = 0; run < 1 || (run < 2 && getSeconds(start) < 1) ||
                    (run < 10 && getSeconds(start) < 0.05);
       ++run)
    if (llvm::Error error = callOnce(seconds))
      return error;

  // Rounds of one burst and as many runs as take about as long.
  start = Clock::now();
  auto isDone = [&] {
    int64_t done = times.size();
    return runs ? done >= runs
                : done >= maxRuns ||
                      (done >= minRuns && getSeconds(start) >= minSeconds) ||
                      (done >= longRuns && getSeconds(start) >= longSeconds);
  };
  while (!isDone()) {
    peak.sample();
    double spent = 0;
    do {
      if (llvm::Error error = callOnce(seconds))
        return error;
      times.push_back(seconds * 1e3);
      spent += seconds;
      if (copies.size() > 1 && turn % copies.size() == 0)
        readAll();
    } while (spent < roundSeconds && !isDone());
    progress.update();
  }
  // Fewer runs than copies.
  if (copies.size() > 1 && reads.empty())
    readAll();
  for (int burst = 0; burst < 5; ++burst)
    peak.sample();

  timing.runs = times.size();
  timing.medianMs = getMedian(times);
  timing.minMs = times.front();
  timing.readMs = getMedian(reads);
  timing.gflops = timing.medianMs > 0 ? flops / timing.medianMs / 1e6 : 0;
  timing.peakGflops = peak.getFlops() / 1e9;
  timing.peakFraction =
      timing.peakGflops > 0 ? timing.gflops / timing.peakGflops : 0;
  timing.readGBps = measureReadBandwidth(timing.threads) / 1e9;
  return timing;
}

llvm::Expected<Timing> attn::timeOnGPU(const Kernel &kernel,
                                       const Arguments &arguments, int64_t runs,
                                       double flops, llvm::StringRef chip,
                                       std::vector<Array> &results) {
  Progress progress("timing", /*ticks=*/true);
  llvm::Expected<std::vector<double>> times =
      kernel.timeOnGPU(arguments, runs, results);
  if (!times)
    return times.takeError();
  Timing timing;
  timing.chip = chip.str();
  timing.runs = times->size();
  timing.medianMs = getMedian(*times);
  timing.minMs = times->front();
  timing.gflops = timing.medianMs > 0 ? flops / timing.medianMs / 1e6 : 0;
  return timing;
}

/// The rows and columns of the product: large enough to fill any GPU. Where
/// that is a CPU, as in tests, others can be asked for.
static llvm::Expected<int64_t> getProductSize() {
  int64_t size = 8192;
  auto text = llvm::sys::Process::GetEnv("ATTN_TEST_PRODUCT_SIZE");
  if (text && (llvm::StringRef(*text).getAsInteger(10, size) || size < 1))
    return llvm::createStringError(
        "expected a positive number in ATTN_TEST_PRODUCT_SIZE, but got '" +
        *text + "'");
  return size;
}

static constexpr llvm::StringLiteral kProduct = R"(
func.func @attn_product(%lhs: tensor<SxSxf16>, %rhs: tensor<SxSxf16>)
    -> tensor<SxSxf32> {
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<SxSxf32>
  %none = linalg.fill ins(%zero : f32) outs(%init : tensor<SxSxf32>)
      -> tensor<SxSxf32>
  %sum = linalg.matmul ins(%lhs, %rhs : tensor<SxSxf16>, tensor<SxSxf16>)
      outs(%none : tensor<SxSxf32>) -> tensor<SxSxf32>
  return %sum : tensor<SxSxf32>
}
)";

llvm::Error attn::timeProductOnGPU(mlir::MLIRContext &context,
                                   const CompileOptions &given,
                                   Timing &timing) {
  Progress progress("timing a product of matrices", /*ticks=*/true);
  llvm::Expected<int64_t> asked = getProductSize();
  if (!asked)
    return asked.takeError();
  int64_t size = *asked;
  std::string text = kProduct.str(), extent = std::to_string(size) + "x";
  for (size_t at = text.find("Sx"); at != std::string::npos;
       at = text.find("Sx", at + extent.size()))
    text.replace(at, 2, extent);
  auto module = parseModule(text, "product", context);
  if (!module)
    return module.takeError();
  CompileOptions options;
  options.cpu = given.cpu;
  options.features = given.features;
  options.stages.target = given.stages.target;
  options.stages.device = given.stages.device;
  options.stages.chip = given.stages.chip;
  auto kernel = Kernel::compile(**module, "attn_product", options);
  if (!kernel)
    return kernel.takeError();
  llvm::Expected<Array> factor = Array::create(ElementType::F16, {size, size});
  if (!factor)
    return factor.takeError();
  if (llvm::Error error = fillRandom(*factor, /*seed=*/0))
    return error;
  std::vector<Array> results;
  auto times = (*kernel)->timeOnGPU({&*factor, &*factor}, /*runs=*/0, results);
  if (!times)
    return times.takeError();
  timing.productSize = size;
  timing.productGflops = 2.0 * size * size * size / getMedian(*times) / 1e6;
  return llvm::Error::success();
}

void Timing::print(llvm::raw_ostream &os) const {
  if (!chip.empty()) {
    os << format("time: %.4g ms (median of %lld, least %.4g ms)", medianMs,
                 static_cast<long long>(runs), minMs);
    if (gflops > 0)
      os << format(", %.4g TFLOP/s on visible pairs", gflops / 1e3);
    if (gflops > 0 && productGflops > 0)
      os << format(", %.1f %% of the %.4g TFLOP/s of our product of %lld x "
                   "%lld matrices of f16",
                   100 * getProductFraction(), productGflops / 1e3,
                   static_cast<long long>(productSize),
                   static_cast<long long>(productSize));
    os << "; kernels for " << chip
       << format(", compiled in %.4g ms\n", compileMs);
    return;
  }
  os << format("time: %.4g ms (median of %lld, least %.4g ms)", medianMs,
               static_cast<long long>(runs), minMs);
  if (gflops > 0)
    os << format(", %.4g GFLOP/s, %.1f %% of the peak of %.4g GFLOP/s", gflops,
                 100 * peakFraction, peakGflops);
  os << format("; %d thread%s, compiled in %.4g ms, memory reads at %.3g GB/s",
               threads, threads == 1 ? "" : "s", compileMs, readGBps);
  if (copies > 1)
    os << format("; %lld copies of the arguments in turn, at %.3g GB/s, "
                 "%.1f %% of a plain read's",
                 static_cast<long long>(copies), argumentBytes / medianMs / 1e6,
                 100 * getReadFraction());
  if (!unfused.empty())
    os << "; " << unfused.size() << (unfused.size() == 1 ? " op" : " ops")
       << " unfused";
  os << "\n";
}

void Timing::printJson(llvm::raw_ostream &os) const {
  if (!chip.empty()) {
    os << format(
              "{\"compile_ms\": %.3f, \"median_ms\": %.6f, \"min_ms\": %.6f, ",
              compileMs, medianMs, minMs)
       << format("\"tflops\": %.3f, \"runs\": %lld, ", gflops / 1e3,
                 static_cast<long long>(runs));
    if (productGflops > 0)
      os << format("\"product_tflops\": %.3f, \"product_fraction\": %.4f, ",
                   productGflops / 1e3, getProductFraction());
    os << "\"chip\": \"" << chip << "\"}\n";
    return;
  }
  os << format("{\"compile_ms\": %.3f, \"median_ms\": %.6f, \"min_ms\": %.6f, ",
               compileMs, medianMs, minMs)
     << format("\"gflops\": %.3f, \"peak_gflops\": %.3f, "
               "\"peak_fraction\": %.4f, \"threads\": %d, ",
               gflops, peakGflops, peakFraction, threads)
     << format("\"runs\": %lld, \"read_gb_per_s\": %.3f",
               static_cast<long long>(runs), readGBps)
     << (copies > 1 ? llvm::formatv(", \"copies\": {0}, \"gb_per_s\": {1:F3}, "
                                    "\"read_fraction\": {2:F4}",
                                    copies, argumentBytes / medianMs / 1e6,
                                    getReadFraction())
                          .str()
                    : std::string())
     << (isMeasuringError() ? ", \"measuring_error\": true" : "")
     << ", \"fused\": " << (unfused.empty() ? "true}\n" : "false");
  if (unfused.empty())
    return;
  os << ", \"unfused\": [";
  llvm::ListSeparator separator;
  for (const UnfusedOp &op : unfused)
    os << separator
       << llvm::json::Value(llvm::json::Object{
              {"op", llvm::StringRef(op.location).rtrim(": ")},
              {"reason", op.reason}});
  os << "]}\n";
}
