//===- KernelRequests.cpp - The rows that a block has -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A query tile has rows of one request, and of rows that share a list of key
// blocks. What starts hold is checked by a kernel of one thread; the others
// read within buffers whatever it is.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Elements.h"
#include "attn/IR/Ragged.h"
#include "attn/Tiling/RunChecks.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

int64_t KernelEmitter::getListRows() {
  return rowDim < op.getNumDims() ? countRowsOfList(op, rowDim) : 0;
}

bool KernelEmitter::mayHaveNoRows() {
  return op.getQueryStarts() || getListRows() % choice.getRows() != 0;
}

Value KernelEmitter::countTiles() {
  if (op.getQueryStarts())
    return getValueOrCreateConstantIndexOp(
        b, loc,
        attn::countBlocks(b, loc, extents[rowDim],
                          extents[getRaggedDims(op)->request],
                          choice.getRows()));
  Value all = countRows();
  int64_t listRows = getListRows();
  if (listRows % choice.getRows() == 0)
    return b.createOrFold<arith::CeilDivUIOp>(loc, all,
                                              index(choice.getRows()));
  Value lists = b.createOrFold<arith::CeilDivUIOp>(loc, all, index(listRows));
  return multiply(lists, index(llvm::divideCeil(listRows, choice.getRows())));
}

void KernelEmitter::takeRows(Value tile) {
  Value size = index(choice.getRows());
  Value limit = countRows();
  if (Value starts = op.getQueryStarts()) {
    unsigned dim = getRaggedDims(op)->request;
    auto [request, local] = findRequest(b, loc, starts, tile, choice.getRows());
    box.offsets[dim] = request;
    box.extents[dim] = b.getIndexAttr(1);
    IterationBox::Rows rows = readRequest(starts, rowDim);
    box.requestRows[rowDim] = rows;
    limit = cast<Value>(rows.count);
    firstRow = arith::MinSIOp::create(b, loc, multiply(local, size), limit);
  } else if (mayHaveNoRows()) {
    int64_t listRows = getListRows();
    Value tiles = index(llvm::divideCeil(listRows, choice.getRows()));
    Value list = arith::DivUIOp::create(b, loc, tile, tiles);
    Value first = multiply(list, index(listRows));
    Value local = arith::RemUIOp::create(b, loc, tile, tiles);
    firstRow = add(first, multiply(local, size));
    limit = arith::MinSIOp::create(b, loc, limit, add(first, index(listRows)));
  } else {
    firstRow = multiply(tile, size);
  }
  Value count = arith::SubIOp::create(b, loc, limit, firstRow);
  count = arith::MinSIOp::create(b, loc, count, size);
  if (mayHaveNoRows())
    count = arith::MaxSIOp::create(b, loc, count, index(0));
  box.offsets[rowDim] = firstRow;
  box.extents[rowDim] = count;
  if (rowDims.size() > 1) {
    Value first = splitRow(firstRow)[0];
    Value last = arith::SubIOp::create(b, loc, add(firstRow, count), index(1));
    Value reach = arith::SubIOp::create(b, loc, splitRow(last)[0], first);
    box.offsets[rowDim] = first;
    box.extents[rowDim] = add(reach, index(1));
  }
  numRows = toI32(count);
}

Value KernelEmitter::numberTile(Value row) {
  Value size = index(choice.getRows());
  if (!mayHaveNoRows())
    return arith::DivUIOp::create(b, loc, row, size);
  Value listRows = index(getListRows());
  Value list = arith::DivUIOp::create(b, loc, row, listRows);
  Value local = arith::RemUIOp::create(b, loc, row, listRows);
  Value tiles = index(llvm::divideCeil(getListRows(), choice.getRows()));
  return add(multiply(list, tiles),
             arith::DivUIOp::create(b, loc, local, size));
}

IterationBox::Rows KernelEmitter::readRequest(Value starts, unsigned dim) {
  unsigned request = getRaggedDims(op)->request;
  IterationBox::Rows rows =
      readRows(b, loc, starts, cast<Value>(box.offsets[request]));
  Value all = getValueOrCreateConstantIndexOp(b, loc, wholeExtents[dim]);
  auto clamp = [&](Value value, Value most) -> Value {
    value = arith::MaxSIOp::create(b, loc, value, index(0));
    return arith::MinSIOp::create(b, loc, value, most);
  };
  Value first = clamp(cast<Value>(rows.first), all);
  Value left = arith::SubIOp::create(b, loc, all, first);
  return {first, clamp(cast<Value>(rows.count), left)};
}

void KernelEmitter::takeRequestKeys() {
  if (!op.getKeyStarts() || isPaged())
    return;
  IterationBox::Rows keys = readRequest(op.getKeyStarts(), keyDim);
  box.requestRows[keyDim] = keys;
  extents[keyDim] = keys.count;
}

Value KernelEmitter::shiftPacked(unsigned number, unsigned position,
                                 Value place) {
  if (!isPacked(op, number, position))
    return place;
  unsigned dim = op.getIndexingMap(number).getDimPosition(position);
  return add(place, cast<Value>(box.requestRows.lookup(dim).first));
}

void KernelEmitter::launchStartsCheck() {
  OpBuilder::InsertionGuard guard(b);
  enterBlocks(index(1), /*numThreads=*/1);
  addStartsChecks(b, op, StartsCheck::values);
}

} // namespace attn
