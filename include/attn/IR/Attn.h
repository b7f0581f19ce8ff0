//===- Attn.h - The dialect: ops, attributes, interfaces --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ATTN_H
#define ATTN_IR_ATTN_H

#include "attn/IR/DimensionClasses.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

#include "attn/IR/AttnDialect.h.inc"
#include "attn/IR/AttnEnums.h.inc"

namespace attn {

class AttentionOpInterface;
class WeightingAttrInterface;

/// How a weighting walks the keys of a row.
enum class WeightingKind {
  /// One online pass that accumulates weighted values.
  Accumulate,
  /// The state is k (score, index) pairs; values are gathered at the end.
  Select,
  /// A first pass for statistics, a second in ascending key order.
  Ordered
};

/// When a statistic takes in a key: with its score, or with its weight.
enum class StatisticPhase { Score, Weight };

/// One number kept per query row; `neutral` is the value for no keys.
struct Statistic {
  llvm::StringRef name;
  StatisticPhase phase;
  double neutral;
};

namespace detail {
mlir::FloatType getAccumulationType(AttentionOpInterface op);
DimensionClasses getDimensionClasses(AttentionOpInterface op);
llvm::SmallVector<mlir::Value> getMappedOperands(AttentionOpInterface op);
mlir::LogicalResult verifyAttributeNames(mlir::Operation *op);
bool isLinearInWeight(mlir::Region &weight);
} // namespace detail

/// Each attribute is one of the op's own, or belongs to another dialect
/// (`dialect.name`) or to a pass that marks ops (`__name`). Any other is
/// misspelt, and the op would do without it.
template <typename ConcreteType>
class KnownAttributes
    : public mlir::OpTrait::TraitBase<ConcreteType, KnownAttributes> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) {
    return detail::verifyAttributeNames(op);
  }
};

} // namespace attn

#include "attn/IR/AttnAttrInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "attn/IR/AttnAttributes.h.inc"

#include "attn/IR/AttnOpInterfaces.h.inc"
#define GET_OP_CLASSES
#include "attn/IR/AttnOps.h.inc"

namespace attn {

/// Emits `neutral` of a statistic as a value of `type`, a float or a vector of
/// floats.
mlir::Value createFloatConstant(mlir::OpBuilder &builder, mlir::Location loc,
                                mlir::Type type, double value);

} // namespace attn

#endif // ATTN_IR_ATTN_H
