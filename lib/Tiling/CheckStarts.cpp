//===- CheckStarts.cpp - Starts that ascend to the last row -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Elements.h"
#include "attn/IR/Utils.h"
#include "attn/Tiling/RunChecks.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {

std::string describe(Operation *op, StringRef what) {
  return locateMessage(op->getLoc(),
                       "'" + op->getName().getStringRef() + "' op " + what);
}

namespace {

/// Writes the checks of one op.
class StartsChecker {
public:
  StartsChecker(OpBuilder &builder, RaggedOpInterface op, StartsCheck which)
      : b(builder), op(op), loc(op->getLoc()), which(which) {}

  unsigned run();

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value getSize(OperandExtent extent) {
    return linalg::createOrFoldDimOp(b, loc, extent.operand, extent.dim);
  }
  Value read(Value starts, Value position);
  void check(arith::CmpIPredicate predicate, Value left, Value right,
             const Twine &message, ValueRange numbers);
  void checkExtent(arith::CmpIPredicate predicate, OperandExtent extent,
                   Value expected, const Twine &what);
  void checkSide(StringRef name, Value starts, ArrayRef<OperandExtent> packed,
                 ArrayRef<OperandExtent> within);

  OpBuilder &b;
  RaggedOpInterface op;
  Location loc;
  StartsCheck which;
  unsigned numChecks = 0;
};

} // namespace

Value StartsChecker::read(Value starts, Value position) {
  Value element = createRead(b, loc, starts, position);
  return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), element);
}

void StartsChecker::check(arith::CmpIPredicate predicate, Value left,
                          Value right, const Twine &message,
                          ValueRange numbers) {
  Value holds = arith::CmpIOp::create(b, loc, predicate, left, right);
  CheckOp::create(b, loc, holds, describe(op, message.str()), numbers);
  ++numChecks;
}

void StartsChecker::checkExtent(arith::CmpIPredicate predicate,
                                OperandExtent extent, Value expected,
                                const Twine &what) {
  unsigned number =
      llvm::find(op->getOperands(), extent.operand) - op->operand_begin();
  Value got = getSize(extent);
  check(predicate, got, expected,
        "expected extent " + Twine(extent.dim) + " of operand " +
            Twine(number) + " to be " + what + ", but got {1}",
        {expected, got});
}

void StartsChecker::checkSide(StringRef name, Value starts,
                              ArrayRef<OperandExtent> packed,
                              ArrayRef<OperandExtent> within) {
  using Predicate = arith::CmpIPredicate;
  Value zero = index(0), one = index(1), size = getSize({starts, 0});
  if (which != StartsCheck::values &&
      cast<ShapedType>(starts.getType()).isDynamicDim(0))
    check(Predicate::sge, size, one,
          "expected " + name +
              " to have an element more than there are requests, but got none",
          {});
  if (which == StartsCheck::extents)
    return;
  Value first = read(starts, zero);
  check(Predicate::eq, first, zero,
        "expected " + name + " to begin with 0, but got {0}", first);
  auto loop =
      scf::ForOp::create(b, loc, one, size, one, ValueRange{first, zero});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value before = loop.getRegionIterArgs()[0];
    Value next = read(starts, loop.getInductionVar());
    check(Predicate::sge, next, before,
          "expected " + name + " to ascend, but {0} is followed by {1}",
          {before, next});
    Value length = arith::SubIOp::create(b, loc, next, before);
    Value longest =
        arith::MaxSIOp::create(b, loc, loop.getRegionIterArgs()[1], length);
    scf::YieldOp::create(b, loc, ValueRange{next, longest});
  }
  // Of keys in pages, lists say how many there are.
  if (!packed.empty()) {
    Value rows = getSize(packed.front());
    check(Predicate::eq, loop.getResult(0), rows,
          "expected " + name +
              " to end with {0} (the number of packed rows), but got {1}",
          {rows, loop.getResult(0)});
  }
  for (OperandExtent extent : within)
    checkExtent(Predicate::sge, extent, loop.getResult(1),
                "{0} or more (rows of the longest request)");
}

unsigned StartsChecker::run() {
  RaggedExtents extents = op.getRaggedExtents();
  if (Value starts = op.getQueryStarts())
    checkSide("query_starts", starts, extents.queries, extents.queryRows);
  if (Value starts = op.getKeyStarts())
    checkSide("key_starts", starts, extents.keys, extents.keyRows);
  if (extents.requests.empty() || which == StartsCheck::values)
    return numChecks;
  Value starts = op.getQueryStarts() ? op.getQueryStarts() : op.getKeyStarts();
  Value requests =
      arith::SubIOp::create(b, loc, getSize({starts, 0}), index(1));
  for (OperandExtent extent : extents.requests)
    checkExtent(arith::CmpIPredicate::eq, extent, requests,
                "{0} (the requests)");
  return numChecks;
}

unsigned addStartsChecks(OpBuilder &b, RaggedOpInterface op,
                         StartsCheck which) {
  return StartsChecker(b, op, which).run();
}

} // namespace attn
