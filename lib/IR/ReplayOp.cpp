//===- ReplayOp.cpp - Pairs with finished statistics ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Verify.h"

using namespace mlir;

namespace attn {

/// The dimensions of a tile.
enum : unsigned { kRow, kKey, kFeature, kChannel, kNumTileDims };

//===----------------------------------------------------------------------===//
// What the operands are
//===----------------------------------------------------------------------===//

static bool contracts(ReplayTarget target) {
  return target == ReplayTarget::over_keys || target == ReplayTarget::over_rows;
}

ReplayTarget ReplayOp::getTarget(unsigned index) {
  return cast<ReplayTargetAttr>(getTargets()[index]).getValue();
}

std::optional<unsigned> ReplayOp::getContractedIndex(unsigned init) {
  if (!contracts(getTarget(init)))
    return std::nullopt;
  unsigned position = 2;
  for (unsigned i = 0; i < init; ++i)
    position += contracts(getTarget(i));
  return position;
}

/// What the first target over keys contracts.
Value ReplayOp::getValue() {
  for (unsigned i = 0, e = getTargets().size(); i < e; ++i)
    if (getTarget(i) == ReplayTarget::over_keys)
      return getOperand(*getContractedIndex(i));
  return {};
}

Value ReplayOp::getAccumulatorInit() {
  for (unsigned i = 0, e = getTargets().size(); i < e; ++i)
    if (getTarget(i) == ReplayTarget::over_keys)
      return getInits()[i];
  return {};
}

unsigned ReplayOp::getFirstInputIndex() {
  return 2 + getContracted().size() + getPairs().size();
}

unsigned ReplayOp::getOutputIndex() {
  return getFirstInputIndex() + getInputs().size() +
         getWeightingOperands().size() + getStatistics().size();
}

DimensionClasses ReplayOp::getDimensionClasses() {
  DimensionClasses tile;
  tile.queryRows = {kRow};
  tile.keyRows = {kKey};
  tile.features = {kFeature};
  tile.channels = {kChannel};
  tile.classes = {DimensionClass::QueryRow, DimensionClass::KeyRow,
                  DimensionClass::Feature, DimensionClass::Channel};
  // What lies behind the tile has extent 1: one row of a batch.
  for (unsigned dim = kNumTileDims,
                e = getIndexingMaps().empty()
                        ? kNumTileDims
                        : cast<AffineMapAttr>(getIndexingMaps()[0])
                              .getValue()
                              .getNumDims();
       dim < e; ++dim) {
    tile.batch.push_back(dim);
    tile.classes.push_back(DimensionClass::Batch);
  }
  return tile;
}

OperandRole ReplayOp::getOperandRole(unsigned index) {
  unsigned input = getFirstInputIndex(), output = getOutputIndex();
  unsigned weighting = input + getInputs().size();
  unsigned statistic = weighting + getWeightingOperands().size();
  if (index < 2)
    return static_cast<OperandRole>(index);
  if (index < 2 + getContracted().size()) {
    for (unsigned i = 0, e = getTargets().size(); i < e; ++i)
      if (getContractedIndex(i) == index)
        return getTarget(i) == ReplayTarget::over_keys ? OperandRole::value
                                                       : OperandRole::query;
    return OperandRole::value;
  }
  if (index < input)
    return (index - getContracted().size()) % 2 == 0 ? OperandRole::query
                                                     : OperandRole::key;
  if (index < weighting)
    return OperandRole::input;
  if (index < statistic)
    return OperandRole::weighting_operand;
  if (index < output || index - output >= getTargets().size())
    return OperandRole::statistic;
  switch (getTarget(index - output)) {
  case ReplayTarget::stored:
    return OperandRole::weights;
  case ReplayTarget::over_keys:
  case ReplayTarget::over_rows:
    return OperandRole::accumulator;
  default:
    return OperandRole::statistic;
  }
}

std::string ReplayOp::getOperandName(unsigned index) {
  auto numbered = [](StringRef name, unsigned number) {
    return (name + Twine(number)).str();
  };
  unsigned input = getFirstInputIndex(), output = getOutputIndex();
  unsigned weighting = input + getInputs().size();
  unsigned statistic = weighting + getWeightingOperands().size();
  unsigned pair = 2 + getContracted().size();
  if (index < 2)
    return index == 0 ? "query" : "key";
  if (index < pair)
    return numbered("contracted operand ", index - 2);
  if (index < input)
    return numbered((index - pair) % 2 == 0 ? "first operand of pair "
                                            : "second operand of pair ",
                    (index - pair) / 2);
  if (index < weighting)
    return numbered("input ", index - input);
  if (index < statistic)
    return numbered("weighting operand ", index - weighting);
  if (index < output)
    return numbered("statistic ", index - statistic);
  return numbered("init ", index - output);
}

unsigned ReplayOp::getNumLeadingDims(unsigned index) {
  unsigned first = getOutputIndex() - getStatistics().size();
  SmallVector<Statistic> statistics = getWeighting().getStatistics();
  return index >= first && index < getOutputIndex() &&
                 index - first < statistics.size()
             ? statistics[index - first].getNumLeadingDims()
             : 0;
}

AffineMap ReplayOp::getStoredMap(unsigned index) {
  return getLayout().getStoredMap(
      getOperandRole(index),
      cast<AffineMapAttr>(getIndexingMaps()[index]).getValue());
}

void ReplayOp::getAsmBlockArgumentNames(Region &region,
                                        OpAsmSetValueNameFn setName) {
  if (&region != &getElement()) {
    detail::nameRegionArguments(*this, region, setName);
    return;
  }
  static constexpr StringLiteral kLeading[] = {"w", "s"};
  for (auto [argument, name] : llvm::zip(region.getArguments(), kLeading))
    setName(argument, name);
}

void ReplayOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/true, effects);
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

/// (C1)
static LogicalResult verifyTileMaps(ReplayOp op, ArrayRef<Value> operands) {
  ArrayAttr maps = op.getIndexingMaps();
  if (maps.size() != operands.size())
    return op.emitOpError("(C1) expected one indexing map per operand but "
                          "keys, rows and full, ")
           << operands.size() << " in all, but got " << maps.size();
  unsigned numDims = cast<AffineMapAttr>(maps[0]).getValue().getNumDims();
  unsigned output = op.getOutputIndex();
  for (auto [index, operand] : llvm::enumerate(operands)) {
    AffineMap map = cast<AffineMapAttr>(maps[index]).getValue();
    ArrayRef<int64_t> shape = detail::getShapeOrScalar(operand.getType());
    bool isStored =
        index >= output && op.getTarget(index - output) == ReplayTarget::stored;
    unsigned numLeading = op.getNumLeadingDims(index);
    bool fits = numDims >= kNumTileDims && map.getNumDims() == numDims &&
                map.isProjectedPermutation() &&
                map.getNumResults() + numLeading == shape.size();
    if (!fits)
      return op.emitOpError("(C1) expected the map of ")
             << op.getOperandName(index)
             << " to be a projected permutation of (query rows, key rows, "
                "features, channels) with one result per dimension of the "
                "operand, "
             << shape.size() - numLeading << " in all, but got "
             << AffineMapAttr::get(map);
    AffineMap stored = op.getStoredMap(index);
    for (unsigned i = 0, e = stored.getNumResults(); i < e; ++i) {
      unsigned dim = stored.getDimPosition(i);
      if (dim < kNumTileDims || (isStored && shape[i] == 1))
        continue;
      return op.emitOpError("(C1) expected ")
             << op.getOperandName(index) << " to have "
             << (isStored ? "extent 1 along" : "no") << " dimension d" << dim
             << ", which is none of the tile's, but got " << operand.getType();
    }
  }
  return success();
}

/// Whether a map spans some dimensions of a tile, and no others of it.
static bool spans(AffineMap map, ArrayRef<unsigned> dims) {
  for (unsigned dim = 0; dim < kNumTileDims; ++dim)
    if (map.isFunctionOfDim(dim) != llvm::is_contained(dims, dim))
      return false;
  return true;
}

/// (C2)
static LogicalResult verifyPairs(ReplayOp op) {
  auto isPair = [&](unsigned left, unsigned right, unsigned summed) {
    return spans(op.getIndexingMap(left), {kRow, summed}) &&
           spans(op.getIndexingMap(right), {kKey, summed});
  };
  if (!isPair(0, 1, kFeature))
    return op.emitOpError("(C2) expected query to span query rows and features "
                          "and key to span key rows and features");
  if (op.getPairs().size() % 2 != 0)
    return op.emitOpError("(C2) expected further pairs to have two operands "
                          "each, but got ")
           << op.getPairs().size() << " in all";
  unsigned first = 2 + op.getContracted().size();
  for (unsigned i = 0, e = op.getPairs().size(); i < e; i += 2)
    if (!isPair(first + i, first + i + 1, kFeature) &&
        !isPair(first + i, first + i + 1, kChannel))
      return op.emitOpError("(C2) expected pair ")
             << i / 2
             << " to span query rows and key rows, and both operands features "
                "or both channels";
  return success();
}

/// (C3)
static LogicalResult verifyTargets(ReplayOp op) {
  unsigned output = op.getOutputIndex();
  for (unsigned i = 0, e = op.getInits().size(); i < e; ++i) {
    AffineMap map = op.getIndexingMap(output + i);
    ReplayTarget target = op.getTarget(i);
    auto contractsOver = [&](unsigned from, unsigned to, unsigned along) {
      return spans(op.getIndexingMap(*op.getContractedIndex(i)),
                   {from, along}) &&
             spans(map, {to, along});
    };
    auto report = [&](StringRef expected) {
      return op.emitOpError("(C3) expected init ")
             << i << ", " << stringifyReplayTarget(target) << ", to span "
             << expected;
    };
    switch (target) {
    case ReplayTarget::stored:
      if (!spans(map, {kRow, kKey}))
        return report("query rows and key rows");
      break;
    case ReplayTarget::over_keys:
      if (!contractsOver(kKey, kRow, kChannel))
        return report("query rows and channels, and what it contracts key rows "
                      "and channels");
      break;
    case ReplayTarget::over_rows:
      if (!contractsOver(kRow, kKey, kFeature) &&
          !contractsOver(kRow, kKey, kChannel))
        return report("key rows, and what it contracts query rows, and both "
                      "features or both channels");
      break;
    case ReplayTarget::row:
    case ReplayTarget::row_state:
      if (!spans(map, {kRow}))
        return report("query rows");
      break;
    }
  }
  return success();
}

/// (C9)
static LogicalResult verifyStatistics(ReplayOp op) {
  if (failed(detail::verifyWeighting(
          op, "C9", op.getWeighting(),
          {WeightingKind::Accumulate, WeightingKind::Select})))
    return failure();
  unsigned expected = op.getWeighting().getNumWeightingOperands();
  if (op.getWeightingOperands().size() != expected)
    return op.emitOpError(
               "(C9) expected the number of weighting operands to be ")
           << expected << " (for " << op.getWeighting() << "), but got "
           << op.getWeightingOperands().size();
  size_t numStatistics = op.getWeighting().getStatistics().size();
  if (op.getStatistics().size() != numStatistics)
    return op.emitOpError("(C9) expected the number of statistics to be ")
           << numStatistics << " (for " << op.getWeighting() << "), but got "
           << op.getStatistics().size();
  unsigned first = op.getWeightingIndex(), statistic = first + expected;
  auto operands = cast<AttentionOpInterface>(*op).getMappedOperands();
  for (unsigned i = first, e = op.getOutputIndex(); i < e; ++i) {
    AffineMap map = op.getIndexingMap(i);
    if (!spans(map, {kRow}) && (i >= statistic || !spans(map, {})))
      return op.emitOpError("(C9) expected ")
             << op.getOperandName(i) << " to span query rows only";
    Type type = operands[i].getType();
    if (i < statistic && !isa<FloatType>(getElementTypeOrSelf(type)))
      return op.emitOpError("(C9) expected ")
             << op.getOperandName(i) << " to hold floats, but got " << type;
    if (i >= statistic && failed(detail::verifyStatistic(
                              op, "C9", op.getWeighting(), i - statistic, type,
                              cast<FloatType>(op.getAccType()))))
      return failure();
  }
  if (op.getPosition() && !isa<SelectWeightingAttrInterface>(op.getWeighting()))
    return op.emitOpError("(C9) expected a position only where the weighting "
                          "selects keys, but ")
           << op.getWeighting() << " does not: drop position";
  return success();
}

/// (C10)
static LogicalResult verifyStored(ReplayOp op, ArrayRef<Value> operands) {
  auto accType = cast<FloatType>(op.getAccType());
  unsigned output = op.getOutputIndex();
  for (auto [index, value] : llvm::enumerate(operands)) {
    detail::StoredOperand operand{
        op.getOperandName(index), op.getLayout(),  op.getOperandRole(index),
        op.getIndexingMap(index), value.getType(), op.getNumLeadingDims(index)};
    if (failed(detail::verifyStoredOperand(op, "C10", operand, accType)))
      return failure();
    if (index >= output &&
        op.getTarget(index - output) != ReplayTarget::stored &&
        getElementTypeOrSelf(value.getType()) != accType)
      return op.emitOpError("(C10) expected ")
             << operand.name << " to hold " << accType << ", but got "
             << value.getType();
  }
  return detail::verifyKeyTile(op, "C10", op.getKeyTile(), op.getStoredMap(1));
}

LogicalResult ReplayOp::verify() {
  if (getTargets().size() != getInits().size() || getInits().empty())
    return emitOpError("(C3) expected one target per init, and one at least, "
                       "but got ")
           << getTargets().size() << " targets and " << getInits().size()
           << " inits";
  size_t numContracted = 0;
  for (unsigned i = 0, e = getInits().size(); i < e; ++i)
    numContracted += contracts(getTarget(i));
  if (getContracted().size() != numContracted)
    return emitOpError("(C3) expected one contracted operand per target that "
                       "contracts, ")
           << numContracted << " in all, but got " << getContracted().size();
  SmallVector<Value> operands = detail::getMappedOperands(*this);
  // What lies as it is, stored or read, may have fewer query rows than there is
  // room for; what is read only in a tile that counts its rows.
  auto mayLackRows = [&](unsigned index) {
    OperandRole role = getOperandRole(index);
    bool isRead =
        role == OperandRole::input || role == OperandRole::weighting_operand;
    return role == OperandRole::weights ||
           (isRead && getRows() && !getLayout().getStoredExtent(role, 0));
  };
  if (failed(verifyTileMaps(*this, operands)) || failed(verifyPairs(*this)) ||
      failed(verifyTargets(*this)) ||
      failed(detail::verifyExtents(*this, operands, mayLackRows)))
    return failure();
  for (unsigned i = 0, e = getInits().size(); i < e; ++i) {
    if (getTarget(i) != ReplayTarget::stored)
      continue;
    AffineMap map = getIndexingMap(getOutputIndex() + i);
    int64_t rows = detail::getShapeOrScalar(
        getInits()[i].getType())[*map.getResultPosition(
        getAffineDimExpr(kRow, getContext()))];
    if (!ShapedType::isDynamic(rows) && rows > getLayout().getNumRows())
      return emitOpError("(C4) expected at most ")
             << getLayout().getNumRows() << " query rows in a tile in "
             << getLayout() << ", but got init " << i << " of " << rows;
  }
  for (unsigned i = 0, e = getInputs().size(); i < e; ++i)
    if (getIndexingMap(getFirstInputIndex() + i).isFunctionOfDim(kChannel))
      return emitOpError("(C5) expected input ")
             << i << " to have no value channel";
  if (failed(verifyStatistics(*this)))
    return failure();
  if (!getAccType().isF32() && !getAccType().isF64())
    return emitOpError("(C12) expected the accumulation type to be f32 or f64, "
                       "but got ")
           << getAccType();
  if (failed(verifyStored(*this, operands)))
    return failure();
  return detail::verifyDestinationStyle(*this, "C13");
}

/// (C11)
LogicalResult ReplayOp::verifyRegions() {
  if (failed(detail::verifyAttentionRegions(*this)))
    return failure();
  unsigned numStates = 0;
  for (unsigned i = 0, e = getInits().size(); i < e; ++i)
    numStates += getTarget(i) == ReplayTarget::row_state;
  if (getElement().empty()) {
    if (getPairs().empty() && numStates == 0)
      return success();
    return emitOpError("(C11) expected a region element where there are "
                       "further pairs or states");
  }
  SmallVector<Type> arguments(2 + getPairs().size() / 2 + numStates,
                              getAccType());
  for (Value input : getInputs()) {
    Type element = getElementTypeOrSelf(input.getType());
    arguments.push_back(isa<FloatType>(element) ? getAccType() : element);
  }
  SmallVector<Type> yielded(getInits().size(), getAccType());
  if (failed(detail::verifyBodySignature(getElement(), "element", arguments,
                                         yielded, "C11")))
    return failure();
  return detail::verifyElementwiseBody(getElement(), "element", "C11");
}

} // namespace attn
