//===- LaneValue.cpp - Values along the lanes of a tile ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Common/LaneValue.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"

using namespace mlir;

namespace attn {

bool allUniform(ArrayRef<LaneValue> values) {
  return llvm::all_of(values,
                      [](const LaneValue &value) { return value.isUniform(); });
}

Value LaneBuilder::broadcast(Value scalar) {
  return b.createOrFold<vector::BroadcastOp>(loc, vectorType(scalar.getType()),
                                             scalar);
}

Value LaneBuilder::toVector(LaneValue value) {
  if (value.vector)
    return value.vector;
  Value base = broadcast(value.scalar);
  if (value.offsets) {
    Value wide = arith::IndexCastOp::create(
        b, loc, vectorType(b.getIndexType()), value.offsets);
    return arith::AddIOp::create(b, loc, base, wide);
  }
  if (value.stride == 0)
    return base;
  Type element = value.scalar.getType();
  VectorType type = vectorType(element);
  // Narrow lanes wrap as the arithmetic that the strides stand for does.
  unsigned width = ConstantIntRanges::getStorageBitwidth(element);
  SmallVector<Attribute> steps;
  for (int64_t lane = 0; lane < numLanes; ++lane)
    steps.push_back(b.getIntegerAttr(
        element, llvm::APInt(64, lane * value.stride, /*isSigned=*/true)
                     .trunc(width)));
  Value iota =
      arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, steps));
  return arith::AddIOp::create(b, loc, base, iota);
}

Value LaneBuilder::createSteps(int64_t stride) {
  SmallVector<int32_t> steps;
  for (int64_t lane = 0; lane < numLanes; ++lane)
    steps.push_back(static_cast<int32_t>(lane * stride));
  return arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(vectorType(b.getI32Type()),
                             ArrayRef<int32_t>(steps)));
}

std::optional<LaneValue> LaneBuilder::toNear(LaneValue value) {
  if (value.vector)
    return std::nullopt;
  if (value.offsets)
    return value;
  int64_t reach = std::abs(value.stride) * numLanes;
  if (reach >= int64_t(1) << 30)
    return std::nullopt;
  LaneValue near =
      LaneValue::near(value.scalar, createSteps(value.stride), reach);
  near.mayWrap = value.mayWrap;
  near.variesByKey = value.variesByKey;
  return near;
}

} // namespace attn
