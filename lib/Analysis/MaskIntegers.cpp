//===- MaskIntegers.cpp - Integers of mask regions --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Integer types of 32 bits and more are taken for unbounded: positions do not
// wrap. Narrower ones do; of them only constants, casts and what is uniform
// are understood.
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/MaskTranslation.h"
#include "mlir/IR/AffineExprVisitor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace attn {

static constexpr unsigned maxDepth = 400;

/// The width of a type in which positions do not wrap, or of a narrow one.
static unsigned getWidth(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  return integer ? integer.getWidth() : 64;
}

static std::optional<int64_t> getConstant(Value value) {
  APInt constant;
  if (!matchPattern(value, m_ConstantInt(&constant)) ||
      constant.getSignificantBits() > 41)
    return std::nullopt;
  return constant.getSExtValue();
}

MaskLinear MaskTranslator::translateInteger(Value value) {
  auto known = integers.find(value);
  if (known != integers.end())
    return known->second;
  std::optional<MaskLinear> result;
  unsigned width = getWidth(value.getType());
  Operation *definition = value.getDefiningOp();
  Value clone = getUniform(value);
  if (std::optional<int64_t> constant = getConstant(value)) {
    result = context.getUniform(*constant);
  } else if (clone && (!value.getType().isIndex() || !definition ||
                       definition->getParentRegion() != &op.getMask())) {
    if (width <= 64)
      result = context.getUniform(emitter.toIndex(clone));
  } else if (definition && depth < maxDepth && width <= 64) {
    ++depth;
    result = translateIntegerOp(definition);
    --depth;
    if (clone && !(result && result->isUniform()))
      result = context.getUniform(clone);
  }
  if (!result) {
    noteOpaque(value);
    result = context.getOpaque(value);
  }
  return integers[value] = *result;
}

MaskLinear MaskTranslator::translateTruthAsInteger(Value value,
                                                   int64_t ifTrue) {
  return context.select(translateTruth(value, false),
                        translateTruth(value, true), context.getUniform(ifTrue),
                        context.getUniform(0));
}

std::optional<MaskLinear> MaskTranslator::translateIntegerOp(Operation *inner) {
  if (auto index = dyn_cast<IndexOp>(inner)) {
    unsigned dim = index.getDim();
    bool isRow = llvm::is_contained(box.classes.queryRows, dim);
    if (!isRow && dim != box.getKeyDimension())
      return std::nullopt;
    return context.getDimension(dim, getStaticExtent(op, dim));
  }
  if (std::optional<MaskLinear> cast = translateCast(inner))
    return cast;
  if (auto select = dyn_cast<arith::SelectOp>(inner))
    return context.select(translateTruth(select.getCondition(), false),
                          translateTruth(select.getCondition(), true),
                          translateInteger(select.getTrueValue()),
                          translateInteger(select.getFalseValue()));
  if (isa<affine::AffineApplyOp, affine::AffineMinOp, affine::AffineMaxOp>(
          inner))
    return translateAffineOp(inner);
  if (inner->getNumResults() != 1 ||
      getWidth(inner->getResult(0).getType()) < 32)
    return std::nullopt;

  auto operand = [&](unsigned index) {
    return translateInteger(inner->getOperand(index));
  };
  if (isa<arith::AddIOp>(inner))
    return context.add(operand(0), operand(1));
  if (isa<arith::SubIOp>(inner))
    return context.subtract(operand(0), operand(1));
  if (isa<arith::MulIOp>(inner))
    return context.multiply(operand(0), operand(1));
  if (isa<math::AbsIOp>(inner))
    return context.absolute(operand(0));
  bool isUnsigned = isa<arith::MinUIOp, arith::MaxUIOp>(inner);
  if (isUnsigned || isa<arith::MinSIOp, arith::MaxSIOp>(inner)) {
    MaskLinear a = operand(0), b = operand(1);
    if (isUnsigned &&
        !(context.isKnownNonNegative(a) && context.isKnownNonNegative(b)))
      return std::nullopt;
    return isa<arith::MinSIOp, arith::MinUIOp>(inner) ? context.minimum(a, b)
                                                      : context.maximum(a, b);
  }
  if (std::optional<MaskLinear> division = translateDivision(inner))
    return division;
  return translateBitOp(inner);
}

std::optional<MaskLinear> MaskTranslator::translateCast(Operation *inner) {
  if (!isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp,
           arith::ExtUIOp, arith::TruncIOp>(inner))
    return std::nullopt;
  Value from = inner->getOperand(0);
  unsigned fromWidth = getWidth(from.getType());
  unsigned toWidth = getWidth(inner->getResult(0).getType());
  bool isUnsigned = isa<arith::IndexCastUIOp, arith::ExtUIOp>(inner);
  if (fromWidth == 1)
    return translateTruthAsInteger(from, isUnsigned ? 1 : -1);
  if (fromWidth > 64)
    return std::nullopt;
  MaskLinear value = translateInteger(from);
  if (toWidth >= fromWidth || toWidth >= 32) {
    if (isUnsigned && toWidth > fromWidth && !context.isKnownNonNegative(value))
      return std::nullopt;
    return value;
  }
  if (toWidth == 1)
    return std::nullopt;
  // Wraps: ((x + h) mod 2h) - h, where 2h is the number of values.
  int64_t half = int64_t(1) << (toWidth - 1);
  return context.add(
      context.modulo(context.add(value, context.getUniform(half)), 2 * half),
      context.getUniform(-half));
}

std::optional<MaskLinear> MaskTranslator::translateDivision(Operation *inner) {
  bool isUnsigned =
      isa<arith::DivUIOp, arith::RemUIOp, arith::CeilDivUIOp>(inner);
  if (!isUnsigned && !isa<arith::DivSIOp, arith::RemSIOp, arith::CeilDivSIOp,
                          arith::FloorDivSIOp>(inner))
    return std::nullopt;
  MaskLinear divisor = translateInteger(inner->getOperand(1));
  if (!divisor.isUniform())
    return std::nullopt;
  MaskLinear value = translateInteger(inner->getOperand(0));
  if (isUnsigned && !(context.isKnownNonNegative(value) &&
                      context.isKnownNonNegative(divisor)))
    return std::nullopt;
  if (isa<arith::FloorDivSIOp>(inner))
    return context.floorDivide(value, divisor.offset);
  if (isa<arith::CeilDivSIOp, arith::CeilDivUIOp>(inner))
    return context.ceilDivide(value, divisor.offset);
  if (isa<arith::RemSIOp, arith::RemUIOp>(inner))
    return context.remainder(value, divisor.offset);
  return context.truncatingDivide(value, divisor.offset);
}

/// Shifts, and masks of low bits.
std::optional<MaskLinear> MaskTranslator::translateBitOp(Operation *inner) {
  if (!isa<arith::ShLIOp, arith::ShRSIOp, arith::ShRUIOp, arith::AndIOp>(inner))
    return std::nullopt;
  std::optional<int64_t> constant = getConstant(inner->getOperand(1));
  if (!constant || *constant < 0)
    return std::nullopt;
  MaskLinear value = translateInteger(inner->getOperand(0));
  if (isa<arith::AndIOp>(inner)) {
    if ((*constant & (*constant + 1)) != 0)
      return std::nullopt;
    return context.modulo(value, *constant + 1);
  }
  if (*constant > 40 || *constant >= getWidth(inner->getResult(0).getType()))
    return std::nullopt;
  int64_t factor = int64_t(1) << *constant;
  if (isa<arith::ShLIOp>(inner))
    return context.scale(value, factor);
  if (isa<arith::ShRUIOp>(inner) && !context.isKnownNonNegative(value))
    return std::nullopt;
  return context.floorDivide(value, factor);
}

//===----------------------------------------------------------------------===//
// Affine maps
//===----------------------------------------------------------------------===//

MaskLinear MaskTranslator::translateAffine(AffineExpr expr,
                                           ArrayRef<MaskLinear> dims,
                                           ArrayRef<MaskLinear> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return context.scale(context.getUniform(1), constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  if (depth >= maxDepth)
    return context.getOpaque();
  ++depth;
  MaskLinear lhs = translateAffine(binary.getLHS(), dims, symbols);
  MaskLinear rhs = translateAffine(binary.getRHS(), dims, symbols);
  --depth;
  if (expr.getKind() == AffineExprKind::Add)
    return context.add(lhs, rhs);
  if (expr.getKind() == AffineExprKind::Mul)
    return context.multiply(lhs, rhs);
  if (!rhs.isUniform())
    return context.getOpaque();
  if (expr.getKind() == AffineExprKind::FloorDiv)
    return context.floorDivide(lhs, rhs.offset);
  if (expr.getKind() == AffineExprKind::CeilDiv)
    return context.ceilDivide(lhs, rhs.offset);
  return context.modulo(lhs, rhs.offset);
}

std::optional<MaskLinear> MaskTranslator::translateAffineOp(Operation *inner) {
  AffineMap map;
  bool isMinimum = false;
  if (auto apply = dyn_cast<affine::AffineApplyOp>(inner)) {
    map = apply.getAffineMap();
  } else if (auto min = dyn_cast<affine::AffineMinOp>(inner)) {
    map = min.getAffineMap();
    isMinimum = true;
  } else {
    map = cast<affine::AffineMaxOp>(inner).getAffineMap();
  }
  SmallVector<MaskLinear> operands;
  for (Value operand : inner->getOperands())
    operands.push_back(translateInteger(operand));
  ArrayRef<MaskLinear> all = operands;
  std::optional<MaskLinear> result;
  for (AffineExpr expr : map.getResults()) {
    MaskLinear value = translateAffine(expr, all.take_front(map.getNumDims()),
                                       all.drop_front(map.getNumDims()));
    if (!result)
      result = value;
    else
      result = isMinimum ? context.minimum(*result, value)
                         : context.maximum(*result, value);
  }
  return result;
}

} // namespace attn
