//===- LaneValue.h - Values along the lanes of a tile -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_LANEVALUE_H
#define ATTN_LIB_CODEGEN_CPU_LANEVALUE_H

#include "attn/IR/Attn.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attn {

/// A value of a region, evaluated for all lanes (query rows) of a tile at once.
///
/// Four forms, from cheap to dear: *uniform*, one scalar for all lanes;
/// *affine*, an integer `scalar + stride * lane`; *near*, an integer `scalar +
/// offsets`, where the offsets are 32-bit lanes of magnitude `reach` at most;
/// *vector*, anything else. The affine form is what makes positions cheap:
/// comparing two of them is one scalar subtraction and one comparison of 32-bit
/// lanes, and reading a table at one of stride 1 is a contiguous load instead
/// of a gather. Clamped positions are near: what gathers they need are 32-bit
/// ones.
struct LaneValue {
  mlir::Value scalar;
  int64_t stride = 0;
  mlir::Value vector;
  mlir::Value offsets;
  int64_t reach = 0;
  /// Whether the value depends on the key row at hand.
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

/// Evaluates regions of attention ops over `numLanes` lanes.
class LaneEmitter {
public:
  LaneEmitter(mlir::OpBuilder &builder, mlir::Location loc, int64_t numLanes)
      : b(builder), loc(loc), numLanes(numLanes) {}

  /// The vector of all lanes.
  mlir::Value toVector(LaneValue value);
  mlir::Value broadcast(mlir::Value scalar);
  mlir::VectorType vectorType(mlir::Type element) const {
    return mlir::VectorType::get({numLanes}, element);
  }

  /// Inlines `region` for one key row and returns what it yields. `arguments`
  /// are the values of the block arguments, `keyRow` that of `attn.index 1`;
  /// `attn.index 0` is the lane. Reads are done in the lanes that `predicate`
  /// (a vector of i1) allows; if it is null, in all. `mayHideRow` tells that
  /// the predicate may allow no lane at all for this key row; for some key row
  /// of the tile it does, and else the first lane is allowed.
  LaneValue inlineRegion(mlir::Region &region,
                         llvm::ArrayRef<LaneValue> arguments,
                         mlir::Value keyRow, mlir::Value predicate,
                         bool mayHideRow);

private:
  /// The results of one op.
  llvm::SmallVector<LaneValue> emit(mlir::Operation &op,
                                    llvm::ArrayRef<LaneValue> operands,
                                    mlir::Value predicate, bool mayHideRow);
  /// The affine form of an integer op, if it has one.
  std::optional<LaneValue> emitAffine(mlir::Operation &op,
                                      llvm::ArrayRef<LaneValue> operands);
  /// The near form of an addition, a minimum or a maximum of positions, if one
  /// operand is uniform.
  std::optional<LaneValue> emitNear(mlir::Operation &op,
                                    llvm::ArrayRef<LaneValue> operands);
  /// An affine or near value in the near form, if its lanes are near enough.
  std::optional<LaneValue> toNear(LaneValue value);
  /// The 32-bit lanes 0, stride, 2 stride, ...
  mlir::Value createSteps(int64_t stride);
  /// A comparison of two affine values in 32-bit lanes.
  mlir::Value emitCompare(mlir::arith::CmpIOp op, LaneValue lhs, LaneValue rhs);
  LaneValue emitLoad(mlir::memref::LoadOp op, llvm::ArrayRef<LaneValue> indices,
                     mlir::Value predicate, bool mayHideRow);

  mlir::OpBuilder &b;
  mlir::Location loc;
  int64_t numLanes;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_LANEVALUE_H
