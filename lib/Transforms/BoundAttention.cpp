//===- BoundAttention.cpp - Key ranges of masks -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/BlockList.h"
#include "attn/IR/GPUKernel.h"
#include "attn/Masks/MaskSolver.h"
#include "attn/Masks/MaskTranslation.h"
#include "attn/Transforms/Passes.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_BOUNDATTENTIONPASS
#include "attn/Transforms/Passes.h.inc"

/// More ranges than this are merged.
static constexpr unsigned maxRanges = 4;

/// Fills one of the regions with a block whose arguments stand for a box.
static Block *createBoxBlock(RewriterBase &rewriter, GenericOp op,
                             Region &region, BoxArguments &box,
                             bool withKeyBounds) {
  unsigned numArguments =
      box.classes.batch.size() + 2 * box.classes.queryRows.size() +
      box.classes.keyRows.size() - 1 + (withKeyBounds ? 2 : 0);
  SmallVector<Type> types(numArguments, rewriter.getIndexType());
  SmallVector<Location> locations(numArguments, op.getLoc());
  Block *block = rewriter.createBlock(&region, region.end(), types, locations);
  unsigned next = 0;
  auto take = [&]() -> Value { return block->getArgument(next++); };
  auto takePair = [&]() -> std::pair<Value, Value> {
    Value lower = take();
    return {lower, take()};
  };
  for (size_t i = 0; i < box.classes.batch.size(); ++i)
    box.batch.push_back(take());
  for (size_t i = 0; i < box.classes.queryRows.size(); ++i)
    box.rows.push_back(takePair());
  for (size_t i = 0; i + 1 < box.classes.keyRows.size(); ++i)
    box.outerKeys.push_back(take());
  if (withKeyBounds)
    box.key = takePair();
  return block;
}

/// Positions are not negative, and boxes are not empty.
static MaskBox describeBox(const BoxArguments &box, IndexEmitter &emitter) {
  MaskBox intervals;
  for (ValueRange positions :
       {ValueRange(box.batch), ValueRange(box.outerKeys)})
    for (Value position : positions)
      emitter.assumeNonNegative(position);
  auto describe = [&](unsigned dim, std::pair<Value, Value> bounds) {
    emitter.assumeNonNegative(bounds.first);
    emitter.assumeNonNegative(bounds.second);
    emitter.assumeLessEqual(bounds.first, bounds.second);
    intervals[dim] = {Scalar(bounds.first), Scalar(bounds.second)};
  };
  for (auto [dim, bounds] : llvm::zip(box.classes.queryRows, box.rows))
    describe(dim, bounds);
  if (box.key.first)
    describe(box.getKeyDimension(), box.key);
  return intervals;
}

/// The number of keys, a constant or a value before the op; of pages, that of
/// the longest list there may be.
static Scalar getNumKeys(RewriterBase &rewriter, GenericOp op,
                         unsigned keyDimension) {
  if (std::optional<BlockList> blocks = BlockList::of(op);
      blocks && blocks->isPhysical()) {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    auto type = cast<ShapedType>(blocks->indices.getType());
    unsigned last = type.getRank() - 1;
    if (!type.isDynamicDim(last))
      return type.getDimSize(last) * blocks->getKeys();
    Value entries =
        linalg::createOrFoldDimOp(rewriter, op.getLoc(), blocks->indices, last);
    Value keys = arith::ConstantIndexOp::create(rewriter, op.getLoc(),
                                                blocks->getKeys());
    return Scalar(arith::MulIOp::create(rewriter, op.getLoc(), entries, keys));
  }
  if (std::optional<int64_t> extent = getStaticExtent(op, keyDimension))
    return *extent;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  AffineMap map = op.getIndexingMap(1);
  std::optional<unsigned> position =
      map.getResultPosition(rewriter.getAffineDimExpr(keyDimension));
  return linalg::createOrFoldDimOp(rewriter, op.getLoc(), op.getKey(),
                                   position.value_or(0));
}

/// Where `premise` does not hold, the first range takes in all keys.
static void weaken(IndexEmitter &emitter, Scalar premise, Scalar numKeys,
                   SmallVectorImpl<MaskRange> &ranges) {
  if (premise.isConstant(1))
    return;
  if (ranges.empty())
    ranges.push_back({Scalar(0), Scalar(0)});
  MaskRange &range = ranges.front();
  range.begin = emitter.select(premise, range.begin, 0);
  range.end = emitter.select(premise, range.end, numKeys);
}

/// Ops that turned out not to be needed.
static void eraseDeadOps(RewriterBase &rewriter, Block *block) {
  for (Operation &inner : llvm::make_early_inc_range(llvm::reverse(*block)))
    if (isOpTriviallyDead(&inner))
      rewriter.eraseOp(&inner);
}

static SmallVector<MaskRange>
writeRanges(RewriterBase &rewriter, GenericOp op, Scalar numKeys,
            MaskSummaries &summaries,
            SmallVectorImpl<std::string> &opaqueLeaves) {
  BoxArguments box;
  box.classes = op.getDimensionClasses();
  Block *block = createBoxBlock(rewriter, op, op.getRanges(), box,
                                /*withKeyBounds=*/false);
  IndexEmitter emitter(rewriter, op.getLoc(), *block);
  MaskBox intervals = describeBox(box, emitter);
  if (!numKeys.isConstant())
    emitter.assumeNonNegative(numKeys.getValue());
  intervals[box.getKeyDimension()] = {Scalar(0), emitter.add(numKeys, -1)};

  MaskExprContext context(emitter);
  context.setSearched(box.getKeyDimension());
  MaskTranslator translator(op, box, context, summaries);
  MaskFormula *visible = translator.translate(/*negated=*/false);
  llvm::append_range(opaqueLeaves, translator.getOpaqueLeaves());
  MaskSolver solver(context, std::move(intervals), box.getKeyDimension());
  SmallVector<MaskRange> ranges = solver.getRanges(visible, maxRanges);
  weaken(emitter, translator.getPremise(), numKeys, ranges);
  SmallVector<Value> yielded;
  for (const MaskRange &range : ranges) {
    yielded.push_back(emitter.materialize(range.begin));
    yielded.push_back(emitter.materialize(range.end));
  }
  YieldOp::create(rewriter, op.getLoc(), yielded);
  eraseDeadOps(rewriter, block);
  return ranges;
}

static void writeClassifier(RewriterBase &rewriter, GenericOp op,
                            MaskSummaries &summaries) {
  BoxArguments box;
  box.classes = op.getDimensionClasses();
  Block *block = createBoxBlock(rewriter, op, op.getClassify(), box,
                                /*withKeyBounds=*/true);
  IndexEmitter emitter(rewriter, op.getLoc(), *block);
  MaskBox intervals = describeBox(box, emitter);
  MaskExprContext context(emitter);
  MaskTranslator translator(op, box, context, summaries);
  MaskSolver solver(context, std::move(intervals), box.getKeyDimension());
  MaskFormula *isHidden = translator.translate(/*negated=*/true);
  MaskFormula *isVisible = translator.translate(/*negated=*/false);
  Scalar visible = solver.mayHold(isVisible);
  Scalar hidden = solver.mayHold(isHidden);
  SmallVector<Value> yielded;
  for (Scalar any : {visible, hidden})
    yielded.push_back(emitter.materializeTruth(
        emitter.conjoin(emitter.invert(any), translator.getPremise())));
  YieldOp::create(rewriter, op.getLoc(), yielded);
  eraseDeadOps(rewriter, block);
}

LogicalResult boundMask(RewriterBase &rewriter, GenericOp op) {
  if (op.getMask().empty())
    return rewriter.notifyMatchFailure(op, "there is no mask");
  if (!op.getRanges().empty() || !op.getClassify().empty())
    return rewriter.notifyMatchFailure(op, "the mask is bounded already");

  OpBuilder::InsertionGuard guard(rewriter);
  DimensionClasses classes = op.getDimensionClasses();
  Scalar numKeys = getNumKeys(rewriter, op, classes.keyRows.back());
  SmallVector<MaskRange> ranges;
  SmallVector<std::string> opaqueLeaves;
  // What is summarised before a GPU's kernel would be read by the host.
  MaskSummaries summaries(rewriter, op, /*enabled=*/!GPUKernelAttr::of(op));
  rewriter.modifyOpInPlace(op, [&] {
    ranges = writeRanges(rewriter, op, numKeys, summaries, opaqueLeaves);
    writeClassifier(rewriter, op, summaries);
  });

  bool isWhole = ranges.size() == 1 && ranges.front().begin == Scalar(0) &&
                 ranges.front().end == numKeys;
  std::string found = isWhole ? "all keys"
                              : std::to_string(ranges.size()) + " key range" +
                                    (ranges.size() == 1 ? "" : "s");
  if (!opaqueLeaves.empty())
    found += "; opaque: " + llvm::join(opaqueLeaves, ", ");
  remark::analysis(op.getLoc(),
                   remark::RemarkOpts::name("mask").category("attn-bound"))
      << found;
  return success();
}

namespace {

struct BoundAttentionPass final
    : impl::BoundAttentionPassBase<BoundAttentionPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](GenericOp op) {
      if (succeeded(boundMask(rewriter, op)))
        ++numBounded;
    });
  }
};

} // namespace
} // namespace attn
