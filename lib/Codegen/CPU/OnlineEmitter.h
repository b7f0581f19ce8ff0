//===- OnlineEmitter.h - A step in vector code ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loop nest of one step, for L query rows in the lanes and n key rows
// (queries in lanes: no reduction crosses lanes, keys and values are read in
// the layout they have, each element broadcast once per register tile):
//
//   1. mask: one bit per pair, in memory; nothing more happens if none is set;
//   2. similarity: R key rows at a time, their L-wide sums in registers, summed
//      over the features; the score region, or only the score statistics;
//   3. weights: statistics rescaled, weights in place of the scores;
//   4. values: R channels at a time, their L-wide accumulators in registers,
//      summed over the key rows.
//
// Key rows that do not fill a group of R repeat the last row: what is computed
// for them is never read, and score statistics are idempotent.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_ONLINEEMITTER_H
#define ATTN_LIB_CODEGEN_CPU_ONLINEEMITTER_H

#include "TileEmitter.h"
#include "VectorReader.h"

namespace attn {

/// What an op on a tile of pairs says of the tile.
struct PairTile {
  LayoutAttrInterface layout;
  mlir::Value rows, full;
  std::optional<uint64_t> keyTile;
  bool countTiles = false;
  mlir::ValueRange statistics;

  template <typename OpT> static PairTile of(OpT op) {
    return {op.getLayoutAttr(), op.getRows(),       op.getFull(),
            op.getKeyTile(),    op.getCountTiles(), op.getStatistics()};
  }
};

/// What the ops on a tile of pairs share of the loop nest above: all of it but
/// what becomes of the statistics.
class PairEmitter {
public:
  mlir::LogicalResult run();

protected:
  PairEmitter(mlir::RewriterBase &rewriter, AttentionOpInterface op,
              const PairTile &tile, const EmitOptions &options)
      : b(rewriter), loc(op.getLoc()), op(op), tile(tile), options(options) {}
  virtual ~PairEmitter() = default;

  /// The phases behind the mask, where there is a visible pair.
  virtual void emitPhases() = 0;
  /// Whether anything is done where there is none, and what.
  virtual bool hasHiddenPhase() { return false; }
  virtual void emitHiddenPhase() {}

  /// The most key rows that the tile can have.
  int64_t getMaxKeys();
  /// The extent of an operand along a dimension of the tile.
  mlir::Value getExtent(mlir::Value operand, mlir::AffineMap map, unsigned dim);
  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  /// Reads `operand` at a key row and a feature, for all lanes.
  LaneValue read(mlir::Value operand, mlir::AffineMap map, mlir::Value keyRow,
                 mlir::Value feature);
  /// The block arguments of a region: `leading`, then the inputs. Inputs that
  /// the region does not read are left out.
  llvm::SmallVector<LaneValue> arguments(mlir::Region &region,
                                         llvm::ArrayRef<LaneValue> leading,
                                         mlir::Value keyRow,
                                         mlir::Value feature = {});
  /// What `region` yields for the pairs of `keyRow`.
  LaneValue inlineForRow(mlir::Region &region,
                         llvm::ArrayRef<LaneValue> arguments,
                         mlir::Value keyRow, LanePredicate predicate);
  /// Scores are a row of lanes per key row; `offset` is keyRow * lanes.
  mlir::Value loadScores(mlir::Value offset);
  void storeScores(mlir::Value scores, mlir::Value offset);
  /// A loop over the key rows; `body` gets the key row, the offset of its
  /// scores and the values carried.
  llvm::SmallVector<mlir::Value>
  forEachKeyRow(mlir::ValueRange inits,
                llvm::function_ref<llvm::SmallVector<mlir::Value>(
                    mlir::Value, mlir::Value, mlir::ValueRange)>
                    body);
  /// The lanes that see `keyRow`, as a vector of i1; null where all do.
  mlir::Value loadVisible(mlir::Value keyRow);
  /// Emits `phase` for tiles with hidden pairs, for full ones, or, where only
  /// the run time tells, for both; `phase` returns `types` and asks
  /// `loadVisible`.
  llvm::SmallVector<mlir::Value>
  perVisibility(mlir::TypeRange types,
                llvm::function_ref<llvm::SmallVector<mlir::Value>()> phase);
  /// What `region`, the score's or the weight's, makes of `value` for the pairs
  /// of `keyRow`; reads are for those that are `visible`.
  mlir::Value inlineForRow(mlir::Region &region, mlir::Value value,
                           mlir::Value keyRow, mlir::Value visible);
  mlir::Value select(mlir::Value condition, mlir::Value then,
                     mlir::Value otherwise) {
    if (!condition)
      return then;
    return mlir::arith::SelectOp::create(b, loc, condition, then, otherwise);
  }

  void count(TileCounter counter, mlir::Value condition = {});
  mlir::Value emitMask();
  /// Scores, and `scoreStatistics` after them if the step `updates` these.
  void emitScores(bool updates);
  /// Similarity of the `count` key rows from `first` on, in registers.
  llvm::SmallVector<mlir::Value> emitSimilarity(mlir::Value first,
                                                int64_t count, bool clamp);
  /// Times what the queries do not carry of the scale.
  llvm::SmallVector<mlir::Value> scaleSums(llvm::SmallVector<mlir::Value> sums);
  /// Asks for an element of one of the `count` key rows that come after those
  /// from `first` on: at `feature`, in turn by `step`.
  void prefetchKey(mlir::Value first, int64_t count, mlir::Value step,
                   mlir::Value feature);
  bool readsOnce();
  void prefetchValues(mlir::Value first, int64_t count, mlir::Value step,
                      mlir::Value feature);
  void prefetchNextKeys(mlir::Value channel, mlir::Value step,
                        mlir::Value steps);
  int64_t keysPerStep() const { return inPairs ? 2 : 1; }
  /// Adds the weighted rows of `valueOperand` to `accumulator`.
  void emitValues();
  /// The same by visibility, once weights and values lie in pairs if they are
  /// to.
  void emitWeightedValues();

  /// What this cannot emit in pairs; reports an error.
  mlir::LogicalResult checkPairs();
  /// Pairs of features of the queries, and of the keys that cannot be read in
  /// place.
  void packFeaturePairs();
  void packKeyPairs(int64_t numPairs);
  /// Pairs of key rows of the weights, and of the values.
  void createWeightPairs();
  void packWeightPairs();
  void packValuePairs();
  /// The same of weights as they are computed, for an even number of key rows:
  /// `computeWeight` gets the key row, the offset of its scores and the values
  /// carried, which it updates.
  llvm::SmallVector<mlir::Value> storeWeightPairs(
      mlir::ValueRange inits,
      llvm::function_ref<mlir::Value(mlir::Value, mlir::Value,
                                     llvm::SmallVector<mlir::Value> &)>
          computeWeight);
  /// The positions of two key rows that make a pair, for each; `body` gets the
  /// number of the pair and whether there is a second row.
  void forEachKeyPair(llvm::function_ref<void(mlir::Value, bool)> body);
  mlir::Value countKeyPairs();
  /// The similarity of `rows`, in registers, by pairs of features.
  llvm::SmallVector<mlir::Value> emitSimilarityInPairs(mlir::Value first,
                                                       mlir::ValueRange rows,
                                                       mlir::ValueRange sums);
  llvm::SmallVector<mlir::Value> emitChannelsInPairs(mlir::Value first,
                                                     mlir::ValueRange sums);
  /// Asks for the element of `values` that `kPrefetchRows` more rows from
  /// `position` on will begin with.
  void prefetch(mlir::Value values, mlir::Value position,
                mlir::Value rowStride);
  void emitChannels(mlir::Value first, int64_t count);
  /// Adds the weighted values of the channels from `first` on to `sums`.
  llvm::SmallVector<mlir::Value> addChannels(mlir::Value first,
                                             mlir::ValueRange sums);
  void emitAll();

  mlir::RewriterBase &b;
  mlir::Location loc;
  AttentionOpInterface op;
  PairTile tile;
  EmitOptions options;

  mlir::FloatType accType;
  /// Null, and no statistics, where the weighting is of another kind.
  AccumulateWeightingAttrInterface weighting;
  llvm::SmallVector<Statistic> statistics;
  unsigned numScoreStatistics = 0;
  int64_t lanes = 0, groupRows = 0, keyTile = 0;
  mlir::VectorType laneType;
  VectorReader reader;
  std::optional<RegionInliner> emitter;
  mlir::Value zero, one, numKeys, numFeatures;
  mlir::AffineMap keyMap;
  mlir::Value valueOperand, accumulator;
  mlir::AffineMap valueMap;
  mlir::Value scores, bits;
  /// Whether bf16 are multiplied in pairs, and the pairs, DotPairs.h: (features
  /// / 2, lanes), (key rows, features / 2) if keys are not read in place, (key
  /// rows / 2, lanes), (key rows / 2, channels).
  bool inPairs = false;
  /// Whether each tile of keys and values meets these query rows only, which
  /// are few, and multiplying them takes as long as reading it: while one of
  /// the two is multiplied, the other is asked for.
  bool isReadOnce = false;
  /// Whether weights lie in pairs already, and not in `scores`.
  bool weightsInPairs = false;
  mlir::Value queryPairs, keyPairs, weightPairs, valuePairs;
  mlir::IntegerType bitsType;
  /// Whether the phase being emitted is for full tiles.
  bool allVisible = false;
  mlir::Value validLanes;
  llvm::SmallVector<mlir::Value> weightingOperands;
  /// The statistics that weights are measured against, and what carries over to
  /// them what the accumulator holds; null for one.
  llvm::SmallVector<mlir::Value> scoreStatistics;
  mlir::Value rescale;
};

/// Emits the loop nest above in place of one `attn.online` on buffers.
class OnlineEmitter final : public PairEmitter {
public:
  OnlineEmitter(mlir::RewriterBase &rewriter, OnlineOp op,
                const EmitOptions &options)
      : PairEmitter(rewriter, op, PairTile::of(op), options) {}

private:
  void emitPhases() override;
  /// From the score statistics before the step to those after it.
  void emitWeights(mlir::ValueRange oldScoreStatistics);
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_ONLINEEMITTER_H
