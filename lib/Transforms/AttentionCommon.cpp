//===- AttentionCommon.cpp - Helpers that rewrites share --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionCommon.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

SmallVector<OpFoldResult> getExtents(OpBuilder &b, AttentionOpInterface op) {
  SmallVector<OpFoldResult> extents(op.getNumDims());
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    AffineMap map = op.getIndexingMap(index);
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
      OpFoldResult &extent = extents[map.getDimPosition(i)];
      if (!extent || (isa<Value>(extent) &&
                      !cast<ShapedType>(operand.getType()).isDynamicDim(i)))
        extent = tensor::getMixedSize(b, op.getLoc(), operand, i);
    }
  }
  return extents;
}

Value createNumKeys(OpBuilder &b, AttentionOpInterface op,
                    ArrayRef<OpFoldResult> extents) {
  Location loc = op.getLoc();
  Value product;
  for (unsigned dim : op.getDimensionClasses().keyRows) {
    Value extent = getValueOrCreateConstantIndexOp(b, loc, extents[dim]);
    product = product ? arith::MulIOp::create(b, loc, product, extent) : extent;
  }
  return product;
}

Value convertFloat(OpBuilder &b, Location loc, Value value, Type element) {
  auto from = dyn_cast<FloatType>(getElementTypeOrSelf(value.getType()));
  auto to = dyn_cast<FloatType>(element);
  if (!from || !to || from == to)
    return value;
  Type target = to;
  if (auto vectorType = dyn_cast<VectorType>(value.getType()))
    target = vectorType.clone(to);
  // Types of one width, as f16 and bf16, convert by way of f32, which holds
  // both exactly.
  if (from.getWidth() == to.getWidth())
    return convertFloat(b, loc, convertFloat(b, loc, value, b.getF32Type()),
                        to);
  if (from.getWidth() < to.getWidth())
    return arith::ExtFOp::create(b, loc, target, value);
  return arith::TruncFOp::create(b, loc, target, value);
}

/// Whether `op` traps by the smallest dividend over -1 as well as by 0.
static bool isSignedDivision(Operation *op) {
  return isa<arith::DivSIOp, arith::RemSIOp, arith::CeilDivSIOp,
             arith::FloorDivSIOp>(op);
}

void guardDivision(OpBuilder &b, Operation *op) {
  bool isPower = isa<math::IPowIOp>(op), isSigned = isSignedDivision(op);
  if (!isPower && !isSigned &&
      !isa<arith::DivUIOp, arith::RemUIOp, arith::CeilDivUIOp>(op))
    return;
  Value dividend = op->getOperand(0), divisor = op->getOperand(1);
  APInt known;
  if (matchPattern(divisor, m_ConstantInt(&known)) &&
      (isPower ? !known.isNegative()
               : !known.isZero() && !(isSigned && known.isAllOnes())))
    return;
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

Value createFilledTensor(OpBuilder &b, Location loc,
                         ArrayRef<OpFoldResult> shape, Type element,
                         double value) {
  Value empty = tensor::EmptyOp::create(b, loc, shape, element);
  return linalg::FillOp::create(
             b, loc, createFloatConstant(b, loc, element, value), empty)
      .getResult(0);
}

void cloneRegion(OpBuilder &b, Region &from, Region &to,
                 function_ref<Value(IndexOp)> position,
                 function_ref<Value(BlockArgument)> argument) {
  if (from.empty())
    return;
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&to);
  IRMapping mapping;
  for (BlockArgument old : from.getArguments())
    mapping.map(old, body->addArgument(old.getType(), old.getLoc()));
  if (argument)
    for (auto [old, copy] :
         llvm::zip_equal(from.getArguments(), body->getArguments()))
      mapping.map(old, argument(copy));
  for (Operation &nested : from.front()) {
    if (auto index = dyn_cast<IndexOp>(nested))
      mapping.map(index.getResult(), position(index));
    else
      b.clone(nested, mapping);
  }
}

LogicalResult checkVectorBits(Operation *op, int64_t vectorBits) {
  if (vectorBits >= 64 && vectorBits <= 4096 && llvm::isPowerOf2_64(vectorBits))
    return success();
  return op->emitError("expected vector-bits to be a power of two from 64 to "
                       "4096, but got ")
         << vectorBits;
}

} // namespace attn
