//===- ListReader.cpp - Reads lists of key blocks ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tiling/ListReader.h"
#include "attn/IR/Elements.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

Value ListReader::compare(Predicate predicate, Value left, Value right) const {
  return b.createOrFold<arith::CmpIOp>(loc, predicate, left, right);
}

void ListReader::check(Value holds, StringRef message, Value expected,
                       Value got) const {
  CheckOp::create(b, loc, holds, locateMessage(loc, message),
                  ValueRange{expected, got});
}

static SmallVector<unsigned> getDims(AffineMap map) {
  SmallVector<unsigned> dims;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    dims.push_back(map.getDimPosition(i));
  return dims;
}

static Value getLastExtent(OpBuilder &b, Location loc, Value operand) {
  unsigned last = cast<ShapedType>(operand.getType()).getRank() - 1;
  return getValueOrCreateConstantIndexOp(b, loc,
                                         getExtent(b, loc, operand, last));
}

Value ListReader::read(Value operand, ArrayRef<unsigned> outer,
                       Value position) const {
  SmallVector<Value> indices;
  for (unsigned dim : outer)
    indices.push_back(getValueOrCreateConstantIndexOp(b, loc, offsets[dim]));
  indices.push_back(position);
  Value element = createRead(b, loc, operand, indices);
  return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), element);
}

Value ListReader::read(Value at) const {
  return read(blocks.indices, getDims(blocks.getIndicesMap()), at);
}

Value ListReader::readChecked(Value at, Value first) const {
  Value entry = read(at);
  OpFoldResult size = extents[key];
  if (!blocks.isPhysical())
    size = affine::makeComposedFoldedAffineApply(
        b, loc, b.getAffineSymbolExpr(0).ceilDiv(blocks.getKeys()), {size});
  Value count = getValueOrCreateConstantIndexOp(b, loc, size);
  check(compare(Predicate::ult, entry, count), BlockListErrors::block, count,
        entry);
  if (blocks.isPhysical())
    return entry;
  // The first has none before it, and is its own.
  Value before = arith::SubIOp::create(b, loc, at, index(1));
  before = arith::MaxSIOp::create(b, loc, before, first);
  Value previous = read(before);
  Value isFirst = compare(Predicate::eq, at, first);
  Value ascends = compare(Predicate::slt, previous, entry);
  check(arith::OrIOp::create(b, loc, isFirst, ascends), BlockListErrors::ascent,
        previous, entry);
  return entry;
}

Value ListReader::locate(Value place, Value first) const {
  AffineExpr number = b.getAffineDimExpr(0), other = b.getAffineDimExpr(1);
  auto apply = [&](AffineExpr expr, ArrayRef<OpFoldResult> operands) {
    return getValueOrCreateConstantIndexOp(
        b, loc, affine::makeComposedFoldedAffineApply(b, loc, expr, operands));
  };
  int64_t keys = blocks.getKeys();
  Value entry = read(apply(other + number.floorDiv(keys), {place, first}));
  if (keys == 1)
    return entry;
  Value row = apply(number % keys, {OpFoldResult(place)});
  return apply(number * keys + other, {entry, row});
}

/// The keys of the last logical block may end before it does: the last one of a
/// list, as blocks ascend.
Value ListReader::countLacking(Value first, Value end) const {
  int64_t keys = blocks.getKeys();
  OpFoldResult extent = extents[key];
  std::optional<int64_t> known = getConstantIntValue(extent);
  if (blocks.isPhysical() || (known && *known % keys == 0))
    return {};
  Value hasLast = compare(Predicate::ult, first, end);
  auto branch = scf::IfOp::create(b, loc, TypeRange(b.getIndexType()), hasLast,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value at = arith::SubIOp::create(b, loc, end, index(1));
  Value behind = arith::AddIOp::create(b, loc, read(at), index(1));
  behind = arith::MulIOp::create(b, loc, behind, index(keys));
  Value lacking = arith::SubIOp::create(
      b, loc, behind, getValueOrCreateConstantIndexOp(b, loc, extent));
  // Whatever the entry is: it is yet to be checked.
  lacking = b.createOrFold<arith::MaxSIOp>(loc, lacking, index(0));
  scf::YieldOp::create(
      b, loc, b.createOrFold<arith::MinSIOp>(loc, lacking, index(keys - 1)));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, index(0));
  return branch.getResult(0);
}

std::pair<Value, Value>
ListReader::readBounds(function_ref<Value(Value)> adjust) const {
  SmallVector<unsigned> outer = getDims(blocks.getIndptrMap());
  Value number = index(0);
  if (std::optional<unsigned> dim = blocks.getListDim()) {
    outer.pop_back();
    number = b.createOrFold<arith::DivUIOp>(
        loc, getValueOrCreateConstantIndexOp(b, loc, offsets[*dim]),
        index(blocks.getRows()));
  }
  Value behind = b.createOrFold<arith::AddIOp>(loc, number, index(1));
  auto type = cast<ShapedType>(blocks.indptr.getType());
  std::optional<unsigned> dim = blocks.getListDim();
  // The verifier has compared extents that types tell.
  if (type.isDynamicDim(type.getRank() - 1) ||
      (dim && !getConstantIntValue(extents[*dim]))) {
    Value extent = getLastExtent(b, loc, blocks.indptr);
    Value least = b.createOrFold<arith::AddIOp>(loc, behind, index(1));
    check(compare(Predicate::ule, least, extent), BlockListErrors::noList,
          least, extent);
  }
  Value first = read(blocks.indptr, outer, number);
  Value end = read(blocks.indptr, outer, behind);
  if (adjust) {
    first = adjust(first);
    end = adjust(end);
  }
  // As unsigned numbers the negative ones are the largest.
  Value entries = getLastExtent(b, loc, blocks.indices);
  for (Value bound : {first, end})
    check(compare(Predicate::ule, bound, entries), BlockListErrors::bounds,
          entries, bound);
  check(compare(Predicate::ule, first, end), BlockListErrors::order, first,
        end);
  return {first, end};
}

void ListReader::checkKeys(Value keys, Value places) const {
  check(compare(Predicate::ule, keys, places), BlockListErrors::keys, keys,
        places);
}

void ListReader::checkPlaces(AttentionOpInterface op,
                             function_ref<Value()> countKeys) const {
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    AffineMap map = op.getIndexingMap(index);
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
      if (!isByPosition(op, index, i))
        continue;
      Value keys = countKeys();
      Value extent = getValueOrCreateConstantIndexOp(
          b, loc, getExtent(b, loc, operand, i));
      check(compare(Predicate::ule, keys, extent), BlockListErrors::places,
            keys, extent);
    }
  }
}

} // namespace attn
