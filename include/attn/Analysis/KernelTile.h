//===- KernelTile.h - Whether an op has the kernel's layout -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_ANALYSIS_KERNELTILE_H
#define ATTN_ANALYSIS_KERNELTILE_H

#include "attn/IR/Attn.h"

#include <string>

namespace attn {

/// Why an `attn.online` or `attn.finish` is no tile of the kernel; empty if it
/// is one. A tile has a static number of query rows, innermost and contiguous
/// wherever they occur, and what is added up in the accumulation type. Of a
/// tensor, whose layout is to come, that is as far as its definition tells.
std::string getTileMisfit(OnlineOp op);
std::string getTileMisfit(FinishOp op);

/// Whether `op` is an `attn.online` or `attn.finish` and a tile of the kernel.
bool isKernelTile(mlir::Operation *op);

} // namespace attn

#endif // ATTN_ANALYSIS_KERNELTILE_H
