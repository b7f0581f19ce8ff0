//===- ProductNest.h - A product of matrices in panels ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   for blocks of columns { for blocks of depth {
//     pack right into panels, depth x two vectors of columns
//     for rows of left, read in place, for panels { multiply in registers } } }
//
// A tile of `Isa::productRows` rows by two vectors stays in registers while the
// inner loop runs; those rows stay in the first level of cache while the panels
// stream by. As LoopNest.h, all is in an anonymous namespace.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCHMARKS_LIMIT_PRODUCTNEST_H
#define ATTN_BENCHMARKS_LIMIT_PRODUCTNEST_H

#include "Limit.h"
#include "LoopNest.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace {

using attn::limit::Product;

template <typename Isa> struct ProductNest {
  using Vector = typename Isa::Vector;
  static constexpr int lanes = Isa::lanes, columns = 2 * lanes;
  static constexpr int rows = Isa::productRows;
  static constexpr int64_t blockDepth = 512, blockColumns = 1024;

  /// Rows r and r + stride exchange the blocks off the diagonal.
  template <int stride, size_t... lane>
  static ATTN_INLINE void exchange(Vector &low, Vector &high,
                                   std::index_sequence<lane...>) {
    Vector first = low;
    low = __builtin_shufflevector(
        first, high, ((lane & stride) ? lanes + lane - stride : lane)...);
    high = __builtin_shufflevector(
        first, high, ((lane & stride) ? lanes + lane : lane + stride)...);
  }

  template <int stride = 1>
  static ATTN_INLINE void transpose(Vector (&square)[lanes]) {
    if constexpr (stride < lanes) {
#pragma clang loop unroll(full)
      for (int r = 0; r < lanes; ++r)
        if (!(r & stride))
          exchange<stride>(square[r], square[r + stride],
                           std::make_index_sequence<lanes>());
      transpose<2 * stride>(square);
    }
  }

  /// Depth by columns of `right`, from there on, as panels.
  static void pack(const Product &product, const float *right, int64_t depth,
                   int64_t width, float *panels) {
    for (int64_t j = 0; j < width; j += columns)
      for (int64_t k = 0; k < depth; k += lanes)
        for (int v = 0; v < 2; ++v) {
          Vector square[lanes];
          const float *from =
              product.transposed
                  ? right + (j + v * lanes) * product.depth + k
                  : right + k * product.columns + j + v * lanes;
          int64_t step = product.transposed ? product.depth : product.columns;
#pragma clang loop unroll(full)
          for (int i = 0; i < lanes; ++i)
            square[i] = Isa::load(from + i * step);
          if (product.transposed)
            transpose(square);
          float *to = panels + j * depth + k * columns + v * lanes;
#pragma clang loop unroll(full)
          for (int i = 0; i < lanes; ++i)
            Isa::store(to + i * columns, square[i]);
        }
  }

  /// result[rows][columns] (+)= left[rows][depth] panel[depth][columns].
  static void tile(const float *left, int64_t leftStep, const float *panel,
                   int64_t depth, float *result, int64_t resultStep, bool add) {
    Vector sums[rows][2];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; ++r) {
      sums[r][0] = sums[r][1] = Isa::zero();
      __builtin_prefetch(result + r * resultStep, 1);
      __builtin_prefetch(result + r * resultStep + lanes, 1);
    }
#pragma clang loop unroll_count(4)
    for (int64_t k = 0; k < depth; ++k) {
      Vector first = Isa::load(panel + k * columns);
      Vector second = Isa::load(panel + k * columns + lanes);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; ++r) {
        Vector factor = Isa::broadcast(left[r * leftStep + k]);
        sums[r][0] = Isa::fma(factor, first, sums[r][0]);
        sums[r][1] = Isa::fma(factor, second, sums[r][1]);
      }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; ++r)
#pragma clang loop unroll(full)
      for (int v = 0; v < 2; ++v) {
        float *to = result + r * resultStep + v * lanes;
        Vector sum = sums[r][v];
        Isa::store(to, add ? Isa::add(sum, Isa::load(to)) : sum);
      }
  }

  static void run(const Product &p) {
    int64_t blocks = (p.depth + blockDepth - 1) / blockDepth;
    int64_t step = (p.depth / blocks + lanes - 1) / lanes * lanes;
    static float *panels = static_cast<float *>(
        std::aligned_alloc(64, (blockDepth + lanes) * blockColumns * 4));
    for (int64_t j = 0; j < p.columns; j += blockColumns) {
      int64_t width = std::min(blockColumns, p.columns - j);
      for (int64_t k = 0; k < p.depth; k += step) {
        int64_t depth = std::min(step, p.depth - k);
        pack(p,
             p.right + (p.transposed ? j * p.depth + k : k * p.columns + j),
             depth, width, panels);
        for (int64_t i = 0; i < p.rows; i += rows)
          for (int64_t panel = 0; panel < width; panel += columns)
            tile(p.left + i * p.depth + k, p.depth, panels + panel * depth,
                 depth, p.result + i * p.columns + j + panel, p.columns, k > 0);
      }
    }
  }
};

} // namespace

#endif // ATTN_BENCHMARKS_LIMIT_PRODUCTNEST_H
