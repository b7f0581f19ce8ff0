/* A host in C: a compiled kernel, called 1000 times from 8 threads, each of
   whose calls takes 1 to 5 threads, of the host's own or, told `openmp`, of
   that runtime. Every other call fails where only the run can see it. What is
   returned is freed. */

#include "attn/Runtime/attn_rt_code.h"
#include "threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* func.func @f(tensor<64x8xf32>, index) -> tensor<64x8xf32>. */
typedef struct {
  float *allocated, *aligned;
  int64_t offset, sizes[2], strides[2];
} matrix;
matrix f(attn_rt_context *context, float *allocated, float *aligned,
         int64_t offset, int64_t size0, int64_t size1, int64_t stride0,
         int64_t stride1, int64_t less);

enum { rows = 64, columns = 8, calls = 125, hosts = 8 };

static void (*parallel_for)(void *, int32_t, void (*)(void *), void *);
static float input[rows * columns];
static float expected[rows * columns];

static int call(attn_rt_context *context, int64_t less, float *out) {
  matrix result =
      f(context, input, input, 0, rows, columns, columns, 1, less);
  const char *error = attn_rt_get_error(context);
  if (error && !strstr(error, "'attn.sdpa' op expected extent"))
    printf("unexpected: %s\n", error);
  if (!error)
    memcpy(out, result.aligned, sizeof(expected));
  attn_rt_reset(context);
  return error != NULL;
}

static void *serve(void *data) {
  attn_rt_host host = {.version = ATTN_RT_VERSION, .parallel = parallel_for};
  float *out = malloc(sizeof(expected));
  int *wrong = data;
  attn_rt_context *context = attn_rt_create(&host);
  for (int i = 0; i < calls; ++i) {
    attn_rt_set_threads(context, 1 + (i + *wrong) % 5);
    int failed = call(context, i % 2, out);
    if (failed != i % 2 || (!failed && memcmp(out, expected, sizeof(expected))))
      *wrong += 100;
  }
  attn_rt_destroy(context);
  free(out);
  return NULL;
}

int main(int argc, char **argv) {
  parallel_for = argc > 1 && !strcmp(argv[1], "openmp") ? NULL : parallel;
  for (int i = 0; i < rows * columns; ++i)
    input[i] = (float)(i * 37 % 64 - 32) / 32;
  attn_rt_host serial = {.version = ATTN_RT_VERSION, .threads = 1};
  attn_rt_context *context = attn_rt_create(&serial);
  call(context, 0, expected);
  attn_rt_destroy(context);

  pthread_t threads[hosts];
  int wrong[hosts];
  for (int i = 0; i < hosts; ++i) {
    wrong[i] = i;
    pthread_create(&threads[i], NULL, serve, &wrong[i]);
  }
  int all = 0;
  for (int i = 0; i < hosts; ++i) {
    pthread_join(threads[i], NULL);
    all += wrong[i] / 100;
  }
  printf("%d calls, %d wrong\n", hosts * calls, all);
  return all != 0;
}
