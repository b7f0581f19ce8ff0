//===- ContractOp.cpp - A tile of a contraction -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/ContractOp.h"
#include "VerifyGPUChoice.h"
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
  StringRef first = &region == &getElement()      ? "sum"
                    : &region == &getLhsElement() ? "lhs"
                                                  : "rhs";
  for (BlockArgument argument : region.getArguments())
    setName(argument, argument.getArgNumber() == 0 ? first : "x");
}

Type ContractOp::getFactorType(unsigned side) {
  Region &region = getFactorRegion(side);
  if (region.empty())
    return getElementTypeOrSelf(getOperand(side));
  return region.front().getTerminator()->getOperand(0).getType();
}

FloatType ContractOp::getAccumulationType() {
  return detail::getWidestFloat(
      {getFactorType(0), getFactorType(1), getElementTypeOrSelf(getInit())});
}

/// How errors call operand `index`.
static std::string getName(ContractOp op, unsigned index) {
  if (index < 2)
    return index == 0 ? "lhs" : "rhs";
  if (index == op.getInitIndex())
    return "init";
  for (unsigned side : {0u, 1u})
    if (index < op.getFactorInputIndex(side) + op.getFactorInputs(side).size())
      return (side == 0 ? "lhs_input " : "rhs_input ") +
             std::to_string(index - op.getFactorInputIndex(side));
  return "input " + std::to_string(index - op.getInputIndex());
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
    if (index >= 2 && index < op.getInputIndex()) {
      unsigned side = index < op.getFactorInputIndex(1) ? 0 : 1;
      may[side == 0 ? ContractOp::Columns : ContractOp::Rows] = false;
      may[ContractOp::Features] = true;
    } else if (index < 2) {
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
  SmallVector<std::pair<int64_t, unsigned>, 3> known(3,
                                                     {ShapedType::kDynamic, 0});
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
               << position << " of " << getName(op, index) << " to be " << first
               << " (as in " << getName(op, owner) << "), but got " << extent;
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
  for (unsigned side : {0u, 1u}) {
    StringRef name = side == 0 ? "lhs" : "rhs";
    if (!getFactorRegion(side).empty())
      continue;
    if (!getFactorInputs(side).empty())
      return emitOpError("(C4) expected a region ")
             << name << "_element, which the " << name << "_inputs are for";
    Type type = getElementTypeOrSelf(getOperand(side));
    if (!isa<FloatType>(type))
      return emitOpError("(C4) expected a region ")
             << name << "_element, which makes a float of an element of "
             << name << ", which is " << type;
  }
  if (failed(verifyGPUChoice<GPUContractAttr>(*this)))
    return failure();
  return detail::verifyDestinationStyle(*this, "C5");
}

/// (C4) `region`, of `first` and an element of each of `inputs`, which yields
/// `result`.
static LogicalResult verifyRegion(ContractOp op, Region &region, StringRef name,
                                  Type first, ValueRange inputs, Type result) {
  SmallVector<Type> arguments{first};
  for (Value input : inputs)
    arguments.push_back(getElementTypeOrSelf(input.getType()));
  if (failed(
          detail::verifyBodySignature(region, name, arguments, result, "C4")))
    return failure();
  for (Operation &nested : region.front().without_terminator())
    if (!isa<arith::ArithDialect, math::MathDialect>(nested.getDialect()))
      return op.emitOpError("(C4) expected ")
             << name << " to hold elementwise arith and math only, but got '"
             << nested.getName() << "'";
  return detail::verifyElementwiseBody(region, name, "C4");
}

/// What a region without a terminator of one float yields is f32, to say so.
static Type getYieldedFloat(Region &region) {
  Block &body = region.front();
  Type expected = Float32Type::get(region.getContext());
  if (body.empty() || !body.back().hasTrait<OpTrait::IsTerminator>() ||
      body.back().getNumOperands() != 1)
    return expected;
  Type type = body.back().getOperand(0).getType();
  bool isKnown = type.isF16() || type.isBF16() || type.isF32() || type.isF64();
  return isKnown ? type : expected;
}

LogicalResult ContractOp::verifyRegions() {
  for (unsigned side : {0u, 1u}) {
    Region &region = getFactorRegion(side);
    if (!region.empty() &&
        failed(verifyRegion(*this, region,
                            side == 0 ? "lhs_element" : "rhs_element",
                            getElementTypeOrSelf(getOperand(side)),
                            getFactorInputs(side), getYieldedFloat(region))))
      return failure();
  }
  if (getElement().empty())
    return success();
  return verifyRegion(*this, getElement(), "element", getAccumulationType(),
                      getInputs(), getElementTypeOrSelf(getInit()));
}

} // namespace attn
