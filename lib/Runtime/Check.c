/*===- Check.c - What a call checks before it runs -------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/

#include "Call.h"
#include "attn/Runtime/attn_rt_gpu.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/** Where `result` is no number: the product or the sum does not fit. */
static int multiply(int64_t left, int64_t right, int64_t *result) {
  if (left != 0 && right != 0 &&
      (left > INT64_MAX / right || left < 0 || right < 0))
    return 0;
  *result = left * right;
  return 1;
}

attn_rt_array attn_rt_get_array(const attn_rt_function *function,
                                void *const *arrays, int32_t index) {
  int is_result = index >= function->num_arguments;
  const attn_rt_array array = {
      &function->specs[index], arrays[index], is_result ? "output" : "argument",
      is_result ? index - function->num_arguments : index};
  return array;
}

/** Says that `array` is not what was expected; `format` goes on after that. */
static int32_t refuse(attn_rt_context *context, const attn_rt_array *array,
                      const char *format, ...) {
  char expected[attn_rt_text_size], rest[attn_rt_text_size];
  attn_rt_print_type(expected, array->spec->rank, array->spec->shape,
                     array->spec->name);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(rest, sizeof(rest), format, arguments);
  va_end(arguments);
  attn_rt_fail_as(context, ATTN_INVALID_ARGUMENT,
                  "%s %" PRId32 " expected %s%s", array->kind, array->number,
                  expected, rest);
  return ATTN_INVALID_ARGUMENT;
}

/** The element type as MLIR spells it, as far as there is one. */
static void print_element_type(char *text, size_t size, attn_dtype type) {
  const char *prefix = type.code == ATTN_FLOAT    ? "f"
                       : type.code == ATTN_BFLOAT ? "bf"
                       : type.code == ATTN_INT    ? "i"
                                                  : NULL;
  if (type.code == ATTN_BOOL && type.bits == 8 && type.lanes == 1)
    snprintf(text, size, "i1");
  else if (prefix && type.lanes == 1)
    snprintf(text, size, "%s%d", prefix, type.bits);
  else
    snprintf(text, size, "(DLPack's code %d, %d bits, %d lanes)", type.code,
             type.bits, type.lanes);
}

/** The GPU that an array lies on; -1 is the CPU, -2 neither. Code that launches
    kernels takes arrays of both. */
static int32_t get_gpu(const attn_rt_function *function,
                       const attn_tensor *tensor) {
  int32_t type = (int32_t)tensor->device.device_type;
  if (type == ATTN_CPU)
    return -1;
  if (function->device != ATTN_CUDA)
    return -2;
  if (type == ATTN_CUDA_HOST)
    return -1;
  return type == ATTN_CUDA || type == ATTN_CUDA_MANAGED
             ? tensor->device.device_id
             : -2;
}

static void print_gpu(char *text, size_t size, int32_t gpu) {
  if (gpu < 0)
    snprintf(text, size, "the CPU");
  else
    snprintf(text, size, "GPU %" PRId32, gpu);
}

/** Refuses what lies where the function, or what is passed before it, does not;
    `gpu` is where the latter lies, -2 if there is none. */
static int32_t check_device(attn_rt_context *context,
                            const attn_rt_function *function,
                            const attn_rt_array *array, int32_t *gpu) {
  int32_t own = get_gpu(function, array->tensor);
  if (own == -2)
    return refuse(context, array,
                  " in the memory of %s, but got DLPack's device %d",
                  function->device == ATTN_CUDA ? "a GPU of NVIDIA's or the CPU"
                                                : "the CPU",
                  (int)array->tensor->device.device_type);
  if (*gpu != -2 && own != *gpu) {
    char expected[32], got[32];
    print_gpu(expected, sizeof(expected), *gpu);
    print_gpu(got, sizeof(got), own);
    return refuse(context, array,
                  " in the memory of %s, as the arrays before it, but got one "
                  "of %s",
                  expected, got);
  }
  *gpu = own;
  return ATTN_OK;
}

/** Refuses what is of another type, rank or shape. */
static int32_t check_type(attn_rt_context *context,
                          const attn_rt_function *function,
                          const attn_rt_array *array, int32_t *gpu) {
  const attn_rt_spec *spec = array->spec;
  const attn_tensor *tensor = array->tensor;
  if (!tensor)
    return refuse(context, array, ", but got nothing");
  if (check_device(context, function, array, gpu))
    return ATTN_INVALID_ARGUMENT;
  if (tensor->ndim < 0 || tensor->ndim > ATTN_MAX_RANK)
    return refuse(context, array, " of at most %d dimensions, but got %" PRId32,
                  ATTN_MAX_RANK, tensor->ndim);
  if (tensor->ndim > 0 && !tensor->shape)
    return refuse(context, array, ", but got no extents");
  int fits = tensor->ndim == spec->rank && tensor->dtype.code == spec->code &&
             tensor->dtype.bits == spec->bits && tensor->dtype.lanes == 1;
  for (int32_t dim = 0; dim < tensor->ndim; ++dim) {
    if (tensor->shape[dim] < 0)
      return refuse(context, array,
                    " of extents that are not negative, but got %" PRId64
                    " in dimension %" PRId32,
                    tensor->shape[dim], dim);
    fits = fits &&
           (spec->shape[dim] < 0 || spec->shape[dim] == tensor->shape[dim]);
  }
  if (fits)
    return ATTN_OK;
  char name[64], got[attn_rt_text_size];
  // An index is an integer like others to those who have no name for it.
  if (tensor->dtype.code == spec->code && tensor->dtype.bits == spec->bits &&
      tensor->dtype.lanes == 1)
    snprintf(name, sizeof(name), "%s", spec->name);
  else
    print_element_type(name, sizeof(name), tensor->dtype);
  attn_rt_print_type(got, tensor->ndim, tensor->shape, name);
  return refuse(context, array, ", but got %s", got);
}

/** Refuses what does not lie as code takes it. */
static int32_t check_memory(attn_rt_context *context,
                            const attn_rt_array *array) {
  const int64_t max_elements = INT64_C(1) << 58;
  const int64_t max_reach = INT64_C(1) << 59;
  attn_rt_view view;
  attn_rt_get_view(array->tensor, &view);
  int empty = attn_rt_is_empty(&view);
  // Rows may be repeated: there need not be memory for all.
  int64_t elements = 1, last = 0;
  for (int32_t dim = 0; dim < view.rank; ++dim)
    if (!multiply(elements, view.shape[dim], &elements) ||
        elements > max_elements) {
      char got[attn_rt_text_size];
      attn_rt_print_type(got, view.rank, view.shape, array->spec->name);
      return refuse(context, array, " of at most 2^58 elements, but got %s",
                    got);
    }
  for (int32_t dim = 0; array->tensor->strides && dim < view.rank; ++dim) {
    int64_t stride = view.strides[dim], extent = view.shape[dim], reach;
    if (stride < 0)
      return refuse(context, array,
                    " with strides that are not negative, but got %" PRId64
                    " in dimension %" PRId32,
                    stride, dim);
    if (dim + 1 == view.rank && extent > 1 && stride != 1)
      return refuse(context, array,
                    " with an innermost stride of 1, but got %" PRId64, stride);
    if (extent <= 1)
      continue;
    if (!multiply(extent - 1, stride, &reach) || reach > max_reach ||
        (last += reach) > max_reach)
      return refuse(context, array,
                    " within memory, but got a stride of %" PRId64
                    " in dimension %" PRId32,
                    stride, dim);
  }
  if (!view.data && !empty)
    return refuse(context, array, ", but got nothing");
  if ((uintptr_t)view.data % (uintptr_t)view.width != 0)
    return refuse(context, array,
                  ", but got data that are not aligned to elements");
  return ATTN_OK;
}

static int32_t check_rules(attn_rt_context *context,
                           const attn_rt_function *function,
                           void *const *arrays) {
  for (int32_t i = 0; i < function->num_rules; ++i) {
    const attn_rt_rule *rule = &function->rules[i];
    const attn_tensor *from = arrays[rule->left], *to = arrays[rule->right];
    int64_t left = from->shape[rule->left_dim];
    int64_t right = to->shape[rule->right_dim];
    if (!rule->multiple || right == 0 ? left == right : left % right == 0)
      continue;
    attn_rt_fail_as(context, ATTN_INVALID_ARGUMENT,
                    "argument %" PRId32 " expected extent %" PRId32
                    " to be %s%" PRId64 " (as extent %" PRId32
                    " of argument %" PRId32 ": %s), but got %" PRId64,
                    rule->left, rule->left_dim,
                    rule->multiple ? "a multiple of " : "", right,
                    rule->right_dim, rule->right, rule->meaning, left);
    return ATTN_INVALID_ARGUMENT;
  }
  return ATTN_OK;
}

/** Refuses an output that shares memory with itself or with what is passed
    before it. */
static int32_t check_output(attn_rt_context *context,
                            const attn_rt_function *function,
                            void *const *arrays, int32_t index) {
  attn_rt_array output = attn_rt_get_array(function, arrays, index);
  attn_rt_view view, other_view;
  attn_rt_get_view(output.tensor, &view);
  if (!attn_rt_is_apart(&view)) {
    attn_rt_fail_as(context, ATTN_INVALID_ARGUMENT,
                    "output %" PRId32
                    " expected strides that step over what lies within them, "
                    "but some of its elements share memory",
                    output.number);
    return ATTN_INVALID_ARGUMENT;
  }
  for (int32_t i = 0; i < index; ++i) {
    if (function->specs[i].scalar)
      continue;
    attn_rt_array other = attn_rt_get_array(function, arrays, i);
    attn_rt_get_view(other.tensor, &other_view);
    if (!attn_rt_may_overlap(&view, &other_view))
      continue;
    attn_rt_fail_as(context, ATTN_INVALID_ARGUMENT,
                    "output %" PRId32
                    " expected memory of its own, but it overlaps %s %" PRId32,
                    output.number, other.kind, other.number);
    return ATTN_INVALID_ARGUMENT;
  }
  return ATTN_OK;
}

int32_t attn_rt_check(attn_rt_context *context,
                      const attn_rt_function *function, int32_t num_arrays,
                      void *const *arrays) {
  int32_t status = ATTN_OK, gpu = -2;
  for (int32_t i = 0; i < num_arrays && status == ATTN_OK; ++i) {
    // The relations are between arguments, and results come after them.
    if (i == function->num_arguments)
      status = check_rules(context, function, arrays);
    attn_rt_array array = attn_rt_get_array(function, arrays, i);
    if (status == ATTN_OK && !array.spec->scalar)
      status = check_type(context, function, &array, &gpu);
    if (status == ATTN_OK && !array.spec->scalar)
      status = check_memory(context, &array);
    if (status == ATTN_OK && i >= function->num_arguments)
      status = check_output(context, function, arrays, i);
  }
  if (status == ATTN_OK && num_arrays == function->num_arguments)
    status = check_rules(context, function, arrays);
  return status;
}
