//===- Patterns.h - Rewrites that the dialect registers ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IR_PATTERNS_H
#define ATTN_LIB_IR_PATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace attn {
namespace detail {

/// Casts of `index` to narrower types become truncations, before upstream's
/// patterns can drop them.
void populateNarrowIndexCasts(mlir::RewritePatternSet &patterns);

} // namespace detail
} // namespace attn

#endif // ATTN_LIB_IR_PATTERNS_H
