/*===- Parallel.c - Parallel loops -----------------------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * Items are claimed in chunks as workers come for them: on a machine that does
 * something else as well, one that is slow takes fewer. The longest go first:
 * one that is begun last is waited for. Only within their group, though, and
 * groups among each other: a group reads the same, and what one worker has just
 * read is near for the next. A worker alone takes all as they come. Who runs
 * an item, and when, is no input of it, so that results are the same for any
 * number of threads.
 */

#include "Context.h"

#include <stdlib.h>

#ifdef _OPENMP
/* LLVM's OpenMP runtime; not every package has its header. */
int omp_get_max_threads(void);
int omp_get_thread_num(void);
#else
static int omp_get_max_threads(void) { return 1; }
#endif

/** A loop that is being run. */
typedef struct attn_rt_task {
  attn_rt_context *context;
  attn_rt_body body;
  void *data;
  int64_t count, chunk, num_chunks;
  /** The items as they are claimed; null if that is one after the other. */
  const int64_t *order;
  int32_t num_workers;
  /** What the next one who comes takes, where OpenMP does not deal out. */
  atomic_int next_worker;
  atomic_llong next_chunk;
} attn_rt_task;

static void run_chunk(const attn_rt_task *task, attn_rt_context *worker,
                      int64_t number) {
  if (worker->failed ||
      atomic_load_explicit(&worker->root->stopped, memory_order_relaxed))
    return;
  int64_t begin = number * task->chunk;
  int64_t end = task->count - begin > task->chunk ? begin + task->chunk
                                                  : task->count;
  if (!task->order) {
    task->body(worker, task->data, begin, end);
    return;
  }
  for (int64_t next = begin; begin < end; begin = next) {
    int64_t item = task->order[begin];
    while (++next < end && task->order[next] == item + (next - begin))
      ;
    task->body(worker, task->data, item, item + (next - begin));
  }
}

/** An item, what it costs, and what its group does. */
typedef struct attn_rt_item {
  int64_t number, cost, group, group_cost;
} attn_rt_item;

static int compare_items(const void *left, const void *right) {
  const attn_rt_item *a = left, *b = right;
  if (a->group != b->group) {
    if (a->group_cost != b->group_cost)
      return a->group_cost < b->group_cost ? 1 : -1;
    return a->group > b->group ? 1 : -1;
  }
  if (a->cost != b->cost)
    return a->cost < b->cost ? 1 : -1;
  return a->number > b->number ? 1 : -1;
}

/** The groups by falling cost, the items of each likewise; to be freed. Null if
    all items cost the same, or if the call has failed. */
static int64_t *sort_items(const attn_rt_task *task, attn_rt_cost cost,
                           int64_t group) {
  attn_rt_context *context = task->context;
  int64_t size = (int64_t)sizeof(attn_rt_item);
  attn_rt_item *items = task->count < INT64_MAX / size
                            ? attn_rt_alloc(context, task->count * size)
                            : NULL;
  if (!items)
    return NULL;
  int differ = 0;
  for (int64_t number = 0; number < task->count; ++number) {
    items[number].number = number;
    items[number].cost = cost(context, task->data, number);
    items[number].group = number / group;
    differ |= items[number].cost != items[0].cost;
  }
  if (!differ) {
    attn_rt_free(context, items);
    return NULL;
  }
  for (int64_t first = 0, next; first < task->count; first = next) {
    int64_t sum = 0;
    for (next = first;
         next < task->count && items[next].group == items[first].group; ++next)
      sum += items[next].cost;
    for (int64_t number = first; number < next; ++number)
      items[number].group_cost = sum;
  }
  qsort(items, (size_t)task->count, sizeof(*items), compare_items);
  // Each number moves to where nothing is left to be read.
  int64_t *order = (int64_t *)items;
  for (int64_t place = 0; place < task->count; ++place)
    order[place] = items[place].number;
  return order;
}

static void run_serial(const attn_rt_task *task) {
  for (int64_t number = 0; number < task->num_chunks; ++number)
    run_chunk(task, task->context, number);
}

#ifdef _OPENMP
static void run_openmp(const attn_rt_task *task) {
#pragma omp parallel num_threads(task->num_workers)
  {
    attn_rt_context *worker = task->context->workers[omp_get_thread_num()];
#pragma omp for schedule(dynamic, 1) nowait
    for (int64_t number = 0; number < task->num_chunks; ++number)
      run_chunk(task, worker, number);
  }
}
#else
static void run_openmp(const attn_rt_task *task) { run_serial(task); }
#endif

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
                          attn_rt_cost cost, void *data, int64_t count,
                          int64_t group) {
  if (count <= 0 || context->failed)
    return;
  attn_rt_task task = {context, body, data, count, 1, count, NULL, 1, 0, 0};
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
  int64_t *order = NULL;
  if (cost && task.num_workers > 1)
    order = sort_items(&task, cost, group > 0 ? group : 1);
  if (context->failed)
    return;
  task.order = order;
  if (task.num_workers <= 1 || threads <= 1)
    run_serial(&task);
  else if (context->host.parallel)
    context->host.parallel(context->host.user, task.num_workers, work, &task);
  else
    run_openmp(&task);
  attn_rt_free(context, order);
  if (atomic_load(&context->root->stopped))
    context->failed = 1;
}
