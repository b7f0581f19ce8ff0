/*===- Call.h - What a call looks at ---------------------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/

#ifndef ATTN_LIB_RUNTIME_CALL_H
#define ATTN_LIB_RUNTIME_CALL_H

#include "Context.h"

/** A tensor whose extents and strides are all there. */
typedef struct attn_rt_view {
  char *data;
  /** Bytes per element. */
  int64_t width;
  int32_t rank;
  const int64_t *shape;
  int64_t strides[ATTN_MAX_RANK];
} attn_rt_view;

/** What is passed as an argument or a result, and what it is to be. */
typedef struct attn_rt_array {
  const attn_rt_spec *spec;
  const attn_tensor *tensor;
  /** `argument` or `output`, and which of them. */
  const char *kind;
  int32_t number;
} attn_rt_array;

/** Array `index` of a call, results after arguments. */
attn_rt_array attn_rt_get_array(const attn_rt_function *function,
                                void *const *arrays, int32_t index);

/** The view of a tensor of at most ATTN_MAX_RANK dimensions. */
void attn_rt_get_view(const attn_tensor *tensor, attn_rt_view *view);

int attn_rt_is_empty(const attn_rt_view *view);

/** Whether the elements lie row by row, or there are none. */
int attn_rt_is_plain_view(const attn_rt_view *view);

/** The strides of elements that lie row by row. */
void attn_rt_get_plain_strides(int32_t rank, const int64_t *shape,
                               int64_t *strides);

/** From the first byte to behind the last one. */
int64_t attn_rt_get_span(const attn_rt_view *view);

/** Whether no two elements share memory: each dimension steps over all that
    lies within it. */
int attn_rt_is_apart(const attn_rt_view *view);

/** Whether two views may share memory. Not where they are parts of the rows of
    one array, as queries, keys and values are that one projection gave. */
int attn_rt_may_overlap(const attn_rt_view *left, const attn_rt_view *right);

/** Writes a shape and a type as MLIR spells them: `2x?xf32`. */
enum { attn_rt_text_size = 512 };
void attn_rt_print_type(char *text, int32_t rank, const int64_t *shape,
                        const char *name);

/** Whether this machine has all of `features`. */
int attn_rt_has_features(uint64_t features);

#endif /* ATTN_LIB_RUNTIME_CALL_H */
