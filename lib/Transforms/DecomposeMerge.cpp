//===- DecomposeMerge.cpp - Merging partial results as linalg ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Transforms.h"

using namespace mlir;

namespace attn {

namespace {

/// Reductions over the splits of one `attn.merge`.
struct SplitReducer {
  SplitReducer(OpBuilder &b, MergeOp op)
      : b(b), loc(op.getLoc()), op(op),
        numDims(1 + cast<AffineMapAttr>(op.getIndexingMaps()[0])
                        .getValue()
                        .getNumDims()) {}

  /// The map of state `index`, of all splits or of what they merge to.
  /// Dimension 0 is the split; the op's dimensions follow.
  AffineMap mapOf(unsigned index, bool split) {
    AffineMap map = cast<AffineMapAttr>(op.getIndexingMaps()[index])
                        .getValue()
                        .shiftDims(1);
    SmallVector<AffineExpr> results;
    if (split)
      results.push_back(b.getAffineDimExpr(0));
    llvm::append_range(results, map.getResults());
    return AffineMap::get(numDims, 0, results, b.getContext());
  }

  /// Reduces `inputs` into init `index`, over the dimensions that they have.
  Value reduce(unsigned index, double neutral, ValueRange inputs,
               ArrayRef<AffineMap> inputMaps,
               function_ref<Value(ValueRange in, Value out)> body) {
    SmallVector<AffineMap> maps(inputMaps);
    maps.push_back(mapOf(index, /*split=*/false));
    // Statistics lack the channels: leave out what no map has.
    llvm::SmallBitVector unused = getUnusedDimsBitVector(maps);
    SmallVector<utils::IteratorType> iterators;
    for (unsigned dim = 0; dim < numDims; ++dim)
      if (!unused[dim])
        iterators.push_back(dim == 0 ? utils::IteratorType::reduction
                                     : utils::IteratorType::parallel);
    for (AffineMap &map : maps)
      map = compressDims(map, unused);
    auto accType = cast<FloatType>(getElementTypeOrSelf(op.getInits()[0]));
    Value init = op.getInits()[index];
    init = written(
        linalg::FillOp::create(
            b, loc, createFloatConstant(b, loc, accType, neutral), init),
        init);
    SmallVector<Type> results;
    if (isa<TensorType>(init.getType()))
      results.push_back(init.getType());
    auto generic = linalg::GenericOp::create(
        b, loc, results, inputs, ValueRange(init), maps, iterators,
        [&](OpBuilder &, Location, ValueRange args) {
          Value result = body(args.drop_back(), args.back());
          linalg::YieldOp::create(b, loc, result);
        });
    return written(generic, init);
  }

  /// What holds the result of an op with one init.
  static Value written(linalg::LinalgOp linalg, Value init) {
    return linalg->getNumResults() == 0 ? init : linalg->getResult(0);
  }

  OpBuilder &b;
  Location loc;
  MergeOp op;
  unsigned numDims;
};

} // namespace

/// Two reductions over the splits: the score statistics are combined, then
/// everything else is rescaled from its own score statistics to the combined
/// ones and summed or combined.
FailureOr<SmallVector<Value>> decomposeMerge(OpBuilder &b, MergeOp op) {
  if (op.getLayout())
    return op.emitOpError("cannot be lowered to linalg: it merges states of a "
                          "tile of the kernel, with a layout");
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  auto weighting = cast<AccumulateWeightingAttrInterface>(op.getWeighting());
  SmallVector<Statistic> statistics = weighting.getStatistics();
  unsigned numScore = llvm::count_if(statistics, [](const Statistic &s) {
    return s.phase == StatisticPhase::Score;
  });
  SplitReducer splits(b, op);

  SmallVector<Value> merged(op.getInits().size());
  SmallVector<Value> scoreOperands;
  SmallVector<AffineMap> scoreMaps;
  for (unsigned i = 0; i < numScore; ++i)
    merged[1 + i] = splits.reduce(
        1 + i, statistics[i].neutral, op.getPartials()[1 + i],
        splits.mapOf(1 + i, /*split=*/true), [&](ValueRange in, Value out) {
          return weighting.combine(b, loc, i, out, in[0]);
        });
  for (bool split : {true, false})
    for (unsigned i = 0; i < numScore; ++i) {
      scoreOperands.push_back(split ? op.getPartials()[1 + i] : merged[1 + i]);
      scoreMaps.push_back(splits.mapOf(1 + i, split));
    }
  for (unsigned index = 0; index < merged.size(); ++index) {
    if (index >= 1 && index <= numScore)
      continue;
    SmallVector<Value> inputs{op.getPartials()[index]};
    SmallVector<AffineMap> maps{splits.mapOf(index, /*split=*/true)};
    llvm::append_range(inputs, scoreOperands);
    llvm::append_range(maps, scoreMaps);
    double neutral = index == 0 ? 0.0 : statistics[index - 1].neutral;
    merged[index] = splits.reduce(
        index, neutral, inputs, maps, [&](ValueRange in, Value out) {
          Value part = in[0];
          if (Value factor =
                  weighting.rescale(b, loc, in.slice(1, numScore),
                                    in.slice(1 + numScore, numScore),
                                    /*scale=*/Value()))
            part = arith::MulFOp::create(b, loc, part, factor);
          if (index == 0)
            return arith::AddFOp::create(b, loc, out, part).getResult();
          return weighting.combine(b, loc, index - 1, out, part);
        });
  }
  if (op->getNumResults() == 0)
    merged.clear();
  return merged;
}

} // namespace attn
