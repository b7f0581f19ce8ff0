//===- FewRowsReplay.cpp - Few query rows, gone over again ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `attn.replay` for a few query rows is a step whose statistics are finished:
// what it weighs is final, and stored where that is asked for.
//
//===----------------------------------------------------------------------===//

#include "FewRowsEmitter.h"
#include "attn/IR/Utils.h"

using namespace mlir;

namespace attn {

SmallVector<Value> FewRowsEmitter::loadFinished(Value row) {
  Values loaded;
  // What weights take of them is kept already.
  if (!takenByWeights.empty())
    return loaded;
  for (Value statistic : scoreStatistics)
    loaded.push_back(broadcast(memref::LoadOp::create(b, loc, statistic, row)));
  return loaded;
}

void FewRowsEmitter::keepFactors(Value row) {
  Values finished, operands;
  for (Value statistic : op.getStatistics())
    finished.push_back(
        broadcast(memref::LoadOp::create(b, loc, statistic, row)));
  for (auto [i, operand] : llvm::enumerate(op.getWeightingOperands()))
    operands.push_back(lane->toVector(
        read(operand, maps[op.getWeightingIndex() + i],
             Position{LaneValue::uniform(row), {}, {}}, /*mask=*/{})));
  Value keys = arith::IndexCastOp::create(b, loc, b.getI64Type(), replay->keys);
  keys = broadcast(arith::SIToFPOp::create(b, loc, accType, keys));
  Values found = weighting.finish(b, loc, finished, operands, keys,
                                  /*scale=*/Value());
  if (!factors && !found.empty()) {
    auto type =
        MemRefType::get({rows, static_cast<int64_t>(found.size())}, accType);
    factors = isLocal ? createLocalScratch(b, op, type)
                      : createWorkerScratch(b, op, type);
  }
  for (auto [i, factor] : llvm::enumerate(found))
    memref::StoreOp::create(
        b, loc, vector::ExtractOp::create(b, loc, factor, int64_t(0)), factors,
        ValueRange{row, index(i)});
}

void FewRowsEmitter::storeTarget(Value weight, Value row, Value key,
                                 Value mask) {
  Value target = replay->target;
  if (!target)
    return;
  AffineMap map = replay->map;
  auto locate = [&](Value here) {
    Values place;
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
      unsigned dim = map.getDimPosition(i);
      place.push_back(dim == 0 ? row : dim == 1 ? here : zero);
    }
    return place;
  };
  auto type = cast<MemRefType>(target.getType());
  unsigned last = map.getNumResults() - 1;
  if (map.getDimPosition(last) == 1 && isContiguousAlong(type, last)) {
    storeElements(b, loc, weight, target, locate(key), mask);
    return;
  }
  for (int64_t i = 0; i < lanes; ++i) {
    Value element =
        convertFloat(b, loc, vector::ExtractOp::create(b, loc, weight, i),
                     type.getElementType());
    OpBuilder::InsertionGuard guard(b);
    if (mask) {
      Value is = vector::ExtractOp::create(b, loc, mask, i);
      auto branch = scf::IfOp::create(b, loc, is, /*withElseRegion=*/false);
      b.setInsertionPointToStart(branch.thenBlock());
    }
    memref::StoreOp::create(b, loc, element, target,
                            locate(add(key, index(i))));
  }
}

void FewRowsEmitter::clearTarget(const Block &block) {
  loop(zero, numRows, 1, {}, [&](Value row, ValueRange) {
    for (int64_t first = 0; first < blockKeys; first += lanes)
      storeTarget(constant(0.0), row, add(block.first, index(first)),
                  block.lanes);
    return Values();
  });
}

/// The step that a replay is, in its place.
static OnlineOp makeStep(RewriterBase &b, ReplayOp op, unsigned output) {
  unsigned value = *op.getContractedIndex(output);
  // Further dimensions of the maps are those of what is stored.
  auto getMap = [&](unsigned i) {
    return AffineMap::get(4, 0, op.getIndexingMap(i).getResults(),
                          b.getContext());
  };
  auto of = cast<AttentionOpInterface>(op.getOperation());
  SmallVector<AffineMap> maps{getMap(0), getMap(1), getMap(value)};
  unsigned inputs = of.getFirstInputIndex(), weighting = of.getWeightingIndex(),
           statistics = weighting + op.getWeightingOperands().size();
  for (unsigned i = inputs; i < statistics; ++i)
    maps.push_back(getMap(i));
  maps.push_back(getMap(of.getOutputIndex() + output));
  for (unsigned i = statistics; i < of.getOutputIndex(); ++i)
    maps.push_back(getMap(i));
  auto step = OnlineOp::create(
      b, op.getLoc(), TypeRange(), op.getQuery(), op.getKey(),
      op->getOperand(value), op.getInputs(), op.getWeightingOperands(),
      /*indptr=*/Value(), /*indices=*/Value(), /*ahead_key=*/Value(),
      /*ahead_value=*/Value(), op.getRows(), op.getFull(), /*position=*/Value(),
      op.getInits()[output], op.getStatistics(), b.getAffineMapArrayAttr(maps),
      op.getWeighting(), op.getLayoutAttr(), op.getScale(),
      TypeAttr::get(op.getAccumulationType()), op.getKeyTileAttr(),
      op.getCountTiles(), /*blocks=*/BlockListAttr());
  step.getSimilarity().takeBody(op.getSimilarity());
  step.getMask().takeBody(op.getMask());
  step.getScore().takeBody(op.getScore());
  step.getWeight().takeBody(op.getWeight());
  return step;
}

LogicalResult emitReplayRows(RewriterBase &b, ReplayOp op,
                             const EmitOptions &options) {
  std::optional<unsigned> output, stored;
  for (unsigned i = 0, e = op.getInits().size(); i < e; ++i) {
    ReplayTarget target = op.getTarget(i);
    std::optional<unsigned> &taken =
        target == ReplayTarget::stored ? stored : output;
    bool isKnown =
        target == ReplayTarget::stored || target == ReplayTarget::over_keys;
    if (!isKnown || taken)
      return op.emitOpError("cannot be vectorized: expected one target "
                            "over_keys and at most one stored, but got ")
             << op.getTargets();
    taken = i;
  }
  if (!output || !op.getElement().empty() || !op.getPairs().empty() ||
      !isa<AccumulateWeightingAttrInterface>(op.getWeighting()))
    return op.emitOpError("cannot be vectorized: expected weights as they are, "
                          "over keys, of query and key alone");
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  FewRowsReplay replay{op.getKeys(), Value(), AffineMap()};
  if (stored) {
    replay.target = op.getInits()[*stored];
    replay.map = op.getStoredMap(
        cast<AttentionOpInterface>(op.getOperation()).getOutputIndex() +
        *stored);
  }
  OnlineOp step = makeStep(b, op, *output);
  b.eraseOp(op);
  return FewRowsEmitter(b, step, options, replay).run();
}

} // namespace attn
