//===- FewRowsEmitter.h - A step of few query rows --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loop nest of one step for a few query rows, whose time goes into reading
// keys and values. A block is as many keys as a vector has lanes; of each
// block:
//
//   1. mask: a bit per pair, in memory; the block is skipped if none is set;
//   2. similarity: key by key, a whole row of it in the order of its addresses,
//      lanes along the features: a vector of partial sums per query row. As
//      many of them as there are lanes become one vector of sums;
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
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_FEWROWSEMITTER_H
#define ATTN_LIB_CODEGEN_CPU_FEWROWSEMITTER_H

#include "TileEmitter.h"
#include "VectorReader.h"

namespace attn {

/// Emits the loop nest above in place of one `attn.online` on buffers.
class FewRowsEmitter {
public:
  FewRowsEmitter(mlir::RewriterBase &rewriter, OnlineOp op,
                 const EmitOptions &options);

  mlir::LogicalResult run();

private:
  using Values = llvm::SmallVector<mlir::Value>;
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
  mlir::Value broadcast(mlir::Value scalar) { return lane->broadcast(scalar); }
  mlir::Value select(mlir::Value condition, mlir::Value then,
                     mlir::Value otherwise);
  mlir::Value constant(double value);

  /// A loop over keys or query rows, which LLVM does not unroll.
  Values loop(mlir::Value from, mlir::Value to, int64_t step,
              mlir::ValueRange inits,
              llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body);

  /// LLVM moves no read across: those on both sides stay in the order of their
  /// addresses. No instruction comes of it.
  void keepOrder();

  /// Reads `operand` in the lanes of `mask`, null for all; floats become those
  /// of the accumulation type.
  LaneValue read(mlir::Value operand, mlir::AffineMap map,
                 const Position &position, mlir::Value mask);
  /// The vector of an operand along features or channels from `column` on.
  mlir::Value readRow(mlir::Value operand, mlir::AffineMap map, mlir::Value row,
                      mlir::Value key, mlir::Value column, mlir::Value mask);
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
  /// The sum of each of `vectors`, as many as there are lanes, in its lane.
  mlir::Value sumAcrossLanes(Values vectors);
  /// What statistic `number` combines the lanes of a vector to.
  mlir::Value combineLanes(unsigned number, mlir::Value vector);

  void count(TileCounter counter, mlir::Value condition = {}) {
    if (op.getCountTiles())
      emitTileCount(b, loc, counter, condition);
  }
  void emitBlock(const Block &block);
  /// Stores a word per query row; returns whether any pair is visible, and
  /// whether any is not.
  std::pair<mlir::Value, mlir::Value> emitMask(const Block &block);
  /// Similarities of `count` query rows from `first` on, as scores.
  void emitSimilarity(const Block &block, int64_t first, int64_t count);
  /// The partial sums of these rows for one key.
  Values multiplyKey(mlir::Value key, int64_t first, int64_t count,
                     bool unrolls);
  Values multiplyFeatures(const Position &position, mlir::Value feature,
                          mlir::Value mask, int64_t first,
                          mlir::ValueRange sums);
  /// Reads all query rows, if they are few vectors.
  void readQueries();
  /// The vector of a query row from `feature` on.
  mlir::Value getQuery(int64_t row, mlir::Value feature, mlir::Value mask);
  /// From the scores of a query row to its weights.
  void emitWeights(const Block &block, mlir::Value row);
  /// Keeps those of a row's keys that are better than what it has.
  void emitSelection(const Block &block, mlir::Value row, mlir::Value score,
                     mlir::Value visible);
  /// Takes in the scores' statistics; returns them.
  Values updateStatistics(mlir::Value row, mlir::Value score,
                          mlir::Value visible);
  void rescaleRow(mlir::Value row, mlir::Value factors);
  void emitValues(const Block &block, bool hidesPairs);
  void emitChannels(const Block &block, mlir::Value firstRow, int64_t rows,
                    mlir::Value firstChannel, int64_t vectors, mlir::Value mask,
                    bool hidesPairs);
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

  /// Chooses where the state of the rows is kept while the step goes on.
  void createState();
  void forEachRow(llvm::function_ref<void(mlir::Value)> body);
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
  int64_t lanes;
  mlir::VectorType laneType;
  VectorReader reader;
  std::optional<RegionInliner> lane;
  mlir::Value zero, numRows, numKeys, numFeatures, numChannels;
  llvm::SmallVector<mlir::AffineMap> maps;
  /// Whether the state is on the stack, and loops over query rows and channels
  /// are unrolled for its places to be constant.
  bool isLocal = false;
  /// The accumulator (row, channel), the statistics of the scores (row each),
  /// those of the weights (statistic, row, lane).
  mlir::Value accumulator;
  Values scoreStatistics;
  mlir::Value sums;
  /// Scores, then weights (row, lane); visible pairs (row).
  mlir::Value weights, words;
  /// The vectors of each query row, one row after the other. What of them finds
  /// no register is kept on the stack.
  Values queries;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_FEWROWSEMITTER_H
