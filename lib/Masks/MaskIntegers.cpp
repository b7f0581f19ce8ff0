//===- MaskIntegers.cpp - Integers of mask regions --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Linear forms are over unbounded integers. Arithmetic on `index` does not
// wrap; on other integers it may, and their values have a form only as far as
// what is known of the positions shows that it does not. What that says of
// symbols must be tested at run time: it joins the *premise*, a uniform truth
// value without which nothing of the mask is understood. Integers below 32 bits
// do wrap; of them only constants, casts, selections and what is uniform are
// understood.
//
//===----------------------------------------------------------------------===//

#include "attn/Masks/MaskTranslation.h"
#include "mlir/IR/AffineExprVisitor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace attn {

/// Sums of a few symbols within this do not wrap in 64 bits.
static constexpr int64_t maxSymbol = int64_t(1) << 60;

/// Neither do products of one within this and a coefficient.
static constexpr int64_t maxFactor = int64_t(1) << 40;

/// The width of an integer type; an `index` has 64 bits.
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
  } else if (clone && isLeaf(value)) {
    if (width <= 64)
      result = context.getUniform(emitter.toIndex(clone));
  } else if (definition && depth < maxMaskDepth && width <= 64) {
    ++depth;
    result = translateIntegerOp(definition);
    --depth;
    if (clone && !(result && result->isUniform()))
      result = context.getUniform(clone);
  }
  if (!result && width > 1)
    result = translateRead(value);
  if (!result) {
    noteOpaque(value);
    result = context.getOpaque(value);
  }
  return integers[value] = *result;
}

//===----------------------------------------------------------------------===//
// What must not wrap
//===----------------------------------------------------------------------===//

/// Whether a uniform value is taken as it is: arithmetic on `index` inside the
/// mask is translated, so that it folds with the rest.
bool MaskTranslator::isLeaf(Value value) {
  Operation *definition = value.getDefiningOp();
  return !value.getType().isIndex() || !definition ||
         definition->getParentRegion() != &op.getMask();
}

/// Whether a value is at most `maxSymbol`, or with `isLower` at least minus
/// that, as its definition tells. Up to 2^budget summands are looked at.
static bool isKnownSmall(Value value, bool isLower, unsigned budget = 4) {
  if (getWidth(value.getType()) <= 32)
    return true;
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.abs().ule(maxSymbol >> 4);
  Operation *inner = value.getDefiningOp();
  if (!inner) // The bounds of a box.
    return isa<GenericOp>(value.getParentBlock()->getParentOp());
  if (isa<tensor::DimOp, memref::DimOp>(inner))
    return true;
  if (budget == 0)
    return false;
  auto isSmall = [&](unsigned operand, bool isLower) {
    return isKnownSmall(inner->getOperand(operand), isLower, budget - 1);
  };
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp,
          arith::ExtUIOp>(inner))
    return isSmall(0, isLower);
  if (isa<arith::MinSIOp>(inner))
    return isLower ? isSmall(0, true) && isSmall(1, true)
                   : isSmall(0, false) || isSmall(1, false);
  if (isa<arith::MaxSIOp>(inner))
    return isLower ? isSmall(0, true) || isSmall(1, true)
                   : isSmall(0, false) && isSmall(1, false);
  if (isa<arith::AddIOp>(inner))
    return isSmall(0, isLower) && isSmall(1, isLower);
  if (isa<arith::SubIOp>(inner))
    return isSmall(0, isLower) && isSmall(1, !isLower);
  return false;
}

void MaskTranslator::require(Scalar lower, Scalar value, Scalar upper) {
  premise = emitter.conjoin(premise, emitter.isLessEqual(lower, value));
  premise = emitter.conjoin(premise, emitter.isLessEqual(value, upper));
}

MaskLinear MaskTranslator::translateOperand(Value value) {
  MaskLinear result = translateInteger(value);
  Value clone = getUniform(value);
  if (!clone || !isLeaf(value) || result.offset.isConstant())
    return result;
  if (!isKnownSmall(clone, /*isLower=*/true) ||
      !isKnownSmall(clone, /*isLower=*/false))
    require(-maxSymbol, result.offset, maxSymbol);
  return result;
}

MaskLinear MaskTranslator::translateFactor(Value value) {
  MaskLinear result = translateOperand(value);
  if (!value.getType().isIndex() && !result.offset.isConstant())
    require(-maxFactor, result.offset, maxFactor);
  return result;
}

std::optional<MaskLinear> MaskTranslator::fit(const MaskLinear &value,
                                              Type type) {
  if (type.isIndex())
    return value;
  unsigned width = getWidth(type);
  int64_t least = width < 64 ? llvm::minIntN(width) : -2 * maxSymbol;
  int64_t most = width < 64 ? llvm::maxIntN(width) : 2 * maxSymbol;
  auto [lower, upper] = context.getStaticBounds(value);
  if (!lower || !upper || *lower < least || *upper > most)
    return std::nullopt;
  if (!value.offset.isConstant())
    require(least - *lower, value.offset, most - *upper);
  return value;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

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
    int64_t extent = getStaticExtent(op, dim).value_or(maxExtent);
    return context.getDimension(dim, extent - 1);
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

  Type type = inner->getResult(0).getType();
  auto operand = [&](unsigned index) {
    return translateOperand(inner->getOperand(index));
  };
  if (isa<arith::AddIOp>(inner))
    return fit(context.add(operand(0), operand(1)), type);
  if (isa<arith::SubIOp>(inner))
    return fit(context.subtract(operand(0), operand(1)), type);
  if (isa<arith::MulIOp>(inner))
    return fit(context.multiply(translateFactor(inner->getOperand(0)),
                                translateFactor(inner->getOperand(1))),
               type);
  if (isa<math::AbsIOp>(inner))
    return fit(context.absolute(operand(0)), type);
  bool isUnsigned = isa<arith::MinUIOp, arith::MaxUIOp>(inner);
  if (isUnsigned || isa<arith::MinSIOp, arith::MaxSIOp>(inner)) {
    MaskLinear a = translateInteger(inner->getOperand(0));
    MaskLinear b = translateInteger(inner->getOperand(1));
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
  if (toWidth >= fromWidth) {
    MaskLinear value = translateInteger(from);
    if (isUnsigned && toWidth > fromWidth && !context.isKnownNonNegative(value))
      return std::nullopt;
    return value;
  }
  MaskLinear value = translateOperand(from);
  if (toWidth == 32)
    if (std::optional<MaskLinear> fitting =
            fit(value, inner->getResult(0).getType()))
      return fitting;
  if (toWidth == 1)
    return std::nullopt;
  // It may wrap: ((x + h) mod 2h) - h, where 2h is the number of values.
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
    return fit(context.scale(translateFactor(inner->getOperand(0)), factor),
               inner->getResult(0).getType());
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
  if (depth >= maxMaskDepth)
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
    operands.push_back(translateOperand(operand));
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
