//===- KernelReplay.cpp - A second walk, with final weights -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where a weight has to be final when it is used, a block walks over its keys
// twice: for the statistics alone, then with the scores computed again. Nothing
// of the size of all pairs is kept in between. Weights that are asked for are
// stored tile by tile; where some are of no tile, a launch before has filled
// all with zeros.
//
// Weights in key order are told by their mass, the final weight of another
// weighting, and by the mass of the visible keys before: what was carried so
// far, and of the tile a sum over the threads of a row.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/Analysis/KernelFit.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace attn {

bool KernelEmitter::isReplayed() { return ordered || needsFinalWeights(op); }

bool KernelEmitter::normalizesWeights() {
  return ordered || !op.getWeight().empty();
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

SmallVector<Value> KernelEmitter::createNeutral() {
  Values state;
  for (unsigned row = 0; row < kThreadRows; ++row)
    for (const Statistic &statistic : statistics)
      state.push_back(createFloatConstant(b, loc, accType, statistic.neutral));
  return state;
}

void KernelEmitter::emitFinalFactors() {
  for (unsigned row = 0; row < kThreadRows; ++row)
    finalFactors[row] = weighting.finish(
        b, loc, finalStatistics[row], weightingOperands(row), numKeys, scale);
}

void KernelEmitter::emitReplayed() {
  Value zero = createFloatConstant(b, loc, accType, 0.0);
  Values state = createNeutral();
  bool isSecond = !state.empty();
  if (isSecond)
    state = gatherState(walkKeys(state, Phase::Statistics));
  for (unsigned row = 0; row < kThreadRows; ++row)
    finalStatistics[row] = combineRow(state, row);
  emitFinalFactors();
  Values sums(ordered ? kThreadRows : 0, zero);
  sums.append(getNumSums(), zero);
  sums = walkKeys(sums, Phase::Final, /*isFirst=*/!isSecond);
  ValueRange results = ValueRange(sums).take_back(getNumSums());
  MatrixView output = view(op.getOutputIndex(), rowDim, channelDim);
  for (unsigned row = 0; row < kThreadRows; ++row)
    storeResults(output, row, finalStatistics[row], results,
                 normalizesWeights() ? Values() : finalFactors[row]);
}

//===----------------------------------------------------------------------===//
// A tile
//===----------------------------------------------------------------------===//

KernelEmitter::Weighted
KernelEmitter::emitFinalWeights(const KeyTile &tile,
                                const RowValues &similarities,
                                const RowValues &visible, ValueRange mass) {
  Weighted result;
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value mask = visible[row];
    Value score = emitScore(tile, similarities[row], row, mask);
    ValueRange scoreStatistics =
        ValueRange(finalStatistics[row]).take_front(numScoreStatistics);
    Values operands = weightingOperands(row), weights;
    for (int64_t i = 0; i < lanes; ++i) {
      Value weight = weighting.weight(b, loc, lane(score, i), scoreStatistics,
                                      operands, scale);
      if (normalizesWeights())
        weight = multiplyAll(weight, finalFactors[row]);
      weights.push_back(weight);
    }
    Value weight =
        hide(mask,
             vector::FromElementsOp::create(b, loc, laneType(accType), weights),
             0.0);
    if (ordered) {
      auto [before, after] = sumBefore(weight, mass[row]);
      SmallVector<Value> own;
      LaneBuilder builder(b, loc, lanes);
      for (Value operand : ownOperands(row))
        own.push_back(builder.broadcast(operand));
      weight =
          hide(mask, ordered.weightOfMass(b, loc, weight, before, own), 0.0);
      result.statistics.push_back(after);
    }
    if (!op.getWeight().empty())
      weight = hide(mask,
                    inlineRegion(op.getWeight(), LaneValue::lanes(weight), tile,
                                 row, mask),
                    0.0);
    result.weights[row] = weight;
  }
  return result;
}

std::pair<Value, Value> KernelEmitter::sumBefore(Value mass, Value carried) {
  auto sum = [&](Value lhs, Value rhs) -> Value {
    return arith::AddFOp::create(b, loc, lhs, rhs);
  };
  auto isSet = [&](int64_t bit) {
    return compare(arith::CmpIPredicate::ne,
                   arith::AndIOp::create(b, loc, quad, i32(bit)), i32(0));
  };
  Value zero = createFloatConstant(b, loc, accType, 0.0);
  Value isOdd = isSet(1), isUpper = isSet(2);
  Values before;
  // Eight keys at once, two to each of four threads, all of which get the same
  // sums.
  for (int64_t i = 0; i < lanes; i += 2) {
    Value pair = sum(lane(mass, i), lane(mass, i + 1));
    Value neighbour = hardware.exchange(pair, 1);
    Value half = sum(pair, neighbour);
    Value otherHalf = hardware.exchange(half, 2);
    Value own = sum(carried, select(isUpper, otherHalf, zero));
    own = sum(own, select(isOdd, neighbour, zero));
    before.push_back(own);
    before.push_back(sum(own, lane(mass, i)));
    carried = sum(carried, sum(half, otherHalf));
  }
  return {vector::FromElementsOp::create(b, loc, laneType(accType), before),
          carried};
}

//===----------------------------------------------------------------------===//
// Weights that are asked for
//===----------------------------------------------------------------------===//

MatrixView KernelEmitter::viewWeights() {
  return view(op.getOutputIndex() + (op.getLse() ? 2 : 1), rowDim, keyDim);
}

void KernelEmitter::storeWeight(const MatrixView &weights, unsigned row,
                                ArrayRef<LaneValue> positions, int64_t number,
                                Value weight) {
  LaneValue place = positions[keyDim];
  Value key = place.scalar;
  if (place.vector)
    key = lane(place.vector, number);
  else if (!place.isUniform())
    key = add(key, index(getKeyStep(number)));
  Value at = add(weights.address, rowOffset(weights, row));
  at = add(at, multiply(key, weights.columnBytes));
  for (auto [i, bytes] : llvm::enumerate(weights.outerBytes))
    if (bytes)
      at = add(at, multiply(positions[outerKeyDims[i]].scalar, bytes));
  hardware.store(convertFloat(b, loc, weight, weights.element),
                 hardware.toGlobal(at),
                 weights.element.getIntOrFloatBitWidth() / 8);
}

Value KernelEmitter::storesFirst(Value isThere) {
  Value isOwn = both(isThere, hasFirst);
  if (firstChannel)
    isOwn = arith::AndIOp::create(
        b, loc, isOwn, compare(arith::CmpIPredicate::eq, firstChannel, i32(0)));
  return isOwn;
}

void KernelEmitter::storeWeights(const KeyTile &tile,
                                 const RowValues &tileWeights) {
  MatrixView weights = viewWeights();
  Value inRange = emitInRange(tile);
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value weight = tileWeights[row];
    Value isOwn =
        divides ? both(hasRow[row], hasFirst) : storesFirst(hasRow[row]);
    SmallVector<LaneValue> where = positions(keyPosition(tile), row);
    if (!normalizesWeights())
      for (Value factor : finalFactors[row])
        weight = arith::MulFOp::create(
            b, loc, weight, LaneBuilder(b, loc, lanes).broadcast(factor));
    for (int64_t i = 0; i < lanes; ++i) {
      Value isThere = isOwn;
      if (inRange)
        isThere = arith::AndIOp::create(b, loc, isThere, lane(inRange, i));
      emitWhere(isThere,
                [&] { storeWeight(weights, row, where, i, lane(weight, i)); });
    }
  }
}

/// Not every tile of keys is visited, or has all rows of weights.
void KernelEmitter::clearWeights() {
  if (!op.getWeights() ||
      (numKept == 0 && op.getMask().empty() && !blocks && !op.getKeyStarts()))
    return;
  Type element = getElementTypeOrSelf(op.getWeights().getType());
  Value zero = createFloatConstant(b, loc, element, 0.0);
  linalg::FillOp::create(b, loc, zero, op.getWeights());
}

} // namespace attn
