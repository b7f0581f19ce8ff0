//===- KernelWeights.cpp - Scores become weights ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is done pair by pair, on what a thread holds of a row of scores. Pairs
// that are hidden have the neutral score and the weight 0, whatever their key
// holds; a row that has seen nothing keeps its neutral state, on which the
// weighting never yields NaN.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Utils.h"

using namespace mlir;

namespace attn {

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

Value KernelEmitter::createKeySteps() {
  SmallVector<int32_t> steps;
  for (int64_t lane = 0; lane < lanes; ++lane)
    steps.push_back(getKeyStep(lane));
  return arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(laneType(b.getI32Type()),
                             ArrayRef<int32_t>(steps)));
}

Value KernelEmitter::ownKey(int64_t distance) {
  Value own = multiply(quad, i32(2 * distance));
  return firstKey ? add(own, multiply(firstKey, i32(distance))) : own;
}

LaneValue KernelEmitter::keyPosition(const KeyTile &tile) {
  Value own = toIndex(ownKey(1));
  return LaneValue::near(add(tile.first, own), createKeySteps(),
                         choice.getKeys());
}

Value KernelEmitter::emitInRange(const KeyTile &tile) {
  if (!tile.count)
    return {};
  LaneBuilder builder(b, loc, lanes);
  Value left = arith::SubIOp::create(b, loc, tile.count, ownKey(1));
  return compare(arith::CmpIPredicate::slt, createKeySteps(),
                 builder.broadcast(left));
}

/// None of what a thread has of a tile need be visible, so that whatever
/// depends on a row or a key may be of no pair.
SmallVector<LaneValue> KernelEmitter::positions(LaneValue key, unsigned row,
                                                LaneValue feature) {
  SmallVector<LaneValue> positions(extents.size());
  for (unsigned dim : outerDims)
    positions[dim] = LaneValue::uniform(cast<Value>(box.offsets[dim]));
  for (auto [dim, position] : llvm::zip_equal(rowDims, rowPositions[row])) {
    positions[dim] = LaneValue::uniform(position);
    positions[dim].variesByKey = true;
  }
  if (blocks && !isPaged()) {
    auto [entries, inBlock] = locateLanes(key);
    Value keys = index(blocks->getKeys());
    if (key.isUniform()) {
      key = LaneValue::uniform(
          add(multiply(entries.scalar, keys), inBlock.scalar));
    } else {
      keys = LaneBuilder(b, loc, lanes).broadcast(keys);
      key =
          LaneValue::lanes(add(multiply(entries.vector, keys), inBlock.vector));
    }
  } else if (!blocks && !outerKeyDims.empty()) {
    Value number = arith::DivUIOp::create(b, loc, key.scalar, getKeyExtent());
    for (auto [dim, at] :
         llvm::zip_equal(outerKeyDims, locateOuterKeys(number))) {
      positions[dim] = LaneValue::uniform(at);
      positions[dim].variesByKey = true;
    }
    key.scalar = arith::RemUIOp::create(b, loc, key.scalar, getKeyExtent());
  }
  if (op.getQueryStarts()) {
    unsigned request = getRaggedDims(op)->request;
    positions[request] = LaneValue::uniform(cast<Value>(box.offsets[request]));
  }
  positions[keyDim] = key;
  positions[keyDim].variesByKey = true;
  positions[featureDim] = feature;
  return positions;
}

SmallVector<LaneValue> KernelEmitter::arguments(Region &region,
                                                ArrayRef<LaneValue> leading,
                                                ArrayRef<LaneValue> positions,
                                                unsigned row, Value mask) {
  SmallVector<LaneValue> values(leading);
  LaneBuilder builder(b, loc, lanes);
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    unsigned number = op.getFirstInputIndex() + i;
    AffineMap map = op.getIndexingMap(number);
    LaneValue value;
    if (!region.getArgument(values.size()).use_empty()) {
      if (Value known = inputs[number][row]) {
        value = LaneValue::uniform(known);
      } else {
        SmallVector<LaneValue> indices;
        for (unsigned d = 0, e = map.getNumResults(); d < e; ++d)
          indices.push_back(inputPosition(number, d, positions));
        value = LaneValue::lanes(convertFloat(
            b, loc, reader.read(builder, input, indices, mask), accType));
      }
    }
    auto isUsed = [&](unsigned dim) { return map.isFunctionOfDim(dim); };
    value.variesByKey =
        llvm::any_of(classes.keyRows, isUsed) || llvm::any_of(rowDims, isUsed);
    values.push_back(value);
  }
  return values;
}

Value KernelEmitter::inlineRegion(Region &region, ArrayRef<LaneValue> leading,
                                  const KeyTile &tile, unsigned row, Value mask,
                                  LaneValue feature) {
  return inlineRegion(region, leading,
                      positions(keyPosition(tile), row, feature), row, mask);
}

Value KernelEmitter::inlineRegion(Region &region, ArrayRef<LaneValue> leading,
                                  ArrayRef<LaneValue> where, unsigned row,
                                  Value mask) {
  RegionInliner inliner(b, loc, lanes, reader);
  LaneValue result = inliner.inlineRegion(
      region, arguments(region, leading, where, row, mask), where,
      LanePredicate{mask, /*mayBeEmpty=*/bool(mask)});
  return inliner.toVector(result);
}

//===----------------------------------------------------------------------===//
// Visible pairs
//===----------------------------------------------------------------------===//

RowValues KernelEmitter::emitVisible(const KeyTile &tile) {
  Value inRange = emitInRange(tile);
  RowValues visible;
  for (unsigned row = 0; row < kThreadRows; ++row) {
    if (op.getMask().empty()) {
      visible[row] = inRange;
      continue;
    }
    visible[row] = inlineRegion(op.getMask(), {}, tile, row, inRange);
    if (inRange)
      visible[row] = arith::AndIOp::create(b, loc, visible[row], inRange);
  }
  return visible;
}

Value KernelEmitter::emitAny(const RowValues &visible) {
  Value both = arith::OrIOp::create(b, loc, visible[0], visible[1]);
  Value any = lane(both, 0);
  for (int64_t i = 1; i < lanes; ++i)
    any = arith::OrIOp::create(b, loc, any, lane(both, i));
  return any;
}

//===----------------------------------------------------------------------===//
// Statistics and weights
//===----------------------------------------------------------------------===//

/// A greater one by a comparison and a selection is the maximum, which is one
/// instruction. That drops NaN from either side, and may.
Value KernelEmitter::combine(unsigned statistic, Value lhs, Value rhs) {
  Value combined = weighting.combine(b, loc, statistic, lhs, rhs);
  auto choice = combined.getDefiningOp<arith::SelectOp>();
  auto greater = choice ? choice.getCondition().getDefiningOp<arith::CmpFOp>()
                        : arith::CmpFOp();
  if (statistics[statistic].phase != StatisticPhase::Score || !greater ||
      greater.getPredicate() != arith::CmpFPredicate::OGT ||
      choice.getTrueValue() != greater.getLhs() ||
      choice.getFalseValue() != greater.getRhs())
    return combined;
  b.setInsertionPointAfter(choice);
  Value most =
      hardware.call("llvm.maxnum", {greater.getLhs(), greater.getRhs()});
  b.eraseOp(choice);
  b.eraseOp(greater);
  return most;
}

Value KernelEmitter::combineLanes(unsigned statistic, Value vector) {
  Values values;
  for (int64_t i = 0; i < lanes; ++i)
    values.push_back(lane(vector, i));
  for (; values.size() > 1;) {
    Values halved;
    for (size_t i = 0; i + 1 < values.size(); i += 2)
      halved.push_back(combine(statistic, values[i], values[i + 1]));
    if (values.size() % 2 != 0)
      halved.push_back(values.back());
    values = halved;
  }
  return values.front();
}

Value KernelEmitter::combineQuad(unsigned statistic, Value value) {
  for (int32_t mask : {1, 2})
    value = combine(statistic, value, hardware.exchange(value, mask));
  return value;
}

Value KernelEmitter::hide(Value mask, Value vector, double instead) {
  if (!mask)
    return vector;
  return select(mask, vector,
                createFloatConstant(b, loc, laneType(accType), instead));
}

Value KernelEmitter::multiplyAll(Value value, ValueRange factors) {
  for (Value factor : factors)
    value = arith::MulFOp::create(b, loc, value, factor);
  return value;
}

Value KernelEmitter::emitScore(const KeyTile &tile, Value similarities,
                               unsigned row, Value mask) {
  if (areScores)
    return similarities;
  double factor = op.getScale().convertToDouble();
  Value score = similarities;
  if (!scale && factor != 1)
    score = arith::MulFOp::create(
        b, loc, score, createFloatConstant(b, loc, laneType(accType), factor));
  if (op.getScore().empty())
    return score;
  return inlineRegion(op.getScore(), LaneValue::lanes(score), tile, row, mask);
}

bool KernelEmitter::readsForScores() {
  Region &score = op.getScore();
  for (unsigned i = 0, e = op.getInputs().size(); i < e; ++i)
    if (!score.getArgument(1 + i).use_empty())
      return true;
  return score
      .walk([](Operation *inner) {
        return isa<memref::LoadOp, tensor::ExtractOp>(inner)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

KernelEmitter::Weighted
KernelEmitter::emitWeights(const KeyTile &tile,
                           function_ref<Value(unsigned)> score,
                           const RowValues &visible, ValueRange old) {
  Weighted result;
  RowValues scores;
  std::array<Values, kThreadRows> here;
  auto emitScores = [&](unsigned row) {
    Value mask = visible[row];
    scores[row] = score(row);
    for (unsigned i = 0; i < numScoreStatistics; ++i) {
      Value own = hide(mask, scores[row], statistics[i].neutral);
      here[row].push_back(combineQuad(i, combineLanes(i, own)));
    }
  };
  auto emitRow = [&](unsigned row) {
    Value mask = visible[row];
    ValueRange before = old.slice(row * statistics.size(), statistics.size());
    Values next(before);
    for (unsigned i = 0; i < numScoreStatistics; ++i)
      next[i] = combine(i, before[i], here[row][i]);
    ValueRange scoreStatistics =
        ValueRange(next).take_front(numScoreStatistics);
    Value carry = weighting.rescale(
        b, loc, before.take_front(numScoreStatistics), scoreStatistics, scale);
    if (!carry && numScoreStatistics > 0)
      carry = createFloatConstant(b, loc, accType, 1.0);
    result.rescale[row] = carry;

    Values operands = weightingOperands(row), weights;
    for (int64_t i = 0; i < lanes; ++i)
      weights.push_back(weighting.weight(b, loc, lane(scores[row], i),
                                         scoreStatistics, operands, scale));
    Value weight =
        hide(mask,
             vector::FromElementsOp::create(b, loc, laneType(accType), weights),
             0.0);
    // Each tile is added up by itself: sums of sums round less than long ones.
    for (unsigned i = numScoreStatistics; i < statistics.size(); ++i) {
      if (carry)
        next[i] = arith::MulFOp::create(b, loc, next[i], carry);
      next[i] = combine(i, next[i], combineLanes(i, weight));
    }
    if (!op.getWeight().empty())
      weight = hide(mask,
                    inlineRegion(op.getWeight(), LaneValue::lanes(weight), tile,
                                 row, mask),
                    0.0);
    result.weights[row] = weight;
    llvm::append_range(result.statistics, next);
  };
  for (unsigned row = 0; row < kThreadRows; ++row) {
    emitScores(row);
    if (!divides)
      emitRow(row);
  }
  if (!divides)
    return result;
  combineSharers(here, /*first=*/0);
  for (unsigned row = 0; row < kThreadRows; ++row)
    emitRow(row);
  return result;
}

} // namespace attn
