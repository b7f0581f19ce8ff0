//===- FewRows.h - Attention with features in lanes -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A few query rows that share keys and values: what takes the time is reading
// these. They are read once, in whole rows and in the order of their addresses:
// as many rows of keys as a vector has lanes, then as many of values. The order
// is what prefetchers follow; a barrier behind each key keeps the compiler from
// mixing the reads of several, which halves the rate. For one thread.
//
// Of pages in any order prefetchers see no more than the page at hand. So what
// a later page has at the same place is asked for meanwhile, line by line in
// the order of their addresses: of keys three quarters beside the keys, the
// rest while weights are computed, so that something is always under way.
//
// `Isa` brings the vectors; all is in an anonymous namespace, as in LoopNest.h.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCHMARKS_LIMIT_FEWROWS_H
#define ATTN_BENCHMARKS_LIMIT_FEWROWS_H

#include "LoopNest.h"

#include <cstring>

namespace {

using attn::limit::PagedRows;
using attn::limit::Rows;

template <typename Isa, int rows, int width> struct FewRows {
  using Vector = typename Isa::Vector;
  static constexpr int lanes = Isa::lanes, block = lanes;
  /// Keys that meet all rows at once, and vectors of channels that two rows, or
  /// one, sum at once.
  static constexpr int keys = lanes / rows;
  static constexpr int together = rows == 1 ? 1 : 2;
  static constexpr int vectors = width / lanes;
  static constexpr int sums =
      vectors < Isa::sums / together ? vectors : Isa::sums / together;

  /// A line of the cache, and the lines of a row; those that are asked for with
  /// a key, with the weights of a query row, and with a value in each pass.
  static constexpr int line = 64 / sizeof(float), lines = width / line;
  static constexpr int passes = (rows / together) * (vectors / sums);
  static constexpr int linesByKey = lines * 3 / 4;
  static constexpr int linesByRow = block * (lines - linesByKey) / rows;
  static constexpr int linesByValue = lines / passes;

  struct alignas(64) State {
    float query[rows][width], weights[rows][block], output[rows][width];
    float maximum[rows];
    Vector sum[rows];
  };

  /// Asks for lines of what lies at `ahead`; for none if that is null.
  template <bool asks>
  static ATTN_INLINE void ask(const float *ahead, int first, int count) {
    if constexpr (asks) {
#pragma clang loop unroll(full)
      for (int i = first; i < first + count; ++i)
        __builtin_prefetch(ahead + i * line, 0, 2);
    }
  }

  template <bool asks = false>
  static ATTN_INLINE void scoreBlock(const float *keyBlock, State &state,
                                     const float *ahead = nullptr) {
    for (int j = 0; j < block; j += keys) {
      const float *key = keyBlock + j * width;
      Vector acc[lanes];
#pragma clang loop unroll(full)
      for (int i = 0; i < lanes; ++i)
        acc[i] = Isa::zero();
#pragma clang loop unroll(full)
      for (int k = 0; k < keys; ++k) {
        ask<asks>(ahead, (j + k) * linesByKey, linesByKey);
#pragma clang loop unroll(full)
        for (int c = 0; c < width; c += lanes) {
          Vector part = Isa::load(key + k * width + c);
#pragma clang loop unroll(full)
          for (int r = 0; r < rows; ++r)
            acc[r * keys + k] = Isa::fma(part, Isa::load(&state.query[r][c]),
                                         acc[r * keys + k]);
        }
        asm volatile("" ::: "memory");
      }
      alignas(64) float scores[lanes];
      Isa::store(scores, Isa::sumEach(acc));
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; ++r)
        std::memcpy(&state.weights[r][j], scores + r * keys,
                    keys * sizeof(float));
    }
  }

  /// Scores become weights; what is there is rescaled if the maximum moves.
  static ATTN_INLINE void weighRow(State &state, int r) {
    Vector score = Isa::load(state.weights[r]);
    if (__builtin_expect(Isa::anyAbove(score, state.maximum[r]), 0)) {
      float largest = state.maximum[r];
      for (float one : state.weights[r])
        largest = one > largest ? one : largest;
      float factor = std::exp2(state.maximum[r] - largest);
      state.maximum[r] = largest;
      state.sum[r] = Isa::mul(state.sum[r], Isa::broadcast(factor));
      for (float &one : state.output[r])
        one *= factor;
    }
    Vector weight =
        Isa::exp2(Isa::sub(score, Isa::broadcast(state.maximum[r])));
    state.sum[r] = Isa::add(state.sum[r], weight);
    Isa::store(state.weights[r], weight);
  }

  template <bool asks = false>
  static ATTN_INLINE void sumBlock(const float *values, State &state,
                                   const float *ahead = nullptr) {
    int pass = 0;
    for (int r0 = 0; r0 < rows; r0 += together)
      for (int v0 = 0; v0 < vectors; v0 += sums, ++pass) {
        Vector acc[together][sums];
#pragma clang loop unroll(full)
        for (int r = 0; r < together; ++r)
#pragma clang loop unroll(full)
          for (int v = 0; v < sums; ++v)
            acc[r][v] = Isa::load(&state.output[r0 + r][(v0 + v) * lanes]);
#pragma clang loop unroll_count(2)
        for (int j = 0; j < block; ++j) {
          const float *value = values + j * width + v0 * lanes;
          ask<asks>(ahead, (pass * block + j) * linesByValue, linesByValue);
          Vector weight[together];
#pragma clang loop unroll(full)
          for (int r = 0; r < together; ++r)
            weight[r] = Isa::broadcast(state.weights[r0 + r][j]);
#pragma clang loop unroll(full)
          for (int v = 0; v < sums; ++v) {
            Vector part = Isa::load(value + v * lanes);
#pragma clang loop unroll(full)
            for (int r = 0; r < together; ++r)
              acc[r][v] = Isa::fma(part, weight[r], acc[r][v]);
          }
        }
#pragma clang loop unroll(full)
        for (int r = 0; r < together; ++r)
#pragma clang loop unroll(full)
          for (int v = 0; v < sums; ++v)
            Isa::store(&state.output[r0 + r][(v0 + v) * lanes], acc[r][v]);
      }
  }

  /// At a constant address: the prefetchers of some processors follow what is
  /// read through a register, and lose keys and values over it.
  static State &begin(const float *query) {
    // The softmax is computed in powers of 2.
    const float scale = 1.44269504f / std::sqrt(static_cast<float>(width));
    static State state;
    for (int r = 0; r < rows; ++r) {
      state.maximum[r] = -1e30f;
      state.sum[r] = Isa::zero();
      for (int c = 0; c < width; ++c) {
        state.query[r][c] = query[r * width + c] * scale;
        state.output[r][c] = 0;
      }
    }
    return state;
  }

  static void finish(const State &state, float *output) {
    for (int r = 0; r < rows; ++r) {
      alignas(64) float parts[lanes];
      Isa::store(parts, state.sum[r]);
      float sum = 0;
      for (float part : parts)
        sum += part;
      for (int c = 0; c < width; ++c)
        output[r * width + c] = state.output[r][c] / sum;
    }
  }

  static void run(const Rows &given) {
    State &state = begin(given.query);
    for (int64_t first = 0; first < given.keys; first += block) {
      scoreBlock(given.key + first * width, state);
      for (int r = 0; r < rows; ++r)
        weighRow(state, r);
      sumBlock(given.value + first * width, state);
    }
    finish(state, given.output);
  }

  static void runPages(const PagedRows &given) {
    State &state = begin(given.query);
    for (int64_t page = 0; page < given.pages; ++page) {
      int64_t next = page + given.ahead;
      next = next < given.pages ? next : given.pages - 1;
      int64_t here = given.order[page] * given.stride;
      int64_t ahead = given.order[next] * given.stride;
      for (int64_t first = 0; first < given.size; first += block) {
        const float *keysAhead = given.key + ahead + first * width;
        scoreBlock<true>(given.key + here + first * width, state, keysAhead);
        for (int r = 0; r < rows; ++r) {
          ask<true>(keysAhead, block * linesByKey + r * linesByRow, linesByRow);
          weighRow(state, r);
        }
        sumBlock<true>(given.value + here + first * width, state,
                       given.value + ahead + first * width);
      }
    }
    finish(state, given.output);
  }
};

/// Reads numbers in two streams, 512 bytes of each in turn, asked for 2 KiB
/// ahead: no other order was found to be faster.
template <typename Isa> float readAll(const float *from, int64_t count) {
  constexpr int step = 128, vectors = step / Isa::lanes;
  typename Isa::Vector acc[8];
  for (auto &sum : acc)
    sum = Isa::zero();
  int64_t half = count / 2;
  for (int64_t i = 0; i + step <= half; i += step)
#pragma clang loop unroll(full)
    for (int stream = 0; stream < 2; ++stream)
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; ++v) {
        const float *at = from + stream * half + i + v * Isa::lanes;
        __builtin_prefetch(at + 512, 0, 2);
        acc[v % 8] = Isa::add(acc[v % 8], Isa::load(at));
      }
  for (int v = 1; v < 8; ++v)
    acc[0] = Isa::add(acc[0], acc[v]);
  alignas(64) float parts[Isa::lanes];
  Isa::store(parts, acc[0]);
  return parts[0];
}

/// Sums `count` numbers, a multiple of 128, and asks for as many from `ahead`.
template <typename Isa>
float readPart(const float *from, const float *ahead, int64_t count) {
  constexpr int step = 128, vectors = step / Isa::lanes;
  typename Isa::Vector acc[8];
  for (auto &sum : acc)
    sum = Isa::zero();
  for (int64_t i = 0; i + step <= count; i += step)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; ++v) {
      __builtin_prefetch(ahead + i + v * Isa::lanes, 0, 2);
      acc[v % 8] = Isa::add(acc[v % 8], Isa::load(from + i + v * Isa::lanes));
    }
  for (int v = 1; v < 8; ++v)
    acc[0] = Isa::add(acc[0], acc[v]);
  alignas(64) float parts[Isa::lanes];
  Isa::store(parts, acc[0]);
  return parts[0];
}

template <typename Isa> attn::limit::FewRowsNest getFewRows(int64_t rows) {
  return rows == 1   ? FewRows<Isa, 1, 128>::run
         : rows == 2 ? FewRows<Isa, 2, 128>::run
         : rows == 4 ? FewRows<Isa, 4, 128>::run
         : rows == 8 ? FewRows<Isa, 8, 128>::run
                     : nullptr;
}

} // namespace

#endif // ATTN_BENCHMARKS_LIMIT_FEWROWS_H
