/* Causal attention on a GPU from a library, in C. What compiles and links it
   needs nothing of CUDA; where there is no GPU the call says so.

       attn-compile attention.mlir -o libattention.a --target=gpu
   --chip=sm_80,sm_90 cc -std=c99 attention.c libattention.a -lm -ldl -lpthread
   -o attention
       ./attention */

#include "attention.h"

#include <stdio.h>
#include <string.h>

enum { query_heads = 8, key_heads = 2, rows = 128, width = 64 };

/* Row by row. On the CPU, so that the call copies it to the GPU and back. What
   lies on the GPU, as cuMemAlloc gives it, is {ATTN_CUDA, number of the GPU},
   and is read and written where it is. */
static attn_tensor describe(uint16_t *data, int64_t *shape) {
  attn_tensor tensor = {0};
  tensor.data = data;
  tensor.device.device_type = ATTN_CPU;
  tensor.ndim = 3;
  tensor.dtype.code = ATTN_BFLOAT;
  tensor.dtype.bits = 16;
  tensor.dtype.lanes = 1;
  tensor.shape = shape;
  return tensor;
}

/* A bf16 is the upper half of a float. */
static uint16_t to_bf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return (uint16_t)(bits >> 16);
}

static float from_bf16(uint16_t value) {
  uint32_t bits = (uint32_t)value << 16;
  float result;
  memcpy(&result, &bits, sizeof(result));
  return result;
}

int main(void) {
  static uint16_t q[query_heads * rows * width], o[query_heads * rows * width];
  static uint16_t k[key_heads * rows * width];
  int64_t queries[] = {query_heads, rows, width};
  int64_t keys[] = {key_heads, rows, width};
  for (int i = 0; i < query_heads * rows * width; ++i)
    q[i] = to_bf16((float)(i * 37 % 64 - 32) / 32);
  for (int i = 0; i < key_heads * rows * width; ++i)
    k[i] = to_bf16((float)(i * 37 % 64 - 32) / 32);
  attn_tensor query = describe(q, queries), key = describe(k, keys);
  attn_tensor output = describe(o, queries);

  /* The current CUDA context or, as there is none, the first GPU's primary one,
     and its default stream. Others are named by a place. */
  attn_rt_context *context = attn_rt_create(NULL);
  attn_rt_gpu_place place = {ATTN_RT_VERSION, 0, NULL, NULL};
  attn_rt_gpu_set_place(context, &place);
  int status = attention(context, &query, &key, &key, &output);
  if (status != ATTN_OK)
    printf("attention: %s\n", attn_rt_get_error(context));
  else
    printf("out[0][0][0] = %.4f, out[7][127][63] = %.4f\n", from_bf16(o[0]),
           from_bf16(o[query_heads * rows * width - 1]));
  attn_rt_destroy(context);
  return status == ATTN_OK || status == ATTN_UNSUPPORTED ? 0 : 1;
}
