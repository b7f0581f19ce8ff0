//===- TiledOps.cpp - Ops of the tiled form ---------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verify.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

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
  for (auto [index, attr] : llvm::enumerate(getIndexingMaps())) {
    AffineMap map = cast<AffineMapAttr>(attr).getValue();
    if (!map.isProjectedPermutation() || (index == 0 && !map.isPermutation()) ||
        map.getNumResults() !=
            detail::getShapeOrScalar(getInits()[index].getType()).size())
      return emitOpError("(C1) expected the map of init ")
             << index << " to be a "
             << (index == 0 ? "permutation" : "projected permutation")
             << " of the init's rank, but got " << AffineMapAttr::get(map);
  }
  if (failed(detail::verifyWeighting(*this, "C2", getWeighting(),
                                     /*accumulateOnly=*/true)))
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
  return detail::verifyDestinationStyle(*this, "C4");
}

//===----------------------------------------------------------------------===//
// FinishOp
//===----------------------------------------------------------------------===//

MutableOperandRange FinishOp::getDpsInitsMutable() {
  auto [start, length] = getODSOperandIndexAndLength(4);
  return MutableOperandRange(*this, start, getNumOperands() - start);
}

void FinishOp::getEffects(EffectList &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/false, effects);
}

/// How errors call mapped operand `index`.
static std::string getFinishOperandName(FinishOp op, unsigned index) {
  if (index == 0)
    return "accumulator";
  index -= 1;
  if (index < op.getStatistics().size())
    return "statistic " + std::to_string(index);
  index -= op.getStatistics().size();
  if (index < op.getWeightingOperands().size())
    return "weighting operand " + std::to_string(index);
  return index == op.getWeightingOperands().size() ? "output" : "lse";
}

LogicalResult FinishOp::verify() {
  SmallVector<Value> mapped;
  for (Value operand : getOperands())
    if (operand != getKeys() || !isa<IndexType>(operand.getType()))
      mapped.push_back(operand);
  if (getIndexingMaps().size() != mapped.size())
    return emitOpError("(C1) expected one indexing map per operand but keys, ")
           << mapped.size() << " in all, but got " << getIndexingMaps().size();
  unsigned output = 1 + getStatistics().size() + getWeightingOperands().size();
  for (auto [index, operand] : llvm::enumerate(mapped)) {
    AffineMap map = cast<AffineMapAttr>(getIndexingMaps()[index]).getValue();
    bool whole = index == 0 || index == output;
    if (!map.isProjectedPermutation() || (whole && !map.isPermutation()) ||
        map.getNumResults() !=
            detail::getShapeOrScalar(operand.getType()).size())
      return emitOpError("(C1) expected the map of ")
             << getFinishOperandName(*this, index) << " to be a "
             << (whole ? "permutation" : "projected permutation")
             << " of the operand's rank, but got " << AffineMapAttr::get(map);
  }
  if (failed(detail::verifyWeighting(*this, "C2", getWeighting(),
                                     /*accumulateOnly=*/true)))
    return failure();
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
  if (getLse() && !getWeighting().hasLogSumExp())
    return emitOpError("(C3) ")
           << getWeighting() << " defines no log-sum-exp: drop lse";
  return detail::verifyDestinationStyle(*this, "C4");
}

//===----------------------------------------------------------------------===//
// PackOp
//===----------------------------------------------------------------------===//

void PackOp::getEffects(EffectList &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/false, effects);
}

LogicalResult PackOp::verify() {
  ArrayRef<int64_t> source = detail::getShapeOrScalar(getSource().getType());
  ArrayRef<int64_t> destination =
      detail::getShapeOrScalar(getDestination().getType());
  ArrayRef<int64_t> permutation = getPermutation();
  if (source.size() != destination.size() ||
      permutation.size() != source.size() || !isPermutationVector(permutation))
    return emitOpError("(C1) expected a permutation of the source's rank, ")
           << source.size() << ", which is the destination's, "
           << destination.size() << ", but got [" << permutation << "]";
  for (auto [position, dim] : llvm::enumerate(permutation))
    if (!ShapedType::isDynamic(source[dim]) &&
        !ShapedType::isDynamic(destination[position]) &&
        source[dim] > destination[position])
      return emitOpError("(C2) expected the destination to hold dimension ")
             << dim << " of the source, of extent " << source[dim]
             << ", but got extent " << destination[position];
  Type from = getElementTypeOrSelf(getSource().getType());
  Type to = getElementTypeOrSelf(getDestination().getType());
  bool floats = isa<FloatType>(from) && isa<FloatType>(to);
  bool bytes = from.isInteger(1) && to.isInteger(8);
  bool scaled = !getScale().isExactlyValue(1.0);
  if (!floats && ((from != to && !bytes) || scaled)) {
    InFlightDiagnostic diag =
        emitOpError("(C3) expected element types to be both float, or equal "
                    "and unscaled, or i1 and i8, but got ");
    diag << from << " and " << to;
    if (scaled)
      diag << " scaled by " << getScaleAttr();
    return diag;
  }
  return detail::verifyDestinationStyle(*this, "C4");
}

//===----------------------------------------------------------------------===//
// IndexOp
//===----------------------------------------------------------------------===//

void IndexOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  setName(getResult(), "i" + std::to_string(getDim()));
}

} // namespace attn
