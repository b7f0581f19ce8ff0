//===- Elements.cpp - What tensors and buffers hold -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Elements.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace attn {

Value createRead(OpBuilder &builder, Location loc, Value table,
                 ValueRange indices) {
  if (isa<TensorType>(table.getType()))
    return tensor::ExtractOp::create(builder, loc, table, indices);
  return memref::LoadOp::create(builder, loc, table, indices);
}

OpFoldResult getExtent(OpBuilder &builder, Location loc, Value table,
                       int64_t dim) {
  if (isa<TensorType>(table.getType()))
    return tensor::getMixedSize(builder, loc, table, dim);
  return memref::getMixedSize(builder, loc, table, dim);
}

} // namespace attn
