/*===- GpuDriver.c - The CUDA driver, if there is one ----------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/

#include "GpuDriver.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char library_name[] = "libcuda.so.1";
/** The oldest driver whose functions are all there: that of CUDA 11.0, the
    first to know sm_80. */
static const int least_version = 11000;

static attn_cu_driver driver;
/** Why there is none; empty if there is one. */
static char missing[256];

static void *find(void *library, const char *symbol) {
  void *found = dlsym(library, symbol);
  if (!found && !missing[0])
    snprintf(missing, sizeof(missing),
             "expected a driver of CUDA 11.0 or later, but %s has no %s; "
             "update it",
             library_name, symbol);
  return found;
}

static void load_driver(void) {
  void *library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(missing, sizeof(missing),
             "expected a GPU of NVIDIA's and its driver, but there is no %s",
             library_name);
    return;
  }
  /* Through memory, as C has no conversion from an object to a function. */
#define LOAD(name, symbol, parameters)                                         \
  {                                                                            \
    void *found = find(library, symbol);                                       \
    memcpy(&driver.name, &found, sizeof(found));                               \
  }
  ATTN_CU_FUNCTIONS(LOAD)
#undef LOAD
  if (missing[0])
    return;
#define LOAD(name, symbol, parameters)                                         \
  {                                                                            \
    void *found = dlsym(library, symbol);                                      \
    memcpy(&driver.name, &found, sizeof(found));                               \
  }
  ATTN_CU_OPTIONAL_FUNCTIONS(LOAD)
#undef LOAD
  attn_cu_result result = driver.init(0);
  int version = 0;
  if (result == ATTN_CU_SUCCESS)
    result = driver.driver_get_version(&version);
  if (result == ATTN_CU_NO_DEVICE)
    snprintf(missing, sizeof(missing),
             "expected a GPU of NVIDIA's, but the driver sees none");
  else if (result != ATTN_CU_SUCCESS)
    snprintf(missing, sizeof(missing),
             "expected a GPU of NVIDIA's, but its driver cannot start (CUDA "
             "error %d)",
             result);
  else if (version < least_version)
    snprintf(missing, sizeof(missing),
             "expected a driver of CUDA 11.0 or later, but it is of %d.%d; "
             "update it",
             version / 1000, version % 1000 / 10);
}

const attn_cu_driver *attn_cu_get_driver(attn_rt_context *context) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load_driver);
  if (!missing[0])
    return &driver;
  attn_rt_fail_as(context, ATTN_UNSUPPORTED, "%s", missing);
  return NULL;
}

int attn_cu_check(attn_rt_context *context, const attn_cu_driver *driver,
                  attn_cu_result result, const char *what) {
  if (result == ATTN_CU_SUCCESS)
    return 1;
  const char *name = NULL;
  if (driver->get_error_name(result, &name) != ATTN_CU_SUCCESS || !name)
    name = "unknown";
  attn_rt_fail_as(context,
                  result == ATTN_CU_OUT_OF_MEMORY ? ATTN_OUT_OF_MEMORY
                                                  : ATTN_FAILED,
                  "cannot %s: %s (CUDA error %d)", what, name, result);
  return 0;
}
