//===- ContractKernel.cpp - Products of matrices as GPU kernels -*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"
#include "attn/IR/Utils.h"
#include "attn/Tiling/IterationBox.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

/// A warp has few rows where the product has.
constexpr int64_t kFewRows = 16;

/// The extent of `dim` as some operand has it.
static int64_t getStaticExtent(ContractOp op, ContractOp::Dim dim) {
  AffineExpr expr = getAffineDimExpr(dim, op.getContext());
  for (unsigned index : {0u, 1u, op.getInitIndex()}) {
    auto type = cast<ShapedType>(op->getOperand(index).getType());
    auto position = op.getIndexingMap(index).getResultPosition(expr);
    if (position && !type.isDynamicDim(*position))
      return type.getDimSize(*position);
    if (!position && dim == ContractOp::Rows && index == 0)
      return 1;
  }
  return ShapedType::kDynamic;
}

ContractTiles ContractTiles::of(ContractOp op) {
  Type lhs = getElementTypeOrSelf(op.getLhs());
  ContractTiles tiles;
  tiles.mma = (lhs.isF16() || lhs.isBF16()) &&
              getElementTypeOrSelf(op.getRhs()) == lhs &&
              op.getLhsElement().empty() && op.getRhsElement().empty() &&
              op.getAccumulationType().isF32();
  int64_t rows = getStaticExtent(op, ContractOp::Rows);
  bool isFew = !ShapedType::isDynamic(rows) && rows <= kFewRows;
  tiles.rows = isFew ? kFewRows : 64;
  tiles.columns = 64;
  tiles.features = tiles.mma ? 64 : 16;
  tiles.warpRows = isFew ? 1 : 2;
  tiles.warpColumns = isFew ? 4 : 2;
  if (tiles.mma && GPUTarget::of(op).isAMD())
    tiles.warpThreads = 64;
  return tiles;
}

ContractKernel::ContractKernel(RewriterBase &rewriter, ContractOp op,
                               ContractTiles tiles)
    : KernelBuilder(rewriter, op.getLoc()), op(op), tiles(tiles),
      accType(op.getAccumulationType()), operands(op->getOperands()) {}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

/// The size of dimension `at` of a buffer, which may be a view that is computed
/// in a loop: what its size is computed from is not.
static OpFoldResult getSize(OpBuilder &b, Location loc, Value buffer,
                            unsigned at) {
  auto type = cast<MemRefType>(buffer.getType());
  if (!type.isDynamicDim(at))
    return b.getIndexAttr(type.getDimSize(at));
  if (auto cast = buffer.getDefiningOp<memref::CastOp>())
    return getSize(b, loc, cast.getSource(), at);
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

/// Where in a buffer with `map` a dimension is.
static std::optional<unsigned> getPosition(AffineMap map, ContractOp::Dim dim) {
  return map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
}

Value ContractKernel::getExtent(ContractOp::Dim dim) {
  OpFoldResult extent = b.getIndexAttr(1);
  for (unsigned index : {0u, 1u}) {
    auto at = getPosition(op.getIndexingMap(index), dim);
    if (!at)
      continue;
    extent = getSize(b, loc, op->getOperand(index), *at);
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
    IRMapping mapping;
    for (unsigned i = loopExtents.size(); i-- > 0;)
      mapping.map(loop.getInductionVar(i), takePosition(rest, loopExtents[i]));
    for (Operation &nested : loop.getBody()->without_terminator())
      if (&nested != op.getOperation())
        b.clone(nested, mapping);
    for (Value &operand : operands)
      operand = mapping.lookupOrDefault(operand);
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

void ContractKernel::viewFactors() {
  for (unsigned side : {0u, 1u}) {
    Factor &factor = factors[side];
    factor.view = view(side, side == 0 ? ContractOp::Rows : ContractOp::Columns,
                       ContractOp::Features);
    if (!cast<MemRefType>(operands[side].getType()).isLastDimUnitStride())
      continue;
    Value bits = arith::OrIOp::create(
        b, loc, factor.view.address,
        factor.featuresInner ? factor.view.rowBytes : factor.view.columnBytes);
    Value rest = arith::AndIOp::create(b, loc, bits, index(15));
    factor.aligned = compare(Predicate::eq, rest, index(0));
  }
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value ContractKernel::getAddress(const Factor &factor, Value position,
                                 Value feature) {
  Value at = add(factor.view.address, multiply(position, factor.view.rowBytes));
  return add(at, multiply(feature, factor.view.columnBytes));
}

Value ContractKernel::loadInput(unsigned number, Value row, Value column,
                                Value feature) {
  Value operand = operands[number];
  if (!isa<MemRefType>(operand.getType()))
    return operand;
  Value positions[] = {row, column, feature};
  Values indices;
  for (AffineExpr expr : op.getIndexingMap(number).getResults())
    indices.push_back(positions[cast<AffineDimExpr>(expr).getPosition()]);
  return memref::LoadOp::create(b, loc, operand, indices);
}

Value ContractKernel::loadElement(unsigned side, Value position,
                                  Value feature) {
  const Factor &factor = factors[side];
  Value element =
      hardware.load(factor.view.element,
                    hardware.toGlobal(getAddress(factor, position, feature)),
                    factor.view.element.getIntOrFloatBitWidth() / 8);
  Region &region = op.getFactorRegion(side);
  if (!region.empty()) {
    Values arguments{element};
    unsigned first = op.getFactorInputIndex(side);
    for (unsigned i = 0, e = op.getFactorInputs(side).size(); i < e; ++i)
      arguments.push_back(loadInput(first + i, position, position, feature));
    element = inlineBody(b, region, arguments)[0];
  }
  return convertFloat(b, loc, element, accType);
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

SmallVector<Value> ContractKernel::walkFeatures() {
  Value all = extents[ContractOp::Features];
  Value step = index(tiles.features);
  int64_t halfBytes = factors[0].size + factors[1].size;
  auto copy = [&](Value first, Value half) {
    Value left = arith::SubIOp::create(b, loc, all, first);
    Value count = toI32(arith::MinUIOp::create(b, loc, left, step));
    for (unsigned side : {0u, 1u})
      copyFactor(side, first, count, half);
  };
  emitWhere(compare(Predicate::ne, all, index(0)),
            [&] { copy(index(0), i32(0)); });
  Values carried(
      countSums(),
      arith::ConstantOp::create(b, loc, b.getZeroAttr(getSumType())));
  carried.push_back(i32(0));
  carried = emitLoop(
      index(0), all, step, carried, [&](Value first, ValueRange inner) {
        Value half = inner.back();
        Value other = arith::SubIOp::create(b, loc, i32(halfBytes), half);
        Value next = add(first, step);
        waitForCopies();
        // Nobody reads the other half any more, and this one is complete.
        hardware.barrier();
        emitWhere(compare(Predicate::ult, next, all),
                  [&] { copy(next, other); });
        Values sums = addProduct(inner.drop_back(), half);
        sums.push_back(other);
        return sums;
      });
  carried.pop_back();
  return carried;
}

//===----------------------------------------------------------------------===//
// The result
//===----------------------------------------------------------------------===//

int64_t ContractKernel::sumStride() {
  return (tiles.columns + countSpareColumns()) * accType.getWidth() / 8;
}

void ContractKernel::finishElement(Value row, Value column, Value sum) {
  unsigned number = op.getInitIndex();
  if (op.getAccumulate())
    sum = arith::AddFOp::create(
        b, loc, sum,
        convertFloat(b, loc, loadInput(number, row, column, {}), accType));
  if (!op.getElement().empty()) {
    Values arguments{sum};
    for (unsigned i = 0, e = op.getInputs().size(); i < e; ++i)
      arguments.push_back(loadInput(op.getInputIndex() + i, row, column, {}));
    sum = inlineBody(b, op.getElement(), arguments)[0];
  }
  MatrixView init = view(number, ContractOp::Rows, ContractOp::Columns);
  Value at = add(init.address, multiply(row, init.rowBytes));
  at = add(at, multiply(column, init.columnBytes));
  hardware.store(convertFloat(b, loc, sum, init.element), hardware.toGlobal(at),
                 init.element.getIntOrFloatBitWidth() / 8);
}

void ContractKernel::finish() {
  hardware.barrier();
  emitLoop(thread, i32(tiles.rows * tiles.columns), i32(countThreads()), {},
           [&](Value number, ValueRange) {
             Value row =
                 arith::DivUIOp::create(b, loc, number, i32(tiles.columns));
             Value column =
                 arith::RemUIOp::create(b, loc, number, i32(tiles.columns));
             Value there =
                 both(compare(Predicate::slt, row, factors[0].count),
                      compare(Predicate::slt, column, factors[1].count));
             emitWhere(there, [&] {
               int64_t bytes = accType.getWidth() / 8;
               Value at = add(multiply(row, i32(sumStride())),
                              multiply(column, i32(bytes)));
               Value sum = hardware.load(accType, shared(0, at), bytes);
               finishElement(add(factors[0].first, toIndex(row)),
                             add(factors[1].first, toIndex(column)), sum);
             });
             return Values();
           });
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
  enterLaunch(numBlocks, countThreads() / 32,
              std::max(2 * (factors[0].size + factors[1].size),
                       tiles.rows * sumStride()));
  locateBlock(loop);
  viewFactors();
  begin();
  Values sums = walkFeatures();
  // Where factors were, sums are going to be. That no copy is left follows from
  // numbers alone.
  waitForCopies();
  hardware.barrier();
  storeSums(sums);
  finish();
  b.eraseOp(replaced);
}

//===----------------------------------------------------------------------===//
// Where there is one
//===----------------------------------------------------------------------===//

/// The parallel loop around `op` if each of its positions can be blocks of a
/// grid: it holds nothing else but what computes operands of the op, and its
/// extents are known before it.
static scf::ForallOp getGrid(ContractOp op) {
  auto loop = dyn_cast<scf::ForallOp>(op->getParentOp());
  if (!loop || !loop.getOutputs().empty() || !loop.isNormalized() ||
      loop->getParentOfType<scf::ForallOp>())
    return {};
  for (Operation &nested : loop.getBody()->without_terminator())
    if (&nested != op.getOperation() &&
        (nested.getNumRegions() != 0 || !isMemoryEffectFree(&nested)))
      return {};
  OpBuilder b(op);
  for (unsigned index : {0u, 1u}) {
    Value operand = op->getOperand(index);
    auto type = cast<MemRefType>(operand.getType());
    for (unsigned at = 0, e = type.getRank(); at < e; ++at) {
      if (!type.isDynamicDim(at))
        continue;
      while (auto cast = operand.getDefiningOp<memref::CastOp>())
        operand = cast.getSource();
      if (!loop.getRegion().isAncestor(operand.getParentRegion()))
        continue;
      if (!operand.getDefiningOp<memref::SubViewOp>())
        return {};
      auto size = dyn_cast<Value>(getSize(b, op.getLoc(), operand, at));
      if (size && loop.getRegion().isAncestor(size.getParentRegion()))
        return {};
    }
  }
  return loop;
}

void emitContractKernel(RewriterBase &rewriter, ContractOp op) {
  ContractTiles tiles = ContractTiles::of(op);
  auto create = !tiles.mma               ? createPlainContract
                : tiles.warpThreads == 32 ? createMmaContract
                                          : createMfmaContract;
  auto kernel = create(rewriter, op, tiles);
  kernel->run(getGrid(op));
}

} // namespace attn
