//===- ElementReader.cpp - Threads that read memory -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementReader.h"
#include "Hardware.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

/// The bytes of an element in memory, of which an i1 takes one.
static int64_t getBytes(Type element) {
  if (element.isIndex())
    return 8;
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

/// The address of what lanes that are not to read do read: the first element
/// or, of a buffer that may have none, `spare` at the next multiple of 8.
static Value getSafeAddress(OpBuilder &b, Location loc,
                            memref::ExtractStridedMetadataOp metadata,
                            Value first, Value spare) {
  Value count;
  for (OpFoldResult extent : metadata.getConstifiedMixedSizes()) {
    if (getConstantIntValue(extent).value_or(0) > 0)
      continue;
    Value size = getValueOrCreateConstantIndexOp(b, loc, extent);
    count = count ? arith::MulIOp::create(b, loc, count, size) : size;
  }
  if (!count)
    return first;
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  Value isEmpty =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, count, index(0));
  Value aligned = arith::AndIOp::create(
      b, loc, arith::AddIOp::create(b, loc, spare, index(7)), index(-8));
  return arith::SelectOp::create(b, loc, isEmpty, aligned, first);
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
  Value safe;
  if (mask)
    safe = getSafeAddress(
        b, loc, metadata,
        add(start, arith::MulIOp::create(b, loc, metadata.getOffset(), bytes)),
        spare);
  start = add(start, arith::MulIOp::create(b, loc, base, bytes));
  if (offsets)
    offsets = arith::MulIOp::create(b, loc, offsets, lanes.broadcast(bytes));

  Type stored = element.isIndex() ? b.getI64Type() : element;
  if (stored.isIntOrFloat() && stored.getIntOrFloatBitWidth() < 8)
    stored = b.getI8Type();
  auto load = [&](Value address, Value allowed) {
    if (allowed)
      address = arith::SelectOp::create(b, loc, allowed, address, safe);
    Value value =
        hardware.load(stored, hardware.toGlobal(address), getBytes(element));
    if (element.isIndex())
      value = arith::IndexCastOp::create(b, loc, element, value);
    else if (stored != element)
      value = arith::TruncIOp::create(b, loc, element, value);
    return value;
  };
  auto mayRead = [&](int64_t lane) -> Value {
    return mask ? vector::ExtractOp::create(b, loc, mask, lane) : Value();
  };
  Value result;
  if (offsets) {
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < lanes.numLanes; ++lane)
      elements.push_back(
          load(add(start, vector::ExtractOp::create(b, loc, offsets, lane)),
               mayRead(lane)));
    result = vector::FromElementsOp::create(b, loc, lanes.vectorType(element),
                                            elements);
  } else {
    // One for all, if any is to read.
    Value any = mayRead(0);
    for (int64_t lane = 1; any && lane < lanes.numLanes; ++lane)
      any = arith::OrIOp::create(b, loc, any, mayRead(lane));
    result = lanes.broadcast(load(start, any));
  }
  if (!mask)
    return result;
  Value zero = arith::ConstantOp::create(
      b, loc, b.getZeroAttr(lanes.vectorType(element)));
  return arith::SelectOp::create(b, loc, mask, result, zero);
}

} // namespace attn
