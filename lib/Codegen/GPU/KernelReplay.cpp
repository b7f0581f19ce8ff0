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
// stored tile by tile; what no tile visits is zero from the first.
//
// Weights in key order are told by their mass, the final weight of another
// weighting, and by the mass of the visible keys before: what was carried so
// far, and of the tile a sum over the threads of a row.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/Analysis/KernelFit.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

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

void KernelEmitter::emitReplayed() {
  if (op.getWeights() && !op.getMask().empty())
    clearWeights();
  Value zero = createFloatConstant(b, loc, accType, 0.0);
  Values state = createNeutral();
  bool isSecond = !state.empty();
  if (isSecond)
    state = walkKeys(state, Phase::Statistics);
  for (unsigned row = 0; row < kThreadRows; ++row)
    finalStatistics[row] = combineRow(state, row);
  for (unsigned row = 0; row < kThreadRows; ++row)
    finalFactors[row] = weighting.finish(
        b, loc, finalStatistics[row], weightingOperands(row), numKeys, scale);
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
                                Value key, Value weight) {
  Value at = add(weights.address, rowOffset(weights, row));
  at = add(at, multiply(key, weights.columnBytes));
  hardware.store(convertFloat(b, loc, weight, weights.element),
                 hardware.toGlobal(at),
                 weights.element.getIntOrFloatBitWidth() / 8);
}

void KernelEmitter::storeWeights(const KeyTile &tile,
                                 const RowValues &tileWeights) {
  MatrixView weights = viewWeights();
  Value inRange = emitInRange(tile);
  Value first = add(tile.first, toIndex(multiply(quad, i32(2))));
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value weight = tileWeights[row], isOwn = hasRow[row];
    // One of the warps, and of the blocks, that have the row.
    if (hasFirst)
      isOwn = arith::AndIOp::create(b, loc, isOwn, hasFirst);
    if (firstChannel)
      isOwn = arith::AndIOp::create(
          b, loc, isOwn,
          compare(arith::CmpIPredicate::eq, firstChannel, i32(0)));
    if (!normalizesWeights())
      for (Value factor : finalFactors[row])
        weight = arith::MulFOp::create(
            b, loc, weight, LaneBuilder(b, loc, lanes).broadcast(factor));
    for (int64_t i = 0; i < lanes; ++i) {
      Value isThere = isOwn;
      if (inRange)
        isThere = arith::AndIOp::create(b, loc, isThere, lane(inRange, i));
      emitIf(isThere,
             [&] {
               storeWeight(weights, row, add(first, index(8 * (i / 2) + i % 2)),
                           lane(weight, i));
               return Values();
             },
             {});
    }
  }
}

/// All weights of the block's rows, as others see them behind a barrier.
void KernelEmitter::clearWeights() {
  MatrixView weights = viewWeights();
  Value keys = getValueOrCreateConstantIndexOp(b, loc, extents[keyDim]);
  Value all = multiply(toIndex(numRows), keys);
  if (hasFirst)
    all = select(hasFirst, all, index(0));
  Value zero = createFloatConstant(b, loc, weights.element, 0.0);
  auto loop = scf::ForOp::create(b, loc, toIndex(thread), all,
                                 index(32 * choice.getWarps()));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value number = loop.getInductionVar();
  Value row = arith::DivUIOp::create(b, loc, number, keys);
  Value key = arith::RemUIOp::create(b, loc, number, keys);
  Value at = add(rowAddress(weights, firstRow, toI32(row)),
                 multiply(key, weights.columnBytes));
  hardware.store(zero, hardware.toGlobal(at),
                 weights.element.getIntOrFloatBitWidth() / 8);
}

} // namespace attn
