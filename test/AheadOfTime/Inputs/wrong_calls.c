/* Calls a library's @f(2x?x4xf32, ?x4xf32, f32) -> (2x?x4xf32, ?xi1) wrongly in
   every way there is, and rightly between; then from threads at once, with
   memory, and threads for loops, of its own. Prints what each call says. */

#include "../../Runtime/Inputs/threads.h"
#include "f.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More rows than few: of those there is one worker. */
enum { rows = 17, hosts = 4, calls = 50 };

static float x[2 * 32 * 8], y[32 * 8];
static int64_t x_shape[] = {2, rows, 4}, y_shape[] = {rows, 4};
static int64_t flag_shape[] = {rows};

static attn_tensor describe(void *data, int32_t rank, int64_t *shape,
                            uint8_t code, uint8_t bits) {
  attn_tensor tensor;
  memset(&tensor, 0, sizeof(tensor));
  tensor.data = data;
  tensor.device.device_type = ATTN_CPU;
  tensor.ndim = rank;
  tensor.dtype.code = code;
  tensor.dtype.bits = bits;
  tensor.dtype.lanes = 1;
  tensor.shape = shape;
  return tensor;
}

/** What a call takes, right unless it is changed. */
typedef struct {
  float out[2 * 32 * 8];
  uint8_t flags[32];
  attn_tensor a, b, r, s;
} call_data;

static void fill(call_data *call) {
  memset(call, 0, sizeof(*call));
  call->a = describe(x, 3, x_shape, ATTN_FLOAT, 32);
  call->b = describe(y, 2, y_shape, ATTN_FLOAT, 32);
  call->r = describe(call->out, 3, x_shape, ATTN_FLOAT, 32);
  call->s = describe(call->flags, 1, flag_shape, ATTN_BOOL, 8);
}

static attn_rt_context *context;

static void try(const char *what, const call_data *call) {
  int status = f(context, &call->a, &call->b, 0.5f, &call->r, &call->s);
  const char *message = attn_rt_get_error(context);
  printf("%s: %d%s%s\n", what, status, message ? " " : "",
         message ? message : "");
}

static void try_wrong(void) {
  call_data call;
  int64_t four[] = {2, rows, 4, 1}, wide[] = {2, rows, 5}, less[] = {2, 2, 4};
  int64_t huge[] = {2, INT64_C(1) << 58, 4}, negative[] = {2, -3, 4};
  int64_t back[] = {68, -4, 1}, columns[] = {68, 4, 2};
  int64_t far[] = {INT64_C(1) << 61, 4, 1}, same[] = {0, 4, 1};
  int64_t gaps[] = {256, 8, 1}, no_rows[] = {2, 0, 4}, empty[] = {0, 4};
  int64_t zero[] = {0};
#define TRY(what, change)                                                      \
  fill(&call);                                                                 \
  change;                                                                      \
  try(what, &call)
  TRY("right", (void)0);
  fill(&call);
  int status = f(context, NULL, &call.b, 0.5f, &call.r, &call.s);
  printf("null argument: %d %s\n", status, attn_rt_get_error(context));
  status = f(context, &call.a, &call.b, 0.5f, &call.r, NULL);
  printf("null result: %d %s\n", status, attn_rt_get_error(context));
  TRY("null data", call.b.data = NULL);
  TRY("null shape", call.b.shape = NULL);
  TRY("rank", (call.a.ndim = 4, call.a.shape = four));
  TRY("negative rank", call.a.ndim = -1);
  TRY("large rank", call.a.ndim = 65);
  TRY("extent", call.a.shape = wide);
  TRY("negative extent", call.a.shape = negative);
  TRY("relation", call.a.shape = less);
  TRY("result's extent", call.r.shape = less);
  TRY("too large", call.a.shape = huge);
  TRY("bits", call.a.dtype.bits = 64);
  TRY("code", call.a.dtype.code = ATTN_INT);
  TRY("lanes", call.a.dtype.lanes = 4);
  TRY("unknown code", call.a.dtype.code = 77);
  TRY("device", call.a.device.device_type = 2);
  TRY("negative stride", call.a.strides = back);
  TRY("innermost stride", call.a.strides = columns);
  TRY("far stride", call.a.strides = far);
  TRY("repeated argument", call.a.strides = same);
  TRY("repeated result", call.r.strides = same);
  TRY("argument with gaps", (call.a.strides = gaps));
  TRY("result with gaps", call.r.strides = gaps);
  TRY("overlap", call.r.data = x);
  TRY("overlapping results", call.s.data = call.out);
  TRY("not aligned", call.a.data = (char *)x + 2);
  TRY("offset", (call.a.data = x - 8, call.a.byte_offset = 32));
  TRY("empty",
      (call.a.shape = call.r.shape = no_rows, call.b.shape = empty,
       call.s.shape = zero, call.a.data = call.b.data = NULL,
       call.r.data = call.s.data = NULL));
  TRY("right again", (void)0);
}

static float expected[2 * rows * 4];

static void *allocate(void *user, int64_t bytes) {
  ++*(int *)user;
  return aligned_alloc(ATTN_RT_ALIGNMENT, (size_t)bytes);
}

static void release(void *user, void *memory, int64_t bytes) {
  (void)bytes;
  --*(int *)user;
  free(memory);
}

/** Calls the context that it is given while that serves a call. */
static void call_within(void *user, int32_t workers, void (*work)(void *),
                        void *task) {
  call_data call;
  (void)workers;
  fill(&call);
  int status = f(*(attn_rt_context **)user, &call.a, &call.b, 0.5f, &call.r,
                 &call.s);
  printf("within a call: %d\n", status);
  work(task);
}

static void *no_memory(void *user, int64_t bytes) {
  (void)user;
  (void)bytes;
  return NULL;
}

static void try_hosts(void) {
  call_data call;
  attn_rt_host host = {0};
  host.version = ATTN_RT_VERSION;
  host.allocate = no_memory;
  host.release = release;
  context = attn_rt_create(&host);
  fill(&call);
  try("no memory", &call);
  attn_rt_destroy(context);
  memset(&host, 0, sizeof(host));
  host.version = ATTN_RT_VERSION;
  host.threads = 2;
  host.user = &context;
  host.parallel = call_within;
  context = attn_rt_create(&host);
  try("around it", &call);
  attn_rt_destroy(context);
}

static void *serve(void *data) {
  int *wrong = data, blocks = 0;
  attn_rt_host host = {0};
  host.version = ATTN_RT_VERSION;
  host.threads = 2;
  host.user = &blocks;
  host.parallel = parallel;
  /* The count of blocks is not shared by threads. */
  if (*wrong == 0) {
    host.threads = 1;
    host.allocate = allocate;
    host.release = release;
  }
  *wrong = 0;
  attn_rt_context *mine = attn_rt_create(&host);
  for (int i = 0; i < calls; ++i) {
    call_data call;
    fill(&call);
    if (i % 2)
      call.a.ndim = 2;
    int status = f(mine, &call.a, &call.b, 0.5f, &call.r, &call.s);
    *wrong += status != i % 2;
    *wrong += !(i % 2) && memcmp(call.out, expected, sizeof(expected));
  }
  attn_rt_destroy(mine);
  *wrong += blocks;
  return NULL;
}

int main(void) {
  for (int i = 0; i < 2 * 32 * 8; ++i)
    x[i] = (float)(i * 37 % 64 - 32) / 32;
  for (int i = 0; i < 32 * 8; ++i)
    y[i] = (float)(i * 29 % 64 - 32) / 32;
  printf("version: %d\n", attn_abi_version() == ATTN_RT_VERSION);
  context = attn_rt_create(NULL);
  try_wrong();
  attn_rt_destroy(context);

  call_data call;
  fill(&call);
  printf("no context: %d\n", f(NULL, &call.a, &call.b, 0.5f, &call.r, &call.s));
  memcpy(expected, call.out, sizeof(expected));
  call.a.ndim = 2;
  printf("no context, wrong: %d\n",
         f(NULL, &call.a, &call.b, 0.5f, &call.r, &call.s));

  attn_rt_host other = {0};
  other.version = ATTN_RT_VERSION;
  other.cpu = "abacus";
  context = attn_rt_create(&other);
  fill(&call);
  int status = f(context, &call.a, &call.b, 0.5f, &call.r, &call.s);
  const char *message = attn_rt_get_error(context);
  printf("another CPU: %d %.58s\n", status, message);
  attn_rt_destroy(context);
  other.version = ATTN_RT_VERSION + 1;
  printf("another version: %d\n", attn_rt_create(&other) != NULL);

  try_hosts();

  pthread_t threads[hosts];
  int wrong[hosts], all = 0;
  for (int i = 0; i < hosts; ++i) {
    wrong[i] = i;
    pthread_create(&threads[i], NULL, serve, &wrong[i]);
  }
  for (int i = 0; i < hosts; ++i) {
    pthread_join(threads[i], NULL);
    all += wrong[i];
  }
  printf("threads: %d wrong\n", all);
  return 0;
}
