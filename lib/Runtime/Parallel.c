/*===- Parallel.c - Parallel loops -----------------------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * Items are claimed in chunks as workers come for them: on a machine that does
 * something else as well, one that is slow takes fewer. Who runs an item is no
 * input of it, so that results are the same for any number of threads.
 */

#include "Context.h"

#include <stdlib.h>

/* LLVM's OpenMP runtime; not every package has its header. */
int omp_get_max_threads(void);
int omp_get_thread_num(void);

/** A loop that is being run. */
typedef struct attn_rt_task {
  attn_rt_context *context;
  attn_rt_body body;
  void *data;
  int64_t count, chunk, num_chunks;
  int32_t num_workers;
  /** What the next one who comes takes, where OpenMP does not deal out. */
  atomic_int next_worker;
  atomic_llong next_chunk;
} attn_rt_task;

/** Runs a chunk; the first is the one of the last items. */
static void run_chunk(const attn_rt_task *task, attn_rt_context *worker,
                      int64_t number) {
  if (worker->failed ||
      atomic_load_explicit(&worker->root->stopped, memory_order_relaxed))
    return;
  int64_t end = task->count - number * task->chunk;
  int64_t begin = end > task->chunk ? end - task->chunk : 0;
  task->body(worker, task->data, begin, end);
}

static void run_serial(const attn_rt_task *task) {
  for (int64_t number = 0; number < task->num_chunks; ++number)
    run_chunk(task, task->context, number);
}

static void run_openmp(const attn_rt_task *task) {
#pragma omp parallel num_threads(task->num_workers)
  {
    attn_rt_context *worker = task->context->workers[omp_get_thread_num()];
#pragma omp for schedule(dynamic, 1) nowait
    for (int64_t number = 0; number < task->num_chunks; ++number)
      run_chunk(task, worker, number);
  }
}

/** What the host calls, once for each worker it has. */
static void work(void *data) {
  attn_rt_task *task = data;
  int32_t number = atomic_fetch_add(&task->next_worker, 1);
  if (number >= task->num_workers)
    return;
  attn_rt_context *worker = task->context->workers[number];
  for (;;) {
    int64_t chunk = atomic_fetch_add(&task->next_chunk, 1);
    if (chunk >= task->num_chunks)
      return;
    run_chunk(task, worker, chunk);
  }
}

/** Makes contexts for `wanted` workers, or for as many as there is memory. */
static int32_t prepare_workers(attn_rt_context *context, int32_t wanted) {
  if (wanted > context->num_workers) {
    attn_rt_context **workers =
        realloc(context->workers, (size_t)wanted * sizeof(*workers));
    if (!workers)
      return context->num_workers;
    context->workers = workers;
    while (context->num_workers < wanted) {
      attn_rt_context *worker = attn_rt_create_child(NULL, context->root);
      if (!worker)
        return context->num_workers;
      workers[context->num_workers++] = worker;
    }
  }
  return wanted;
}

void attn_rt_parallel_for(attn_rt_context *context, attn_rt_body body,
                          void *data, int64_t count) {
  if (count <= 0 || context->failed)
    return;
  attn_rt_task task = {context, body, data, count, 1, count, 1, 0, 0};
  // Workers find the others busy.
  int32_t threads = context->root == context ? context->host.threads : 1;
  if (threads <= 0)
    threads = omp_get_max_threads();
  if (threads > count)
    threads = (int32_t)count;
  // A claim costs as much as a hundred instructions: tiny items share one.
  const int64_t claims = INT64_C(256) * threads;
  task.chunk = (count + claims - 1) / claims;
  task.num_chunks = (count + task.chunk - 1) / task.chunk;
  if (threads > 1)
    task.num_workers = prepare_workers(context, threads);
  if (task.num_workers <= 1 || threads <= 1)
    run_serial(&task);
  else if (context->host.parallel)
    context->host.parallel(context->host.user, task.num_workers, work, &task);
  else
    run_openmp(&task);
  if (atomic_load(&context->root->stopped))
    context->failed = 1;
}
