//===- WeightingAlgebra.h - Statistics of a weighting, run ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_WEIGHTINGALGEBRA_H
#define ATTN_LIB_REFERENCE_WEIGHTINGALGEBRA_H

#include "ScalarProgram.h"
#include "attn/IR/Attn.h"

#include <deque>

namespace attn {
namespace reference {

/// The methods of a weighting that build IR, as functions on doubles: what they
/// build is kept and interpreted. Used by the tiled ops only; `attn.generic`
/// goes by `evaluate`.
class WeightingAlgebra {
public:
  static Expected<WeightingAlgebra> create(mlir::Operation *op,
                                           WeightingAttrInterface weighting);

  /// The statistics of the score phase come first.
  SmallVector<Statistic> statistics;
  unsigned numScoreStatistics = 0;

  double combine(unsigned index, double lhs, double rhs) {
    return run(combines[index], {lhs, rhs});
  }
  double weight(double score, ArrayRef<double> scoreStatistics,
                ArrayRef<double> operands) {
    return run(weights, {score}, scoreStatistics, operands);
  }
  double rescale(ArrayRef<double> from, ArrayRef<double> to) {
    return run(rescales, {}, from, to);
  }
  SmallVector<double> finish(ArrayRef<double> values,
                             ArrayRef<double> operands, double numKeys) {
    return runAll(finishes, {numKeys}, values, operands);
  }
  double logSumExp(ArrayRef<double> values, ArrayRef<double> operands) {
    return run(logSumExps, {}, values, operands);
  }

private:
  /// A program and the IR it was decoded from; none if that yields nothing.
  struct Function {
    std::unique_ptr<mlir::Block> body;
    std::optional<ScalarProgram> program;
  };
  using Build = llvm::function_ref<SmallVector<mlir::Value>(mlir::OpBuilder &,
                                                            mlir::ValueRange)>;
  Error build(mlir::Operation *op, Function &function, unsigned numArguments,
              Build build);
  /// The results, or one, which is 1 where there is none.
  SmallVector<double> runAll(Function &function, ArrayRef<double> first,
                             ArrayRef<double> second = {},
                             ArrayRef<double> third = {});
  double run(Function &function, ArrayRef<double> first,
             ArrayRef<double> second = {}, ArrayRef<double> third = {}) {
    SmallVector<double> results = runAll(function, first, second, third);
    return results.empty() ? 1.0 : results.front();
  }

  std::deque<Function> combines;
  Function weights, rescales, finishes, logSumExps;
};

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_WEIGHTINGALGEBRA_H
