//===- KeyBlocks.cpp - The keys of a list of blocks -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where keys are given by lists of blocks, a worker has one list. It is walked
// entry by entry, and in the block that an entry names the walk is that of any
// keys, clipped to it: to the mask's ranges, by tiles, by several query tiles.
//
// The *places* of a list are its keys in order, entry number o's from o times
// the keys of a block on. Of pages, places are positions, and splits part them;
// of logical blocks, an entry says which positions they are.
//
//===----------------------------------------------------------------------===//

#include "FusedAttention.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

/// Pages lie anywhere, so that the hardware's prefetchers, which follow reads,
/// do not find them. So many keys ahead they are there in time; lanes along
/// rows do enough with each key to wait for it.
constexpr int64_t kKeysAhead = 32;

Value FusedAttention::compare(Predicate predicate, Value left, Value right) {
  return b.createOrFold<arith::CmpIOp>(loc, predicate, left, right);
}

Value FusedAttention::dropIfIdle(Value size) {
  if (!op.getQueryStarts())
    return size;
  Value zero = index(0);
  Value idle = compare(Predicate::eq, toValue(box.extents[operands.row]), zero);
  return arith::SelectOp::create(b, loc, idle, zero, size);
}

void FusedAttention::check(Value holds, StringRef message, Value expected,
                           Value got) {
  CheckOp::create(b, loc, holds, locateMessage(loc, message),
                  ValueRange{expected, got});
}

/// An element of indptr or indices, `position` along its last dimension.
Value FusedAttention::readListed(Value operand, ArrayRef<unsigned> outer,
                                 Value position) {
  SmallVector<Value> indices;
  for (unsigned dim : outer)
    indices.push_back(toValue(box.offsets[dim]));
  indices.push_back(position);
  Value element = tensor::ExtractOp::create(b, loc, operand, indices);
  return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), element);
}

static SmallVector<unsigned> getDims(AffineMap map) {
  SmallVector<unsigned> dims;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    dims.push_back(map.getDimPosition(i));
  return dims;
}

Value FusedAttention::readListed(Value at) {
  return readListed(blocks->indices, getDims(blocks->getIndicesMap()), at);
}

static Value getLastExtent(OpBuilder &b, Location loc, Value operand) {
  unsigned last = cast<RankedTensorType>(operand.getType()).getRank() - 1;
  return b.createOrFold<tensor::DimOp>(loc, operand, last);
}

void FusedAttention::takeList() {
  if (!blocks)
    return;
  SmallVector<unsigned> outer = getDims(blocks->getIndptrMap());
  Value number = index(0);
  if (std::optional<unsigned> dim = blocks->getListDim()) {
    outer.pop_back();
    number = b.createOrFold<arith::DivUIOp>(loc, toValue(box.offsets[*dim]),
                                            index(blocks->getRows()));
  }
  Value behind = b.createOrFold<arith::AddIOp>(loc, number, index(1));
  auto indptr = cast<RankedTensorType>(blocks->indptr.getType());
  std::optional<unsigned> dim = blocks->getListDim();
  // The verifier has compared extents that types tell.
  if (indptr.isDynamicDim(indptr.getRank() - 1) ||
      (dim && !getConstantIntValue(wholeExtents[*dim]))) {
    Value extent = getLastExtent(b, loc, blocks->indptr);
    Value least = b.createOrFold<arith::AddIOp>(loc, behind, index(1));
    check(compare(Predicate::ule, least, extent), BlockListErrors::noList,
          least, extent);
  }
  list.emplace();
  list->first = dropIfIdle(readListed(blocks->indptr, outer, number));
  list->end = dropIfIdle(readListed(blocks->indptr, outer, behind));
  // As unsigned numbers the negative ones are the largest.
  Value entries = getLastExtent(b, loc, blocks->indices);
  for (Value bound : {list->first, list->end})
    check(compare(Predicate::ule, bound, entries), BlockListErrors::bounds,
          entries, bound);
  check(compare(Predicate::ule, list->first, list->end), BlockListErrors::order,
        list->first, list->end);
  if (walksPlaces())
    if (Value lacking = countLackingKeys())
      list->count = arith::SubIOp::create(b, loc, countPlaces(), lacking);
  if (op.getKeyStarts())
    list->count = countRequestKeys();
}

Value FusedAttention::countRequestKeys() {
  Value request = toValue(box.offsets[getRaggedDims(op)->request]);
  Value keys = toValue(readRows(b, loc, op.getKeyStarts(), request).count);
  keys = dropIfIdle(keys);
  Value places = countListed();
  check(compare(Predicate::ule, keys, places), BlockListErrors::keys, keys,
        places);
  return keys;
}

Value FusedAttention::countPlaces() {
  return list->count ? list->count : countListed();
}

Value FusedAttention::countListed() {
  Value entries = b.createOrFold<arith::SubIOp>(loc, list->end, list->first);
  return b.createOrFold<arith::MulIOp>(loc, entries, index(blocks->getKeys()));
}

Value FusedAttention::countKeys() {
  if (blocks && blocks->isPhysical())
    return countPlaces();
  return createNumKeys(b, op, wholeExtents);
}

/// Entry `at`, in range and, of logical blocks, above the one before.
Value FusedAttention::readEntry(Value at) {
  Value entry = readListed(at);
  OpFoldResult extent = wholeExtents[classes.keyRows.front()];
  Value count = toValue(extent);
  if (!blocks->isPhysical())
    count = toValue(affine::makeComposedFoldedAffineApply(
        b, loc, b.getAffineSymbolExpr(0).ceilDiv(blocks->getKeys()), {extent}));
  check(compare(Predicate::ult, entry, count), BlockListErrors::block, count,
        entry);
  if (blocks->isPhysical())
    return entry;
  // The first has none before it, and is its own.
  Value before = arith::SubIOp::create(b, loc, at, index(1));
  before = arith::MaxSIOp::create(b, loc, before, list->first);
  Value previous = readListed(before);
  Value isFirst = compare(Predicate::eq, at, list->first);
  Value ascends = compare(Predicate::slt, previous, entry);
  check(arith::OrIOp::create(b, loc, isFirst, ascends), BlockListErrors::ascent,
        previous, entry);
  return entry;
}

/// The keys of the entry at `at` that are at hand: all, but for those of
/// another split and beyond the last.
void FusedAttention::takeBlock(Value at, Value entry) {
  int64_t keys = blocks->getKeys();
  Value ordinal = arith::SubIOp::create(b, loc, at, list->first);
  Value place = arith::MulIOp::create(b, loc, ordinal, index(keys));
  Value first = place;
  if (!blocks->isPhysical())
    first = arith::MulIOp::create(b, loc, entry, index(keys));
  Value limit = arith::AddIOp::create(b, loc, first, index(keys));
  block.emplace();
  block->whole = !split && !list->count && keys % sizes.keyRows == 0;
  if (blocks->isPhysical())
    block->shift = first;
  else if (op.getWeighting().getWeightingKind() == WeightingKind::Select)
    block->lead = arith::SubIOp::create(b, loc, first, place);
  if (list->count)
    limit = arith::MinSIOp::create(b, loc, limit, list->count);
  if (split) {
    Value shift = arith::SubIOp::create(b, loc, first, place);
    auto move = [&](Value bound) {
      return arith::AddIOp::create(b, loc, bound, shift);
    };
    first = arith::MaxSIOp::create(b, loc, first, move(split->first));
    limit = arith::MinSIOp::create(b, loc, limit, move(split->limit));
  }
  if (!blocks->isPhysical()) {
    std::optional<int64_t> extent =
        getConstantIntValue(wholeExtents[operands.key]);
    if (!extent || *extent % keys != 0) {
      block->whole = false;
      limit = arith::MinSIOp::create(b, loc, limit,
                                     toValue(wholeExtents[operands.key]));
    }
  }
  block->first = first;
  block->limit = limit;
}

SmallVector<Value>
FusedAttention::forEachBlock(ValueRange inits,
                             function_ref<Values(ValueRange)> body) {
  Value from = list->first, to = list->end;
  // Entries without a place at hand are passed over.
  if (split || blocks->isPhysical()) {
    auto [first, limit] =
        split ? std::pair(split->first, split->limit) : emitKeyHull();
    Value keys = index(blocks->getKeys());
    Value skipped = b.createOrFold<arith::FloorDivSIOp>(loc, first, keys);
    Value taken = b.createOrFold<arith::CeilDivSIOp>(loc, limit, keys);
    from = arith::AddIOp::create(b, loc, list->first, skipped);
    to = arith::AddIOp::create(b, loc, list->first, taken);
    to = arith::MinSIOp::create(b, loc, to, list->end);
  }
  auto loop = scf::ForOp::create(b, loc, from, to, index(1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value at = loop.getInductionVar(), entry = readEntry(at);
  takeBlock(at, entry);
  unsigned page = classes.keyRows.front();
  OpFoldResult offset = box.offsets[page], extent = box.extents[page];
  SmallVector<OperandPart> whole(parts);
  if (blocks->isPhysical()) {
    Value later = arith::AddIOp::create(
        b, loc, at, index(llvm::divideCeil(kKeysAhead, blocks->getKeys())));
    later = arith::MinSIOp::create(b, loc, later,
                                   arith::SubIOp::create(b, loc, to, index(1)));
    block->ahead = readListed(later);
    pages = {parts[1], parts[2]};
    box.offsets[page] = entry;
    box.extents[page] = b.getIndexAttr(1);
    for (OperandPart &part : parts)
      if (part.has(page))
        part = operands.at(box, part, page);
  }
  Values next = body(loop.getRegionIterArgs());
  parts = whole;
  box.offsets[page] = offset;
  box.extents[page] = extent;
  block.reset();
  if (!inits.empty())
    scf::YieldOp::create(b, loc, next);
  return Values(loop.getResults());
}

std::array<Value, 2> FusedAttention::takeAhead() {
  if (!block || !block->ahead || shared || !sizes.layout.foldsRows())
    return {};
  // A tile of part of a page brings near what a later one of it reads: its own.
  std::array<Value, 2> ahead;
  IterationBox later = box;
  later.offsets[classes.keyRows.front()] = block->ahead;
  for (auto [i, value] : llvm::enumerate(ahead)) {
    OperandPart part = operands.at(later, pages[i], classes.keyRows.front());
    if (operands.needsPacking(part))
      return {};
    value = operands.cut(later, part, nest->getWorker()).value;
  }
  return ahead;
}

OpFoldResult FusedAttention::locateKey(OpFoldResult position) {
  if (!block || !block->shift)
    return position;
  return affine::makeComposedFoldedAffineApply(
      b, loc, b.getAffineDimExpr(0) - b.getAffineDimExpr(1),
      {position, OpFoldResult(block->shift)});
}

} // namespace attn
