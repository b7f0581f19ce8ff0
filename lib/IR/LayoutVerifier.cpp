//===- LayoutVerifier.cpp - Operands stored as a layout says ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Verify.h"

using namespace mlir;

namespace attn {
namespace detail {

/// Whether neighbours along dimension `dim` are neighbours in memory, or will
/// be: tensors have no strides.
static bool hasUnitStride(Type type, unsigned dim) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref)
    return true;
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(memref.getStridesAndOffset(strides, offset)) &&
         strides[dim] == 1;
}

LogicalResult verifyStoredShape(Operation *op, StringRef label,
                                const StoredOperand &operand) {
  ArrayRef<int64_t> shape = getShapeOrScalar(operand.type);
  AffineMap map = operand.layout.getStoredMap(operand.role, operand.map);
  unsigned numLeading = operand.numLeading;
  if (map.getNumResults() + numLeading != shape.size())
    return op->emitOpError("(")
           << label << ") expected " << operand.name << " to have "
           << map.getNumResults() + numLeading << " dimensions, as "
           << operand.layout << " stores it, but got " << operand.type;
  for (auto [number, expr] : llvm::enumerate(map.getResults())) {
    size_t position = number + numLeading;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    std::optional<int64_t> extent =
        dim ? operand.layout.getStoredExtent(operand.role, dim.getPosition())
            : std::nullopt;
    if (!extent)
      continue;
    if (shape[position] != *extent)
      return op->emitOpError("(")
             << label << ") expected " << operand.name << " to have extent "
             << *extent << " along dimension " << position << ", as "
             << operand.layout << " stores it, but got " << operand.type;
    if (position + 1 == shape.size() && !hasUnitStride(operand.type, position))
      return op->emitOpError("(")
             << label << ") expected " << operand.name
             << " to have unit stride along dimension " << position << ", as "
             << operand.layout << " stores it, but got " << operand.type;
  }
  return success();
}

LogicalResult verifyStoredOperand(Operation *op, StringRef label,
                                  const StoredOperand &operand,
                                  FloatType accType) {
  if (failed(verifyStoredShape(op, label, operand)))
    return failure();
  // A tile reads one element of another type as well as it reads its own.
  Type element = getElementTypeOrSelf(operand.type);
  Type expected = operand.layout.getStoredElement(operand.role, operand.map,
                                                  element, accType);
  if (element == expected)
    return success();
  return op->emitOpError("(")
         << label << ") expected " << operand.name << " to hold " << expected
         << ", as " << operand.layout << " stores it, but got " << operand.type;
}

LogicalResult verifyTileDimensions(OnlineOp op) {
  LayoutAttrInterface layout = op.getLayoutAttr();
  unsigned output = op.getOutputIndex();
  if (!layout || op.getIndexingMaps().size() <= output)
    return success();
  AffineMap maps[] = {op.getIndexingMap(0), op.getIndexingMap(1),
                      op.getIndexingMap(2), op.getIndexingMap(output)};
  bool isTile = llvm::all_of(maps, [](AffineMap map) {
    return map.getNumDims() == 4 && map.isProjectedPermutation();
  });
  using Class = DimensionClass;
  if (isTile) {
    FailureOr<DimensionClasses> classes =
        DimensionClasses::infer(maps[0], maps[1], maps[2], maps[3]);
    isTile =
        failed(classes) ||
        classes->classes == ArrayRef<Class>{Class::QueryRow, Class::KeyRow,
                                            Class::Feature, Class::Channel};
  }
  if (isTile)
    return success();
  return op.emitOpError("(C16) expected a tile in ")
         << layout
         << " to have the dimensions (query rows, key rows, features, "
            "channels)";
}

LogicalResult verifyKeyTile(AttentionOpInterface op, StringRef label,
                            std::optional<uint64_t> keyTile, AffineMap map) {
  std::optional<unsigned> position =
      map.getResultPosition(getAffineDimExpr(1, op->getContext()));
  int64_t keys = position ? getShapeOrScalar(op.getKey().getType())[*position]
                          : ShapedType::kDynamic;
  if (!keyTile && ShapedType::isDynamic(keys))
    return op.emitOpError("(")
           << label
           << ") expected key_tile where the number of key rows is dynamic";
  if (keyTile && keys > static_cast<int64_t>(*keyTile))
    return op.emitOpError("(")
           << label << ") expected at most key_tile key rows, " << *keyTile
           << ", but got " << keys;
  return success();
}

LogicalResult verifyLayout(OnlineOp op) {
  LayoutAttrInterface layout = op.getLayoutAttr();
  if (!layout)
    return success();
  FloatType accType = op.getAccumulationType();
  auto attention = cast<AttentionOpInterface>(op.getOperation());
  for (auto [index, value] : llvm::enumerate(attention.getMappedOperands())) {
    StoredOperand operand{getOperandName(attention, index),
                          layout,
                          op.getOperandRole(index),
                          op.getIndexingMap(index),
                          value.getType(),
                          attention.getNumLeadingDims(index)};
    if (failed(verifyStoredOperand(op, "C16", operand, accType)))
      return failure();
  }
  return verifyKeyTile(op, "C17", op.getKeyTile(), op.getStoredMap(1));
}

LogicalResult verifyLayout(MergeOp op) {
  LayoutAttrInterface layout = op.getLayoutAttr();
  if (!layout)
    return success();
  auto accType = dyn_cast<FloatType>(getElementTypeOrSelf(op.getInits()[0]));
  if (op.getIndexingMap(0).getNumDims() != 2 || !accType ||
      accType.getWidth() < 32)
    return op.emitOpError("(C5) expected states of a tile in ")
           << layout
           << " to have the dimensions (query rows, channels) and an "
              "accumulator of f32 or f64";
  for (auto [index, init] : llvm::enumerate(op.getInits())) {
    std::string name =
        index == 0 ? "accumulator" : "statistic " + std::to_string(index - 1);
    AffineMap map = op.getIndexingMap(index);
    StoredOperand operand{name, layout,         op.getOperandRole(index),
                          map,  init.getType(), op.getNumLeadingDims(index)};
    if (failed(verifyStoredOperand(op, "C5", operand, accType)))
      return failure();
    if (index != 0 && (map.getNumResults() != 1 || !map.isFunctionOfDim(0)))
      return op.emitOpError("(C5) expected ")
             << name << " to have query rows alone, but got "
             << AffineMapAttr::get(map);
  }
  return success();
}

LogicalResult verifyLayout(FinishOp op) {
  LayoutAttrInterface layout = op.getLayoutAttr();
  if (!layout)
    return success();
  auto accType =
      dyn_cast<FloatType>(getElementTypeOrSelf(op.getAccumulator().getType()));
  AffineMap first = op.getIndexingMap(0);
  if (first.getNumDims() < 2 || first.getNumResults() != 2 ||
      !first.isFunctionOfDim(0) || !first.isFunctionOfDim(1) || !accType ||
      accType.getWidth() < 32)
    return op.emitOpError("(C5) expected the end of a tile in ")
           << layout
           << " to have the dimensions (query rows, channels) and an "
              "accumulator of f32 or f64 over them";
  unsigned outputIndex = op.getOutputIndex();
  // Without a value of its own, the accumulator holds what becomes the output.
  unsigned sourceIndex = op.getValue() ? op.getValueIndex() : 0;
  for (auto [index, value] : llvm::enumerate(op.getMappedOperands())) {
    AffineMap map = op.getIndexingMap(index);
    OperandRole role = op.getOperandRole(index);
    if (role == OperandRole::value) {
      if (!map.isFunctionOfDim(0) && map.isFunctionOfDim(1))
        continue;
      return op.emitOpError("(C5) expected value to have channels and no query "
                            "rows, but got ")
             << AffineMapAttr::get(map);
    }
    StoredOperand operand{
        getOperandName(op, index),  layout, role, map, value.getType(),
        op.getNumLeadingDims(index)};
    if (failed(verifyStoredOperand(op, "C5", operand, accType)))
      return failure();
    bool isRow = map.getNumResults() == 1 && map.isFunctionOfDim(0);
    bool isScalar =
        map.getNumResults() == 0 && role == OperandRole::weighting_operand;
    if (index != 0 && index < outputIndex && !isRow && !isScalar)
      return op.emitOpError("(C5) expected ")
             << operand.name << " to have query rows alone, but got "
             << AffineMapAttr::get(map);
    if (role == OperandRole::lse &&
        (!map.isFunctionOfDim(0) || map.isFunctionOfDim(1)))
      return op.emitOpError("(C5) expected lse to have query rows and no "
                            "channels, but got ")
             << AffineMapAttr::get(map);
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
      if (map.getDimPosition(i) > 1 &&
          getShapeOrScalar(value.getType())[i] != 1)
        return op.emitOpError("(C5) expected ")
               << operand.name << " to have extent 1 along dimension d"
               << map.getDimPosition(i)
               << ", which is neither query rows nor channels, but got "
               << value.getType();
  }
  auto extent = [&](unsigned index, Value operand, unsigned dim) {
    std::optional<unsigned> position = op.getStoredMap(index).getResultPosition(
        getAffineDimExpr(dim, op.getContext()));
    return position ? getShapeOrScalar(operand.getType())[*position]
                    : ShapedType::kDynamic;
  };
  int64_t rows = extent(outputIndex, op.getOutput(), 0);
  if (!ShapedType::isDynamic(rows) && rows > layout.getNumRows())
    return op.emitOpError("(C5) expected at most ")
           << layout.getNumRows() << " query rows in a tile in " << layout
           << ", but got an output of " << rows;
  Value source = op.getMappedOperands()[sourceIndex];
  if (failed(verifyCompatibleShape({extent(sourceIndex, source, 1)},
                                   {extent(outputIndex, op.getOutput(), 1)})))
    return op.emitOpError("(C5) expected output to have as many channels as "
                          "the ")
           << getOperandName(op, sourceIndex) << ", "
           << extent(sourceIndex, source, 1) << ", but got "
           << extent(outputIndex, op.getOutput(), 1);
  return success();
}

} // namespace detail
} // namespace attn
