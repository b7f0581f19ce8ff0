//===- GPUKernel.h - What a GPU kernel is to be -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Beside the other attributes: most of the project has nothing to do with it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_GPUKERNEL_H
#define ATTN_IR_GPUKERNEL_H

#include "attn/IR/Attn.h"

#include "attn/IR/GPUKernelEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "attn/IR/GPUKernel.h.inc"

#endif // ATTN_IR_GPUKERNEL_H
