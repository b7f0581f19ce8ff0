/*===- Cpu.c - What this machine can execute -------------------*- C -*-===*\
|*
|* Licensed under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/

#include "Call.h"

#if defined(__x86_64__)

/** A bit for each name of ATTN_RT_X86_FEATURES that this CPU and this system
    support. */
static uint64_t get_features(void) {
  uint64_t features = 0, bit = 1;
#define ATTN_RT_TEST(name)                                                     \
  features |= __builtin_cpu_supports(name) ? bit : 0;                          \
  bit <<= 1;
  ATTN_RT_X86_FEATURES(ATTN_RT_TEST)
#undef ATTN_RT_TEST
  return features;
}

int attn_rt_has_features(uint64_t features) {
  __builtin_cpu_init();
  return (features & ~get_features()) == 0;
}

#else

/* What is compiled for another architecture asks for nothing. */
int attn_rt_has_features(uint64_t features) { return features == 0; }

#endif
