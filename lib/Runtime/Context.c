/*===- Context.c - Contexts and their errors -------------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/

#include "Context.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int32_t attn_abi_version(void) { return ATTN_RT_VERSION; }

attn_rt_context *attn_rt_create_child(const attn_rt_host *host,
                                      attn_rt_context *root) {
  attn_rt_context *context = calloc(1, sizeof(attn_rt_context));
  if (!context)
    return NULL;
  context->version = ATTN_RT_VERSION;
  context->root = root ? root : context;
  context->host.version = ATTN_RT_VERSION;
  if (host)
    context->host = *host;
  atomic_init(&context->stopped, 0);
  atomic_init(&context->busy, 0);
  return context;
}

attn_rt_context *attn_rt_create(const attn_rt_host *host) {
  if (host && (host->version != ATTN_RT_VERSION ||
               !host->allocate != !host->release))
    return NULL;
  return attn_rt_create_child(host, NULL);
}

void attn_rt_destroy(attn_rt_context *context) {
  if (!context)
    return;
  if (context->gpu_destroy)
    context->gpu_destroy(context);
  for (int32_t i = 0; i < context->num_workers; ++i)
    attn_rt_destroy(context->workers[i]);
  free(context->workers);
  attn_rt_release_blocks(context, /*all=*/1);
  free(context);
}

void attn_rt_set_threads(attn_rt_context *context, int32_t threads) {
  context->host.threads = threads;
}

const char *attn_rt_get_error(const attn_rt_context *context) {
  return context->failed ? context->error : NULL;
}

void attn_rt_end(attn_rt_context *context) {
  for (int32_t i = 0; i < context->num_workers; ++i)
    attn_rt_end(context->workers[i]);
  attn_rt_release_blocks(context, /*all=*/0);
  context->num_outputs = 0;
}

void attn_rt_reset(attn_rt_context *context) {
  attn_rt_end(context);
  for (int32_t i = 0; i < context->num_workers; ++i)
    attn_rt_reset(context->workers[i]);
  context->failed = 0;
  context->status = ATTN_OK;
  context->error[0] = '\0';
  atomic_store(&context->stopped, 0);
}

/** Writes `message` with its numbers into `text`, as far as it fits. */
static void format_message(char *text, size_t size, const char *message,
                           int64_t count, const int64_t *numbers) {
  size_t length = 0;
  for (const char *from = message; *from && length + 1 < size; ++from) {
    int is_number = from[0] == '{' && from[1] >= '0' &&
                    from[1] - '0' < count && from[2] == '}';
    if (!is_number) {
      text[length++] = *from;
      continue;
    }
    int written = snprintf(text + length, size - length, "%" PRId64,
                           numbers[from[1] - '0']);
    if (written < 0 || (size_t)written >= size - length)
      break;
    length += (size_t)written;
    from += 2;
  }
  text[length] = '\0';
}

/** The context whose error this failure is; null if it is not the first. */
static attn_rt_context *begin_failure(attn_rt_context *context,
                                      int32_t status) {
  context->failed = 1;
  attn_rt_context *root = context->root;
  int32_t expected = 0;
  // The root reads the text once its workers have returned.
  if (!atomic_compare_exchange_strong(&root->stopped, &expected, 1))
    return NULL;
  root->status = status;
  return root;
}

void attn_rt_fail(attn_rt_context *context, const char *message, int64_t count,
                  int64_t first, int64_t second) {
  attn_rt_context *root = begin_failure(context, ATTN_FAILED);
  const int64_t numbers[] = {first, second};
  if (root)
    format_message(root->error, sizeof(root->error), message,
                   count < 2 ? count : 2, numbers);
}

void attn_rt_fail_as(attn_rt_context *context, int32_t status,
                     const char *format, ...) {
  attn_rt_context *root = begin_failure(context, status);
  if (!root)
    return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(root->error, sizeof(root->error), format, arguments);
  va_end(arguments);
}
