//===- Selection.cpp - The keys that rows keep ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Selection.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

static Value index(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value mayBeBetter(OpBuilder &b, Location loc, Value score, Value least) {
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UGT, score, least);
}

Value isAnySet(OpBuilder &b, Location loc, Value lanes) {
  int64_t count = cast<VectorType>(lanes.getType()).getNumElements();
  Value word = vector::BitCastOp::create(
      b, loc, VectorType::get({1}, b.getIntegerType(count)), lanes);
  word = vector::ExtractOp::create(b, loc, word, int64_t(0));
  Value none =
      arith::ConstantOp::create(b, loc, b.getIntegerAttr(word.getType(), 0));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, word, none);
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

SmallVector<Value> Selection::locate(Value number, Value row) {
  SmallVector<Value> place(leading);
  if (numKept != 1)
    place.push_back(number);
  place.push_back(row);
  return place;
}

SmallVector<Value> Selection::locateFirst(Value number) {
  return locate(number, firstRow ? firstRow : index(b, loc, 0));
}

Value Selection::load(Value buffer, Value number) {
  auto type = VectorType::get(
      {rows}, cast<MemRefType>(buffer.getType()).getElementType());
  return vector::LoadOp::create(b, loc, type, buffer, locateFirst(number));
}

void Selection::store(Value vector, Value buffer, Value number) {
  vector::StoreOp::create(b, loc, vector, buffer, locateFirst(number));
}

Value Selection::isKept(Value keys) {
  Value zeros =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(keys.getType()));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, keys, zeros);
}

Value Selection::loadLeast() { return loadScore(index(b, loc, numKept - 1)); }

Value Selection::contains(Value keys) {
  Value none = arith::ConstantOp::create(
      b, loc, b.getZeroAttr(VectorType::get({rows}, b.getI1Type())));
  return forEachPlace(none, [&](Value number, ValueRange carried) {
    Value here = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                       loadIndex(number), keys);
    return SmallVector<Value>{arith::OrIOp::create(b, loc, carried[0], here)};
  })[0];
}

SmallVector<Value> Selection::forEachPlace(
    ValueRange inits,
    function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  return emitStridedLoop(b, loc, index(b, loc, numKept), /*unroll=*/1,
                         /*strides=*/{}, inits,
                         [&](Value number, ValueRange, ValueRange carried) {
                           return body(number, carried);
                         });
}

void Selection::clear() {
  auto fill = [&](Value buffer, Value element) {
    auto type = VectorType::get({rows}, element.getType());
    Value vector = vector::BroadcastOp::create(b, loc, type, element);
    forEachPlace({}, [&](Value number, ValueRange) {
      store(vector, buffer, number);
      return SmallVector<Value>();
    });
  };
  Type type = cast<MemRefType>(scores.getType()).getElementType();
  fill(scores, createFloatConstant(b, loc, type,
                                   -std::numeric_limits<double>::infinity()));
  fill(indices, index(b, loc, -1));
}

/// Greater, or NaN where the other is none; where both are alike the lower key
/// if keys are asked for.
Value Selection::isBetter(Value score, Value key, Value than, Value thanKey,
                          bool byIndex) {
  using Predicate = arith::CmpFPredicate;
  Value greater = compare(Predicate::UGT, score, than);
  Value isNumber = compare(Predicate::ORD, than, than);
  Value better = arith::AndIOp::create(b, loc, greater, isNumber);
  if (!byIndex)
    return better;
  Value worse =
      arith::AndIOp::create(b, loc, compare(Predicate::UGT, than, score),
                            compare(Predicate::ORD, score, score));
  Value lower =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, key, thanKey);
  Value yes = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(cast<VectorType>(worse.getType()), true));
  Value notWorse = arith::XOrIOp::create(b, loc, worse, yes);
  return arith::OrIOp::create(b, loc, better,
                              arith::AndIOp::create(b, loc, notWorse, lower));
}

void Selection::insert(Value score, Value key, Value candidates, bool byIndex) {
  auto flags = VectorType::get({rows}, b.getI1Type());
  Value none = arith::ConstantOp::create(b, loc, b.getZeroAttr(flags));
  auto select = [&](Value condition, Value then, Value otherwise) -> Value {
    return arith::SelectOp::create(b, loc, condition, then, otherwise);
  };
  // Behind the place that the key takes, all that is there moves on.
  forEachPlace({score, key, none}, [&](Value number, ValueRange carried) {
    Value keptScore = loadScore(number), keptKey = loadIndex(number);
    Value takes = isBetter(carried[0], carried[1], keptScore, keptKey, byIndex);
    if (candidates)
      takes = arith::AndIOp::create(b, loc, takes, candidates);
    takes = arith::OrIOp::create(b, loc, takes, carried[2]);
    store(select(takes, carried[0], keptScore), scores, number);
    store(select(takes, carried[1], keptKey), indices, number);
    return SmallVector<Value>{select(takes, keptScore, carried[0]),
                              select(takes, keptKey, carried[1]), takes};
  });
}

//===----------------------------------------------------------------------===//
// attn.merge
//===----------------------------------------------------------------------===//

LogicalResult emitSelectingMerge(RewriterBase &b, MergeOp op,
                                 const EmitOptions &) {
  for (Value operand : op->getOperands())
    if (!isa<MemRefType>(operand.getType()))
      return op.emitOpError("cannot be vectorized: expected ranked memrefs");
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  int64_t rows = op.getLayoutAttr().getNumRows();
  int64_t numKept =
      cast<SelectWeightingAttrInterface>(op.getWeighting()).getNumSelected();
  Selection merged(b, loc, op.getInits()[1], op.getInits()[2], numKept, rows);
  merged.clear();
  Value splits = getValueOrCreateConstantIndexOp(
      b, loc, memref::getMixedSize(b, loc, op.getPartials()[1], 0));
  emitLoop(b, loc, index(b, loc, 0), splits, 1, [&](Value split) {
    Selection part(b, loc, op.getPartials()[1], op.getPartials()[2], numKept,
                   rows, split);
    part.forEachPlace({}, [&](Value number, ValueRange) {
      Value keys = part.loadIndex(number);
      merged.insert(part.loadScore(number), keys, part.isKept(keys),
                    /*byIndex=*/true);
      return SmallVector<Value>();
    });
  });
  b.eraseOp(op);
  return success();
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

SelectedWeights emitSelectedWeights(OpBuilder &b, Location loc,
                                    Selection &selection,
                                    AccumulateWeightingAttrInterface weighting,
                                    ValueRange operands, Value numKeys,
                                    VectorType rowType, Value weights) {
  SelectedWeights result;
  SmallVector<Statistic> statistics = weighting.getStatistics();
  unsigned numScore = llvm::count_if(statistics, [](const Statistic &s) {
    return s.phase == StatisticPhase::Score;
  });
  for (const Statistic &statistic : statistics)
    result.statistics.push_back(
        createFloatConstant(b, loc, rowType, statistic.neutral));
  auto select = [&](Value condition, Value then, Value otherwise) -> Value {
    return arith::SelectOp::create(b, loc, condition, then, otherwise);
  };
  SmallVector<Value> reduced = selection.forEachPlace(
      ArrayRef(result.statistics).take_front(numScore),
      [&](Value number, ValueRange carried) {
        Value score = selection.loadScore(number);
        Value kept = selection.isKept(selection.loadIndex(number));
        SmallVector<Value> next;
        for (auto [i, old] : llvm::enumerate(carried))
          next.push_back(
              select(kept, weighting.combine(b, loc, i, old, score), old));
        return next;
      });
  llvm::copy(reduced, result.statistics.begin());
  result.scoreStatistics = reduced;

  Value zeros = createFloatConstant(b, loc, rowType, 0.0);
  auto place = [&](Value number) {
    return SmallVector<Value>{number, index(b, loc, 0)};
  };
  reduced = selection.forEachPlace(
      ArrayRef(result.statistics).drop_front(numScore),
      [&](Value number, ValueRange carried) {
        Value kept = selection.isKept(selection.loadIndex(number));
        Value weight = weighting.weight(b, loc, selection.loadScore(number),
                                        result.scoreStatistics, operands,
                                        /*scale=*/Value());
        weight = select(kept, weight, zeros);
        if (weights)
          vector::StoreOp::create(b, loc, weight, weights, place(number));
        SmallVector<Value> next;
        for (auto [i, old] : llvm::enumerate(carried))
          next.push_back(weighting.combine(b, loc, numScore + i, old, weight));
        return next;
      });
  llvm::copy(reduced, result.statistics.begin() + numScore);
  result.factors = weighting.finish(b, loc, result.statistics, operands,
                                    numKeys, /*scale=*/Value());
  if (weights && !result.factors.empty())
    selection.forEachPlace({}, [&](Value number, ValueRange) {
      Value weight =
          vector::LoadOp::create(b, loc, rowType, weights, place(number));
      for (Value factor : result.factors)
        weight = arith::MulFOp::create(b, loc, weight, factor);
      vector::StoreOp::create(b, loc, weight, weights, place(number));
      return SmallVector<Value>();
    });
  return result;
}

} // namespace attn
