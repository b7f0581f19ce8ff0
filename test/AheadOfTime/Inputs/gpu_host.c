/* Calls a library for GPUs with arrays on the CPU and on the GPU, whose memory
   comes from the driver, and wrongly. */

#include "f.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { rows = 5, keys = 70, width = 16, channels = 8 };

static int (*allocate)(unsigned long long *, size_t);
static int (*release)(unsigned long long);
static int (*copy_in)(unsigned long long, const void *, size_t, void *);
static int (*copy_out)(void *, unsigned long long, size_t, void *);

static attn_tensor describe(void *data, int64_t *shape, int device) {
  attn_tensor tensor = {0};
  tensor.data = data;
  tensor.device.device_type = device;
  tensor.ndim = 2;
  tensor.dtype.code = ATTN_FLOAT;
  tensor.dtype.bits = 32;
  tensor.dtype.lanes = 1;
  tensor.shape = shape;
  return tensor;
}

static void *to_gpu(const float *from, size_t bytes) {
  unsigned long long address = 0;
  if (allocate(&address, bytes) || copy_in(address, from, bytes, NULL))
    exit(2);
  return (void *)(uintptr_t)address;
}

static void report(attn_rt_context *context, const char *what, int status) {
  const char *error = attn_rt_get_error(context);
  printf("%s: status %d%s%s\n", what, status, error ? ": " : "",
         error ? error : "");
}

int main(void) {
  static float q[rows * width], k[keys * width], v[keys * channels];
  static float expected[rows * channels], got[rows * channels];
  int64_t q_shape[] = {rows, width}, k_shape[] = {keys, width};
  int64_t v_shape[] = {keys, channels}, o_shape[] = {rows, channels};
  for (int i = 0; i < rows * width; ++i)
    q[i] = (float)(i * 37 % 64 - 32) / 32;
  for (int i = 0; i < keys * width; ++i)
    k[i] = (float)(i * 29 % 64 - 32) / 32;
  for (int i = 0; i < keys * channels; ++i)
    v[i] = (float)(i * 23 % 64 - 32) / 32;
  attn_rt_context *context = attn_rt_create(NULL);
  attn_tensor query = describe(q, q_shape, ATTN_CPU);
  attn_tensor key = describe(k, k_shape, ATTN_CPU);
  attn_tensor value = describe(v, v_shape, ATTN_CPU);
  attn_tensor output = describe(expected, o_shape, ATTN_CPU);
  int status = f(context, &query, &key, &value, 0.5f, &output);
  report(context, "arrays on the CPU", status);
  if (status != ATTN_OK) {
    attn_rt_destroy(context);
    return 0;
  }
  printf("first %.4f, last %.4f\n", expected[0], expected[rows * channels - 1]);

  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  *(void **)&allocate = dlsym(library, "cuMemAlloc_v2");
  *(void **)&release = dlsym(library, "cuMemFree_v2");
  *(void **)&copy_in = dlsym(library, "cuMemcpyHtoDAsync_v2");
  *(void **)&copy_out = dlsym(library, "cuMemcpyDtoHAsync_v2");
  query = describe(to_gpu(q, sizeof(q)), q_shape, ATTN_CUDA);
  key = describe(to_gpu(k, sizeof(k)), k_shape, ATTN_CUDA);
  value = describe(to_gpu(v, sizeof(v)), v_shape, ATTN_CUDA);
  output = describe(to_gpu(got, sizeof(got)), o_shape, ATTN_CUDA);
  report(context, "arrays on the GPU",
         f(context, &query, &key, &value, 0.5f, &output));
  copy_out(got, (uintptr_t)output.data, sizeof(got), NULL);
  printf("same: %d\n", memcmp(got, expected, sizeof(got)) == 0);

  /* Every second row of the keys, and of the values. */
  int64_t k_strides[] = {2 * width, 1}, v_strides[] = {2 * channels, 1};
  k_shape[0] = v_shape[0] = keys / 2;
  key.strides = k_strides;
  value.strides = v_strides;
  report(context, "every second row",
         f(context, &query, &key, &value, 0.5f, &output));
  copy_out(got, (uintptr_t)output.data, sizeof(got), NULL);
  printf("differs: %d\n", memcmp(got, expected, sizeof(got)) != 0);
  k_shape[0] = v_shape[0] = keys;
  key.strides = value.strides = NULL;

  attn_rt_gpu_place place = {ATTN_RT_VERSION, 1, NULL, &place};
  printf("place: %d\n", attn_rt_gpu_set_place(context, &place));
  report(context, "left to a stream",
         f(context, &query, &key, &value, 0.5f, &output));
  report(context, "waited for", attn_rt_gpu_wait(context));
  copy_out(got, (uintptr_t)output.data, sizeof(got), NULL);
  printf("same: %d\n", memcmp(got, expected, sizeof(got)) == 0);
  place.version = 0;
  printf("place: %d\n", attn_rt_gpu_set_place(context, &place));

  attn_tensor host = describe(got, o_shape, ATTN_CPU);
  report(context, "mixed", f(context, &query, &key, &value, 0.5f, &host));
  v_shape[0] = keys - 1;
  report(context, "extents", f(context, &query, &key, &value, 0.5f, &output));
  attn_tensor *tensors[] = {&query, &key, &value, &output};
  for (int i = 0; i < 4; ++i)
    release((uintptr_t)tensors[i]->data);
  attn_rt_destroy(context);
  return 0;
}
