//===- ContractOp.cpp - A tile of a contraction -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/ContractOp.h"
#include "attn/IR/Verify.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "attn/IR/ContractOp.cpp.inc"

namespace attn {

void ContractOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/getAccumulate(),
                                     effects);
}

void ContractOp::getAsmBlockArgumentNames(Region &region,
                                          OpAsmSetValueNameFn setName) {
  for (BlockArgument argument : region.getArguments())
    setName(argument, argument.getArgNumber() == 0 ? "sum" : "x");
}

FloatType ContractOp::getAccumulationType() {
  return detail::getWidestFloat({getElementTypeOrSelf(getLhs()),
                                 getElementTypeOrSelf(getRhs()),
                                 getElementTypeOrSelf(getInit())});
}

/// How errors call operand `index`.
static std::string getName(ContractOp op, unsigned index) {
  if (index < 2)
    return index == 0 ? "lhs" : "rhs";
  return index == op.getInitIndex() ? "init"
                                    : "input " + std::to_string(index - 2);
}

/// (C2)
static LogicalResult verifyDimensions(ContractOp op) {
  auto has = [&](unsigned index, unsigned dim) {
    return op.getIndexingMap(index).isFunctionOfDim(dim);
  };
  unsigned init = op.getInitIndex();
  bool rows = has(0, ContractOp::Rows), columns = has(1, ContractOp::Columns);
  if (!rows && !columns)
    return op.emitOpError("(C2) expected rows or columns, but lhs and rhs have "
                          "features only");
  for (unsigned index = 0; index <= init; ++index) {
    SmallVector<bool, 3> may{rows, columns, false}, must{false, false, false};
    if (index < 2) {
      may[index == 0 ? ContractOp::Columns : ContractOp::Rows] = false;
      may[ContractOp::Features] = must[ContractOp::Features] = true;
    } else if (index == init) {
      must = may;
    }
    for (unsigned dim = 0; dim < 3; ++dim) {
      if (has(index, dim) ? may[dim] : !must[dim])
        continue;
      constexpr StringRef kNames[] = {"rows", "columns", "features"};
      return op.emitOpError("(C2) expected ")
             << getName(op, index) << " to have " << (may[dim] ? "" : "no ")
             << kNames[dim] << ", but its map is "
             << AffineMapAttr::get(op.getIndexingMap(index));
    }
  }
  return success();
}

/// (C3)
static LogicalResult verifyExtents(ContractOp op) {
  SmallVector<std::pair<int64_t, unsigned>, 3> known(
      3, {ShapedType::kDynamic, 0});
  for (unsigned index = 0, e = op->getNumOperands(); index < e; ++index) {
    ArrayRef<int64_t> shape =
        detail::getShapeOrScalar(op->getOperand(index).getType());
    AffineMap map = op.getIndexingMap(index);
    for (auto [position, extent] : llvm::enumerate(shape)) {
      auto &[first, owner] = known[map.getDimPosition(position)];
      if (ShapedType::isDynamic(extent))
        continue;
      if (ShapedType::isDynamic(first)) {
        first = extent;
        owner = index;
      } else if (first != extent) {
        return op.emitOpError("(C3) expected dimension ")
               << position << " of " << getName(op, index) << " to be "
               << first << " (as in " << getName(op, owner) << "), but got "
               << extent;
      }
    }
  }
  return success();
}

LogicalResult ContractOp::verify() {
  if (getIndexingMaps().size() != getNumOperands())
    return emitOpError("(C1) expected one indexing map per operand, ")
           << getNumOperands() << " in all, but got "
           << getIndexingMaps().size();
  for (auto [index, operand] : llvm::enumerate(getOperands())) {
    AffineMap map = getIndexingMap(index);
    if (map.getNumDims() != 3 || map.getNumSymbols() != 0 ||
        !map.isProjectedPermutation() ||
        map.getNumResults() !=
            detail::getShapeOrScalar(operand.getType()).size())
      return emitOpError("(C1) expected the map of ")
             << getName(*this, index)
             << " to be a projected permutation of (rows, columns, features) "
                "of the operand's rank, but got "
             << AffineMapAttr::get(map);
  }
  if (failed(verifyDimensions(*this)) || failed(verifyExtents(*this)))
    return failure();
  if (getElement().empty() && !getInputs().empty())
    return emitOpError("(C4) expected a region element, which the inputs are "
                       "for");
  return detail::verifyDestinationStyle(*this, "C5");
}

LogicalResult ContractOp::verifyRegions() {
  if (getElement().empty())
    return success();
  SmallVector<Type> arguments{getAccumulationType()};
  for (Value input : getInputs())
    arguments.push_back(getElementTypeOrSelf(input.getType()));
  if (failed(detail::verifyBodySignature(
          getElement(), "element", arguments,
          getElementTypeOrSelf(getInit().getType()), "C4")))
    return failure();
  for (Operation &op : getElement().front().without_terminator())
    if (!isa<arith::ArithDialect, math::MathDialect>(op.getDialect()))
      return emitOpError("(C4) expected element to hold elementwise arith and "
                         "math only, but got '")
             << op.getName() << "'";
  return detail::verifyElementwiseBody(getElement(), "element", "C4");
}

} // namespace attn
