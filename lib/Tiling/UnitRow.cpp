//===- UnitRow.cpp - A query row where there is none ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "UnitRow.h"
#include "attn/IR/Reshape.h"
#include "attn/IR/Utils.h"

using namespace mlir;

namespace attn {

/// A dimension of extent 1 in front of the last one.
static Value addDimension(OpBuilder &b, Location loc, Value value) {
  unsigned last = cast<ShapedType>(value.getType()).getRank() - 1;
  return expandDimension(b, loc, value, last, b.getIndexAttr(1),
                         tensor::getMixedSize(b, loc, value, last));
}

/// `ranges` and `classify` take the first and the last position along the new
/// dimension behind those of the batch.
static void cloneBounds(OpBuilder &b, Region &from, Region &to,
                        unsigned numBatch) {
  cloneRegion(b, from, to, [](IndexOp) { return Value(); });
  if (to.empty())
    return;
  for (unsigned i = 0; i < 2; ++i)
    to.front().insertArgument(numBatch, b.getIndexType(), from.getLoc());
}

GenericOp addUnitRow(RewriterBase &b, GenericOp op) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  unsigned numDims = op.getNumDims(), output = op.getOutputIndex();
  SmallVector<AffineMap> maps;
  for (unsigned i = 0, e = op.getIndexingMaps().size(); i < e; ++i) {
    AffineMap map = op.getWrittenMap(i);
    SmallVector<AffineExpr> results(map.getResults());
    // Where there is no dimension to split, the new one would be the first.
    if (i == 0 || i >= output)
      results.insert(results.empty() ? results.end() : results.end() - 1,
                     b.getAffineDimExpr(numDims));
    maps.push_back(AffineMap::get(numDims + 1, 0, results, b.getContext()));
  }
  Value query = addDimension(b, loc, op.getQuery());
  Value init = addDimension(b, loc, op.getOutput()), lse;
  SmallVector<Type> types{init.getType()};
  if (op.getLse()) {
    auto type = cast<RankedTensorType>(op.getLse().getType());
    lse = type.getRank() != 0
              ? addDimension(b, loc, op.getLse())
              : tensor::ExpandShapeOp::create(
                    b, loc, RankedTensorType::get({1}, type.getElementType()),
                    op.getLse(), ArrayRef<ReassociationIndices>())
                    .getResult();
    types.push_back(lse.getType());
  }
  Value weights;
  if (op.getWeights()) {
    weights = addDimension(b, loc, op.getWeights());
    types.push_back(weights.getType());
  }
  BlockListAttr blocks = op.getBlocksAttr();
  if (blocks) {
    SmallVector<AffineMap> listMaps;
    for (AffineMap map : blocks.getMaps())
      listMaps.push_back(
          AffineMap::get(numDims + 1, 0, map.getResults(), b.getContext()));
    blocks = BlockListAttr::get(b.getContext(), blocks.getRows(),
                                blocks.getKeys(), blocks.getKind(), listMaps);
  }
  auto result = GenericOp::create(
      b, loc, types, query, op.getKey(), op.getValue(), op.getInputs(),
      op.getWeightingOperands(), op.getQueryStarts(), op.getKeyStarts(),
      op.getIndptr(), op.getIndices(), init, lse, weights,
      b.getAffineMapArrayAttr(maps), op.getWeighting(), op.getScale(),
      op.getAccTypeAttr(), blocks);
  unsigned numBatch = op.getDimensionClasses().batch.size();
  for (auto [from, to] : llvm::zip_equal(op->getRegions().take_front(4),
                                         result->getRegions().take_front(4)))
    b.cloneRegionBefore(from, to, to.end());
  cloneBounds(b, op.getRanges(), result.getRanges(), numBatch);
  cloneBounds(b, op.getClassify(), result.getClassify(), numBatch);

  SmallVector<Value> collapsed;
  for (auto [value, old] :
       llvm::zip_equal(result.getResults(), op.getResults())) {
    auto type = cast<RankedTensorType>(value.getType());
    llvm::SmallBitVector dropped(type.getRank());
    dropped.set(type.getRank() == 1 ? 0 : type.getRank() - 2);
    Value reshaped = type.getRank() == 1
                         ? tensor::CollapseShapeOp::create(
                               b, loc, cast<RankedTensorType>(old.getType()),
                               value, ArrayRef<ReassociationIndices>())
                               .getResult()
                         : dropUnitDimensions(b, loc, value, dropped);
    collapsed.push_back(castShaped(b, loc, reshaped, old.getType()));
  }
  b.replaceOp(op, collapsed);
  return result;
}

} // namespace attn
