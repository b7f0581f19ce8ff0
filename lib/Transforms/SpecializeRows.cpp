//===- SpecializeRows.cpp - A kernel of its own for one row -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/KernelFit.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/Utils.h"
#include "attn/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_SPECIALIZEROWSPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

struct SpecializeRowsPass final
    : impl::SpecializeRowsPassBase<SpecializeRowsPass> {
  using SpecializeRowsPassBase::SpecializeRowsPassBase;

  void runOnOperation() override {
    SmallVector<GenericOp> ops;
    getOperation().walk([&](GenericOp op) { ops.push_back(op); });
    for (GenericOp op : ops)
      specialize(op);
  }

private:
  void specialize(GenericOp op);
  GenericOp cloneForOneRow(OpBuilder &b, GenericOp op, unsigned dim);
};

/// A part of a tensor, with one row along a dimension.
struct OneRow {
  OneRow(OpBuilder &b, Location loc, Value tensor, unsigned position)
      : offsets(cast<RankedTensorType>(tensor.getType()).getRank(),
                b.getIndexAttr(0)),
        sizes(tensor::getMixedSizes(b, loc, tensor)),
        strides(offsets.size(), b.getIndexAttr(1)) {
    sizes[position] = b.getIndexAttr(1);
  }
  SmallVector<OpFoldResult> offsets, sizes, strides;
};

} // namespace

/// The op on operands that are known to have one row along `dim`. Its results
/// are parts of the inits, so that both ops write to the same place.
GenericOp SpecializeRowsPass::cloneForOneRow(OpBuilder &b, GenericOp op,
                                             unsigned dim) {
  auto clone = cast<GenericOp>(b.clone(*op));
  SmallVector<Value> mapped = op.getMappedOperands();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(clone);
  unsigned index = 0;
  for (OpOperand &operand : clone->getOpOperands()) {
    // Lists of key blocks have maps elsewhere.
    if (index == mapped.size() || operand.get() != mapped[index])
      continue;
    std::optional<unsigned> position =
        op.getIndexingMap(index++).getResultPosition(b.getAffineDimExpr(dim));
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!position || !type.isDynamicDim(*position))
      continue;
    if (index > op.getOutputIndex()) {
      OneRow part(b, op.getLoc(), operand.get(), *position);
      operand.set(tensor::ExtractSliceOp::create(b, op.getLoc(), operand.get(),
                                                 part.offsets, part.sizes,
                                                 part.strides));
      continue;
    }
    SmallVector<int64_t> shape(type.getShape());
    shape[*position] = 1;
    operand.set(tensor::CastOp::create(b, op.getLoc(), type.clone(shape),
                                       operand.get()));
  }
  for (auto [result, init] :
       llvm::zip(clone->getResults(), clone.getDpsInits()))
    result.setType(init.getType());
  return clone;
}

void SpecializeRowsPass::specialize(GenericOp op) {
  SmallVector<unsigned> rows = op.getDimensionClasses().queryRows;
  if (!op.hasPureTensorSemantics() || op.getQueryStarts() || rows.empty() ||
      !decideFusion(op, fusion).fused)
    return;
  unsigned dim = rows.back();
  std::optional<BlockList> blocks = BlockList::of(op);
  if (blocks && blocks->dependsOn(dim))
    return;
  if (hasFewKeys(op))
    return;
  IRRewriter b(op);
  auto extent = dyn_cast<Value>(getExtents(b, op)[dim]);
  if (!extent || getConstantIntValue(extent))
    return;
  Location loc = op.getLoc();
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value isOne =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, extent, one);
  auto branch = scf::IfOp::create(b, loc, op->getResultTypes(), isOne,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  GenericOp single = cloneForOneRow(b, op, dim);
  LayoutOptions layouts{vectorBits, queryTile, hasBf16Dot};
  SmallVector<LayoutChoice> ranked = rankLayouts(single, layouts);
  if (!decideFusion(single, fusion).fused || ranked.empty() ||
      !ranked.front().layout.foldsRows()) {
    b.eraseOp(branch);
    return;
  }
  SmallVector<Value> results;
  for (auto [i, result, init] :
       llvm::enumerate(single->getResults(), op.getDpsInits())) {
    unsigned position = *op.getIndexingMap(op.getOutputIndex() + i)
                             .getResultPosition(b.getAffineDimExpr(dim));
    OneRow part(b, loc, init, position);
    results.push_back(tensor::InsertSliceOp::create(
        b, loc, result, init, part.offsets, part.sizes, part.strides));
  }
  scf::YieldOp::create(b, loc, results);
  b.replaceAllUsesWith(op->getResults(), branch.getResults());
  b.setInsertionPointToStart(branch.elseBlock());
  b.moveOpBefore(op, branch.elseBlock(), branch.elseBlock()->begin());
  b.setInsertionPointAfter(op);
  scf::YieldOp::create(b, loc, op->getResults());
  remark::passed(loc, remark::RemarkOpts::name("rows").category("attn"))
      << "one query row, and more, have a kernel each";
  ++numSpecialized;
}

} // namespace attn
