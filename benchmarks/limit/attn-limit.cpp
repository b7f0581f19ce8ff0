//===- attn-limit.cpp - Times the loop nest written by hand -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   attn-limit dense|causal BATCHxHEADSxROWSxWIDTH [--check]
//   [--isa=avx512|avx2]
//
// Prints one JSON object: isa, median_ms, min_ms, runs, gflops (visible pairs),
// error, the largest difference from a plain loop in double precision, on a few
// rows of the first and the last head, or with --check, which times nothing, on
// all. Exits with 1 if the error is too large, 2 on wrong usage or on a CPU
// that has none of the instructions.
//
//===----------------------------------------------------------------------===//

#include "Limit.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace attn::limit;

namespace {

struct Case {
  int64_t heads = 0, rows = 0, width = 0;
  bool causal = false, check = false;
  std::string isa;
};

/// Arrays that begin on a cache line.
struct Numbers {
  explicit Numbers(size_t count)
      : data(static_cast<float *>(std::aligned_alloc(
                 64, (count * sizeof(float) + 63) / 64 * 64)),
             std::free) {}
  std::unique_ptr<float, void (*)(void *)> data;
};

/// The heads of a case, one after the other.
struct Arrays {
  explicit Arrays(const Case &given)
      : size(given.heads * given.rows * given.width), query(size), key(size),
        value(size), output(size) {
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> draw(-1, 1);
    for (Numbers *numbers : {&query, &key, &value})
      std::generate_n(numbers->data.get(), size,
                      [&] { return draw(generator); });
    std::fill_n(output.data.get(), size, std::nanf(""));
  }

  Head getHead(const Case &given, int64_t head) const {
    int64_t start = head * given.rows * given.width;
    return {query.data.get() + start,
            key.data.get() + start,
            value.data.get() + start,
            output.data.get() + start,
            given.rows,
            given.causal};
  }

  size_t size;
  Numbers query, key, value, output;
};

} // namespace

[[noreturn]] static void fail(const std::string &message, int status = 2) {
  std::fprintf(stderr, "attn-limit: error: %s\n", message.c_str());
  std::exit(status);
}

static Case parse(int argc, char **argv) {
  Case given;
  long long batch, heads, rows, width;
  int end = 0;
  std::string kind = argc > 1 ? argv[1] : "";
  given.causal = kind == "causal";
  if (argc < 3 || (kind != "dense" && kind != "causal"))
    fail("expected dense|causal BATCHxHEADSxROWSxWIDTH, but got '" + kind +
         "'");
  for (int i = 3; i < argc; ++i) {
    std::string text = argv[i];
    if (text == "--check")
      given.check = true;
    else if (text == "--isa=avx512" || text == "--isa=avx2")
      given.isa = text.substr(6);
    else
      fail("expected --check or --isa=avx512|avx2, but got '" + text + "'");
  }
  if (std::sscanf(argv[2], "%5lldx%5lldx%8lldx%5lld%n", &batch, &heads, &rows,
                  &width, &end) != 4 ||
      argv[2][end] != '\0' || batch < 1 || heads < 1 || rows < rowMultiple ||
      rows % rowMultiple != 0 || !getAVX2Nest(width) ||
      batch * heads > (1 << 30) / (rows * width))
    fail("expected BATCHxHEADSxROWSxWIDTH with a multiple of " +
         std::to_string(rowMultiple) +
         " rows and a width of 64 or 128, at most 2^30 numbers, but got '" +
         argv[2] + "'");
  given.heads = batch * heads;
  given.rows = rows;
  given.width = width;
  return given;
}

static LoopNest chooseNest(Case &given) {
  bool avx512 =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (given.isa.empty())
    given.isa = avx512 ? "avx512" : "avx2";
  if (given.isa == "avx512" ? !avx512 : !avx2)
    fail("expected a CPU with " + given.isa + ", but this one has it not");
  return given.isa == "avx512" ? getAVX512Nest(given.width)
                               : getAVX2Nest(given.width);
}

/// The largest difference of one row from its definition; infinite if the row
/// holds a NaN.
static double getRowError(const Head &head, int64_t width, int64_t row) {
  int64_t keys = head.causal ? row + 1 : head.rows;
  std::vector<double> weights(keys), output(width);
  double largest = -INFINITY, sum = 0, error = 0;
  for (int64_t j = 0; j < keys; ++j) {
    for (int64_t d = 0; d < width; ++d)
      weights[j] +=
          double(head.query[row * width + d]) * head.key[j * width + d];
    weights[j] /= std::sqrt(double(width));
    largest = std::max(largest, weights[j]);
  }
  for (int64_t j = 0; j < keys; ++j) {
    double weight = std::exp(weights[j] - largest);
    sum += weight;
    for (int64_t e = 0; e < width; ++e)
      output[e] += weight * head.value[j * width + e];
  }
  for (int64_t e = 0; e < width; ++e) {
    double difference =
        std::fabs(output[e] / sum - head.output[row * width + e]);
    error = std::max(error, std::isnan(difference) ? INFINITY : difference);
  }
  return error;
}

static double getError(const Arrays &arrays, const Case &given) {
  double error = 0;
  auto look = [&](int64_t head, int64_t row) {
    error = std::max(
        error, getRowError(arrays.getHead(given, head), given.width, row));
  };
  if (given.check) {
    for (int64_t head = 0; head < given.heads; ++head)
      for (int64_t row = 0; row < given.rows; ++row)
        look(head, row);
    return error;
  }
  for (int64_t head : {int64_t(0), given.heads - 1})
    for (int64_t row :
         {int64_t(0), given.rows / 2 - 1, given.rows / 2 + 5, given.rows - 1})
      look(head, row);
  return error;
}

int main(int argc, char **argv) {
  using Clock = std::chrono::steady_clock;
  Case given = parse(argc, argv);
  LoopNest nest = chooseNest(given);
  Arrays arrays(given);
  auto run = [&] {
    Clock::time_point start = Clock::now();
    for (int64_t head = 0; head < given.heads; ++head)
      nest(arrays.getHead(given, head));
    return std::chrono::duration<double>(Clock::now() - start).count();
  };

  double seconds = run(), spent = 0;
  std::vector<double> times;
  if (!given.check) {
    for (spent = 0; spent < 0.05; spent += seconds)
      seconds = run();
    for (spent = 0; times.size() < 7 || spent < 0.5; spent += times.back())
      times.push_back(run());
    std::sort(times.begin(), times.end());
  }
  double error = getError(arrays, given);
  std::printf("{\"isa\": \"%s\", ", given.isa.c_str());
  if (!times.empty()) {
    double pairs = given.causal ? given.rows * (given.rows + 1) / 2.0
                                : double(given.rows) * given.rows;
    double median = times[times.size() / 2];
    std::printf("\"median_ms\": %.6f, \"min_ms\": %.6f, \"runs\": %zu, "
                "\"gflops\": %.3f, ",
                median * 1e3, times.front() * 1e3, times.size(),
                4 * given.heads * pairs * given.width / median / 1e9);
  }
  std::printf("\"error\": %.3g}\n", error);
  if (!(error < 1e-5))
    fail("expected an error below 1e-5, but got " + std::to_string(error), 1);
  return 0;
}
