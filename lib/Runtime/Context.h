/*===- Context.h - The state of a call -------------------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/

#ifndef ATTN_LIB_RUNTIME_CONTEXT_H
#define ATTN_LIB_RUNTIME_CONTEXT_H

#include "attn/Runtime/attn_rt_code.h"

#include <stdatomic.h>

/** What lies before the memory that a context gives. */
typedef struct attn_rt_block {
  struct attn_rt_block *previous, *next;
  attn_rt_context *owner;
  /** All of the block, this header included. */
  int64_t bytes;
} attn_rt_block;

typedef struct attn_rt_output {
  void *memory;
  int64_t bytes;
} attn_rt_output;

/** The host's context is the root of those of its workers, which have what
    they alone touch: memory, and whether they have failed. */
struct attn_rt_context {
  /** Read by compiled code: it stays first. */
  int32_t failed;
  /** ATTN_RT_VERSION as the context was made; it stays second. */
  int32_t version;
  attn_rt_context *root;

  /** What is in use, and what was freed and is kept, the latest first. */
  attn_rt_block *live, *idle;
  int64_t idle_bytes;

  /** Of the root: the others have none. */
  attn_rt_host host;
  /** What is known of its GPU, and who frees that; null where none was asked
      for, so that libraries without kernels do without all of it. */
  struct attn_rt_gpu_state *gpu;
  void (*gpu_destroy)(attn_rt_context *context);
  attn_rt_context **workers;
  int32_t num_workers;
  /** 1 once somebody has failed and writes `error`; workers then stop. */
  atomic_int stopped;
  /** Whether a library's function is being called. */
  atomic_int busy;
  /** What the call returns, and why. */
  int32_t status;
  char error[1024];
  attn_rt_output outputs[ATTN_RT_MAX_OUTPUTS];
  int32_t num_outputs;
};

/** A context whose root is `root`, or its own if that is null. */
attn_rt_context *attn_rt_create_child(const attn_rt_host *host,
                                      attn_rt_context *root);

/** The call has failed: `format`, with what follows as printf has it, is why,
    and `status` what it returns. The first failure of a call is kept. */
void attn_rt_fail_as(attn_rt_context *context, int32_t status,
                     const char *format, ...);

/** The memory that was offered for result `number`, if it has so many bytes. */
void *attn_rt_take_offer(attn_rt_context *context, int64_t bytes,
                         int32_t number);

/** Ends a call, but keeps what it says. */
void attn_rt_end(attn_rt_context *context);

/** Frees what is in use; with `all`, what is kept, too. */
void attn_rt_release_blocks(attn_rt_context *context, int all);

#endif /* ATTN_LIB_RUNTIME_CONTEXT_H */
