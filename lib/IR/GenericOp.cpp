//===- GenericOp.cpp - The core op and its online step ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VerifyGPUChoice.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/ContractOp.h"
#include "attn/IR/Verify.h"

using namespace mlir;

namespace attn {

/// Names the arguments of a region: `leading`, then in0, in1, ...
static void nameArguments(Region &region, ArrayRef<StringRef> leading,
                          OpAsmSetValueNameFn setName) {
  for (auto [index, argument] : llvm::enumerate(region.getArguments())) {
    if (index < leading.size())
      setName(argument, leading[index]);
    else
      setName(argument, "in" + std::to_string(index - leading.size()));
  }
}

void detail::nameRegionArguments(AttentionOpInterface op, Region &region,
                                 OpAsmSetValueNameFn setName) {
  if (&region == &op.getSimilarity())
    nameArguments(region, {"q", "k"}, setName);
  else if (&region == &op.getScore())
    nameArguments(region, {"s"}, setName);
  else if (&region == &op.getWeight())
    nameArguments(region, {"w"}, setName);
  else if (&region == &op.getMask())
    nameArguments(region, {}, setName);
}

/// Whether the map spans exactly the dimensions of the given classes.
static bool spansExactly(AffineMap map, const DimensionClasses &classes,
                         ArrayRef<DimensionClass> expected) {
  for (unsigned dim = 0, e = map.getNumDims(); dim < e; ++dim)
    if (map.isFunctionOfDim(dim) !=
        llvm::is_contained(expected, classes.classes[dim]))
      return false;
  return true;
}

//===----------------------------------------------------------------------===//
// GenericOp
//===----------------------------------------------------------------------===//

MutableOperandRange GenericOp::getDpsInitsMutable() {
  auto [start, length] = getODSOperandIndexAndLength(9);
  return MutableOperandRange(*this, start, getNumOperands() - start);
}

Value GenericOp::getAccumulatorInit() { return getOutput(); }

void GenericOp::getAsmBlockArgumentNames(Region &region,
                                         OpAsmSetValueNameFn setName) {
  if (&region == &getRanges() || &region == &getClassify())
    detail::nameBoundArguments(*this, region, setName);
  else
    detail::nameRegionArguments(*this, region, setName);
}

void GenericOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  if (getNumResults() == 0)
    return;
  setName(getResult(0), "out");
  unsigned next = 1;
  if (getLse())
    setName(getResult(next++), "lse");
  if (getWeights() && next < getNumResults())
    setName(getResult(next), "weights");
}

void GenericOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/false, effects);
}

LogicalResult GenericOp::verify() {
  if (failed(detail::verifyAttentionOperands(*this)) ||
      failed(detail::verifyBlockList(*this)))
    return failure();
  DimensionClasses classes = getDimensionClasses();
  using Class = DimensionClass;
  unsigned next = getOutputIndex() + 1;
  if (getLse()) {
    if (!getWeighting().hasLogSumExp())
      return emitOpError("(C10) ")
             << getWeighting() << " defines no log-sum-exp: drop lse";
    if (!spansExactly(getWrittenMap(next++), classes,
                      {Class::Batch, Class::QueryRow}))
      return emitOpError("(C10) expected lse to span batch and query rows");
  }
  if (failed(verifyGPUChoice<GPUKernelAttr>(*this)))
    return failure();
  if (!getWeights())
    return success();
  // Of pages, positions in the list are what weights go by.
  if (BlockList::hasPages(*this) && classes.keyRows.size() == 2) {
    unsigned page = classes.keyRows[0];
    if (getIndexingMap(next).isFunctionOfDim(page))
      return emitOpError("(C11) expected weights to go by the position in the "
                         "list, d")
             << classes.keyRows[1] << ", and not by page, d" << page;
    classes.classes[page] = Class::Feature;
  }
  if (!spansExactly(getWrittenMap(next), classes,
                    {Class::Batch, Class::QueryRow, Class::KeyRow}))
    return emitOpError(
        "(C11) expected weights to span batch, query rows and key rows");
  return success();
}

LogicalResult GenericOp::verifyRegions() {
  if (failed(detail::verifyAttentionRegions(*this)))
    return failure();
  return detail::verifyBoundRegions(*this);
}

//===----------------------------------------------------------------------===//
// YieldOp
//===----------------------------------------------------------------------===//

LogicalResult YieldOp::verify() {
  Operation *parent = (*this)->getParentOp();
  if (isa_and_nonnull<AttentionOpInterface, NamedAttentionOpInterface, PackOp,
                      ContractOp>(parent))
    return success();
  return emitOpError("expected to end a region of an attention op");
}

//===----------------------------------------------------------------------===//
// OnlineOp
//===----------------------------------------------------------------------===//

MutableOperandRange OnlineOp::getDpsInitsMutable() {
  auto [start, length] = getODSOperandIndexAndLength(12);
  return MutableOperandRange(*this, start, getNumOperands() - start);
}

Value OnlineOp::getAccumulatorInit() { return getAccumulator(); }

OperandRole OnlineOp::getOperandRole(unsigned index) {
  if (index < 3)
    return static_cast<OperandRole>(index);
  unsigned weighting = 3 + getInputs().size();
  unsigned accumulator = weighting + getWeightingOperands().size();
  if (index < weighting)
    return OperandRole::input;
  if (index < accumulator)
    return OperandRole::weighting_operand;
  return index == accumulator ? OperandRole::accumulator
                              : OperandRole::statistic;
}

AffineMap OnlineOp::getStoredMap(unsigned index) {
  AffineMap map = getIndexingMap(index);
  LayoutAttrInterface layout = getLayoutAttr();
  return layout ? layout.getStoredMap(getOperandRole(index), map) : map;
}

unsigned OnlineOp::getNumLeadingDims(unsigned index) {
  unsigned first = getOutputIndex() + 1;
  SmallVector<Statistic> statistics = getWeighting().getStatistics();
  return index >= first && index - first < statistics.size()
             ? statistics[index - first].getNumLeadingDims()
             : 0;
}

void OnlineOp::getAsmBlockArgumentNames(Region &region,
                                        OpAsmSetValueNameFn setName) {
  detail::nameRegionArguments(*this, region, setName);
}

void OnlineOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  if (getNumResults() == 0)
    return;
  setName(getResult(0), "acc");
  SmallVector<Statistic> statistics = getWeighting().getStatistics();
  for (auto [index, statistic] : llvm::enumerate(statistics))
    if (index + 1 < getNumResults())
      setName(getResult(index + 1), statistic.name);
}

void OnlineOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/true, effects);
}

/// (C21)
static LogicalResult verifyAhead(OnlineOp op) {
  if (!op.getAheadKey() && !op.getAheadValue())
    return success();
  if (!op.getAheadKey() || !op.getAheadValue() || !op.getLayout())
    return op.emitOpError(
        "(C21) expected ahead to have keys and values, beside "
        "a layout");
  for (auto [ahead, here, name] :
       {std::tuple(op.getAheadKey(), op.getKey(), "key"),
        std::tuple(op.getAheadValue(), op.getValue(), "value")}) {
    auto type = cast<ShapedType>(ahead.getType());
    auto expected = cast<ShapedType>(here.getType());
    if (type.getElementType() != expected.getElementType() ||
        type.getRank() != expected.getRank())
      return op.emitOpError("(C21) expected the ")
             << name << " ahead to have the element type and the rank of "
             << expected << ", but got " << type;
  }
  return success();
}

/// (C22)
static LogicalResult verifySelection(OnlineOp op) {
  if (!isa<SelectWeightingAttrInterface>(op.getWeighting())) {
    if (!op.getPosition())
      return success();
    return op.emitOpError("(C22) expected a position only where the weighting "
                          "selects keys, but ")
           << op.getWeighting() << " does not: drop position";
  }
  DimensionClasses classes = op.getDimensionClasses();
  if (classes.keyRows.size() != 1)
    return op.emitOpError("(C22) expected one key row dimension for ")
           << op.getWeighting() << ", but got " << classes.keyRows.size();
  if (!op.getWeight().empty())
    return op.emitOpError("(C22) expected no weight region for ")
           << op.getWeighting() << ": weights come when all keys are in";
  for (unsigned index : {2u, op.getOutputIndex()}) {
    Value operand = index == 2 ? op.getValue() : op.getAccumulator();
    AffineMap map = op.getStoredMap(index);
    for (auto [position, extent] :
         llvm::enumerate(detail::getShapeOrScalar(operand.getType())))
      if (extent != 0 &&
          llvm::is_contained(classes.channels, map.getDimPosition(position)))
        return op.emitOpError("(C22) expected ")
               << detail::getOperandName(op, index) << " to have no channels "
               << "for " << op.getWeighting() << ", but got "
               << operand.getType();
  }
  return success();
}

LogicalResult OnlineOp::verify() {
  size_t numStatistics = getWeighting().getStatistics().size();
  if (getStatistics().size() != numStatistics)
    return emitOpError("(C14) expected the number of statistics to be ")
           << numStatistics << " (for " << getWeighting() << "), but got "
           << getStatistics().size();
  if (failed(detail::verifyTileDimensions(*this)) ||
      failed(detail::verifyAttentionOperands(*this)) ||
      failed(detail::verifyBlockList(*this)))
    return failure();
  DimensionClasses classes = getDimensionClasses();
  unsigned first = getOutputIndex() + 1;
  for (unsigned i = 0; i < numStatistics; ++i)
    if (!spansExactly(getIndexingMap(first + i), classes,
                      {DimensionClass::Batch, DimensionClass::QueryRow}))
      return emitOpError("(C14) expected statistic ")
             << i << " to span batch and query rows, no more and no less";
  FloatType accType = getAccumulationType();
  if (getElementTypeOrSelf(getAccumulator().getType()) != accType)
    return emitOpError("(C14) expected accumulator to hold ")
           << accType << ", but got " << getAccumulator().getType();
  for (auto [index, init] : llvm::enumerate(getStatistics()))
    if (failed(detail::verifyStatistic(*this, "C14", getWeighting(), index,
                                       init.getType(), accType)))
      return failure();
  if (failed(verifySelection(*this)))
    return failure();
  return failure(failed(detail::verifyLayout(*this)) ||
                 failed(verifyAhead(*this)));
}

LogicalResult OnlineOp::verifyRegions() {
  if (failed(detail::verifyAttentionRegions(*this)))
    return failure();
  if (!isLinearInWeight())
    return emitOpError("(C15) expected the weight region to be linear in the "
                       "weight, so that steps commute: use attn.generic");
  return success();
}

} // namespace attn
