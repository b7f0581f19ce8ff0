//===- Walk.cpp - A cursor over tiles of rows -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tiling/Walk.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"

using namespace mlir;

namespace attn {

static Value less(OpBuilder &b, Location loc, Value lhs, Value rhs) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, lhs, rhs);
}

/// min(size, to - from).
static OpFoldResult clampExtent(OpBuilder &b, Location loc, int64_t size,
                                Value from, Value to) {
  AffineMap rest = AffineMap::get(
      2, 0,
      {b.getAffineConstantExpr(size),
       b.getAffineDimExpr(1) - b.getAffineDimExpr(0)},
      b.getContext());
  return affine::AffineMinOp::create(b, loc, rest, ValueRange{from, to})
      .getResult();
}

//===----------------------------------------------------------------------===//
// SpanWalk
//===----------------------------------------------------------------------===//

Value SpanWalk::valid(SmallVectorImpl<Value> &cursor) {
  return less(b, loc, cursor[0], to);
}

WalkTile SpanWalk::tile(ValueRange cursor) {
  OpFoldResult first = cursor[0];
  if (whole)
    return {first, first, b.getIndexAttr(tileRows)};
  return {first, first, clampExtent(b, loc, tileRows, cursor[0], to)};
}

SmallVector<Value> SpanWalk::next(ValueRange cursor, const WalkTile &) {
  Value step = arith::ConstantIndexOp::create(b, loc, tileRows);
  return {arith::AddIOp::create(b, loc, cursor[0], step)};
}

//===----------------------------------------------------------------------===//
// RangesWalk
//===----------------------------------------------------------------------===//

/// The next row is the least of max(begin, cursor) over the ranges with end >
/// max(begin, cursor), so each row is visited once, in ascending order, however
/// they overlap.
Value RangesWalk::valid(SmallVectorImpl<Value> &cursor) {
  Value next = to;
  for (size_t i = 0; i < ranges.size(); i += 2) {
    Value start = arith::MaxSIOp::create(b, loc, ranges[i], cursor[0]);
    Value candidate = arith::SelectOp::create(
        b, loc, less(b, loc, start, ranges[i + 1]), start, to);
    next = arith::MinSIOp::create(b, loc, next, candidate);
  }
  cursor[0] = next;
  return less(b, loc, next, to);
}

/// As far as the ranges reach that have begun.
WalkTile RangesWalk::tile(ValueRange cursor) {
  Value limit = from;
  for (size_t i = 0; i < ranges.size(); i += 2) {
    Value ahead = less(b, loc, cursor[0], ranges[i]);
    Value stop =
        arith::SelectOp::create(b, loc, ahead, limit, ranges[i + 1]);
    limit = arith::MaxSIOp::create(b, loc, limit, stop);
  }
  if (clips)
    limit = arith::MinSIOp::create(b, loc, limit, to);
  OpFoldResult first = cursor[0];
  return {first, first, clampExtent(b, loc, tileRows, cursor[0], limit)};
}

SmallVector<Value> RangesWalk::next(ValueRange cursor, const WalkTile &tile) {
  Value extent = getValueOrCreateConstantIndexOp(b, loc, tile.extent);
  return {arith::AddIOp::create(b, loc, cursor[0], extent)};
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

using TileBody =
    function_ref<SmallVector<Value>(const WalkTile &, ValueRange)>;

/// Steps that are equal: the induction variable is the cursor.
static SmallVector<Value> emitFor(OpBuilder &b, Location loc, Walk &walk,
                                  const Walk::Steps &steps, ValueRange inits,
                                  TileBody body) {
  Value step = arith::ConstantIndexOp::create(b, loc, steps.step);
  auto loop = scf::ForOp::create(b, loc, steps.from, steps.to, step, inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  WalkTile tile = walk.tile(loop.getInductionVar());
  SmallVector<Value> next = body(tile, loop.getRegionIterArgs());
  if (!inits.empty())
    scf::YieldOp::create(b, loc, next);
  return SmallVector<Value>(loop.getResults());
}

static SmallVector<Value> emitWhile(OpBuilder &b, Location loc, Walk &walk,
                                    ValueRange inits, TileBody body) {
  SmallVector<Value> carried = walk.begin();
  size_t numCursor = carried.size();
  llvm::append_range(carried, inits);
  SmallVector<Type> types = llvm::to_vector(ValueRange(carried).getTypes());
  auto loop = scf::WhileOp::create(
      b, loc, types, carried,
      [&](OpBuilder &, Location, ValueRange arguments) {
        SmallVector<Value> cursor(arguments.take_front(numCursor));
        Value valid = walk.valid(cursor);
        llvm::append_range(cursor, arguments.drop_front(numCursor));
        scf::ConditionOp::create(b, loc, valid, cursor);
      },
      [&](OpBuilder &, Location, ValueRange arguments) {
        ValueRange cursor = arguments.take_front(numCursor);
        WalkTile tile = walk.tile(cursor);
        SmallVector<Value> state =
            body(tile, arguments.drop_front(numCursor));
        SmallVector<Value> next = walk.next(cursor, tile);
        llvm::append_range(next, state);
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults().drop_front(numCursor));
}

SmallVector<Value> forEachTile(OpBuilder &b, Location loc, Walk &walk,
                               ValueRange inits, TileBody body) {
  if (std::optional<Walk::Steps> steps = walk.getSteps())
    return emitFor(b, loc, walk, *steps, inits, body);
  return emitWhile(b, loc, walk, inits, body);
}

/// Of cursors, one for each of the workers, that of this one, whether it is
/// valid, and the one behind them all.
static SmallVector<Value> takeTurn(OpBuilder &b, Location loc, Walk &walk,
                                   Value worker, int64_t numWorkers,
                                   ValueRange cursor) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  size_t size = cursor.size();
  SmallVector<Value> inits(cursor);
  inits.push_back(arith::ConstantOp::create(b, loc, b.getBoolAttr(false)));
  llvm::append_range(inits, cursor);
  auto loop = scf::ForOp::create(b, loc, constant(0), constant(numWorkers),
                                 constant(1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  ValueRange carried = loop.getRegionIterArgs();
  SmallVector<Value> here(carried.take_back(size));
  Value valid = walk.valid(here);
  SmallVector<Value> behind = walk.next(here, walk.tile(here));
  SmallVector<Value> found(here);
  found.push_back(valid);
  Value isOwn = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                      loop.getInductionVar(), worker);
  SmallVector<Value> next;
  for (auto [own, old] : llvm::zip_equal(found, carried.take_front(size + 1)))
    next.push_back(arith::SelectOp::create(b, loc, isOwn, own, old));
  for (auto [there, old] : llvm::zip_equal(behind, here))
    next.push_back(arith::SelectOp::create(b, loc, valid, there, old));
  scf::YieldOp::create(b, loc, next);
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> forEachTileInTurns(
    OpBuilder &b, Location loc, Walk &walk, Value worker, int64_t numWorkers,
    ValueRange inits,
    function_ref<SmallVector<Value>(const WalkTile &, Value, ValueRange)>
        body) {
  if (std::optional<Walk::Steps> steps = walk.getSteps()) {
    Value step = arith::ConstantIndexOp::create(b, loc, steps->step);
    Value own = arith::MulIOp::create(b, loc, worker, step);
    Walk::Steps turns = *steps;
    turns.step *= numWorkers;
    SpanWalk all(b, loc, turns.step, turns.from, turns.to, /*whole=*/true);
    return emitFor(b, loc, all, turns, inits,
                   [&](const WalkTile &turn, ValueRange carried) {
                     Value first = cast<Value>(turn.location);
                     SmallVector<Value> cursor{
                         arith::AddIOp::create(b, loc, first, own)};
                     Value valid = walk.valid(cursor);
                     return body(walk.tile(cursor), valid, carried);
                   });
  }
  SmallVector<Value> carried = walk.begin();
  size_t numCursor = carried.size();
  llvm::append_range(carried, inits);
  auto loop = scf::WhileOp::create(
      b, loc, ValueRange(carried).getTypes(), carried,
      [&](OpBuilder &, Location, ValueRange arguments) {
        SmallVector<Value> cursor(arguments.take_front(numCursor));
        Value valid = walk.valid(cursor);
        llvm::append_range(cursor, arguments.drop_front(numCursor));
        scf::ConditionOp::create(b, loc, valid, cursor);
      },
      [&](OpBuilder &, Location, ValueRange arguments) {
        SmallVector<Value> turn = takeTurn(b, loc, walk, worker, numWorkers,
                                           arguments.take_front(numCursor));
        ValueRange own = ValueRange(turn).take_front(numCursor);
        SmallVector<Value> state =
            body(walk.tile(own), turn[numCursor],
                 arguments.drop_front(numCursor));
        SmallVector<Value> next(ValueRange(turn).take_back(numCursor));
        llvm::append_range(next, state);
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults().drop_front(numCursor));
}

} // namespace attn
