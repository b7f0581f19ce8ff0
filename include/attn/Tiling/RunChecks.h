//===- RunChecks.h - What only a run can check ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TILING_RUNCHECKS_H
#define ATTN_TILING_RUNCHECKS_H

#include "attn/IR/Attn.h"

namespace attn {

/// What an error of a run says of `op`: `file:line:column: 'dialect.name' op
/// what`.
std::string describe(mlir::Operation *op, llvm::StringRef what);

/// Of what is checked of starts: how many there are, and what they hold.
enum class StartsCheck { all, extents, values };

/// Checks, at the insertion point, that the starts of `op` ascend from 0 to the
/// number of packed rows, and that extents fit the requests and their lengths.
/// Returns the number of checks.
unsigned addStartsChecks(mlir::OpBuilder &builder, RaggedOpInterface op,
                         StartsCheck which = StartsCheck::all);

} // namespace attn

#endif // ATTN_TILING_RUNCHECKS_H
