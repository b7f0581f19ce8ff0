/*===- View.c - Where the elements of tensors lie --------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/

#include "Call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void attn_rt_get_plain_strides(int32_t rank, const int64_t *shape,
                               int64_t *strides) {
  // Extents of which one is 0 may have any product: it is not told.
  uint64_t stride = 1;
  for (int32_t dim = rank; dim-- > 0; stride *= (uint64_t)shape[dim])
    strides[dim] = (int64_t)stride;
}

void attn_rt_get_view(const attn_tensor *tensor, attn_rt_view *view) {
  // Where there is nothing, an offset leads nowhere.
  view->data = tensor->data ? (char *)tensor->data + tensor->byte_offset : NULL;
  view->width = tensor->dtype.bits / 8;
  view->rank = tensor->ndim;
  view->shape = tensor->shape;
  if (!tensor->strides)
    attn_rt_get_plain_strides(view->rank, view->shape, view->strides);
  else
    for (int32_t dim = 0; dim < view->rank; ++dim)
      view->strides[dim] = tensor->strides[dim];
}

int attn_rt_is_empty(const attn_rt_view *view) {
  for (int32_t dim = 0; dim < view->rank; ++dim)
    if (view->shape[dim] == 0)
      return 1;
  return 0;
}

int attn_rt_is_plain_view(const attn_rt_view *view) {
  if (attn_rt_is_empty(view))
    return 1;
  int64_t expected = 1;
  for (int32_t dim = view->rank; dim-- > 0;) {
    if (view->shape[dim] != 1 && view->strides[dim] != expected)
      return 0;
    expected *= view->shape[dim];
  }
  return 1;
}

int32_t attn_rt_is_plain(const attn_tensor *tensor) {
  attn_rt_view view;
  attn_rt_get_view(tensor, &view);
  return attn_rt_is_plain_view(&view);
}

int64_t attn_rt_get_span(const attn_rt_view *view) {
  if (attn_rt_is_empty(view))
    return 0;
  int64_t last = 0;
  for (int32_t dim = 0; dim < view->rank; ++dim)
    last += (view->shape[dim] - 1) * view->strides[dim];
  return (last + 1) * view->width;
}

/*===----------------------------------------------------------------------===*\
|* Overlaps
\*===----------------------------------------------------------------------===*/

/** By how many steps of what stride positions may differ. */
typedef struct attn_rt_steps {
  int64_t stride, least, most;
} attn_rt_steps;

static int compare_strides(const void *left, const void *right) {
  const attn_rt_steps *a = left, *b = right;
  return (a->stride > b->stride) - (a->stride < b->stride);
}

int attn_rt_is_apart(const attn_rt_view *view) {
  if (attn_rt_is_empty(view))
    return 1;
  attn_rt_steps dims[ATTN_MAX_RANK];
  int32_t count = 0;
  for (int32_t dim = 0; dim < view->rank; ++dim)
    if (view->shape[dim] > 1) {
      const attn_rt_steps steps = {view->strides[dim], 0, view->shape[dim] - 1};
      dims[count++] = steps;
    }
  qsort(dims, (size_t)count, sizeof(*dims), compare_strides);
  int64_t span = 1;
  for (int32_t dim = 0; dim < count; ++dim) {
    if (dims[dim].stride < span)
      return 0;
    span += dims[dim].most * dims[dim].stride;
  }
  return 1;
}

static int64_t floor_divide(int64_t number, int64_t divisor) {
  return number / divisor - (number % divisor < 0);
}

/** Whether positions may differ such that elements are `distance` apart;
    strides grow, and the last one is stepped over first. */
static int can_be_apart(int64_t distance, const attn_rt_steps *steps,
                        int32_t count) {
  if (count == 0)
    return distance == 0;
  int64_t least = 0, most = 0;
  for (int32_t inner = 0; inner + 1 < count; ++inner) {
    least += steps[inner].least * steps[inner].stride;
    most += steps[inner].most * steps[inner].stride;
  }
  const attn_rt_steps outer = steps[count - 1];
  int64_t first = -floor_divide(most - distance, outer.stride);
  int64_t last = floor_divide(distance - least, outer.stride);
  first = first > outer.least ? first : outer.least;
  last = last < outer.most ? last : outer.most;
  // Few steps come into question where dimensions step over one another.
  enum { max_steps = 8 };
  if (last - first > max_steps)
    return 1;
  for (int64_t step = first; step <= last; ++step)
    if (can_be_apart(distance - step * outer.stride, steps, count - 1))
      return 1;
  return 0;
}

/** Adds the steps of a view, of which those of one stride are one. */
static int32_t add_steps(const attn_rt_view *view, int sign,
                         attn_rt_steps *steps, int32_t count) {
  for (int32_t dim = 0; dim < view->rank; ++dim) {
    if (view->strides[dim] <= 0)
      continue;
    int32_t place = 0;
    while (place < count && steps[place].stride != view->strides[dim])
      ++place;
    if (place == count) {
      const attn_rt_steps none = {view->strides[dim], 0, 0};
      steps[count++] = none;
    }
    if (sign > 0)
      steps[place].most += view->shape[dim] - 1;
    else
      steps[place].least -= view->shape[dim] - 1;
  }
  return count;
}

int attn_rt_may_overlap(const attn_rt_view *left, const attn_rt_view *right) {
  if (attn_rt_is_empty(left) || attn_rt_is_empty(right))
    return 0;
  uintptr_t left_begin = (uintptr_t)left->data;
  uintptr_t right_begin = (uintptr_t)right->data;
  if (left_begin >= right_begin + (uintptr_t)attn_rt_get_span(right) ||
      right_begin >= left_begin + (uintptr_t)attn_rt_get_span(left))
    return 0;
  int64_t distance = (int64_t)(right_begin - left_begin);
  if (left->width != right->width || distance % left->width != 0)
    return 1;
  // An element of the left one is `distance` and that of the right one apart.
  attn_rt_steps steps[2 * ATTN_MAX_RANK];
  int32_t count = add_steps(left, 1, steps, 0);
  count = add_steps(right, -1, steps, count);
  qsort(steps, (size_t)count, sizeof(*steps), compare_strides);
  return can_be_apart(distance / left->width, steps, count);
}

/*===----------------------------------------------------------------------===*\
|* Text
\*===----------------------------------------------------------------------===*/

void attn_rt_print_type(char *text, int32_t rank, const int64_t *shape,
                        const char *name) {
  // What does not fit is told as far as it does.
  int length = 0;
  for (int32_t dim = 0; dim < rank && length < attn_rt_text_size - 64; ++dim)
    length += shape[dim] < 0
                  ? sprintf(text + length, "?x")
                  : sprintf(text + length, "%" PRId64 "x", shape[dim]);
  snprintf(text + length, (size_t)(attn_rt_text_size - length), "%s", name);
}
