//===- Splits.cpp - The keys of a row in parts ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Few query rows with many keys are less work items than a machine has cores. A
// second parallel loop merges what the workers of the parts leave: a state,
// that is an accumulator and statistics, each.
//
//===----------------------------------------------------------------------===//

#include "FusedAttention.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

OpFoldResult FusedAttention::countSplits() {
  AffineExpr keys = b.getAffineSymbolExpr(0);
  AffineMap counts = AffineMap::get(
      0, 1,
      {keys.ceilDiv(sizes.splitKeys), b.getAffineConstantExpr(sizes.splits)},
      b.getContext());
  OpFoldResult extent = wholeExtents[operands.key];
  // No list has more entries than there are.
  if (blocks && blocks->isPhysical()) {
    unsigned last =
        cast<RankedTensorType>(blocks->indices.getType()).getRank() - 1;
    extent = affine::makeComposedFoldedAffineApply(
        b, loc, keys * blocks->getKeys(),
        {tensor::getMixedSize(b, loc, blocks->indices, last)});
  }
  OpFoldResult count =
      affine::makeComposedFoldedAffineMin(b, loc, counts, {extent});
  if (!filter.starts)
    return count;
  // One request has all keys, as far as extents tell.
  Value workers = index(1);
  for (OpFoldResult bound : Nest::getBounds(b, op, sizes, filter, box))
    workers = b.createOrFold<arith::MulIOp>(loc, workers, toValue(bound));
  workers = b.createOrFold<arith::MaxSIOp>(loc, workers, index(1));
  Value most = b.createOrFold<arith::CeilDivUIOp>(
      loc, index(sizes.splitWorkers), workers);
  return getAsOpFoldResult(
      b.createOrFold<arith::MinSIOp>(loc, toValue(count), most));
}

void FusedAttention::takeSplit(Value number, OpFoldResult count) {
  auto [first, end] = emitKeyHull();
  Value keys = b.createOrFold<arith::SubIOp>(loc, end, first);
  keys = b.createOrFold<arith::MaxSIOp>(loc, keys, index(0));
  Value parts = toValue(count);
  // Of requests the short ones leave parts empty.
  if (filter.starts) {
    Value filled =
        b.createOrFold<arith::CeilDivUIOp>(loc, keys, index(sizes.splitKeys));
    parts = arith::MinSIOp::create(
        b, loc, parts, arith::MaxSIOp::create(b, loc, filled, index(1)));
  }
  Value share = b.createOrFold<arith::CeilDivUIOp>(loc, keys, parts);
  share = b.createOrFold<arith::AddIOp>(loc, share, index(kPartMultiple - 1));
  share = b.createOrFold<arith::AndIOp>(loc, share, index(-kPartMultiple));
  Value from = arith::AddIOp::create(
      b, loc, first, arith::MulIOp::create(b, loc, number, share));
  Value to = arith::AddIOp::create(b, loc, from, share);
  std::optional<int64_t> all = getConstantIntValue(keys),
                         each = getConstantIntValue(share),
                         times = getConstantIntValue(count);
  bool isEven = all && each && times && *each * *times == *all;
  if (!isEven)
    to = arith::MinSIOp::create(b, loc, to, end);
  split = Split{from, to, isEven && *each % sizes.keyRows == 0};
}

void FusedAttention::locateState(Value states, unsigned numOwn,
                                 OpFoldResult split, OpFoldResult numSplits,
                                 SmallVectorImpl<OpFoldResult> &from,
                                 SmallVectorImpl<OpFoldResult> &extents) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, states);
  SmallVector<OpFoldResult> position = nest->getPosition();
  unsigned numOuter = sizes.size() - numOwn - 1;
  for (OpFoldResult at : ArrayRef(position).take_front(numOuter)) {
    from.push_back(at);
    extents.push_back(b.getIndexAttr(1));
  }
  from.push_back(split);
  extents.push_back(numSplits);
  from.append(numOwn, b.getIndexAttr(0));
  llvm::append_range(extents, ArrayRef(sizes).take_back(numOwn));
}

SmallVector<Value> FusedAttention::mergeStates(ValueRange states,
                                               OpFoldResult count) {
  SmallVector<Value> partials, inits;
  SmallVector<AffineMap> maps;
  AffineExpr row = b.getAffineDimExpr(0), channel = b.getAffineDimExpr(1);
  for (auto [i, all] : llvm::enumerate(states)) {
    unsigned numOwn = getStateExtents(i).size();
    Type element = getStateElement(i);
    SmallVector<OpFoldResult> from, extents;
    locateState(all, numOwn, b.getIndexAttr(0), count, from, extents);
    // What leads is of one position, and goes.
    SmallVector<int64_t> kept =
        decomposeMixedValues(
            SmallVector<OpFoldResult>(ArrayRef(extents).take_back(numOwn + 1)))
            .first;
    SmallVector<OpFoldResult> strides(from.size(), b.getIndexAttr(1));
    partials.push_back(tensor::ExtractSliceOp::create(
        b, loc, RankedTensorType::get(kept, element), all,
        getSliceOffsets(b, loc, from, extents), extents, strides));
    inits.push_back(tensor::EmptyOp::create(
        b, loc, ArrayRef(extents).take_back(numOwn), element));
    maps.push_back(i == 0 ? AffineMap::get(2, 0, {row, channel}, b.getContext())
                          : AffineMap::get(2, 0, row));
  }
  auto merge = MergeOp::create(b, loc, ValueRange(inits).getTypes(), partials,
                               inits, b.getAffineMapArrayAttr(maps),
                               op.getWeighting(), sizes.layout);
  return Values(merge.getResults());
}

ValueRange FusedAttention::runSplits() {
  IterationBox whole = box;
  SmallVector<OpFoldResult> all = wholeExtents;
  OpFoldResult count = countSplits();
  // The states of all workers: as many blocks as the nest will have.
  SmallVector<OpFoldResult> bounds = Nest::getBounds(b, op, sizes, filter, box);
  SmallVector<Value> states;
  SmallVector<unsigned> numOwn;
  forWalk([&] {
    for (size_t i = 0, e = op.getWeighting().getStatistics().size(); i <= e;
         ++i) {
      SmallVector<OpFoldResult> own = getStateExtents(i), shape(bounds);
      shape.push_back(count);
      llvm::append_range(shape, own);
      states.push_back(
          tensor::EmptyOp::create(b, loc, shape, getStateElement(i)));
      numOwn.push_back(own.size());
    }
  });

  nest.emplace(b, op, sizes, filter, box, states, count);
  takeOperands();
  takeList();
  checkList();
  emitCost();
  packQueryTile();
  Value number = toValue(nest->getPosition().back());
  takeSplit(number, count);
  Values state;
  forWalk([&] {
    state =
        forEachOuterKey(emitInitialState(/*tiles=*/1),
                        [&](ValueRange carried) { return walkKeys(carried); });
  });
  split.reset();
  ValueRange left = nest->finish(state, [&](unsigned i, auto &from,
                                            auto &extents) {
    locateState(states[i], numOwn[i], number, b.getIndexAttr(1), from, extents);
  });

  b.setInsertionPoint(op);
  box = whole;
  wholeExtents = all;
  parts.clear();
  packed.clear();
  buffers.clear();
  nest.emplace(b, op, sizes, filter, box, op.getDpsInits());
  takeOperands();
  takeList();
  packQueryTile();
  Values slices = nest->sliceInits();
  return nest->finish(emitFinish(mergeStates(left, count), slices));
}

} // namespace attn
