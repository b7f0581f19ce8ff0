//===- DimensionClasses.h - What the dimensions mean ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_DIMENSIONCLASSES_H
#define ATTN_IR_DIMENSIONCLASSES_H

#include "mlir/IR/AffineMap.h"
#include "mlir/Support/LLVM.h"

namespace attn {

enum class DimensionClass { Batch, QueryRow, KeyRow, Feature, Channel };

/// The iteration dimensions of an attention op by class, each list ascending.
/// The class of a dimension follows from the maps it occurs in, so transposed
/// operands, grouped heads and packed layouts need no words of their own.
struct DimensionClasses {
  llvm::SmallVector<unsigned> batch, queryRows, keyRows, features, channels;
  /// The class of each dimension.
  llvm::SmallVector<DimensionClass> classes;

  /// Infers the classes from the maps of query, key, value and output, which
  /// are projected permutations over the same dimensions. A dimension that
  /// fits no class is returned in `unclassified`.
  static mlir::FailureOr<DimensionClasses>
  infer(mlir::AffineMap query, mlir::AffineMap key, mlir::AffineMap value,
        mlir::AffineMap output, unsigned *unclassified = nullptr);
};

} // namespace attn

#endif // ATTN_IR_DIMENSIONCLASSES_H
