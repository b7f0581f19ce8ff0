//===- GuardDivision.cpp - Integer divisions that do not trap ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/GuardDivision.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"

using namespace mlir;

namespace attn {

/// Whether `op` traps by the smallest dividend over -1 as well as by 0.
static bool isSignedDivision(Operation *op) {
  return isa<arith::DivSIOp, arith::RemSIOp, arith::CeilDivSIOp,
             arith::FloorDivSIOp>(op);
}

bool mayTrap(Operation *op) {
  bool isPower = isa<math::IPowIOp>(op), isSigned = isSignedDivision(op);
  if (!isPower && !isSigned &&
      !isa<arith::DivUIOp, arith::RemUIOp, arith::CeilDivUIOp>(op))
    return false;
  APInt known;
  if (!matchPattern(op->getOperand(1), m_ConstantInt(&known)))
    return true;
  return isPower ? known.isNegative()
                 : known.isZero() || (isSigned && known.isAllOnes());
}

void guardDivision(OpBuilder &b, Operation *op) {
  if (!mayTrap(op))
    return;
  bool isPower = isa<math::IPowIOp>(op), isSigned = isSignedDivision(op);
  Value dividend = op->getOperand(0), divisor = op->getOperand(1);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Location loc = op->getLoc();
  Type type = divisor.getType(), element = getElementTypeOrSelf(type);
  unsigned width = ConstantIntRanges::getStorageBitwidth(element);
  auto constant = [&](const APInt &number) -> Value {
    TypedAttr attr = b.getIntegerAttr(element, number);
    if (auto shaped = dyn_cast<ShapedType>(type))
      attr = DenseElementsAttr::get(shaped, attr);
    return arith::ConstantOp::create(b, loc, attr);
  };
  using Predicate = arith::CmpIPredicate;
  auto compare = [&](Predicate predicate, Value number, const APInt &bound) {
    return b.createOrFold<arith::CmpIOp>(loc, predicate, number,
                                         constant(bound));
  };
  auto both = [&](Value lhs, Value rhs) {
    return b.createOrFold<arith::AndIOp>(loc, lhs, rhs);
  };
  APInt none = APInt::getZero(width);
  // A negative power of 0 is a quotient by 0.
  Value traps = compare(Predicate::eq, isPower ? dividend : divisor, none);
  if (isPower)
    traps = both(traps, compare(Predicate::slt, divisor, none));
  if (isSigned) {
    Value overflows =
        both(compare(Predicate::eq, divisor, APInt::getAllOnes(width)),
             compare(Predicate::eq, dividend, APInt::getSignedMinValue(width)));
    traps = b.createOrFold<arith::OrIOp>(loc, traps, overflows);
  }
  op->setOperand(1, b.createOrFold<arith::SelectOp>(
                        loc, traps, constant(APInt(width, 1)), divisor));
}

} // namespace attn
