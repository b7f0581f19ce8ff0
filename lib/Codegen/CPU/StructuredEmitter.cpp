//===- StructuredEmitter.cpp - Structured ops in vectors --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StructuredEmitter.h"
#include "attn/IR/GuardDivision.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// Elements, about, that a worker is given at a time.
constexpr int64_t kBlockElements = 1 << 14;
/// The side of what is transposed in registers: larger ones take LLVM long.
constexpr int64_t kSquare = 8;

//===----------------------------------------------------------------------===//
// Which ops, and how
//===----------------------------------------------------------------------===//

/// Whether the body can be evaluated in lanes. A division by what may be zero
/// cannot: it ends the run where it happens, and lanes guard theirs.
static bool isLaneBody(Block &body) {
  for (Operation &nested : body.without_terminator()) {
    if (isa<arith::ConstantOp, linalg::IndexOp, memref::LoadOp>(nested))
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&nested) ||
        nested.getNumRegions() != 0 || mayTrap(&nested))
      return false;
    for (Type type : llvm::concat<const Type>(nested.getOperandTypes(),
                                              nested.getResultTypes()))
      if (!VectorType::isValidElementType(type))
        return false;
  }
  return true;
}

/// The loop that the innermost dimension of an operand runs along.
static std::optional<unsigned> getInnermostLoop(AffineMap map) {
  if (map.getNumResults() == 0)
    return std::nullopt;
  auto dim = dyn_cast<AffineDimExpr>(map.getResults().back());
  return dim ? std::optional<unsigned>(dim.getPosition()) : std::nullopt;
}

/// Whether the op reduces by one combining op along a dimension that is
/// contiguous in what it reads.
bool StructuredEmitter::matchAcrossLanes() {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1)
    return false;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  std::optional<unsigned> inner;
  for (OpOperand *input : op.getDpsInputOperands()) {
    std::optional<unsigned> dim =
        getInnermostLoop(op.getMatchingIndexingMap(input));
    if (dim && kinds[*dim] == utils::IteratorType::reduction)
      inner = dim;
  }
  if (!inner)
    return false;
  SmallVector<Operation *> combiners;
  if (!matchReduction(op.getRegionOutputArgs(), 0, combiners) ||
      combiners.size() != 1 || !arith::getNeutralElement(combiners.front()) ||
      !linalg::getCombinerOpKind(combiners.front()))
    return false;
  combiner = combiners.front();
  laneDim = *inner;
  return true;
}

/// Whether `operand` is contiguous along a loop other than that of the lanes,
/// which it runs along, too.
static std::optional<unsigned> getTurnedLoop(linalg::LinalgOp op,
                                             OpOperand &operand,
                                             unsigned laneDim) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  std::optional<unsigned> inner = getInnermostLoop(map);
  if (!type || !inner || *inner == laneDim || !map.isProjectedPermutation() ||
      !map.isFunctionOfDim(laneDim) || !type.isLastDimUnitStride() ||
      !liesAsVector(type.getElementType()))
    return std::nullopt;
  return inner;
}

void StructuredEmitter::matchSquares() {
  if (acrossLanes || !reductions.empty())
    return;
  for (OpOperand *input : op.getDpsInputOperands())
    if (std::optional<unsigned> dim = getTurnedLoop(op, *input, laneDim))
      squareDim = dim;
  if (squareDim)
    lanes = kSquare;
}

LogicalResult StructuredEmitter::match() {
  if (!op.hasPureBufferSemantics() || op.getNumLoops() == 0 ||
      op->getNumRegions() != 1 || !isLaneBody(*op.getBlock()))
    return failure();
  int64_t width = 32;
  for (OpOperand &operand : op->getOpOperands()) {
    Type element = getElementTypeOrSelf(operand.get().getType());
    if (!isa<FloatType, IntegerType, IndexType>(element) ||
        getMemoryWidth(element) > 64)
      return failure();
    width = std::max(width, getMemoryWidth(element));
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    AffineMap map = op.getMatchingIndexingMap(&operand);
    bool isInit = op.isDpsInit(&operand);
    if (isInit ? !type || !liesAsVector(element) ||
                     !map.isProjectedPermutation()
               : !map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return failure();
  }
  lanes = std::max<int64_t>(2, 2 * options.vectorBits / width);
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  acrossLanes = matchAcrossLanes();
  if (!acrossLanes) {
    AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    if (map.getNumResults() == 0)
      return failure();
    laneDim = map.getDimPosition(map.getNumResults() - 1);
    for (OpOperand &init : op.getDpsInitsMutable()) {
      auto type = cast<MemRefType>(init.get().getType());
      AffineMap own = op.getMatchingIndexingMap(&init);
      if (getInnermostLoop(own) != laneDim || !type.isLastDimUnitStride())
        return failure();
    }
  }
  // No more lanes than there is to do.
  int64_t extent = op.getStaticLoopRanges()[laneDim];
  if (!ShapedType::isDynamic(extent))
    lanes = std::min<int64_t>(
        lanes, std::max<int64_t>(2, llvm::PowerOf2Ceil(extent)));
  for (auto [dim, kind] : llvm::enumerate(kinds))
    if (dim != laneDim)
      (kind == utils::IteratorType::parallel ? parallel : reductions)
          .push_back(dim);
  matchSquares();
  return success();
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

LaneValue StructuredEmitter::read(OpOperand &operand, Value mask) {
  if (Value known = turned.lookup(&operand))
    return LaneValue::lanes(known);
  Value buffer = operand.get();
  if (!isa<MemRefType>(buffer.getType()))
    return LaneValue::uniform(buffer);
  SmallVector<LaneValue> indices;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      indices.push_back(positions[dim.getPosition()]);
    else
      indices.push_back(LaneValue::uniform(
          index(cast<AffineConstantExpr>(expr).getValue())));
  }
  if (allUniform(indices)) {
    SmallVector<Value> scalars;
    for (const LaneValue &position : indices)
      scalars.push_back(position.scalar);
    return LaneValue::uniform(
        memref::LoadOp::create(b, loc, buffer, scalars));
  }
  LaneBuilder builder(b, loc, lanes);
  return LaneValue::lanes(reader.read(builder, buffer, indices, mask));
}

/// `value` is a vector, or what all lanes came to.
void StructuredEmitter::write(OpOperand &operand, Value value, Value mask) {
  SmallVector<Value> indices;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    indices.push_back(positions[map.getDimPosition(i)].scalar);
  if (!isa<VectorType>(value.getType()))
    memref::StoreOp::create(b, loc, value, operand.get(), indices);
  else if (mask)
    vector::MaskedStoreOp::create(b, loc, operand.get(), indices, mask, value);
  else
    vector::StoreOp::create(b, loc, value, operand.get(), indices);
}

SmallVector<Value> StructuredEmitter::emitBody(ValueRange inits, Value mask) {
  SmallVector<LaneValue> arguments;
  for (OpOperand *input : op.getDpsInputOperands())
    arguments.push_back(op.getMatchingBlockArgument(input).use_empty()
                            ? LaneValue()
                            : read(*input, mask));
  for (Value init : inits)
    arguments.push_back(LaneValue::lanes(init));
  RegionInliner inliner(b, loc, lanes, reader);
  SmallVector<Value> results;
  for (const LaneValue &value :
       inliner.inlineBlock(*op.getBlock(), arguments, positions,
                           LanePredicate{mask}))
    results.push_back(inliner.toVector(value));
  return results;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

SmallVector<Value> StructuredEmitter::forEach(
    ArrayRef<unsigned> dims, ValueRange values,
    function_ref<SmallVector<Value>(ValueRange)> body) {
  if (dims.empty())
    return body(values);
  unsigned dim = dims.front();
  auto loop = scf::ForOp::create(b, loc, lower[dim], upper[dim], index(1),
                                 values);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  positions[dim] = LaneValue::uniform(loop.getInductionVar());
  SmallVector<Value> next =
      forEach(dims.drop_front(), loop.getRegionIterArgs(), body);
  if (!next.empty())
    scf::YieldOp::create(b, loc, next);
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> StructuredEmitter::forEachLanes(
    Value from, Value to, ValueRange values,
    function_ref<SmallVector<Value>(ValueRange, Value)> body) {
  Value extent = b.createOrFold<arith::SubIOp>(loc, to, from);
  Value rest = b.createOrFold<arith::RemUIOp>(loc, extent, index(lanes));
  Value whole = b.createOrFold<arith::SubIOp>(loc, to, rest);
  auto emit = [&](Value first, Value end, bool masked, ValueRange carried) {
    auto loop = scf::ForOp::create(b, loc, first, end, index(lanes), carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    positions[laneDim] = LaneValue::affine(loop.getInductionVar(), 1);
    Value mask =
        masked ? createLaneMask(b, loc, lanes, rest) : Value();
    SmallVector<Value> next = body(loop.getRegionIterArgs(), mask);
    if (!next.empty())
      scf::YieldOp::create(b, loc, next);
    return SmallVector<Value>(loop.getResults());
  };
  SmallVector<Value> carried(values);
  if (!getConstantIntValue(from) ||
      getConstantIntValue(from) != getConstantIntValue(whole))
    carried = emit(from, whole, false, values);
  if (getConstantIntValue(rest) == 0)
    return carried;
  return emit(whole, to, true, carried);
}

void StructuredEmitter::emitBlocks(unsigned dim) {
  for (Operation *parent = op->getParentOp(); parent;
       parent = parent->getParentOp())
    if (parent->hasTrait<OpTrait::HasParallelRegion>())
      return;
  Value inner = index(1);
  for (unsigned other = 0; other < upper.size(); ++other)
    if (other != dim)
      inner = b.createOrFold<arith::MulIOp>(loc, inner, upper[other]);
  inner = b.createOrFold<arith::MaxSIOp>(loc, inner, index(1));
  Value size =
      b.createOrFold<arith::DivUIOp>(loc, index(kBlockElements), inner);
  size = b.createOrFold<arith::MaxSIOp>(
      loc, size, index(dim == laneDim || dim == squareDim ? lanes : 1));
  Value more = b.createOrFold<arith::AddIOp>(
      loc, upper[dim], b.createOrFold<arith::SubIOp>(loc, size, index(1)));
  Value count = b.createOrFold<arith::DivUIOp>(loc, more, size);
  std::optional<int64_t> known = getConstantIntValue(count);
  if (known && *known <= 1)
    return;
  auto loop = scf::ForallOp::create(b, loc, OpFoldResult(count), ValueRange(),
                                    /*mapping=*/std::nullopt);
  b.setInsertionPoint(loop.getTerminator());
  Value first = b.createOrFold<arith::MulIOp>(loc, loop.getInductionVar(0),
                                              size);
  lower[dim] = first;
  Value end = b.createOrFold<arith::AddIOp>(loc, first, size);
  upper[dim] = b.createOrFold<arith::MinSIOp>(loc, end, upper[dim]);
}

void StructuredEmitter::emitLanes(Value mask) {
  SmallVector<Value> inits;
  LaneBuilder builder(b, loc, lanes);
  for (OpOperand &init : op.getDpsInitsMutable()) {
    // What nobody reads need not be there.
    Type element = getElementTypeOrSelf(init.get().getType());
    inits.push_back(
        op.payloadUsesValueFromOperand(&init)
            ? builder.toVector(read(init, mask))
            : arith::ConstantOp::create(
                  b, loc, b.getZeroAttr(builder.vectorType(element))));
  }
  SmallVector<Value> results =
      forEach(reductions, inits,
              [&](ValueRange carried) { return emitBody(carried, mask); });
  for (auto [init, result] :
       llvm::zip_equal(op.getDpsInitsMutable(), results))
    write(init, result, mask);
}

void StructuredEmitter::emitAcrossLanes() {
  OpOperand &init = *op.getDpsInitOperand(0);
  Type element = getElementTypeOrSelf(init.get().getType());
  TypedAttr neutral = *arith::getNeutralElement(combiner);
  Value start = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(VectorType::get({lanes}, element), neutral));
  SmallVector<Value> sums =
      forEach(reductions, start, [&](ValueRange outer) {
        return forEachLanes(
            lower[laneDim], upper[laneDim], outer,
            [&](ValueRange carried, Value mask) {
              SmallVector<Value> next = emitBody(carried, mask);
              if (mask)
                next[0] = arith::SelectOp::create(b, loc, mask, next[0],
                                                  carried[0]);
              return next;
            });
      });
  auto flags = isa<FloatType>(element) ? arith::FastMathFlags::reassoc
                                       : arith::FastMathFlags::none;
  Value all = vector::ReductionOp::create(
      b, loc, *linalg::getCombinerOpKind(combiner), sums[0], flags);
  positions[laneDim] = LaneValue::uniform(lower[laneDim]);
  Value before = read(init, {}).scalar;
  Operation *combined = b.clone(*combiner);
  combined->setOperands({before, all});
  write(init, combined->getResult(0), {});
}

/// All lanes at the positions of the other loops.
void StructuredEmitter::emitRows() {
  forEachLanes(lower[laneDim], upper[laneDim], {},
               [&](ValueRange, Value mask) {
                 emitLanes(mask);
                 return SmallVector<Value>();
               });
}

void StructuredEmitter::emitSquare(Value row, Value lane) {
  llvm::SmallMapVector<OpOperand *, SmallVector<Value>, 2> squares;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (getTurnedLoop(op, *input, laneDim) != squareDim)
      continue;
    SmallVector<Value> square;
    for (int64_t i = 0; i < lanes; ++i) {
      positions[laneDim] = LaneValue::uniform(
          b.createOrFold<arith::AddIOp>(loc, lane, index(i)));
      positions[*squareDim] = LaneValue::affine(row, 1);
      square.push_back(read(*input, {}).vector);
    }
    squares[input] = transposeInRegisters(b, loc, square);
  }
  positions[laneDim] = LaneValue::affine(lane, 1);
  for (int64_t i = 0; i < lanes; ++i) {
    positions[*squareDim] = LaneValue::uniform(
        b.createOrFold<arith::AddIOp>(loc, row, index(i)));
    for (auto &[input, square] : squares)
      turned[input] = square[i];
    emitLanes({});
  }
  turned.clear();
}

/// Whole squares, and the rest of rows and of lanes row by row.
void StructuredEmitter::emitSquares() {
  unsigned dim = *squareDim;
  auto getWholeEnd = [&](unsigned dim) {
    Value extent = b.createOrFold<arith::SubIOp>(loc, upper[dim], lower[dim]);
    Value rest = b.createOrFold<arith::RemUIOp>(loc, extent, index(lanes));
    return b.createOrFold<arith::SubIOp>(loc, upper[dim], rest);
  };
  Value rowEnd = getWholeEnd(dim), laneEnd = getWholeEnd(laneDim);
  emitLoop(b, loc, lower[dim], rowEnd, lanes, [&](Value row) {
    emitLoop(b, loc, lower[laneDim], laneEnd, lanes,
             [&](Value lane) { emitSquare(row, lane); });
  });
  auto emitRest = [&](Value firstRow, Value firstLane) {
    emitLoop(b, loc, firstRow, upper[dim], 1, [&](Value row) {
      positions[dim] = LaneValue::uniform(row);
      Value first = lower[laneDim];
      lower[laneDim] = firstLane;
      emitRows();
      lower[laneDim] = first;
    });
  };
  emitRest(lower[dim], laneEnd);
  // What the rest of lanes has left.
  Value end = upper[laneDim];
  upper[laneDim] = laneEnd;
  emitRest(rowEnd, lower[laneDim]);
  upper[laneDim] = end;
}

LogicalResult StructuredEmitter::run() {
  OpBuilder::InsertionGuard guard(b);
  if (failed(match()))
    return failure();
  b.setInsertionPoint(op);
  Value zero = index(0);
  for (Range range : op.createLoopRanges(b, loc)) {
    lower.push_back(zero);
    upper.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
  }
  positions.assign(upper.size(), LaneValue::uniform(zero));
  // The outermost loop that is one.
  auto outermost = llvm::find_if(parallel, [&](unsigned dim) {
    return getConstantIntValue(upper[dim]) != 1;
  });
  if (outermost != parallel.end())
    emitBlocks(*outermost);
  else if (!acrossLanes)
    emitBlocks(laneDim);
  if (squareDim)
    llvm::erase(parallel, *squareDim);
  forEach(parallel, {}, [&](ValueRange) {
    if (acrossLanes)
      emitAcrossLanes();
    else if (squareDim)
      emitSquares();
    else
      emitRows();
    return SmallVector<Value>();
  });
  b.eraseOp(op);
  return success();
}

LogicalResult emitStructured(RewriterBase &rewriter, linalg::LinalgOp op,
                             const EmitOptions &options) {
  return StructuredEmitter(rewriter, op, options).run();
}

} // namespace attn
