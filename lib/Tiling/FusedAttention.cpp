//===- FusedAttention.cpp - Attention in one pass or two --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FusedAttention.h"
#include "OrderedWeights.h"
#include "UnitRow.h"
#include "attn/IR/Utils.h"
#include "attn/Tiling/Tiling.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

FusedAttention::FusedAttention(RewriterBase &rewriter, GenericOp op,
                               OrderedWeightingAttrInterface ordered,
                               const TileSizes &sizes, bool countTiles,
                               const RequestFilter &filter)
    : b(rewriter), loc(op.getLoc()), op(op), ordered(ordered), sizes(sizes),
      countTiles(countTiles), filter(filter), classes(op.getDimensionClasses()),
      operands(rewriter, op, sizes), blocks(BlockList::of(op)) {}

Value FusedAttention::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value FusedAttention::toValue(OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(b, loc, size);
}

OpFoldResult FusedAttention::repeat(OpFoldResult extent, int64_t times) {
  // Known outside of the parallel loop: what is allocated in it once per worker
  // has such sizes.
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(nest->getWorker()->getParentOp());
  return affine::makeComposedFoldedAffineApply(
      b, loc, b.getAffineSymbolExpr(0) * times, {extent});
}

ValueRange FusedAttention::run() {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  box = IterationBox::whole(b, op);
  wholeExtents = box.extents;
  if (sizes.splits > 1)
    return runSplits();
  nest.emplace(b, op, sizes, filter, box, op.getDpsInits());
  takeOperands();
  takeList();
  checkList();
  emitCost();
  SmallVector<Value> slices = nest->sliceInits();
  return nest->finish(sizes.queryTiles == 1 ? emitQueryTile(slices)
                                            : emitQueryBlock(slices));
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

void FusedAttention::takeRequest() {
  if (isRagged())
    wholeExtents[operands.key] = box.extents[operands.key];
}

void FusedAttention::takeOperands() {
  takeRequest();
  for (unsigned i = 0, e = op.getOutputIndex(); i < e; ++i)
    parts.push_back(operands.at(box, i, nest->getOuterDims()));
  packed.resize(parts.size());
  buffers.resize(parts.size());
}

void FusedAttention::packQueryTile() {
  for (auto [part, tile] : llvm::zip_equal(parts, packed))
    if (!operands.variesByKey(part))
      tile = operands.store(box, operands.cut(box, part, nest->getWorker()));
}

void FusedAttention::packBlock() {
  SmallVector<Value> inits;
  for (auto [part, tile, buffer] : llvm::zip_equal(parts, packed, buffers)) {
    if (operands.variesByKey(part))
      continue;
    if (!operands.variesByRow(part)) {
      tile = operands.store(box, part);
      continue;
    }
    SmallVector<OpFoldResult> shape =
        operands.storedExtents(box, part.role, operands.foldDims(part.dims));
    shape[0] = repeat(shape[0], sizes.queryTiles);
    buffer =
        tensor::EmptyOp::create(b, loc, shape, operands.storedElement(part));
    inits.push_back(buffer);
  }
  SmallVector<Value> filled =
      nest->forEachQueryTile(inits, [&](Value tile, ValueRange carried) {
        SmallVector<Value> next;
        for (auto [part, buffer] : llvm::zip_equal(parts, buffers)) {
          if (!buffer)
            continue;
          Value whole = carried[next.size()];
          OpFoldResult extent = operands.storedExtents(
              box, part.role, operands.foldDims(part.dims))[0];
          Value target = takeEntry(b, loc, whole, tile, extent);
          target = operands.storeInto(
              operands.cut(box, part, nest->getWorker()), target);
          next.push_back(putEntry(b, loc, target, whole, tile, extent));
        }
        return next;
      });
  size_t next = 0;
  for (Value &buffer : buffers)
    if (buffer)
      buffer = filled[next++];
}

void FusedAttention::takePacked(Value tile) {
  for (auto [part, entry, buffer] : llvm::zip_equal(parts, packed, buffers)) {
    if (!buffer)
      continue;
    SmallVector<unsigned> dims = operands.foldDims(part.dims);
    OpFoldResult extent = operands.storedExtents(box, part.role, dims)[0];
    entry = {takeEntry(b, loc, buffer, tile, extent), dims, part.role};
  }
}

//===----------------------------------------------------------------------===//
// Query tiles
//===----------------------------------------------------------------------===//

/// The dimensions of the state: an accumulator, then statistics.
static SmallVector<SmallVector<unsigned>> getStateDims(const Operands &operands,
                                                       size_t size) {
  SmallVector<SmallVector<unsigned>> dims(size, {operands.row});
  dims[0].push_back(operands.channel);
  return dims;
}

static OperandRole getStateRole(size_t index) {
  return index == 0 ? OperandRole::accumulator : OperandRole::statistic;
}

SmallVector<OpFoldResult> FusedAttention::getStateExtents(size_t index) {
  SmallVector<OpFoldResult> extents = operands.storedExtents(
      box, getStateRole(index), getStateDims(operands, index + 1)[index]);
  if (index == 0)
    return extents;
  Statistic statistic = op.getWeighting().getStatistics()[index - 1];
  if (statistic.getNumLeadingDims())
    extents.insert(extents.begin(), b.getIndexAttr(statistic.extent));
  return extents;
}

Type FusedAttention::getStateElement(size_t index) {
  FloatType accType = op.getAccumulationType();
  return index == 0
             ? accType
             : op.getWeighting().getStatistics()[index - 1].getElementType(
                   accType);
}

SmallVector<Value> FusedAttention::emitInitialState(int64_t tiles) {
  SmallVector<Statistic> statistics = op.getWeighting().getStatistics();
  SmallVector<Value> state;
  for (size_t i = 0; i <= statistics.size(); ++i) {
    SmallVector<OpFoldResult> shape = getStateExtents(i);
    shape[0] = repeat(shape[0], tiles);
    state.push_back(
        createFilledTensor(b, loc, shape, getStateElement(i),
                           i == 0 ? 0.0 : statistics[i - 1].neutral));
  }
  return state;
}

SmallVector<Value> FusedAttention::emitQueryTile(ValueRange slices) {
  packQueryTile();
  auto walk = [&](ValueRange inits) {
    return forEachOuterKey(
        inits, [&](ValueRange carried) { return walkKeys(carried); });
  };
  SmallVector<Value> state;
  if (!isReplayed()) {
    forWalk([&] { state = walk(emitInitialState(/*tiles=*/1)); });
    return emitFinish(state, slices);
  }

  state = emitInitialState(/*tiles=*/1);
  if (needsStatistics())
    withoutChannels([&] {
      finished = walk(emitInitialState(/*tiles=*/1));
      finished.erase(finished.begin());
    });
  isFinal = true;
  SmallVector<Value> carried{state[0]}, results(slices);
  if (op.getWeights())
    carried.push_back(clearUnlisted(slices[getWeightsIndex()]));
  if (ordered)
    carried.push_back(emitNoMass(/*tiles=*/1));
  SmallVector<Value> final = walk(carried);
  if (op.getWeights())
    results[getWeightsIndex()] = final[1];
  state = {final[0]};
  llvm::append_range(state, finished);
  return emitFinish(state, results);
}

SmallVector<Value> FusedAttention::walkBlock(ValueRange inits, TakeState take,
                                             PutState put) {
  auto walkTiles = [&](Value tile, ValueRange carried) {
    takePacked(tile);
    SmallVector<Value> next = walkKeys(take(carried, tile));
    put(next, carried, tile);
    return next;
  };
  unsigned key = operands.key;
  OpFoldResult offset = box.offsets[key], extent = box.extents[key];
  return forEachOuterKey(inits, [&](ValueRange outer) {
    auto [first, end] = emitKeyHull();
    std::optional<int64_t> known = getConstantIntValue(end);
    bool whole =
        block ? block->whole && op.getMask().empty()
              : op.getMask().empty() && known && *known % sizes.keyRows == 0;
    SpanWalk walk(b, loc, sizes.keyRows, first, end, whole);
    SmallVector<Value> state = forEachTile(
        b, loc, walk, outer, [&](const WalkTile &tile, ValueRange carried) {
          box.offsets[key] = locateKey(tile.location);
          box.extents[key] = tile.extent;
          AffineExpr from = b.getAffineDimExpr(0);
          AffineExpr size = b.getAffineSymbolExpr(0);
          Value limit = toValue(affine::makeComposedFoldedAffineApply(
              b, loc, from + size, {tile.position, tile.extent}));
          shared = SharedKeys{tile, toValue(tile.position), limit, {}, {}};
          if (gathersKeys()) {
            SmallVector<OperandPart> both = gatherKeys({parts[1], parts[2]});
            shared->keys = both[0];
            shared->values = both[1];
          }
          for (auto [part, target] : {std::pair(&parts[1], &shared->keys),
                                      std::pair(&parts[2], &shared->values)})
            if (!*target && operands.needsPacking(*part))
              *target = operands.store(
                  box, operands.cut(box, *part, nest->getWorker()),
                  nest->getWorker());
          SmallVector<Value> next = nest->forEachQueryTile(carried, walkTiles);
          shared.reset();
          return next;
        });
    // What is written of the weights spans all keys.
    box.offsets[key] = offset;
    box.extents[key] = extent;
    if (!leavesGaps())
      return state;
    Value from = index(0), to = toValue(wholeExtents[key]);
    state = clearGap(state, from, clamp(first, from, to));
    return clearGap(state, clamp(end, from, to), to);
  });
}

SmallVector<Value> FusedAttention::emitQueryBlock(ValueRange slices) {
  packBlock();
  // A state's buffers have an entry per query tile.
  auto entryExtent = [&](size_t i) { return getStateExtents(i)[0]; };
  auto takeState = [&](ValueRange buffers, Value tile) {
    SmallVector<Value> state;
    for (auto [i, buffer] : llvm::enumerate(buffers))
      state.push_back(takeEntry(b, loc, buffer, tile, entryExtent(i)));
    return state;
  };
  auto putState = [&](MutableArrayRef<Value> next, ValueRange buffers,
                      Value tile) {
    for (auto [i, value] : llvm::enumerate(next))
      value = putEntry(b, loc, value, buffers[i], tile, entryExtent(i));
  };
  SmallVector<Value> state, results(slices);
  if (!isReplayed()) {
    forWalk([&] {
      state =
          walkBlock(emitInitialState(sizes.queryTiles), takeState, putState);
    });
  } else {
    state = emitInitialState(sizes.queryTiles);
    SmallVector<Value> statistics;
    if (needsStatistics())
      withoutChannels([&] {
        statistics =
            walkBlock(emitInitialState(sizes.queryTiles), takeState, putState);
      });
    isFinal = true;
    unsigned weights = getWeightsIndex();
    SmallVector<Value> carried{state[0]};
    if (op.getWeights())
      carried.push_back(clearUnlisted(slices[weights]));
    if (ordered)
      carried.push_back(emitNoMass(sizes.queryTiles));
    OpFoldResult rowExtent =
        operands.storedExtents(box, OperandRole::statistic, operands.row)[0];
    auto take = [&](ValueRange buffers, Value tile) {
      SmallVector<Value> taken = takeState(buffers.take_front(), tile);
      if (op.getWeights())
        taken.push_back(nest->takeInit(buffers[1], weights, tile));
      if (ordered)
        taken.push_back(takeEntry(b, loc, buffers.back(), tile, rowExtent));
      finished.clear();
      for (size_t i = 1; i < statistics.size(); ++i)
        finished.push_back(
            takeEntry(b, loc, statistics[i], tile, entryExtent(i)));
      return taken;
    };
    auto put = [&](MutableArrayRef<Value> next, ValueRange buffers,
                   Value tile) {
      putState(next.take_front(), buffers, tile);
      if (op.getWeights())
        next[1] = nest->putInit(next[1], buffers[1], weights, tile);
      if (ordered)
        next.back() =
            putEntry(b, loc, next.back(), buffers.back(), tile, rowExtent);
    };
    SmallVector<Value> final = walkBlock(carried, take, put);
    state = {final[0]};
    llvm::append_range(
        state, ArrayRef(statistics).drop_front(statistics.empty() ? 0 : 1));
    if (op.getWeights())
      results[weights] = final[1];
  }

  unsigned numFinished = op.getLse() ? 2 : 1;
  SmallVector<Value> whole = nest->forEachQueryTile(
      ArrayRef(results).take_front(numFinished),
      [&](Value tile, ValueRange carried) {
        takePacked(tile);
        SmallVector<Value> targets;
        for (auto [i, slice] : llvm::enumerate(carried))
          targets.push_back(nest->takeInit(slice, i, tile));
        SmallVector<Value> taken;
        forWalk([&] { taken = takeState(state, tile); });
        SmallVector<Value> next = emitFinish(taken, targets);
        for (auto [i, slice] : llvm::enumerate(carried))
          next[i] = nest->putInit(next[i], slice, i, tile);
        return next;
      });
  llvm::copy(whole, results.begin());
  return results;
}

/// Maps of attn.finish are over (query rows, channels), and behind these one
/// dimension for each along which the worker has one position.
SmallVector<Value> FusedAttention::emitFinish(ValueRange state,
                                              ValueRange slices) {
  SmallVector<unsigned> dims{operands.row, operands.channel};
  llvm::append_range(dims, nest->getResultDims());
  OperandPart value;
  SmallVector<Value> finalState(state);
  if (gathersValues()) {
    llvm::append_range(dims, classes.keyRows);
    value = parts[2];
    finalState.back() = locateSelected(finalState.back());
  }
  auto finishMap = [&](ArrayRef<unsigned> mapped) {
    SmallVector<AffineExpr> results;
    for (unsigned dim : mapped)
      results.push_back(
          b.getAffineDimExpr(llvm::find(dims, dim) - dims.begin()));
    return AffineMap::get(dims.size(), 0, results, b.getContext());
  };
  SmallVector<AffineMap> maps;
  for (ArrayRef<unsigned> stateDims : getStateDims(operands, state.size()))
    maps.push_back(finishMap(stateDims));
  SmallVector<Value> weightingValues;
  for (const OperandPart &tile :
       ArrayRef(packed).drop_front(op.getWeightingIndex())) {
    weightingValues.push_back(tile.value);
    maps.push_back(finishMap(tile.dims));
  }
  if (value)
    maps.push_back(finishMap(value.dims));
  unsigned numFinished = op.getLse() ? 2 : 1;
  SmallVector<Value> targets;
  SmallVector<OperandPart> whole;
  for (auto [i, slice] : llvm::enumerate(slices.take_front(numFinished))) {
    whole.push_back({slice, {}, OperandRole::output});
    AffineMap map = op.getIndexingMap(op.getOutputIndex() + i);
    for (unsigned j = 0, e = map.getNumResults(); j < e; ++j)
      whole.back().dims.push_back(map.getDimPosition(j));
    OperandPart target =
        operands.foldResult(box, whole.back(), nest->getWorker());
    targets.push_back(target.value);
    maps.push_back(finishMap(target.dims));
  }
  auto finish = FinishOp::create(
      b, loc, ValueRange(targets).getTypes(), finalState[0],
      ValueRange(finalState).drop_front(), weightingValues, value.value,
      countKeys(), targets[0], targets.size() > 1 ? targets[1] : Value(),
      b.getAffineMapArrayAttr(maps), op.getWeighting(), sizes.layout,
      /*finished=*/isFinal);
  SmallVector<Value> results(slices);
  for (auto [i, finished] : llvm::enumerate(finish.getResults()))
    results[i] = operands.unfoldResult(box, finished, whole[i]);
  return results;
}

LogicalResult tileAttention(RewriterBase &rewriter, GenericOp op,
                            const TileSizes &sizes, bool countTiles,
                            const RequestFilter &filter) {
  FusionDecision fit = fitsKernel(op);
  if (!fit.fused)
    return rewriter.notifyMatchFailure(op, fit.reason);
  TileSizes whole = sizes;
  if (op.getDimensionClasses().queryRows.empty()) {
    op = addUnitRow(rewriter, op);
    whole.rowDims = {op.getDimensionClasses().queryRows.back()};
  }
  auto ordered = dyn_cast<OrderedWeightingAttrInterface>(op.getWeighting());
  if (ordered)
    op = takeMass(rewriter, op);
  rewriter.replaceOp(
      op,
      FusedAttention(rewriter, op, ordered, whole, countTiles, filter).run());
  return success();
}

} // namespace attn
