//===- SplitLists.cpp - A step for each block of a list ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/BlockList.h"
#include "attn/IR/Reshape.h"
#include "attn/IR/Utils.h"
#include "attn/Tiling/IterationBox.h"
#include "attn/Tiling/ListReader.h"
#include "attn/Tiling/Requests.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

namespace {

/// Writes the loops over lists, and over the entries of each.
class ListSplitter {
public:
  ListSplitter(OpBuilder &builder, AttentionOpInterface op)
      : b(builder), loc(op.getLoc()), op(op), blocks(*BlockList::of(op)),
        classes(op.getDimensionClasses()), box(IterationBox::whole(b, op)),
        whole(box.extents), ragged(getRaggedDims(op)) {
    for (unsigned dim = 0, e = op.getNumDims(); dim < e; ++dim)
      if (blocks.dependsOn(dim) || (ragged && ragged->request == dim))
        listDims.push_back(dim);
  }

  SplitList run();

private:
  using Values = SmallVector<Value>;
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value toValue(OpFoldResult size) {
    return getValueOrCreateConstantIndexOp(b, loc, size);
  }
  /// A loop that carries `inits`.
  Values loop(Value from, Value to, int64_t step, ValueRange inits,
              function_ref<Values(Value, ValueRange)> body);
  /// min(size, to - from).
  OpFoldResult clip(int64_t size, OpFoldResult from, OpFoldResult to);
  /// Loops over the positions of the dimensions from number `number` on that
  /// decide the list; `state` is that of the whole op.
  Values forEachList(ValueRange state, unsigned number);
  /// Moves the box to the rows of the request at hand.
  void takeRequest(Value request);
  /// The steps of the list at hand.
  Values walkList(ValueRange state);
  /// Of an op that is no step: the state before the first, of the rows at hand,
  /// and what the last one becomes in place of `slices`.
  Values createState();
  Values finish(ValueRange state, ValueRange slices, Value first, Value end);
  /// The first entry of the list at hand, and the one behind the last that
  /// holds keys of it.
  std::pair<Value, Value> readBounds(const ListReader &reader);
  /// The keys of a list: all of its blocks, or those that its request counts.
  Value countListed(Value first, Value end);
  /// Moves the box to entry `at` of the list, and positions with it.
  void takeBlock(const ListReader &reader, Value at, Value first);
  Values createStep(ValueRange state);
  /// The maps of accumulator and statistics.
  SmallVector<AffineMap> getStateMaps();
  /// Where the box lies in mapped operand `index`.
  void locate(unsigned index, SmallVectorImpl<OpFoldResult> &from,
              SmallVectorImpl<OpFoldResult> &extents);
  /// What the box has of mapped operand `index`, `value`, as a step takes it.
  Value take(unsigned index, Value value);
  /// A map of the op in a step, of which a request is no dimension where
  /// queries are packed.
  AffineMap toStep(AffineMap map);
  std::optional<unsigned> getDropped() const {
    return ragged && ragged->queryRow ? std::optional(ragged->request)
                                      : std::nullopt;
  }
  void cloneBody(Region &from, Region &to);

  OpBuilder &b;
  Location loc;
  AttentionOpInterface op;
  BlockList blocks;
  DimensionClasses classes;
  IterationBox box;
  SmallVector<OpFoldResult> whole;
  std::optional<RaggedDims> ragged;
  SmallVector<unsigned> listDims;
  /// Which key the first of the block at hand is.
  OpFoldResult position;
  /// How many keys the list at hand has, if not all of its blocks.
  Value numListed;
  OnlineOp step;
  FinishOp last;
};

} // namespace

SmallVector<Value>
ListSplitter::loop(Value from, Value to, int64_t step, ValueRange inits,
                   function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, loc, from, to, index(step), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b, loc,
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return Values(loop.getResults());
}

OpFoldResult ListSplitter::clip(int64_t size, OpFoldResult from,
                                OpFoldResult to) {
  if (size == 1)
    return b.getIndexAttr(1);
  AffineExpr rest = b.getAffineSymbolExpr(0) - b.getAffineDimExpr(0);
  return affine::makeComposedFoldedAffineMin(
      b, loc,
      AffineMap::get(1, 1, {b.getAffineConstantExpr(size), rest},
                     b.getContext()),
      {from, to});
}

SmallVector<Value> ListSplitter::forEachList(ValueRange state,
                                             unsigned number) {
  if (number == listDims.size())
    return walkList(state);
  unsigned dim = listDims[number];
  bool isRequest = ragged && ragged->request == dim;
  bool isShared = !isRequest && blocks.getListDim() == dim &&
                  !blocks.getIndicesMap().isFunctionOfDim(dim);
  int64_t size = isShared ? blocks.getRows() : 1;
  return loop(index(0), toValue(whole[dim]), size, state,
              [&](Value first, ValueRange carried) {
                box.offsets[dim] = first;
                box.extents[dim] = clip(size, first, whole[dim]);
                if (isRequest)
                  takeRequest(first);
                return forEachList(carried, number + 1);
              });
}

void ListSplitter::takeRequest(Value request) {
  if (!ragged->queryRow)
    return;
  auto generic = cast<GenericOp>(op.getOperation());
  IterationBox::Rows rows = readRows(b, loc, generic.getQueryStarts(), request);
  box.requestRows[*ragged->queryRow] = rows;
  box.extents[*ragged->queryRow] = rows.count;
}

void ListSplitter::locate(unsigned index, SmallVectorImpl<OpFoldResult> &from,
                          SmallVectorImpl<OpFoldResult> &extents) {
  box.locate(b, index, from, extents);
  for (size_t i = 0; i < from.size(); ++i)
    if (isByPosition(op, index, i)) {
      from[i] = position;
      extents[i] = box.extents[classes.keyRows.back()];
    }
}

Value ListSplitter::take(unsigned index, Value value) {
  if (!isa<RankedTensorType>(value.getType()))
    return value;
  SmallVector<OpFoldResult> from, extents;
  locate(index, from, extents);
  Value slice = createSlice(b, loc, value, from, extents);
  std::optional<unsigned> position, dropped = getDropped();
  if (dropped)
    position = op.getIndexingMap(index).getResultPosition(
        b.getAffineDimExpr(*dropped));
  if (!position)
    return slice;
  llvm::SmallBitVector unit(from.size());
  unit.set(*position);
  return dropUnitDimensions(b, loc, slice, unit);
}

AffineMap ListSplitter::toStep(AffineMap map) {
  std::optional<unsigned> dropped = getDropped();
  if (!dropped)
    return map;
  if (std::optional<unsigned> position =
          map.getResultPosition(b.getAffineDimExpr(*dropped)))
    map = map.dropResult(*position);
  llvm::SmallBitVector dims(map.getNumDims());
  dims.set(*dropped);
  return compressDims(map, dims);
}

std::pair<Value, Value> ListSplitter::readBounds(const ListReader &reader) {
  numListed = {};
  if (!ragged)
    return reader.readBounds();
  // Nothing is asked of the list of a request without rows.
  Value idle;
  if (ragged->queryRow)
    idle = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                 toValue(box.extents[*ragged->queryRow]),
                                 index(0));
  auto dropIfIdle = [&](Value size) -> Value {
    return idle ? arith::SelectOp::create(b, loc, idle, index(0), size) : size;
  };
  auto [first, end] = reader.readBounds(dropIfIdle);
  Value starts = cast<GenericOp>(op.getOperation()).getKeyStarts();
  if (!starts)
    return {first, end};
  Value request = toValue(box.offsets[ragged->request]);
  Value keys = dropIfIdle(toValue(readRows(b, loc, starts, request).count));
  reader.checkKeys(keys, countListed(first, end));
  numListed = keys;
  // Entries behind the last key are not looked at.
  Value blocksTaken =
      arith::CeilDivUIOp::create(b, loc, keys, index(blocks.getKeys()));
  return {first, arith::AddIOp::create(b, loc, first, blocksTaken)};
}

SmallVector<Value> ListSplitter::walkList(ValueRange state) {
  ListReader reader(b, loc, blocks, box.offsets, whole,
                    classes.keyRows.front());
  auto [first, end] = readBounds(reader);
  reader.checkPlaces(
      op, [&, first = first, end = end] { return countListed(first, end); });
  Values slices;
  unsigned output = op.getOutputIndex();
  for (auto [i, part] : llvm::enumerate(state))
    slices.push_back(take(output + i, part));
  bool isStep = isa<OnlineOp>(op.getOperation());
  Values next = loop(first, end, /*step=*/1, isStep ? slices : createState(),
                     [&, first = first](Value at, ValueRange carried) {
                       takeBlock(reader, at, first);
                       return createStep(carried);
                     });
  if (!isStep)
    next = finish(next, slices, first, end);
  for (auto [i, part] : llvm::enumerate(next)) {
    SmallVector<OpFoldResult> from, extents;
    locate(output + i, from, extents);
    part = insertSlice(b, loc, part, state[i], from, extents);
  }
  return next;
}

Value ListSplitter::countListed(Value first, Value end) {
  if (numListed)
    return numListed;
  Value entries = arith::SubIOp::create(b, loc, end, first);
  return arith::MulIOp::create(b, loc, entries, index(blocks.getKeys()));
}

void ListSplitter::takeBlock(const ListReader &reader, Value at, Value first) {
  Value entry = reader.readChecked(at, first);
  unsigned key = classes.keyRows.back();
  AffineExpr left = b.getAffineDimExpr(0), right = b.getAffineDimExpr(1);
  int64_t keys = blocks.getKeys();
  if (blocks.isPhysical()) {
    box.offsets[classes.keyRows.front()] = entry;
    box.extents[classes.keyRows.front()] = b.getIndexAttr(1);
    position = affine::makeComposedFoldedAffineApply(
        b, loc, (left - right) * keys, {at, first});
    if (numListed) {
      Value rest = arith::SubIOp::create(b, loc, numListed, toValue(position));
      box.extents[key] =
          Value(arith::MinSIOp::create(b, loc, rest, index(keys)));
    }
    return;
  }
  position = affine::makeComposedFoldedAffineApply(b, loc, left * keys,
                                                   {OpFoldResult(entry)});
  box.offsets[key] = position;
  box.extents[key] = clip(keys, position, whole[key]);
}

SmallVector<AffineMap> ListSplitter::getStateMaps() {
  AffineMap output = op.getIndexingMap(op.getOutputIndex());
  SmallVector<AffineExpr> rows;
  for (AffineExpr expr : output.getResults())
    if (classes.classes[cast<AffineDimExpr>(expr).getPosition()] !=
        DimensionClass::Channel)
      rows.push_back(expr);
  SmallVector<AffineMap> maps(
      1 + op.getWeighting().getStatistics().size(),
      AffineMap::get(op.getNumDims(), 0, rows, b.getContext()));
  maps[0] = output;
  return maps;
}

SmallVector<Value> ListSplitter::createState() {
  Values state;
  SmallVector<Statistic> statistics = op.getWeighting().getStatistics();
  for (auto [i, map] : llvm::enumerate(getStateMaps())) {
    SmallVector<OpFoldResult> from, extents;
    box.locate(map, from, extents);
    state.push_back(
        createFilledTensor(b, loc, extents, op.getAccumulationType(),
                           i == 0 ? 0.0 : statistics[i - 1].neutral));
  }
  return state;
}

SmallVector<Value> ListSplitter::finish(ValueRange state, ValueRange slices,
                                        Value first, Value end) {
  // The dimensions of the output are all that there are.
  SmallVector<AffineMap> maps = getStateMaps();
  Values operands;
  unsigned output = op.getOutputIndex();
  for (unsigned i = op.getWeightingIndex(); i < output; ++i) {
    operands.push_back(take(i, op.getMappedOperands()[i]));
    maps.push_back(op.getIndexingMap(i));
  }
  for (size_t i = 0; i < slices.size(); ++i)
    maps.push_back(op.getIndexingMap(output + i));
  for (AffineMap &map : maps)
    map = toStep(map);
  llvm::SmallBitVector unused = getUnusedDimsBitVector(maps);
  for (AffineMap &map : maps)
    map = compressDims(map, unused);
  Value keys = createNumKeys(b, op, whole);
  if (blocks.isPhysical())
    keys = countListed(first, end);
  last = FinishOp::create(
      b, loc, slices.getTypes(), state[0], state.drop_front(), operands,
      /*value=*/Value(), keys, slices[0],
      slices.size() > 1 ? slices[1] : Value(), b.getAffineMapArrayAttr(maps),
      op.getWeighting(), /*layout=*/LayoutAttrInterface(),
      /*finished=*/false);
  return Values(last.getResults());
}

void ListSplitter::cloneBody(Region &from, Region &to) {
  IterationBox positions = box;
  positions.offsets[classes.keyRows.back()] = position;
  SmallVector<std::optional<unsigned>> dims;
  std::optional<unsigned> dropped = getDropped();
  for (unsigned dim = 0, next = 0, e = op.getNumDims(); dim < e; ++dim)
    dims.push_back(dropped == dim ? std::nullopt : std::optional(next++));
  positions.cloneBody(b, from, to, dims);
}

SmallVector<Value> ListSplitter::createStep(ValueRange state) {
  Values operands;
  unsigned output = op.getOutputIndex(), weighting = op.getWeightingIndex();
  SmallVector<Value> mapped =
      cast<AttentionOpInterface>(op.getOperation()).getMappedOperands();
  SmallVector<AffineMap> maps;
  for (unsigned i = 0; i < output; ++i) {
    operands.push_back(take(i, mapped[i]));
    maps.push_back(op.getIndexingMap(i));
  }
  llvm::append_range(maps, getStateMaps());
  for (AffineMap &map : maps)
    map = toStep(map);
  ValueRange all(operands);
  step = OnlineOp::create(
      b, loc, state.getTypes(), all[0], all[1], all[2],
      all.slice(3, weighting - 3), all.drop_front(weighting),
      /*indptr=*/Value(), /*indices=*/Value(), /*ahead_key=*/Value(),
      /*ahead_value=*/Value(), /*rows=*/Value(), /*full=*/Value(),
      /*position=*/Value(), state[0], state.drop_front(),
      b.getAffineMapArrayAttr(maps), op.getWeighting(),
      /*layout=*/LayoutAttrInterface(), op.getScale(),
      TypeAttr::get(op.getAccumulationType()), /*key_tile=*/IntegerAttr(),
      /*count_tiles=*/false, /*blocks=*/BlockListAttr());
  cloneBody(op.getSimilarity(), step.getSimilarity());
  cloneBody(op.getMask(), step.getMask());
  cloneBody(op.getScore(), step.getScore());
  cloneBody(op.getWeight(), step.getWeight());
  // The loop has one state, whatever the steps take for theirs.
  Values next;
  for (auto [result, carried] : llvm::zip_equal(step.getResults(), state))
    next.push_back(
        linalg::CopyOp::create(b, loc, result, carried).getResult(0));
  return next;
}

SplitList ListSplitter::run() {
  auto inits = cast<DestinationStyleOpInterface>(op.getOperation());
  Values results = forEachList(inits.getDpsInits(), /*number=*/0);
  return {results, step, last};
}

SplitList splitLists(OpBuilder &b, AttentionOpInterface op) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  return ListSplitter(b, op).run();
}

} // namespace attn
