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
// `Isa` brings the vectors; all is in an anonymous namespace, as in LoopNest.h.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCHMARKS_LIMIT_FEWROWS_H
#define ATTN_BENCHMARKS_LIMIT_FEWROWS_H

#include "LoopNest.h"

#include <cstring>

namespace {

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

  struct alignas(64) State {
    float query[rows][width], weights[rows][block], output[rows][width];
    float maximum[rows];
    Vector sum[rows];
  };

  static ATTN_INLINE void scoreBlock(const Rows &given, State &state,
                                     int64_t first) {
    for (int j = 0; j < block; j += keys) {
      const float *key = given.key + (first + j) * width;
      Vector acc[lanes];
#pragma clang loop unroll(full)
      for (int i = 0; i < lanes; ++i)
        acc[i] = Isa::zero();
#pragma clang loop unroll(full)
      for (int k = 0; k < keys; ++k) {
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

  static ATTN_INLINE void sumBlock(const Rows &given, State &state,
                                   int64_t first) {
    for (int r0 = 0; r0 < rows; r0 += together)
      for (int v0 = 0; v0 < vectors; v0 += sums) {
        Vector acc[together][sums];
#pragma clang loop unroll(full)
        for (int r = 0; r < together; ++r)
#pragma clang loop unroll(full)
          for (int v = 0; v < sums; ++v)
            acc[r][v] = Isa::load(&state.output[r0 + r][(v0 + v) * lanes]);
#pragma clang loop unroll_count(2)
        for (int j = 0; j < block; ++j) {
          const float *value = given.value + (first + j) * width + v0 * lanes;
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

  static void run(const Rows &given) {
    // The softmax is computed in powers of 2.
    const float scale = 1.44269504f / std::sqrt(static_cast<float>(width));
    // At a constant address: the prefetchers of some processors follow what is
    // read through a register, and lose keys and values over it.
    static State state;
    for (int r = 0; r < rows; ++r) {
      state.maximum[r] = -1e30f;
      state.sum[r] = Isa::zero();
      for (int c = 0; c < width; ++c) {
        state.query[r][c] = given.query[r * width + c] * scale;
        state.output[r][c] = 0;
      }
    }
    for (int64_t first = 0; first < given.keys; first += block) {
      scoreBlock(given, state, first);
      for (int r = 0; r < rows; ++r)
        weighRow(state, r);
      sumBlock(given, state, first);
    }
    for (int r = 0; r < rows; ++r) {
      alignas(64) float parts[lanes];
      Isa::store(parts, state.sum[r]);
      float sum = 0;
      for (float part : parts)
        sum += part;
      for (int c = 0; c < width; ++c)
        given.output[r * width + c] = state.output[r][c] / sum;
    }
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
