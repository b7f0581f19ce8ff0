//===- ContractOp.h - A tile of a contraction -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_CONTRACTOP_H
#define ATTN_IR_CONTRACTOP_H

#include "attn/IR/Attn.h"

#define GET_OP_CLASSES
#include "attn/IR/ContractOp.h.inc"

#endif // ATTN_IR_CONTRACTOP_H
