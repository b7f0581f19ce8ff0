//===- Evaluation.h - Named ops in plain numbers ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the reference lends to a named op that says what it computes: operands
// in plain doubles, regions as functions, the walk over rows. Nothing here
// knows of the core op, so that an op's definition and its expansion are
// independent.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_EVALUATION_H
#define ATTN_IR_EVALUATION_H

#include "attn/IR/Attn.h"
#include "llvm/Support/Error.h"

#include <functional>

namespace attn {

/// A number, and by how much a kernel's arithmetic may miss it.
struct Estimate {
  double value = 0, error = 0;
};

/// Arithmetic as a kernel does it, in a float type: every result is rounded.
class Rounding {
public:
  explicit Rounding(mlir::FloatType type);

  /// Half the distance of two neighbours of 1, and of 0.
  double unit, least;
  /// The least positive number that is held in full precision.
  double leastNormal;

  /// A result that already misses `value` by `error`, rounded `times` times.
  Estimate round(double value, double error, double times = 1) const;
  Estimate add(Estimate lhs, Estimate rhs) const;
  Estimate multiply(Estimate lhs, Estimate rhs) const;
  /// A function that is computed to a few units in the last place.
  Estimate apply(llvm::function_ref<double(double)> function,
                 Estimate argument) const;
  /// sum_d q_d k_d, whose terms are rounded and added in any order, q perhaps
  /// scaled beforehand.
  Estimate dot(llvm::ArrayRef<double> lhs, llvm::ArrayRef<double> rhs) const;
  /// The same of any `count` terms: their sum, and that of their sizes.
  Estimate sum(double value, double size, int64_t count) const;
  /// By how much more `dot` may be missed in pairs of bf16: factors, q perhaps
  /// times `scale`, and sums that are not normal may count as 0.
  double boundFlushed(llvm::ArrayRef<double> lhs, llvm::ArrayRef<double> rhs,
                      double scale) const;
};

/// Whether kernels may take the products of query and key, and of weights and
/// value, in pairs of bf16: weights are rounded to it.
bool mayMultiplyPairs(mlir::Value query, mlir::Value key, mlir::Value value,
                      mlir::FloatType accumulationType);

/// Whether kernels may round weights to f16, to multiply them by values of it.
bool mayRoundWeights(mlir::Value query, mlir::Value key, mlir::Value value,
                     mlir::FloatType accumulationType);

/// An operand: row-major, in `reals` if its elements are floats, in `integers`
/// otherwise (an i1 is 0 or 1). A scalar has no extents and one element.
struct PlainOperand {
  llvm::ArrayRef<int64_t> shape;
  llvm::ArrayRef<double> reals;
  llvm::ArrayRef<int64_t> integers;

  /// The position of the element at `index`, one number per extent.
  int64_t getOffset(llvm::ArrayRef<int64_t> index) const;
};

/// Lists of key blocks in plain numbers.
struct PlainBlockList {
  PlainOperand indptr, indices;
  BlockListAttr attr;
  /// How many blocks, or pages, there are.
  int64_t numBlocks = 0;
  mlir::Location loc;

  /// The entries of the list number `list.back()`, where the other numbers of
  /// `list`, and those of `outer`, lead to it among indptr and indices; where
  /// only the first `numKeys` keys count, those that hold them. An error if it
  /// is not as it must be.
  llvm::Expected<llvm::ArrayRef<int64_t>>
  getEntries(llvm::ArrayRef<int64_t> list, llvm::ArrayRef<int64_t> outer,
             std::optional<int64_t> numKeys = std::nullopt) const;
};

/// A region as a function of its arguments; positions are exact numbers.
using PlainRegion = std::function<Estimate(llvm::ArrayRef<Estimate>)>;

/// One pair of a query row and a key, step by step.
struct PlainPair {
  double similarity = 0, scaledScore = 0;
  Estimate score;
};

/// Attention over pairs of a row and a key. `row` is the position of a row, one
/// number per extent of `rows`.
struct PlainAttention {
  using Row = llvm::ArrayRef<int64_t>;

  /// Batch, heads and rows, in the order of the output's dimensions.
  llvm::SmallVector<int64_t> rows;
  int64_t numKeys = 0, numFeatures = 0, numChannels = 0;
  /// The number of keys of a row, where rows have keys of their own; null where
  /// all have `numKeys`.
  std::function<int64_t(Row row)> getNumKeys;
  /// The type of a kernel's arithmetic.
  mlir::FloatType accumulationType;
  /// Whether weights and values may be multiplied in pairs of bf16.
  bool inPairs = false;
  /// Whether weights may be rounded to f16.
  bool roundsWeights = false;
  /// Whether the pair exists; null for all.
  std::function<bool(Row row, int64_t key)> isVisible;
  /// Which dimensions of `rows` that depends on; the others are not walked to
  /// count pairs.
  llvm::SmallVector<bool> maskDims;
  std::function<PlainPair(Row row, int64_t key)> getPair;
  /// The numbers that are weighted and summed, one per channel.
  std::function<llvm::ArrayRef<double>(Row row, int64_t key)> getValue;
  WeightingAttrInterface weighting;
  std::function<llvm::SmallVector<double>(Row row)> getWeightingOperands;
  /// Whether the log-sum-exp is asked for, as the second result.
  bool wantsLogSumExp = false;
  /// Whether the weights are asked for, as the last result: rows, then keys.
  bool wantsWeights = false;

  int64_t countKeys(Row row) const {
    return getNumKeys ? getNumKeys(row) : numKeys;
  }
};

/// The reference, as a named op sees it.
class Evaluation {
public:
  virtual ~Evaluation() = default;

  /// The numbers of an operand. An operand that masks do not depend on is zero
  /// where only visible pairs are counted.
  virtual PlainOperand getOperand(mlir::Value operand) = 0;
  /// Null for an empty region. A call that fails (a read out of bounds) gives
  /// 0, and the error to whoever walks.
  virtual PlainRegion getRegion(mlir::Region &region) = 0;
  /// Walks all rows, in two plain passes each, and gives the results: the
  /// output (rows, then channels) and, if asked for, the log-sum-exp and the
  /// weights.
  virtual llvm::Expected<llvm::SmallVector<PlainResult>>
  attend(const PlainAttention &attention) = 0;
};

} // namespace attn

#endif // ATTN_IR_EVALUATION_H
