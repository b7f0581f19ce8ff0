//===- Decode.cpp - Times a few rows by hand --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   attn-limit decode ROWSxHEADSxKEYSx128 [--check] [--isa=avx512|avx2]
//
// ROWS query rows (1, 2, 4 or 8) for each of HEADS heads of keys and values.
// Copies of 256 MiB together take turns, so that nothing is found in a cache; a
// plain sum over the same copies runs in between. Prints one JSON object: isa,
// median_ms, min_ms, runs, gb_per_s, read_gb_per_s, read_fraction (the median
// of the sum's time over the nest's), error.
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include <cmath>
#include <random>

using namespace attn::limit;

namespace {

struct DecodeCase {
  int64_t rows = 0, heads = 0, keys = 0;
  bool check = false;
  std::string isa;
  int64_t count() const { return heads * keys * fewRowsWidth; }
};

/// Queries and outputs, and copies of the keys and the values behind them.
struct DecodeArrays {
  DecodeArrays(const DecodeCase &given, int64_t copies)
      : query(given.rows * given.heads * fewRowsWidth),
        output(given.rows * given.heads * fewRowsWidth) {
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> draw(-1, 1);
    std::generate_n(query.data.get(), given.rows * given.heads * fewRowsWidth,
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
  }

  Rows getHead(const DecodeCase &given, int64_t head, int64_t copy) const {
    int64_t queries = head * given.rows * fewRowsWidth;
    const float *keys =
        caches[copy].data.get() + head * given.keys * fewRowsWidth;
    return {query.data.get() + queries, keys, keys + given.count(),
            output.data.get() + queries, given.keys};
  }

  Numbers query, output;
  std::vector<Numbers> caches;
};

} // namespace

static DecodeCase parseDecode(int argc, char **argv) {
  DecodeCase given;
  long long rows = 0, heads = 0, keys = 0, width = 0;
  int end = 0;
  parseOptions(argc, argv, given);
  if (argc < 3 ||
      std::sscanf(argv[2], "%5lldx%5lldx%8lldx%5lld%n", &rows, &heads, &keys,
                  &width, &end) != 4 ||
      argv[2][end] != '\0' || !getAVX2FewRows(rows) || heads < 1 || keys < 1 ||
      keys % keyMultiple != 0 || width != fewRowsWidth ||
      heads > (1 << 29) / (keys * width))
    fail("expected decode ROWSxHEADSxKEYSx128 with 1, 2, 4 or 8 rows and a "
         "multiple of " +
         std::to_string(keyMultiple) +
         " keys, at most 2^30 numbers, but got '" + (argc < 3 ? "" : argv[2]) +
         "'");
  given.rows = rows;
  given.heads = heads;
  given.keys = keys;
  return given;
}

double attn::limit::getRowError(const Rows &head, int64_t row) {
  const float *query = head.query + row * fewRowsWidth;
  std::vector<double> weights(head.keys), output(fewRowsWidth);
  double sum = 0, error = 0;
  for (int64_t j = 0; j < head.keys; ++j) {
    double score = 0;
    for (int64_t d = 0; d < fewRowsWidth; ++d)
      score += double(query[d]) * head.key[j * fewRowsWidth + d];
    sum += weights[j] = std::exp(score / std::sqrt(double(fewRowsWidth)));
  }
  for (int64_t j = 0; j < head.keys; ++j)
    for (int64_t d = 0; d < fewRowsWidth; ++d)
      output[d] += weights[j] / sum * head.value[j * fewRowsWidth + d];
  for (int64_t d = 0; d < fewRowsWidth; ++d) {
    double difference =
        std::fabs(output[d] - head.output[row * fewRowsWidth + d]);
    error = std::fmax(error, std::isnan(difference) ? INFINITY : difference);
  }
  return error;
}

int attn::limit::runDecode(int argc, char **argv) {
  DecodeCase given = parseDecode(argc, argv);
  bool avx512 = chooseIsa(given.isa);
  FewRowsNest nest =
      avx512 ? getAVX512FewRows(given.rows) : getAVX2FewRows(given.rows);
  auto read = avx512 ? readAllAVX512 : readAllAVX2;
  int64_t bytes = 2 * given.count() * static_cast<int64_t>(sizeof(float));
  int64_t copies = given.check ? 1 : (kRotatedBytes + bytes - 1) / bytes;
  DecodeArrays arrays(given, copies);
  volatile float sink = 0;
  auto run = [&](int64_t copy) {
    for (int64_t head = 0; head < given.heads; ++head)
      nest(arrays.getHead(given, head, copy));
  };
  auto sum = [&](int64_t copy) {
    sink = read(arrays.caches[copy].data.get(), 2 * given.count());
  };

  std::printf("{\"isa\": \"%s\", ", given.isa.c_str());
  if (!given.check) {
    Turns turns = takeTurns(copies, run, sum);
    turns.print(bytes);
    std::printf("\"read_gb_per_s\": %.3f, \"read_fraction\": %.4f, ",
                bytes / getMedian(turns.reads) / 1e9,
                getMedian(turns.fractions));
  }
  run(0);
  double error = 0;
  for (int64_t head = 0; head < given.heads;
       head += given.check ? 1 : given.heads)
    for (int64_t row = 0; row < given.rows; ++row)
      error =
          std::fmax(error, getRowError(arrays.getHead(given, head, 0), row));
  reportError(error);
  return 0;
}
