//===- Expansion.h - Named ops as the core op -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXPANSION_EXPANSION_H
#define ATTN_EXPANSION_EXPANSION_H

#include "attn/IR/Attn.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Expands an `attn.sdpa` into an equivalent `attn.generic` (and reshapes
/// around it, for grouped heads) and replaces it.
mlir::FailureOr<GenericOp> generalizeSdpa(mlir::RewriterBase &rewriter,
                                          SdpaOp op);

} // namespace attn

#endif // ATTN_EXPANSION_EXPANSION_H
