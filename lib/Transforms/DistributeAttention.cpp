//===- DistributeAttention.cpp - Items dealt out to workers -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "attn/Tiling/Tiling.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_DISTRIBUTEATTENTIONPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

/// The number of threads the OpenMP runtime would use, as an index.
Value createNumThreads(OpBuilder &b, Location loc, ModuleOp module) {
  StringRef name = "omp_get_max_threads";
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    auto type = b.getFunctionType({}, {b.getI32Type()});
    func::FuncOp::create(b, loc, name, type).setPrivate();
  }
  Value threads =
      func::CallOp::create(b, loc, name, TypeRange(b.getI32Type()))
          .getResult(0);
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), threads);
}

/// Before: `scf.forall (%b, %t) in (%B, %T) { body }`
/// After:  `scf.forall (%w) in (%W) { scf.for %i = %w to %B * %T step %W {
///           %b = %i / %T, %t = %i mod %T  body } }`
LogicalResult distribute(RewriterBase &b, scf::ForallOp forall) {
  Location loc = forall.getLoc();
  b.setInsertionPoint(forall);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value total = one;
  SmallVector<Value> extents;
  for (OpFoldResult bound : forall.getMixedUpperBound()) {
    extents.push_back(getValueOrCreateConstantIndexOp(b, loc, bound));
    total = arith::MulIOp::create(b, loc, total, extents.back());
  }
  Value workers =
      createNumThreads(b, loc, forall->getParentOfType<ModuleOp>());
  workers = arith::MinSIOp::create(b, loc, workers, total);
  auto outer = scf::ForallOp::create(b, loc, OpFoldResult(workers),
                                     ValueRange(), std::nullopt);
  b.setInsertionPoint(outer.getTerminator());
  auto items = scf::ForOp::create(b, loc, outer.getInductionVar(0), total,
                                  workers);
  b.setInsertionPointToStart(items.getBody());
  // Unsigned, unlike affine.delinearize_index, whose divisions round down and
  // take a pass of their own to lower.
  SmallVector<Value> positions(extents.size());
  Value rest = items.getInductionVar();
  for (size_t dim = extents.size(); dim-- > 1;) {
    positions[dim] = arith::RemUIOp::create(b, loc, rest, extents[dim]);
    rest = arith::DivUIOp::create(b, loc, rest, extents[dim]);
  }
  positions.front() = rest;
  b.eraseOp(forall.getTerminator());
  b.inlineBlockBefore(forall.getBody(), items.getBody()->getTerminator(),
                      positions);
  b.eraseOp(forall);

  // Scratch per item becomes scratch per worker.
  for (auto alloc : llvm::make_early_inc_range(
           items.getBody()->getOps<memref::AllocOp>())) {
    bool invariant = llvm::all_of(alloc->getOperands(), [&](Value size) {
      return items.isDefinedOutsideOfLoop(size);
    });
    if (invariant) {
      alloc->moveBefore(items);
      alloc.setAlignment(64);
    }
  }
  return success();
}

/// Declares the counters of `count_tiles`: key tiles looked at, computed, and
/// full.
void declareTileCounts(ModuleOp module) {
  OpBuilder b(module.getBodyRegion());
  auto type = MemRefType::get({3}, b.getI64Type());
  auto zeros = DenseElementsAttr::get(
      RankedTensorType::get({3}, b.getI64Type()), ArrayRef<int64_t>{0, 0, 0});
  memref::GlobalOp::create(b, module.getLoc(), getTileCountsName(),
                           /*sym_visibility=*/StringAttr(), type, zeros,
                           /*constant=*/false, /*alignment=*/IntegerAttr());
}

struct DistributeAttentionPass final
    : impl::DistributeAttentionPassBase<DistributeAttentionPass> {
  void runOnOperation() override {
    SmallVector<scf::ForallOp> loops;
    getOperation()->walk<WalkOrder::PreOrder>([&](scf::ForallOp forall) {
      if (forall.getOutputs().empty() && forall.isNormalized() &&
          forall.getRank() != 0)
        loops.push_back(forall);
      return WalkResult::skip();
    });
    bool counts = getOperation()
                      ->walk([](OnlineOp op) {
                        return op.getCountTiles() ? WalkResult::interrupt()
                                                  : WalkResult::advance();
                      })
                      .wasInterrupted();
    if (counts && !getOperation().lookupSymbol(getTileCountsName()))
      declareTileCounts(getOperation());
    IRRewriter rewriter(&getContext());
    for (scf::ForallOp forall : loops)
      if (failed(distribute(rewriter, forall)))
        return signalPassFailure();
  }
};

} // namespace
} // namespace attn
