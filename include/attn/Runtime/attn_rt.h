/*===- attn_rt.h - What compiled code stands on ----------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * A small runtime in plain C: memory, errors and parallel loops of compiled
 * functions. It knows nothing of LLVM and keeps no global state.
 *
 * Every compiled function takes a context first. What it allocates is the
 * context's and goes back whole when a call fails. Where a check fails, the
 * function records one line in the context and returns, what it returns being
 * without meaning; so do its callers. Nothing ends the process.
 *
 * A context serves one call at a time. Calls that run at once have one each.
 */
#ifndef ATTN_RUNTIME_ATTN_RT_H
#define ATTN_RUNTIME_ATTN_RT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of this interface. Compiled code and runtime share one. */
#define ATTN_RT_VERSION 1

/** What memory is aligned to, in bytes. */
#define ATTN_RT_ALIGNMENT 64

/** The state of a call. Its first member is an int32_t that compiled code
    reads: not 0 once the call has failed. */
typedef struct attn_rt_context attn_rt_context;

/** Part of a parallel loop: the items from `begin` up to `end`, with the
    context of the worker that runs it. */
typedef void (*attn_rt_body)(attn_rt_context *context, void *data,
                             int64_t begin, int64_t end);

/** How long an item takes, in any unit, to compare items with. */
typedef int64_t (*attn_rt_cost)(attn_rt_context *context, void *data,
                                int64_t item);

/** What the host provides. All zero but the version: memory of the C library,
    threads of the OpenMP runtime. */
typedef struct attn_rt_host {
  /** ATTN_RT_VERSION. */
  int32_t version;
  /** How many threads a parallel loop takes: 0 as many as OpenMP would, 1 none
      but the caller's. */
  int32_t threads;
  /** What the functions below are given. */
  void *user;
  /** Calls `work(task)` at most `workers` times, at once or not, at least once,
      and returns when all have returned. Each call works until nothing is left.
      Null: OpenMP. */
  void (*parallel)(void *user, int32_t workers, void (*work)(void *task),
                   void *task);
  /** Memory of `bytes` (a multiple of the alignment), aligned to
      ATTN_RT_ALIGNMENT, or null. Both or none. Called by any worker. */
  void *(*allocate)(void *user, int64_t bytes);
  void (*release)(void *user, void *memory, int64_t bytes);
} attn_rt_host;

/*===----------------------------------------------------------------------===*\
|* For hosts
\*===----------------------------------------------------------------------===*/

/** A context with a copy of `host`; null stands for the default. Null if there
    is no memory, or if `host` is of another version. */
attn_rt_context *attn_rt_create(const attn_rt_host *host);

/** Frees the context and what it still holds. */
void attn_rt_destroy(attn_rt_context *context);

/** How many threads the parallel loops of the next calls take, as in
    `attn_rt_host`. */
void attn_rt_set_threads(attn_rt_context *context, int32_t threads);

/** The line that says why the call failed, or null. */
const char *attn_rt_get_error(const attn_rt_context *context);

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

/*===----------------------------------------------------------------------===*\
|* For compiled code
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

#ifdef __cplusplus
}
#endif

#endif /* ATTN_RUNTIME_ATTN_RT_H */
