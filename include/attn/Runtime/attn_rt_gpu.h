/*===- attn_rt_gpu.h - Where calls on a GPU run ----------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * What hosts say of the GPU to functions that run on one. The driver of CUDA is
 * looked for when such a function is first called, never before: a program that
 * links one starts where there is neither driver nor GPU, and is told so by the
 * call.
 */
#ifndef ATTN_RUNTIME_ATTN_RT_GPU_H
#define ATTN_RUNTIME_ATTN_RT_GPU_H

#include "attn/Runtime/attn_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The `device_type` of arrays in the memory of NVIDIA's GPUs, of such as CPU
    and GPU see both, and of memory of the CPU that CUDA gave. The arrays of a
    call lie all on one GPU, or all on the CPU: then they are copied. */
enum { ATTN_CUDA = 2, ATTN_CUDA_MANAGED = 13, ATTN_CUDA_HOST = 3 };

/** Where a call runs. All zero but the version: the calling thread's current
    CUDA context or, where there is none, the primary one of the GPU on which
    the arrays lie; its default stream, which is waited for. */
typedef struct attn_rt_gpu_place {
  /** ATTN_RT_VERSION. */
  int32_t version;
  /** 1 if a call leaves the work to the stream and does not wait. Errors that
      kernels find are then those of the next `attn_rt_gpu_wait`. Calls with
      arrays on the CPU wait nevertheless. */
  int32_t asynchronous;
  /** A CUcontext, or null. */
  void *cuda_context;
  /** A CUstream of that context, or null. */
  void *stream;
} attn_rt_gpu_place;

/** Where the next calls with `context` run; null stands for the default. A
    status: the place may be of another version, or a call be going on. */
int32_t attn_rt_gpu_set_place(attn_rt_context *context,
                              const attn_rt_gpu_place *place);

/** Waits for the stream of asynchronous calls that have ended, and says whether
    their kernels found an error: the first since the last wait. */
int32_t attn_rt_gpu_wait(attn_rt_context *context);

#ifdef __cplusplus
}
#endif

#endif /* ATTN_RUNTIME_ATTN_RT_GPU_H */
