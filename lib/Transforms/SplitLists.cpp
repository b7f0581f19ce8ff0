//===- SplitLists.cpp - A step for each block of a list ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ListSplitter.h"

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
  AffineMap map = op.getIndexingMap(index);
  llvm::SmallBitVector unit(from.size());
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    if (isDropped(map.getDimPosition(i)))
      unit.set(i);
  return dropUnitDimensions(b, loc, slice, unit);
}

AffineMap ListSplitter::toStep(AffineMap map) {
  llvm::SmallBitVector dims(map.getNumDims());
  SmallVector<AffineExpr> results;
  for (unsigned dim = 0, e = map.getNumDims(); dim < e; ++dim)
    if (isDropped(dim))
      dims.set(dim);
  for (AffineExpr expr : map.getResults())
    if (!isDropped(cast<AffineDimExpr>(expr).getPosition()))
      results.push_back(expr);
  return compressDims(
      AffineMap::get(map.getNumDims(), 0, results, b.getContext()), dims);
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
  Value starts = generic.getKeyStarts();
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
  SmallVector<SmallVector<OpFoldResult>, 3> from(state.size()), extents(from);
  unsigned output = op.getOutputIndex();
  for (auto [i, part] : llvm::enumerate(state)) {
    box.locate(b, output + i, from[i], extents[i]);
    slices.push_back(createSlice(b, loc, part, from[i], extents[i]));
  }
  Values next;
  if (isFinal) {
    next = walkTwice(reader, first, end, slices);
  } else {
    next =
        forEachBlock(reader, first, end, generic ? createState() : slices,
                     [&](ValueRange carried) { return createStep(carried); });
    if (generic)
      next = finish(next, slices, countKeys(first, end));
  }
  for (auto [i, part] : llvm::enumerate(next))
    part = insertSlice(b, loc, part, state[i], from[i], extents[i]);
  return next;
}

SmallVector<Value>
ListSplitter::forEachBlock(const ListReader &reader, Value first, Value end,
                           ValueRange inits,
                           function_ref<Values(ValueRange)> body) {
  return loop(first, end, /*step=*/1, inits, [&](Value at, ValueRange carried) {
    takeBlock(reader, at, first);
    return body(carried);
  });
}

SmallVector<Value> ListSplitter::walkTwice(const ListReader &reader,
                                           Value first, Value end,
                                           ValueRange slices) {
  Value keys = countKeys(first, end);
  Values sums{createState().front()}, statistics;
  if (!op.getWeighting().getStatistics().empty()) {
    // Nothing is accumulated: there are no channels.
    SmallVector<OpFoldResult> extents = box.extents;
    for (unsigned dim : classes.channels)
      box.extents[dim] = b.getIndexAttr(0);
    statistics =
        forEachBlock(reader, first, end, createState(),
                     [&](ValueRange carried) { return createStep(carried); });
    statistics.erase(statistics.begin());
    box.extents = extents;
  }
  // What no list names has no weight.
  if (generic.getWeights()) {
    Value zero = createFloatConstant(
        b, loc, getElementTypeOrSelf(slices.back().getType()), 0.0);
    sums.push_back(
        linalg::FillOp::create(b, loc, zero, slices.back()).getResult(0));
  }
  Value count = arith::IndexCastOp::create(b, loc, b.getI64Type(), keys);
  count = arith::SIToFPOp::create(b, loc, op.getAccumulationType(), count);
  sums = forEachBlock(reader, first, end, sums, [&](ValueRange carried) {
    return createFinalStep(carried, statistics, count);
  });
  Values state{sums.front()};
  llvm::append_range(state, statistics);
  Values results =
      finish(state, slices.drop_back(generic.getWeights() ? 1 : 0), keys);
  if (generic.getWeights())
    results.push_back(sums.back());
  return results;
}

Value ListSplitter::countListed(Value first, Value end) {
  if (numListed)
    return numListed;
  Value entries = arith::SubIOp::create(b, loc, end, first);
  return arith::MulIOp::create(b, loc, entries, index(blocks.getKeys()));
}

Value ListSplitter::countKeys(Value first, Value end) {
  return blocks.isPhysical() ? countListed(first, end)
                             : createNumKeys(b, op, whole);
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

SplitList ListSplitter::run() {
  auto inits = cast<DestinationStyleOpInterface>(op.getOperation());
  Values results = forEachList(inits.getDpsInits(), /*number=*/0);
  return {results, steps, last};
}

SplitList splitLists(OpBuilder &b, AttentionOpInterface op) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  return ListSplitter(b, op).run();
}

} // namespace attn
