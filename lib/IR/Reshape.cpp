//===- Reshape.cpp - Reshapes of tensors and memrefs ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Reshape.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

Value castShaped(OpBuilder &builder, Location loc, Value value, Type type) {
  if (value.getType() == type)
    return value;
  if (isa<TensorType>(type))
    return tensor::CastOp::create(builder, loc, type, value);
  return memref::CastOp::create(builder, loc, type, value);
}

/// A static extent, or the dynamic one.
static int64_t getExtent(OpFoldResult size) {
  return getConstantIntValue(size).value_or(ShapedType::kDynamic);
}

Value expandDimension(OpBuilder &builder, Location loc, Value value,
                      unsigned position, OpFoldResult outer,
                      OpFoldResult inner) {
  auto type = cast<ShapedType>(value.getType());
  bool isTensor = isa<TensorType>(type);

  // The extent is static if and only if both parts are.
  bool isStatic = !ShapedType::isDynamic(getExtent(outer)) &&
                  !ShapedType::isDynamic(getExtent(inner));
  SmallVector<int64_t> shape(type.getShape());
  shape[position] =
      isStatic ? getExtent(outer) * getExtent(inner) : ShapedType::kDynamic;
  type = type.clone(shape);
  value = castShaped(builder, loc, value, type);

  SmallVector<OpFoldResult> sizes =
      isTensor ? tensor::getMixedSizes(builder, loc, value)
               : memref::getMixedSizes(builder, loc, value);
  sizes[position] = outer;
  sizes.insert(sizes.begin() + position + 1, inner);
  SmallVector<ReassociationIndices> reassociation;
  for (int64_t i = 0, e = type.getRank(); i < e; ++i) {
    int64_t first = i > position ? i + 1 : i;
    reassociation.push_back({first});
    if (i == position)
      reassociation.back().push_back(first + 1);
  }
  SmallVector<int64_t> expanded = llvm::map_to_vector(sizes, getExtent);
  if (isTensor)
    return tensor::ExpandShapeOp::create(
        builder, loc, RankedTensorType::get(expanded, type.getElementType()),
        value, reassociation, sizes);
  return memref::ExpandShapeOp::create(builder, loc, expanded, value,
                                       reassociation, sizes);
}

Value collapseDimension(OpBuilder &builder, Location loc, Value value,
                        unsigned position) {
  SmallVector<ReassociationIndices> reassociation;
  for (int64_t i = 0, e = cast<ShapedType>(value.getType()).getRank(); i < e;
       ++i) {
    if (i == position + 1)
      reassociation.back().push_back(i);
    else
      reassociation.push_back({i});
  }
  return tensor::CollapseShapeOp::create(builder, loc, value, reassociation);
}

Value dropUnitDimensions(OpBuilder &builder, Location loc, Value value,
                         const llvm::SmallBitVector &dropped) {
  if (dropped.none())
    return value;
  // What is dropped before the first dimension that is kept joins it; what is
  // dropped after one joins that.
  SmallVector<ReassociationIndices> reassociation;
  ReassociationIndices leading;
  for (int64_t i = 0, e = dropped.size(); i < e; ++i) {
    if (!dropped.test(i)) {
      leading.push_back(i);
      reassociation.push_back(leading);
      leading.clear();
    } else if (reassociation.empty()) {
      leading.push_back(i);
    } else {
      reassociation.back().push_back(i);
    }
  }
  if (isa<TensorType>(value.getType()))
    return tensor::CollapseShapeOp::create(builder, loc, value, reassociation);
  return memref::CollapseShapeOp::create(builder, loc, value, reassociation);
}

} // namespace attn
