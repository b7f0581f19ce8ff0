//===- attn-limit.cpp - Times the loop nest written by hand -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   attn-limit dense|causal BATCHxHEADSxROWSxWIDTH [--check]
//   [--isa=avx512|avx2]
//   attn-limit product|transposed ROWSxCOLUMNSxDEPTH,... [--check]
//   [--isa=avx512|avx2]
//
// or, for a few rows that share keys, Decode.cpp,
//
//   attn-limit decode ROWSxHEADSxKEYSx128 [--check] [--isa=avx512|avx2]
//
// or, for pages in any order, Pages.cpp,
//
//   attn-limit pages SIZExHEADSxKEYSx128 [--isa=avx512|avx2]
//
// Prints one JSON object: isa, median_ms, min_ms, runs, gflops (visible pairs),
// error, the largest difference from a plain loop in double precision, on a few
// rows (of the first and the last head), or with --check, which times nothing,
// on all. The right-hand side of a transposed product lies column by column.
// Exits with 1 if the error is too large, 2 on wrong usage or on a CPU
// that has none of the instructions.
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

using namespace attn::limit;

namespace {

struct Case {
  int64_t heads = 0, rows = 0, width = 0;
  /// Of products, one after the other.
  struct Extents {
    int64_t rows, columns, depth;
  };
  std::vector<Extents> products;
  bool causal = false, transposed = false, check = false;
  std::string isa;
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

/// Three numbers a product, products separated by commas.
static void parseProducts(Case &given, const char *text) {
  for (const char *rest = text; rest;) {
    long long rows = 0, columns = 0, depth = 0;
    int end = 0;
    auto fits = [](long long extent) {
      return extent >= productMultiple && extent % productMultiple == 0 &&
             extent <= 1 << 15;
    };
    if (std::sscanf(rest, "%6lldx%6lldx%6lld%n", &rows, &columns, &depth,
                    &end) != 3 ||
        (rest[end] != '\0' && rest[end] != ',') || !fits(rows) ||
        !fits(columns) || !fits(depth))
      fail("expected ROWSxCOLUMNSxDEPTH,... with multiples of " +
           std::to_string(productMultiple) + " up to 32768, but got '" + text +
           "'");
    given.products.push_back({rows, columns, depth});
    rest = rest[end] == ',' ? rest + end + 1 : nullptr;
  }
}

/// The four numbers of heads.
static void parseHeads(Case &given, const char *text) {
  long long batch, heads, rows, width;
  int end = 0;
  if (std::sscanf(text, "%5lldx%5lldx%8lldx%5lld%n", &batch, &heads, &rows,
                  &width, &end) != 4 ||
      text[end] != '\0' || batch < 1 || heads < 1 || rows < rowMultiple ||
      rows % rowMultiple != 0 || !getAVX2Nest(width) ||
      batch * heads > (1 << 30) / (rows * width))
    fail("expected BATCHxHEADSxROWSxWIDTH with a multiple of " +
         std::to_string(rowMultiple) +
         " rows and a width of 64 or 128, at most 2^30 numbers, but got '" +
         text + "'");
  given.heads = batch * heads;
  given.rows = rows;
  given.width = width;
}

static Case parse(int argc, char **argv) {
  Case given;
  std::string kind = argc > 1 ? argv[1] : "";
  given.causal = kind == "causal";
  given.transposed = kind == "transposed";
  if (argc < 3 || (kind != "dense" && kind != "causal" && kind != "product" &&
                   kind != "transposed"))
    fail("expected dense|causal BATCHxHEADSxROWSxWIDTH or product|transposed "
         "ROWSxCOLUMNSxDEPTH,..., but got '" +
         kind + "'");
  parseOptions(argc, argv, given);
  if (kind == "dense" || kind == "causal")
    parseHeads(given, argv[2]);
  else
    parseProducts(given, argv[2]);
  return given;
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

/// The same for a product: of every row with --check, else of every 61st.
static double getError(const Product &product, const Case &given) {
  double error = 0;
  for (int64_t i = 0; i < product.rows; i += given.check ? 1 : 61)
    for (int64_t j = 0; j < product.columns; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < product.depth; ++k)
        sum += double(product.left[i * product.depth + k]) *
               product.right[product.transposed ? j * product.depth + k
                                                : k * product.columns + j];
      double difference =
          std::fabs(sum - product.result[i * product.columns + j]);
      error = std::max(error, std::isnan(difference) ? INFINITY : difference);
    }
  // Of a mean of as many numbers.
  return error / product.depth;
}

/// Times `work`, of `flops` operations, unless it is only checked, and prints
/// what came out.
static int report(const Case &given, const std::function<void()> &work,
                  double flops, const std::function<double()> &getError) {
  auto run = [&] { return getSeconds(work); };
  double seconds = run(), spent = 0;
  std::vector<double> times;
  if (!given.check) {
    for (spent = 0; spent < 0.05; spent += seconds)
      seconds = run();
    for (spent = 0; times.size() < 7 || spent < 0.5; spent += times.back())
      times.push_back(run());
    std::sort(times.begin(), times.end());
  }
  double error = getError();
  std::printf("{\"isa\": \"%s\", ", given.isa.c_str());
  if (!times.empty()) {
    double median = times[times.size() / 2];
    std::printf("\"median_ms\": %.6f, \"min_ms\": %.6f, \"runs\": %zu, "
                "\"gflops\": %.3f, ",
                median * 1e3, times.front() * 1e3, times.size(),
                flops / median / 1e9);
  }
  reportError(error);
  return 0;
}

/// A product of numbers at random.
struct ProductArrays {
  ProductArrays(const Case::Extents &extents, bool transposed)
      : left(extents.rows * extents.depth),
        right(extents.depth * extents.columns),
        result(extents.rows * extents.columns),
        product{left.data.get(), right.data.get(), result.data.get(),
                extents.rows,    extents.columns,  extents.depth,
                transposed} {
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> draw(-1, 1);
    std::generate_n(left.data.get(), extents.rows * extents.depth,
                    [&] { return draw(generator); });
    std::generate_n(right.data.get(), extents.depth * extents.columns,
                    [&] { return draw(generator); });
    std::fill_n(result.data.get(), extents.rows * extents.columns,
                std::nanf(""));
  }

  Numbers left, right, result;
  Product product;
};

static int runProducts(const Case &given) {
  std::vector<std::unique_ptr<ProductArrays>> all;
  double flops = 0;
  for (const Case::Extents &extents : given.products) {
    all.push_back(std::make_unique<ProductArrays>(extents, given.transposed));
    flops += 2.0 * extents.rows * extents.columns * extents.depth;
  }
  ProductLoopNest nest =
      given.isa == "avx512" ? getAVX512Product() : getAVX2Product();
  return report(
      given,
      [&] {
        for (const auto &arrays : all)
          nest(arrays->product);
      },
      flops,
      [&] {
        double error = 0;
        for (const auto &arrays : all)
          error = std::max(error, getError(arrays->product, given));
        return error;
      });
}

int main(int argc, char **argv) {
  if (argc > 1 && std::string(argv[1]) == "decode")
    return runDecode(argc, argv);
  if (argc > 1 && std::string(argv[1]) == "pages")
    return runPages(argc, argv);
  Case given = parse(argc, argv);
  chooseIsa(given.isa);
  if (!given.products.empty())
    return runProducts(given);
  LoopNest nest = given.isa == "avx512" ? getAVX512Nest(given.width)
                                        : getAVX2Nest(given.width);
  Arrays arrays(given);
  double pairs = given.causal ? given.rows * (given.rows + 1) / 2.0
                              : double(given.rows) * given.rows;
  return report(
      given,
      [&] {
        for (int64_t head = 0; head < given.heads; ++head)
          nest(arrays.getHead(given, head));
      },
      4 * given.heads * pairs * given.width,
      [&] { return getError(arrays, given); });
}
