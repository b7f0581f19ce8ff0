/*===- attn_rt_gpu_code.h - What code for a GPU stands on ------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
/*
 * What compiled code with kernels for NVIDIA's GPUs stands on, and the steps of
 * a call of it. Who calls a library needs none of it.
 *
 * Between `attn_rt_gpu_begin` and `attn_rt_gpu_end` a call's work goes, in
 * order, to one stream of one CUDA context. Arrays are memory of that GPU.
 */
#ifndef ATTN_RUNTIME_ATTN_RT_GPU_CODE_H
#define ATTN_RUNTIME_ATTN_RT_GPU_CODE_H

#include "attn/Runtime/attn_rt_code.h"
#include "attn/Runtime/attn_rt_gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/*===----------------------------------------------------------------------===*\
|* Calls
\*===----------------------------------------------------------------------===*/

/** Calls `function`, which launches kernels, as `attn_rt_call` calls others:
    what every function of a library for GPUs does. */
int32_t attn_rt_gpu_call(attn_rt_context *context,
                         const attn_rt_function *function, void *const *arrays);

/*
 * The steps, for hosts that compile in process.
 */

/** Begins a call: finds driver, GPU and CUDA context, which becomes current.
    `place` may be null. Returns a status, and fails the call where there is no
    GPU (ATTN_UNSUPPORTED). */
int32_t attn_rt_gpu_begin(attn_rt_context *context,
                          const attn_rt_gpu_place *place);

/** Begins a call whose arrays have been checked, where the context's place and
    they say, and describes in `moved` what of each lies on the GPU: the array
    itself or, of one on the CPU, a copy, row by row. `pointers` is what to run
    code with: it points to them and to the scalars. */
int32_t attn_rt_gpu_move_in(attn_rt_context *context,
                            const attn_rt_function *function,
                            int32_t num_arrays, void *const *arrays,
                            attn_tensor *moved, void **pointers);

/** As `attn_rt_store`, of arrays on the GPU. */
int32_t attn_rt_gpu_store(attn_rt_context *context,
                          const attn_rt_function *function, const uint8_t *lent,
                          void *const *pointers, const int64_t *words);

/** Copies to the CPU what was moved and has been written. */
int32_t attn_rt_gpu_move_out(attn_rt_context *context,
                             const attn_rt_function *function,
                             int32_t num_arrays, void *const *arrays,
                             void *const *pointers);

/** Ends what began: waits for the stream unless that was not wanted, gives
    memory back, makes current what was. Returns the status of the call. */
int32_t attn_rt_gpu_end(attn_rt_context *context);

/** Waits for what the call has begun so far. Returns its status. */
int32_t attn_rt_gpu_finish(attn_rt_context *context);

/** The GPU of a call that has begun, as 10 times its compute capability. */
int32_t attn_rt_gpu_get_chip(const attn_rt_context *context);

/** Copies, in the order of the stream, between the host's memory and the
    GPU's. The host's is read or written by the time of the next wait. */
void attn_rt_gpu_copy_in(attn_rt_context *context, void *device,
                         const void *host, int64_t bytes);
void attn_rt_gpu_copy_out(attn_rt_context *context, void *host,
                          const void *device, int64_t bytes);

/** Marks how far the stream has come: 0 begins an interval, 1 ends it. */
void attn_rt_gpu_mark(attn_rt_context *context, int32_t which);

/** How long the GPU took from one mark to the other, for which is waited, in
    milliseconds. */
float attn_rt_gpu_get_elapsed(attn_rt_context *context);

/** Gives all memory back to later kernels of the call that it has got since
    `last` was its latest; null: all. */
void attn_rt_gpu_free_since(attn_rt_context *context, const void *last);

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

/** The same for result `number` of the function that the host calls, which may
    be memory that `attn_rt_offer` has named. */
void *attn_rt_gpu_alloc_result(attn_rt_context *context, int64_t bytes,
                               int32_t number);

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

/** Makes `map`, 16 words at a multiple of 64 bytes, the map of an array at
    `base`, for tiles whose rows are swizzled, of 128 bytes. `extents` holds,
    the innermost dimension first, for each of `rank` (1 to 5) the elements, the
    bytes from one to the next, which of the first are those of an element, and
    the elements of a tile. */
void attn_rt_gpu_map(attn_rt_context *context, int64_t *map, void *base,
                     int64_t element_bytes, int64_t rank,
                     const int64_t *extents);

/** The GPU's memory of an `attn_rt_gpu_error`, nothing raised, whose messages
    are `messages`: constants, in which {0} and {1} stand for the numbers. The
    same one for the whole call. */
void *attn_rt_gpu_get_error_word(attn_rt_context *context,
                                 const char *const *messages,
                                 int64_t num_messages);

#ifdef __cplusplus
}
#endif

#endif /* ATTN_RUNTIME_ATTN_RT_GPU_CODE_H */
