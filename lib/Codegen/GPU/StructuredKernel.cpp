//===- StructuredKernel.cpp - Structured ops as GPU kernels -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread has an element of the result, and goes over all that is summed up
// for it. Its neighbours have the next ones along the innermost dimension, so
// that a warp writes what lies together. Where that is not where the op reads
// what lies together, in reductions along rows, a warp has an element: its
// threads take every 32nd position each, and combine what they have in the end.
//
// Blocks are numbered along one dimension, as others have few positions, and
// positions are found by divisions of 32 bits: only along the innermost
// dimension may there be more.
//
//===----------------------------------------------------------------------===//

#include "StructuredKernel.h"
#include "KernelBuilder.h"
#include "attn/IR/Utils.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {
namespace {

constexpr int64_t kWarps = 8, kThreads = 32 * kWarps;
/// Neighbours along an innermost dimension of an extent that is not known.
constexpr int64_t kUnknownLanes = 64;

class StructuredKernel final : KernelBuilder {
public:
  StructuredKernel(RewriterBase &rewriter, linalg::LinalgOp op)
      : KernelBuilder(rewriter, op.getLoc()), op(op) {}

  LogicalResult run();

private:
  void findLanes();
  bool matchAcrossLanes();
  Value countRows();
  void launchElements();
  void launchAcrossLanes();
  /// Sets the positions along `rows` of what is number `row`.
  void locateRow(Value row);

  Values locate(OpOperand &operand);
  Value read(OpOperand &operand);
  void write(OpOperand &operand, Value value);
  Values readInits();
  Values emitBody(ValueRange carried);
  /// The body for all positions of the reductions from number `first` on.
  Values reduce(unsigned first, ValueRange carried);
  Value combine(unsigned number, Value lhs, Value rhs);
  Value combineWarp(unsigned number, Value value);

  linalg::LinalgOp op;
  /// By loop: the extent, on the host, and the position at hand.
  Values extents, positions;
  /// The loops whose positions are numbered, those of sums, and the one that
  /// neighbours are along.
  SmallVector<unsigned> rows, reductions;
  std::optional<unsigned> laneDim;
  /// By result, what combines two parts of an element, if a warp has it.
  SmallVector<Operation *> combiners;
};

} // namespace

/// The loop that the innermost dimension of an operand runs along.
static std::optional<unsigned> getInnermostLoop(AffineMap map) {
  if (map.getNumResults() == 0)
    return std::nullopt;
  auto dim = dyn_cast<AffineDimExpr>(map.getResults().back());
  return dim ? std::optional<unsigned>(dim.getPosition()) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Who has what
//===----------------------------------------------------------------------===//

/// Whether elements of a type can be exchanged within a warp.
static bool isExchanged(Type element) {
  return isa<FloatType>(element) ? element.getIntOrFloatBitWidth() <= 64
                                 : element.isInteger(32);
}

/// Whether the op reduces, by one combining op for each result, along a
/// dimension that is innermost in what it reads, and long.
bool StructuredKernel::matchAcrossLanes() {
  if (reductions.empty())
    return false;
  std::optional<unsigned> inner;
  for (OpOperand *input : op.getDpsInputOperands()) {
    std::optional<unsigned> dim =
        getInnermostLoop(op.getMatchingIndexingMap(input));
    if (dim && llvm::is_contained(reductions, *dim))
      inner = dim;
  }
  if (!inner || getConstantIntValue(extents[*inner]).value_or(32) < 32)
    return false;
  SmallVector<Operation *> found;
  for (auto [number, init] : llvm::enumerate(op.getDpsInits())) {
    SmallVector<Operation *> own;
    if (!isExchanged(getElementTypeOrSelf(init)) ||
        !matchReduction(op.getRegionOutputArgs(), number, own) ||
        own.size() != 1 || !arith::getNeutralElement(own.front()))
      return false;
    found.push_back(own.front());
  }
  combiners = std::move(found);
  laneDim = *inner;
  llvm::erase(reductions, *inner);
  return true;
}

void StructuredKernel::findLanes() {
  for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    (kind == utils::IteratorType::parallel ? rows : reductions).push_back(dim);
  if (matchAcrossLanes())
    return;
  std::optional<unsigned> inner;
  if (op.getNumDpsInits() > 0)
    inner =
        getInnermostLoop(op.getMatchingIndexingMap(op.getDpsInitOperand(0)));
  if (inner && llvm::is_contained(rows, *inner))
    laneDim = inner;
  else if (!rows.empty())
    laneDim = rows.back();
  if (laneDim)
    llvm::erase(rows, *laneDim);
}

Value StructuredKernel::countRows() {
  Value count = index(1);
  for (unsigned dim : rows)
    count = multiply(count, extents[dim]);
  checkCount(count, "rows");
  return count;
}

void StructuredKernel::locateRow(Value row) {
  if (rows.empty())
    return;
  for (unsigned dim : llvm::reverse(ArrayRef(rows).drop_front()))
    positions[dim] = takePosition(row, extents[dim]);
  positions[rows.front()] = toIndex(row);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

SmallVector<Value> StructuredKernel::locate(OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Values indices;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      indices.push_back(positions[dim.getPosition()]);
    else
      indices.push_back(affine::AffineApplyOp::create(
          b, loc, AffineMap::get(map.getNumDims(), 0, expr), positions));
  }
  return indices;
}

Value StructuredKernel::read(OpOperand &operand) {
  if (!isa<MemRefType>(operand.get().getType()))
    return operand.get();
  return memref::LoadOp::create(b, loc, operand.get(), locate(operand));
}

void StructuredKernel::write(OpOperand &operand, Value value) {
  memref::StoreOp::create(b, loc, value, operand.get(), locate(operand));
}

SmallVector<Value> StructuredKernel::readInits() {
  Values inits;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    // What nobody reads need not be there.
    Type element = getElementTypeOrSelf(init.get().getType());
    inits.push_back(
        op.payloadUsesValueFromOperand(&init)
            ? read(init)
            : arith::ConstantOp::create(b, loc, b.getZeroAttr(element)));
  }
  return inits;
}

SmallVector<Value> StructuredKernel::emitBody(ValueRange carried) {
  IRMapping mapping;
  for (OpOperand *input : op.getDpsInputOperands())
    if (BlockArgument argument = op.getMatchingBlockArgument(input);
        !argument.use_empty())
      mapping.map(argument, read(*input));
  for (auto [argument, value] :
       llvm::zip_equal(op.getRegionOutputArgs(), carried))
    mapping.map(argument, value);
  for (Operation &nested : op.getBlock()->without_terminator()) {
    if (auto number = dyn_cast<linalg::IndexOp>(nested))
      mapping.map(number.getResult(), positions[number.getDim()]);
    else
      b.clone(nested, mapping);
  }
  Values results;
  for (Value value : op.getBlock()->getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(value));
  return results;
}

SmallVector<Value> StructuredKernel::reduce(unsigned first,
                                            ValueRange carried) {
  if (first == reductions.size()) {
    if (combiners.empty())
      return emitBody(carried);
    return emitLoop(toIndex(threadInWarp), extents[*laneDim], index(32),
                    carried, [&](Value position, ValueRange inner) {
                      positions[*laneDim] = position;
                      return emitBody(inner);
                    });
  }
  unsigned dim = reductions[first];
  return emitLoop(index(0), extents[dim], index(1), carried,
                  [&](Value position, ValueRange inner) {
                    positions[dim] = position;
                    return reduce(first + 1, inner);
                  });
}

Value StructuredKernel::combine(unsigned number, Value lhs, Value rhs) {
  Operation *combined = b.clone(*combiners[number]);
  combined->setOperands({lhs, rhs});
  return combined->getResult(0);
}

/// Every thread gets the same: what is exchanged is combined in one order.
Value StructuredKernel::combineWarp(unsigned number, Value value) {
  Type element = value.getType();
  bool isNarrow =
      isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32;
  Type exchanged = isNarrow ? Type(b.getF32Type()) : element;
  for (int32_t mask = 16; mask > 0; mask /= 2) {
    Value other =
        hardware.exchange(convertFloat(b, loc, value, exchanged), mask);
    value = combine(number, value, convertFloat(b, loc, other, element));
  }
  return value;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

void StructuredKernel::launchElements() {
  int64_t lanes = 1;
  Value laneExtent = laneDim ? extents[*laneDim] : index(1);
  if (std::optional<int64_t> known = getConstantIntValue(laneExtent))
    lanes = std::clamp<int64_t>(llvm::PowerOf2Ceil(*known), 1, kThreads);
  else
    lanes = kUnknownLanes;
  Value numRows = countRows();
  Value chunks =
      b.createOrFold<arith::CeilDivUIOp>(loc, laneExtent, index(lanes));
  Value groups =
      b.createOrFold<arith::CeilDivUIOp>(loc, numRows, index(kThreads / lanes));
  Value numBlocks = multiply(groups, chunks);
  checkCount(numBlocks, "blocks of threads");
  enterIfAny(numBlocks);
  enterLaunch(numBlocks, kWarps, /*sharedBytes=*/0);
  Value rest = block;
  Value chunk = takePosition(rest, chunks);
  Value ownLane = arith::RemUIOp::create(b, loc, thread, i32(lanes));
  Value ownRow = arith::DivUIOp::create(b, loc, thread, i32(lanes));
  Value row = add(multiply(rest, i32(kThreads / lanes)), ownRow);
  Value position = add(multiply(chunk, index(lanes)), toIndex(ownLane));
  Value there = both(compare(arith::CmpIPredicate::ult, row, toI32(numRows)),
                     compare(arith::CmpIPredicate::ult, position, laneExtent));
  emitWhere(there, [&] {
    if (laneDim)
      positions[*laneDim] = position;
    locateRow(row);
    Values results = reduce(0, readInits());
    for (auto [init, result] :
         llvm::zip_equal(op.getDpsInitsMutable(), results))
      write(init, result);
  });
}

void StructuredKernel::launchAcrossLanes() {
  Value numRows = countRows();
  Value numBlocks =
      b.createOrFold<arith::CeilDivUIOp>(loc, numRows, index(kWarps));
  enterIfAny(numBlocks);
  enterLaunch(numBlocks, kWarps, /*sharedBytes=*/0);
  Value row = add(multiply(block, i32(kWarps)), warp);
  emitWhere(compare(arith::CmpIPredicate::ult, row, toI32(numRows)), [&] {
    locateRow(row);
    Values parts;
    for (Operation *combiner : combiners)
      parts.push_back(arith::ConstantOp::create(
          b, loc, *arith::getNeutralElement(combiner)));
    parts = reduce(0, parts);
    for (auto [number, part] : llvm::enumerate(parts))
      part = combineWarp(number, part);
    emitWhere(compare(arith::CmpIPredicate::eq, threadInWarp, i32(0)), [&] {
      for (auto [number, part] : llvm::enumerate(parts)) {
        OpOperand &init = *op.getDpsInitOperand(number);
        write(init, combine(number, read(init), part));
      }
    });
  });
}

LogicalResult StructuredKernel::run() {
  if (!op.hasPureBufferSemantics() || op->getNumRegions() != 1 ||
      op.getNumDpsInits() == 0)
    return op.emitOpError("cannot be compiled for a GPU: expected one body, "
                          "and buffers that it writes");
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  for (Range range : op.createLoopRanges(b, loc))
    extents.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
  positions.assign(extents.size(), Value());
  findLanes();
  if (!combiners.empty())
    launchAcrossLanes();
  else
    launchElements();
  b.eraseOp(op);
  return success();
}

LogicalResult emitStructuredKernel(RewriterBase &rewriter,
                                   linalg::LinalgOp op) {
  return StructuredKernel(rewriter, op).run();
}

} // namespace attn
