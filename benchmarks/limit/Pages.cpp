//===- Pages.cpp - Times a sum over pages -----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   attn-limit pages SIZExHEADSxKEYSx128 [--check] [--isa=avx512|avx2]
//
// 4 query rows for each of HEADS heads of KEYS keys and values, in pages of
// SIZE that are gone through in an order drawn at random; and in turns with
// them a plain sum over the same pages, asked for 32 keys ahead, or a page.
// Copies of 256 MiB together take turns, so that nothing is found in a cache.
// Prints one JSON object: isa, median_ms, min_ms, runs, gb_per_s, sum_ms of the
// sum, sum_fraction, its time over that of the rows, error. With --check, which
// times nothing, all rows are compared, else those of the first head.
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include <numeric>
#include <random>

using namespace attn::limit;

namespace {

constexpr int64_t kKeysAhead = 32;

struct PagesCase {
  int64_t size = 0, heads = 0, keys = 0;
  bool check = false;
  std::string isa;
  int64_t pages() const { return keys / size; }
  int64_t count() const { return heads * keys * fewRowsWidth; }
};

/// Queries and outputs, copies of the keys and the values behind them, and the
/// order of the pages.
struct PagesArrays {
  PagesArrays(const PagesCase &given, int64_t copies)
      : query(given.heads * pagedRows * fewRowsWidth),
        output(given.heads * pagedRows * fewRowsWidth), order(given.pages()) {
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> draw(-1, 1);
    std::generate_n(query.data.get(), given.heads * pagedRows * fewRowsWidth,
                    [&] { return draw(generator); });
    std::vector<float> some(99991);
    for (float &one : some)
      one = draw(generator);
    for (int64_t copy = 0; copy < copies; ++copy) {
      caches.emplace_back(2 * given.count());
      float *to = caches.back().data.get();
      for (int64_t i = 0, e = 2 * given.count(); i < e; ++i)
        to[i] = some[(i + copy * 7919) % some.size()];
    }
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), generator);
  }

  PagedRows getHead(const PagesCase &given, int64_t head, int64_t copy) const {
    int64_t queries = head * pagedRows * fewRowsWidth;
    int64_t part = given.size * fewRowsWidth;
    const float *keys = caches[copy].data.get() + head * part;
    return {query.data.get() + queries,
            keys,
            keys + given.count(),
            output.data.get() + queries,
            order.data(),
            given.pages(),
            given.size,
            given.heads * part,
            std::max<int64_t>(1, kKeysAhead / given.size)};
  }

  Numbers query, output;
  std::vector<Numbers> caches;
  std::vector<int64_t> order;
};

/// The largest difference of the rows of a head from their definition.
static double getError(const PagedRows &head) {
  int64_t keys = head.pages * head.size, part = head.size * fewRowsWidth;
  std::vector<float> inOrder(2 * keys * fewRowsWidth);
  for (int64_t i = 0; i < head.pages; ++i) {
    int64_t from = head.order[i] * head.stride;
    std::copy_n(head.key + from, part, inOrder.data() + i * part);
    std::copy_n(head.value + from, part,
                inOrder.data() + (head.pages + i) * part);
  }
  Rows rows{head.query, inOrder.data(), inOrder.data() + keys * fewRowsWidth,
            head.output, keys};
  double error = 0;
  for (int64_t row = 0; row < pagedRows; ++row)
    error = std::max(error, getRowError(rows, row));
  return error;
}

} // namespace

static PagesCase parsePages(int argc, char **argv) {
  PagesCase given;
  long long size = 0, heads = 0, keys = 0, width = 0;
  int end = 0;
  parseOptions(argc, argv, given);
  if (argc < 3 ||
      std::sscanf(argv[2], "%5lldx%5lldx%8lldx%5lld%n", &size, &heads, &keys,
                  &width, &end) != 4 ||
      argv[2][end] != '\0' || size < 1 || size % keyMultiple != 0 ||
      heads < 1 || keys < 1 || keys % size != 0 || width != fewRowsWidth ||
      heads > (1 << 29) / (keys * width))
    fail("expected pages SIZExHEADSxKEYSx128 with a SIZE that is a multiple of "
         "16 and a multiple of SIZE keys, at most 2^30 numbers, but got '" +
         std::string(argc < 3 ? "" : argv[2]) + "'");
  given.size = size;
  given.heads = heads;
  given.keys = keys;
  return given;
}

int attn::limit::runPages(int argc, char **argv) {
  PagesCase given = parsePages(argc, argv);
  bool avx512 = chooseIsa(given.isa);
  PagedRowsNest nest = avx512 ? getAVX512PagedRows() : getAVX2PagedRows();
  auto read = avx512 ? readPartAVX512 : readPartAVX2;
  int64_t bytes = 2 * given.count() * static_cast<int64_t>(sizeof(float));
  int64_t copies = given.check ? 1 : (kRotatedBytes + bytes - 1) / bytes;
  PagesArrays arrays(given, copies);

  int64_t part = given.size * fewRowsWidth;
  volatile float sink = 0;
  auto sum = [&](int64_t copy) {
    float total = 0;
    for (int64_t number = 0; number < given.heads; ++number) {
      PagedRows head = arrays.getHead(given, number, copy);
      for (int64_t i = 0; i < head.pages; ++i) {
        int64_t here = head.order[i] * head.stride;
        int64_t next =
            head.order[std::min(i + head.ahead, head.pages - 1)] * head.stride;
        for (const float *from : {head.key, head.value})
          total += read(from + here, from + next, part);
      }
    }
    sink = total;
  };
  auto run = [&](int64_t copy) {
    for (int64_t head = 0; head < given.heads; ++head)
      nest(arrays.getHead(given, head, copy));
  };

  std::printf("{\"isa\": \"%s\", ", given.isa.c_str());
  if (!given.check) {
    Turns turns = takeTurns(copies, run, sum);
    turns.print(bytes);
    std::printf("\"sum_ms\": %.6f, \"sum_fraction\": %.4f, ",
                getMedian(turns.reads) * 1e3, getMedian(turns.fractions));
  }
  run(0);
  double error = 0;
  for (int64_t head = 0; head < given.heads;
       head += given.check ? 1 : given.heads)
    error = std::max(error, getError(arrays.getHead(given, head, 0)));
  reportError(error);
  return 0;
}
