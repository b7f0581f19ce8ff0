//===- AttentionRows.h - Scores of one query row at a time ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `attn.generic` and `attn.online` share: walking batch points and query
// rows, and the visible keys of a row with their scores. Memory is of the order
// of the keys and values of one batch point.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_ATTENTIONROWS_H
#define ATTN_LIB_REFERENCE_ATTENTIONROWS_H

#include "RowChoices.h"
#include "ScalarProgram.h"
#include "WeightBounds.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/Evaluation.h"

#include <optional>

namespace attn {
namespace reference {

/// The box that the dimensions of one class span, walked in row-major order.
struct Points {
  SmallVector<unsigned> dims;
  SmallVector<int64_t> extents;
  /// The coordinates of the first point, if not zeros.
  SmallVector<int64_t> origin;
  int64_t count = 1;

  Points() = default;
  Points(ArrayRef<unsigned> dims, ArrayRef<int64_t> extentOfDim);
  /// Stores the coordinates of point `index` into `position`, by dimension.
  void locate(int64_t index, llvm::MutableArrayRef<int64_t> position) const;
  /// Per point, its contribution to an offset with these strides.
  std::vector<int64_t> getOffsets(ArrayRef<int64_t> strideOfDim) const;
};

/// An operand under its indexing map: element offset per dimension, 0 for
/// dimensions it does not span.
struct AttentionOperand {
  TensorRef tensor;
  Cell scalar = Cell::ofInt(0);
  SmallVector<int64_t> strides;

  /// The offset of the batch and query row part of a position.
  int64_t getOffset(ArrayRef<int64_t> position, const Points &batch,
                    const Points &rows) const;
};

/// Strides per dimension of a tensor under a projected permutation. Checks and
/// completes the extents per dimension, where -1 is unknown; a tensor may be
/// longer than a known extent if `mayExceed` is set.
Expected<SmallVector<int64_t>>
mapStrides(mlir::Operation *op, mlir::AffineMap map, const Tensor &tensor,
           llvm::MutableArrayRef<int64_t> extents, bool mayExceed = false);

/// A region and the inputs that it reads.
struct RegionProgram {
  ScalarProgram program;
  struct Input {
    unsigned argument, operand;
    int64_t base = 0;
    /// Empty if the input does not span the dimensions.
    std::vector<int64_t> keyOffsets, featureOffsets;
    /// From one position in a list of pages to the next, of what goes by it.
    int64_t placeStride = 0;
  };
  SmallVector<Input> inputs;
};

/// What one row adds up to, per channel.
struct WeightedSums {
  std::vector<double> values, sizes, errors;

  void clear(int64_t numChannels) {
    for (auto *numbers : {&values, &sizes, &errors})
      numbers->assign(numChannels, 0);
  }
  void add(double weight, double size, double error, ArrayRef<double> row);
  /// What rounding weights, to bf16 if `inPairs` and else to f16, adds to the
  /// errors; in pairs of bf16 what is not normal may count as 0. `getRow` gives
  /// the values that are weighted by weight number `index`.
  void
  addWeightErrors(ArrayRef<double> weights, bool inPairs,
                  llvm::function_ref<ArrayRef<double>(size_t index)> getRow);
};

/// The lists of key blocks of an op, in plain numbers.
struct RowLists {
  BlockList blocks;
  std::vector<int64_t> indptr, indices;
  SmallVector<int64_t> indptrShape, indicesShape;

  RowLists(const BlockList &blocks, const Tensor &indptr,
           const Tensor &indices);
  /// The entries of the list of the row at `position`, of `numBlocks` that
  /// there are; those of the first `numKeys` keys, if only these count.
  Expected<ArrayRef<int64_t>> getEntries(mlir::Location loc,
                                         ArrayRef<int64_t> position,
                                         int64_t numBlocks,
                                         std::optional<int64_t> numKeys) const;
};

class AttentionRows {
public:
  /// `mapped` are the operands that have a map, in order: query, key, value,
  /// inputs, weighting operands, inits. Those of one `request` have no others,
  /// but its positions are what regions see.
  static Expected<AttentionRows>
  create(AttentionOpInterface op, ArrayRef<RuntimeValue> mapped,
         const Environment &env, std::optional<int64_t> request = std::nullopt);

  Points batch, rows, keys, features, channels;
  SmallVector<AttentionOperand> operands;
  /// Of the init number `index` among the operands.
  const AttentionOperand &getInit(unsigned index) const {
    return operands[firstInit + index];
  }

  /// Gathers the keys and values of a batch point.
  void beginBatch(int64_t index);
  /// Gathers a query row and what regions read of it.
  void beginRow(int64_t index);
  /// Fills `visible`, `scores` and `scoreErrors` of the row.
  Error computeScores();
  /// Visits the row's pairs that the mask leaves, without their scores.
  Error countVisible(int64_t &count);
  /// Applies the weight region to the weights of the visible keys.
  Error applyWeightRegion(llvm::MutableArrayRef<double> weights);
  /// What the region `element` of a replay yields for a key of the row, from
  /// `leading`, its arguments but the inputs.
  Error evaluateElement(int64_t key, ArrayRef<double> leading,
                        llvm::MutableArrayRef<double> yielded);
  /// The steps of one pair of the row, up to its score.
  Error tracePair(int64_t key, double &similarity, double &scaledScore,
                  bool &isVisible, std::optional<double> &score);
  /// The ways in which the row may be weighed, given its scores.
  RowChoices listChoices();
  /// Weighs the row as choice `number` does: the final weights, their errors,
  /// and the log-sum-exp.
  Error weigh(const RowChoices &choices, size_t number,
              std::vector<double> &weights, double &logSumExp,
              WeightBounds &bounds);
  /// Adds the weighted values, their sizes and their errors.
  void accumulate(ArrayRef<double> weights, const WeightBounds &bounds,
                  WeightedSums &sums) const;

  /// Whether the mask region reads anything along a dimension.
  bool maskDependsOn(unsigned dim) const;
  bool hasMask() const { return mask || lists; }
  /// How many keys the row has, hidden ones included.
  int64_t countKeys() const;
  /// Which of the row's keys visible key number `index` is: its position.
  int64_t getVisiblePosition(size_t index) const {
    return isPaged() ? places[index] : visible[index];
  }

  /// Positions by dimension: batch and query row of the current row.
  SmallVector<int64_t> position;
  /// Visible keys of the row, ascending, and their scores.
  std::vector<int64_t> visible;
  std::vector<double> scores;
  std::vector<double> scoreErrors;
  Rounding rounding;
  /// Whether a kernel may take both products in pairs of bf16: weights are
  /// rounded to it, and what is not normal counts as 0, or as what it is.
  bool inPairs = false;
  /// Whether it may round weights to f16.
  bool roundsWeights = false;
  /// The weighting operands of the row.
  SmallVector<double> weightingOperands;

private:
  explicit AttentionRows(AttentionOpInterface op)
      : rounding(op.getAccumulationType()), op(op) {}

  Expected<std::optional<RegionProgram>> compile(mlir::Region &region,
                                                 unsigned numLeading,
                                                 const Environment &env,
                                                 unsigned numYielded = 1) const;
  void beginRow(std::optional<RegionProgram> &region);
  void loadInputs(RegionProgram &region, int64_t key) const;
  /// Where the input has the key at hand, from the row's first.
  int64_t getKeyOffset(const RegionProgram::Input &input, int64_t key) const {
    if (input.placeStride)
      return input.placeStride * position[keys.dims.back()];
    return input.keyOffsets.empty() ? 0 : input.keyOffsets[key];
  }
  bool isPaged() const { return lists && lists->blocks.isPhysical(); }
  /// Takes the lists of key blocks of the op, of `request` if there is one.
  Error takeLists(const Environment &env, std::optional<int64_t> request);
  /// Fills `listed` for the row at hand.
  Error readList();
  /// The number of keys to go over, and the key at `place` of them.
  int64_t countPlaces() const { return lists ? listed.size() : keys.count; }
  int64_t getKeyAt(int64_t place) const {
    return lists ? listed[place] : place;
  }
  /// Stores the position of a key, number `place` of those to go over.
  void locateKey(int64_t key, int64_t place);
  Expected<bool> isVisible(int64_t key);
  /// sum_d similarity(q, k), unscaled.
  Expected<Estimate> computeSimilarity(int64_t key);
  Expected<Estimate> computeScore(int64_t key, Estimate scaled);

  AttentionOpInterface op;
  unsigned numInputs = 0, firstInput = 3, firstInit = 0;
  double scale = 1;
  /// By how much the roundoff of the narrowest float that the similarity region
  /// computes in exceeds the accumulation type's.
  double similarityUnits = 1;
  std::optional<RegionProgram> similarity, mask, score, weight, element;
  /// Row-major keys x features, keys x channels, features.
  std::vector<double> keyRows, valueRows, queryRow;
  std::vector<int64_t> keyPositions;
  std::optional<RowLists> lists;
  /// How many keys of its list the request at hand has, if not all.
  std::optional<int64_t> numListed;
  /// The keys that the list of the row at hand names, and where among them the
  /// visible ones are.
  std::vector<int64_t> listed, places;
  /// The least extent of what goes by the position in a list of pages.
  std::optional<int64_t> numPlaces;
};

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_ATTENTIONROWS_H
