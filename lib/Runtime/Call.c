/*===- Call.c - The checked call of compiled code --------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/

#include "Call.h"

#include <inttypes.h>
#include <string.h>

static int is_lent(const uint8_t *lent, int32_t index) {
  return lent && lent[index];
}

/*===----------------------------------------------------------------------===*\
|* Running
\*===----------------------------------------------------------------------===*/

/** Appends the words of a tensor, and a slot for each. */
static void push_view(const attn_rt_view *view, int64_t **words,
                      void ***slots) {
  int64_t *word = *words;
  word[0] = word[1] = (int64_t)(intptr_t)view->data;
  word[2] = 0;
  int64_t *strides = word + 3 + view->rank;
  for (int32_t dim = 0; dim < view->rank; ++dim) {
    word[3 + dim] = view->shape[dim];
    strides[dim] = view->strides[dim];
  }
  // Of what lies row by row those that its extents give, whatever stands where
  // there is but one element; code takes the innermost for 1.
  if (attn_rt_is_plain_view(view))
    attn_rt_get_plain_strides(view->rank, view->shape, strides);
  else
    strides[view->rank - 1] = 1;
  int64_t count = ATTN_RT_WORDS(view->rank);
  for (int64_t i = 0; i < count; ++i)
    *(*slots)++ = word + i;
  *words += count;
}

int32_t attn_rt_run(attn_rt_context *context, const attn_rt_function *function,
                    attn_rt_entry entry, const uint8_t *lent,
                    int32_t num_arrays, void *const *arrays, int64_t *words) {
  int64_t num_words = 0, num_slots = 1;
  for (int32_t i = 0; i < num_arrays; ++i) {
    int64_t count = ATTN_RT_WORDS(function->specs[i].rank);
    num_words += function->specs[i].scalar ? 0 : count;
    num_slots += function->specs[i].scalar ? 1 : count;
  }
  const int64_t word_size = sizeof(int64_t), slot_size = sizeof(void *);
  int64_t *memory =
      attn_rt_alloc(context, num_words * word_size + num_slots * slot_size);
  if (!memory)
    return context->status;
  int64_t *next_word = memory;
  void **slots = (void **)(memory + num_words), **next_slot = slots;
  *next_slot++ = words;
  int32_t num_returned = 0;
  for (int32_t i = 0; i < num_arrays; ++i) {
    int is_result = i >= function->num_arguments;
    if (function->specs[i].scalar) {
      *next_slot++ = arrays[i];
      continue;
    }
    attn_rt_view view;
    attn_rt_get_view(arrays[i], &view);
    if (!is_result || is_lent(lent, i)) {
      push_view(&view, &next_word, &next_slot);
      continue;
    }
    if (!attn_rt_is_empty(&view) && attn_rt_is_plain_view(&view))
      attn_rt_offer(context, num_returned, view.data, attn_rt_get_span(&view));
    ++num_returned;
  }
  entry(context, slots);
  return context->failed ? context->root->status : ATTN_OK;
}

/*===----------------------------------------------------------------------===*\
|* Results
\*===----------------------------------------------------------------------===*/

void attn_rt_copy(int64_t width, int32_t rank, const int64_t *shape,
                  const char *from, const int64_t *from_strides, char *to,
                  const int64_t *to_strides) {
  if (rank == 0) {
    memcpy(to, from, (size_t)width);
    return;
  }
  if (rank == 1 && *from_strides == 1 && *to_strides == 1) {
    if (*shape > 0)
      memcpy(to, from, (size_t)(*shape * width));
    return;
  }
  for (int64_t i = 0; i < *shape; ++i)
    attn_rt_copy(width, rank - 1, shape + 1, from + i * *from_strides * width,
                 from_strides + 1, to + i * *to_strides * width,
                 to_strides + 1);
}

static int have_same_shape(const attn_rt_result *result) {
  for (int32_t dim = 0; dim < result->output.spec->rank; ++dim)
    if (result->shape[dim] != result->output.tensor->shape[dim])
      return 0;
  return 1;
}

attn_rt_result attn_rt_get_result(const attn_rt_function *function,
                                  void *const *arrays, int32_t index,
                                  const int64_t *words) {
  attn_rt_result result;
  result.output = attn_rt_get_array(function, arrays, index);
  const attn_rt_spec *spec = result.output.spec;
  result.data = (const char *)(intptr_t)words[1] + words[2] * (spec->bits / 8);
  result.shape = words + 3;
  result.strides = result.shape + spec->rank;
  return result;
}

/** A copy, row by row, of a result that lies elsewhere than its output. Null if
    it lies there, or if there is no memory. */
static char *copy_result(attn_rt_context *context,
                         const attn_rt_result *result) {
  attn_rt_view view;
  attn_rt_get_view(result->output.tensor, &view);
  if (result->data == view.data || attn_rt_is_empty(&view))
    return NULL;
  int64_t bytes = view.width, strides[ATTN_MAX_RANK];
  for (int32_t dim = 0; dim < view.rank; ++dim)
    bytes *= view.shape[dim];
  attn_rt_get_plain_strides(view.rank, view.shape, strides);
  char *copy = attn_rt_alloc(context, bytes);
  if (copy)
    attn_rt_copy(view.width, view.rank, view.shape, result->data,
                 result->strides, copy, strides);
  return copy;
}

int32_t attn_rt_check_results(attn_rt_context *context,
                              const attn_rt_function *function,
                              const uint8_t *lent, void *const *arrays,
                              const int64_t *words) {
  int32_t first = function->num_arguments;
  int32_t end = first + function->num_results;
  const int64_t *next = words;
  for (int32_t i = first; i < end; ++i) {
    if (is_lent(lent, i))
      continue;
    attn_rt_result result = attn_rt_get_result(function, arrays, i, next);
    const attn_rt_spec *spec = result.output.spec;
    next += ATTN_RT_WORDS(spec->rank);
    if (have_same_shape(&result))
      continue;
    char computed[attn_rt_text_size], got[attn_rt_text_size];
    attn_rt_print_type(computed, spec->rank, result.shape, spec->name);
    attn_rt_print_type(got, spec->rank, result.output.tensor->shape,
                       spec->name);
    attn_rt_fail_as(context, ATTN_INVALID_ARGUMENT,
                    "output %" PRId32
                    " expected %s, which was computed, but got %s",
                    result.output.number, computed, got);
    return ATTN_INVALID_ARGUMENT;
  }
  return ATTN_OK;
}

int32_t attn_rt_store(attn_rt_context *context,
                      const attn_rt_function *function, const uint8_t *lent,
                      void *const *arrays, const int64_t *words) {
  if (attn_rt_check_results(context, function, lent, arrays, words))
    return ATTN_INVALID_ARGUMENT;
  int32_t first = function->num_arguments;
  int32_t end = first + function->num_results;
  // A result may lie in the memory of another one's output: what is to be
  // copied is copied before anything is overwritten.
  char **copies = attn_rt_alloc(context, (int64_t)sizeof(*copies) *
                                             (function->num_results + 1));
  const int64_t *next = words;
  for (int32_t i = first; i < end && copies; ++i) {
    copies[i - first] = NULL;
    if (is_lent(lent, i))
      continue;
    attn_rt_result result = attn_rt_get_result(function, arrays, i, next);
    next += ATTN_RT_WORDS(result.output.spec->rank);
    copies[i - first] = copy_result(context, &result);
  }
  if (context->failed)
    return context->root->status;
  for (int32_t i = first; i < end; ++i) {
    if (!copies[i - first])
      continue;
    attn_rt_view view;
    int64_t strides[ATTN_MAX_RANK];
    attn_rt_get_view(arrays[i], &view);
    attn_rt_get_plain_strides(view.rank, view.shape, strides);
    attn_rt_copy(view.width, view.rank, view.shape, copies[i - first], strides,
                 view.data, view.strides);
  }
  return ATTN_OK;
}

/*===----------------------------------------------------------------------===*\
|* The whole
\*===----------------------------------------------------------------------===*/

/** What the context asks for or, if it asks for nothing, the last that this
    machine can execute. Null, the call having failed, if there is none. */
static const attn_rt_version *choose(attn_rt_context *context,
                                     const attn_rt_function *function) {
  const char *wanted = context->host.cpu;
  for (int32_t i = function->num_versions; i-- > 0;) {
    const attn_rt_version *version = &function->versions[i];
    int runs = attn_rt_has_features(version->features);
    if (wanted ? strcmp(wanted, version->cpu) != 0 : !runs)
      continue;
    if (runs)
      return version;
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected a CPU that this machine has, but got %s; name "
                    "none, and the best one runs",
                    wanted);
    return NULL;
  }
  if (wanted)
    attn_rt_fail_as(context, ATTN_INVALID_ARGUMENT,
                    "expected a CPU that the function was compiled for, such "
                    "as %s, but got %s",
                    function->versions[0].cpu, wanted);
  else
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected a machine like %s, for which the function was "
                    "compiled, but this one lacks instructions of it; "
                    "compile it with --cpu=x86-64 as well",
                    function->versions[0].cpu);
  return NULL;
}

/** Calls code for the arrays as they lie, which have been checked. */
static void call_version(attn_rt_context *context,
                         const attn_rt_function *function,
                         const attn_rt_version *version, void *const *arrays,
                         attn_rt_store_results *store) {
  int32_t num_arrays = function->num_arguments + function->num_results;
  int32_t scattered = -1;
  int64_t num_words = 1;
  uint8_t *lent = attn_rt_alloc(context, num_arrays);
  if (!lent)
    return;
  for (int32_t i = 0; i < num_arrays; ++i) {
    const attn_rt_spec *spec = &function->specs[i];
    if (scattered < 0 && !spec->scalar && !attn_rt_is_plain(arrays[i]))
      scattered = i;
    lent[i] = spec->lent;
    num_words += ATTN_RT_WORDS(spec->rank);
  }
  if (scattered >= 0 && !version->strided) {
    attn_rt_array array = attn_rt_get_array(function, arrays, scattered);
    attn_rt_fail_as(context, ATTN_INVALID_ARGUMENT,
                    "%s %" PRId32
                    " expected an array that lies row by row, as the function "
                    "was compiled for such alone, but got other strides",
                    array.kind, array.number);
    return;
  }
  int64_t *words = attn_rt_alloc(context, num_words * (int64_t)sizeof(*words));
  if (!words)
    return;
  const uint8_t *taken = scattered < 0 ? NULL : lent;
  if (!attn_rt_run(context, function,
                   scattered < 0 ? version->plain : version->strided, taken,
                   num_arrays, arrays, words))
    store(context, function, taken, arrays, words);
}

static void call(attn_rt_context *context, const attn_rt_function *function,
                 void *const *arrays, const attn_rt_surroundings *around) {
  if (function->version != ATTN_RT_VERSION) {
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected a function of version %d, as this runtime is, "
                    "but got one of version %" PRId32 "; compile it again",
                    ATTN_RT_VERSION, function->version);
    return;
  }
  int32_t num_arrays = function->num_arguments + function->num_results;
  const attn_rt_version *version = around ? NULL : choose(context, function);
  if (context->failed || attn_rt_check(context, function, num_arrays, arrays))
    return;
  if (!around) {
    call_version(context, function, version, arrays, attn_rt_store);
    return;
  }
  void **pointers =
      attn_rt_alloc(context, (num_arrays + 1) * (int64_t)sizeof(*pointers));
  attn_tensor *moved =
      attn_rt_alloc(context, (num_arrays + 1) * (int64_t)sizeof(*moved));
  if (!pointers || !moved)
    return;
  if (!around->move_in(context, function, num_arrays, arrays, moved,
                       pointers) &&
      (version = around->choose(context, function)))
    call_version(context, function, version, pointers, around->store);
  if (!context->failed)
    around->move_out(context, function, num_arrays, arrays, pointers);
  around->end(context);
}

int32_t attn_rt_call_within(attn_rt_context *context,
                            const attn_rt_function *function,
                            void *const *arrays,
                            const attn_rt_surroundings *around) {
  attn_rt_context *own = context ? NULL : attn_rt_create(NULL);
  if (!context)
    context = own;
  if (!context)
    return ATTN_OUT_OF_MEMORY;
  if (context->version != ATTN_RT_VERSION)
    return ATTN_UNSUPPORTED;
  if (atomic_exchange(&context->busy, 1))
    return ATTN_BUSY;
  attn_rt_reset(context);
  call(context, function, arrays, around);
  attn_rt_end(context);
  int32_t status = context->status;
  atomic_store(&context->busy, 0);
  attn_rt_destroy(own);
  return status;
}

int32_t attn_rt_call(attn_rt_context *context, const attn_rt_function *function,
                     void *const *arrays) {
  return attn_rt_call_within(context, function, arrays, NULL);
}
