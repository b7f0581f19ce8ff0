/*===- Gpu.c - Calls whose kernels run on a GPU ----------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * All of a call's work is on one stream, so that memory that was given back may
 * be had again at once: what uses it next comes later.
 */

#include "GpuDriver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct attn_rt_gpu_state gpu_state;

/** The state of a call that has begun; null, the call having failed. */
static gpu_state *get_state(attn_rt_context *context) {
  gpu_state *gpu = context->root->gpu;
  if (gpu && gpu->begun)
    return gpu;
  attn_rt_fail_as(context, ATTN_FAILED,
                  "expected attn_rt_gpu_begin before kernels are launched");
  return NULL;
}

static int check(attn_rt_context *context, attn_cu_result result,
                 const char *what) {
  return attn_cu_check(context, context->root->gpu->driver, result, what);
}

/*===----------------------------------------------------------------------===*\
|* Beginning
\*===----------------------------------------------------------------------===*/

gpu_state *attn_rt_gpu_get_state(attn_rt_context *context) {
  if (context->gpu)
    return context->gpu;
  context->gpu = calloc(1, sizeof(gpu_state));
  context->gpu_destroy = attn_rt_gpu_destroy;
  if (!context->gpu)
    attn_rt_fail_as(context, ATTN_OUT_OF_MEMORY,
                    "expected memory for what a GPU is, but there is none");
  return context->gpu;
}

/** Lets the primary context go. Kernels stay loaded where others keep it, and
    the driver tells it from one that comes after it. */
static void release_primary(gpu_state *gpu) {
  if (!gpu->is_primary)
    return;
  gpu->is_primary = 0;
  const attn_cu_driver *driver = gpu->driver;
  driver->primary_release(gpu->device);
  unsigned flags = 0;
  int active = 0;
  if (!driver->context_get_id || !driver->primary_get_state ||
      driver->primary_get_state(gpu->device, &flags, &active) !=
          ATTN_CU_SUCCESS ||
      !active)
    attn_rt_gpu_forget_context(gpu->id);
}

/** The primary context of a GPU, kept from call to call. */
static int retain_primary(attn_rt_context *context, gpu_state *gpu,
                          int32_t number) {
  int count = 0;
  if (!check(context, gpu->driver->device_get_count(&count), "count GPUs"))
    return 0;
  if (count == 0) {
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected a GPU of NVIDIA's, but the driver sees none");
    return 0;
  }
  attn_cu_device device = 0;
  if (!check(context, gpu->driver->device_get(&device, number), "open a GPU"))
    return 0;
  if (gpu->is_primary && device == gpu->device)
    return 1;
  release_primary(gpu);
  gpu->device = device;
  if (!check(context, gpu->driver->primary_retain(&gpu->cuda_context, device),
             "open a GPU"))
    return 0;
  gpu->is_primary = 1;
  return 1;
}

/** The context of CUDA that the host names or has made current, or the primary
    one. */
static int find_cuda_context(attn_rt_context *context, gpu_state *gpu,
                             const attn_rt_gpu_place *place, int32_t device) {
  void *wanted = place ? place->cuda_context : NULL;
  if (!wanted && !check(context, gpu->driver->context_get_current(&wanted),
                        "find the current CUDA context"))
    return 0;
  if (!wanted)
    return retain_primary(context, gpu, device);
  if (wanted != gpu->cuda_context) {
    release_primary(gpu);
    gpu->cuda_context = wanted;
  }
  return 1;
}

/** What the GPU of the current context is. */
static int describe_gpu(attn_rt_context *context, gpu_state *gpu) {
  const attn_cu_driver *driver = gpu->driver;
  int major = 0, minor = 0, bytes = 0, pools = 0;
  const char *what = "find out what the GPU is";
  unsigned long long id = (unsigned long long)(uintptr_t)gpu->cuda_context;
  if (driver->context_get_id) {
    if (!check(context, driver->context_get_id(gpu->cuda_context, &id), what))
      return 0;
    // It is that of the call before.
    if (gpu->chip && id == gpu->id)
      return 1;
  }
  if (!check(context, driver->context_get_device(&gpu->device), what) ||
      !check(context,
             driver->device_get_attribute(
                 &major, ATTN_CU_COMPUTE_CAPABILITY_MAJOR, gpu->device),
             what) ||
      !check(context,
             driver->device_get_attribute(
                 &minor, ATTN_CU_COMPUTE_CAPABILITY_MINOR, gpu->device),
             what) ||
      !check(context,
             driver->device_get_attribute(
                 &bytes, ATTN_CU_MAX_SHARED_BYTES_OF_BLOCK, gpu->device),
             what))
    return 0;
  // Older drivers do not know what is asked for, nor what it is for.
  if (driver->device_get_attribute(&pools, ATTN_CU_HAS_MEMORY_POOLS,
                                   gpu->device) != ATTN_CU_SUCCESS)
    pools = 0;
  gpu->has_pools =
      pools && driver->memory_alloc_async && driver->memory_free_async;
  gpu->chip = 10 * major + minor;
  gpu->max_shared_bytes = bytes;
  gpu->id = id;
  return 1;
}

int32_t attn_rt_gpu_begin(attn_rt_context *context,
                          const attn_rt_gpu_place *place) {
  return attn_rt_gpu_begin_on(context, place, 0);
}

int32_t attn_rt_gpu_begin_on(attn_rt_context *context,
                             const attn_rt_gpu_place *place, int32_t device) {
  if (place && place->version != ATTN_RT_VERSION) {
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected a place of version %d, but got %d",
                    ATTN_RT_VERSION, place->version);
    return context->status;
  }
  const attn_cu_driver *driver = attn_cu_get_driver(context);
  if (!driver)
    return context->status;
  gpu_state *gpu = attn_rt_gpu_get_state(context);
  if (!gpu)
    return context->status;
  if (gpu->begun) {
    attn_rt_fail_as(context, ATTN_BUSY,
                    "expected attn_rt_gpu_end before another call begins");
    return context->status;
  }
  gpu->driver = driver;
  if (!find_cuda_context(context, gpu, place, device) ||
      !check(context, driver->context_push(gpu->cuda_context),
             "make the CUDA context current"))
    return context->status;
  gpu->stream = place ? place->stream : NULL;
  gpu->asynchronous = place && place->asynchronous;
  gpu->begun = 1;
  if (!describe_gpu(context, gpu))
    return attn_rt_gpu_end(context);
  return ATTN_OK;
}

int32_t attn_rt_gpu_get_chip(const attn_rt_context *context) {
  return context->gpu ? context->gpu->chip : 0;
}

/*===----------------------------------------------------------------------===*\
|* Memory
\*===----------------------------------------------------------------------===*/

void *attn_rt_gpu_alloc(attn_rt_context *context, int64_t bytes) {
  gpu_state *gpu = get_state(context);
  if (!gpu)
    return NULL;
  if (bytes < 0 || bytes > INT64_C(1) << 62) {
    attn_rt_fail_as(context, ATTN_OUT_OF_MEMORY,
                    "expected a tensor that fits into memory, but its size is "
                    "negative or beyond 2^62 bytes");
    return NULL;
  }
  // What is empty has an address, too.
  int64_t whole = bytes == 0 ? 256 : (bytes + 255) / 256 * 256;
  for (attn_rt_gpu_block *block = gpu->blocks; block; block = block->next)
    if (block->is_free && block->bytes == whole) {
      block->is_free = 0;
      return (void *)(uintptr_t)block->address;
    }
  attn_rt_gpu_block *block = calloc(1, sizeof(attn_rt_gpu_block));
  attn_cu_result result = ATTN_CU_OUT_OF_MEMORY;
  if (block)
    result = gpu->has_pools
                 ? gpu->driver->memory_alloc_async(&block->address,
                                                   (size_t)whole, gpu->stream)
                 : gpu->driver->memory_alloc(&block->address, (size_t)whole);
  char what[80];
  snprintf(what, sizeof(what), "have %" PRId64 " bytes of the GPU's memory",
           bytes);
  if (!check(context, result, what)) {
    free(block);
    return NULL;
  }
  block->bytes = whole;
  block->next = gpu->blocks;
  gpu->blocks = block;
  return (void *)(uintptr_t)block->address;
}

void attn_rt_gpu_free(attn_rt_context *context, void *memory) {
  gpu_state *gpu = context->root->gpu;
  attn_cu_address address = (attn_cu_address)(uintptr_t)memory;
  for (attn_rt_gpu_block *block = gpu ? gpu->blocks : NULL; block;
       block = block->next)
    if (block->address == address)
      block->is_free = 1;
}

void *attn_rt_gpu_alloc_result(attn_rt_context *context, int64_t bytes,
                               int32_t number) {
  void *offered = attn_rt_take_offer(context, bytes, number);
  return offered ? offered : attn_rt_gpu_alloc(context, bytes);
}

void attn_rt_gpu_free_since(attn_rt_context *context, const void *last) {
  gpu_state *gpu = context->root->gpu;
  attn_cu_address address = (attn_cu_address)(uintptr_t)last;
  // The latest come first.
  for (attn_rt_gpu_block *block = gpu ? gpu->blocks : NULL;
       block && block->address != address; block = block->next)
    block->is_free = 1;
}

/** Gives the driver all that the call had. */
static void free_blocks(gpu_state *gpu) {
  while (gpu->blocks) {
    attn_rt_gpu_block *block = gpu->blocks;
    gpu->blocks = block->next;
    if (gpu->has_pools)
      gpu->driver->memory_free_async(block->address, gpu->stream);
    else
      gpu->driver->memory_free(block->address);
    free(block);
  }
}

void attn_rt_gpu_copy_in(attn_rt_context *context, void *device,
                         const void *host, int64_t bytes) {
  gpu_state *gpu = get_state(context);
  if (gpu && bytes > 0)
    check(context,
          gpu->driver->copy_in((attn_cu_address)(uintptr_t)device, host,
                               (size_t)bytes, gpu->stream),
          "copy to the GPU");
}

void attn_rt_gpu_copy_out(attn_rt_context *context, void *host,
                          const void *device, int64_t bytes) {
  gpu_state *gpu = get_state(context);
  if (gpu && bytes > 0)
    check(context,
          gpu->driver->copy_out(host, (attn_cu_address)(uintptr_t)device,
                                (size_t)bytes, gpu->stream),
          "copy from the GPU");
}

void attn_rt_gpu_copy_within(attn_rt_context *context, void *to,
                             const void *from, int64_t bytes) {
  gpu_state *gpu = get_state(context);
  if (gpu && bytes > 0)
    check(context,
          gpu->driver->copy_within((attn_cu_address)(uintptr_t)to,
                                   (attn_cu_address)(uintptr_t)from,
                                   (size_t)bytes, gpu->stream),
          "copy on the GPU");
}

/*===----------------------------------------------------------------------===*\
|* Time
\*===----------------------------------------------------------------------===*/

void attn_rt_gpu_mark(attn_rt_context *context, int32_t which) {
  gpu_state *gpu = get_state(context);
  if (!gpu || which < 0 || which > 1)
    return;
  if (gpu->marks[which] ||
      check(context, gpu->driver->event_create(&gpu->marks[which], 0),
            "time kernels"))
    check(context, gpu->driver->event_record(gpu->marks[which], gpu->stream),
          "time kernels");
}

float attn_rt_gpu_get_elapsed(attn_rt_context *context) {
  gpu_state *gpu = get_state(context);
  float milliseconds = 0;
  if (gpu && gpu->marks[0] && gpu->marks[1] &&
      check(context, gpu->driver->event_wait(gpu->marks[1]),
            "finish the kernels"))
    check(
        context,
        gpu->driver->event_elapsed(&milliseconds, gpu->marks[0], gpu->marks[1]),
        "time kernels");
  return milliseconds;
}

static void destroy_marks(gpu_state *gpu) {
  for (int i = 0; i < 2; ++i) {
    if (gpu->marks[i])
      gpu->driver->event_destroy(gpu->marks[i]);
    gpu->marks[i] = NULL;
  }
}

/*===----------------------------------------------------------------------===*\
|* Kernels
\*===----------------------------------------------------------------------===*/

/** Whether a grid, or a block, is one that CUDA has: the limits of all GPUs. */
static int check_extents(attn_rt_context *context, const char *kernel,
                         const char *what, const int64_t *extents,
                         const int64_t *limits) {
  for (int i = 0; i < 3; ++i)
    if (extents[i] < 0 || extents[i] > limits[i]) {
      attn_rt_fail_as(context, ATTN_FAILED,
                      "expected kernel '%s' to have %s of up to %" PRId64
                      " along %c, but got %" PRId64,
                      kernel, what, limits[i], "xyz"[i], extents[i]);
      return 0;
    }
  return 1;
}

void attn_rt_gpu_launch(attn_rt_context *context, const void *code,
                        const char *module, const char *kernel, int64_t grid_x,
                        int64_t grid_y, int64_t grid_z, int64_t block_x,
                        int64_t block_y, int64_t block_z, int64_t shared_bytes,
                        int64_t *parameters, int64_t num_parameters,
                        const int64_t *arrays, int64_t num_arrays) {
  enum { max_parameters = 512 };
  static const int64_t grid_limits[] = {2147483647, 65535, 65535};
  static const int64_t block_limits[] = {1024, 1024, 64};
  const int64_t grid[] = {grid_x, grid_y, grid_z};
  const int64_t block[] = {block_x, block_y, block_z};
  (void)arrays;
  (void)num_arrays;
  gpu_state *gpu = get_state(context);
  if (!gpu || context->failed ||
      !check_extents(context, kernel, "a grid", grid, grid_limits) ||
      !check_extents(context, kernel, "blocks", block, block_limits))
    return;
  if (grid_x == 0 || grid_y == 0 || grid_z == 0)
    return;
  // 4 KiB is what all GPUs take.
  if (num_parameters > max_parameters) {
    attn_rt_fail_as(context, ATTN_FAILED,
                    "expected kernel '%s' to have up to %d words of "
                    "parameters, but got %" PRId64,
                    kernel, max_parameters, num_parameters);
    return;
  }
  void *function =
      attn_rt_gpu_get_kernel(context, code, module, kernel, shared_bytes);
  if (!function)
    return;
  void *pointers[max_parameters];
  for (int64_t i = 0; i < num_parameters; ++i)
    pointers[i] = &parameters[i];
  char what[160];
  snprintf(what, sizeof(what), "launch kernel '%.100s'", kernel);
  check(context,
        gpu->driver->launch(
            function, (unsigned)grid_x, (unsigned)grid_y, (unsigned)grid_z,
            (unsigned)block_x, (unsigned)block_y, (unsigned)block_z,
            (unsigned)shared_bytes, gpu->stream, pointers, NULL),
        what);
}

void attn_rt_gpu_map(attn_rt_context *context, int64_t *map, void *base,
                     int64_t element_bytes, int64_t rank,
                     const int64_t *extents) {
  enum { max_rank = 5, words = 16 };
  /* CU_TENSOR_MAP_DATA_TYPE_UINT8 to _UINT32, by the logarithm of their bytes:
     elements are copied, and what is outside of the array is zero. */
  enum { swizzle_128 = 3, promotion_256 = 3 };
  gpu_state *gpu = get_state(context);
  if (!gpu || context->failed)
    return;
  memset(map, 0, words * sizeof(*map));
  if (!gpu->driver->encode_tiled) {
    attn_rt_fail_as(
        context, ATTN_UNSUPPORTED,
        "expected a driver of CUDA 12.0 or later, which has maps of "
        "tensors; update it");
    return;
  }
  if (rank < 1 || rank > max_rank) {
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected an array of 1 to 5 dimensions for a map of "
                    "tensors, but it has %lld",
                    (long long)rank);
    return;
  }
  if (element_bytes != 1 && element_bytes != 2 && element_bytes != 4) {
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected elements of 1, 2 or 4 bytes for a map of "
                    "tensors, but they have %lld",
                    (long long)element_bytes);
    return;
  }
  uint64_t sizes[max_rank], strides[max_rank];
  uint32_t box[max_rank], steps[max_rank];
  for (int64_t i = 0; i < rank; ++i) {
    /* Of an array without elements no tile is copied. */
    if (extents[i] == 0)
      return;
    sizes[i] = (uint64_t)extents[i];
    /* To the next of one position it is not far, whatever is said. */
    strides[i] = sizes[i] == 1 ? 16 : (uint64_t)extents[rank + i];
    box[i] = (uint32_t)extents[2 * rank + i];
    steps[i] = 1;
  }
  int type = element_bytes == 1 ? 0 : element_bytes == 2 ? 1 : 2;
  check(context,
        gpu->driver->encode_tiled(map, type, (uint32_t)rank, base, sizes,
                                  strides + 1, box, steps, 0, swizzle_128,
                                  promotion_256, 0),
        "make the map of an array");
}

/** Keeps the error that was copied, unless there is one already. */
static void collect_error(gpu_state *gpu) {
  if (gpu->is_unread && gpu->latest.raised && !gpu->error.raised) {
    int64_t number = gpu->latest.message;
    gpu->error = gpu->latest;
    gpu->error_text = number >= 0 && number < gpu->num_messages
                          ? gpu->messages[number]
                          : "a kernel found an error that has no text";
  }
  gpu->is_unread = 0;
}

void *attn_rt_gpu_get_error_word(attn_rt_context *context,
                                 const char *const *messages,
                                 int64_t num_messages) {
  gpu_state *gpu = get_state(context);
  if (!gpu)
    return NULL;
  // What a call before it left is looked at, as the place is one for all.
  if (gpu->is_unread && !gpu->error_word) {
    check(context, gpu->driver->stream_wait(gpu->stream), "finish the kernels");
    collect_error(gpu);
  }
  gpu->messages = messages;
  gpu->num_messages = num_messages;
  if (!gpu->error_word) {
    void *word = attn_rt_gpu_alloc(context, sizeof(attn_rt_gpu_error));
    if (!word)
      return NULL;
    attn_cu_address address = (attn_cu_address)(uintptr_t)word;
    if (!check(context,
               gpu->driver->fill(address, 0, sizeof(attn_rt_gpu_error),
                                 gpu->stream),
               "clear the error of kernels"))
      return NULL;
    gpu->error_word = address;
  }
  return (void *)(uintptr_t)gpu->error_word;
}

/*===----------------------------------------------------------------------===*\
|* Ending
\*===----------------------------------------------------------------------===*/

/** Waits for the stream, and fails if kernels found an error. */
static void wait_for_stream(attn_rt_context *context, gpu_state *gpu) {
  check(context, gpu->driver->stream_wait(gpu->stream), "finish the kernels");
  gpu->is_unwaited = 0;
  collect_error(gpu);
  if (!context->failed && gpu->error.raised)
    attn_rt_fail(context, gpu->error_text, 2, gpu->error.numbers[0],
                 gpu->error.numbers[1]);
  gpu->error.raised = 0;
}

int32_t attn_rt_gpu_end(attn_rt_context *context) {
  gpu_state *gpu = context->gpu;
  if (!gpu || !gpu->begun)
    return context->failed ? context->status : ATTN_OK;
  if (gpu->error_word && !context->failed) {
    gpu->latest.raised = 0;
    attn_rt_gpu_copy_out(context, &gpu->latest,
                         (const void *)(uintptr_t)gpu->error_word,
                         sizeof(gpu->latest));
    gpu->is_unread = 1;
  }
  gpu->error_word = 0;
  // After a failure nothing of the call may touch what is freed.
  gpu->is_unwaited = 1;
  if (!gpu->asynchronous || context->failed)
    wait_for_stream(context, gpu);
  free_blocks(gpu);
  destroy_marks(gpu);
  void *popped = NULL;
  check(context, gpu->driver->context_pop(&popped),
        "go back to the CUDA context of before");
  gpu->begun = 0;
  return context->failed ? context->status : ATTN_OK;
}

int32_t attn_rt_gpu_finish(attn_rt_context *context) {
  gpu_state *gpu = get_state(context);
  if (gpu)
    check(context, gpu->driver->stream_wait(gpu->stream), "finish the kernels");
  return context->failed ? context->status : ATTN_OK;
}

int32_t attn_rt_gpu_wait(attn_rt_context *context) {
  gpu_state *gpu = context->gpu;
  if (!gpu || !gpu->driver || gpu->begun) {
    attn_rt_fail_as(context, ATTN_FAILED,
                    "expected attn_rt_gpu_wait after a call that has ended");
    return context->status;
  }
  void *popped = NULL;
  if (check(context, gpu->driver->context_push(gpu->cuda_context),
            "make the CUDA context current")) {
    wait_for_stream(context, gpu);
    gpu->driver->context_pop(&popped);
  }
  return context->failed ? context->status : ATTN_OK;
}

void attn_rt_gpu_destroy(attn_rt_context *context) {
  gpu_state *gpu = context->gpu;
  if (!gpu)
    return;
  attn_rt_gpu_end(context);
  if (gpu->is_unwaited)
    attn_rt_gpu_wait(context);
  release_primary(gpu);
  free(gpu);
  context->gpu = NULL;
}
