//===- Limit.h - The best loop nest written by hand -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What generated kernels are measured against: softmax(q k^T / sqrt(width)) v
// and products of matrices in f32 as intrinsics, one thread, for the shapes
// that suit the nests. A share of the peak is a fact of a processor; a share of
// this nest, in one run, is a bar.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCHMARKS_LIMIT_LIMIT_H
#define ATTN_BENCHMARKS_LIMIT_LIMIT_H

#include <cstdint>

namespace attn::limit {

/// One head: rows x width numbers each, row after row. With `causal` row i sees
/// the keys up to i.
struct Head {
  const float *query, *key, *value;
  float *output;
  int64_t rows;
  bool causal;
};

/// Rows come in multiples of this many; it divides every block of the nest.
constexpr int64_t rowMultiple = 128;

using LoopNest = void (*)(const Head &);

/// A few query rows that share `keys` keys and values, 128 numbers a row.
struct Rows {
  const float *query, *key, *value;
  float *output;
  int64_t keys;
};

/// Keys come in multiples of this many.
constexpr int64_t keyMultiple = 16;
constexpr int64_t fewRowsWidth = 128;

using FewRowsNest = void (*)(const Rows &);

/// The nest for 1, 2, 4 or 8 query rows; null for others.
FewRowsNest getAVX512FewRows(int64_t rows);
FewRowsNest getAVX2FewRows(int64_t rows);

/// The same over pages of `size` keys, a multiple of 16, that lie anywhere:
/// page number p of keys, and of values, begins `stride` times p numbers behind
/// the first.
struct PagedRows {
  const float *query, *key, *value;
  float *output;
  const int64_t *order;
  int64_t pages, size, stride, ahead;
};

using PagedRowsNest = void (*)(const PagedRows &);

/// The nest for 4 query rows.
constexpr int64_t pagedRows = 4;
PagedRowsNest getAVX512PagedRows();
PagedRowsNest getAVX2PagedRows();

/// Sums numbers, as fast as they can be read.
float readAllAVX512(const float *from, int64_t count);
float readAllAVX2(const float *from, int64_t count);

/// Sums `count` numbers, a multiple of 128, and asks for as many from `ahead`.
float readPartAVX512(const float *from, const float *ahead, int64_t count);
float readPartAVX2(const float *from, const float *ahead, int64_t count);

/// The nest for heads of `width` features, 64 or 128; null for others. The CPU
/// must have AVX-512F and AVX-512DQ, or AVX2 and FMA.
LoopNest getAVX512Nest(int64_t width);
LoopNest getAVX2Nest(int64_t width);

/// result = left right, row after row: rows x depth times depth x columns, or
/// columns x depth if `transposed`.
struct Product {
  const float *left, *right;
  float *result;
  int64_t rows, columns, depth;
  bool transposed;
};

/// Extents of a product come in multiples of this many.
constexpr int64_t productMultiple = 32;

using ProductLoopNest = void (*)(const Product &);
ProductLoopNest getAVX512Product();
ProductLoopNest getAVX2Product();

} // namespace attn::limit

#endif // ATTN_BENCHMARKS_LIMIT_LIMIT_H
