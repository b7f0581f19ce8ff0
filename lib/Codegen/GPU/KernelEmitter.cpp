//===- KernelEmitter.cpp - Attention as a GPU kernel ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

KernelEmitter::KernelEmitter(RewriterBase &rewriter, GenericOp op,
                             GPUKernelAttr choice)
    : KernelBuilder(rewriter, op.getLoc()), op(op), choice(choice),
      layout(GPUShared::of(op, choice)), classes(op.getDimensionClasses()),
      rowDim(classes.queryRows.empty() ? op.getNumDims()
                                       : classes.queryRows.back()),
      keyDim(classes.keyRows[0]), featureDim(classes.features[0]),
      channelDim(classes.channels[0]), lanes(choice.getKeys() / 4),
      accType(op.getAccumulationType()), weighting(getSummedWeighting(op)),
      ordered(dyn_cast<OrderedWeightingAttrInterface>(op.getWeighting())),
      statistics(weighting.getStatistics()) {
  if (auto select = dyn_cast<SelectWeightingAttrInterface>(op.getWeighting()))
    numKept = select.getNumSelected();
  rowDims.push_back(rowDim);
  if (choice.getFolded() && !classes.queryRows.empty())
    llvm::append_range(rowDims, ArrayRef(classes.queryRows).drop_back());
  for (unsigned dim = 0, e = op.getNumDims(); dim < e; ++dim)
    if (!llvm::is_contained(rowDims, dim) && dim != keyDim &&
        dim != featureDim && dim != channelDim)
      outerDims.push_back(dim);
  for (const Statistic &statistic : statistics)
    numScoreStatistics += statistic.phase == StatisticPhase::Score;
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

MatrixView KernelEmitter::view(unsigned number, unsigned row, unsigned column) {
  Value buffer = op.getMappedOperands()[number];
  AffineMap map = op.getIndexingMap(number);
  MatrixView view;
  view.element = cast<MemRefType>(buffer.getType()).getElementType();
  Value bytes = index(view.element.getIntOrFloatBitWidth() / 8);
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  Value offset = metadata.getOffset();
  view.rowBytes = view.columnBytes = index(0);
  if (row == rowDim)
    view.otherRowBytes.assign(rowDims.size() - 1, index(0));
  for (auto [i, stride] : llvm::enumerate(metadata.getStrides())) {
    unsigned dim = map.getDimPosition(i);
    if (dim == row)
      view.rowBytes = multiply(stride, bytes);
    else if (dim == column)
      view.columnBytes = multiply(stride, bytes);
    else if (auto *other = llvm::find(rowDims, dim); other != rowDims.end())
      view.otherRowBytes[other - rowDims.begin() - 1] = multiply(stride, bytes);
    else
      offset = add(offset, multiply(cast<Value>(box.offsets[dim]), stride));
  }
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  view.address = add(start, multiply(offset, bytes));
  return view;
}

Value KernelEmitter::rowAddress(const MatrixView &view, Value first,
                                Value row) {
  Value position = add(first, toIndex(row));
  if (view.otherRowBytes.empty())
    return add(view.address, multiply(position, view.rowBytes));
  Values positions = splitRow(position);
  Value address = add(view.address, multiply(positions[0], view.rowBytes));
  for (auto [own, bytes] :
       llvm::zip_equal(ArrayRef(positions).drop_front(), view.otherRowBytes))
    address = add(address, multiply(own, bytes));
  return address;
}

Value KernelEmitter::rowOffset(const MatrixView &view, unsigned row) {
  Value offset = multiply(rowPositions[row][0], view.rowBytes);
  for (auto [own, bytes] : llvm::zip_equal(
           ArrayRef(rowPositions[row]).drop_front(), view.otherRowBytes))
    offset = add(offset, multiply(own, bytes));
  return offset;
}

SmallVector<Value> KernelEmitter::splitRow(Value row) {
  Values positions(rowDims.size());
  for (size_t i = rowDims.size() - 1; i > 0; --i) {
    Value extent = getValueOrCreateConstantIndexOp(b, loc, extents[rowDims[i]]);
    positions[i] = b.createOrFold<arith::RemUIOp>(loc, row, extent);
    row = b.createOrFold<arith::DivUIOp>(loc, row, extent);
  }
  positions[0] = row;
  return positions;
}

Value KernelEmitter::filled(int64_t bytes, Value own) {
  return shared(bytes, fillStage ? add(own, fillStage) : own);
}

Value KernelEmitter::staged(int64_t bytes, Value own) {
  return shared(bytes, readStage ? add(own, readStage) : own);
}

void KernelEmitter::emitKernel(Value numBlocks) {
  OpBuilder::InsertionGuard guard(b);
  enterKernel(numBlocks);
  reader.setSpare(
      memref::ExtractAlignedPointerAsIndexOp::create(b, loc, op.getQuery()));
  readInputs();
  emitScalars();
  if (numKept > 0)
    return emitSelected();
  if (isReplayed())
    return emitReplayed();
  Values state = createNeutral();
  state.append(getNumSums(), createFloatConstant(b, loc, accType, 0.0));
  state = walkKeys(state, Phase::Online);
  if (isSplit())
    storeStates(state);
  else
    emitFinish(state);
}

LogicalResult KernelEmitter::run() {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Value numBlocks = countBlocks();
  if (matchPattern(numBlocks, m_Zero())) {
    b.eraseOp(op);
    return success();
  }
  if (copiesAsync())
    checkAlignment();
  if (!getConstantIntValue(numBlocks)) {
    // A grid of no blocks is none.
    auto some =
        scf::IfOp::create(b, loc, compare(Predicate::ne, numBlocks, index(0)));
    b.setInsertionPointToStart(some.thenBlock());
  }
  if (isSplit())
    allocateStates();
  emitKernel(numBlocks);
  if (isSplit()) {
    launchMerge();
    freeStates();
  }
  b.eraseOp(op);
  return success();
}

} // namespace attn
