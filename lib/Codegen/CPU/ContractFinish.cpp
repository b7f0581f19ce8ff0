//===- ContractFinish.cpp - What follows a sum of products ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "attn/IR/Utils.h"

using namespace mlir;

namespace attn {

/// The position of the first lane in init, seen as one row.
Value ContractEmitter::positionInInit(const Place &place) {
  Value position = zero;
  for (unsigned dim : {ContractOp::Rows, ContractOp::Columns})
    if (init.strides[dim])
      position = add(position, mul(place.dims[dim].scalar, init.strides[dim]));
  return position;
}

/// The positions of lanes of init from the first on; null if they are
/// neighbours.
Value ContractEmitter::stepsInInit(const Place &place) {
  if (init.contiguous == laneDim || !init.strides[laneDim])
    return {};
  RegionInliner inliner(b, loc, place.lanes, reader);
  Value lane = inliner.toVector(LaneValue::affine(zero, 1));
  return arith::MulIOp::create(b, loc, lane,
                               inliner.broadcast(init.strides[laneDim]));
}

Value ContractEmitter::loadInit(const Place &place) {
  Value position = positionInInit(place);
  Value steps = stepsInInit(place);
  if (!steps)
    return load(initFlat, position, place.lanes, place.mask);
  VectorType type = vectorOf(place.lanes, init.element);
  Value mask = place.mask ? place.mask : constantTrue(place.lanes);
  Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value gathered = vector::GatherOp::create(b, loc, type, initFlat, position,
                                            steps, mask, zeros);
  return convertFloat(b, loc, gathered, accType);
}

void ContractEmitter::storeInit(Value value, const Place &place) {
  value = convertFloat(b, loc, value, init.element);
  Value position = positionInInit(place);
  if (Value steps = stepsInInit(place)) {
    Value mask = place.mask ? place.mask : constantTrue(place.lanes);
    vector::ScatterOp::create(b, loc, Type(), initFlat, position, steps, mask,
                              value);
  } else if (place.mask) {
    vector::MaskedStoreOp::create(b, loc, initFlat, position, place.mask,
                                  value);
  } else {
    vector::StoreOp::create(b, loc, value, initFlat, position);
  }
}

LaneValue ContractEmitter::readAt(RegionInliner &inliner, Value input,
                                  AffineMap map, const Place &place) {
  if (!isa<MemRefType>(input.getType()))
    return LaneValue::uniform(input);
  SmallVector<LaneValue> positions;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    positions.push_back(place.dims[map.getDimPosition(i)]);
  if (!allUniform(positions))
    return LaneValue::lanes(reader.read(inliner, input, positions, place.mask));
  SmallVector<Value> scalars;
  for (const LaneValue &position : positions)
    scalars.push_back(position.scalar);
  return LaneValue::uniform(memref::LoadOp::create(b, loc, input, scalars));
}

Value ContractEmitter::applyElement(Value sum, const Place &place) {
  if (op.getElement().empty())
    return sum;
  RegionInliner inliner(b, loc, place.lanes, reader);
  SmallVector<LaneValue> arguments{LaneValue::lanes(sum)};
  for (auto [i, input] : llvm::enumerate(op.getInputs()))
    arguments.push_back(readAt(
        inliner, input, op.getIndexingMap(op.getInputIndex() + i), place));
  LaneValue result =
      inliner.inlineRegion(op.getElement(), arguments,
                           /*positions=*/{}, LanePredicate{place.mask});
  return inliner.toVector(result);
}

void ContractEmitter::finishRow(Value sum, const Place &place, BlockOfSum block,
                                Value partial) {
  Type type = sum.getType();
  auto plus = [&](Value other) {
    return SmallVector<Value>{arith::AddFOp::create(b, loc, sum, other)};
  };
  auto loadBefore = [&] {
    return partial ? load(partialSums, partial, place.lanes) : loadInit(place);
  };
  if (op.getAccumulate() && (!partial || !block.first)) {
    sum = plus(loadInit(place))[0];
  } else if (block.first) {
    sum = choose(
        block.first, TypeRange(type),
        [&] {
          return op.getAccumulate() ? plus(loadInit(place))
                                    : SmallVector<Value>{sum};
        },
        [&] { return plus(loadBefore()); })[0];
  }
  auto last = [&] {
    storeInit(applyElement(sum, place), place);
    return SmallVector<Value>();
  };
  if (!block.last || (!partial && op.getElement().empty())) {
    last();
    return;
  }
  choose(block.last, TypeRange(), last, [&] {
    if (partial)
      vector::StoreOp::create(b, loc, sum, partialSums, partial);
    else
      storeInit(sum, place);
    return SmallVector<Value>();
  });
}

} // namespace attn
