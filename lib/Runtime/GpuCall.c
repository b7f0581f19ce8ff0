/*===- GpuCall.c - Arrays of calls on a GPU --------------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * Arrays on a GPU are passed on as they are. Those on the CPU have a copy on
 * the GPU for the call, row by row whatever their strides.
 */

#include "Call.h"
#include "GpuDriver.h"

#include <inttypes.h>
#include <string.h>

/** Where the first array lies that is one; null if there is none. */
static const attn_tensor *find_tensor(const attn_rt_function *function,
                                      int32_t num_arrays, void *const *arrays) {
  for (int32_t i = 0; i < num_arrays; ++i)
    if (!function->specs[i].scalar)
      return arrays[i];
  return NULL;
}

static int is_on_gpu(const attn_tensor *tensor) {
  return tensor && (tensor->device.device_type == ATTN_CUDA ||
                    tensor->device.device_type == ATTN_CUDA_MANAGED);
}

static int64_t count_bytes(const attn_rt_view *view) {
  int64_t bytes = view->width;
  for (int32_t dim = 0; dim < view->rank; ++dim)
    bytes *= view->shape[dim];
  return bytes;
}

int32_t attn_rt_gpu_set_place(attn_rt_context *context,
                              const attn_rt_gpu_place *place) {
  static const attn_rt_gpu_place nowhere = {ATTN_RT_VERSION, 0, NULL, NULL};
  if (place && place->version != ATTN_RT_VERSION)
    return ATTN_UNSUPPORTED;
  struct attn_rt_gpu_state *gpu = attn_rt_gpu_get_state(context);
  if (!gpu)
    return ATTN_OUT_OF_MEMORY;
  if (gpu->begun)
    return ATTN_BUSY;
  gpu->place = place ? *place : nowhere;
  return ATTN_OK;
}

/*===----------------------------------------------------------------------===*\
|* Rows
\*===----------------------------------------------------------------------===*/

/** Copies elements of the GPU that lie in any way, by way of the CPU. What lies
    between those that are written stays as it was. */
static void copy_by_way_of_cpu(attn_rt_context *context, const attn_rt_view *to,
                               const attn_rt_view *from) {
  int64_t to_bytes = attn_rt_get_span(to), from_bytes = attn_rt_get_span(from);
  char *to_host = attn_rt_alloc(context, to_bytes);
  char *from_host = attn_rt_alloc(context, from_bytes);
  if (!to_host || !from_host)
    return;
  attn_rt_gpu_copy_out(context, to_host, to->data, to_bytes);
  attn_rt_gpu_copy_out(context, from_host, from->data, from_bytes);
  if (attn_rt_gpu_finish(context))
    return;
  attn_rt_copy(to->width, to->rank, to->shape, from_host, from->strides,
               to_host, to->strides);
  attn_rt_gpu_copy_in(context, to->data, to_host, to_bytes);
  attn_rt_gpu_finish(context);
}

static void copy_view(attn_rt_context *context, const attn_rt_view *to,
                      const attn_rt_view *from) {
  if (attn_rt_is_empty(to))
    return;
  if (attn_rt_is_plain_view(to) && attn_rt_is_plain_view(from))
    attn_rt_gpu_copy_within(context, to->data, from->data, count_bytes(to));
  else
    copy_by_way_of_cpu(context, to, from);
}

/*===----------------------------------------------------------------------===*\
|* Before and after
\*===----------------------------------------------------------------------===*/

/** Refuses arrays on another GPU than that of the CUDA context. */
static int32_t check_gpu(attn_rt_context *context, const attn_tensor *tensor) {
  const struct attn_rt_gpu_state *gpu = context->gpu;
  attn_cu_device device = 0;
  int32_t number = tensor->device.device_id;
  if (!attn_cu_check(context, gpu->driver,
                     gpu->driver->device_get(&device, number), "open a GPU"))
    return context->status;
  if (device == gpu->device)
    return ATTN_OK;
  attn_rt_fail_as(
      context, ATTN_INVALID_ARGUMENT,
      "expected arrays on GPU %d, of which the CUDA context is, but "
      "got such on GPU %d",
      gpu->device, (int)number);
  return context->status;
}

/** Copies an array of the CPU, whose strides may be any. */
static void copy_in(attn_rt_context *context, void *device,
                    const attn_rt_view *view) {
  if (attn_rt_is_empty(view))
    return;
  int64_t bytes = count_bytes(view);
  if (attn_rt_is_plain_view(view)) {
    attn_rt_gpu_copy_in(context, device, view->data, bytes);
    return;
  }
  int64_t strides[ATTN_MAX_RANK];
  attn_rt_get_plain_strides(view->rank, view->shape, strides);
  // Until the call ends: it is read when the stream comes to it.
  char *rows = attn_rt_alloc(context, bytes);
  if (!rows)
    return;
  attn_rt_copy(view->width, view->rank, view->shape, view->data, view->strides,
               rows, strides);
  attn_rt_gpu_copy_in(context, device, rows, bytes);
}

int32_t attn_rt_gpu_move_in(attn_rt_context *context,
                            const attn_rt_function *function,
                            int32_t num_arrays, void *const *arrays,
                            attn_tensor *moved, void **pointers) {
  struct attn_rt_gpu_state *gpu = attn_rt_gpu_get_state(context);
  if (!gpu)
    return context->status;
  const attn_tensor *first = find_tensor(function, num_arrays, arrays);
  int on_gpu = is_on_gpu(first);
  attn_rt_gpu_place place = gpu->place;
  place.version = ATTN_RT_VERSION;
  place.asynchronous = place.asynchronous && on_gpu;
  if (attn_rt_gpu_begin_on(context, &place,
                           on_gpu ? first->device.device_id : 0) ||
      (on_gpu && check_gpu(context, first)))
    return context->status;
  for (int32_t i = 0; i < num_arrays && !context->failed; ++i) {
    pointers[i] = arrays[i];
    if (function->specs[i].scalar || on_gpu)
      continue;
    attn_rt_view view;
    attn_rt_get_view(arrays[i], &view);
    moved[i] = *(const attn_tensor *)arrays[i];
    moved[i].device.device_type = ATTN_CUDA;
    moved[i].byte_offset = 0;
    moved[i].strides = NULL;
    moved[i].data = attn_rt_gpu_alloc(context, count_bytes(&view));
    pointers[i] = &moved[i];
    if (moved[i].data && i < function->num_arguments)
      copy_in(context, moved[i].data, &view);
  }
  return context->failed ? context->status : ATTN_OK;
}

int32_t attn_rt_gpu_store(attn_rt_context *context,
                          const attn_rt_function *function, const uint8_t *lent,
                          void *const *pointers, const int64_t *words) {
  if (attn_rt_check_results(context, function, lent, pointers, words))
    return ATTN_INVALID_ARGUMENT;
  // A result may lie in the memory of another one's output: what is to be
  // copied is copied before anything is overwritten.
  void **copies = attn_rt_alloc(context, (int64_t)sizeof(*copies) *
                                             (function->num_results + 1));
  if (!copies)
    return context->status;
  int32_t first = function->num_arguments;
  for (int pass = 0; pass < 2; ++pass) {
    const int64_t *next = words;
    for (int32_t i = 0; i < function->num_results; ++i) {
      if (lent && lent[first + i])
        continue;
      attn_rt_result result =
          attn_rt_get_result(function, pointers, first + i, next);
      next += ATTN_RT_WORDS(result.output.spec->rank);
      attn_rt_view output, from, copy;
      attn_rt_get_view(result.output.tensor, &output);
      if (result.data == output.data || attn_rt_is_empty(&output))
        continue;
      from = copy = output;
      from.data = (char *)result.data;
      memcpy(from.strides, result.strides,
             (size_t)output.rank * sizeof(*from.strides));
      attn_rt_get_plain_strides(copy.rank, copy.shape, copy.strides);
      if (pass == 0)
        copies[i] = attn_rt_gpu_alloc(context, count_bytes(&copy));
      copy.data = copies[i];
      if (context->failed)
        return context->status;
      if (pass == 0)
        copy_view(context, &copy, &from);
      else
        copy_view(context, &output, &copy);
    }
  }
  return context->failed ? context->status : ATTN_OK;
}

int32_t attn_rt_gpu_move_out(attn_rt_context *context,
                             const attn_rt_function *function,
                             int32_t num_arrays, void *const *arrays,
                             void *const *pointers) {
  for (int32_t i = 0; i < num_arrays && !context->failed; ++i) {
    const attn_rt_spec *spec = &function->specs[i];
    // What was moved has another description.
    if (spec->scalar || pointers[i] == arrays[i] ||
        (i < function->num_arguments && !spec->written))
      continue;
    const attn_tensor *moved = pointers[i];
    attn_rt_view view;
    attn_rt_get_view(arrays[i], &view);
    if (attn_rt_is_empty(&view))
      continue;
    int64_t bytes = count_bytes(&view);
    if (attn_rt_is_plain_view(&view)) {
      attn_rt_gpu_copy_out(context, view.data, moved->data, bytes);
      continue;
    }
    int64_t strides[ATTN_MAX_RANK];
    attn_rt_get_plain_strides(view.rank, view.shape, strides);
    char *rows = attn_rt_alloc(context, bytes);
    if (!rows)
      break;
    attn_rt_gpu_copy_out(context, rows, moved->data, bytes);
    if (attn_rt_gpu_finish(context))
      break;
    attn_rt_copy(view.width, view.rank, view.shape, rows, strides, view.data,
                 view.strides);
  }
  return context->failed ? context->status : ATTN_OK;
}

/** Code for the latest chip that the GPU is or follows on: what is for one chip
    alone before what is for later ones, too. */
static const attn_rt_version *choose(attn_rt_context *context,
                                     const attn_rt_function *function) {
  int32_t chip = attn_rt_gpu_get_chip(context);
  const attn_rt_version *best = NULL;
  int32_t best_rank = -1;
  for (int32_t i = 0; i < function->num_versions; ++i) {
    const attn_rt_version *version = &function->versions[i];
    int32_t number = ATTN_RT_GPU_CHIP(version->features);
    int exact = ATTN_RT_GPU_IS_EXACT(version->features);
    int32_t rank = 2 * number + exact;
    if (rank > best_rank && (exact ? number == chip : number <= chip)) {
      best = version;
      best_rank = rank;
    }
  }
  if (!best)
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected a GPU like %s, for which the function was "
                    "compiled, but this one is of sm_%" PRId32
                    "; compile it with --chip=sm_%" PRId32 " as well",
                    function->versions[0].cpu, chip, chip);
  return best;
}

int32_t attn_rt_gpu_call(attn_rt_context *context,
                         const attn_rt_function *function,
                         void *const *arrays) {
  static const attn_rt_surroundings around = {
      attn_rt_gpu_move_in, choose, attn_rt_gpu_store, attn_rt_gpu_move_out,
      attn_rt_gpu_end};
  return attn_rt_call_within(context, function, arrays, &around);
}
