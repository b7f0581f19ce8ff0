//===- GatheredKeys.cpp - Key tiles of several blocks -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where blocks have fewer keys than a tile does well with, a tile is of several
// of them. What is walked then are the places of a list: a tile is some that
// follow each other, of whichever blocks. What its step reads of them is copied
// next to each other, as the layout stores it, block by block. Query tiles that
// share a key tile share that copy.
//
// Of pages, places are positions, and the walk is that of any keys. Of logical
// blocks positions ascend with the places, with gaps: a region that asks for
// one reads it from the list, and a tile lies between its first and its last.
// What is kept of a key that is selected is its place.
//
//===----------------------------------------------------------------------===//

#include "FusedAttention.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

bool FusedAttention::gathersKeys() {
  return blocks && sizes.keyRows > blocks->getKeys() && canGatherKeys(op);
}

bool FusedAttention::walksPlaces() {
  return gathersKeys() && !blocks->isPhysical();
}

Value FusedAttention::countLackingKeys() {
  return getReader().countLacking(list->first, list->end);
}

void FusedAttention::checkList() {
  if (!walksPlaces())
    return;
  auto loop = scf::ForOp::create(b, loc, list->first, list->end, index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  readEntry(loop.getInductionVar());
}

Value FusedAttention::locatePlace(Value place) {
  return getReader().locate(place, list->first);
}

Value FusedAttention::locateSelected(Value places) {
  if (!blocks)
    return places;
  auto type = cast<RankedTensorType>(places.getType());
  Value target = tensor::EmptyOp::create(
      b, loc, tensor::getMixedSizes(b, loc, places), type.getElementType());
  SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  auto locate = [&](OpBuilder &, Location, ValueRange arguments) {
    Value place = arguments[0];
    Value isKey = compare(arith::CmpIPredicate::sge, place, index(0));
    auto branch = scf::IfOp::create(b, loc, TypeRange(place.getType()), isKey,
                                    /*addThenBlock=*/true,
                                    /*addElseBlock=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, loc, locatePlace(place));
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, place);
    b.setInsertionPointAfter(branch);
    linalg::YieldOp::create(b, loc, branch.getResult(0));
  };
  return linalg::GenericOp::create(b, loc, target.getType(), places, target,
                                   maps, iterators, locate)
      .getResult(0);
}

SmallVector<OperandPart>
FusedAttention::gatherKeys(ArrayRef<OperandPart> wanted) {
  unsigned key = operands.key, page = classes.keyRows.front();
  bool isPhysical = blocks->isPhysical();
  mlir::Block *worker = nest->getWorker();
  SmallVector<OperandPart> tiles;
  SmallVector<Value> buffers;
  for (OperandPart tile : wanted) {
    if (isPhysical)
      llvm::erase(tile.dims, page);
    tiles.push_back(operands.createTile(box, tile, worker));
    buffers.push_back(tiles.back().value);
  }
  if (tiles.empty())
    return tiles;

  int64_t keys = blocks->getKeys();
  Value size = index(keys), first = toValue(box.offsets[key]);
  Value limit = arith::AddIOp::create(b, loc, first, toValue(box.extents[key]));
  auto loop = scf::ForOp::create(
      b, loc, b.createOrFold<arith::DivUIOp>(loc, first, size),
      b.createOrFold<arith::CeilDivUIOp>(loc, limit, size), index(1), buffers);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value number = loop.getInductionVar();
  Value at = arith::AddIOp::create(b, loc, list->first, number);
  // Of a logical list, all of it has been checked.
  Value entry = isPhysical ? readEntry(at) : readListed(at);
  // The places of the block that are of the tile.
  Value from = b.createOrFold<arith::MulIOp>(loc, number, size);
  Value to = arith::AddIOp::create(b, loc, from, size);
  Value begin = b.createOrFold<arith::MaxSIOp>(loc, from, first);
  Value end = b.createOrFold<arith::MinSIOp>(loc, to, limit);
  IterationBox local = box;
  Value row = b.createOrFold<arith::SubIOp>(loc, begin, from);
  if (isPhysical) {
    local.offsets[page] = entry;
    local.extents[page] = b.getIndexAttr(1);
  } else {
    row = arith::AddIOp::create(
        b, loc, row, b.createOrFold<arith::MulIOp>(loc, entry, size));
  }
  local.offsets[key] = row;
  local.extents[key] = b.getIndexAttr(1);
  if (keys != 1)
    local.extents[key] = arith::SubIOp::create(b, loc, end, begin).getResult();
  Value place = arith::SubIOp::create(b, loc, begin, first);
  SmallVector<Value> next;
  for (auto [part, buffer] :
       llvm::zip_equal(wanted, loop.getRegionIterArgs())) {
    OperandPart block = part;
    if (isPhysical && part.has(page))
      block = operands.at(local, part, page);
    next.push_back(operands.storeKeys(local, operands.cut(local, block, worker),
                                      buffer, place));
  }
  scf::YieldOp::create(b, loc, next);
  for (auto [tile, filled] : llvm::zip_equal(tiles, loop.getResults()))
    tile.value = filled;
  return tiles;
}

} // namespace attn
