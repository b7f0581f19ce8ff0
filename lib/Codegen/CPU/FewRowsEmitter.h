//===- FewRowsEmitter.h - A step of few query rows --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loop nest of one step for a few query rows, whose time goes into reading
// keys and values. A block is as many keys as a vector has lanes, or twice as
// many; of each block:
//
//   1. mask: a bit per pair, in memory; the block is skipped if none is set;
//   2. similarity: key by key, a whole row of it in the order of its addresses,
//      lanes along the features: a vector of partial sums per query row. As
//      many of them as there are lanes become one vector of sums. Of more query
//      rows the vectors come from memory, each for all the keys that fill it;
//      and where these fill vectors by parts of 128 bits, each part has a query
//      row, and the features of a key come to all: then what is added across
//      lanes is added within parts, and twice where it was four times;
//   3. weights, query row by query row, lanes along the keys: score region,
//      statistics, weights. Where a statistic of the scores moves, the row is
//      rescaled;
//   4. values: key by key again, lanes along the channels, for a few query rows
//      at a time: what is read again is in the nearest cache by then.
//
// The order of reads is what the hardware's prefetchers follow: where two
// vectors from the end of a row were read first, it cost a third of the rate.
// So LLVM may not change it. And they follow all reads but those of the stack
// at constant places: of few rows, queries, sums and statistics are kept there.
// Where multiplying takes as long as reading, reads come in bursts, and keys
// and values are asked for well ahead of them, as those of pages are: then only
// keys follow each other, and LLVM orders what is read of one.
//
// bf16 are multiplied in pairs, DotPairs.h: of features, and of keys, whose
// values are interleaved as they are read.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_FEWROWSEMITTER_H
#define ATTN_LIB_CODEGEN_CPU_FEWROWSEMITTER_H

#include "TileEmitter.h"
#include "VectorReader.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace attn {

/// What a step is that has finished statistics, and leaves them: `attn.replay`.
struct FewRowsReplay {
  /// The number of keys of the whole row.
  mlir::Value keys;
  /// Where the weights are stored, null for nowhere, and how they lie there.
  mlir::Value target;
  mlir::AffineMap map;
};

/// Emits the loop nest above in place of one `attn.online` on buffers; with
/// `replay`, in place of what that stands for.
class FewRowsEmitter {
public:
  FewRowsEmitter(mlir::RewriterBase &rewriter, OnlineOp op,
                 const EmitOptions &options,
                 std::optional<FewRowsReplay> replay = std::nullopt);

  mlir::LogicalResult run();

private:
  using Values = llvm::SmallVector<mlir::Value>;
  /// The most query rows that meet keys one by one.
  static constexpr int64_t kMaxKeyRows = 4;
  /// How many keys ahead of those at work others are asked for, where
  /// multiplying takes as long as reading: what prefetchers follow comes in
  /// bursts then.
  static constexpr int64_t kKeysAhead = 64;
  /// The part of a row of keys that is brought near while weights are computed.
  /// A core has some two dozen reads under way: as few are missed as possible
  /// if it asks for lines all the time.
  static constexpr int64_t kRestOfKeys = 4;
  /// Which cache is to have what is asked for.
  static constexpr unsigned kSecondLevel = 2;
  /// The keys of a block: the first of them in the tile, their number, and
  /// which lanes have one, null for all.
  struct Block {
    mlir::Value first, count, lanes;
  };
  /// Where the lanes lie: query row, key row, feature or channel.
  struct Position {
    LaneValue row, key, column;
  };

  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  mlir::Value add(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::AddIOp>(loc, lhs, rhs);
  }
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::MulIOp>(loc, lhs, rhs);
  }
  mlir::Value broadcast(mlir::Value scalar) { return lane->broadcast(scalar); }
  mlir::Value select(mlir::Value condition, mlir::Value then,
                     mlir::Value otherwise);
  mlir::Value constant(double value);

  /// A loop over keys or query rows, which LLVM does not unroll.
  Values loop(mlir::Value from, mlir::Value to, int64_t step,
              mlir::ValueRange inits,
              llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body);

  /// LLVM moves no read across: those on both sides stay in the order of their
  /// addresses. No instruction comes of it. `beginsKey` says that what follows
  /// is the first of a key.
  void keepOrder(bool beginsKey);

  /// Reads `operand` in the lanes of `mask`, null for all; floats become those
  /// of the accumulation type.
  LaneValue read(mlir::Value operand, mlir::AffineMap map,
                 const Position &position, mlir::Value mask) {
    return read(*lane, operand, map, position, mask);
  }
  LaneValue read(LaneBuilder &builder, mlir::Value operand, mlir::AffineMap map,
                 const Position &position, mlir::Value mask);
  /// The vector of an operand along features or channels from `column` on.
  mlir::Value readRow(mlir::Value operand, mlir::AffineMap map, mlir::Value row,
                      mlir::Value key, mlir::Value column, mlir::Value mask) {
    return readRow(*lane, operand, map, row, key, column, mask);
  }
  mlir::Value readRow(LaneBuilder &builder, mlir::Value operand,
                      mlir::AffineMap map, mlir::Value row, mlir::Value key,
                      mlir::Value column, mlir::Value mask);
  /// The same of queries and keys, as they are multiplied: `numTogether`
  /// features.
  mlir::Value readFeatures(mlir::Value operand, mlir::AffineMap map,
                           mlir::Value row, mlir::Value key,
                           mlir::Value feature, mlir::Value mask);
  /// Whether keys or values are rows of features or channels.
  bool liesByRows(mlir::AffineMap map) {
    return map.getNumResults() == 2 && map.getDimPosition(0) == 1;
  }
  /// In turn `turn` of `numTurns` through the `numKeys` keys of a block, which
  /// key and which part of its row, of as many as there are turns, is to be
  /// brought near at key `number`: all in the order of their addresses.
  std::pair<mlir::Value, mlir::Value>
  takeTurn(const Block &block, mlir::Value turn, int64_t numTurns,
           mlir::Value number, int64_t numKeys);
  /// Brings part number `part` of `numParts` of a row's `columns` near, of keys
  /// or values that a later step reads; nothing if there are none.
  void bringNear(mlir::Value ahead, mlir::AffineMap map, mlir::Value key,
                 mlir::Value firstColumn, int64_t columns, mlir::Value part,
                 int64_t numParts);
  /// What `region` yields; `leading` are its arguments before the inputs.
  LaneValue inlineAt(mlir::Region &region, llvm::ArrayRef<LaneValue> leading,
                     const Position &position, LanePredicate predicate);
  /// The position of a query row in the lanes of a block.
  Position along(const Block &block, mlir::Value row);

  /// The word of the bits `lanes`, and the other way round.
  mlir::Value toWord(mlir::Value lanes);
  mlir::Value toLanes(mlir::Value word);
  /// Half as many vectors, whose lanes are sums of two of a pair of `pairs`.
  Values addPairs(mlir::ValueRange pairs, int64_t width, int64_t sources);
  /// The sum of each of `vectors`, as many as there are lanes, in its lane.
  mlir::Value sumAcrossLanes(Values vectors);
  /// What statistic `number` combines the lanes of a vector to.
  mlir::Value combineLanes(unsigned number, mlir::Value vector);

  void count(TileCounter counter, mlir::Value condition = {}) {
    if (op.getCountTiles())
      emitTileCount(b, loc, counter, condition);
  }
  /// Weights of all keys of a block.
  void emitBlock(const Block &block);
  /// Stores a word per query row; returns whether any pair is visible, and
  /// whether any is not.
  std::pair<mlir::Value, mlir::Value> emitMask(const Block &block);
  /// Similarities of `count` query rows from `first` on, as scores.
  void emitSimilarity(const Block &block, int64_t first, int64_t count);
  /// The partial sums of these rows for `keys`, those of a row next to each
  /// other.
  Values multiplyKeys(mlir::ValueRange keys, int64_t first, int64_t count,
                      bool unrolls);
  Values multiplyFeatures(mlir::ValueRange keys, mlir::Value feature,
                          mlir::Value mask, int64_t first,
                          mlir::ValueRange sums);
  Values inlineSimilarity(mlir::Value key, mlir::Value feature,
                          mlir::Value mask, int64_t first,
                          mlir::ValueRange sums);
  /// The lanes of a part: of 128 bits, that one shuffle of a target works on.
  int64_t getPartLanes() {
    return std::min<int64_t>(lanes, 128 / accType.getWidth());
  }
  mlir::Value takePart(mlir::Value vector, int64_t number);
  /// How many keys `count` query rows meet at once in parts; 0 if not so.
  int64_t countKeysInParts(int64_t count);
  /// Makes of the queries that are kept those that parts of keys meet.
  void arrangeQueries();
  /// Adds to `sums`, those of some rows for all of `keys` next to each other,
  /// what their features give, part by part.
  Values multiplyParts(mlir::ValueRange keys, int64_t first,
                       mlir::ValueRange sums);
  /// Adds up what is summed in parts, and stores it as scores of query rows
  /// from `first` on and as many as `keys` from `place` on.
  void storeParts(Values sums, int64_t keys, int64_t first, mlir::Value place);
  /// Whether queries are read once, and not where they lie for each key.
  bool keepsQueries();
  /// Reads all query rows, if they are kept.
  void readQueries();
  /// The vector of a query row from `feature` on.
  mlir::Value getQuery(int64_t row, mlir::Value feature, mlir::Value mask);
  /// Brings near, between keys and values, what has been left of keys.
  void bringRestNear(const Block &block, mlir::Value row);
  /// From the scores of a query row to its weights.
  void emitWeights(const Block &block, mlir::Value row);
  /// Keeps those of a row's keys that are better than what it has.
  void emitSelection(const Block &block, mlir::Value row, mlir::Value score,
                     mlir::Value visible);
  /// The weight of a vector of a row's scores.
  mlir::Value emitWeight(mlir::Value row, mlir::Value score,
                         mlir::ValueRange scoreStatistics,
                         mlir::ValueRange operands);
  /// Takes in the scores' statistics; returns them, unless what weights take of
  /// them is kept.
  Values updateStatistics(mlir::Value row, mlir::ValueRange scores,
                          mlir::Value visible);
  void rescaleRow(mlir::Value row, mlir::Value factors);
  /// The statistics of a row's scores, in all lanes.
  Values loadFinished(mlir::Value row);
  /// Keeps the factors that make a weight of a row the final one.
  void keepFactors(mlir::Value row);
  /// Stores the weights of a row, a vector of them from `key` on in the lanes
  /// of `mask`, or zeros for all keys of a block.
  void storeTarget(mlir::Value weight, mlir::Value row, mlir::Value key,
                   mlir::Value mask);
  void clearTarget(const Block &block);
  void emitValues(const Block &block, bool hidesPairs);
  /// Some query rows, and some vectors of channels, `mask` being that of the
  /// last.
  struct Channels {
    Values rows, first;
    mlir::Value mask;

    mlir::Value getMask(int64_t vector) const {
      return vector + 1 == static_cast<int64_t>(first.size()) ? mask
                                                              : mlir::Value();
    }
  };
  void emitChannels(const Block &block, const Channels &channels,
                    bool hidesPairs);
  /// Adds to `sums`, those of a vector of channels next to each other, what the
  /// key, or the pair of keys, number `step` of a block gives; of a pair that
  /// is cut there is the first only.
  Values addValues(const Block &block, const Channels &channels,
                   mlir::Value step, bool isCut, mlir::ValueRange visible,
                   mlir::ValueRange sums);
  /// Calls `body` with the first column, a number of vectors, at most `most`,
  /// and the mask of the last of them, null for all lanes, until all of
  /// `columns` are covered.
  void forEachColumn(
      mlir::Value columns, int64_t most,
      llvm::function_ref<void(mlir::Value, int64_t, mlir::Value)> body);

  mlir::RewriterBase &b;
  mlir::Location loc;
  OnlineOp op;
  EmitOptions options;
  std::optional<FewRowsReplay> replay;

  /// Chooses how many keys a block has.
  void chooseBlock();
  /// The outermost loop around the step that does nothing but this step with
  /// the state and the queries, and has what the final weights take of a row
  /// from outside; the step itself if there is none.
  mlir::Operation *findStateLoop();
  /// Whether the state of the rows is kept on the stack.
  bool keepsState();
  /// Chooses where the state of the rows is kept while the step goes on.
  void createState();
  /// The rows of a state on the stack come one after the other, their places
  /// being constant; but not more of them than a few where it is not for each
  /// block of keys that they do.
  void forEachRow(bool isRepeated, llvm::function_ref<void(mlir::Value)> body);
  /// Splits the weight of a score into what depends on the statistics alone and
  /// the rest.
  void splitWeight();
  /// Clones the ops of `formula` that depend on the statistics alone, or those
  /// that do not.
  void cloneFormula(mlir::IRMapping &mapping, bool ofStatistics);
  /// Computes what weights take of a row's score statistics, and keeps it.
  void keepForWeights(mlir::Value row, mlir::ValueRange scoreStatistics);
  /// From where the op has the state of a row to where the step has it, and
  /// back.
  void loadState(mlir::Value row);
  void storeState(mlir::Value row);
  /// A vector of the accumulator.
  mlir::Value loadSum(mlir::Value row, mlir::Value channel, mlir::Value mask);
  void storeSum(mlir::Value sum, mlir::Value row, mlir::Value channel,
                mlir::Value mask);

  mlir::FloatType accType;
  /// Null, and no statistics, where the weighting selects keys.
  AccumulateWeightingAttrInterface weighting;
  llvm::SmallVector<Statistic> statistics;
  unsigned numScoreStatistics = 0;
  /// Query rows that the tile has room for, and how many of them meet a key at
  /// once.
  int64_t rows, groupRows;
  /// Of a vector, and the keys of a block.
  int64_t lanes, blockKeys;
  mlir::VectorType laneType;
  VectorReader reader;
  std::optional<RegionInliner> lane;
  mlir::Value zero, numRows, numKeys, numFeatures, numChannels;
  llvm::SmallVector<mlir::AffineMap> maps;
  /// Whether the state is on the stack, and loops over query rows and channels
  /// are unrolled for its places to be constant.
  bool isLocal = false;
  /// Whether bf16 are multiplied in pairs, DotPairs.h; and how many features a
  /// vector of these has, and keys a step of values.
  bool inPairs = false;
  int64_t numTogether = 0, numKeysTogether = 1;
  /// Whether keys and values are asked for ahead of those at work, where they
  /// lie row by row.
  bool asksAhead = false;
  /// The operands; where they are multiplied in pairs, as words of 16 bits.
  mlir::Value query, key, value;
  /// The accumulator (row, channel), the statistics of the scores (row each),
  /// those of the weights (statistic, row, lane).
  mlir::Value accumulator;
  Values scoreStatistics;
  mlir::Value sums;
  /// By row, what makes its weights final.
  mlir::Value factors;
  /// The weight of a score, from arguments: the score, the score statistics,
  /// the operands; the ops of it that depend on the statistics alone; and what
  /// the others take of these, where there is any, which is computed when a
  /// statistic moves and kept (row, number).
  mlir::Block formula;
  llvm::SmallPtrSet<mlir::Operation *, 16> ofStatistics;
  mlir::Value formulaResult;
  Values takenByWeights;
  mlir::Value keptForWeights;
  /// Scores, then weights (row, key of the block); pairs of weights (row, key /
  /// 2); visible pairs (row).
  mlir::Value weights, weightPairs, words;
  /// The vectors of each query row, one row after the other. What of them finds
  /// no register is kept on the stack.
  Values queries;
  /// The same as parts of keys meet them (rows / rows of a vector, part of the
  /// features, lane): a vector has a part of each of as many rows as it has
  /// parts.
  mlir::Value queryParts;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_FEWROWSEMITTER_H
