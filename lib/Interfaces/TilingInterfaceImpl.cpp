//===- TilingInterfaceImpl.cpp - Tiles of attention ops ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which dimensions can be tiled follows from their class:
//
//   batch, query rows   every row is computed by itself: always
//   channels            likewise, but each tile computes the weights again;
//                       not where a result lacks them: every tile would write
//                       or, in attn.online, update it
//   key rows            of attn.online, which takes them in step by step; in
//                       attn.generic a row is weighted against all its keys:
//                       see PartialReductionOpInterfaceImpl.cpp
//   features            never: a part of a similarity is not a score
//
//===----------------------------------------------------------------------===//

#include "AttentionSlices.h"
#include "attn/Interfaces/Interfaces.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

/// Whether a tile from `offset` of `size` is all of dimension `dim`, as far as
/// can be told without new ops.
static bool isWhole(AttentionOpInterface op, unsigned dim, OpFoldResult offset,
                    OpFoldResult size) {
  if (!isZeroInteger(offset))
    return false;
  auto sizeOf = isa<Value>(size)
                    ? cast<Value>(size).getDefiningOp<tensor::DimOp>()
                    : tensor::DimOp();
  // The inputs span every dimension. While a reduction is tiled, the inits are
  // partial results, for which there are no maps.
  for (auto [index, operand] :
       llvm::enumerate(op->getOperands().take_front(op.getOutputIndex()))) {
    std::optional<unsigned> position =
        op.getIndexingMap(index).getResultPosition(
            getAffineDimExpr(dim, op.getContext()));
    if (!position)
      continue;
    auto type = cast<ShapedType>(operand.getType());
    if (!type.isDynamicDim(*position) &&
        getConstantIntValue(size) == type.getDimSize(*position))
      return true;
    if (sizeOf && sizeOf.getSource() == operand &&
        sizeOf.getConstantIndex() == static_cast<int64_t>(*position))
      return true;
  }
  return false;
}

bool AttentionTile::isWhole(AffineMap map) const {
  return llvm::all_of(map.getResults(), [&](AffineExpr expr) {
    return whole[cast<AffineDimExpr>(expr).getPosition()];
  });
}

FailureOr<AttentionTile> AttentionTile::create(AttentionOpInterface op,
                                               ArrayRef<OpFoldResult> offsets,
                                               ArrayRef<OpFoldResult> sizes,
                                               bool splitsKeys) {
  if (!isa<RankedTensorType>(op.getQuery().getType()))
    return op.emitOpError("cannot be tiled on memrefs: use tensors");
  if (getRaggedDims(op))
    return op.emitOpError("cannot be tiled: its requests are packed");
  auto online = dyn_cast<OnlineOp>(op.getOperation());
  if (online && online.getRows())
    return op.emitOpError("cannot be tiled: it counts its valid rows");
  if (online && online.getLayout())
    return op.emitOpError("cannot be tiled: it is a tile in ")
           << online.getLayoutAttr();
  if (cast<BlockListOpInterface>(op.getOperation()).getBlocksAttr())
    return op.emitOpError("cannot be tiled: its keys are lists of blocks");
  if (online && isa<SelectWeightingAttrInterface>(op.getWeighting()))
    return op.emitOpError("cannot be tiled: it counts keys from a position");
  AttentionTile tile;
  tile.op = op;
  tile.offsets.assign(offsets.begin(), offsets.end());
  tile.extents.assign(sizes.begin(), sizes.end());
  for (unsigned dim = 0, e = op.getNumDims(); dim < e; ++dim)
    tile.whole.push_back(attn::isWhole(op, dim, offsets[dim], sizes[dim]));
  DimensionClasses classes = op.getDimensionClasses();
  for (unsigned dim : classes.features)
    if (!tile.whole[dim])
      return op.emitOpError("cannot be tiled along feature dimension d")
             << dim << ": a part of a similarity is not a score";
  for (unsigned dim : classes.keyRows)
    if (!tile.whole[dim] && !online && !splitsKeys)
      return op.emitOpError("cannot be tiled along key row dimension d")
             << dim
             << ": a row is weighted against all its keys; tile it as a "
                "partial reduction";
  unsigned first = op.getMappedOperands().size() -
                   cast<DestinationStyleOpInterface>(op.getOperation())
                       .getNumDpsInits();
  for (unsigned dim : classes.channels)
    for (unsigned i = first, e = op.getIndexingMaps().size(); i < e; ++i)
      if (!tile.whole[dim] && !op.getIndexingMap(i).isFunctionOfDim(dim))
        return op.emitOpError("cannot be tiled along channel dimension d")
               << dim << ": result " << i - first << " does not span it";
  return tile;
}

Value AttentionTile::sliceOf(OpBuilder &b, Value operand, AffineMap map,
                             SmallVectorImpl<Operation *> &slices) const {
  if (!isa<RankedTensorType>(operand.getType()) || isWhole(map))
    return operand;
  Value part = slice(b, operand, map);
  slices.push_back(part.getDefiningOp());
  return part;
}

/// `ranges` and `classify` speak of positions in the whole op, and so does the
/// mask of a tile: their arguments, which are positions in the tile, are moved.
/// What they yield are keys, which attn.generic is never tiled along.
static void cloneBoundRegions(OpBuilder &b, const AttentionTile &tile,
                              GenericOp from, GenericOp to) {
  DimensionClasses classes = from.getDimensionClasses();
  SmallVector<unsigned> dims(classes.batch);
  for (unsigned dim : classes.queryRows)
    dims.append(2, dim);
  unsigned numMoved = dims.size();
  auto argument = [&](BlockArgument position) -> Value {
    unsigned number = position.getArgNumber();
    return number < numMoved ? tile.shift(b, position, dims[number])
                             : Value(position);
  };
  auto noIndex = [](IndexOp) { return Value(); };
  cloneRegion(b, from.getRanges(), to.getRanges(), noIndex, argument);
  cloneRegion(b, from.getClassify(), to.getClassify(), noIndex, argument);
}

namespace {

template <typename OpTy>
struct TilingModel
    : TilingInterface::ExternalModel<TilingModel<OpTy>, OpTy> {
  SmallVector<utils::IteratorType> getLoopIteratorTypes(Operation *op) const {
    SmallVector<utils::IteratorType> types;
    for (DimensionClass kind : cast<OpTy>(op).getDimensionClasses().classes)
      types.push_back(kind == DimensionClass::KeyRow ||
                              kind == DimensionClass::Feature
                          ? utils::IteratorType::reduction
                          : utils::IteratorType::parallel);
    return types;
  }

  SmallVector<Range> getIterationDomain(Operation *op, OpBuilder &b) const {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(op);
    SmallVector<Range> domain;
    for (OpFoldResult extent : getExtents(b, cast<OpTy>(op)))
      domain.push_back({b.getIndexAttr(0), extent, b.getIndexAttr(1)});
    return domain;
  }

  FailureOr<TilingResult>
  getTiledImplementation(Operation *op, OpBuilder &b,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) const {
    auto attention = cast<OpTy>(op);
    FailureOr<AttentionTile> tile =
        AttentionTile::create(attention, offsets, sizes);
    if (failed(tile))
      return failure();
    SmallVector<Operation *> slices;
    OperationState state(op->getLoc(), op->getName());
    unsigned mapIndex = 0, numInits = attention.getNumDpsInits();
    SmallVector<Value> mapped = attention.getMappedOperands();
    for (Value operand : op->getOperands()) {
      // All operands have a map, in order, but `rows` and `full`.
      bool isMapped = mapIndex < mapped.size() && operand == mapped[mapIndex];
      state.addOperands(
          isMapped ? tile->sliceOf(b, operand,
                                   attention.getIndexingMap(mapIndex++), slices)
                   : operand);
    }
    state.addTypes(TypeRange(ValueRange(state.operands).take_back(numInits)));
    state.addAttributes(llvm::to_vector(op->getDiscardableAttrs()));
    state.propertiesAttr = op->getPropertiesAsAttribute();
    for (unsigned i = 0, e = op->getNumRegions(); i < e; ++i)
      state.addRegion();
    auto tiled = cast<OpTy>(b.create(state));
    SmallVector<std::optional<unsigned>> same;
    for (unsigned dim = 0, e = attention.getNumDims(); dim < e; ++dim)
      same.push_back(dim);
    tile->cloneBody(b, attention.getSimilarity(), tiled.getSimilarity(), same);
    tile->cloneBody(b, attention.getMask(), tiled.getMask(), same);
    tile->cloneBody(b, attention.getScore(), tiled.getScore(), same);
    tile->cloneBody(b, attention.getWeight(), tiled.getWeight(), same);
    if constexpr (std::is_same_v<OpTy, GenericOp>)
      cloneBoundRegions(b, *tile, attention, tiled);
    return TilingResult{{tiled}, SmallVector<Value>(tiled->getResults()),
                        slices};
  }

  LogicalResult
  getResultTilePosition(Operation *op, OpBuilder &b, unsigned resultNumber,
                        ArrayRef<OpFoldResult> offsets,
                        ArrayRef<OpFoldResult> sizes,
                        SmallVector<OpFoldResult> &resultOffsets,
                        SmallVector<OpFoldResult> &resultSizes) const {
    IterationBox tile{cast<OpTy>(op), SmallVector<OpFoldResult>(offsets),
                      SmallVector<OpFoldResult>(sizes)};
    tile.locate(getResultMap(op, resultNumber), resultOffsets, resultSizes);
    return success();
  }

  LogicalResult getIterationDomainTileFromResultTile(
      Operation *op, OpBuilder &b, unsigned resultNumber,
      ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
      SmallVectorImpl<OpFoldResult> &domainOffsets,
      SmallVectorImpl<OpFoldResult> &domainSizes) const {
    domainSizes = getExtents(b, cast<OpTy>(op));
    domainOffsets.assign(domainSizes.size(), b.getIndexAttr(0));
    AffineMap map = getResultMap(op, resultNumber);
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
      domainOffsets[map.getDimPosition(i)] = offsets[i];
      domainSizes[map.getDimPosition(i)] = sizes[i];
    }
    return success();
  }

  FailureOr<TilingResult>
  generateResultTileValue(Operation *op, OpBuilder &b, unsigned resultNumber,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes) const {
    SmallVector<OpFoldResult> domainOffsets, domainSizes;
    if (failed(getIterationDomainTileFromResultTile(
            op, b, resultNumber, offsets, sizes, domainOffsets, domainSizes)))
      return failure();
    FailureOr<TilingResult> tile =
        getTiledImplementation(op, b, domainOffsets, domainSizes);
    if (succeeded(tile))
      tile->tiledValues = {tile->tiledValues[resultNumber]};
    return tile;
  }

  bool isOpFusableWithConsumerSlice(Operation *op, unsigned resultNumber,
                                    ArrayRef<OpFoldResult> offsets,
                                    ArrayRef<OpFoldResult> sizes) const {
    return true;
  }

private:
  static AffineMap getResultMap(Operation *op, unsigned resultNumber) {
    auto attention = cast<OpTy>(op);
    return attention.getIndexingMap(attention.getIndexingMaps().size() -
                                    op->getNumResults() + resultNumber);
  }
};

} // namespace

void registerTilingInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, AttnDialect *) {
    GenericOp::attachInterface<TilingModel<GenericOp>>(*context);
    OnlineOp::attachInterface<TilingModel<OnlineOp>>(*context);
    // Builds on the models above, which must be there first.
    attachPartialReductionModel(context);
  });
}

} // namespace attn
