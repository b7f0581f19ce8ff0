/*===- attn_rt.h - What hosts call compiled code with ----------*- C -*-===*\
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
#define ATTN_RT_VERSION 2

/** ATTN_RT_VERSION of the runtime that is linked. Code of another version is
    refused by every call. */
int32_t attn_abi_version(void);

/** What memory is aligned to, in bytes. */
#define ATTN_RT_ALIGNMENT 64

/** The state of a call. */
typedef struct attn_rt_context attn_rt_context;

/** What a call of a library's function returns; `attn_rt_get_error` says more.
    After anything but ATTN_OK the results hold anything. */
enum {
  ATTN_OK = 0,
  /** An argument or a result is not what the function takes: nothing ran. */
  ATTN_INVALID_ARGUMENT = 1,
  /** A check failed that only the run could make. */
  ATTN_FAILED = 2,
  ATTN_OUT_OF_MEMORY = 3,
  /** This machine can execute nothing that the function was compiled for, or
      the runtime is of another version: nothing ran. */
  ATTN_UNSUPPORTED = 4,
  /** The context serves another call: nothing ran. */
  ATTN_BUSY = 5
};

/** What the host provides. All zero but the version: memory of the C library,
    and threads of the OpenMP runtime if this was built with it. */
typedef struct attn_rt_host {
  /** ATTN_RT_VERSION. */
  int32_t version;
  /** How many threads a parallel loop takes: 0 as many as OpenMP would, without
      it one; 1 none but the caller's. Results do not depend on it. */
  int32_t threads;
  /** What the functions below are given. */
  void *user;
  /** Calls `work(task)` at most `workers` times, at once or not, at least once,
      and returns when all have returned. Each call works until nothing is left.
      Null: OpenMP or, without it, none but the caller's thread. */
  void (*parallel)(void *user, int32_t workers, void (*work)(void *task),
                   void *task);
  /** Memory of `bytes` (a multiple of the alignment), aligned to
      ATTN_RT_ALIGNMENT, or null. Both or none. Called by any worker. */
  void *(*allocate)(void *user, int64_t bytes);
  void (*release)(void *user, void *memory, int64_t bytes);
  /** Of a function that was compiled for several CPUs the one whose code runs,
      by the name it was given; it stays as long as the context. Null: the last
      that this machine can execute. */
  const char *cpu;
} attn_rt_host;

/*===----------------------------------------------------------------------===*\
|* Tensors
\*===----------------------------------------------------------------------===*/
/*
 * They are laid out as DLPack has them. Where its header comes first, they are
 * its types.
 */

#ifdef DLPACK_DLPACK_H_
typedef DLDataType attn_dtype;
typedef DLDevice attn_device;
typedef DLTensor attn_tensor;
typedef DLManagedTensor attn_managed_tensor;
#else

/** An element type: ATTN_FLOAT of 32 bits is f32. `lanes` is 1. An i1 is an
    ATTN_BOOL of 8 bits, 0 or 1; an index is an ATTN_INT of 64. */
typedef struct attn_dtype {
  uint8_t code, bits;
  uint16_t lanes;
} attn_dtype;

/** Where memory lies: {ATTN_CPU, 0}. */
typedef struct attn_device {
  int32_t device_type, device_id;
} attn_device;

/** An array that is borrowed for a call. */
typedef struct attn_tensor {
  void *data;
  attn_device device;
  int32_t ndim;
  attn_dtype dtype;
  /** `ndim` extents; as many strides, in elements. Strides may be null: then
      the elements lie row by row. */
  int64_t *shape, *strides;
  /** From `data` to the element at position 0 in every dimension. */
  uint64_t byte_offset;
} attn_tensor;

/** A tensor with its owner. Functions take its first member, and neither keep
    nor free it. */
typedef struct attn_managed_tensor {
  attn_tensor dl_tensor;
  void *manager_ctx;
  void (*deleter)(struct attn_managed_tensor *self);
} attn_managed_tensor;

#endif

/** The `code` of element types, and the `device_type` of CPUs. */
enum { ATTN_INT = 0, ATTN_FLOAT = 2, ATTN_BFLOAT = 4, ATTN_BOOL = 6 };
enum { ATTN_CPU = 1 };

/** The most dimensions that a tensor may have. */
#define ATTN_MAX_RANK 64

/*===----------------------------------------------------------------------===*\
|* Contexts
\*===----------------------------------------------------------------------===*/

/** A context with a copy of `host`; null stands for the default. Null if there
    is no memory, or if `host` is of another version. */
attn_rt_context *attn_rt_create(const attn_rt_host *host);

/** Frees the context and what it still holds. */
void attn_rt_destroy(attn_rt_context *context);

/** How many threads the parallel loops of the next calls take, as in
    `attn_rt_host`. */
void attn_rt_set_threads(attn_rt_context *context, int32_t threads);

/** The line that says why the last call failed, or null; it stays until the
    next one begins. */
const char *attn_rt_get_error(const attn_rt_context *context);

#ifdef __cplusplus
}
#endif

#endif /* ATTN_RUNTIME_ATTN_RT_H */
