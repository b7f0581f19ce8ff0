//===- ElementReader.cpp - Threads that read memory -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementReader.h"
#include "Hardware.h"

using namespace mlir;

namespace attn {

/// The bytes of an element in memory, of which an i1 takes one.
static int64_t getBytes(Type element) {
  if (element.isIndex())
    return 8;
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

Value ElementReader::read(LaneBuilder &lanes, Value buffer,
                          ArrayRef<LaneValue> indices, Value mask) const {
  OpBuilder &b = lanes.b;
  Location loc = lanes.loc;
  Hardware hardware(b, loc);
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  auto add = [&](Value sum, Value term) -> Value {
    return sum ? arith::AddIOp::create(b, loc, sum, term) : term;
  };
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  // What all lanes have in common, and what is left to each.
  Value base = metadata.getOffset(), offsets;
  for (auto [index, stride] : llvm::zip_equal(indices, metadata.getStrides())) {
    Value own = index.vector;
    if (!own) {
      base = add(base, arith::MulIOp::create(b, loc, index.scalar, stride));
      if (index.isUniform())
        continue;
      own = index.offsets ? index.offsets : lanes.createSteps(index.stride);
    }
    if (own.getType() != lanes.vectorType(b.getIndexType()))
      own = arith::IndexCastOp::create(b, loc,
                                       lanes.vectorType(b.getIndexType()), own);
    offsets = add(offsets,
                  arith::MulIOp::create(b, loc, own, lanes.broadcast(stride)));
  }
  Value bytes = arith::ConstantIndexOp::create(b, loc, getBytes(element));
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  start = add(start, arith::MulIOp::create(b, loc, base, bytes));
  if (offsets)
    offsets = arith::MulIOp::create(b, loc, offsets, lanes.broadcast(bytes));

  Type stored = element.isIndex() ? b.getI64Type() : element;
  if (stored.isIntOrFloat() && stored.getIntOrFloatBitWidth() < 8)
    stored = b.getI8Type();
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < lanes.numLanes; ++lane) {
    Value address = start;
    if (offsets)
      address = add(address, vector::ExtractOp::create(b, loc, offsets, lane));
    if (mask) {
      Value allowed = vector::ExtractOp::create(b, loc, mask, lane);
      address = arith::SelectOp::create(b, loc, allowed, address, spare);
    }
    Value value =
        hardware.load(stored, hardware.toGlobal(address), getBytes(element));
    if (element.isIndex())
      value = arith::IndexCastOp::create(b, loc, element, value);
    else if (stored != element)
      value = arith::TruncIOp::create(b, loc, element, value);
    elements.push_back(value);
  }
  Value result = vector::FromElementsOp::create(
      b, loc, lanes.vectorType(element), elements);
  if (!mask)
    return result;
  Value zero = arith::ConstantOp::create(
      b, loc, b.getZeroAttr(lanes.vectorType(element)));
  return arith::SelectOp::create(b, loc, mask, result, zero);
}

} // namespace attn
