/*===- GpuDriver.h - The CUDA driver, if there is one ----------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * The part of its interface that is used here, declared anew so that nothing of
 * CUDA is needed to build. Names and numbers are those of NVIDIA's "CUDA Driver
 * API" reference.
 */
#ifndef ATTN_LIB_RUNTIME_GPUDRIVER_H
#define ATTN_LIB_RUNTIME_GPUDRIVER_H

#include "Context.h"
#include "attn/Runtime/attn_rt_gpu_code.h"

#include <stddef.h>

typedef int attn_cu_result;
typedef int attn_cu_device;
typedef unsigned long long attn_cu_address;

enum {
  ATTN_CU_SUCCESS = 0,
  ATTN_CU_OUT_OF_MEMORY = 2,
  ATTN_CU_NO_DEVICE = 100,
  ATTN_CU_INVALID_IMAGE = 200,
  ATTN_CU_NO_BINARY_FOR_GPU = 209,
  ATTN_CU_UNSUPPORTED_PTX_VERSION = 222
};
enum {
  ATTN_CU_COMPUTE_CAPABILITY_MAJOR = 75,
  ATTN_CU_COMPUTE_CAPABILITY_MINOR = 76,
  ATTN_CU_MAX_SHARED_BYTES_OF_BLOCK = 97,
  ATTN_CU_HAS_MEMORY_POOLS = 115
};
enum { ATTN_CU_MAX_DYNAMIC_SHARED_BYTES = 8 };

/** The functions: how each is called here, how the driver names it, what it
    takes. Those that only newer drivers have come last and may be null. */
#define ATTN_CU_FUNCTIONS(X)                                                   \
  X(init, "cuInit", (unsigned flags))                                          \
  X(driver_get_version, "cuDriverGetVersion", (int *version))                  \
  X(get_error_name, "cuGetErrorName",                                          \
    (attn_cu_result result, const char **name))                                \
  X(device_get_count, "cuDeviceGetCount", (int *count))                        \
  X(device_get, "cuDeviceGet", (attn_cu_device * device, int number))          \
  X(device_get_attribute, "cuDeviceGetAttribute",                              \
    (int *value, int attribute, attn_cu_device device))                        \
  X(primary_retain, "cuDevicePrimaryCtxRetain",                                \
    (void **context, attn_cu_device device))                                   \
  X(primary_release, "cuDevicePrimaryCtxRelease_v2", (attn_cu_device device))  \
  X(context_get_current, "cuCtxGetCurrent", (void **context))                  \
  X(context_get_device, "cuCtxGetDevice", (attn_cu_device * device))           \
  X(context_push, "cuCtxPushCurrent_v2", (void *context))                      \
  X(context_pop, "cuCtxPopCurrent_v2", (void **context))                       \
  X(module_load, "cuModuleLoadData", (void **module, const void *image))       \
  X(module_get_function, "cuModuleGetFunction",                                \
    (void **function, void *module, const char *name))                         \
  X(function_set_attribute, "cuFuncSetAttribute",                              \
    (void *function, int attribute, int value))                                \
  X(launch, "cuLaunchKernel",                                                  \
    (void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z,        \
     unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,    \
     void *stream, void **parameters, void **extra))                           \
  X(memory_alloc, "cuMemAlloc_v2", (attn_cu_address * address, size_t bytes))  \
  X(memory_free, "cuMemFree_v2", (attn_cu_address address))                    \
  X(copy_in, "cuMemcpyHtoDAsync_v2",                                           \
    (attn_cu_address to, const void *from, size_t bytes, void *stream))        \
  X(copy_out, "cuMemcpyDtoHAsync_v2",                                          \
    (void *to, attn_cu_address from, size_t bytes, void *stream))              \
  X(fill, "cuMemsetD8Async",                                                   \
    (attn_cu_address to, unsigned char byte, size_t bytes, void *stream))      \
  X(copy_within, "cuMemcpyDtoDAsync_v2",                                       \
    (attn_cu_address to, attn_cu_address from, size_t bytes, void *stream))    \
  X(event_create, "cuEventCreate", (void **event, unsigned flags))             \
  X(event_destroy, "cuEventDestroy_v2", (void *event))                         \
  X(event_record, "cuEventRecord", (void *event, void *stream))                \
  X(event_wait, "cuEventSynchronize", (void *event))                           \
  X(event_elapsed, "cuEventElapsedTime",                                       \
    (float *milliseconds, void *begin, void *end))                             \
  X(stream_wait, "cuStreamSynchronize", (void *stream))
#define ATTN_CU_OPTIONAL_FUNCTIONS(X)                                          \
  X(context_get_id, "cuCtxGetId", (void *context, unsigned long long *id))     \
  X(primary_get_state, "cuDevicePrimaryCtxGetState",                           \
    (attn_cu_device device, unsigned *flags, int *active))                     \
  X(memory_alloc_async, "cuMemAllocAsync",                                     \
    (attn_cu_address * address, size_t bytes, void *stream))                   \
  X(memory_free_async, "cuMemFreeAsync",                                       \
    (attn_cu_address address, void *stream))                                   \
  X(encode_tiled, "cuTensorMapEncodeTiled",                                    \
    (void *map, int type, uint32_t rank, void *base, const uint64_t *sizes,    \
     const uint64_t *strides, const uint32_t *box,                             \
     const uint32_t *element_strides, int interleave, int swizzle,             \
     int promotion, int fill))

typedef struct attn_cu_driver {
#define ATTN_CU_POINTER(name, symbol, parameters)                              \
  attn_cu_result(*name) parameters;
  ATTN_CU_FUNCTIONS(ATTN_CU_POINTER)
  ATTN_CU_OPTIONAL_FUNCTIONS(ATTN_CU_POINTER)
#undef ATTN_CU_POINTER
} attn_cu_driver;

/** The driver, looked for once in a process and initialized. Null where there
    is none, the call having failed with what was missing. */
const attn_cu_driver *attn_cu_get_driver(attn_rt_context *context);

/** Fails the call unless `result` is success: `what`, in the words of "cannot
    ...", did not work. Returns whether it did. */
int attn_cu_check(attn_rt_context *context, const attn_cu_driver *driver,
                  attn_cu_result result, const char *what);

/** Memory of the GPU that a call has. */
typedef struct attn_rt_gpu_block {
  struct attn_rt_gpu_block *next;
  attn_cu_address address;
  int64_t bytes;
  int is_free;
} attn_rt_gpu_block;

/** What a context knows of its GPU. */
struct attn_rt_gpu_state {
  /** Where calls run that say nothing else. */
  attn_rt_gpu_place place;
  /** Null until a call has begun. */
  const attn_cu_driver *driver;
  void *cuda_context, *stream;
  /** Tells contexts apart, also such as had one address one after the other
      where the driver knows that. */
  unsigned long long id;
  attn_cu_device device;
  int32_t chip, max_shared_bytes;
  /** Whether memory comes in the order of the stream. */
  int has_pools;
  /** Whether a call has begun; whether it waits; whether one has ended that
      nobody has waited for; whether the context of CUDA is the primary one,
      kept until the context goes. */
  int begun, asynchronous, is_unwaited, is_primary;
  attn_rt_gpu_block *blocks;
  /** The ends of an interval that is timed; null if none was. */
  void *marks[2];
  /** An attn_rt_gpu_error, 0 if none was asked for; where it is copied to at
      the end of a call, and whether that was looked at. */
  attn_cu_address error_word;
  attn_rt_gpu_error latest;
  int is_unread;
  const char *const *messages;
  int64_t num_messages;
  /** The first one that nobody was told of, and its text. */
  attn_rt_gpu_error error;
  const char *error_text;
};

/** What is known of the context's GPU, nothing at first. Null, the call having
    failed, if there is no memory. */
struct attn_rt_gpu_state *attn_rt_gpu_get_state(attn_rt_context *context);

/** As `attn_rt_gpu_begin`; `device` is the number of the GPU that is taken
   where no context of CUDA is named or current. */
int32_t attn_rt_gpu_begin_on(attn_rt_context *context,
                             const attn_rt_gpu_place *place, int32_t device);

/** Copies from one memory of the GPU to another, in the order of the stream. */
void attn_rt_gpu_copy_within(attn_rt_context *context, void *to,
                             const void *from, int64_t bytes);

/** Ends what began, and forgets the GPU. */
void attn_rt_gpu_destroy(attn_rt_context *context);

/** What was loaded into a CUDA context is not there any more. */
void attn_rt_gpu_forget_context(unsigned long long id);

/** The kernel of a module, loaded into the call's CUDA context if it was not
    yet. Null, the call having failed, if there is none that the GPU runs. */
void *attn_rt_gpu_get_kernel(attn_rt_context *context,
                             const attn_rt_gpu_code *code, const char *module,
                             const char *kernel, int64_t shared_bytes);

#endif /* ATTN_LIB_RUNTIME_GPUDRIVER_H */
