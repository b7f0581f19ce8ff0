//===- Attn.h - The dialect: ops, attributes, interfaces --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ATTN_H
#define ATTN_IR_ATTN_H

#include "attn/IR/DimensionClasses.h"
#include "attn/IR/Ragged.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <vector>

#include "attn/IR/AttnEnums.h.inc"

namespace attn {

class AttentionOpInterface;
class BlockListAttr;
class LayoutAttrInterface;
class Evaluation;
class OperandRelations;
class RaggedOpInterface;
class WeightingAttrInterface;

/// What a layout is chosen for: one attention op on one target.
struct LayoutProblem {
  /// Along the query row dimensions that a tile may span, the innermost first;
  /// dynamic where not known. Those of extent 1 are left out, but the
  /// innermost.
  llvm::SmallVector<int64_t, 2> queryRows;
  mlir::FloatType accType;
  /// Width of the target's vectors.
  int64_t vectorBits = 512;
  /// The query rows that a tile is to have; 0 leaves them to the layout.
  int64_t tileRows = 0;
  /// The rows of the innermost dimension that share a list of key blocks, in
  /// which a tile has to lie; 0 where all do.
  int64_t listRows = 0;
  /// Whether pairs are to be gone over with finished statistics: `attn.replay`.
  bool replays = false;
  /// Whether queries meet keys, and weights values, in products of bf16 that
  /// the target takes in pairs.
  bool pairs = false;
  /// Whether the numbers of features and channels are known.
  bool knownWidths = true;

  /// Extent `number` of the query rows, or a guess at one that is not known:
  /// the innermost are many, the others, heads that share keys, few.
  int64_t estimate(size_t number) const {
    if (!mlir::ShapedType::isDynamic(queryRows[number]))
      return queryRows[number];
    return number == 0 ? 1 << 10 : 8;
  }
};

/// The largest divisor of `rows` that is at most `most`, which is 1 or more.
int64_t getDivisorAtMost(int64_t rows, int64_t most);

/// The layouts of one kind that a tile may have.
using ProposeLayoutsFn = llvm::SmallVector<LayoutAttrInterface, 2> (*)(
    mlir::MLIRContext *, const LayoutProblem &);

/// How a weighting walks the keys of a row.
enum class WeightingKind {
  /// One online pass that accumulates weighted values.
  Accumulate,
  /// The state is k (score, index) pairs; values are gathered at the end.
  Select,
  /// A first pass for statistics, a second in ascending key order.
  Ordered
};

/// `accumulate`, `select` or `ordered`.
llvm::StringRef stringifyWeightingKind(WeightingKind kind);

/// When a statistic takes in a key: with its score, or with its weight.
enum class StatisticPhase { Score, Weight };

/// What a statistic is a number of: the accumulation type, or a key's index.
enum class StatisticElement { Accumulation, Index };

/// What is kept per query row: one number, or as many as a trailing dimension
/// of `extent` has; `neutral` is their value for no keys.
struct Statistic {
  llvm::StringRef name;
  StatisticPhase phase;
  double neutral;
  StatisticElement element = StatisticElement::Accumulation;
  int64_t extent = 1;

  /// What it is stored as: a leading dimension where there are several numbers,
  /// and elements of this type.
  unsigned getNumLeadingDims() const { return extent != 1; }
  mlir::Type getElementType(mlir::FloatType accType) const;
};

/// A result of a named op in plain numbers, row-major, and what the error of
/// each element may be beside its own rounding; no bounds if that is not known.
struct PlainResult {
  llvm::SmallVector<int64_t> shape;
  std::vector<double> values;
  /// Per element, the size of what it is a sum of, and the error.
  std::vector<double> magnitude, error;
};

/// What an op relies on: extent `leftDim` of operand `leftOperand` equals
/// extent `rightDim` of operand `rightOperand`, or is a multiple of it.
struct OperandRelation {
  unsigned leftOperand, rightOperand;
  int64_t leftDim, rightDim;
  bool multiple;
  /// What the two are, for errors: "the rows of value and key".
  std::string meaning;
};

/// Gathers the relations of one op.
class OperandRelations {
public:
  explicit OperandRelations(mlir::Operation *op) : op(op) {}

  void add(mlir::Value left, int64_t leftDim, mlir::Value right,
           int64_t rightDim, const llvm::Twine &meaning,
           bool multiple = false);
  llvm::ArrayRef<OperandRelation> get() const { return relations; }

private:
  mlir::Operation *op;
  std::vector<OperandRelation> relations;
};

namespace detail {
void relateMappedExtents(mlir::Operation *op, OperandRelations &relations);
void relateStarts(mlir::Operation *op, OperandRelations &relations);
mlir::FloatType getAccumulationType(AttentionOpInterface op);
DimensionClasses getDimensionClasses(AttentionOpInterface op);
llvm::SmallVector<mlir::Value> getMappedOperands(AttentionOpInterface op);
mlir::LogicalResult verifyAttributeNames(mlir::Operation *op);
bool isLinearInWeight(mlir::Region &weight);
std::optional<WeightingKind> getWeightingKind(mlir::Attribute weighting);
llvm::SmallVector<Statistic> getStatisticsOfKind(mlir::Attribute weighting);
double evaluateSelected(mlir::Attribute weighting,
                        llvm::MutableArrayRef<double> scores,
                        llvm::ArrayRef<double> operands, double numKeys);
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

#include "attn/IR/AttnDialect.h.inc"

#include "attn/IR/LayoutInterface.h.inc"
#include "attn/IR/WeightingInterfaces.h.inc"

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

/// `score` times `scale`, null for one: of one type, or a vector and a scalar.
mlir::Value scaleScore(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value score, mlir::Value scale);

} // namespace attn

#endif // ATTN_IR_ATTN_H
