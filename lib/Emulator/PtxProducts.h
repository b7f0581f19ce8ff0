//===- PtxProducts.h - Registers of asynchronous products -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_PTXPRODUCTS_H
#define ATTN_LIB_EMULATOR_PTXPRODUCTS_H

#include "PtxProgram.h"

namespace attn {

/// Whether the registers of products of warpgroups, sums and left factors, are
/// left alone until a wait for their group, and written before a fence only.
/// The threads do the same, so that ways through the program are looked at, not
/// threads. An error names a line.
llvm::Error checkPtxProducts(const PtxProgram &program);

} // namespace attn

#endif // ATTN_LIB_EMULATOR_PTXPRODUCTS_H
