//===- VectorReader.cpp - Lanes that read memory ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VectorReader.h"
#include "TileEmitter.h"

using namespace mlir;

namespace attn {

/// Any shape of read is a gather from the buffer seen as one row.
static Value readAnywhere(LaneBuilder &lanes, Value buffer,
                          ArrayRef<LaneValue> indices, Value mask, Value zero) {
  OpBuilder &b = lanes.b;
  Location loc = lanes.loc;
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  Value offsets = lanes.broadcast(metadata.getOffset());
  for (auto [index, stride] : llvm::zip_equal(indices, metadata.getStrides())) {
    Value scaled = arith::MulIOp::create(b, loc, lanes.toVector(index),
                                         lanes.broadcast(stride));
    offsets = arith::AddIOp::create(b, loc, offsets, scaled);
  }
  auto flatType =
      MemRefType::get({ShapedType::kDynamic},
                      cast<MemRefType>(buffer.getType()).getElementType());
  Value huge = arith::ConstantIndexOp::create(
      b, loc, std::numeric_limits<int64_t>::max());
  Value flat = memref::ReinterpretCastOp::create(
      b, loc, flatType, metadata.getBaseBuffer(),
      OpFoldResult(b.getIndexAttr(0)), ArrayRef<OpFoldResult>{huge},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
  Value origin = arith::ConstantIndexOp::create(b, loc, 0);
  auto result = cast<VectorType>(zero.getType());
  return vector::GatherOp::create(b, loc, result, flat, ValueRange{origin},
                                  offsets, mask, zero);
}

Value VectorReader::read(LaneBuilder &lanes, Value buffer,
                         ArrayRef<LaneValue> indices, Value mask) const {
  OpBuilder &b = lanes.b;
  Location loc = lanes.loc;
  auto type = cast<MemRefType>(buffer.getType());
  VectorType result = lanes.vectorType(type.getElementType());
  if (!liesAsVector(type.getElementType())) {
    Value stored = viewAsStored(b, loc, buffer);
    return arith::TruncIOp::create(b, loc, result,
                                   read(lanes, stored, indices, mask));
  }
  if (!mask)
    mask = lanes.broadcast(
        arith::ConstantOp::create(b, loc, b.getBoolAttr(true)));
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(result));
  if (!type.isLastDimUnitStride() || !allUniform(indices.drop_back()))
    return readAnywhere(lanes, buffer, indices, mask, zero);

  SmallVector<Value> offsets;
  for (const LaneValue &index : indices.drop_back())
    offsets.push_back(index.scalar);
  const LaneValue &last = indices.back();
  if (last.isAffine() && last.stride == 1) {
    offsets.push_back(last.scalar);
    return vector::MaskedLoadOp::create(b, loc, result, buffer, offsets, mask,
                                        zero);
  }
  if (last.isAffine() && last.stride == -1) {
    // The lanes run backwards: read them forwards, from the last one's on.
    Value span = arith::ConstantIndexOp::create(b, loc, lanes.numLanes - 1);
    offsets.push_back(arith::SubIOp::create(b, loc, last.scalar, span));
    SmallVector<int64_t> backwards;
    for (int64_t lane = lanes.numLanes; lane-- > 0;)
      backwards.push_back(lane);
    Value reversed = vector::ShuffleOp::create(b, loc, mask, mask, backwards);
    Value loaded = vector::MaskedLoadOp::create(b, loc, result, buffer, offsets,
                                                reversed, zero);
    return vector::ShuffleOp::create(b, loc, loaded, loaded, backwards);
  }
  Value steps;
  if (std::optional<LaneValue> near = lanes.toNear(last)) {
    offsets.push_back(near->scalar);
    steps = near->offsets;
  } else {
    offsets.push_back(arith::ConstantIndexOp::create(b, loc, 0));
    steps = lanes.toVector(last);
  }
  return vector::GatherOp::create(b, loc, result, buffer, offsets, steps, mask,
                                  zero);
}

} // namespace attn
