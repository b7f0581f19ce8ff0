//===- MaskReads.cpp - What a mask reads, summarised ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Masks/MaskReads.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {

static constexpr int64_t blockBits = 4;
static_assert(maskBlock == int64_t(1) << blockBits);

//===----------------------------------------------------------------------===//
// Least and greatest elements
//===----------------------------------------------------------------------===//

/// The type that elements are compared in.
static IntegerType getComparedType(Value table) {
  auto type = cast<IntegerType>(getElementTypeOrSelf(table.getType()));
  return type.getWidth() == 1 ? IntegerType::get(type.getContext(), 8) : type;
}

static Value readElement(OpBuilder &b, Location loc, Value table,
                         ValueRange indices) {
  Value element = createRead(b, loc, table, indices);
  Type compared = getComparedType(table);
  if (element.getType() == compared)
    return element;
  return arith::ExtUIOp::create(b, loc, compared, element);
}

/// A loop from `first` to `end` that finds the least of what `read` gives
/// first, and the greatest of what it gives second.
static scf::ForOp createExtremumLoop(
    OpBuilder &b, Location loc, IntegerType type, Value first, Value end,
    function_ref<std::pair<Value, Value>(OpBuilder &, Value)> read) {
  auto constant = [&](const APInt &number) -> Value {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, number));
  };
  Value none[] = {constant(APInt::getSignedMaxValue(type.getWidth())),
                  constant(APInt::getSignedMinValue(type.getWidth()))};
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  return scf::ForOp::create(
      b, loc, first, end, one, none,
      [&](OpBuilder &b, Location, Value position, ValueRange found) {
        auto [low, high] = read(b, position);
        Value least = arith::MinSIOp::create(b, loc, found[0], low);
        Value greatest = arith::MaxSIOp::create(b, loc, found[1], high);
        scf::YieldOp::create(b, loc, ValueRange{least, greatest});
      });
}

Value MaskSummaries::getExtent(Value table, unsigned position) {
  Value &extent = extents[{table, position}];
  if (!extent) {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    extent = linalg::createOrFoldDimOp(rewriter, op.getLoc(), table, position);
  }
  return extent;
}

MaskSummary MaskSummaries::get(Value table, unsigned position) {
  auto [known, inserted] = summaries.try_emplace({table, position});
  if (!inserted)
    return known->second;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  IntegerType type = getComparedType(table);
  SmallVector<OpFoldResult> shape =
      tensor::getMixedSizes(rewriter, loc, table);
  Value extent =
      getValueOrCreateConstantIndexOp(rewriter, loc, shape[position]);
  shape[position] = affine::makeComposedFoldedAffineApply(
      rewriter, loc, rewriter.getAffineSymbolExpr(0).ceilDiv(maskBlock),
      {shape[position]});
  Value inits[] = {tensor::EmptyOp::create(rewriter, loc, shape, type),
                   tensor::EmptyOp::create(rewriter, loc, shape, type)};
  SmallVector<AffineMap> maps(
      2, rewriter.getMultiDimIdentityMap(shape.size()));
  SmallVector<utils::IteratorType> iterators(shape.size(),
                                             utils::IteratorType::parallel);
  auto summary = linalg::GenericOp::create(
      rewriter, loc, ValueRange(inits).getTypes(), ValueRange(), inits, maps,
      iterators, [&](OpBuilder &b, Location, ValueRange) {
        SmallVector<Value> indices;
        for (size_t dim = 0; dim < shape.size(); ++dim)
          indices.push_back(linalg::IndexOp::create(b, loc, dim));
        Value size = arith::ConstantIndexOp::create(b, loc, maskBlock);
        Value first =
            arith::MulIOp::create(b, loc, indices[position], size);
        Value end = arith::MinSIOp::create(
            b, loc, arith::AddIOp::create(b, loc, first, size), extent);
        auto loop = createExtremumLoop(
            b, loc, type, first, end, [&](OpBuilder &b, Value element) {
              indices[position] = element;
              Value read = readElement(b, loc, table, indices);
              return std::pair(read, read);
            });
        linalg::YieldOp::create(b, loc, loop.getResults());
      });
  return known->second = {summary.getResult(0), summary.getResult(1)};
}

//===----------------------------------------------------------------------===//
// What lies in a box
//===----------------------------------------------------------------------===//

static SmallVector<Value> getIndices(const MaskRead &read, Value position) {
  SmallVector<Value> indices(read.indices);
  indices[read.getPosition()] = position;
  return indices;
}

static Value readAt(OpBuilder &b, Location loc, const MaskRead &read,
                    Value position) {
  return readElement(b, loc, read.table, getIndices(read, position));
}

/// The block of a position; of -1, -1.
static Value getBlock(IndexEmitter &emitter, Scalar position) {
  if (position.isConstant())
    return emitter.materialize(
        emitter.floorDivide(position, maskBlock));
  return arith::ShRSIOp::create(emitter.getBuilder(), emitter.getLoc(),
                                position.getValue(),
                                emitter.materialize(blockBits));
}

/// Positions beyond the table are not looked at.
static Scalar getLast(IndexEmitter &emitter, const MaskRead &read,
                      const MaskInterval &positions) {
  if (!read.extent)
    return *positions.upper;
  return emitter.minimum(*positions.upper, emitter.add(*read.extent, -1));
}

MaskInterval emitReadBounds(IndexEmitter &emitter, const MaskRead &read,
                            MaskInterval positions) {
  OpBuilder &builder = emitter.getBuilder();
  Location loc = emitter.getLoc();
  Scalar last = getLast(emitter, read, positions);
  bool asksSummary =
      read.asksSummary && read.summaries->canSummarize(read.table);
  MaskSummary blocks;
  Value first, end;
  if (asksSummary) {
    blocks = read.summaries->get(read.table, read.getPosition());
    first = getBlock(emitter, *positions.lower);
    end = arith::AddIOp::create(builder, loc, getBlock(emitter, last),
                                emitter.materialize(1));
  } else {
    first = emitter.materialize(*positions.lower);
    end = emitter.materialize(emitter.add(last, 1));
  }
  auto loop = createExtremumLoop(
      builder, loc, getComparedType(read.table), first, end,
      [&](OpBuilder &b, Value position) -> std::pair<Value, Value> {
        if (!asksSummary) {
          Value element = readAt(b, loc, read, position);
          return {element, element};
        }
        SmallVector<Value> indices = getIndices(read, position);
        return {createRead(b, loc, blocks.least, indices),
                createRead(b, loc, blocks.greatest, indices)};
      });
  return {emitter.toIndex(loop.getResult(0)),
          emitter.toIndex(loop.getResult(1))};
}

//===----------------------------------------------------------------------===//
// Where wanted elements are
//===----------------------------------------------------------------------===//

namespace {

/// Emits the search for the positions of wanted elements.
class HullWriter {
public:
  HullWriter(IndexEmitter &emitter, const MaskRead &read,
             const MaskInterval &values)
      : emitter(emitter), b(emitter.getBuilder()), loc(emitter.getLoc()),
        read(read) {
    if (values.lower)
      lower = emitter.materialize(*values.lower);
    if (values.upper)
      upper = emitter.materialize(*values.upper);
  }

  MaskInterval write(Scalar first, Scalar last);

private:
  Value add(Value lhs, int64_t rhs) {
    return arith::AddIOp::create(b, loc, lhs, emitter.materialize(rhs));
  }
  Value min(Value lhs, Value rhs) {
    return arith::MinSIOp::create(b, loc, lhs, rhs);
  }
  Value max(Value lhs, Value rhs) {
    return arith::MaxSIOp::create(b, loc, lhs, rhs);
  }
  Value select(Value condition, Value ifTrue, Value ifFalse) {
    return arith::SelectOp::create(b, loc, condition, ifTrue, ifFalse);
  }
  /// Whether elements from `least` to `greatest` may be wanted.
  Value isWanted(Value least, Value greatest);
  scf::ForOp createLoop(Value from, Value to, ValueRange inits,
                        function_ref<SmallVector<Value>(Value, ValueRange)>);

  IndexEmitter &emitter;
  OpBuilder &b;
  Location loc;
  const MaskRead &read;
  Value lower, upper;
};

} // namespace

Value HullWriter::isWanted(Value least, Value greatest) {
  auto compare = [&](arith::CmpIPredicate predicate, Value element,
                     Value bound) -> Value {
    element = arith::IndexCastOp::create(b, loc, b.getIndexType(), element);
    return arith::CmpIOp::create(b, loc, predicate, element, bound);
  };
  Value below, above;
  if (upper)
    below = compare(arith::CmpIPredicate::sle, least, upper);
  if (lower)
    above = compare(arith::CmpIPredicate::sge, greatest, lower);
  if (below && above)
    return arith::AndIOp::create(b, loc, below, above);
  return below ? below : above;
}

scf::ForOp HullWriter::createLoop(
    Value from, Value to, ValueRange inits,
    function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop =
      scf::ForOp::create(b, loc, from, to, emitter.materialize(1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(b, loc, next);
  return loop;
}

MaskInterval HullWriter::write(Scalar first, Scalar last) {
  MaskSummary blocks = read.summaries->get(read.table, read.getPosition());
  Value start = emitter.materialize(first);
  Value end = emitter.materialize(emitter.add(last, 1));
  Value firstBlock = getBlock(emitter, first);
  Value endBlock = add(getBlock(emitter, last), 1);
  Value none = emitter.materialize(-1);
  auto hits = createLoop(
      firstBlock, endBlock, {endBlock, none},
      [&](Value block, ValueRange found) -> SmallVector<Value> {
        SmallVector<Value> indices = getIndices(read, block);
        Value least = createRead(b, loc, blocks.least, indices);
        Value greatest = createRead(b, loc, blocks.greatest, indices);
        Value hit = isWanted(least, greatest);
        return {min(found[0], select(hit, block, endBlock)),
                select(hit, block, found[1])};
      });

  // In the first and the last block, element by element. A block may hold no
  // wanted element between its least and its greatest one: then it is passed.
  Value size = emitter.materialize(maskBlock);
  auto searchBlock = [&](Value block, bool fromBelow) {
    Value from = arith::MulIOp::create(b, loc, block, size);
    Value to = min(arith::AddIOp::create(b, loc, from, size), end);
    from = max(from, start);
    return createLoop(
               from, to, fromBelow ? to : from,
               [&](Value position, ValueRange found) -> SmallVector<Value> {
                 Value element = readAt(b, loc, read, position);
                 Value hit = isWanted(element, element);
                 if (fromBelow)
                   return {min(found[0], select(hit, position, to))};
                 return {select(hit, add(position, 1), found[0])};
               })
        .getResult(0);
  };
  Value begin = searchBlock(hits.getResult(0), /*fromBelow=*/true);
  Value after = searchBlock(hits.getResult(1), /*fromBelow=*/false);
  return {Scalar(begin), emitter.add(after, -1)};
}

MaskInterval emitReadHull(IndexEmitter &emitter, const MaskRead &read,
                          const MaskInterval &values, MaskInterval positions) {
  return HullWriter(emitter, read, values)
      .write(*positions.lower, getLast(emitter, read, positions));
}

} // namespace attn
