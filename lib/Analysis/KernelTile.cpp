//===- KernelTile.cpp - Whether an op has the kernel's layout ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/KernelTile.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;

namespace attn {

static bool isContiguous(BaseMemRefType type) {
  auto ranked = dyn_cast<MemRefType>(type);
  SmallVector<int64_t> strides;
  int64_t offset;
  return ranked && succeeded(ranked.getStridesAndOffset(strides, offset)) &&
         (strides.empty() || strides.back() == 1);
}

/// The tensor whose buffer becomes that of `value`, or a part of it; null where
/// a new buffer begins or nothing is known.
static Value getBufferSource(Value value) {
  auto tied = [](OpOperand *operand) {
    return operand ? operand->get() : Value();
  };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto loop =
        dyn_cast<LoopLikeOpInterface>(argument.getOwner()->getParentOp());
    return loop ? tied(loop.getTiedLoopInit(argument)) : Value();
  }
  Operation *definition = value.getDefiningOp();
  if (auto loop = dyn_cast<LoopLikeOpInterface>(definition))
    return tied(loop.getTiedLoopInit(cast<OpResult>(value)));
  if (auto style = dyn_cast<DestinationStyleOpInterface>(definition))
    return tied(style.getTiedOpOperand(cast<OpResult>(value)));
  if (isa<tensor::ExtractSliceOp, tensor::CastOp, tensor::ExpandShapeOp,
          tensor::CollapseShapeOp, bufferization::ToTensorOp>(definition))
    return definition->getOperand(0);
  return {};
}

/// Whether neighbours along the last dimension of `value` are neighbours in
/// memory.
static bool isContiguous(Value value) {
  for (; value; value = getBufferSource(value)) {
    if (auto type = dyn_cast<BaseMemRefType>(value.getType()))
      return isContiguous(type);
    auto slice = value.getDefiningOp<tensor::ExtractSliceOp>();
    if (slice && (!isConstantIntValue(slice.getMixedStrides().back(), 1) ||
                  slice.getDroppedDims()[slice.getSourceType().getRank() - 1]))
      return false;
  }
  return true;
}

/// Whether `value` holds `lanes` query rows, dimension 0 of `map`, innermost
/// and contiguous.
static bool hasLanes(Value value, AffineMap map, int64_t lanes) {
  auto type = dyn_cast<ShapedType>(value.getType());
  return type && type.hasRank() && map.getNumResults() == type.getRank() &&
         map.getNumResults() > 0 &&
         map.getDimPosition(map.getNumResults() - 1) == 0 &&
         type.getShape().back() == lanes && isContiguous(value);
}

/// The number of lanes of an accumulator; 0 if it can have none.
static int64_t getNumLanes(Value accumulator) {
  auto type = cast<ShapedType>(accumulator.getType());
  return type.hasRank() && type.getRank() > 0 &&
                 !ShapedType::isDynamic(type.getShape().back())
             ? type.getShape().back()
             : 0;
}

static constexpr StringLiteral noLanes =
    "expected an accumulator with a static number of query rows innermost; run "
    "attn-tile";

std::string getTileMisfit(OnlineOp op) {
  if (op.getNumDims() != 4 ||
      op.getDimensionClasses().classes !=
          ArrayRef<DimensionClass>(
              {DimensionClass::QueryRow, DimensionClass::KeyRow,
               DimensionClass::Feature, DimensionClass::Channel}))
    return "expected the dimensions (query rows, key rows, features, "
           "channels); run attn-tile";
  int64_t lanes = getNumLanes(op.getAccumulator());
  if (lanes == 0)
    return noLanes.str();
  FloatType accType = op.getAccumulationType();
  auto attention = cast<AttentionOpInterface>(op.getOperation());
  for (auto [index, operand] : llvm::enumerate(attention.getMappedOperands())) {
    AffineMap map = op.getIndexingMap(index);
    bool alongLanes = map.isFunctionOfDim(0);
    if (alongLanes && !hasLanes(operand, map, lanes))
      return "expected operand " + std::to_string(index) +
             " to have query rows innermost and contiguous";
    // Elements of other operands are converted as they are read.
    Type element = getElementTypeOrSelf(operand.getType());
    bool isRead = isa<ShapedType>(operand.getType()) && !alongLanes;
    if (!isRead && isa<FloatType>(element) && element != accType)
      return "expected operand " + std::to_string(index) +
             " to hold the accumulation type";
  }
  unsigned position = *op.getIndexingMap(1).getResultPosition(
      getAffineDimExpr(1, op.getContext()));
  int64_t keys = cast<ShapedType>(op.getKey().getType()).getDimSize(position);
  if (!op.getKeyTile() && ShapedType::isDynamic(keys))
    return "expected key_tile where the number of key rows is dynamic";
  if (op.getKeyTile() && keys > static_cast<int64_t>(*op.getKeyTile()))
    return "expected at most key_tile key rows";
  return {};
}

std::string getTileMisfit(FinishOp op) {
  auto getMap = [&](unsigned index) {
    return cast<AffineMapAttr>(op.getIndexingMaps()[index]).getValue();
  };
  auto accumulator = cast<ShapedType>(op.getAccumulator().getType());
  Type accType = accumulator.getElementType();
  int64_t lanes = getNumLanes(op.getAccumulator());
  if (lanes == 0 || accumulator.getRank() != 2 ||
      !hasLanes(op.getAccumulator(), getMap(0), lanes) ||
      accType.getIntOrFloatBitWidth() < 32)
    return noLanes.str();

  unsigned next = 1;
  for (Value statistic : op.getStatistics())
    if (!hasLanes(statistic, getMap(next++), lanes) ||
        getElementTypeOrSelf(statistic.getType()) != accType)
      return "expected statistic " + std::to_string(next - 2) +
             " to have as many query rows as the accumulator and its type";
  for (auto [index, operand] : llvm::enumerate(op.getWeightingOperands())) {
    AffineMap map = getMap(next++);
    bool isShaped = isa<ShapedType>(operand.getType());
    if (getElementTypeOrSelf(operand.getType()) != accType ||
        (isShaped &&
         (map.getNumResults() != 1 || !hasLanes(operand, map, lanes))))
      return "expected weighting operand " + std::to_string(index) +
             " to be one number or to have as many query rows as the "
             "accumulator, in its type";
  }
  auto output = cast<ShapedType>(op.getOutput().getType());
  AffineMap map = getMap(next++);
  if (!output.hasRank() || output.getRank() != 2)
    return "expected an output of query rows and channels";
  unsigned row = map.getDimPosition(0) == 0 ? 0 : 1;
  int64_t rows = output.getDimSize(row);
  if (!ShapedType::isDynamic(rows) && rows > lanes)
    return "expected no more query rows than the accumulator has";
  if (failed(verifyCompatibleShape({accumulator.getDimSize(0)},
                                   {output.getDimSize(1 - row)})))
    return "expected as many channels as the accumulator has";
  if (op.getLse() && (getMap(next).getNumResults() != 1 ||
                      getMap(next).getDimPosition(0) != 0))
    return "expected the log-sum-exp to have query rows alone";
  return {};
}

bool isKernelTile(Operation *op) {
  if (auto online = dyn_cast<OnlineOp>(op))
    return getTileMisfit(online).empty();
  auto finish = dyn_cast<FinishOp>(op);
  return finish && getTileMisfit(finish).empty();
}

} // namespace attn
