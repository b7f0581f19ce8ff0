//===- LoopNest.h - Attention with queries in lanes -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lanes run along query rows, two vectors of them to a block:
//
//   scores^T[j, lanes] = sum over d of key[j, d] * query^T[d, lanes]
//   output^T[e, lanes] += value[j, e] * weights^T[j, lanes]
//
// so that keys and values are read where they are, one broadcast each, and the
// maximum and the sum of the softmax are one vector per vector of queries. A
// tile of `Isa::tileRows` keys (or channels) by two vectors stays in registers
// while the inner loop runs; a block of keys stays in the first level of cache.
//
// `Isa` brings the vectors. Every file that includes this one is compiled for
// other instructions, so all is in an anonymous namespace: no two of them share
// a function.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCHMARKS_LIMIT_LOOPNEST_H
#define ATTN_BENCHMARKS_LIMIT_LOOPNEST_H

#include "Limit.h"

#include <cmath>

namespace {

using attn::limit::Head;

#define ATTN_INLINE __attribute__((always_inline)) inline

/// Keys to a block: scores of 128 keys by 32 queries are half of a first-level
/// cache of 32 KiB.
constexpr int blockKeys = 128;

template <typename Isa, int width> struct Nest {
  using Vector = typename Isa::Vector;
  static constexpr int lanes = Isa::lanes, queries = 2 * lanes;

  /// What a block of queries carries from one block of keys to the next.
  struct alignas(64) State {
    float query[width * queries];       // [d][lane], scaled
    float weights[blockKeys * queries]; // [j][lane], scores at first
    float output[width * queries];      // [e][lane], not normalized yet
    Vector maximum[2], sum[2];
  };

  /// acc[a] += left[a * row + k * column] * right[k][lanes], k to `count`.
  template <int rows>
  static ATTN_INLINE void multiply(Vector (&acc)[rows][2], const float *left,
                                   int64_t row, int64_t column,
                                   const float *right, int64_t count) {
#pragma clang loop unroll_count(4)
    for (int64_t k = 0; k < count; ++k) {
      Vector first = Isa::load(right + k * queries);
      Vector second = Isa::load(right + k * queries + lanes);
#pragma clang loop unroll(full)
      for (int a = 0; a < rows; ++a) {
        Vector factor = Isa::broadcast(left[a * row + k * column]);
        acc[a][0] = Isa::fma(factor, first, acc[a][0]);
        acc[a][1] = Isa::fma(factor, second, acc[a][1]);
      }
    }
  }

  /// Scores of `rows` keys from row `j` of the block on, which begins at
  /// `firstKey`; `maximum` takes them in. Keys after a query are hidden where
  /// `masked`.
  template <int rows>
  static ATTN_INLINE void scoreTile(const Head &head, State &state, int64_t q,
                                    int64_t firstKey, int j, bool masked,
                                    Vector (&maximum)[2]) {
    Vector acc[rows][2];
#pragma clang loop unroll(full)
    for (int a = 0; a < rows; ++a)
      acc[a][0] = acc[a][1] = Isa::zero();
    multiply<rows>(acc, head.key + (firstKey + j) * width, width, 1,
                   state.query, width);
#pragma clang loop unroll(full)
    for (int a = 0; a < rows; ++a)
#pragma clang loop unroll(full)
      for (int v = 0; v < 2; ++v) {
        if (masked)
          acc[a][v] =
              Isa::hideBelow(acc[a][v], firstKey + j + a - q - v * lanes);
        Isa::store(state.weights + (j + a) * queries + v * lanes, acc[a][v]);
        maximum[v] = Isa::max(maximum[v], acc[a][v]);
      }
  }

  /// Scales the output of `rows` channels from `e` on and adds the block's.
  template <int rows>
  static ATTN_INLINE void outputTile(const Head &head, State &state,
                                     int64_t firstKey, int keys, int e,
                                     const Vector (&factor)[2]) {
    Vector acc[rows][2];
    float *output = state.output + e * queries;
#pragma clang loop unroll(full)
    for (int a = 0; a < rows; ++a)
#pragma clang loop unroll(full)
      for (int v = 0; v < 2; ++v)
        acc[a][v] =
            Isa::mul(Isa::load(output + a * queries + v * lanes), factor[v]);
    multiply<rows>(acc, head.value + firstKey * width + e, 1, width,
                   state.weights, keys);
#pragma clang loop unroll(full)
    for (int a = 0; a < rows; ++a)
#pragma clang loop unroll(full)
      for (int v = 0; v < 2; ++v)
        Isa::store(output + a * queries + v * lanes, acc[a][v]);
  }

  /// Calls `tile` on whole tiles and then on the rest of `extent`, a multiple
  /// of 4, with the number of rows as a constant.
  template <typename Tile>
  static ATTN_INLINE void forTiles(int extent, Tile tile) {
    constexpr int rows = Isa::tileRows;
    int position = 0;
    for (; position + rows <= extent; position += rows)
      tile(std::integral_constant<int, rows>(), position);
    if constexpr (rows > 8)
      if (extent - position >= 8) {
        tile(std::integral_constant<int, 8>(), position);
        position += 8;
      }
    if constexpr (rows > 4 && rows % 4 != 0)
      for (; position + 2 <= extent; position += 2)
        tile(std::integral_constant<int, 2>(), position);
    else if (position + 4 <= extent)
      tile(std::integral_constant<int, 4>(), position);
  }

  static ATTN_INLINE void runBlock(const Head &head, State &state, int64_t q,
                                   int64_t firstKey, int keys) {
    Vector maximum[2] = {state.maximum[0], state.maximum[1]};
    forTiles(keys, [&](auto rows, int j) __attribute__((always_inline)) {
      bool masked = head.causal && firstKey + j + rows > q + 1;
      if (masked)
        scoreTile<rows>(head, state, q, firstKey, j, true, maximum);
      else
        scoreTile<rows>(head, state, q, firstKey, j, false, maximum);
    });
    Vector factor[2], sum[2];
    for (int v = 0; v < 2; ++v) {
      factor[v] = Isa::exp2(Isa::sub(state.maximum[v], maximum[v]));
      sum[v] = Isa::mul(state.sum[v], factor[v]);
      state.maximum[v] = maximum[v];
    }
#pragma clang loop unroll_count(4)
    for (int j = 0; j < keys; ++j)
#pragma clang loop unroll(full)
      for (int v = 0; v < 2; ++v) {
        float *place = state.weights + j * queries + v * lanes;
        Vector weight = Isa::exp2(Isa::sub(Isa::load(place), maximum[v]));
        sum[v] = Isa::add(sum[v], weight);
        Isa::store(place, weight);
      }
    for (int v = 0; v < 2; ++v)
      state.sum[v] = sum[v];
    forTiles(width, [&](auto rows, int e) __attribute__((always_inline)) {
      outputTile<rows>(head, state, firstKey, keys, e, factor);
    });
  }

  static void run(const Head &head) {
    // The softmax is computed in powers of 2.
    const Vector scale =
        Isa::broadcast(1.44269504f / std::sqrt(static_cast<float>(width)));
    State state;
    for (int64_t q = 0; q < head.rows; q += queries) {
      for (int v = 0; v < 2; ++v) {
        const float *rows = head.query + (q + v * lanes) * width;
        for (int d = 0; d < width; ++d) {
          Isa::store(state.query + d * queries + v * lanes,
                     Isa::mul(Isa::gather(rows + d, width), scale));
          Isa::store(state.output + d * queries + v * lanes, Isa::zero());
        }
        state.maximum[v] = Isa::broadcast(-1e30f);
        state.sum[v] = Isa::zero();
      }
      int64_t end = head.causal ? q + queries : head.rows;
      for (int64_t key = 0; key < end; key += blockKeys)
        runBlock(
            head, state, q, key,
            static_cast<int>(end - key < blockKeys ? end - key : blockKeys));
      for (int v = 0; v < 2; ++v) {
        Vector factor = Isa::div(Isa::broadcast(1), state.sum[v]);
        float *rows = head.output + (q + v * lanes) * width;
        for (int e = 0; e < width; ++e)
          Isa::scatter(
              rows + e, width,
              Isa::mul(Isa::load(state.output + e * queries + v * lanes),
                       factor));
      }
    }
  }
};

template <typename Isa> attn::limit::LoopNest getNest(int64_t width) {
  return width == 64    ? Nest<Isa, 64>::run
         : width == 128 ? Nest<Isa, 128>::run
                        : nullptr;
}

} // namespace

#endif // ATTN_BENCHMARKS_LIMIT_LOOPNEST_H
