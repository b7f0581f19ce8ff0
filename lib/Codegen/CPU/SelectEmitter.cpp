//===- SelectEmitter.cpp - Steps and ends of selections ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step is the loop nest of `attn.online` up to the scores; then rows keep the
// keys that are better than those they have. No value is read until all keys
// are in: the end of a tile weights the keys that are left, query rows in the
// lanes, and adds up the rows of the value that they name, row by row with
// lanes along the channels.
//
//===----------------------------------------------------------------------===//

#include "OnlineEmitter.h"
#include "Selection.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {
namespace {

class SelectEmitter final : public PairEmitter {
public:
  SelectEmitter(RewriterBase &rewriter, OnlineOp op, const EmitOptions &options)
      : PairEmitter(rewriter, op, PairTile::of(op), options), step(op) {}

private:
  void emitPhases() override;

  OnlineOp step;
};

} // namespace

void SelectEmitter::emitPhases() {
  emitScores(/*updates=*/false);
  auto select = cast<SelectWeightingAttrInterface>(op.getWeighting());
  Selection kept(b, loc, tile.statistics[0], tile.statistics[1],
                 select.getNumSelected(), lanes);
  Value first = step.getPosition() ? step.getPosition() : zero;
  perVisibility(TypeRange(), [&] {
    forEachKeyRow(
        kept.loadLeast(), [&](Value keyRow, Value offset, ValueRange carried) {
          Value score = loadScores(offset);
          Value candidates = mayBeBetter(b, loc, score, carried[0]);
          if (Value visible = loadVisible(keyRow))
            candidates = arith::AndIOp::create(b, loc, candidates, visible);
          auto branch = scf::IfOp::create(b, loc, TypeRange(laneType),
                                          isAnySet(b, loc, candidates),
                                          /*addThenBlock=*/true,
                                          /*addElseBlock=*/true);
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToStart(branch.elseBlock());
          scf::YieldOp::create(b, loc, carried);
          b.setInsertionPointToStart(branch.thenBlock());
          Value key = arith::AddIOp::create(b, loc, first, keyRow);
          kept.insert(score, emitter->broadcast(key), candidates,
                      /*byIndex=*/false);
          scf::YieldOp::create(b, loc, kept.loadLeast());
          return SmallVector<Value>{branch.getResult(0)};
        });
    return SmallVector<Value>();
  });
}

LogicalResult emitSelectingStep(RewriterBase &rewriter, OnlineOp op,
                                const EmitOptions &options) {
  OpBuilder::InsertionGuard guard(rewriter);
  return SelectEmitter(rewriter, op, options).run();
}

//===----------------------------------------------------------------------===//
// attn.finish
//===----------------------------------------------------------------------===//

namespace {

class SelectFinisher {
public:
  SelectFinisher(OpBuilder &b, FinishOp op, const EmitOptions &options)
      : b(b), loc(op.getLoc()), op(op),
        weighting(cast<SelectWeightingAttrInterface>(op.getWeighting())),
        accType(cast<FloatType>(
            cast<MemRefType>(op.getAccumulator().getType()).getElementType())),
        rows(op.getLayoutAttr().getNumRows()),
        lanes(std::max<int64_t>(1, options.vectorBits / accType.getWidth())),
        outputMap(op.getStoredMap(op.getOutputIndex())),
        kept(b, loc, op.getStatistics()[0], op.getStatistics()[1],
             weighting.getNumSelected(), rows),
        lane(b, loc, lanes, reader) {}

  void run();

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value extent(Value buffer, AffineMap map, unsigned dim) {
    unsigned position = *map.getResultPosition(b.getAffineDimExpr(dim));
    return getValueOrCreateConstantIndexOp(
        b, loc, memref::getMixedSize(b, loc, buffer, position));
  }
  Value scratch(ArrayRef<int64_t> shape) {
    return createWorkerScratch(b, op, MemRefType::get(shape, accType));
  }
  /// A weighting operand, of all rows.
  Value loadOperand(Value operand);
  /// The row of the value that is key `key`, lanes along the channels from
  /// `channel` on.
  Value readValue(Value key, Value channel, Value mask);
  void storeOutput(Value vector, Value row, Value channel, Value channels,
                   Value mask);
  void gatherRow(Value row, Value channels);

  OpBuilder &b;
  Location loc;
  FinishOp op;
  SelectWeightingAttrInterface weighting;
  FloatType accType;
  int64_t rows, lanes;
  AffineMap outputMap;
  Selection kept;
  VectorReader reader;
  RegionInliner lane;
  Value weights, strided;
};

} // namespace

Value SelectFinisher::loadOperand(Value operand) {
  auto rowType = VectorType::get({rows}, accType);
  auto type = dyn_cast<MemRefType>(operand.getType());
  if (type && type.getRank() == 0)
    operand = memref::LoadOp::create(b, loc, operand, ValueRange());
  if (!type || type.getRank() == 0)
    return vector::BroadcastOp::create(b, loc, rowType,
                                       convertFloat(b, loc, operand, accType));
  auto stored = VectorType::get({rows}, type.getElementType());
  Value zero = index(0), vector;
  if (type.getDimSize(0) == rows) {
    vector = vector::LoadOp::create(b, loc, stored, operand, zero);
  } else {
    Value count = getValueOrCreateConstantIndexOp(
        b, loc, memref::getMixedSize(b, loc, operand, 0));
    Value nothing = arith::ConstantOp::create(b, loc, b.getZeroAttr(stored));
    vector = vector::MaskedLoadOp::create(b, loc, stored, operand, zero,
                                          createLaneMask(b, loc, rows, count),
                                          nothing);
  }
  return convertFloat(b, loc, vector, accType);
}

Value SelectFinisher::readValue(Value key, Value channel, Value mask) {
  AffineMap map = op.getStoredMap(op.getValueIndex());
  SmallVector<LaneValue> place(map.getNumResults());
  place[*map.getResultPosition(b.getAffineDimExpr(1))] =
      LaneValue::affine(channel, 1);
  SmallVector<unsigned> keyDims;
  for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
    if (op.isKeyDim(dim))
      keyDims.push_back(dim);
  while (!keyDims.empty()) {
    unsigned dim = keyDims.pop_back_val();
    Value at = key;
    if (!keyDims.empty()) {
      Value size = extent(op.getValue(), map, dim);
      at = arith::RemUIOp::create(b, loc, key, size);
      key = arith::DivUIOp::create(b, loc, key, size);
    }
    place[*map.getResultPosition(b.getAffineDimExpr(dim))] =
        LaneValue::uniform(at);
  }
  return convertFloat(b, loc, reader.read(lane, op.getValue(), place, mask),
                      accType);
}

void SelectFinisher::storeOutput(Value vector, Value row, Value channel,
                                 Value channels, Value mask) {
  auto output = cast<MemRefType>(op.getOutput().getType());
  unsigned last = outputMap.getNumResults() - 1;
  if (outputMap.getDimPosition(last) == 1 && isContiguousAlong(output, last)) {
    storeElements(b, loc, vector, op.getOutput(),
                  locateInResult(b, loc, outputMap, row, channel), mask);
    return;
  }
  if (!strided)
    strided = scratch({lanes});
  vector::StoreOp::create(b, loc, vector, strided, index(0));
  Value rest = arith::SubIOp::create(b, loc, channels, channel);
  rest = arith::MinSIOp::create(b, loc, rest, index(lanes));
  emitLoop(b, loc, index(0), rest, 1, [&](Value number) {
    Value element = memref::LoadOp::create(b, loc, strided, number);
    memref::StoreOp::create(
        b, loc, convertFloat(b, loc, element, output.getElementType()),
        op.getOutput(),
        locateInResult(b, loc, outputMap, row,
                       arith::AddIOp::create(b, loc, channel, number)));
  });
}

void SelectFinisher::gatherRow(Value row, Value channels) {
  auto laneType = VectorType::get({lanes}, accType);
  std::optional<int64_t> known = getConstantIntValue(channels);
  emitLoop(b, loc, index(0), channels, lanes, [&](Value channel) {
    Value mask;
    if (!known || *known % lanes != 0)
      mask = createLaneMask(b, loc, lanes,
                            arith::SubIOp::create(b, loc, channels, channel));
    Value zeros = createFloatConstant(b, loc, laneType, 0.0);
    SmallVector<Value> sum =
        kept.forEachPlace(zeros, [&](Value number, ValueRange carried) {
          Value key = memref::LoadOp::create(b, loc, op.getStatistics()[1],
                                             kept.locate(number, row));
          Value isKept = arith::CmpIOp::create(
              b, loc, arith::CmpIPredicate::sge, key, index(0));
          auto branch =
              scf::IfOp::create(b, loc, TypeRange(laneType), isKept,
                                /*addThenBlock=*/true, /*addElseBlock=*/true);
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToStart(branch.thenBlock());
          Value weight =
              memref::LoadOp::create(b, loc, weights, ValueRange{number, row});
          Value value = readValue(key, channel, mask);
          value = arith::MulFOp::create(b, loc, value, lane.broadcast(weight));
          value = arith::AddFOp::create(b, loc, carried[0], value);
          scf::YieldOp::create(b, loc, value);
          b.setInsertionPointToStart(branch.elseBlock());
          scf::YieldOp::create(b, loc, carried);
          return SmallVector<Value>{branch.getResult(0)};
        });
    storeOutput(sum[0], row, channel, channels, mask);
  });
}

void SelectFinisher::run() {
  auto rowType = VectorType::get({rows}, accType);
  SmallVector<Value> operands;
  for (Value operand : op.getWeightingOperands())
    operands.push_back(loadOperand(operand));
  Value keys = arith::IndexCastOp::create(b, loc, b.getI64Type(), op.getKeys());
  keys = arith::SIToFPOp::create(b, loc, accType, keys);
  keys = vector::BroadcastOp::create(b, loc, rowType, keys);
  if (op.getValue())
    weights = scratch({weighting.getNumSelected(), rows});
  auto selected = weighting.getSelectedWeighting();
  SelectedWeights weighted = emitSelectedWeights(
      b, loc, kept, selected, operands, keys, rowType, weights);
  Value numRows = extent(op.getOutput(), outputMap, 0);
  if (op.getLse())
    storeLogSumExp(b, op,
                   selected.logSumExp(b, loc, weighted.statistics, operands,
                                      /*scale=*/Value()),
                   numRows);
  if (!op.getValue())
    return;
  Value channels = extent(op.getOutput(), outputMap, 1);
  emitLoop(b, loc, index(0), numRows, 1,
           [&](Value row) { gatherRow(row, channels); });
}

LogicalResult emitSelectingFinish(RewriterBase &b, FinishOp op,
                                  const EmitOptions &options) {
  for (Value operand : {op.getAccumulator(), op.getOutput()})
    if (!isa<MemRefType>(operand.getType()))
      return op.emitOpError("cannot be vectorized: expected ranked memrefs");
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  SelectFinisher(b, op, options).run();
  if (op.getFinished())
    return emitFinish(b, op, options);
  b.eraseOp(op);
  return success();
}

} // namespace attn
