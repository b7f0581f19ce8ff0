//===- KeyWalk.cpp - What a query tile sees of the keys ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FusedAttention.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace attn {

static bool isMultiple(OpFoldResult extent, int64_t size) {
  std::optional<int64_t> known = getConstantIntValue(extent);
  return known && *known % size == 0;
}

/// Ranges of positions say nothing of places that are none.
bool FusedAttention::hasRanges() {
  return !op.getMask().empty() && !op.getRanges().empty() && !walksPlaces();
}

SmallVector<Value> FusedAttention::forEachOuterKey(
    ValueRange inits, function_ref<Values(ValueRange)> body, unsigned number) {
  if (gathersKeys())
    return body(inits);
  if (blocks)
    return forEachBlock(inits, body);
  if (number + 1 == classes.keyRows.size())
    return body(inits);
  unsigned dim = classes.keyRows[number];
  SpanWalk walk(b, loc, /*tileRows=*/1, index(0), toValue(wholeExtents[dim]),
                /*whole=*/true);
  return forEachTile(
      b, loc, walk, inits, [&](const WalkTile &tile, ValueRange carried) {
        box.offsets[dim] = tile.location;
        box.extents[dim] = tile.extent;
        SmallVector<OperandPart> whole(parts);
        for (OperandPart &part : parts)
          if (part.has(dim))
            part = operands.at(box, part, dim);
        SmallVector<Value> next = forEachOuterKey(carried, body, number + 1);
        parts = whole;
        box.offsets[dim] = b.getIndexAttr(0);
        box.extents[dim] = wholeExtents[dim];
        return next;
      });
}

Value FusedAttention::clip(Value end) {
  // Lists clip by themselves.
  if (!isRagged() || blocks)
    return end;
  return arith::MinSIOp::create(b, loc, end,
                                toValue(wholeExtents[operands.key]));
}

Value FusedAttention::countWalked() {
  return gathersKeys() ? countPlaces() : toValue(wholeExtents[operands.key]);
}

void FusedAttention::emitCost() {
  // What costs are is asked before lists are checked: no entry is read for it.
  if (blocks) {
    CostOp::create(b, loc, op.getKeyStarts() ? countPlaces() : countListed());
    return;
  }
  Value limit = toValue(wholeExtents[operands.key]);
  if (!hasRanges()) {
    if (isRagged())
      CostOp::create(b, loc, limit);
    return;
  }
  SmallVector<Value> keys = forEachOuterKey(index(0), [&](ValueRange carried) {
    SmallVector<Value> ranges =
        inlineBody(b, op.getRanges(), box.getBoundArguments(b));
    Value sum = carried.front();
    for (size_t i = 0; i < ranges.size(); i += 2) {
      Value length =
          arith::SubIOp::create(b, loc, clip(ranges[i + 1]), ranges[i]);
      length = arith::MaxSIOp::create(b, loc, length, index(0));
      sum = arith::AddIOp::create(b, loc, sum, length);
    }
    return Values{sum};
  });
  CostOp::create(b, loc, keys.front());
}

Value FusedAttention::clamp(Value bound, Value from, Value to) {
  bound = b.createOrFold<arith::MaxSIOp>(loc, bound, from);
  return b.createOrFold<arith::MinSIOp>(loc, bound, to);
}

std::pair<Value, Value> FusedAttention::emitKeyHull() {
  Value first = index(0), end;
  if (block)
    std::tie(first, end) = std::pair(block->first, block->limit);
  else
    end = blocks ? countPlaces() : toValue(wholeExtents[operands.key]);
  // Ranges of positions say nothing of places that are none.
  bool ofPlaces = blocks && !block && !blocks->isPhysical();
  if (!hasRanges() || ofPlaces)
    return {first, end};
  std::pair<Value, Value> bounds(first, end);
  SmallVector<Value> ranges =
      inlineBody(b, op.getRanges(), box.getBoundArguments(b));
  if (ranges.empty())
    return {first, first};
  std::tie(first, end) = std::pair(ranges[0], ranges[1]);
  for (size_t i = 2; i < ranges.size(); i += 2) {
    first = arith::MinSIOp::create(b, loc, first, ranges[i]);
    end = arith::MaxSIOp::create(b, loc, end, ranges[i + 1]);
  }
  end = clip(end);
  if (blocks) {
    first = arith::MaxSIOp::create(b, loc, first, bounds.first);
    end = arith::MinSIOp::create(b, loc, end, bounds.second);
  }
  return {first, end};
}

std::unique_ptr<Walk> FusedAttention::createWalk(ValueRange ranges, Value from,
                                                 Value to) {
  bool clips = shared || split || block || isRagged() || gathersKeys();
  if (ranges.size() != 2)
    return std::make_unique<RangesWalk>(b, loc, sizes.keyRows, ranges, from, to,
                                        clips);
  Value begin = ranges[0], end = ranges[1];
  bool whole =
      !clips && matchPattern(begin, m_Zero()) && isMultiple(end, sizes.keyRows);
  if ((split || block) && !hasRanges())
    return std::make_unique<SpanWalk>(b, loc, sizes.keyRows, from, to,
                                      block ? block->whole : split->whole);
  if (clips) {
    begin = arith::MaxSIOp::create(b, loc, begin, from);
    end = arith::MinSIOp::create(b, loc, end, to);
  }
  return std::make_unique<SpanWalk>(b, loc, sizes.keyRows, begin, end, whole);
}

SmallVector<Value> FusedAttention::walkKeys(ValueRange inits) {
  unsigned key = operands.key;
  OpFoldResult offset = box.offsets[key], extent = box.extents[key];
  Value from = index(0), to = countWalked();
  if (shared)
    std::tie(from, to) = std::pair(shared->first, shared->limit);
  else if (block)
    std::tie(from, to) = std::pair(block->first, block->limit);
  else if (split)
    std::tie(from, to) = std::pair(split->first, split->limit);
  bool isTile = block && block->whole && blocks->getKeys() == sizes.keyRows;
  SmallVector<Value> ranges{from, to}, state;
  if (hasRanges())
    ranges = inlineBody(b, op.getRanges(), box.getBoundArguments(b));
  if (shared && !hasRanges()) {
    state = emitKeyTile(shared->tile, inits);
  } else if (isTile && !hasRanges()) {
    state = emitKeyTile(
        {OpFoldResult(from), OpFoldResult(from), b.getIndexAttr(sizes.keyRows)},
        inits);
  } else {
    std::unique_ptr<Walk> walk = createWalk(ranges, from, to);
    state = leavesGaps()
                ? walkAndClear(*walk, ranges, from, to, inits)
                : forEachTile(b, loc, *walk, inits,
                              [&](const WalkTile &tile, ValueRange carried) {
                                return emitKeyTile(tile, carried);
                              });
  }
  box.offsets[key] = offset;
  box.extents[key] = extent;
  return state;
}

SmallVector<Value> FusedAttention::emitKeyTile(const WalkTile &tile,
                                               ValueRange state) {
  box.offsets[operands.key] = locateKey(tile.location);
  box.extents[operands.key] = tile.extent;
  keyPosition = tile.position;
  if (op.getMask().empty() || op.getClassify().empty())
    return emitStep(state, /*full=*/{});

  SmallVector<Value> arguments = box.getBoundArguments(b);
  AffineExpr from = b.getAffineDimExpr(0), size = b.getAffineDimExpr(1);
  Value first = toValue(tile.position);
  Value last = affine::AffineApplyOp::create(
      b, loc, AffineMap::get(2, 0, from + size - 1),
      ValueRange{first, toValue(tile.extent)});
  for (Value bound : {first, last})
    arguments.push_back(walksPlaces() ? locatePlace(bound) : bound);
  SmallVector<Value> truth = inlineBody(b, op.getClassify(), arguments);
  Value full = truth[1];
  if (matchPattern(full, m_Zero()))
    full = {};
  if (matchPattern(truth[0], m_Zero()))
    return emitStep(state, full);
  auto branch = scf::IfOp::create(b, loc, state.getTypes(), truth[0],
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  SmallVector<Value> skipped(state);
  if (leavesGaps()) {
    AffineExpr first = b.getAffineDimExpr(0), size = b.getAffineSymbolExpr(0);
    skipped =
        clearGap(state, toValue(tile.position),
                 toValue(affine::makeComposedFoldedAffineApply(
                     b, loc, first + size, {tile.position, tile.extent})));
  }
  scf::YieldOp::create(b, loc, skipped);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, emitStep(state, full));
  return SmallVector<Value>(branch.getResults());
}

//===----------------------------------------------------------------------===//
// The online step
//===----------------------------------------------------------------------===//

OperandPart FusedAttention::takeKeys(const OperandPart &part,
                                     const OperandPart &sharedPart) {
  if (!sharedPart)
    return operands.store(box, operands.cut(box, part, nest->getWorker()),
                          nest->getWorker());
  IterationBox local = box;
  AffineExpr position = b.getAffineDimExpr(0), first = b.getAffineDimExpr(1);
  local.offsets[operands.key] = affine::makeComposedFoldedAffineApply(
      b, loc, position - first, {keyPosition, OpFoldResult(shared->first)});
  return operands.cut(local, sharedPart, nest->getWorker());
}

void FusedAttention::cloneBody(Region &from, Region &to, ValueRange inputs) {
  auto position = [&](unsigned dim) -> Value {
    if (dim == operands.key) {
      Value local = IndexOp::create(b, loc, 1);
      if (!walksPlaces())
        return local;
      Value first = toValue(keyPosition);
      return locatePlace(arith::AddIOp::create(b, loc, local, first));
    }
    if (!llvm::is_contained(operands.rowDims, dim))
      return {};
    return operands.unfoldRow(box, IndexOp::create(b, loc, 0), dim);
  };
  unsigned firstInput =
      from.empty() ? 0 : from.getNumArguments() - inputs.size();
  auto argument = [&](BlockArgument argument) -> Value {
    unsigned index = argument.getArgNumber();
    if (index < firstInput)
      return argument;
    Type stored = getElementTypeOrSelf(inputs[index - firstInput].getType());
    if (!argument.getType().isInteger(1) || stored.isInteger(1))
      return argument;
    argument.setType(stored);
    return arith::TruncIOp::create(b, loc, b.getI1Type(), argument);
  };
  IterationBox positions = box;
  positions.offsets[operands.key] =
      walksPlaces() ? OpFoldResult(b.getIndexAttr(0)) : keyPosition;
  positions.cloneBody(b, from, to, position, argument);
}

FusedAttention::Tiles FusedAttention::takeTiles() {
  Tiles tiles;
  double scale = op.getScale().convertToDouble();
  tiles.scale = operands.getQueryScale() == scale ? 1.0 : scale;
  auto isGathered = [&](unsigned i) {
    bool isShared = shared && (i == 1 || i == 2);
    return gathersKeys() && operands.variesByKey(parts[i]) && !isShared &&
           !isByPosition(op, i);
  };
  SmallVector<OperandPart> wanted;
  for (auto [i, part] : llvm::enumerate(parts))
    if (isGathered(i))
      wanted.push_back(part);
  SmallVector<OperandPart> gathered;
  if (!wanted.empty())
    gathered = gatherKeys(wanted);
  size_t next = 0;
  for (auto [i, part] : llvm::enumerate(parts)) {
    if (isGathered(i))
      tiles.parts.push_back(gathered[next++]);
    else if (!operands.variesByKey(part) && packed[i])
      tiles.parts.push_back(packed[i]);
    else if (i == 1 || i == 2)
      tiles.parts.push_back(takeKeys(part, !shared  ? OperandPart()
                                           : i == 1 ? shared->keys
                                                    : shared->values));
    else {
      IterationBox local = box;
      if (isByPosition(op, i))
        local.offsets[operands.key] = keyPosition;
      tiles.parts.push_back(
          operands.store(local, operands.cut(local, part, nest->getWorker()),
                         nest->getWorker()));
    }
    tiles.values.push_back(tiles.parts.back().value);
  }
  return tiles;
}

/// Keys are counted along all key row dimensions, the innermost fastest; those
/// of a list by their places, which are in the order of positions.
Value FusedAttention::emitPosition() {
  if (op.getWeighting().getWeightingKind() != WeightingKind::Select)
    return {};
  if (blocks) {
    Value position = toValue(keyPosition);
    if (!block || !block->lead)
      return position;
    return arith::SubIOp::create(b, loc, position, block->lead);
  }
  AffineExpr before = b.getAffineDimExpr(0), at = b.getAffineDimExpr(1);
  AffineExpr extent = b.getAffineSymbolExpr(0);
  OpFoldResult position = b.getIndexAttr(0);
  for (unsigned dim : classes.keyRows)
    position = affine::makeComposedFoldedAffineApply(
        b, loc, before * extent + at,
        {position, dim == operands.key ? keyPosition : box.offsets[dim],
         wholeExtents[dim]});
  return toValue(position);
}

SmallVector<Value> FusedAttention::emitOnline(ValueRange state, Value full) {
  Tiles tiles = takeTiles();
  SmallVector<AffineMap> maps;
  for (const OperandPart &tile : tiles.parts)
    maps.push_back(operands.tileMap(tile.dims));
  maps.push_back(operands.tileMap({operands.row, operands.channel}));
  maps.append(state.size() - 1, operands.tileMap(operands.row));

  ValueRange all(tiles.values);
  unsigned weighting = op.getWeightingIndex();
  ValueRange inputs = all.slice(3, weighting - 3);
  std::array<Value, 2> ahead = takeAhead();
  auto online = OnlineOp::create(
      b, loc, state.getTypes(), all[0], all[1], all[2], inputs,
      all.drop_front(weighting), /*indptr=*/Value(), /*indices=*/Value(),
      ahead[0], ahead[1], nest->getRows(), full, emitPosition(), state[0],
      state.drop_front(), b.getAffineMapArrayAttr(maps), op.getWeighting(),
      sizes.layout, llvm::APFloat(tiles.scale),
      TypeAttr::get(op.getAccumulationType()),
      b.getI64IntegerAttr(sizes.keyRows), countTiles,
      /*blocks=*/BlockListAttr());
  cloneBody(op.getSimilarity(), online.getSimilarity(), inputs);
  cloneBody(op.getMask(), online.getMask(), inputs);
  cloneBody(op.getScore(), online.getScore(), inputs);
  // Statistics know nothing of the weight region.
  if (!isReplayed())
    cloneBody(op.getWeight(), online.getWeight(), inputs);
  return SmallVector<Value>(online.getResults());
}

} // namespace attn
