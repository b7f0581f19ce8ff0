//===- OrderedWeights.cpp - Weights in key order ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A weighting of kind *ordered* weighs a key by its mass, which is the final
// weight of another weighting, and by the mass of the visible keys before it.
// So it is that other weighting to all but the second walk: the op is rewritten
// to it, and the walk with final weights, whose tiles ascend, carries the mass
// so far beside what it accumulates. `attn.replay` calls it a row state.
//
//===----------------------------------------------------------------------===//

#include "OrderedWeights.h"
#include "attn/IR/Utils.h"

using namespace mlir;

namespace attn {

/// What a region is given for an element of `input`.
static Type getArgumentType(Value input, Type accType) {
  Type element = getElementTypeOrSelf(input.getType());
  return isa<FloatType>(element) ? accType : element;
}

GenericOp takeMass(RewriterBase &b, GenericOp op) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  auto ordered = cast<OrderedWeightingAttrInterface>(op.getWeighting());
  AccumulateWeightingAttrInterface mass = ordered.getMassWeighting();
  unsigned first = op.getWeightingIndex(), output = op.getOutputIndex();
  unsigned own = first + mass.getNumWeightingOperands();
  SmallVector<Value> inputs(op.getInputs());
  ValueRange operands = op.getWeightingOperands();
  llvm::append_range(inputs, operands.drop_front(own - first));
  SmallVector<AffineMap> maps;
  auto addMaps = [&](unsigned from, unsigned to) {
    for (unsigned i = from; i < to; ++i)
      maps.push_back(op.getWrittenMap(i));
  };
  addMaps(0, first);
  addMaps(own, output);
  addMaps(first, own);
  addMaps(output, op.getIndexingMaps().size());
  auto result = GenericOp::create(
      b, op.getLoc(), op.getResultTypes(), op.getQuery(), op.getKey(),
      op.getValue(), inputs, operands.take_front(own - first),
      op.getQueryStarts(), op.getKeyStarts(), op.getIndptr(), op.getIndices(),
      op.getOutput(), op.getLse(), op.getWeights(),
      b.getAffineMapArrayAttr(maps), mass, op.getScale(), op.getAccTypeAttr(),
      op.getBlocksAttr());
  for (auto [from, to] :
       llvm::zip_equal(op->getRegions(), result->getRegions()))
    b.cloneRegionBefore(from, to, to.end());
  for (Region *region : {&result.getSimilarity(), &result.getMask(),
                         &result.getScore(), &result.getWeight()})
    if (!region->empty())
      for (Value input : operands.drop_front(own - first))
        region->addArgument(getArgumentType(input, op.getAccumulationType()),
                            op.getLoc());
  b.replaceOp(op, result.getResults());
  return result;
}

void orderElements(OpBuilder &b, ReplayOp replay,
                   OrderedWeightingAttrInterface weighting) {
  OpBuilder::InsertionGuard guard(b);
  Location loc = replay.getLoc();
  Type accType = replay.getAccType();
  Region &element = replay.getElement();
  if (element.empty()) {
    SmallVector<Type> types{accType};
    for (Value input : replay.getInputs())
      types.push_back(getArgumentType(input, accType));
    Block *body = b.createBlock(&element, element.end(), types,
                                SmallVector<Location>(types.size(), loc));
    YieldOp::create(b, loc, body->getArgument(0));
  }
  Block &body = element.front();
  Value mass = body.insertArgument(0u, accType, loc);
  body.insertArgument(1u, accType, loc);
  Value before = body.insertArgument(2u, accType, loc);
  unsigned numOwn = weighting.getNumWeightingOperands() -
                    weighting.getMassWeighting().getNumWeightingOperands();
  b.setInsertionPointToStart(&body);
  Value weight = weighting.weightOfMass(b, loc, mass, before,
                                        body.getArguments().take_back(numOwn));
  body.getArgument(3).replaceAllUsesWith(weight);
  body.eraseArgument(3);
  Operation *yield = body.getTerminator();
  SmallVector<Value> yielded(replay.getInits().size(), yield->getOperand(0));
  yielded.back() = mass;
  yield->setOperands(yielded);
}

} // namespace attn
