//===- ExtentRelations.h - Which extents an op wants equal ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_ANALYSIS_EXTENTRELATIONS_H
#define ATTN_ANALYSIS_EXTENTRELATIONS_H

#include "attn/IR/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace attn {

/// An extent, followed back through what has it by construction: casts, inits
/// of results, sizes of empty tensors and of slices, elementwise arithmetic.
struct TracedExtent {
  static TracedExtent of(mlir::Value shaped, int64_t dim);

  /// Where it is known to the types.
  std::optional<int64_t> number;
  /// An SSA value that is the extent, or else dimension `dim` of `source`,
  /// unless it is a number alone.
  mlir::Value size, source;
  int64_t dim = 0;

  /// Whether both are one extent whatever the sizes at run time.
  bool operator==(const TracedExtent &other) const;
  /// Whether it is an extent of an argument of `function`.
  bool isOfArgument(mlir::func::FuncOp function) const;
};

/// What an op relies on, followed back to where its extents come from.
struct ExtentRelation : OperandRelation {
  mlir::Operation *op;
  TracedExtent left, right;

  /// Whether it can be checked before the function is called: the extents are
  /// those of arguments, and the op is in the first block, so always reached.
  bool isCheckedAtCall(mlir::func::FuncOp function) const;
};

/// The relations of all ops of a function that say what they rely on, in the
/// order of the ops.
std::vector<ExtentRelation> getExtentRelations(mlir::func::FuncOp function);

} // namespace attn

#endif // ATTN_ANALYSIS_EXTENTRELATIONS_H
