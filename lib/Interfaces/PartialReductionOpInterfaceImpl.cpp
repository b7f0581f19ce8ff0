//===- PartialReductionOpInterfaceImpl.cpp - Split keys ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Few query rows with many keys leave a machine idle unless the keys are split.
// The partial result is the state of attn.online, an accumulator laid out like
// the output and the row statistics, with a leading dimension for the splits:
//
//   outer parallel   a split is a block of keys, which one attn.online takes in
//   outer reduction  a split is each T-th key: one attn.online takes in T keys,
//                    side by side, as if the splits were a batch dimension
//
// attn.merge and attn.finish turn the states into the result.
//
//===----------------------------------------------------------------------===//

#include "AttentionSlices.h"
#include "attn/IR/Reshape.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {
namespace {

/// The maps of the state, over the dimensions of the op: the accumulator's and
/// that of every statistic. A weighting that selects keys accumulates nothing:
/// its accumulator has no channels.
struct StateMaps {
  explicit StateMaps(GenericOp op)
      : op(op), statistics(op.getWeighting().getStatistics()) {
    accumulator = op.getIndexingMap(op.getOutputIndex());
    DimensionClasses classes = op.getDimensionClasses();
    SmallVector<AffineExpr> results;
    for (AffineExpr expr : accumulator.getResults())
      if (classes.classes[cast<AffineDimExpr>(expr).getPosition()] !=
          DimensionClass::Channel)
        results.push_back(expr);
    row =
        AffineMap::get(accumulator.getNumDims(), 0, results, op->getContext());
  }

  /// The map of the accumulator (0) or of a statistic (1 and up).
  AffineMap get(unsigned index) const { return index == 0 ? accumulator : row; }
  Type getElement(unsigned index) const {
    FloatType accType = op.getAccumulationType();
    return index == 0 ? accType : statistics[index - 1].getElementType(accType);
  }
  double getNeutral(unsigned index) const {
    return index == 0 ? 0.0 : statistics[index - 1].neutral;
  }
  unsigned size() const { return 1 + statistics.size(); }

  /// Adds the extents of part `index`, where those of the op are `extents`.
  void addShape(Builder &b, unsigned index, ArrayRef<OpFoldResult> extents,
                SmallVectorImpl<OpFoldResult> &shape) const {
    if (index != 0 && statistics[index - 1].getNumLeadingDims())
      shape.push_back(b.getIndexAttr(statistics[index - 1].extent));
    AffineMap map = get(index);
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
      shape.push_back(extents[map.getDimPosition(i)]);
  }

  /// Takes the channels away from what is selected from.
  void dropChannels(Builder &b, SmallVectorImpl<OpFoldResult> &extents) const {
    if (selects(op))
      for (unsigned dim : op.getDimensionClasses().channels)
        extents[dim] = b.getIndexAttr(0);
  }

  /// `map`, of dimensions that the accumulator has, over those alone, or also
  /// over what `others` names, behind them.
  AffineMap overState(AffineMap map, ArrayRef<unsigned> others = {}) const {
    unsigned numOwn = accumulator.getNumResults();
    SmallVector<AffineExpr> results;
    for (AffineExpr expr : map.getResults()) {
      std::optional<unsigned> position = accumulator.getResultPosition(expr);
      if (!position)
        position =
            numOwn +
            (llvm::find(others, cast<AffineDimExpr>(expr).getPosition()) -
             others.begin());
      results.push_back(getAffineDimExpr(*position, map.getContext()));
    }
    return AffineMap::get(numOwn + others.size(), 0, results, map.getContext());
  }

  static bool selects(GenericOp op) {
    return op.getWeighting().getWeightingKind() == WeightingKind::Select;
  }

  mutable GenericOp op;
  SmallVector<Statistic> statistics;
  AffineMap accumulator, row;
};

/// The key row dimension to split, or an error.
FailureOr<unsigned> getSplitDim(GenericOp op,
                                const SetVector<unsigned> &reductionDims) {
  if (!isa<RankedTensorType>(op.getQuery().getType()))
    return op.emitOpError("cannot be split on memrefs: use tensors");
  if (op.getWeighting().getWeightingKind() == WeightingKind::Ordered)
    return op.emitOpError("cannot be split: the weighting is of kind ordered");
  if (StateMaps::selects(op) &&
      (op.getDimensionClasses().keyRows.size() != 1 || !op.getWeight().empty()))
    return op.emitOpError("cannot be split: keys are selected, and there are "
                          "several key row dimensions or a weight region");
  if (op.getBlocksAttr())
    return op.emitOpError("cannot be split: its keys are lists of blocks");
  if (op.getWeights())
    return op.emitOpError("cannot be split: the weights are asked for");
  if (!op.isLinearInWeight())
    return op.emitOpError(
        "cannot be split: the weight region is not linear in the weight");
  DimensionClasses classes = op.getDimensionClasses();
  if (reductionDims.size() == 1 &&
      llvm::is_contained(classes.keyRows, reductionDims[0]))
    return reductionDims[0];
  InFlightDiagnostic diag = op.emitOpError(
      "expected one key row dimension to split, but got dimensions [");
  llvm::interleaveComma(reductionDims, diag);
  diag << "]: name it, d" << classes.keyRows[0];
  return diag;
}

/// The dimensions of the step: those of the op, or with the splits of a tile
/// side by side one more, which stands for the split key row dimension wherever
/// that was; what is left of it is one key.
struct Step {
  Step(GenericOp op, unsigned key, bool sideBySide)
      : op(op), key(key), sideBySide(sideBySide), numDims(op.getNumDims()) {
    for (unsigned dim = 0; dim < numDims; ++dim)
      dims.push_back(sideBySide && dim == key ? numDims : dim);
  }

  AffineMap map(AffineMap old, bool leadingSplit = false,
                bool keepsKey = false) const {
    SmallVector<AffineExpr> results;
    auto add = [&](unsigned dim) {
      results.push_back(getAffineDimExpr(dim, op->getContext()));
    };
    if (leadingSplit && sideBySide)
      add(numDims);
    for (unsigned i = 0, e = old.getNumResults(); i < e; ++i) {
      add(dims[old.getDimPosition(i)]);
      if (keepsKey && sideBySide && old.getDimPosition(i) == key)
        add(key);
    }
    return AffineMap::get(numDims + sideBySide, 0, results, op->getContext());
  }

  /// Keys or values, with a dimension of one key behind that of the splits.
  Value expandKey(OpBuilder &b, Value tile, AffineMap map) const {
    if (!sideBySide)
      return tile;
    unsigned position =
        *map.getResultPosition(getAffineDimExpr(key, op->getContext()));
    return expandDimension(
        b, op->getLoc(), tile, position,
        tensor::getMixedSize(b, op->getLoc(), tile, position),
        b.getIndexAttr(1));
  }

  GenericOp op;
  unsigned key;
  bool sideBySide;
  unsigned numDims;
  SmallVector<unsigned> dims;
};

struct PartialReductionModel
    : PartialReductionOpInterface::ExternalModel<PartialReductionModel,
                                                 GenericOp> {
  FailureOr<SmallVector<Value>> generateInitialTensorForPartialReduction(
      Operation *operation, OpBuilder &b, Location loc,
      ArrayRef<OpFoldResult> sizes,
      const SetVector<unsigned> &reductionDims) const {
    auto op = cast<GenericOp>(operation);
    FailureOr<unsigned> key = getSplitDim(op, reductionDims);
    if (failed(key))
      return failure();
    StateMaps maps(op);
    SmallVector<OpFoldResult> extents = getExtents(b, op);
    maps.dropChannels(b, extents);
    SmallVector<Value> state;
    for (unsigned i = 0; i < maps.size(); ++i) {
      SmallVector<OpFoldResult> shape{sizes[*key]};
      maps.addShape(b, i, extents, shape);
      state.push_back(createFilledTensor(b, loc, shape, maps.getElement(i),
                                         maps.getNeutral(i)));
    }
    return state;
  }

  FailureOr<TilingResult>
  tileToPartialReduction(Operation *operation, OpBuilder &b, Location loc,
                         ReductionTilingStrategy strategy, ValueRange init,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes,
                         const SetVector<unsigned> &reductionDims,
                         ArrayRef<OpFoldResult> splitReductionIvs) const {
    auto op = cast<GenericOp>(operation);
    FailureOr<unsigned> key = getSplitDim(op, reductionDims);
    if (failed(key))
      return failure();
    FailureOr<AttentionTile> tile =
        AttentionTile::create(op, offsets, sizes, /*splitsKeys=*/true);
    if (failed(tile))
      return failure();
    StateMaps maps(op);
    maps.dropChannels(b, tile->extents);
    if (StateMaps::selects(op))
      for (unsigned dim : op.getDimensionClasses().channels)
        tile->whole[dim] = false;
    Step step(op, *key,
              strategy ==
                  ReductionTilingStrategy::PartialReductionOuterReduction);
    if (step.sideBySide && StateMaps::selects(op))
      return op.emitOpError("cannot be split by every other key, as keys are "
                            "selected: split it into blocks");
    Value position;
    if (StateMaps::selects(op))
      position = getValueOrCreateConstantIndexOp(b, loc, tile->offsets[*key]);

    SmallVector<Operation *> slices;
    SmallVector<Value> operands;
    SmallVector<AffineMap> stepMaps;
    unsigned output = op.getOutputIndex();
    SmallVector<Value> mapped =
        cast<AttentionOpInterface>(operation).getMappedOperands();
    for (unsigned i = 0; i < output; ++i) {
      AffineMap map = op.getIndexingMap(i);
      bool hasKey = i == 1 || i == 2;
      operands.push_back(tile->sliceOf(b, mapped[i], map, slices));
      if (hasKey)
        operands.back() = step.expandKey(b, operands.back(), map);
      stepMaps.push_back(step.map(map, /*leadingSplit=*/false, hasKey));
    }
    SmallVector<Value> state;
    for (auto [i, whole] : llvm::enumerate(init)) {
      stepMaps.push_back(step.map(maps.get(i), /*leadingSplit=*/true));
      SmallVector<OpFoldResult> from, extents;
      locateState(*tile, maps, i, *key, strategy, splitReductionIvs, from,
                  extents);
      SmallVector<OpFoldResult> strides(from.size(), b.getIndexAttr(1));
      auto type = cast<RankedTensorType>(whole.getType());
      RankedTensorType sliced =
          tensor::ExtractSliceOp::inferResultType(type, extents);
      if (!step.sideBySide)
        sliced = RankedTensorType::get(sliced.getShape().drop_front(),
                                       type.getElementType());
      state.push_back(tensor::ExtractSliceOp::create(
          b, loc, sliced, whole, getSliceOffsets(b, loc, from, extents),
          extents, strides));
      slices.push_back(state.back().getDefiningOp());
    }

    ValueRange all(operands);
    unsigned weighting = op.getWeightingIndex();
    auto online = OnlineOp::create(
        b, loc, ValueRange(state).getTypes(), all[0], all[1], all[2],
        all.slice(3, weighting - 3), all.drop_front(weighting),
        /*indptr=*/Value(), /*indices=*/Value(), /*ahead_key=*/Value(),
        /*ahead_value=*/Value(), /*rows=*/Value(), /*full=*/Value(), position,
        state[0],
        ValueRange(state).drop_front(), b.getAffineMapArrayAttr(stepMaps),
        op.getWeighting(), /*layout=*/LayoutAttrInterface(), op.getScale(),
        TypeAttr::get(op.getAccumulationType()), /*key_tile=*/IntegerAttr(),
        /*count_tiles=*/false, /*blocks=*/BlockListAttr());
    // The bounds of the mask, `ranges` and `classify`, have no place in a step
    // that is no tile of the kernel.
    SmallVector<std::optional<unsigned>> dims(step.dims.begin(),
                                              step.dims.end());
    tile->cloneBody(b, op.getSimilarity(), online.getSimilarity(), dims);
    tile->cloneBody(b, op.getMask(), online.getMask(), dims);
    tile->cloneBody(b, op.getScore(), online.getScore(), dims);
    tile->cloneBody(b, op.getWeight(), online.getWeight(), dims);
    return TilingResult{
        {online}, SmallVector<Value>(online.getResults()), slices};
  }

  LogicalResult getPartialResultTilePosition(
      Operation *operation, OpBuilder &b, unsigned resultNumber,
      ReductionTilingStrategy strategy, ArrayRef<OpFoldResult> offsets,
      ArrayRef<OpFoldResult> sizes, const SetVector<unsigned> &reductionDims,
      ArrayRef<OpFoldResult> splitReductionIvs,
      SmallVector<OpFoldResult> &resultOffsets,
      SmallVector<OpFoldResult> &resultSizes) const {
    auto op = cast<GenericOp>(operation);
    FailureOr<unsigned> key = getSplitDim(op, reductionDims);
    if (failed(key))
      return failure();
    IterationBox tile{op, SmallVector<OpFoldResult>(offsets),
                      SmallVector<OpFoldResult>(sizes)};
    StateMaps maps(op);
    maps.dropChannels(b, tile.extents);
    locateState(tile, maps, resultNumber, *key, strategy, splitReductionIvs,
                resultOffsets, resultSizes);
    resultOffsets =
        getSliceOffsets(b, op.getLoc(), resultOffsets, resultSizes);
    return success();
  }

  FailureOr<MergeResult>
  mergeReductions(Operation *operation, OpBuilder &b, Location loc,
                  ValueRange partials,
                  const SetVector<unsigned> &reductionDims) const {
    auto op = cast<GenericOp>(operation);
    if (failed(getSplitDim(op, reductionDims)))
      return failure();
    StateMaps maps(op);
    SmallVector<OpFoldResult> extents = getExtents(b, op), kept(extents);
    maps.dropChannels(b, kept);
    SmallVector<Value> inits;
    SmallVector<AffineMap> stateMaps, finishMaps;
    // Only a value that is selected from has the keys.
    SmallVector<unsigned> keys;
    if (StateMaps::selects(op))
      keys = op.getDimensionClasses().keyRows;
    for (unsigned index = 0; index < partials.size(); ++index) {
      stateMaps.push_back(maps.overState(maps.get(index)));
      finishMaps.push_back(maps.overState(maps.get(index), keys));
      SmallVector<OpFoldResult> shape;
      maps.addShape(b, index, kept, shape);
      inits.push_back(
          tensor::EmptyOp::create(b, loc, shape, maps.getElement(index)));
    }
    auto merge =
        MergeOp::create(b, loc, ValueRange(inits).getTypes(), partials, inits,
                        b.getAffineMapArrayAttr(stateMaps), op.getWeighting(),
                        /*layout=*/LayoutAttrInterface());

    for (unsigned i = op.getWeightingIndex(), e = op.getIndexingMaps().size();
         i < e; ++i) {
      if (i == op.getOutputIndex() && StateMaps::selects(op))
        finishMaps.push_back(maps.overState(op.getIndexingMap(2), keys));
      finishMaps.push_back(maps.overState(op.getIndexingMap(i), keys));
    }
    auto finish = FinishOp::create(
        b, loc, op.getResultTypes(), merge.getResult(0),
        merge.getResults().drop_front(), op.getWeightingOperands(),
        StateMaps::selects(op) ? op.getValue() : Value(),
        createNumKeys(b, op, extents), op.getOutput(), op.getLse(),
        b.getAffineMapArrayAttr(finishMaps), op.getWeighting(),
        /*layout=*/LayoutAttrInterface(), /*finished=*/false);
    return MergeResult{{merge, finish},
                       SmallVector<Value>(finish.getResults())};
  }

private:
  /// Where the state of a tile lies, the splits first.
  static void locateState(const IterationBox &tile, const StateMaps &maps,
                          unsigned index, unsigned key,
                          ReductionTilingStrategy strategy,
                          ArrayRef<OpFoldResult> splitReductionIvs,
                          SmallVectorImpl<OpFoldResult> &from,
                          SmallVectorImpl<OpFoldResult> &extents) {
    Builder b(tile.op->getContext());
    bool sideBySide =
        strategy == ReductionTilingStrategy::PartialReductionOuterReduction;
    from.push_back(sideBySide ? OpFoldResult(b.getIndexAttr(0))
                              : splitReductionIvs[0]);
    extents.push_back(sideBySide ? tile.extents[key]
                                 : OpFoldResult(b.getIndexAttr(1)));
    if (index != 0 && maps.statistics[index - 1].getNumLeadingDims()) {
      from.push_back(b.getIndexAttr(0));
      extents.push_back(b.getIndexAttr(maps.statistics[index - 1].extent));
    }
    tile.locate(maps.get(index), from, extents);
  }
};

} // namespace

void attachPartialReductionModel(MLIRContext *context) {
  GenericOp::attachInterface<PartialReductionModel>(*context);
}

} // namespace attn
