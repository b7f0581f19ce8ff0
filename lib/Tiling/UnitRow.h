//===- UnitRow.h - A query row where there is none --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TILING_UNITROW_H
#define ATTN_LIB_TILING_UNITROW_H

#include "attn/IR/Attn.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Replaces an op without query row dimensions (pooling by a learned query) by
/// one with a query row dimension of extent 1, its last, between reshapes of
/// query and inits. Returns it.
GenericOp addUnitRow(mlir::RewriterBase &rewriter, GenericOp op);

} // namespace attn

#endif // ATTN_LIB_TILING_UNITROW_H
