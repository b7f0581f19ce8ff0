//===- PresentGPU.cpp - The GPU of this machine -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelImpl.h"

namespace attn {

llvm::Expected<GPUTarget> findPresentGPU() {
  ContextPtr context(attn_rt_create(nullptr));
  if (!context)
    return llvm::createStringError("there is no memory for a call");
  int32_t number = 0;
  if (attn_rt_gpu_begin(context.get(), nullptr) == ATTN_OK) {
    number = attn_rt_gpu_get_chip(context.get());
    attn_rt_gpu_end(context.get());
  }
  if (const char *error = attn_rt_get_error(context.get()))
    return llvm::createStringError(error);
  std::optional<GPUTarget> target = GPUTarget::ofNumber(number);
  if (!target)
    return llvm::createStringError("expected a GPU of " + getDefaultChip() +
                                   " or later, but this one is of sm_" +
                                   llvm::Twine(number));
  return *target;
}

} // namespace attn
