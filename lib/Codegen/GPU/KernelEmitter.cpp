//===- KernelEmitter.cpp - Attention as a GPU kernel ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Utils.h"
#include "attn/Tiling/Tiling.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
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
      keyDim(classes.keyRows.back()), featureDim(classes.features[0]),
      channelDim(classes.channels[0]),
      outerKeyDims(ArrayRef(classes.keyRows).drop_back()),
      blocks(BlockList::of(op)), isListed(needsKeyList(op)),
      divides(dividesKeys(op, choice)),
      lanes(choice.getKeys() / 4 / (divides ? choice.getSharers() : 1)),
      accType(op.getAccumulationType()), weighting(getSummedWeighting(op)),
      ordered(dyn_cast<OrderedWeightingAttrInterface>(op.getWeighting())),
      statistics(weighting.getStatistics()) {
  if (auto select = dyn_cast<SelectWeightingAttrInterface>(op.getWeighting()))
    numKept = select.getNumSelected();
  rowDims.push_back(rowDim);
  if (choice.getFolded() && !classes.queryRows.empty())
    llvm::append_range(rowDims, ArrayRef(classes.queryRows).drop_back());
  for (unsigned dim : llvm::concat<unsigned>(classes.batch, classes.queryRows))
    if (!llvm::is_contained(rowDims, dim) &&
        !(op.getQueryStarts() && dim == getRaggedDims(op)->request))
      outerDims.push_back(dim);
  llvm::sort(outerDims);
  llvm::copy_if(outerDims, std::back_inserter(listDims),
                [&](unsigned dim) { return mayMeetOtherKeys(op, dim); });
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
  view.hasKeys = row == keyDim;
  for (auto [i, stride] : llvm::enumerate(metadata.getStrides())) {
    unsigned dim = map.getDimPosition(i);
    if (isPacked(op, number, i))
      offset = add(offset, multiply(shiftPacked(number, i, index(0)), stride));
    if (dim == row)
      view.rowBytes = multiply(stride, bytes);
    else if (dim == column)
      view.columnBytes = multiply(stride, bytes);
    else if (auto *other = llvm::find(rowDims, dim); other != rowDims.end())
      view.otherRowBytes[other - rowDims.begin() - 1] = multiply(stride, bytes);
    else if (auto *outer = llvm::find(outerKeyDims, dim);
             outer != outerKeyDims.end()) {
      view.outerBytes.resize(outerKeyDims.size());
      view.outerBytes[outer - outerKeyDims.begin()] = multiply(stride, bytes);
    } else
      offset = add(offset, multiply(cast<Value>(box.offsets[dim]), stride));
    if (dim == channelDim && firstColumn)
      offset = add(offset, multiply(firstColumn, stride));
  }
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  view.address = add(start, multiply(offset, bytes));
  return view;
}

Value KernelEmitter::rowAddress(const MatrixView &view, Value first,
                                Value row) {
  Value position = add(first, toIndex(row));
  if (view.hasKeys)
    return keyAddress(view, first, position);
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

Value KernelEmitter::keyAddress(const MatrixView &view, Value first,
                                Value position) {
  Value address = view.address;
  if (blocks) {
    // Keys in blocks: the entry says where the block is.
    Value keys = index(blocks->getKeys());
    Value number = arith::DivUIOp::create(b, loc, position, keys);
    Value entry = getListReader().read(add(listFirst, number));
    Value blockBytes =
        isPaged() ? view.outerBytes.front() : multiply(view.rowBytes, keys);
    address = add(address, multiply(entry, blockBytes));
    position = arith::RemUIOp::create(b, loc, position, keys);
  } else if (!view.outerBytes.empty()) {
    Value extent = getKeyExtent();
    Value outer = arith::DivUIOp::create(b, loc, first, extent);
    for (auto [at, bytes] :
         llvm::zip_equal(locateOuterKeys(outer), view.outerBytes))
      if (bytes)
        address = add(address, multiply(at, bytes));
    position = arith::SubIOp::create(b, loc, position, multiply(outer, extent));
  }
  return add(address, multiply(position, view.rowBytes));
}

RowValues KernelEmitter::toRows(ValueRange sums) {
  RowValues rows;
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Values elements;
    for (size_t tile = 0; tile < sums.size() / 4; ++tile)
      elements.append({sums[4 * tile + 2 * row], sums[4 * tile + 2 * row + 1]});
    rows[row] =
        vector::FromElementsOp::create(b, loc, laneType(accType), elements);
  }
  return rows;
}

SmallVector<Value> KernelEmitter::packWeights(const RowValues &weights,
                                              int64_t step, Type element) {
  Values words;
  for (int64_t i : {0, 2})
    for (unsigned row = 0; row < kThreadRows; ++row)
      words.push_back(hardware.pack(lane(weights[row], 4 * step + i),
                                    lane(weights[row], 4 * step + i + 1),
                                    element));
  return words;
}

Value KernelEmitter::isAnyNotFinite(Value words, Type element, Value any) {
  // Of the lower half, or of the upper.
  uint32_t exponent = getExponentBits(element);
  for (uint32_t bits : {exponent, exponent << 16}) {
    Value mask = arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(cast<VectorType>(words.getType()),
                               APInt(32, bits)));
    Value found = compare(Predicate::eq,
                          arith::AndIOp::create(b, loc, words, mask), mask);
    for (int64_t i = 0; i < 4; ++i)
      any = arith::OrIOp::create(b, loc, any, lane(found, i));
  }
  return any;
}

Value KernelEmitter::filled(int64_t bytes, Value own) {
  return shared(bytes, fillStage ? add(own, fillStage) : own);
}

Value KernelEmitter::staged(int64_t bytes, Value own) {
  return shared(bytes, readStage ? add(own, readStage) : own);
}

void KernelEmitter::emitKernel(Value numBlocks) {
  OpBuilder::InsertionGuard guard(b);
  gpu::LaunchOp launch = enterKernel(numBlocks);
  // There are fewer than 2^31 blocks.
  locateBlock(toI32(launch.getBlockIds().x), launch.getThreadIds().x);
  auto emitBlock = [&] {
    takeRequestKeys();
    if (isListed)
      takeHead(tileNumber);
    reader.setSpare(memref::ExtractAlignedPointerAsIndexOp::create(
        b, loc, spare ? spare : op.getQuery()));
    readInputs();
    emitScalars();
    emitRows();
    return Values();
  };
  if (mayHaveNoRows())
    emitIf(compare(Predicate::sgt, numRows, i32(0)), emitBlock, {});
  else
    emitBlock();
}

void KernelEmitter::emitRows() {
  if (part)
    return emitPart(*part);
  if (numKept > 0)
    return emitSelected();
  if (isReplayed())
    return emitReplayed();
  Values state = createNeutral();
  state.append(getNumSums(), createFloatConstant(b, loc, accType, 0.0));
  emitFinish(walkKeys(state, Phase::Online));
}

/// Of queries that have 16 bytes or more some are read.
void KernelEmitter::allocateSpare() {
  constexpr int64_t kBytes = 16;
  auto type = cast<MemRefType>(op.getQuery().getType());
  int64_t features = type.getDimSize(
      *op.getIndexingMap(0).getResultPosition(b.getAffineDimExpr(featureDim)));
  if (ShapedType::isDynamic(features) ||
      features * type.getElementTypeBitWidth() < 8 * kBytes)
    spare = memref::AllocOp::create(b, loc,
                                    MemRefType::get({kBytes}, b.getI8Type()));
}

LogicalResult KernelEmitter::run() {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Value numBlocks = countBlocks();
  if (matchPattern(numBlocks, m_Zero())) {
    b.eraseOp(op);
    return success();
  }
  if (checksAlignment())
    checkAlignment();
  if (!getConstantIntValue(numBlocks)) {
    // A grid of no blocks is none.
    auto some =
        scf::IfOp::create(b, loc, compare(Predicate::ne, numBlocks, index(0)));
    b.setInsertionPointToStart(some.thenBlock());
  }
  if (op->hasAttr("attn.count_tiles"))
    counts = memref::GetGlobalOp::create(
        b, loc, MemRefType::get({3}, b.getI64Type()), getTileCountsName());
  if (op.getQueryStarts() || op.getKeyStarts())
    launchStartsCheck();
  if (isListed)
    launchLists();
  clearWeights();
  allocateSpare();
  prepareLaunch();
  if (isSplit())
    emitParts(numBlocks);
  else
    emitKernel(numBlocks);
  if (isListed)
    freeLists();
  if (spare)
    memref::DeallocOp::create(b, loc, spare);
  b.eraseOp(op);
  return success();
}

} // namespace attn
