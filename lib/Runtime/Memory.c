/*===- Memory.c - What a call allocates ------------------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * A context keeps a list of the blocks in use, so that a call that fails frees
 * them all, and a short one of blocks that were freed: scratch has the same few
 * sizes in every item and in every call, and is taken from there.
 */

#include "Context.h"

#include <inttypes.h>
#include <stdlib.h>

/** How much stays with a context when it is freed. */
static const int32_t max_idle = 32;
static const int64_t max_idle_bytes = INT64_C(64) << 20;

/** No request is larger: what is added to it does not wrap. */
static const int64_t max_bytes = INT64_C(1) << 62;

static attn_rt_block *block_of(void *memory) {
  return (attn_rt_block *)((char *)memory - ATTN_RT_ALIGNMENT);
}

static void release(attn_rt_context *context, attn_rt_block *block) {
  const attn_rt_host *host = &context->root->host;
  if (host->release)
    host->release(host->user, block, block->bytes);
  else
    free(block);
}

/** Puts `block` at the head of a list. */
static void push(attn_rt_block **head, attn_rt_block *block) {
  block->previous = NULL;
  block->next = *head;
  if (*head)
    (*head)->previous = block;
  *head = block;
}

static void unlink_block(attn_rt_block **head, attn_rt_block *block) {
  if (block->previous)
    block->previous->next = block->next;
  else
    *head = block->next;
  if (block->next)
    block->next->previous = block->previous;
}

/** A block of that size that was freed, or a new one. */
static attn_rt_block *find_block(attn_rt_context *context, int64_t bytes) {
  for (attn_rt_block *block = context->idle; block; block = block->next)
    if (block->bytes == bytes) {
      unlink_block(&context->idle, block);
      context->idle_bytes -= bytes;
      return block;
    }
  const attn_rt_host *host = &context->root->host;
  attn_rt_block *block = host->allocate
                             ? host->allocate(host->user, bytes)
                             : aligned_alloc(ATTN_RT_ALIGNMENT, (size_t)bytes);
  if (block) {
    block->owner = context;
    block->bytes = bytes;
  }
  return block;
}

void *attn_rt_alloc(attn_rt_context *context, int64_t bytes) {
  if (bytes >= 0 && bytes < max_bytes) {
    const int64_t align = ATTN_RT_ALIGNMENT;
    int64_t whole = (bytes + align - 1) / align * align + align;
    attn_rt_block *block = find_block(context, whole);
    if (block) {
      push(&context->live, block);
      return (char *)block + ATTN_RT_ALIGNMENT;
    }
    attn_rt_fail_as(context, ATTN_OUT_OF_MEMORY,
                    "expected %" PRId64 " bytes of memory, but there are not",
                    bytes);
    return NULL;
  }
  attn_rt_fail_as(context, ATTN_OUT_OF_MEMORY,
                  "expected a tensor that fits into memory, but its size is "
                  "negative or beyond 2^62 bytes");
  return NULL;
}

void attn_rt_offer(attn_rt_context *context, int32_t number, void *memory,
                   int64_t bytes) {
  if (number < 0 || number >= ATTN_RT_MAX_OUTPUTS)
    return;
  for (; context->num_outputs <= number; ++context->num_outputs) {
    /* What was not offered is nobody's, an empty result's neither. */
    context->outputs[context->num_outputs].memory = NULL;
    context->outputs[context->num_outputs].bytes = -1;
  }
  context->outputs[number].memory = memory;
  context->outputs[number].bytes = bytes;
}

void *attn_rt_take_offer(attn_rt_context *context, int64_t bytes,
                         int32_t number) {
  if (number >= context->num_outputs || context->outputs[number].bytes != bytes)
    return NULL;
  // Once: a function that calls itself allocates another result.
  context->outputs[number].bytes = -1;
  return context->outputs[number].memory;
}

void *attn_rt_alloc_result(attn_rt_context *context, int64_t bytes,
                           int32_t number) {
  void *offered = attn_rt_take_offer(context, bytes, number);
  return offered ? offered : attn_rt_alloc(context, bytes);
}

/** Whether the host has offered this for a result. */
static int is_output(const attn_rt_context *context, const void *memory) {
  for (int32_t i = 0; i < context->num_outputs; ++i)
    if (context->outputs[i].memory == memory)
      return 1;
  return 0;
}

void attn_rt_free(attn_rt_context *context, void *memory) {
  if (!memory || is_output(context->root, memory))
    return;
  attn_rt_block *block = block_of(memory);
  // Somebody else's goes when his call ends.
  if (block->owner != context)
    return;
  unlink_block(&context->live, block);
  push(&context->idle, block);
  context->idle_bytes += block->bytes;
  // The oldest are least likely to be wanted again.
  attn_rt_block *last = NULL;
  int32_t number = 0;
  int64_t bytes = 0;
  for (attn_rt_block *kept = context->idle; kept; kept = kept->next) {
    bytes += kept->bytes;
    if (++number > max_idle || bytes > max_idle_bytes) {
      last = kept;
      break;
    }
  }
  while (last) {
    attn_rt_block *next = last->next;
    unlink_block(&context->idle, last);
    context->idle_bytes -= last->bytes;
    release(context, last);
    last = next;
  }
}

void *attn_rt_take(attn_rt_context *context, void *memory) {
  for (attn_rt_block *block = context->live; block; block = block->next)
    if ((char *)block + ATTN_RT_ALIGNMENT == memory) {
      unlink_block(&context->live, block);
      return block;
    }
  return NULL;
}

void attn_rt_release_blocks(attn_rt_context *context, int all) {
  while (context->live) {
    attn_rt_block *block = context->live;
    unlink_block(&context->live, block);
    release(context, block);
  }
  while (all && context->idle) {
    attn_rt_block *block = context->idle;
    unlink_block(&context->idle, block);
    context->idle_bytes -= block->bytes;
    release(context, block);
  }
}
