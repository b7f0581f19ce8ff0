//===- MaskTranslation.h - From mask regions to formulas --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_MASKS_MASKTRANSLATION_H
#define ATTN_MASKS_MASKTRANSLATION_H

#include "attn/Masks/MaskExpr.h"
#include "attn/IR/Attn.h"
#include "mlir/IR/IRMapping.h"

namespace attn {

/// Translation recurses: chains longer than this are not looked through.
inline constexpr unsigned maxMaskDepth = 400;

/// The extent of a dimension, if a type says it.
std::optional<int64_t> getStaticExtent(GenericOp op, unsigned dimension);

/// The arguments of a `ranges` or `classify` region, by what they stand for.
struct BoxArguments {
  DimensionClasses classes;
  /// Index positions along batch dimensions, and along all key row dimensions
  /// but the last.
  llvm::SmallVector<mlir::Value> batch, outerKeys;
  /// Inclusive bounds along each query row dimension.
  llvm::SmallVector<std::pair<mlir::Value, mlir::Value>> rows;
  /// Inclusive bounds along the last key row dimension, for `classify`.
  std::pair<mlir::Value, mlir::Value> key;

  unsigned getKeyDimension() const { return classes.keyRows.back(); }
};

/// Translates the mask region of an op into formulas. What is uniform over a
/// box is cloned to where the emitter stands.
class MaskTranslator {
public:
  MaskTranslator(GenericOp op, const BoxArguments &box,
                 MaskExprContext &context, MaskSummaries &summaries);

  /// A condition that visible pairs, or with `negated` hidden ones, fulfil.
  MaskFormula *translate(bool negated);

  /// Where this does not hold at run time, the formulas say nothing: arithmetic
  /// of the mask may wrap.
  Scalar getPremise() const { return premise; }

  /// What was not understood, by name: "input 1", "tensor.extract".
  llvm::ArrayRef<std::string> getOpaqueLeaves() const { return opaqueLeaves; }

private:
  /// Whether an input along `dim` lies in pages: its positions are no places.
  bool isPaged(unsigned dim) const;
  void mapUniformInputs();
  void cloneUniformOps();
  /// The clone of a uniform value, or null.
  mlir::Value getUniform(mlir::Value value);

  MaskFormula *translateTruth(mlir::Value value, bool negated);
  MaskFormula *translateTruthOp(mlir::Operation *op, bool negated);
  MaskFormula *translateComparison(mlir::arith::CmpIOp op, bool negated);
  MaskFormula *translateExclusiveOr(mlir::Value lhs, mlir::Value rhs,
                                    bool negated);

  MaskLinear translateInteger(mlir::Value value);
  /// The same, for arithmetic: symbols are so small that their sums do not wrap
  /// where they are calculated, or the premise fails.
  MaskLinear translateOperand(mlir::Value value);
  /// The same, for products.
  MaskLinear translateFactor(mlir::Value value);
  /// `value`, if it does not wrap in `type`; may add to the premise.
  std::optional<MaskLinear> fit(const MaskLinear &value, mlir::Type type);
  void require(Scalar lower, Scalar value, Scalar upper);
  bool isLeaf(mlir::Value value);
  std::optional<MaskLinear> translateIntegerOp(mlir::Operation *op);
  std::optional<MaskLinear> translateCast(mlir::Operation *op);
  std::optional<MaskLinear> translateDivision(mlir::Operation *op);
  std::optional<MaskLinear> translateBitOp(mlir::Operation *op);
  std::optional<MaskLinear> translateAffineOp(mlir::Operation *op);
  MaskLinear translateAffine(mlir::AffineExpr expr,
                             llvm::ArrayRef<MaskLinear> dims,
                             llvm::ArrayRef<MaskLinear> symbols);
  /// How an element is read, if at a position along one dimension of the box.
  std::optional<MaskRead> getRead(mlir::Value value);
  /// A number, or a truth value as 0 or 1, that is read.
  std::optional<MaskLinear> translateRead(mlir::Value value);
  /// An i1 as a number, which is `ifTrue` or 0.
  MaskLinear translateTruthAsInteger(mlir::Value value, int64_t ifTrue);
  void noteOpaque(mlir::Value value);

  GenericOp op;
  const BoxArguments &box;
  MaskExprContext &context;
  IndexEmitter &emitter;
  MaskSummaries &summaries;
  llvm::DenseMap<unsigned, mlir::Value> positions;
  mlir::IRMapping uniform;
  llvm::DenseMap<mlir::Value, MaskLinear> integers;
  /// By whether they are negated.
  llvm::DenseMap<mlir::Value, MaskFormula *> truths[2];
  llvm::SmallVector<std::string> opaqueLeaves;
  Scalar premise = 1;
  /// Positions are below this.
  int64_t maxExtent;
  unsigned depth = 0;
};

} // namespace attn

#endif // ATTN_MASKS_MASKTRANSLATION_H
