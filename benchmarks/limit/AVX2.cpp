//===- AVX2.cpp - The loop nest on vectors of 8 -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FewRows.h"
#include "LoopNest.h"
#include "ProductNest.h"

#include <immintrin.h>

namespace {

struct AVX2 {
  using Vector = __m256;
  static constexpr int lanes = 8;
  // Of 16 registers: 12 accumulators, two of the right-hand side, a factor.
  static constexpr int tileRows = 6;
  static constexpr int productRows = 4;
  // The accumulators of a few rows.
  static constexpr int sums = 8;

  static ATTN_INLINE Vector zero() { return _mm256_setzero_ps(); }
  static ATTN_INLINE Vector broadcast(float x) { return _mm256_set1_ps(x); }
  static ATTN_INLINE Vector load(const float *from) {
    return _mm256_load_ps(from);
  }
  static ATTN_INLINE void store(float *to, Vector x) { _mm256_store_ps(to, x); }
  static ATTN_INLINE Vector fma(Vector a, Vector b, Vector c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  static ATTN_INLINE Vector add(Vector a, Vector b) {
    return _mm256_add_ps(a, b);
  }
  static ATTN_INLINE Vector sub(Vector a, Vector b) {
    return _mm256_sub_ps(a, b);
  }
  static ATTN_INLINE Vector mul(Vector a, Vector b) {
    return _mm256_mul_ps(a, b);
  }
  static ATTN_INLINE Vector div(Vector a, Vector b) {
    return _mm256_div_ps(a, b);
  }
  static ATTN_INLINE Vector max(Vector a, Vector b) {
    return _mm256_max_ps(a, b);
  }

  static ATTN_INLINE __m256i multiples(int64_t stride) {
    return _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                              _mm256_set1_epi32(static_cast<int>(stride)));
  }

  /// from[0], from[stride], ...
  static ATTN_INLINE Vector gather(const float *from, int64_t stride) {
    return _mm256_i32gather_ps(from, multiples(stride), sizeof(float));
  }
  static ATTN_INLINE void scatter(float *to, int64_t stride, Vector x) {
    alignas(32) float numbers[lanes];
    store(numbers, x);
    for (int lane = 0; lane < lanes; ++lane)
      to[lane * stride] = numbers[lane];
  }

  /// x, but very small in the lanes below `lane`.
  static ATTN_INLINE Vector hideBelow(Vector x, int64_t lane) {
    __m256i below = _mm256_cmpgt_epi32(
        _mm256_set1_epi32(static_cast<int>(lane)), multiples(1));
    return _mm256_blendv_ps(x, broadcast(-1e30f), _mm256_castsi256_ps(below));
  }

  static ATTN_INLINE bool anyAbove(Vector x, float bound) {
    return _mm256_movemask_ps(_mm256_cmp_ps(x, broadcast(bound), _CMP_GT_OQ)) !=
           0;
  }

  /// The sum of each of 8 vectors, in order.
  static ATTN_INLINE Vector sumEach(const Vector *x) {
    auto four = [x](int i) __attribute__((always_inline)) {
      return _mm256_hadd_ps(_mm256_hadd_ps(x[i], x[i + 1]),
                            _mm256_hadd_ps(x[i + 2], x[i + 3]));
    };
    Vector low = four(0), high = four(4);
    return add(_mm256_permute2f128_ps(low, high, 0x20),
               _mm256_permute2f128_ps(low, high, 0x31));
  }

  /// 2^x for x of at most 0: a polynomial of degree 5 on [-1/2, 1/2], and the
  /// whole part added to its exponent.
  static ATTN_INLINE Vector exp2(Vector x) {
    x = max(x, broadcast(-126));
    Vector whole =
        _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    Vector rest = sub(x, whole);
    Vector p = broadcast(1.3333558e-3f);
    p = fma(p, rest, broadcast(9.6181291e-3f));
    p = fma(p, rest, broadcast(5.5504109e-2f));
    p = fma(p, rest, broadcast(2.4022651e-1f));
    p = fma(p, rest, broadcast(6.9314718e-1f));
    p = fma(p, rest, broadcast(1));
    __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(whole), 23);
    return _mm256_castsi256_ps(
        _mm256_add_epi32(_mm256_castps_si256(p), exponent));
  }
};

} // namespace

attn::limit::LoopNest attn::limit::getAVX2Nest(int64_t width) {
  return getNest<AVX2>(width);
}

attn::limit::ProductLoopNest attn::limit::getAVX2Product() {
  return ProductNest<AVX2>::run;
}

attn::limit::FewRowsNest attn::limit::getAVX2FewRows(int64_t rows) {
  return getFewRows<AVX2>(rows);
}

attn::limit::PagedRowsNest attn::limit::getAVX2PagedRows() {
  return FewRows<AVX2, pagedRows, fewRowsWidth>::runPages;
}

float attn::limit::readAllAVX2(const float *from, int64_t count) {
  return readAll<AVX2>(from, count);
}

float attn::limit::readPartAVX2(const float *from, const float *ahead,
                                int64_t count) {
  return readPart<AVX2>(from, ahead, count);
}
