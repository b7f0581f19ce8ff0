//===- ChanceRounding.cpp - What rounding on the way adds up to -*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChanceRounding.h"

#include "attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

bool ChanceRounding::rounds(Type type) {
  auto floatType = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  return floatType && floatType.getWidth() < 32;
}

double ChanceRounding::round(FloatType type, double value) {
  double nearest = roundToType(type, value);
  if (nearest == value || !std::isfinite(nearest))
    return nearest;
  isRounding = true;
  double spacing = getSpacing(type, value);
  double other =
      roundToType(type, nearest + (nearest < value ? spacing : -spacing));
  return std::isfinite(other) && random.nextBelow(2) ? other : nearest;
}

/// Whether an op only moves elements, which are rounded where they come from.
static bool isMove(Operation *op) {
  return isa_and_nonnull<tensor::TensorDialect>(op->getDialect()) ||
         isa<arith::ConstantOp>(op);
}

/// Whether another op computes with a value, however it gets there. What a
/// function returns is rounded once more, which the comparison knows.
static bool isComputedWith(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    if (isa<func::ReturnOp>(user))
      return false;
    return !isMove(user) || llvm::any_of(user->getResults(), isComputedWith);
  });
}

FloatType ChanceRounding::getRoundedType(Value result) const {
  Operation *op = result.getDefiningOp();
  if (!rounds(result.getType()) || !op || isMove(op) || !isComputedWith(result))
    return {};
  return cast<FloatType>(getElementTypeOrSelf(result.getType()));
}

void ChanceRounding::round(Value result, RuntimeValue &value) {
  FloatType type = getRoundedType(result);
  if (!type)
    return;
  if (!value.tensor) {
    value.scalar.f = round(type, value.scalar.f);
    return;
  }
  auto rounded = std::make_shared<Tensor>(*value.tensor);
  // Bounds are of four times what is likely.
  for (auto [cell, error] : llvm::zip(rounded->cells, rounded->error))
    if (std::isfinite(error))
      cell.f += (random.nextUniform() - 0.5) * error;
  for (Cell &cell : rounded->cells)
    cell.f = round(type, cell.f);
  value.tensor = std::move(rounded);
}

bool mayRoundOnTheWay(ModuleOp module) {
  WalkResult found = module.walk<WalkOrder::PreOrder>([](Operation *op) {
    // Bodies of products are rounded once, when they are summed; of attention,
    // the op's own bounds tell.
    bool isWhole =
        isa_and_nonnull<AttnDialect>(op->getDialect()) ||
        linalg::isaContractionOpInterface(dyn_cast<linalg::LinalgOp>(op));
    for (Value result : op->getResults())
      if (ChanceRounding::rounds(result.getType()) && !isMove(op) &&
          isComputedWith(result) &&
          !llvm::all_of(result.getUsers(), [](Operation *user) {
            return isa<linalg::YieldOp>(user);
          }))
        return WalkResult::interrupt();
    return isWhole ? WalkResult::skip() : WalkResult::advance();
  });
  return found.wasInterrupted();
}

} // namespace reference
} // namespace attn
