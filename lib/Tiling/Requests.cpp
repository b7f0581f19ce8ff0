//===- Requests.cpp - Blocks of packed requests -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tiling/Requests.h"
#include "Nest.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/Elements.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"

using namespace mlir;

namespace attn {

/// Where a request starts.
static Value readStart(OpBuilder &b, Location loc, Value starts,
                       Value request) {
  Value element = createRead(b, loc, starts, request);
  return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), element);
}

IterationBox::Rows readRows(OpBuilder &b, Location loc, Value starts,
                            Value request) {
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value next = arith::AddIOp::create(b, loc, request, one);
  Value first = readStart(b, loc, starts, request);
  Value end = readStart(b, loc, starts, next);
  Value count = arith::SubIOp::create(b, loc, end, first);
  return {first, count};
}

/// Whether a filter leaves requests of `count` rows.
static Value isLeft(OpBuilder &b, Location loc, const RequestFilter &filter,
                    IterationBox::Rows rows) {
  Value count = cast<Value>(rows.count);
  auto compare = [&](arith::CmpIPredicate predicate, int64_t bound) -> Value {
    return arith::CmpIOp::create(b, loc, predicate, count,
                                 arith::ConstantIndexOp::create(b, loc, bound));
  };
  if (filter.most == filter.least)
    return compare(arith::CmpIPredicate::eq, filter.least);
  Value isLeft = compare(arith::CmpIPredicate::sge, filter.least);
  if (!filter.most)
    return isLeft;
  return arith::AndIOp::create(
      b, loc, isLeft, compare(arith::CmpIPredicate::sle, *filter.most));
}

Value isLeft(OpBuilder &b, Location loc, const RequestFilter &filter,
             Value request) {
  return isLeft(b, loc, filter, readRows(b, loc, filter.starts, request));
}

int64_t countBlocksOfRequest(const RequestFilter &filter, int64_t blockRows) {
  return llvm::divideCeil(*filter.most, blockRows);
}

SmallVector<unsigned> Nest::getResultDims() {
  SmallVector<unsigned> dims(outer);
  if (op.getQueryStarts())
    llvm::erase(dims, getRaggedDims(op)->request);
  return dims;
}

OpFoldResult countBlocks(OpBuilder &b, Location loc, OpFoldResult rows,
                         OpFoldResult requests, int64_t blockRows) {
  AffineExpr filled = b.getAffineSymbolExpr(0).floorDiv(blockRows);
  return affine::makeComposedFoldedAffineApply(
      b, loc, filled + b.getAffineSymbolExpr(1), {rows, requests});
}

std::pair<Value, Value> Nest::findBlockOfFewRows(Value number,
                                                 int64_t blockRows) {
  Value blocks = arith::ConstantIndexOp::create(
      b, loc, countBlocksOfRequest(filter, blockRows));
  return {b.createOrFold<arith::DivUIOp>(loc, number, blocks),
          b.createOrFold<arith::RemUIOp>(loc, number, blocks)};
}

std::pair<Value, Value> findRequest(OpBuilder &b, Location loc, Value starts,
                                    Value number, int64_t blockRows) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value size = arith::ConstantIndexOp::create(b, loc, blockRows);
  // The number of the first block of a request.
  auto getFirst = [&](Value request) -> Value {
    Value start = readStart(b, loc, starts, request);
    Value filled = arith::DivUIOp::create(b, loc, start, size);
    return arith::AddIOp::create(b, loc, filled, request);
  };
  // Without requests there are no blocks.
  Value extent =
      getValueOrCreateConstantIndexOp(b, loc, getExtent(b, loc, starts, 0));
  Value count = arith::SubIOp::create(b, loc, extent, one);
  auto search = scf::WhileOp::create(
      b, loc, TypeRange{b.getIndexType(), b.getIndexType()},
      ValueRange{zero, count},
      [&](OpBuilder &, Location, ValueRange range) {
        Value width = arith::SubIOp::create(b, loc, range[1], range[0]);
        Value isOpen = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt,
                                             width, one);
        scf::ConditionOp::create(b, loc, isOpen, range);
      },
      [&](OpBuilder &, Location, ValueRange range) {
        Value sum = arith::AddIOp::create(b, loc, range[0], range[1]);
        Value middle = arith::ShRUIOp::create(b, loc, sum, one);
        Value begun = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle,
                                            getFirst(middle), number);
        Value from = arith::SelectOp::create(b, loc, begun, middle, range[0]);
        Value to = arith::SelectOp::create(b, loc, begun, range[1], middle);
        scf::YieldOp::create(b, loc, ValueRange{from, to});
      });
  Value request = search.getResult(0);
  return {request,
          arith::SubIOp::create(b, loc, number, getFirst(request)).getResult()};
}

void Nest::takePackedBlock(Value number, int64_t blockRows) {
  auto [request, local] =
      filter.most ? findBlockOfFewRows(number, blockRows)
                  : findRequest(b, loc, op.getQueryStarts(), number, blockRows);
  IterationBox::Rows rows = readRows(b, loc, op.getQueryStarts(), request);
  if (filter.starts) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    rows.count = arith::SelectOp::create(b, loc, isLeft(b, loc, filter, rows),
                                         cast<Value>(rows.count), zero)
                     .getResult();
  }
  box.offsets[getRaggedDims(op)->request] = request;
  box.requestRows[row] = rows;
  wholeRows = rows.count;
  Value size = arith::ConstantIndexOp::create(b, loc, blockRows);
  Value offset = arith::MulIOp::create(b, loc, local, size);
  offset = arith::MinSIOp::create(b, loc, offset, cast<Value>(rows.count));
  moveRows(offset, blockRows);
}

void Nest::takeRequestKeys() {
  std::optional<RaggedDims> dims = getRaggedDims(op);
  if ((!dims && !filter.starts) || BlockList::hasPages(op))
    return;
  unsigned key = op.getDimensionClasses().keyRows.back();
  auto toValue = [&](OpFoldResult size) {
    return getValueOrCreateConstantIndexOp(b, loc, size);
  };
  IterationBox::Rows keys{b.getIndexAttr(0), box.extents[key]};
  if (op.getKeyStarts())
    keys = readRows(b, loc, op.getKeyStarts(),
                    toValue(box.offsets[dims->request]));
  if (filter.hasCopies) {
    Value left = isLeft(b, loc, filter, toValue(box.offsets[filter.request]));
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    keys.count =
        arith::SelectOp::create(b, loc, left, toValue(keys.count), zero)
            .getResult();
  }
  if (op.getQueryStarts()) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value isEmpty = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                          toValue(box.extents[row]), zero);
    keys.count =
        arith::SelectOp::create(b, loc, isEmpty, zero, toValue(keys.count))
            .getResult();
  }
  box.extents[key] = keys.count;
  if (op.getKeyStarts())
    box.requestRows[key] = keys;
}

} // namespace attn
