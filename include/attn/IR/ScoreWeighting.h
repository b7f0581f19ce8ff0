//===- ScoreWeighting.h - Scores that are weights ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_SCOREWEIGHTING_H
#define ATTN_IR_SCOREWEIGHTING_H

#include "attn/IR/Attn.h"

namespace attn {

/// The weighting whose weights are the scores, for steps that compute weights
/// by their score region.
WeightingAttrInterface getScoreWeighting(mlir::MLIRContext *context);

} // namespace attn

#endif // ATTN_IR_SCOREWEIGHTING_H
