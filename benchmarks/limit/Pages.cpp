//===- Pages.cpp - Times a sum over pages -----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   attn-limit pages SIZExHEADSxKEYSx128 [--isa=avx512|avx2]
//
// KEYS keys and values of HEADS heads in pages of SIZE, which are gone through
// in an order drawn at random: a plain sum, asked for 32 keys ahead, as no
// attention over the same pages could be faster. Copies of 256 MiB together
// take turns, so that nothing is found in a cache. Prints one JSON object: isa,
// median_ms, min_ms, runs, gb_per_s.
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include <numeric>
#include <random>

using namespace attn::limit;

namespace {
struct PagesCase {
  int64_t size = 0, heads = 0, keys = 0;
  bool check = false;
  std::string isa;
  int64_t pages() const { return keys / size; }
  int64_t count() const { return heads * keys * fewRowsWidth; }
};
} // namespace

static PagesCase parsePages(int argc, char **argv) {
  PagesCase given;
  long long size = 0, heads = 0, keys = 0, width = 0;
  int end = 0;
  parseOptions(argc, argv, given);
  if (given.check)
    fail("expected no --check: a sum is compared with nothing");
  if (argc < 3 ||
      std::sscanf(argv[2], "%5lldx%5lldx%8lldx%5lld%n", &size, &heads, &keys,
                  &width, &end) != 4 ||
      argv[2][end] != '\0' || size < 1 || heads < 1 || keys < 1 ||
      keys % size != 0 || width != fewRowsWidth ||
      heads > (1 << 29) / (keys * width))
    fail("expected pages SIZExHEADSxKEYSx128 with a multiple of SIZE keys, at "
         "most 2^30 numbers, but got '" +
         std::string(argc < 3 ? "" : argv[2]) + "'");
  given.size = size;
  given.heads = heads;
  given.keys = keys;
  return given;
}

int attn::limit::runPages(int argc, char **argv) {
  constexpr int64_t kKeysAhead = 32;
  PagesCase given = parsePages(argc, argv);
  auto read = chooseIsa(given.isa) ? readPartAVX512 : readPartAVX2;
  int64_t bytes = 2 * given.count() * static_cast<int64_t>(sizeof(float));
  int64_t copies = (kRotatedBytes + bytes - 1) / bytes;
  std::vector<Numbers> caches;
  for (int64_t copy = 0; copy < copies; ++copy) {
    caches.emplace_back(2 * given.count());
    std::fill_n(caches.back().data.get(), 2 * given.count(), 1.0f);
  }
  std::vector<int64_t> order(given.pages());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(1));

  int64_t part = given.size * fewRowsWidth;
  int64_t ahead = std::max<int64_t>(1, kKeysAhead / given.size);
  volatile float sink = 0;
  auto run = [&](int64_t copy) {
    const float *keys = caches[copy].data.get();
    float sum = 0;
    for (int64_t head = 0; head < given.heads; ++head)
      for (int64_t i = 0; i < given.pages(); ++i) {
        int64_t next = order[std::min(i + ahead, given.pages() - 1)];
        for (const float *from : {keys, keys + given.count()})
          sum += read(from + (order[i] * given.heads + head) * part,
                      from + (next * given.heads + head) * part, part);
      }
    sink = sum;
  };
  std::vector<double> times;
  for (int64_t turn = -1; turn < kRotations; ++turn)
    for (int64_t copy = 0; copy < copies; ++copy) {
      double seconds = getSeconds([&] { run(copy); });
      if (turn >= 0)
        times.push_back(seconds);
    }
  std::printf("{\"isa\": \"%s\", \"median_ms\": %.6f, \"min_ms\": %.6f, "
              "\"runs\": %zu, \"gb_per_s\": %.3f}\n",
              given.isa.c_str(), getMedian(times) * 1e3,
              *std::min_element(times.begin(), times.end()) * 1e3, times.size(),
              bytes / getMedian(times) / 1e9);
  return 0;
}
