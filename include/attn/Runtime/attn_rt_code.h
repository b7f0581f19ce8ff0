/*===- attn_rt_code.h - What compiled code stands on -----------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * What compiled functions call, what libraries say of them, and the steps of a
 * call that checks its arguments. Who calls a library needs none of it.
 */
#ifndef ATTN_RUNTIME_ATTN_RT_CODE_H
#define ATTN_RUNTIME_ATTN_RT_CODE_H

#include "attn/Runtime/attn_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The first member of a context is an int32_t that compiled code reads: not 0
    once the call has failed. */

/** Part of a parallel loop: the items from `begin` up to `end`, with the
    context of the worker that runs it. */
typedef void (*attn_rt_body)(attn_rt_context *context, void *data,
                             int64_t begin, int64_t end);

/** How long an item takes, in any unit, to compare items with. */
typedef int64_t (*attn_rt_cost)(attn_rt_context *context, void *data,
                                int64_t item);

/*===----------------------------------------------------------------------===*\
|* What code calls
\*===----------------------------------------------------------------------===*/

/** Uninitialized memory, aligned to ATTN_RT_ALIGNMENT. Null, the call having
    failed, if there is none or if `bytes` is no size. */
void *attn_rt_alloc(attn_rt_context *context, int64_t bytes);

/** The same for result `number` of the function that the host calls. */
void *attn_rt_alloc_result(attn_rt_context *context, int64_t bytes,
                           int32_t number);

/** Frees what the context gave; null is nothing. */
void attn_rt_free(attn_rt_context *context, void *memory);

/** The call has failed: `message`, in which {0} and {1} stand for the first
    `count` of the numbers, is why. The first failure of a call is kept. */
void attn_rt_fail(attn_rt_context *context, const char *message, int64_t count,
                  int64_t first, int64_t second);

/** Runs `count` items, in parts that workers claim as they come. `group` items
    that follow each other read the same. With `cost`, which may be null, groups
    are begun by falling cost, and so are the items of a group; otherwise they
    are as they come. Returns when all are done, or when all workers have
    stopped since one has failed. Within a body the items run in turn. */
void attn_rt_parallel_for(attn_rt_context *context, attn_rt_body body,
                          attn_rt_cost cost, void *data, int64_t count,
                          int64_t group);

/*===----------------------------------------------------------------------===*\
|* What is said of a function
\*===----------------------------------------------------------------------===*/

/** What an argument or a result takes. */
typedef struct attn_rt_spec {
  /** The element type as MLIR spells it. */
  const char *name;
  /** Extents; a negative one is dynamic. */
  const int64_t *shape;
  int32_t rank;
  uint8_t code, bits;
  /** A number that is passed by value. */
  uint8_t scalar;
  /** Whether code for arrays that lie anywhere takes this one so. */
  uint8_t lent;
  /** Of an argument: whether the function writes it. */
  uint8_t written;
  uint8_t unused[7];
} attn_rt_spec;

/** Two extents of arguments that are equal, or of which the left one is a
    multiple of the right one. */
typedef struct attn_rt_rule {
  const char *meaning;
  int32_t left, left_dim, right, right_dim, multiple, unused;
} attn_rt_rule;

/** Code of a function. Takes pointers to its arguments: the results that it
    returns, then each argument, then the outputs that are lent to it. Of an
    array it takes words: allocation, data, offset, extents, strides. */
typedef void (*attn_rt_entry)(attn_rt_context *context, void **slots);

/** A function as it was compiled for one CPU, or one GPU. */
typedef struct attn_rt_version {
  const char *cpu;
  /** What it needs of an x86 CPU, a bit for each name of
      ATTN_RT_X86_FEATURES. Of a GPU its number, and whether it is for that one
      alone: ATTN_RT_GPU_FEATURES. */
  uint64_t features;
  /** For arrays that all lie row by row, and for those that do not; the latter
      is null if there are none of more than one dimension. */
  attn_rt_entry plain, strided;
} attn_rt_version;

typedef struct attn_rt_function {
  /** ATTN_RT_VERSION as the function was compiled. */
  int32_t version;
  int32_t num_arguments, num_results, num_rules, num_versions;
  /** ATTN_CPU or, of functions that launch kernels, ATTN_CUDA: then arrays may
      be memory of a GPU. */
  int32_t device;
  /** Arguments, then results. */
  const attn_rt_spec *specs;
  const attn_rt_rule *rules;
  /** Later ones are preferred. */
  const attn_rt_version *versions;
} attn_rt_function;

#define ATTN_RT_GPU_FEATURES(chip, exact) ((uint64_t)(chip) << 1 | !!(exact))
#define ATTN_RT_GPU_CHIP(features) ((int32_t)((features) >> 1))
#define ATTN_RT_GPU_IS_EXACT(features) ((int)((features) & 1))

/** The features of x86 CPUs that code may use without being asked to, beyond
    those that all of 64 bits have: as LLVM names them, and GCC. */
#define ATTN_RT_X86_FEATURES(X)                                                \
  X("sse3")                                                                    \
  X("ssse3") X("sse4.1") X("sse4.2") X("popcnt") X("avx") X("avx2") X("fma")   \
      X("f16c") X("bmi") X("bmi2") X("lzcnt") X("movbe") X("avx512f")          \
          X("avx512bw") X("avx512cd") X("avx512dq") X("avx512vl")              \
              X("avx512ifma") X("avx512vbmi") X("avx512vbmi2") X("avx512vnni") \
                  X("avx512bitalg") X("avx512vpopcntdq") X("avx512bf16")       \
                      X("avx512fp16") X("avxvnni") X("gfni") X("sse4a")        \
                          X("xop") X("fma4") X("tbm")

/*===----------------------------------------------------------------------===*\
|* Calls
\*===----------------------------------------------------------------------===*/

/** Calls `function` with its arguments and results: of each tensor an
    `attn_tensor`, of each scalar a pointer to it. What every function of a
    library does. `context` may be null. */
int32_t attn_rt_call(attn_rt_context *context, const attn_rt_function *function,
                     void *const *arrays);

/*
 * The steps, for hosts that compile in process. They say in the context what
 * goes wrong, and return a status. `num_arrays` is the number of the arguments,
 * or of them and the results.
 */

/** Whether the elements lie one after the other, the last dimension innermost,
    or there are none. */
int32_t attn_rt_is_plain(const attn_tensor *tensor);

/** Checks what is known before the call: types, ranks, extents and the
    relations between them, strides, alignment, and that results share no memory
    with anything else. */
int32_t attn_rt_check(attn_rt_context *context,
                      const attn_rt_function *function, int32_t num_arrays,
                      void *const *arrays);

/** How many words a result takes that is returned. */
#define ATTN_RT_WORDS(rank) (3 + 2 * (int64_t)(rank))

/** Runs `entry`. `lent` says of each argument and each result whether the code
    takes it as it lies; null: none. `words` is where it puts the results that
    are not lent, one after the other. They are computed in the results' memory
    if those are given and plain, and may be elsewhere nevertheless. */
int32_t attn_rt_run(attn_rt_context *context, const attn_rt_function *function,
                    attn_rt_entry entry, const uint8_t *lent,
                    int32_t num_arrays, void *const *arrays, int64_t *words);

/** Copies elements of `width` bytes, a row of the innermost dimension at a time
    where both lie together. */
void attn_rt_copy(int64_t width, int32_t rank, const int64_t *shape,
                  const char *from, const int64_t *from_strides, char *to,
                  const int64_t *to_strides);

/** Copies what was returned in `words` into the results, unless it is there. */
int32_t attn_rt_store(attn_rt_context *context,
                      const attn_rt_function *function, const uint8_t *lent,
                      void *const *arrays, const int64_t *words);

/** Ends a call: forgets its error and frees what it holds. Some memory stays
    for the next call. */
void attn_rt_reset(attn_rt_context *context);

/** Where result `number` of the next call is to be written if it is allocated
    with just that many bytes: then it is returned in place. */
#define ATTN_RT_MAX_OUTPUTS 16
void attn_rt_offer(attn_rt_context *context, int32_t number, void *memory,
                   int64_t bytes);

/** Makes the host the owner of `memory`, a result: it is what `allocate` gave,
    or to be freed by `free`, from the address that is returned on. Null if
    `memory` is none of the context's. */
void *attn_rt_take(attn_rt_context *context, void *memory);

#ifdef __cplusplus
}
#endif

#endif /* ATTN_RUNTIME_ATTN_RT_CODE_H */
