//===- AllAttributes.td - The attributes to register -------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ALLATTRIBUTES_TD
#define ATTN_IR_ALLATTRIBUTES_TD

include "attn/IR/AttnAttributes.td"
include "attn/IR/GPUKernel.td"

#endif // ATTN_IR_ALLATTRIBUTES_TD
