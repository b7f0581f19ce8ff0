//===- LaneValue.h - Values along the lanes of a tile -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_COMMON_LANEVALUE_H
#define ATTN_CODEGEN_COMMON_LANEVALUE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attn {

/// A value for all lanes (pairs that are computed at once) of a tile.
///
/// Four forms, from cheap to dear: *uniform*, one scalar for all lanes;
/// *affine*, an integer `scalar + stride * lane`; *near*, an integer `scalar +
/// offsets`, where the offsets are 32-bit lanes of magnitude `reach` at most;
/// *vector*, anything else. The affine form is what makes positions cheap:
/// comparing two of them is one scalar subtraction and one comparison of 32-bit
/// lanes, and reading a table at one of stride 1 is a contiguous load instead
/// of a gather. Clamped positions are near: what gathers they need are 32-bit
/// ones. So are the positions of lanes that are no range of rows, as those of
/// several dimensions folded into one.
///
/// Affine and near forms hold modulo 2^width: the scalar, the value of a lane
/// that the source may not ask for, may wrap where no lane does.
struct LaneValue {
  mlir::Value scalar;
  int64_t stride = 0;
  mlir::Value vector;
  mlir::Value offsets;
  int64_t reach = 0;
  /// Whether lanes may have wrapped around: arithmetic on `index` does not.
  bool mayWrap = false;
  /// Whether the value depends on what `LanePredicate::mayBeEmpty` speaks of:
  /// the key row at hand.
  bool variesByKey = false;

  static LaneValue uniform(mlir::Value scalar) { return affine(scalar, 0); }
  static LaneValue affine(mlir::Value base, int64_t stride) {
    LaneValue value;
    value.scalar = base;
    value.stride = stride;
    return value;
  }
  static LaneValue near(mlir::Value base, mlir::Value offsets, int64_t reach) {
    LaneValue value;
    value.scalar = base;
    value.offsets = offsets;
    value.reach = reach;
    return value;
  }
  static LaneValue lanes(mlir::Value vector) {
    LaneValue value;
    value.vector = vector;
    return value;
  }

  bool isUniform() const { return isAffine() && stride == 0; }
  bool isAffine() const { return !vector && !offsets; }
};

/// Whether no value differs by lane.
bool allUniform(llvm::ArrayRef<LaneValue> values);

/// Builds values of `numLanes` lanes at the insertion point of a builder.
class LaneBuilder {
public:
  LaneBuilder(mlir::OpBuilder &builder, mlir::Location loc, int64_t numLanes)
      : b(builder), loc(loc), numLanes(numLanes) {}

  /// The vector of all lanes.
  mlir::Value toVector(LaneValue value);
  mlir::Value broadcast(mlir::Value scalar);
  mlir::VectorType vectorType(mlir::Type element) const {
    return mlir::VectorType::get({numLanes}, element);
  }
  /// An affine or near value in the near form, if its lanes are near enough.
  std::optional<LaneValue> toNear(LaneValue value);
  /// The 32-bit lanes 0, stride, 2 stride, ...
  mlir::Value createSteps(int64_t stride);

  mlir::OpBuilder &b;
  mlir::Location loc;
  const int64_t numLanes;
};

} // namespace attn

#endif // ATTN_CODEGEN_COMMON_LANEVALUE_H
