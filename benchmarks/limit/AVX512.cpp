//===- AVX512.cpp - The loop nest on vectors of 16 --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FewRows.h"
#include "LoopNest.h"
#include "ProductNest.h"

#include <immintrin.h>
#include <type_traits>

namespace {

struct AVX512 {
  using Vector = __m512;
  static constexpr int lanes = 16;
  // Of 32 registers: 24 accumulators, two of the right-hand side, and those
  // that factors are broadcast to.
  static constexpr int tileRows = 12;
  // 16 accumulators; 8 rows are as many as the first-level cache has ways.
  static constexpr int productRows = 8;
  // The accumulators of a few rows.
  static constexpr int sums = 16;

  static ATTN_INLINE Vector zero() { return _mm512_setzero_ps(); }
  static ATTN_INLINE Vector broadcast(float x) { return _mm512_set1_ps(x); }
  static ATTN_INLINE Vector load(const float *from) {
    return _mm512_load_ps(from);
  }
  static ATTN_INLINE void store(float *to, Vector x) { _mm512_store_ps(to, x); }
  static ATTN_INLINE Vector fma(Vector a, Vector b, Vector c) {
    return _mm512_fmadd_ps(a, b, c);
  }
  static ATTN_INLINE Vector add(Vector a, Vector b) {
    return _mm512_add_ps(a, b);
  }
  static ATTN_INLINE Vector sub(Vector a, Vector b) {
    return _mm512_sub_ps(a, b);
  }
  static ATTN_INLINE Vector mul(Vector a, Vector b) {
    return _mm512_mul_ps(a, b);
  }
  static ATTN_INLINE Vector div(Vector a, Vector b) {
    return _mm512_div_ps(a, b);
  }
  static ATTN_INLINE Vector max(Vector a, Vector b) {
    return _mm512_max_ps(a, b);
  }

  static ATTN_INLINE __m512i multiples(int64_t stride) {
    return _mm512_mullo_epi32(
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        _mm512_set1_epi32(static_cast<int>(stride)));
  }

  /// from[0], from[stride], ...
  static ATTN_INLINE Vector gather(const float *from, int64_t stride) {
    return _mm512_i32gather_ps(multiples(stride), from, sizeof(float));
  }
  static ATTN_INLINE void scatter(float *to, int64_t stride, Vector x) {
    _mm512_i32scatter_ps(to, multiples(stride), x, sizeof(float));
  }

  /// x, but very small in the lanes below `lane`.
  static ATTN_INLINE Vector hideBelow(Vector x, int64_t lane) {
    __m512i numbers = multiples(1);
    __mmask16 below = _mm512_cmplt_epi32_mask(
        numbers, _mm512_set1_epi32(static_cast<int>(lane)));
    return _mm512_mask_mov_ps(x, below, broadcast(-1e30f));
  }

  static ATTN_INLINE bool anyAbove(Vector x, float bound) {
    return _mm512_cmp_ps_mask(x, broadcast(bound), _CMP_GT_OQ) != 0;
  }

  /// The sum of each of 16 vectors, in order: halves of pairs are added until
  /// one vector is left, first of whole vectors, then of their quarters.
  static ATTN_INLINE Vector sumEach(const Vector *x) {
    auto quarters = [](Vector a, Vector b, auto low, auto high) {
      return add(_mm512_shuffle_f32x4(a, b, low.value),
                 _mm512_shuffle_f32x4(a, b, high.value));
    };
    using First = std::integral_constant<int, 0x44>;
    using Second = std::integral_constant<int, 0xee>;
    using Even = std::integral_constant<int, 0x88>;
    using Odd = std::integral_constant<int, 0xdd>;
    Vector sums[4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; ++i)
      sums[i] = quarters(quarters(x[i], x[4 + i], First(), Second()),
                         quarters(x[8 + i], x[12 + i], First(), Second()),
                         Even(), Odd());
    auto pairs = [](Vector a, Vector b) {
      __m512d c = _mm512_castps_pd(a), d = _mm512_castps_pd(b);
      return add(_mm512_castpd_ps(_mm512_unpacklo_pd(c, d)),
                 _mm512_castpd_ps(_mm512_unpackhi_pd(c, d)));
    };
    Vector p = pairs(sums[0], sums[1]), q = pairs(sums[2], sums[3]);
    return add(_mm512_shuffle_ps(p, q, 0x88), _mm512_shuffle_ps(p, q, 0xdd));
  }

  /// 2^x for x of at most 0: a polynomial of degree 5 on [-1/2, 1/2].
  static ATTN_INLINE Vector exp2(Vector x) {
    Vector whole =
        _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    Vector rest = sub(x, whole);
    Vector p = broadcast(1.3333558e-3f);
    p = fma(p, rest, broadcast(9.6181291e-3f));
    p = fma(p, rest, broadcast(5.5504109e-2f));
    p = fma(p, rest, broadcast(2.4022651e-1f));
    p = fma(p, rest, broadcast(6.9314718e-1f));
    p = fma(p, rest, broadcast(1));
    return _mm512_scalef_ps(p, whole);
  }
};

} // namespace

attn::limit::LoopNest attn::limit::getAVX512Nest(int64_t width) {
  return getNest<AVX512>(width);
}

attn::limit::ProductLoopNest attn::limit::getAVX512Product() {
  return ProductNest<AVX512>::run;
}

attn::limit::FewRowsNest attn::limit::getAVX512FewRows(int64_t rows) {
  return getFewRows<AVX512>(rows);
}

attn::limit::PagedRowsNest attn::limit::getAVX512PagedRows() {
  return FewRows<AVX512, pagedRows, fewRowsWidth>::runPages;
}

float attn::limit::readAllAVX512(const float *from, int64_t count) {
  return readAll<AVX512>(from, count);
}

float attn::limit::readPartAVX512(const float *from, const float *ahead,
                                  int64_t count) {
  return readPart<AVX512>(from, ahead, count);
}
