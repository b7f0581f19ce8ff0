/*===- attn_rt_gpu.h - Kernels on a GPU ------------------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * What compiled code with kernels for NVIDIA's GPUs stands on, and what hosts
 * say of the GPU. The driver is looked for when a call first begins, never
 * before: a program that links this starts where there is neither driver nor
 * GPU, and is told so by the call.
 *
 * Between `attn_rt_gpu_begin` and `attn_rt_gpu_end` a call's work goes, in
 * order, to one stream of one CUDA context. Arrays are memory of that GPU.
 */
#ifndef ATTN_RUNTIME_ATTN_RT_GPU_H
#define ATTN_RUNTIME_ATTN_RT_GPU_H

#include "attn/Runtime/attn_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/*===----------------------------------------------------------------------===*\
|* What hosts call
\*===----------------------------------------------------------------------===*/

/** Where a call runs. All zero but the version: the calling thread's current
    CUDA context or, where there is none, the primary one of the first GPU; its
    default stream, which is waited for. */
typedef struct attn_rt_gpu_place {
  /** ATTN_RT_VERSION. */
  int32_t version;
  /** 1 if `end` leaves the work to the stream and does not wait. Errors that
      kernels find are then those of the next `attn_rt_gpu_wait`. */
  int32_t asynchronous;
  /** A CUcontext, or null. */
  void *cuda_context;
  /** A CUstream of that context, or null. */
  void *stream;
} attn_rt_gpu_place;

/** Begins a call: finds driver, GPU and CUDA context, which becomes current.
    `place` may be null. Returns a status, and fails the call where there is no
    GPU (ATTN_UNSUPPORTED). */
int32_t attn_rt_gpu_begin(attn_rt_context *context,
                          const attn_rt_gpu_place *place);

/** Ends what began: waits for the stream unless that was not wanted, gives
    memory back, makes current what was. Returns the status of the call. */
int32_t attn_rt_gpu_end(attn_rt_context *context);

/** Waits for the stream of asynchronous calls that have ended, and says whether
    their kernels found an error: the first since the last wait. */
int32_t attn_rt_gpu_wait(attn_rt_context *context);

/** The GPU of a call that has begun, as 10 times its compute capability. */
int32_t attn_rt_gpu_get_chip(const attn_rt_context *context);

/** Copies, in the order of the stream, between the host's memory and the
    GPU's. The host's is read or written by the time of the next wait. */
void attn_rt_gpu_copy_in(attn_rt_context *context, void *device,
                         const void *host, int64_t bytes);
void attn_rt_gpu_copy_out(attn_rt_context *context, void *host,
                          const void *device, int64_t bytes);

/*===----------------------------------------------------------------------===*\
|* What code says of its kernels
\*===----------------------------------------------------------------------===*/

/** What an image is, and which GPUs run it. */
enum {
  /** Of one chip and later ones of its generation. */
  ATTN_GPU_CUBIN = 0,
  /** Text that the driver compiles, for the chip and all later ones. */
  ATTN_GPU_PTX = 1,
  /** As above, for this chip alone: sm_90a and its like. */
  ATTN_GPU_CUBIN_EXACT = 2,
  ATTN_GPU_PTX_EXACT = 3
};

typedef struct attn_rt_gpu_image {
  int32_t kind;
  /** 80 for sm_80. */
  int32_t chip;
  /** Text ends with a zero. */
  const void *data;
  int64_t bytes;
} attn_rt_gpu_image;

/** Kernels that are loaded together. */
typedef struct attn_rt_gpu_module {
  const char *name;
  const attn_rt_gpu_image *images;
  int64_t num_images;
} attn_rt_gpu_module;

typedef struct attn_rt_gpu_code {
  /** ATTN_RT_VERSION as the code was compiled. */
  int32_t version, unused;
  const attn_rt_gpu_module *modules;
  int64_t num_modules;
} attn_rt_gpu_code;

/** `code` goes away: kernels of other code at the same address are others. What
    was loaded stays with the CUDA contexts until these go. */
void attn_rt_gpu_forget(const attn_rt_gpu_code *code);

/** What kernels say of an error that depends on data: the first one sets
    `raised` by compare and exchange, then `message`, of which the host knows
    the text, and its numbers. */
typedef struct attn_rt_gpu_error {
  int32_t raised, message;
  int64_t numbers[2];
} attn_rt_gpu_error;

/*===----------------------------------------------------------------------===*\
|* What code calls
\*===----------------------------------------------------------------------===*/

/** Memory of the GPU until the call ends, aligned to 256 bytes. Null, the call
    having failed, if there is none; null, too, for no bytes. */
void *attn_rt_gpu_alloc(attn_rt_context *context, int64_t bytes);

/** Gives memory back to later kernels of the call. */
void attn_rt_gpu_free(attn_rt_context *context, void *memory);

/** Launches a kernel of `code`, an `attn_rt_gpu_code`. A parameter is a word of
    eight bytes, of which a kernel reads as many as its type has. `arrays` holds
    address and bytes of what the kernel may access; nothing is done with it
    here. An empty grid launches nothing. */
void attn_rt_gpu_launch(attn_rt_context *context, const void *code,
                        const char *module, const char *kernel, int64_t grid_x,
                        int64_t grid_y, int64_t grid_z, int64_t block_x,
                        int64_t block_y, int64_t block_z, int64_t shared_bytes,
                        int64_t *parameters, int64_t num_parameters,
                        const int64_t *arrays, int64_t num_arrays);

/** The GPU's memory of an `attn_rt_gpu_error`, nothing raised, whose messages
    are `messages`: constants, in which {0} and {1} stand for the numbers. The
    same one for the whole call. */
void *attn_rt_gpu_get_error_word(attn_rt_context *context,
                                 const char *const *messages,
                                 int64_t num_messages);

#ifdef __cplusplus
}
#endif

#endif /* ATTN_RUNTIME_ATTN_RT_GPU_H */
