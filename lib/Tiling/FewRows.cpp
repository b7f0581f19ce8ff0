//===- FewRows.cpp - Ops on few query rows, beside those on many -*- C++
//-*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How many query rows there are, only the run may know. Tiles of many take as
// long for a few of them, as speculative decoding has, as for all; so there is
// a second op, for few rows, and the run's extents say which of them computes
// what. Both write to the same place.
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Utils.h"
#include "attn/Tiling/Tiling.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {

GenericOp takeFewRows(RewriterBase &b, GenericOp op) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfter(op);
  auto few = cast<GenericOp>(b.clone(*op));
  b.replaceAllUsesWith(op->getResults(), few->getResults());
  b.modifyOpInPlace(few, [&] {
    for (auto [init, result] :
         llvm::zip_equal(few.getDpsInitsMutable(), op->getResults()))
      init.set(result);
  });
  return few;
}

GenericOp branchOnRows(RewriterBase &b, GenericOp op, unsigned row,
                       int64_t most) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  Value rows = getValueOrCreateConstantIndexOp(b, loc, getExtents(b, op)[row]);
  Value limit = arith::ConstantIndexOp::create(b, loc, most);
  Value isFew =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, rows, limit);
  auto branch = scf::IfOp::create(b, loc, op->getResultTypes(), isFew,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  b.replaceAllUsesWith(op->getResults(), branch.getResults());
  b.setInsertionPointToStart(branch.thenBlock());
  auto few = cast<GenericOp>(b.clone(*op));
  scf::YieldOp::create(b, loc, few->getResults());
  b.moveOpBefore(op, branch.elseBlock(), branch.elseBlock()->begin());
  b.setInsertionPointAfter(op);
  scf::YieldOp::create(b, loc, op->getResults());
  return few;
}

} // namespace attn
