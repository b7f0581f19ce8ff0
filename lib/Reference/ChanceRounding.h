//===- ChanceRounding.h - What rounding on the way adds up to ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Types of less than 32 bits between the ops of a function lose most of what a
// kernel may miss a result by. How much that is no op tells by itself: errors
// cancel, or not, as elements that share one meet again. So the function is
// evaluated a few times more, with each such number rounded up or down by
// chance (Vignes, Mathematics and Computers in Simulation 35, 1993), and how
// far results lie apart is what they may be missed by. A kernel that rounds to
// the nearest lies half as far, as one that does not round at all.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_CHANCEROUNDING_H
#define ATTN_LIB_REFERENCE_CHANCEROUNDING_H

#include "Tensor.h"
#include "attn/Support/Random.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace attn {
namespace reference {

class ChanceRounding {
public:
  explicit ChanceRounding(uint64_t seed) : random(seed) {}

  /// Whether numbers of a type are rounded: floats of less than 32 bits.
  static bool rounds(mlir::Type type);
  /// One of the two neighbours of `value` in `type`; `value` if it is one of
  /// its numbers, and the nearest where a neighbour is not finite.
  double round(mlir::FloatType type, double value);
  /// The same of the result of an op, if other ops compute with it. What an
  /// attention op may be missed by comes first.
  void round(mlir::Value result, RuntimeValue &value);
  /// Whether anything was between two numbers.
  bool hasRounded() const { return isRounding; }

private:
  mlir::FloatType getRoundedType(mlir::Value result) const;

  Random random;
  bool isRounding = false;
};

/// Whether a module may round anything on the way, so that it is worth a try.
bool mayRoundOnTheWay(mlir::ModuleOp module);

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_CHANCEROUNDING_H
