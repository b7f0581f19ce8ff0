/* Holds a library's causal attention, in f32 and in f16, to a plain computation
   in double precision. Written for AArch64, whose compilers know f16. */

#include "attention.h"

#include <math.h>
#include <stdio.h>

enum { heads = 2, rows = 7, keys = 19, width = 64 };

typedef __fp16 half;
static float q[heads][rows][width], k[heads][keys][width];
static float v[heads][keys][width], out[heads][rows][width];
static half q16[heads][rows][width], k16[heads][keys][width];
static half v16[heads][keys][width], out16[heads][rows][width];

static attn_tensor describe(void *data, int64_t *shape, uint8_t bits) {
  attn_tensor tensor = {0};
  tensor.data = data;
  tensor.device.device_type = ATTN_CPU;
  tensor.ndim = 3;
  tensor.dtype.code = ATTN_FLOAT;
  tensor.dtype.bits = bits;
  tensor.dtype.lanes = 1;
  tensor.shape = shape;
  return tensor;
}

/** Row `i` of head `h` against its reference: the largest error. */
static double compare(int h, int i, int is_half) {
  double weights[keys], sum = 0, error = 0;
  int seen = i + keys - rows + 1;
  for (int j = 0; j < seen; ++j) {
    double score = 0;
    for (int d = 0; d < width; ++d)
      score += (double)q[h][i][d] * k[h][j][d];
    sum += weights[j] = exp(score / sqrt(width));
  }
  for (int d = 0; d < width; ++d) {
    double expected = 0;
    for (int j = 0; j < seen; ++j)
      expected += weights[j] / sum * v[h][j][d];
    double got = is_half ? out16[h][i][d] : out[h][i][d];
    error = fmax(error, fabs(expected - got));
  }
  return error;
}

/** Numbers that f16 holds. */
static float number(int i) { return (float)(i * 37 % 64 - 32) / 32; }

int main(void) {
  int64_t few[] = {heads, rows, width}, many[] = {heads, keys, width};
  for (int h = 0; h < heads; ++h)
    for (int j = 0; j < keys; ++j)
      for (int d = 0; d < width; ++d) {
        if (j < rows)
          q16[h][j][d] = q[h][j][d] = number(h * 7 + j * 5 + d);
        k16[h][j][d] = k[h][j][d] = number(h * 11 + j * 3 + d * 5);
        v16[h][j][d] = v[h][j][d] = number(h * 13 + j * 17 + d * 3);
      }
  attn_rt_context *context = attn_rt_create(NULL);
  attn_tensor a = describe(q, few, 32), b = describe(k, many, 32);
  attn_tensor c = describe(v, many, 32), o = describe(out, few, 32);
  printf("f32: status %d", attention(context, &a, &b, &c, &o));
  a = describe(q16, few, 16), b = describe(k16, many, 16);
  c = describe(v16, many, 16), o = describe(out16, few, 16);
  printf("; f16: status %d\n", attention16(context, &a, &b, &c, &o));
  double error = 0, error16 = 0;
  for (int h = 0; h < heads; ++h)
    for (int i = 0; i < rows; ++i) {
      error = fmax(error, compare(h, i, 0));
      error16 = fmax(error16, compare(h, i, 1));
    }
  printf("f32 within 1e-5: %d; f16 within 1e-3: %d\n", error < 1e-5,
         error16 < 1e-3);
  attn_rt_destroy(context);
  return 0;
}
