/*===- GpuModules.c - Kernels, loaded when they are first wanted -*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/

#include "GpuDriver.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A kernel of a module in a CUDA context. Modules go with their context. */
typedef struct loaded_kernel {
  struct loaded_kernel *next;
  const attn_rt_gpu_module *module;
  const char *name;
  unsigned long long id;
  void *handle, *function;
  /** What it has been allowed to have. */
  int64_t shared_bytes;
} loaded_kernel;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static loaded_kernel *loaded;

static int is_exact(const attn_rt_gpu_image *image) {
  return image->kind == ATTN_GPU_CUBIN_EXACT ||
         image->kind == ATTN_GPU_PTX_EXACT;
}

static int is_text(const attn_rt_gpu_image *image) {
  return image->kind == ATTN_GPU_PTX || image->kind == ATTN_GPU_PTX_EXACT;
}

static int can_run(const attn_rt_gpu_image *image, int32_t chip) {
  if (is_exact(image))
    return image->chip == chip;
  if (image->chip > chip)
    return 0;
  return is_text(image) || image->chip / 10 == chip / 10;
}

/** Whether `a` is to be taken before `b`: the later chip, then what is for it
    alone, then what need not be compiled. */
static int is_better(const attn_rt_gpu_image *a, const attn_rt_gpu_image *b) {
  if (a->chip != b->chip)
    return a->chip > b->chip;
  if (is_exact(a) != is_exact(b))
    return is_exact(a);
  return is_text(a) < is_text(b);
}

/** The best image that the GPU can run, of those behind `before` if that is
    given; null if there is none. */
static const attn_rt_gpu_image *choose_image(int32_t chip,
                                             const attn_rt_gpu_module *module,
                                             const attn_rt_gpu_image *before) {
  const attn_rt_gpu_image *best = NULL;
  for (int64_t i = 0; i < module->num_images; ++i) {
    const attn_rt_gpu_image *image = &module->images[i];
    if (can_run(image, chip) && (!before || is_better(before, image)) &&
        (!best || is_better(image, best)))
      best = image;
  }
  return best;
}

static const attn_rt_gpu_module *find_module(attn_rt_context *context,
                                             const attn_rt_gpu_code *code,
                                             const char *name) {
  for (int64_t i = 0; i < code->num_modules; ++i)
    if (strcmp(code->modules[i].name, name) == 0)
      return &code->modules[i];
  attn_rt_fail_as(context, ATTN_FAILED, "expected kernels '%s' in the code",
                  name);
  return NULL;
}

/** Loads a module, or finds it loaded for another kernel. */
static void *load_module(attn_rt_context *context,
                         const attn_rt_gpu_module *module) {
  const struct attn_rt_gpu_state *gpu = context->root->gpu;
  for (loaded_kernel *known = loaded; known; known = known->next)
    if (known->module == module && known->id == gpu->id)
      return known->handle;
  const attn_rt_gpu_image *image = choose_image(gpu->chip, module, NULL);
  if (!image) {
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected kernels for this GPU, which is of sm_%d, but "
                    "'%s' was compiled for others; compile it for sm_%d",
                    gpu->chip, module->name, gpu->chip);
    return NULL;
  }
  void *handle = NULL;
  attn_cu_result result = gpu->driver->module_load(&handle, image->data);
  // What a driver is too old to compile may have been compiled for less.
  while (result == ATTN_CU_UNSUPPORTED_PTX_VERSION) {
    const attn_rt_gpu_image *next = choose_image(gpu->chip, module, image);
    if (!next)
      break;
    image = next;
    result = gpu->driver->module_load(&handle, image->data);
  }
  if (result == ATTN_CU_UNSUPPORTED_PTX_VERSION)
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected a driver that knows the PTX of kernels '%s', but "
                    "it is older; update it",
                    module->name);
  else if (result == ATTN_CU_INVALID_IMAGE ||
           result == ATTN_CU_NO_BINARY_FOR_GPU)
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected kernels that this GPU runs, but its driver "
                    "refuses '%s' for sm_%d (CUDA error %d)",
                    module->name, image->chip, result);
  else if (attn_cu_check(context, gpu->driver, result, "load kernels"))
    return handle;
  return NULL;
}

/** Lets a kernel have as much shared memory as it is launched with. */
static int allow_shared_bytes(attn_rt_context *context, loaded_kernel *kernel,
                              int64_t bytes) {
  const struct attn_rt_gpu_state *gpu = context->root->gpu;
  if (bytes <= kernel->shared_bytes)
    return 1;
  if (bytes > gpu->max_shared_bytes) {
    attn_rt_fail_as(context, ATTN_UNSUPPORTED,
                    "expected a GPU with %" PRId64 " bytes of shared memory "
                    "for kernel '%s', but this one has %" PRId32,
                    bytes, kernel->name, gpu->max_shared_bytes);
    return 0;
  }
  attn_cu_result result = gpu->driver->function_set_attribute(
      kernel->function, ATTN_CU_MAX_DYNAMIC_SHARED_BYTES, (int)bytes);
  if (!attn_cu_check(context, gpu->driver, result,
                     "give a kernel its shared memory"))
    return 0;
  kernel->shared_bytes = bytes;
  return 1;
}

/** With the mutex held. */
static loaded_kernel *find_kernel(attn_rt_context *context,
                                  const attn_rt_gpu_module *module,
                                  const char *name) {
  const struct attn_rt_gpu_state *gpu = context->root->gpu;
  for (loaded_kernel *known = loaded; known; known = known->next)
    if (known->module == module && known->id == gpu->id &&
        strcmp(known->name, name) == 0)
      return known;
  void *handle = load_module(context, module), *function = NULL;
  if (!handle)
    return NULL;
  char what[160];
  snprintf(what, sizeof(what), "find kernel '%.100s'", name);
  if (!attn_cu_check(context, gpu->driver,
                     gpu->driver->module_get_function(&function, handle, name),
                     what))
    return NULL;
  loaded_kernel *kernel = calloc(1, sizeof(loaded_kernel));
  if (!kernel) {
    attn_rt_fail_as(context, ATTN_OUT_OF_MEMORY,
                    "expected memory for a kernel, but there is none");
    return NULL;
  }
  *kernel = (loaded_kernel){loaded, module, name, gpu->id, handle, function, 0};
  loaded = kernel;
  return kernel;
}

void *attn_rt_gpu_get_kernel(attn_rt_context *context,
                             const attn_rt_gpu_code *code, const char *module,
                             const char *kernel, int64_t shared_bytes) {
  const attn_rt_gpu_module *from = find_module(context, code, module);
  if (!from)
    return NULL;
  pthread_mutex_lock(&mutex);
  loaded_kernel *found = find_kernel(context, from, kernel);
  int allowed = found && allow_shared_bytes(context, found, shared_bytes);
  pthread_mutex_unlock(&mutex);
  return allowed ? found->function : NULL;
}

/** Forgets the kernels of `code`, or if that is null of a CUDA context. */
static void forget(const attn_rt_gpu_code *code, unsigned long long id) {
  pthread_mutex_lock(&mutex);
  for (loaded_kernel **link = &loaded; *link;) {
    loaded_kernel *kernel = *link;
    int is_meant = code ? kernel->module >= code->modules &&
                              kernel->module < code->modules + code->num_modules
                        : kernel->id == id;
    if (!is_meant) {
      link = &kernel->next;
      continue;
    }
    *link = kernel->next;
    free(kernel);
  }
  pthread_mutex_unlock(&mutex);
}

void attn_rt_gpu_forget(const attn_rt_gpu_code *code) { forget(code, 0); }

void attn_rt_gpu_forget_context(unsigned long long id) { forget(NULL, id); }
