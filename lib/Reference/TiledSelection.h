//===- TiledSelection.h - Tiled ops that select keys ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_TILEDSELECTION_H
#define ATTN_LIB_REFERENCE_TILEDSELECTION_H

#include "Interpreter.h"
#include "WeightBounds.h"
#include "attn/IR/Attn.h"

namespace attn {
namespace reference {

/// A statistic as its map has it, of one place; it has no elements to be read.
RuntimeValue viewPlace(const Tensor &statistic, unsigned numLeading);

/// The keys that one row keeps, and their weights.
struct SelectedKeys {
  std::vector<int64_t> keys;
  std::vector<double> weights;
  double logSumExp = 0;
  WeightBounds bounds;

  /// `row` is where the row lies in the first place of `scores` and `indices`.
  Error compute(SelectWeightingAttrInterface weighting, const Tensor &scores,
                const Tensor &indices, int64_t row, ArrayRef<double> operands,
                double numKeys, const Rounding &rounding);
};

/// The tiled ops whose weighting is of kind *select*.
Expected<RuntimeValues> evaluateSelectingStep(OnlineOp op,
                                              const Environment &env,
                                              Interpreter &interpreter);
Expected<RuntimeValues> evaluateSelectingMerge(MergeOp op,
                                               const Environment &env);
Expected<RuntimeValues> evaluateSelectingFinish(FinishOp op,
                                                const Environment &env);

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_TILEDSELECTION_H
