/* Causal attention from a library, in C.

       attn-compile attention.mlir -o libattention.a
       cc -std=c99 attention.c libattention.a -lm -o attention && ./attention */

#include "attention.h"

#include <stdio.h>
#include <stdlib.h>

enum { heads = 2, rows = 5, width = 64 };

/* Row by row, in memory that the tensor does not own. */
static attn_tensor describe(float *data, int64_t *shape) {
  attn_tensor tensor = {0};
  tensor.data = data;
  tensor.device.device_type = ATTN_CPU;
  tensor.ndim = 3;
  tensor.dtype.code = ATTN_FLOAT;
  tensor.dtype.bits = 32;
  tensor.dtype.lanes = 1;
  tensor.shape = shape;
  return tensor;
}

int main(void) {
  static float x[heads * rows * width], y[heads * rows * width];
  int64_t shape[] = {heads, rows, width}, fewer[] = {heads, rows - 1, width};
  for (int i = 0; i < heads * rows * width; ++i)
    x[i] = (float)(i * 37 % 64 - 32) / 32;
  attn_tensor from = describe(x, shape), to = describe(y, shape);

  /* A context serves one call at a time; threads have one each. */
  attn_rt_context *context = attn_rt_create(NULL);
  int status = attention(context, &from, &from, &from, &to);
  if (status != ATTN_OK) {
    fprintf(stderr, "attention: %s\n", attn_rt_get_error(context));
    return 1;
  }
  printf("out[0][0][0] = %.4f, out[1][4][63] = %.4f\n", y[0],
         y[heads * rows * width - 1]);

  attn_tensor wrong = describe(x, fewer);
  status = attention(context, &from, &wrong, &from, &to);
  printf("status %d: %s\n", status, attn_rt_get_error(context));
  attn_rt_destroy(context);
  return 0;
}
