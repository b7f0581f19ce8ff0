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

/** A result that was returned: what it is, and which words it has. */
typedef struct attn_rt_result {
  attn_rt_array output;
  const char *data;
  const int64_t *shape, *strides;
} attn_rt_result;

/** Result `index` of a call, whose words begin at `words`. */
attn_rt_result attn_rt_get_result(const attn_rt_function *function,
                                  void *const *arrays, int32_t index,
                                  const int64_t *words);

/** Refuses results that have not the extents of their outputs. */
int32_t attn_rt_check_results(attn_rt_context *context,
                              const attn_rt_function *function,
                              const uint8_t *lent, void *const *arrays,
                              const int64_t *words);

/** `attn_rt_store`, or what does the same elsewhere. */
typedef int32_t attn_rt_store_results(attn_rt_context *context,
                                      const attn_rt_function *function,
                                      const uint8_t *lent, void *const *arrays,
                                      const int64_t *words);

/** What a call does for arrays that are not the CPU's, or not to be. A table,
    so that a library without kernels holds none of it. */
typedef struct attn_rt_surroundings {
  /** As `attn_rt_gpu_move_in` and the others. */
  int32_t (*move_in)(attn_rt_context *context, const attn_rt_function *function,
                     int32_t num_arrays, void *const *arrays,
                     attn_tensor *moved, void **pointers);
  /** The code for where the arrays are. Null, the call having failed, if there
      is none. */
  const attn_rt_version *(*choose)(attn_rt_context *context,
                                   const attn_rt_function *function);
  attn_rt_store_results *store;
  int32_t (*move_out)(attn_rt_context *context,
                      const attn_rt_function *function, int32_t num_arrays,
                      void *const *arrays, void *const *pointers);
  int32_t (*end)(attn_rt_context *context);
} attn_rt_surroundings;

/** `attn_rt_call`; `around` may be null. */
int32_t attn_rt_call_within(attn_rt_context *context,
                            const attn_rt_function *function,
                            void *const *arrays,
                            const attn_rt_surroundings *around);

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
