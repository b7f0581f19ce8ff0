//===- MergeEmitter.cpp - States of split keys are merged -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileEmitter.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {
namespace {

/// A *unit* is what has its statistics together: a query row, whose statistics
/// are in all lanes, or where lanes run along query rows all of them. The
/// splits are gone through twice, once for the score statistics, once for what
/// is rescaled to these.
class StateMerger {
public:
  StateMerger(OpBuilder &b, MergeOp op, const EmitOptions &options);

  void run();

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value extent(Value buffer, unsigned dim) {
    return getValueOrCreateConstantIndexOp(
        b, loc, memref::getMixedSize(b, loc, buffer, dim));
  }
  /// Where the lanes run along query rows, `unit` is 0.
  SmallVector<Value> place(ValueRange leading, Value unit) {
    SmallVector<Value> indices(leading);
    indices.push_back(unit);
    return indices;
  }
  /// Statistic `number` of a unit: of a split, or the merged one.
  Value load(unsigned number, Value split, Value unit);
  void store(unsigned number, Value value, Value unit);
  /// Loop over the splits that carries one value.
  Value forEachSplit(Value init, function_ref<Value(Value, Value)> body);
  void mergeUnit(Value unit);
  void mergeAccumulator(Value unit, ArrayRef<Value> merged);
  void mergeVector(ValueRange position, Value mask, Value unit,
                   ArrayRef<Value> merged);
  /// What carries a split over to the merged score statistics; null for one.
  Value rescale(Value split, Value unit, ArrayRef<Value> merged);

  OpBuilder &b;
  Location loc;
  MergeOp op;
  AccumulateWeightingAttrInterface weighting;
  SmallVector<Statistic> statistics;
  unsigned numScore = 0;
  FloatType accType;
  /// Whether the lanes run along query rows, and their number.
  bool alongRows;
  int64_t lanes;
  VectorType laneType;
};

} // namespace

StateMerger::StateMerger(OpBuilder &b, MergeOp op, const EmitOptions &options)
    : b(b), loc(op.getLoc()), op(op),
      weighting(cast<AccumulateWeightingAttrInterface>(op.getWeighting())),
      statistics(weighting.getStatistics()) {
  auto accumulator = cast<MemRefType>(op.getInits()[0].getType());
  accType = cast<FloatType>(accumulator.getElementType());
  numScore = llvm::count_if(statistics, [](const Statistic &statistic) {
    return statistic.phase == StatisticPhase::Score;
  });
  alongRows = op.getStoredMap(0).getDimPosition(1) == 0;
  lanes = alongRows
              ? op.getLayoutAttr().getNumRows()
              : std::max<int64_t>(1, options.vectorBits / accType.getWidth());
  laneType = VectorType::get({lanes}, accType);
}

Value StateMerger::load(unsigned number, Value split, Value unit) {
  Value buffer =
      split ? op.getPartials()[1 + number] : op.getInits()[1 + number];
  SmallVector<Value> indices =
      place(split ? ValueRange(split) : ValueRange(), unit);
  if (alongRows)
    return vector::LoadOp::create(b, loc, laneType, buffer, indices);
  Value element = memref::LoadOp::create(b, loc, buffer, indices);
  return vector::BroadcastOp::create(b, loc, laneType, element);
}

void StateMerger::store(unsigned number, Value value, Value unit) {
  Value buffer = op.getInits()[1 + number];
  if (alongRows)
    vector::StoreOp::create(b, loc, value, buffer, unit);
  else
    memref::StoreOp::create(
        b, loc, vector::ExtractOp::create(b, loc, value, int64_t(0)), buffer,
        unit);
}

Value StateMerger::forEachSplit(Value init,
                                function_ref<Value(Value, Value)> body) {
  Value end = extent(op.getPartials()[0], 0);
  auto loop = scf::ForOp::create(b, loc, index(0), end, index(1), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b, loc,
                       body(loop.getInductionVar(), loop.getRegionIterArg(0)));
  return loop.getResult(0);
}

Value StateMerger::rescale(Value split, Value unit, ArrayRef<Value> merged) {
  SmallVector<Value> own;
  for (unsigned i = 0; i < numScore; ++i)
    own.push_back(load(i, split, unit));
  return weighting.rescale(b, loc, own, merged, /*scale=*/Value());
}

void StateMerger::mergeVector(ValueRange position, Value mask, Value unit,
                              ArrayRef<Value> merged) {
  Value zeros = createFloatConstant(b, loc, laneType, 0.0);
  Value sum = forEachSplit(zeros, [&](Value split, Value sum) -> Value {
    SmallVector<Value> indices{split};
    llvm::append_range(indices, position);
    Value partials = op.getPartials()[0];
    Value part =
        mask ? vector::MaskedLoadOp::create(b, loc, laneType, partials, indices,
                                            mask, zeros)
                   .getResult()
             : vector::LoadOp::create(b, loc, laneType, partials, indices)
                   .getResult();
    if (Value factor = rescale(split, unit, merged))
      part = arith::MulFOp::create(b, loc, part, factor);
    return arith::AddFOp::create(b, loc, sum, part);
  });
  Value accumulator = op.getInits()[0];
  if (mask)
    vector::MaskedStoreOp::create(b, loc, accumulator, position, mask, sum);
  else
    vector::StoreOp::create(b, loc, sum, accumulator, position);
}

void StateMerger::mergeAccumulator(Value unit, ArrayRef<Value> merged) {
  Value accumulator = op.getInits()[0];
  if (alongRows) {
    emitLoop(b, loc, index(0), extent(accumulator, 0), 1, [&](Value channel) {
      mergeVector({channel, index(0)}, /*mask=*/{}, unit, merged);
    });
    return;
  }
  Value channels = extent(accumulator, 1);
  std::optional<int64_t> known = getConstantIntValue(channels);
  emitLoop(b, loc, index(0), channels, lanes, [&](Value channel) {
    Value mask;
    if (!known || *known % lanes != 0)
      mask = createLaneMask(b, loc, lanes,
                            arith::SubIOp::create(b, loc, channels, channel));
    mergeVector({unit, channel}, mask, unit, merged);
  });
}

void StateMerger::mergeUnit(Value unit) {
  SmallVector<Value> merged;
  for (unsigned i = 0; i < statistics.size(); ++i) {
    Value neutral =
        createFloatConstant(b, loc, laneType, statistics[i].neutral);
    Value result = forEachSplit(neutral, [&](Value split, Value sum) -> Value {
      Value part = load(i, split, unit);
      if (i >= numScore)
        if (Value factor = rescale(split, unit, merged))
          part = arith::MulFOp::create(b, loc, part, factor);
      return weighting.combine(b, loc, i, sum, part);
    });
    store(i, result, unit);
    if (i < numScore)
      merged.push_back(result);
  }
  mergeAccumulator(unit, merged);
}

void StateMerger::run() {
  if (alongRows)
    return mergeUnit(index(0));
  emitLoop(b, loc, index(0), extent(op.getInits()[0], 0), 1,
           [&](Value row) { mergeUnit(row); });
}

LogicalResult emitMerge(RewriterBase &b, MergeOp op,
                        const EmitOptions &options) {
  if (!isa<MemRefType>(op.getInits()[0].getType()))
    return op.emitOpError("cannot be vectorized: expected ranked memrefs");
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  StateMerger(b, op, options).run();
  b.eraseOp(op);
  return success();
}

} // namespace attn
