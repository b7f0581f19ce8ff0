//===- ListSteps.cpp - The steps on a list of key blocks --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ListSplitter.h"

#include "attn/IR/ScoreWeighting.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace attn {

SmallVector<AffineMap> ListSplitter::getStateMaps() {
  AffineMap output = op.getIndexingMap(op.getOutputIndex());
  SmallVector<AffineExpr> rows;
  for (AffineExpr expr : output.getResults())
    if (classes.classes[cast<AffineDimExpr>(expr).getPosition()] !=
        DimensionClass::Channel)
      rows.push_back(expr);
  SmallVector<AffineMap> maps(
      1 + op.getWeighting().getStatistics().size(),
      AffineMap::get(op.getNumDims(), 0, rows, b.getContext()));
  maps[0] = output;
  return maps;
}

SmallVector<Value> ListSplitter::createState() {
  Values state;
  SmallVector<Statistic> statistics = op.getWeighting().getStatistics();
  for (auto [i, map] : llvm::enumerate(getStateMaps())) {
    SmallVector<OpFoldResult> from, extents;
    box.locate(map, from, extents);
    state.push_back(
        createFilledTensor(b, loc, extents, op.getAccumulationType(),
                           i == 0 ? 0.0 : statistics[i - 1].neutral));
  }
  return state;
}

SmallVector<Value> ListSplitter::finish(ValueRange state, ValueRange slices,
                                        Value keys) {
  // The dimensions of the output are all that there are.
  SmallVector<AffineMap> maps = getStateMaps();
  Values operands;
  unsigned output = op.getOutputIndex();
  for (unsigned i = op.getWeightingIndex(); i < output; ++i) {
    operands.push_back(take(i, op.getMappedOperands()[i]));
    maps.push_back(op.getIndexingMap(i));
  }
  for (size_t i = 0; i < slices.size(); ++i)
    maps.push_back(op.getIndexingMap(output + i));
  for (AffineMap &map : maps)
    map = toStep(map);
  llvm::SmallBitVector unused = getUnusedDimsBitVector(maps);
  for (AffineMap &map : maps)
    map = compressDims(map, unused);
  last = FinishOp::create(
      b, loc, slices.getTypes(), state[0], state.drop_front(), operands,
      /*value=*/Value(), keys, slices[0],
      slices.size() > 1 ? slices[1] : Value(), b.getAffineMapArrayAttr(maps),
      op.getWeighting(), /*layout=*/LayoutAttrInterface(),
      /*finished=*/isFinal);
  return Values(last.getResults());
}

void ListSplitter::cloneBody(Region &from, Region &to) {
  IterationBox positions = box;
  positions.offsets[classes.keyRows.back()] = position;
  SmallVector<std::optional<unsigned>> dims;
  for (unsigned dim = 0, next = 0, e = op.getNumDims(); dim < e; ++dim)
    dims.push_back(isDropped(dim) ? std::nullopt : std::optional(next++));
  positions.cloneBody(b, from, to, dims);
}

SmallVector<Value> ListSplitter::createStep(ValueRange state) {
  Values operands;
  unsigned output = op.getOutputIndex(), weighting = op.getWeightingIndex();
  SmallVector<Value> mapped =
      cast<AttentionOpInterface>(op.getOperation()).getMappedOperands();
  SmallVector<AffineMap> maps;
  for (unsigned i = 0; i < output; ++i) {
    operands.push_back(take(i, mapped[i]));
    maps.push_back(op.getIndexingMap(i));
  }
  llvm::append_range(maps, getStateMaps());
  for (AffineMap &map : maps)
    map = toStep(map);
  ValueRange all(operands);
  auto step = OnlineOp::create(
      b, loc, state.getTypes(), all[0], all[1], all[2],
      all.slice(3, weighting - 3), all.drop_front(weighting),
      /*indptr=*/Value(), /*indices=*/Value(), /*ahead_key=*/Value(),
      /*ahead_value=*/Value(), /*rows=*/Value(), /*full=*/Value(),
      /*position=*/Value(), state[0], state.drop_front(),
      b.getAffineMapArrayAttr(maps), op.getWeighting(),
      /*layout=*/LayoutAttrInterface(), op.getScale(),
      TypeAttr::get(op.getAccumulationType()), /*key_tile=*/IntegerAttr(),
      /*count_tiles=*/false, /*blocks=*/BlockListAttr());
  cloneBody(op.getSimilarity(), step.getSimilarity());
  cloneBody(op.getMask(), step.getMask());
  cloneBody(op.getScore(), step.getScore());
  // What is not linear in the weight is for final ones.
  if (!isFinal)
    cloneBody(op.getWeight(), step.getWeight());
  steps.push_back(step);
  // The loop has one state, whatever the steps take for theirs.
  Values next;
  for (auto [result, carried] : llvm::zip_equal(step.getResults(), state))
    next.push_back(
        linalg::CopyOp::create(b, loc, result, carried).getResult(0));
  return next;
}

void ListSplitter::locateWeights(Value weights,
                                 SmallVectorImpl<OpFoldResult> &from,
                                 SmallVectorImpl<OpFoldResult> &extents) {
  AffineMap map = op.getIndexingMap(getWeightsIndex());
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    bool isKey = map.getDimPosition(i) == classes.keyRows.back();
    from.push_back(isKey ? position : b.getIndexAttr(0));
    extents.push_back(isKey ? box.extents[classes.keyRows.back()]
                            : tensor::getMixedSize(b, loc, weights, i));
  }
}

void ListSplitter::finishScore(GenericOp part, size_t rowOperands, Value keys) {
  SmallVector<Type> types;
  for (Value operand : part.getInputs()) {
    Type element = getElementTypeOrSelf(operand.getType());
    types.push_back(isa<FloatType>(element) ? op.getAccumulationType()
                                            : element);
  }
  OpBuilder::InsertionGuard guard(b);
  if (part.getScore().empty()) {
    Block *body = b.createBlock(&part.getScore());
    Value score = body->addArgument(op.getAccumulationType(), loc);
    for (Type type : ArrayRef(types).drop_back(rowOperands))
      body->addArgument(type, loc);
    YieldOp::create(b, loc, score);
  }
  for (Region *region : {&part.getSimilarity(), &part.getMask(),
                         &part.getScore(), &part.getWeight()})
    if (!region->empty())
      for (Type type : ArrayRef(types).take_back(rowOperands))
        region->addArgument(type, loc);
  Operation *yield = part.getScore().front().getTerminator();
  b.setInsertionPoint(yield);
  auto weighting = cast<AccumulateWeightingAttrInterface>(op.getWeighting());
  SmallVector<Statistic> kinds = weighting.getStatistics();
  size_t numScore = llvm::count_if(kinds, [](const Statistic &statistic) {
    return statistic.phase == StatisticPhase::Score;
  });
  ValueRange rows = part.getScore().getArguments().take_back(rowOperands);
  ValueRange statistics = rows.take_front(kinds.size());
  ValueRange operands = rows.drop_front(kinds.size());
  Value weight = weighting.weight(b, loc, yield->getOperand(0),
                                  statistics.take_front(numScore), operands,
                                  /*scale=*/Value());
  for (Value factor : weighting.finish(b, loc, statistics, operands, keys,
                                       /*scale=*/Value()))
    weight = arith::MulFOp::create(b, loc, weight, factor);
  yield->setOperand(0, weight);
}

SmallVector<Value> ListSplitter::createFinalStep(ValueRange carried,
                                                 ValueRange statistics,
                                                 Value keys) {
  Values operands, inputs, rowOperands(statistics);
  unsigned output = op.getOutputIndex(), weighting = op.getWeightingIndex();
  SmallVector<Value> mapped = op.getMappedOperands();
  SmallVector<AffineMap> maps, stateMaps = getStateMaps();
  for (unsigned i = 0; i < weighting; ++i) {
    (i < 3 ? operands : inputs).push_back(take(i, mapped[i]));
    maps.push_back(op.getIndexingMap(i));
  }
  llvm::append_range(maps, ArrayRef(stateMaps).drop_front());
  for (unsigned i = weighting; i < output; ++i) {
    rowOperands.push_back(take(i, mapped[i]));
    maps.push_back(op.getIndexingMap(i));
  }
  llvm::append_range(inputs, rowOperands);
  maps.push_back(stateMaps.front());
  Values inits{
      tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, carried[0]),
                              op.getAccumulationType())};
  SmallVector<OpFoldResult> from, extents;
  if (generic.getWeights()) {
    locateWeights(carried[1], from, extents);
    inits.push_back(createSlice(b, loc, carried[1], from, extents));
    maps.push_back(op.getIndexingMap(getWeightsIndex()));
  }
  for (AffineMap &map : maps)
    map = toStep(map);
  auto part = GenericOp::create(
      b, loc, ValueRange(inits).getTypes(), operands[0], operands[1],
      operands[2], inputs, /*weighting_operands=*/ValueRange(),
      /*query_starts=*/Value(), /*key_starts=*/Value(), /*indptr=*/Value(),
      /*indices=*/Value(), inits[0], /*lse=*/Value(),
      generic.getWeights() ? inits[1] : Value(), b.getAffineMapArrayAttr(maps),
      getScoreWeighting(b.getContext()), op.getScale(),
      TypeAttr::get(op.getAccumulationType()), /*blocks=*/BlockListAttr());
  cloneBody(op.getSimilarity(), part.getSimilarity());
  cloneBody(op.getMask(), part.getMask());
  cloneBody(op.getScore(), part.getScore());
  cloneBody(op.getWeight(), part.getWeight());
  finishScore(part, rowOperands.size(), keys);
  steps.push_back(part);
  Value sum =
      linalg::AddOp::create(b, loc, ValueRange{carried[0], part.getResult(0)},
                            ValueRange(part.getResult(0)))
          .getResult(0);
  Values next{linalg::CopyOp::create(b, loc, sum, carried[0]).getResult(0)};
  if (generic.getWeights())
    next.push_back(insertSlice(b, loc, part.getResults().back(), carried[1],
                               from, extents));
  return next;
}

} // namespace attn
