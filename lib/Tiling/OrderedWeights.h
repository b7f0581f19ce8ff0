//===- OrderedWeights.h - Weights in key order ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TILING_ORDEREDWEIGHTS_H
#define ATTN_LIB_TILING_ORDEREDWEIGHTS_H

#include "attn/IR/Attn.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Replaces an op whose weighting is of kind *ordered* by one that is weighted
/// by the mass alone. The weighting operands that are not the mass's are inputs
/// behind the others. Returns it.
GenericOp takeMass(mlir::RewriterBase &rewriter, GenericOp op);

/// Makes the region `element` of a replay, whose weights are masses, yield the
/// weights of `weighting`: to all targets but the last, the row state of the
/// mass before a key. The region is empty, or a weight region: it maps (weight,
/// inputs). The last inputs are the weighting operands that the mass lacks.
void orderElements(mlir::OpBuilder &builder, ReplayOp replay,
                   OrderedWeightingAttrInterface weighting);

} // namespace attn

#endif // ATTN_LIB_TILING_ORDEREDWEIGHTS_H
