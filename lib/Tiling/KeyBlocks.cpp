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
  Value zero = index(0);
  if (filter.hasCopies) {
    Value left = isLeft(b, loc, filter, toValue(box.offsets[filter.request]));
    return arith::SelectOp::create(b, loc, left, size, zero);
  }
  if (!op.getQueryStarts())
    return size;
  Value idle = compare(Predicate::eq, toValue(box.extents[operands.row]), zero);
  return arith::SelectOp::create(b, loc, idle, zero, size);
}

ListReader FusedAttention::getReader() {
  return ListReader(b, loc, *blocks, box.offsets, wholeExtents,
                    classes.keyRows.front());
}

Value FusedAttention::readListed(Value at) { return getReader().read(at); }

void FusedAttention::takeList() {
  if (!blocks)
    return;
  list.emplace();
  std::tie(list->first, list->end) =
      getReader().readBounds([&](Value bound) { return dropIfIdle(bound); });
  if (walksPlaces())
    if (Value lacking = countLackingKeys())
      list->count = arith::SubIOp::create(b, loc, countPlaces(), lacking);
  if (op.getKeyStarts())
    list->count = countRequestKeys();
  getReader().checkPlaces(op, [&] { return countPlaces(); });
}

Value FusedAttention::countRequestKeys() {
  Value request = toValue(box.offsets[getRaggedDims(op)->request]);
  Value keys = toValue(readRows(b, loc, op.getKeyStarts(), request).count);
  keys = dropIfIdle(keys);
  getReader().checkKeys(keys, countListed());
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

Value FusedAttention::readEntry(Value at) {
  return getReader().readChecked(at, list->first);
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
  // Without ranges, splits begin where blocks do that divide their multiple.
  bool isCut = split && (hasRanges() || kPartMultiple % keys != 0);
  block->whole = !isCut && !list->count && keys % sizes.keyRows == 0;
  if (blocks->isPhysical())
    block->shift = first;
  else if (op.getWeighting().getWeightingKind() == WeightingKind::Select)
    block->lead = arith::SubIOp::create(b, loc, first, place);
  if (list->count)
    limit = arith::MinSIOp::create(b, loc, limit, list->count);
  if (isCut) {
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
  Value from = list->first, to = list->end, reach = to;
  Value keys = index(blocks->getKeys());
  auto getEnd = [&](Value limit) -> Value {
    Value taken = b.createOrFold<arith::CeilDivSIOp>(loc, limit, keys);
    taken = arith::AddIOp::create(b, loc, list->first, taken);
    return arith::MinSIOp::create(b, loc, taken, list->end);
  };
  // Entries without a place at hand are passed over.
  if (split || blocks->isPhysical()) {
    std::pair<Value, Value> hull;
    if (blocks->isPhysical()) {
      hull = emitKeyHull();
      reach = getEnd(hull.second);
    }
    auto [first, limit] = split ? std::pair(split->first, split->limit) : hull;
    Value skipped = b.createOrFold<arith::FloorDivSIOp>(loc, first, keys);
    from = arith::AddIOp::create(b, loc, list->first, skipped);
    to = getEnd(limit);
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
    // Whoever has a part of the keys goes on to the next one.
    later = arith::MinSIOp::create(
        b, loc, later, arith::SubIOp::create(b, loc, reach, index(1)));
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
