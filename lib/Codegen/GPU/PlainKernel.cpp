//===- PlainKernel.cpp - Kernels that multiply one by one -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tiles are converted to f32 as they are copied, element by element, from
// wherever they lie; features that are not known, or very many, are read there
// as they are used, and channels are in parts then, each of blocks of its own.
// A thread goes over the features with what it has of the
// scores in registers, then over the keys with what it has of the sums.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {
namespace {

class PlainKernel final : public KernelEmitter {
public:
  PlainKernel(RewriterBase &rewriter, GenericOp op, GPUKernelAttr choice)
      : KernelEmitter(rewriter, op, choice) {}

private:
  void copyQueries() override {
    if (layout.features == 0)
      return;
    copyRows(view(0, rowDim, featureDim), firstRow, numRows, choice.getRows(),
             /*at=*/0, layout.features, layout.queryStride);
  }
  void copyKeys(const KeyTile &tile) override {
    if (layout.features == 0)
      return;
    copyRows(view(1, keyDim, featureDim), tile.first, tile.count,
             choice.getKeys(), layout.keys, layout.features,
             layout.queryStride);
  }
  void copyValues(const KeyTile &tile) override {
    copyRows(view(2, keyDim, channelDim), tile.first, tile.count,
             choice.getKeys(), layout.values, layout.channels,
             layout.valueStride,
             numColumns || layout.channels != getChannels() ? countChannels()
                                                            : Value());
  }
  RowValues emitSimilarities(const KeyTile &tile) override;
  Values addValues(ValueRange sums, const RowValues &weights,
                   const RowValues &visible, Value) override {
    storeOneByOne(weights, visible);
    awaitRows();
    return addOneByOne(sums, /*mayHide=*/bool(visible[0]), accType);
  }

  void copyRows(const MatrixView &from, Value first, Value count, int64_t rows,
                int64_t at, int64_t columns, int64_t stride,
                Value columnsThere = {});
  RowValues emitUnsharedSimilarities(const KeyTile &tile);
  RowValues
  addFeatures(const KeyTile &tile, Value features,
              function_ref<Values(Value feature)> loadKeys,
              function_ref<Value(Value feature, unsigned row)> loadQuery);
};

} // namespace

/// Zeros where there is no such row, or where columns are filled up. A warp
/// stores 32 columns of a row, or 4 of 8 rows, which lie in different banks.
void PlainKernel::copyRows(const MatrixView &from, Value first, Value count,
                           int64_t rows, int64_t at, int64_t columns,
                           int64_t stride, Value columnsThere) {
  bool isWide = columns % 32 == 0;
  int64_t words = isWide ? columns : llvm::alignTo(columns, 4);
  auto loop = scf::ForOp::create(b, loc, thread, i32(rows * words),
                                 i32(32 * choice.getWarps()));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value number = loop.getInductionVar();
  Value row = arith::DivUIOp::create(b, loc, number, i32(columns));
  Value column = arith::RemUIOp::create(b, loc, number, i32(columns));
  if (!isWide) {
    Value group = arith::ShRUIOp::create(b, loc, number, i32(5));
    Value rowInGroup = arith::ShRUIOp::create(b, loc, threadInWarp, i32(2));
    row = add(
        multiply(arith::DivUIOp::create(b, loc, group, i32(words / 4)), i32(8)),
        rowInGroup);
    column = add(
        multiply(arith::RemUIOp::create(b, loc, group, i32(words / 4)), i32(4)),
        arith::AndIOp::create(b, loc, threadInWarp, i32(3)));
  }
  auto load = [&] {
    Value address = add(rowAddress(from, first, row),
                        multiply(toIndex(column), from.columnBytes));
    Value value = hardware.load(from.element, hardware.toGlobal(address),
                                from.element.getIntOrFloatBitWidth() / 8);
    return Values{convertFloat(b, loc, value, accType)};
  };
  Value there;
  if (count)
    there = compare(arith::CmpIPredicate::slt, row, count);
  if (words != columns && !columnsThere)
    columnsThere = i32(columns);
  if (columnsThere) {
    Value isColumn = compare(arith::CmpIPredicate::slt, column, columnsThere);
    there = there ? arith::AndIOp::create(b, loc, there, isColumn) : isColumn;
  }
  Value zero = createFloatConstant(b, loc, accType, 0.0);
  Value value = there ? emitIf(there, load, zero)[0] : load()[0];
  int64_t bytes = getNumberBytes();
  Value own = add(multiply(row, i32(stride)), multiply(column, i32(bytes)));
  hardware.store(value, shared(at, own), bytes);
}

/// What is loaded are the elements of the thread's keys, and of one of its
/// rows.
RowValues PlainKernel::addFeatures(
    const KeyTile &tile, Value features,
    function_ref<Values(Value feature)> loadKeys,
    function_ref<Value(Value feature, unsigned row)> loadQuery) {
  Value zero = createFloatConstant(b, loc, laneType(accType), 0.0);
  // Keys that are not there read no inputs.
  Value inRange = op.getSimilarity().empty() ? Value() : emitInRange(tile);
  auto loop = scf::ForOp::create(b, loc, i32(0), features, i32(1),
                                 ValueRange{zero, zero});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value feature = loop.getInductionVar();
  Value keys = vector::FromElementsOp::create(b, loc, laneType(accType),
                                              loadKeys(feature));
  LaneBuilder builder(b, loc, lanes);
  Values next;
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value query = loadQuery(feature, row);
    Value sum = loop.getRegionIterArgs()[row];
    if (op.getSimilarity().empty()) {
      next.push_back(
          vector::FMAOp::create(b, loc, builder.broadcast(query), keys, sum));
      continue;
    }
    Value term = inlineRegion(
        op.getSimilarity(), {LaneValue::uniform(query), LaneValue::lanes(keys)},
        tile, row, inRange, LaneValue::uniform(toIndex(feature)));
    next.push_back(arith::AddFOp::create(b, loc, sum, term));
  }
  scf::YieldOp::create(b, loc, next);
  return {loop.getResult(0), loop.getResult(1)};
}

RowValues PlainKernel::emitSimilarities(const KeyTile &tile) {
  if (layout.features == 0)
    return emitUnsharedSimilarities(tile);
  int64_t numberBytes = getNumberBytes();
  auto loadKeys = [&](Value feature) {
    Value bytes = multiply(feature, i32(numberBytes));
    Value keyRow = add(ownKey(layout.queryStride), bytes);
    Values elements;
    for (int64_t i = 0; i < lanes; ++i)
      elements.push_back(hardware.load(
          accType,
          shared(layout.keys + (8 * (i / 2) + i % 2) * layout.queryStride,
                 keyRow),
          numberBytes));
    return elements;
  };
  auto loadQuery = [&](Value feature, unsigned row) {
    Value own = add(add(warpRow, group), i32(8 * row));
    Value bytes = multiply(feature, i32(numberBytes));
    return hardware.load(
        accType, shared(0, add(multiply(own, i32(layout.queryStride)), bytes)),
        numberBytes);
  };
  return addFeatures(tile, i32(layout.features), loadKeys, loadQuery);
}

/// Queries and keys are read where they are. Keys that are not there are the
/// last one of the tile.
RowValues PlainKernel::emitUnsharedSimilarities(const KeyTile &tile) {
  MatrixView query = view(0, rowDim, featureDim);
  MatrixView key = view(1, keyDim, featureDim);
  RowValues rowStarts;
  for (unsigned row = 0; row < kThreadRows; ++row)
    rowStarts[row] = add(query.address, rowOffset(query, row));
  Value last;
  if (tile.count)
    last = arith::SubIOp::create(b, loc, tile.count, i32(1));
  Values keyStarts;
  for (int64_t i = 0; i < lanes; ++i) {
    Value own = add(ownKey(1), i32(8 * (i / 2) + i % 2));
    if (last)
      own = arith::MinSIOp::create(b, loc, own, last);
    keyStarts.push_back(rowAddress(key, tile.first, own));
  }
  auto load = [&](const MatrixView &from, Value start, Value feature) {
    Value at = add(start, multiply(toIndex(feature), from.columnBytes));
    Value element = hardware.load(from.element, hardware.toGlobal(at),
                                  from.element.getIntOrFloatBitWidth() / 8);
    return convertFloat(b, loc, element, accType);
  };
  Value features =
      toI32(getValueOrCreateConstantIndexOp(b, loc, extents[featureDim]));
  auto loadKeys = [&](Value feature) {
    Values elements;
    for (Value start : keyStarts)
      elements.push_back(load(key, start, feature));
    return elements;
  };
  auto loadQuery = [&](Value feature, unsigned row) {
    return load(query, rowStarts[row], feature);
  };
  return addFeatures(tile, features, loadKeys, loadQuery);
}

std::unique_ptr<KernelEmitter>
createPlainKernel(RewriterBase &rewriter, GenericOp op, GPUKernelAttr choice) {
  return std::make_unique<PlainKernel>(rewriter, op, choice);
}

} // namespace attn
