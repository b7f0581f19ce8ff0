//===- ContractKernel.cpp - Products of matrices as GPU kernels -*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"
#include "attn/Analysis/GPUTarget.h"
#include "attn/IR/Utils.h"
#include "attn/Tiling/IterationBox.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace attn {

ContractTiles ContractTiles::of(GPUContractAttr choice) {
  int64_t rows = choice.getRows(), warps = choice.getWarps();
  ContractTiles tiles;
  tiles.rows = rows;
  tiles.columns = choice.getColumns();
  tiles.features = choice.getFeatures();
  tiles.warpRows = choice.getForm() == GPUForm::wgmma ? warps
                   : rows == 16                       ? 1
                                                      : 2;
  tiles.warpColumns = warps / tiles.warpRows;
  return tiles;
}

ContractKernel::ContractKernel(RewriterBase &rewriter, ContractOp op,
                               GPUContractAttr choice)
    : KernelBuilder(rewriter, op.getLoc()), op(op),
      tiles(ContractTiles::of(choice)), accType(op.getAccumulationType()),
      accBytes(accType.getWidth() / 8), operands(op->getOperands()) {
  if (choice.getForm() == GPUForm::mma_sync && GPUTarget::of(op).isAMD())
    tiles.warpThreads = 64;
}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

OpFoldResult getContractSize(OpBuilder &b, Location loc, Value buffer,
                             unsigned at) {
  auto type = cast<MemRefType>(buffer.getType());
  if (!type.isDynamicDim(at))
    return b.getIndexAttr(type.getDimSize(at));
  if (auto cast = buffer.getDefiningOp<memref::CastOp>())
    return getContractSize(b, loc, cast.getSource(), at);
  auto view = buffer.getDefiningOp<memref::SubViewOp>();
  if (!view)
    return memref::DimOp::create(b, loc, buffer, at).getResult();
  SmallVector<OpFoldResult> sizes = view.getMixedSizes();
  llvm::SmallBitVector dropped = view.getDroppedDims();
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (!dropped[dim] && at-- == 0)
      return sizes[dim];
  return {};
}

std::optional<unsigned> ContractKernel::getPosition(AffineMap map,
                                                    ContractOp::Dim dim) {
  return map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
}

Value ContractKernel::getExtent(ContractOp::Dim dim) {
  OpFoldResult extent = b.getIndexAttr(1);
  for (unsigned index : {0u, 1u}) {
    auto at = getPosition(op.getIndexingMap(index), dim);
    if (!at)
      continue;
    extent = getContractSize(b, loc, op->getOperand(index), *at);
    if (isa<Attribute>(extent))
      break;
  }
  return getValueOrCreateConstantIndexOp(b, loc, extent);
}

/// Which tile the block has, and of which position of the loop.
void ContractKernel::locateBlock(scf::ForallOp loop) {
  Value rest = block;
  Value column = takePosition(rest, columnTiles);
  Value row = takePosition(rest, rowTiles);
  if (loop) {
    for (unsigned i = loopExtents.size(); i-- > 0;)
      blockMapping.map(loop.getInductionVar(i),
                       takePosition(rest, loopExtents[i]));
    for (Operation &nested : loop.getBody()->without_terminator())
      if (&nested != op.getOperation())
        b.clone(nested, blockMapping);
    for (Value &operand : operands)
      operand = blockMapping.lookupOrDefault(operand);
  }
  for (unsigned side : {0u, 1u}) {
    Factor &factor = factors[side];
    Value size = index(factor.positions);
    factor.first = multiply(side == 0 ? row : column, size);
    Value left = arith::SubIOp::create(
        b, loc, extents[side == 0 ? ContractOp::Rows : ContractOp::Columns],
        factor.first);
    factor.count = toI32(arith::MinUIOp::create(b, loc, left, size));
  }
}

MatrixView ContractKernel::view(unsigned number, ContractOp::Dim row,
                                ContractOp::Dim column) {
  Value buffer = operands[number];
  AffineMap map = op.getIndexingMap(number);
  MatrixView view;
  view.element = cast<MemRefType>(buffer.getType()).getElementType();
  Value bytes = index(view.element.getIntOrFloatBitWidth() / 8);
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  auto strideOf = [&](ContractOp::Dim dim) {
    auto at = getPosition(map, dim);
    return at ? multiply(metadata.getStrides()[*at], bytes) : index(0);
  };
  view.rowBytes = strideOf(row);
  view.columnBytes = strideOf(column);
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  view.address = add(start, multiply(metadata.getOffset(), bytes));
  return view;
}

void ContractKernel::placeFactors() {
  int64_t start = 0;
  for (unsigned side : {0u, 1u}) {
    Factor &factor = factors[side];
    AffineMap map = op.getIndexingMap(side);
    factor.positions = side == 0 ? tiles.rows : tiles.columns;
    factor.featuresInner =
        map.getDimPosition(map.getNumResults() - 1) == ContractOp::Features;
    factor.start = start;
    placeFactor(factor);
    start += factor.size;
  }
}

void ContractKernel::run(scf::ForallOp loop) {
  OpBuilder::InsertionGuard guard(b);
  Operation *replaced = loop ? loop.getOperation() : op.getOperation();
  b.setInsertionPoint(replaced);
  for (auto dim : {ContractOp::Rows, ContractOp::Columns, ContractOp::Features})
    extents[dim] = getExtent(dim);
  auto countTiles = [&](ContractOp::Dim dim, int64_t size) {
    return b.createOrFold<arith::CeilDivUIOp>(loc, extents[dim], index(size));
  };
  rowTiles = countTiles(ContractOp::Rows, tiles.rows);
  columnTiles = countTiles(ContractOp::Columns, tiles.columns);
  Value numBlocks = multiply(rowTiles, columnTiles);
  if (loop)
    loopExtents = llvm::map_to_vector(
        loop.getMixedUpperBound(), [&](OpFoldResult extent) {
          return getValueOrCreateConstantIndexOp(b, loc, extent);
        });
  for (Value extent : loopExtents)
    numBlocks = multiply(numBlocks, extent);
  checkCount(numBlocks, "blocks of threads");
  enterIfAny(numBlocks);
  placeFactors();
  prepareLaunch();
  enterLaunch(numBlocks, countThreads() / 32 + countOtherWarps(),
              std::max(countFactorBytes(), tiles.rows * sumStride()));
  locateBlock(loop);
  compute();
  b.eraseOp(replaced);
}

} // namespace attn
