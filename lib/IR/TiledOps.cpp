//===- TiledOps.cpp - Ops of the tiled form ---------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Verify.h"

using namespace mlir;

namespace attn {

using EffectList =
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

//===----------------------------------------------------------------------===//
// MergeOp
//===----------------------------------------------------------------------===//

void MergeOp::getEffects(EffectList &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/false, effects);
}

LogicalResult MergeOp::verify() {
  if (getIndexingMaps().size() != getInits().size())
    return emitOpError("(C1) expected one indexing map per init, ")
           << getInits().size() << " in all, but got "
           << getIndexingMaps().size();
  for (unsigned index = 0; index < getInits().size(); ++index) {
    AffineMap map = getIndexingMap(index);
    if (!map.isProjectedPermutation() || (index == 0 && !map.isPermutation()) ||
        map.getNumResults() + getNumLeadingDims(index) !=
            detail::getShapeOrScalar(getInits()[index].getType()).size())
      return emitOpError("(C1) expected the map of init ")
             << index << " to be a "
             << (index == 0 ? "permutation" : "projected permutation")
             << " of the init's rank, but got " << AffineMapAttr::get(map);
  }
  if (failed(detail::verifyWeighting(
          *this, "C2", getWeighting(),
          {WeightingKind::Accumulate, WeightingKind::Select})))
    return failure();
  size_t expected = 1 + getWeighting().getStatistics().size();
  if (getInits().size() != expected || getPartials().size() != expected)
    return emitOpError("(C2) expected an accumulator and ")
           << expected - 1 << " statistics for " << getWeighting()
           << ", partial and merged, but got " << getPartials().size()
           << " partial and " << getInits().size() << " merged operands";
  for (auto [partial, init] : llvm::zip_equal(getPartials(), getInits())) {
    ArrayRef<int64_t> partialShape =
        detail::getShapeOrScalar(partial.getType());
    ArrayRef<int64_t> shape = detail::getShapeOrScalar(init.getType());
    if (partialShape.size() != shape.size() + 1 ||
        failed(verifyCompatibleShape(partialShape.drop_front(), shape)) ||
        getElementTypeOrSelf(partial) != getElementTypeOrSelf(init))
      return emitOpError("(C3) expected the partial results of ")
             << init.getType() << " to add one leading dimension, but got "
             << partial.getType();
  }
  auto accType = dyn_cast<FloatType>(getElementTypeOrSelf(getInits()[0]));
  if (!accType)
    return emitOpError("(C3) expected an accumulator of floats, but got ")
           << getInits()[0].getType();
  for (auto [index, init] : llvm::enumerate(getInits().drop_front()))
    if (failed(detail::verifyStatistic(*this, "C3", getWeighting(), index,
                                       init.getType(), accType)))
      return failure();
  if (failed(detail::verifyDestinationStyle(*this, "C4")))
    return failure();
  return detail::verifyLayout(*this);
}

unsigned MergeOp::getNumLeadingDims(unsigned index) {
  SmallVector<Statistic> statistics = getWeighting().getStatistics();
  return index > 0 && index <= statistics.size()
             ? statistics[index - 1].getNumLeadingDims()
             : 0;
}

AffineMap MergeOp::getStoredMap(unsigned index) {
  AffineMap map = getIndexingMap(index);
  LayoutAttrInterface layout = getLayoutAttr();
  return layout ? layout.getStoredMap(getOperandRole(index), map) : map;
}

//===----------------------------------------------------------------------===//
// FinishOp
//===----------------------------------------------------------------------===//

MutableOperandRange FinishOp::getDpsInitsMutable() {
  auto [start, length] = getODSOperandIndexAndLength(5);
  return MutableOperandRange(*this, start, getNumOperands() - start);
}

void FinishOp::getEffects(EffectList &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/false, effects);
}

SmallVector<Value> FinishOp::getMappedOperands() {
  SmallVector<Value> mapped{getAccumulator()};
  llvm::append_range(mapped, getStatistics());
  llvm::append_range(mapped, getWeightingOperands());
  if (getValue())
    mapped.push_back(getValue());
  llvm::append_range(mapped, getDpsInits());
  return mapped;
}

OperandRole FinishOp::getOperandRole(unsigned index) {
  unsigned output = getOutputIndex();
  if (index < 1 + getStatistics().size())
    return index == 0 ? OperandRole::accumulator : OperandRole::statistic;
  if (index < getValueIndex())
    return OperandRole::weighting_operand;
  if (index < output)
    return OperandRole::value;
  return index == output ? OperandRole::output : OperandRole::lse;
}

unsigned FinishOp::getNumLeadingDims(unsigned index) {
  SmallVector<Statistic> statistics = getWeighting().getStatistics();
  return index > 0 && index <= getStatistics().size() &&
                 index <= statistics.size()
             ? statistics[index - 1].getNumLeadingDims()
             : 0;
}

AffineMap FinishOp::getStoredMap(unsigned index) {
  AffineMap map = getIndexingMap(index);
  LayoutAttrInterface layout = getLayoutAttr();
  return layout && getOperandRole(index) != OperandRole::value
             ? layout.getStoredMap(getOperandRole(index), map)
             : map;
}

bool FinishOp::isKeyDim(unsigned dim) {
  if (!getValue() || !getIndexingMap(getValueIndex()).isFunctionOfDim(dim))
    return false;
  for (unsigned i = 0, e = getIndexingMaps().size(); i < e; ++i)
    if (i != getValueIndex() && getIndexingMap(i).isFunctionOfDim(dim))
      return false;
  return true;
}

std::string detail::getOperandName(FinishOp op, unsigned index) {
  if (index == 0)
    return "accumulator";
  index -= 1;
  if (index < op.getStatistics().size())
    return "statistic " + std::to_string(index);
  index -= op.getStatistics().size();
  if (index < op.getWeightingOperands().size())
    return "weighting operand " + std::to_string(index);
  index -= op.getWeightingOperands().size();
  if (op.getValue() && index-- == 0)
    return "value";
  return index == 0 ? "output" : "lse";
}

/// The dimensions that no operand but the value has.
static unsigned countKeyDims(FinishOp op) {
  if (!op.getValue())
    return 0;
  unsigned count = 0;
  for (unsigned dim = 0, e = op.getIndexingMap(0).getNumDims(); dim < e; ++dim)
    count += op.isKeyDim(dim);
  return count;
}

LogicalResult FinishOp::verify() {
  SmallVector<Value> mapped = getMappedOperands();
  if (getIndexingMaps().size() != mapped.size())
    return emitOpError("(C1) expected one indexing map per operand but keys, ")
           << mapped.size() << " in all, but got " << getIndexingMaps().size();
  unsigned output = getOutputIndex(), numDims = getIndexingMap(0).getNumDims();
  // What only a value has is the keys it is gathered by.
  unsigned numShared = numDims - countKeyDims(*this);
  for (auto [index, operand] : llvm::enumerate(mapped)) {
    AffineMap map = getIndexingMap(index);
    bool whole = index == output || (index == 0 && !getLayoutAttr());
    if (map.getNumDims() != numDims || !map.isProjectedPermutation() ||
        (whole && map.getNumResults() != numShared) ||
        map.getNumResults() + getNumLeadingDims(index) !=
            detail::getShapeOrScalar(operand.getType()).size())
      return emitOpError("(C1) expected the map of ")
             << detail::getOperandName(*this, index) << " to be a "
             << (whole ? "permutation" : "projected permutation")
             << " of the operand's rank, but got " << AffineMapAttr::get(map);
  }
  if (failed(detail::verifyWeighting(
          *this, "C2", getWeighting(),
          {WeightingKind::Accumulate, WeightingKind::Select})))
    return failure();
  bool selects = isa<SelectWeightingAttrInterface>(getWeighting());
  if (selects && !getFinished() && !getValue())
    return emitOpError("(C2) expected a value, of which ")
           << getWeighting() << " selects rows";
  if (getValue() && (!selects || getFinished()))
    return emitOpError("(C2) expected no value, as nothing is gathered from "
                       "it: drop value");
  size_t numStatistics = getWeighting().getStatistics().size();
  if (getStatistics().size() != numStatistics)
    return emitOpError("(C2) expected the number of statistics to be ")
           << numStatistics << " (for " << getWeighting() << "), but got "
           << getStatistics().size();
  unsigned numOperands = getWeighting().getNumWeightingOperands();
  if (getWeightingOperands().size() != numOperands)
    return emitOpError("(C2) expected the number of weighting operands to be ")
           << numOperands << " (for " << getWeighting() << "), but got "
           << getWeightingOperands().size();
  auto accType =
      dyn_cast<FloatType>(getElementTypeOrSelf(getAccumulator().getType()));
  for (auto [index, statistic] : llvm::enumerate(getStatistics()))
    if (failed(detail::verifyStatistic(*this, "C2", getWeighting(), index,
                                       statistic.getType(), accType)))
      return failure();
  if (getLse() && !getWeighting().hasLogSumExp())
    return emitOpError("(C3) ")
           << getWeighting() << " defines no log-sum-exp: drop lse";
  if (failed(detail::verifyDestinationStyle(*this, "C4")))
    return failure();
  return detail::verifyLayout(*this);
}

//===----------------------------------------------------------------------===//
// PackOp
//===----------------------------------------------------------------------===//

void PackOp::getEffects(EffectList &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/false, effects);
}

void PackOp::getAsmBlockArgumentNames(Region &region,
                                      OpAsmSetValueNameFn setName) {
  for (BlockArgument argument : region.getArguments())
    setName(argument, "x");
}

SmallVector<int64_t> PackOp::getPermutation() {
  SmallVector<int64_t> permutation;
  for (AffineExpr expr : getStoredMap().getResults())
    permutation.push_back(*getIndexingMap().getResultPosition(expr));
  return permutation;
}

LogicalResult PackOp::verify() {
  constexpr unsigned kTileDims = 4;
  ArrayRef<int64_t> source = detail::getShapeOrScalar(getSource().getType());
  ArrayRef<int64_t> destination =
      detail::getShapeOrScalar(getDestination().getType());
  AffineMap map = getIndexingMap();
  if (map.getNumDims() != kTileDims || !map.isProjectedPermutation() ||
      map.getNumResults() != source.size())
    return emitOpError("(C1) expected a projected permutation of (query rows, "
                       "key rows, features, channels) with one result per "
                       "dimension of the source, ")
           << source.size() << " in all, but got " << AffineMapAttr::get(map);
  detail::StoredOperand operand{"destination", getLayout(), getRole(), map,
                                getDestination().getType()};
  AffineMap stored = getStoredMap();
  if (stored.getNumResults() != destination.size())
    return detail::verifyStoredShape(*this, "C1", operand);
  if (failed(detail::verifyStoredShape(*this, "C2", operand)))
    return failure();
  for (auto [position, dim] : llvm::enumerate(getPermutation()))
    if (!ShapedType::isDynamic(source[dim]) &&
        !ShapedType::isDynamic(destination[position]) &&
        source[dim] > destination[position])
      return emitOpError("(C2) expected the destination to hold dimension ")
             << dim << " of the source, of extent " << source[dim]
             << ", but got extent " << destination[position];
  Type from = getElementTypeOrSelf(getSource().getType());
  Type to = getElementTypeOrSelf(getDestination().getType());
  if (getElement().empty() && from != to)
    return emitOpError("(C3) expected a region element that turns ")
           << from << " into " << to;
  return detail::verifyDestinationStyle(*this, "C4");
}

LogicalResult PackOp::verifyRegions() {
  if (getElement().empty())
    return success();
  Type from = getElementTypeOrSelf(getSource().getType());
  Type to = getElementTypeOrSelf(getDestination().getType());
  if (failed(detail::verifyBodySignature(getElement(), "element", from, to,
                                         "C3")))
    return failure();
  for (Operation &op : getElement().front().without_terminator())
    if (!isa<arith::ArithDialect, math::MathDialect>(op.getDialect()))
      return emitOpError("(C3) expected element to hold elementwise arith and "
                         "math only, but got '")
             << op.getName() << "'";
  return detail::verifyElementwiseBody(getElement(), "element", "C3");
}

//===----------------------------------------------------------------------===//
// IndexOp
//===----------------------------------------------------------------------===//

void IndexOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  setName(getResult(), "i" + std::to_string(getDim()));
}

} // namespace attn
