//===- KernelEmitter.h - Attention as a GPU kernel --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of threads has a tile of query rows, 16 to each warp, of one position
// along all other dimensions of the output. It walks over the keys:
//
//   wait for the keys of this tile; ask for its values
//   scores of the tile
//   wait for the values; ask for the keys of the next tile
//   statistics and weights
//   sums += weights x values
//
// Scores and sums lie in registers as `mma.sync` has its results, in every
// form. With g = thread / 4 and q = thread % 4 in the warp, a thread has of
// rows g and g + 8 (its rows 0 and 1) the columns 8n + 2q and 8n + 2q + 1 for
// all n. So four threads share a row, and lane i of a thread's row of scores
// is key 8 (i / 2) + 2q + i % 2 of the tile.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_KERNELEMITTER_H
#define ATTN_LIB_CODEGEN_GPU_KERNELEMITTER_H

#include "ElementReader.h"
#include "KernelBuilder.h"
#include "attn/Analysis/GPUFit.h"
#include "attn/Tiling/ListReader.h"
#include "attn/Tiling/Requests.h"
#include "attn/Tiling/Walk.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// The rows of a thread.
constexpr unsigned kThreadRows = 2;

/// What a thread has of the rows of the block.
using RowValues = std::array<mlir::Value, kThreadRows>;

/// The keys of a tile that is at hand.
struct KeyTile {
  /// Which key is the first, an index: its place in a list of blocks, or its
  /// number along all key row dimensions.
  mlir::Value first;
  /// How many there are, an i32; null if as many as a tile has.
  mlir::Value count;
  /// Whether all pairs are visible; null where that is asked of `classify`.
  mlir::Value full;
};

/// What a walk over the keys is for: the statistics and the sums, the
/// statistics alone, the mass of the keys by final weights, the sums with these
/// once the statistics are known, or the best keys.
enum class Phase { Online, Statistics, Mass, Final, Select };

/// Emits a kernel in place of one `attn.generic` on buffers. What forms differ
/// in is theirs: how tiles get into shared memory, and both products.
class KernelEmitter : protected KernelBuilder {
public:
  virtual ~KernelEmitter() = default;
  /// The op fits the form.
  mlir::LogicalResult run();

protected:
  KernelEmitter(mlir::RewriterBase &rewriter, GenericOp op,
                GPUKernelAttr choice);

  /// Begins to copy rows of the queries, from `firstRow` on, `numRows` of them
  /// (an i32), or the keys or values of a tile, to shared memory.
  virtual void copyQueries() = 0;
  virtual void copyKeys(const KeyTile &tile) = 0;
  virtual void copyValues(const KeyTile &tile) = 0;
  /// Called in a first walk; if queries are taken from shared memory there,
  /// once they are in it.
  virtual void takeQueries() {}
  virtual bool takesQueries() const { return false; }
  /// The similarities of this thread with the keys in shared memory, a vector
  /// of `lanes` for each row.
  virtual RowValues emitSimilarities(const KeyTile &tile) = 0;
  /// `sums`, 4 for each 8 channels, plus the weighted values in shared memory.
  /// `visible`, a vector of i1 for each row, is null for all; else `isPartial`
  /// says whether any may not be.
  virtual Values addValues(mlir::ValueRange sums, const RowValues &weights,
                           const RowValues &visible, mlir::Value isPartial) = 0;
  /// The channels there are, which may be filled up to a multiple of 8: known
  /// only where a block has all.
  int64_t getChannels() const;
  /// Those of the block, an i32.
  mlir::Value countChannels();
  /// The blocks that share the channels, and all that these have room for.
  mlir::Value countParts();
  mlir::Value getChannelRoom();
  /// Whether copies are begun, and have to be waited for.
  virtual bool copiesAsync() const { return false; }
  /// Called on the host before the launch.
  virtual void prepareLaunch() {}
  /// The warps of a block beside those that have rows.
  virtual int64_t getNumOtherWarps() const { return 0; }
  /// Whether it has to be seen on the host that rows begin where copies may.
  virtual bool checksAlignment() const { return copiesAsync(); }

  //===--------------------------------------------------------------------===//
  // Helpers
  //===--------------------------------------------------------------------===//

  mlir::VectorType laneType(mlir::Type element) const {
    return mlir::VectorType::get({lanes}, element);
  }
  /// Operand `index` at the positions at hand, by dimensions.
  MatrixView view(unsigned index, unsigned row, unsigned column);
  /// The address of column 0 of the row `row`, an i32, behind row `first`, an
  /// index, which of keys is the first of a tile.
  mlir::Value rowAddress(const MatrixView &view, mlir::Value first,
                         mlir::Value row);
  /// The same of keys, `position` being the place of one in the tile that
  /// begins at `first`.
  mlir::Value keyAddress(const MatrixView &view, mlir::Value first,
                         mlir::Value position);
  /// How far row `row` of the thread is behind the first.
  mlir::Value rowOffset(const MatrixView &view, unsigned row);
  /// The position of a row of the block's outer position, an index, along each
  /// of `rowDims`.
  Values splitRow(mlir::Value row);
  /// Shared memory, as `shared`, of the stage that is filled, or read.
  mlir::Value filled(int64_t bytes, mlir::Value own);
  mlir::Value staged(int64_t bytes, mlir::Value own);
  int64_t getOwnChannels() const {
    return layout.channels / choice.getSharers();
  }
  /// The keys of a tile whose scores the warp has.
  int64_t getOwnKeys() const { return 4 * lanes; }
  /// How far the thread's first key is behind that of the tile, where keys are
  /// `distance` apart, an i32.
  mlir::Value ownKey(int64_t distance);
  /// Sums of fragments, 4 for each 8 columns, as the scores of each row.
  RowValues toRows(mlir::ValueRange sums);
  /// The weights of 16 keys, from `step` times 16 on, as a left factor of
  /// `element`.
  Values packWeights(const RowValues &weights, int64_t step,
                     mlir::Type element);
  /// The bits of the exponent of an element, f16 or bf16; all of them are set
  /// where it is infinite or NaN.
  static uint32_t getExponentBits(mlir::Type element) {
    return element.isF16() ? 0x7c00 : 0x7f80;
  }
  /// Whether any of 8 elements in 4 words is infinite or NaN.
  mlir::Value isAnyNotFinite(mlir::Value words, mlir::Type element,
                             mlir::Value any);
  /// The bytes of a number that is accumulated.
  int64_t getNumberBytes() const {
    return accType.getIntOrFloatBitWidth() / 8;
  }
  /// How many sums a thread has.
  int64_t getNumSums() const { return getOwnChannels() / 2; }

  //===--------------------------------------------------------------------===//
  // Steps
  //===--------------------------------------------------------------------===//

  mlir::Value countBlocks();
  /// The rows of all blocks of one outer position.
  mlir::Value countRows();
  void checkAlignment();
  /// Launches the blocks; the insertion point moves into one.
  mlir::gpu::LaunchOp enterKernel(mlir::Value numBlocks);
  /// The query tiles along the rows, which may lie in requests, or see the keys
  /// of different lists.
  mlir::Value countTiles();
  /// Moves to a query tile by its number: tiles first, then positions along
  /// `dims`, the last one first.
  void locateTile(mlir::Value number, llvm::ArrayRef<unsigned> dims);
  void takeRows(mlir::Value tile);
  /// The query tile that has row `row`, where these are not packed.
  mlir::Value numberTile(mlir::Value row);
  /// Where only data tells whether a query tile has rows.
  bool mayHaveNoRows();
  /// Finds out which rows of which position block `number`, an i32, and the
  /// thread have; who the thread is if it has an index.
  void locateBlock(mlir::Value number, mlir::Value threadIndex = {});
  /// Reads the inputs and weighting operands that no key changes.
  void readInputs();
  /// The scale that is left to the weighting, and the number of keys.
  void emitScalars();
  /// Memory for what is read where there is nothing, if queries may be none.
  void allocateSpare();
  /// A block, from its queries to what it leaves.
  virtual void emitKernel(mlir::Value numBlocks);
  /// What it does once its inputs are known.
  void emitRows();
  std::unique_ptr<Walk> createWalk();
  KeyTile toKeyTile(const WalkTile &tile);
  /// The walk; the state, what is carried for each row and then the sums, is
  /// updated by each tile. A first walk takes the queries.
  Values walkKeys(mlir::ValueRange state, Phase phase, bool isFirst = true);
  /// The same with several stages.
  Values walkStages(mlir::ValueRange state, Phase phase, bool isFirst);
  void copyTile(const KeyTile &tile, Phase phase);
  /// Adds a key tile to the counts of the module, if there are any.
  void countTile(const KeyTile &keys);
  Values emitStep(const KeyTile &keys, mlir::Value hasNext, const KeyTile &next,
                  mlir::ValueRange state, Phase phase);
  bool needsValues(Phase phase) const {
    return phase == Phase::Online || phase == Phase::Final;
  }
  /// Whether the blocks of a launch, for parts of the keys or for all, have a
  /// part of the channels each.
  bool sharesChannels(std::optional<Phase> part) {
    return !hasAllChannels(op) && (!part || needsValues(*part));
  }
  /// The rest of a step, once similarities are known and values at hand.
  Values emitPairs(const KeyTile &keys, const RowValues &similarities,
                   mlir::ValueRange state, Phase phase);
  /// Waits for the copies that the thread has begun. A walk that comes to its
  /// end has none left, but that follows from numbers alone: before another
  /// walk it is made sure of.
  void finishCopies();
  /// Waits for the copies begun, and for all threads.
  void synchronize();
  /// Whether all pairs of a tile are visible, as far as `classify` knows; no
  /// tile has others if `isAlwaysFull`.
  mlir::Value emitFull(const KeyTile &keys);
  bool isAlwaysFull() const;

  /// What scores become.
  struct Weighted {
    RowValues weights;
    /// Statistics, row by row.
    Values statistics;
    /// What carries the sums over; null for one.
    RowValues rescale;
  };
  /// `score` gives the scores of a row.
  Weighted emitWeights(const KeyTile &tile,
                       llvm::function_ref<mlir::Value(unsigned)> score,
                       const RowValues &visible, mlir::ValueRange statistics);
  /// The same of a tile of which pairs may be hidden: where that is known not
  /// to be, the others are null.
  struct TileWeights {
    Weighted weighted;
    RowValues visible;
    /// Whether the warp sees any pair; whether any pair may be hidden.
    mlir::Value any, isPartial;
  };
  TileWeights emitTileWeights(const KeyTile &keys,
                              const RowValues &similarities,
                              mlir::ValueRange old, Phase phase);
  /// Whether a pair that is hidden may have the neutral score in place of a
  /// weight of 0: the form asks of weights nothing else, and the weighting has
  /// such a score.
  virtual bool weighsOnce() const { return false; }
  bool hidesByScore() const;
  TileWeights emitNeutralScores(const KeyTile &keys,
                                const RowValues &similarities,
                                mlir::ValueRange old);
  /// Whether the score region reads memory, which it may not for hidden pairs.
  bool readsForScores();
  /// The scores of row `row`, scaled unless that is left to the weighting; of
  /// those that there are already, the same.
  mlir::Value emitScore(const KeyTile &tile, mlir::Value similarities,
                        unsigned row, mlir::Value mask);
  /// `vector` where `mask`, if there is one, is set, else `instead`.
  mlir::Value hide(mlir::Value mask, mlir::Value vector, double instead);
  mlir::Value multiplyAll(mlir::Value value, mlir::ValueRange factors);
  /// The pairs of each row that are visible, a vector of i1.
  RowValues emitVisible(const KeyTile &tile);
  /// Whether any pair of the thread is.
  mlir::Value emitAny(const RowValues &visible);
  /// Multiplies the sums of each row, by nothing if null.
  void rescale(Values &sums, const RowValues &factors);
  /// The product of weights and values one by one, as `addValues`, where values
  /// lie in shared memory as `stored`. The weights are there before, and other
  /// threads' behind a barrier; some may be of pairs that are hidden.
  void storeOneByOne(const RowValues &weights, const RowValues &visible);
  Values addOneByOne(mlir::ValueRange sums, bool mayHide, mlir::Type stored);
  /// Waits for what all threads have stored that have keys of the warp's rows.
  void awaitRows();
  /// How far lane `number` of a thread's keys is behind its first; all of them,
  /// 32-bit lanes.
  static int64_t getKeyStep(int64_t number) {
    return 8 * (number / 2) + number % 2;
  }
  mlir::Value createKeySteps();
  LaneValue keyPosition(const KeyTile &tile);
  /// A vector to a row of `area`, which begins at `rowBytes`, an i32.
  void storeLanes(mlir::Value vector, int64_t area, mlir::Value rowBytes);
  /// Which of the keys of a thread are there, a vector of i1; null for all.
  mlir::Value emitInRange(const KeyTile &tile);
  /// The positions of all dimensions for row `row` of the thread.
  llvm::SmallVector<LaneValue> positions(LaneValue key, unsigned row,
                                         LaneValue feature = {});
  /// The arguments of a region: `leading`, then the inputs it reads, the lanes
  /// that `mask` allows.
  llvm::SmallVector<LaneValue> arguments(mlir::Region &region,
                                         llvm::ArrayRef<LaneValue> leading,
                                         llvm::ArrayRef<LaneValue> positions,
                                         unsigned row, mlir::Value mask);
  mlir::Value inlineRegion(mlir::Region &region,
                           llvm::ArrayRef<LaneValue> leading,
                           const KeyTile &tile, unsigned row, mlir::Value mask,
                           LaneValue feature = {});
  mlir::Value inlineRegion(mlir::Region &region,
                           llvm::ArrayRef<LaneValue> leading,
                           llvm::ArrayRef<LaneValue> positions, unsigned row,
                           mlir::Value mask);
  /// Combines two values of a statistic.
  mlir::Value combine(unsigned statistic, mlir::Value lhs, mlir::Value rhs);
  /// Combines what the four threads of a row have of a statistic.
  mlir::Value combineQuad(unsigned statistic, mlir::Value value);
  /// Combines the lanes of a vector.
  mlir::Value combineLanes(unsigned statistic, mlir::Value vector);
  /// Combines what the warps that share rows have of statistics, from `first`
  /// on, of each row.
  void combineSharers(std::array<Values, kThreadRows> &own, unsigned first);
  /// `state` with what all warps that share its rows have, where keys are
  /// divided among them.
  Values gatherState(mlir::ValueRange state);
  /// The statistics of row `row` from those of its four threads.
  Values combineRow(mlir::ValueRange state, unsigned row);
  Values createNeutral();
  /// Scales and stores sums and log-sum-exp.
  void emitFinish(mlir::ValueRange state);
  void storeResults(const MatrixView &output, unsigned row,
                    mlir::ValueRange final, mlir::ValueRange sums,
                    mlir::ValueRange factors);
  /// The operands of `weighting`, and of `ordered` those that it has besides.
  Values weightingOperands(unsigned row);
  Values ownOperands(unsigned row);
  void storeLogSumExp(unsigned row, mlir::ValueRange statistics,
                      mlir::ValueRange operands);
  virtual void storeRow(const MatrixView &output, unsigned row,
                        mlir::ValueRange sums, mlir::ValueRange factors);
  /// Whether the channels of a row of the output lie next to each other.
  bool storesPairs();
  void storePair(const MatrixView &output, mlir::Value pair,
                 mlir::Value address, int64_t first);

  //===--------------------------------------------------------------------===//
  // Final weights
  //===--------------------------------------------------------------------===//

  /// Whether keys are walked over twice, and whether weights meet the values
  /// with their factors already.
  bool isReplayed();
  bool normalizesWeights();
  void emitReplayed();
  /// What final statistics give.
  void emitFinalFactors();
  /// `mass` is what visible keys before the tile have, for each row, if weights
  /// are ordered; so are the statistics of the result.
  Weighted emitFinalWeights(const KeyTile &tile, const RowValues &similarities,
                            const RowValues &visible, mlir::ValueRange mass);
  /// The mass before each lane, and that of all keys so far.
  std::pair<mlir::Value, mlir::Value> sumBefore(mlir::Value mass,
                                                mlir::Value carried);
  MatrixView viewWeights();
  /// The weight of lane `number` of what is at `positions`.
  void storeWeight(const MatrixView &weights, unsigned row,
                   llvm::ArrayRef<LaneValue> positions, int64_t number,
                   mlir::Value weight);
  void storeWeights(const KeyTile &tile, const RowValues &tileWeights);
  /// Fills weights with zeros, before the launch, if some are of no tile.
  void clearWeights();
  /// Whether a row is there, and of the warps and blocks that have it this one
  /// is the first.
  mlir::Value storesFirst(mlir::Value isThere);

  //===--------------------------------------------------------------------===//
  // The best keys
  //===--------------------------------------------------------------------===//

  void clearKept();
  void emitSelected();
  void selectKeys(const KeyTile &tile, const RowValues &similarities);
  void offerKey(mlir::Value row, mlir::Value score, mlir::Value key);
  void insertKey(mlir::Value row, mlir::Value score, mlir::Value key);
  mlir::Value locateKept(mlir::Value place, mlir::Value row, bool isKey);
  mlir::Value loadKept(mlir::Value place, mlir::Value row, bool isKey);
  Values
  forEachPlace(mlir::ValueRange inits,
               llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body);
  void forOwnRow(llvm::function_ref<void(mlir::Value)> body);
  Values weighKept(unsigned row);
  Values gatherValues(unsigned row, mlir::ValueRange final);

  //===--------------------------------------------------------------------===//
  // Requests, lists, several key dimensions
  //===--------------------------------------------------------------------===//

  /// First and number of the rows of the request at hand, whatever starts hold.
  IterationBox::Rows readRequest(mlir::Value starts, unsigned dim);
  /// The keys of the request at hand, where these are packed.
  void takeRequestKeys();
  /// Launches a thread that says whether starts are as they must be.
  void launchStartsCheck();
  /// The index along the operand's dimension `position` for what lies at
  /// `place` along the op's: those of earlier requests come before.
  mlir::Value shiftPacked(unsigned number, unsigned position,
                          mlir::Value place);

  /// Rows that share a list of key blocks; 0 for all.
  int64_t getListRows();
  bool isPaged() const { return blocks && blocks->isPhysical(); }
  ListReader getListReader();
  /// The most key tiles that a query tile may meet, on the host.
  mlir::Value countListTiles();
  /// Launches the kernels that list the key tiles of each query tile, and check
  /// what lists hold.
  void launchLists();
  void freeLists();
  void writeList(mlir::Value number);
  /// The keys there are, along the innermost dimension; or the places.
  mlir::Value takePlaces();
  /// The part of thread `own` of list `number`.
  void checkList(mlir::Value number, mlir::Value own);
  void checkPages(mlir::Value first, mlir::Value extent);
  /// Whether key tiles of pages begin at multiples of theirs.
  virtual bool startsAtTiles() const { return false; }
  Values widenToTiles(mlir::ValueRange ranges);
  /// Whether any pair of a key tile is visible, and whether all are.
  std::pair<mlir::Value, mlir::Value> classifyTile(const WalkTile &tile);
  mlir::Value writeTile(const WalkTile &tile, mlir::Value isThere,
                        mlir::Value outer, mlir::Value base, mlir::Value count);
  std::unique_ptr<Walk> createListedWalk(mlir::Value places);
  /// The number of the list of query tile `tile` of the box at hand.
  mlir::Value numberList(mlir::Value tile);
  /// Reads what there is before the list of query tile `tile`.
  void takeHead(mlir::Value tile);
  KeyTile readKeyTile(mlir::Value at);
  /// The positions along the outer key row dimensions, of a number along them.
  llvm::SmallVector<mlir::Value> locateOuterKeys(mlir::Value number);
  mlir::Value getOuterExtent();
  mlir::Value getKeyExtent();
  /// The entries of the list at hand that keys at `place` are in, and their
  /// rows there.
  std::pair<LaneValue, LaneValue> locateLanes(LaneValue place);
  LaneValue inputPosition(unsigned number, unsigned position,
                          llvm::ArrayRef<LaneValue> positions);

  //===--------------------------------------------------------------------===//
  // Keys in several parts
  //===--------------------------------------------------------------------===//

  bool isSplit() const { return choice.getSplits() > 1; }
  /// Launches what is done with each part of the keys, of which `numBlocks`
  /// blocks have all, and what puts the parts together.
  void emitParts(mlir::Value numBlocks);
  void emitPart(Phase phase);
  void allocateStates();
  void freeStates();
  /// The keys of the part at hand.
  std::pair<mlir::Value, mlir::Value>
  takeSplit(mlir::ValueRange ranges, mlir::Value from, mlir::Value to);
  /// The number of a row of the block among all rows of all outer dimensions.
  mlir::Value numberRow(mlir::Value row);
  /// The entry of such a row in part `number`.
  mlir::Value locateState(mlir::Value number, mlir::Value row);
  mlir::Value loadState(unsigned which, mlir::Value number, mlir::Value row,
                        mlir::Value at);
  void storeStates(mlir::ValueRange state);
  void storeSums(mlir::ValueRange sums);
  /// What row `row` of the thread has in this part, behind `first` others.
  void storeStatistics(unsigned row, mlir::ValueRange own, int64_t first);
  /// What the keys of earlier parts have, by final weights.
  mlir::Value loadMassBefore(unsigned row);
  void storeKept();
  void takeKept();
  /// The statistics of a row, and behind them the sum of a channel, if one is
  /// given.
  Values mergeRow(mlir::Value allRow, mlir::Value channel);
  void mergeElement(mlir::Value allRow, mlir::Value channel);
  void mergeOwnRow(mlir::Value row, mlir::Value channel);
  void mergePackedRow(mlir::Value row, mlir::Value channel);
  void launchMerge();

  GenericOp op;
  GPUKernelAttr choice;
  GPUShared layout;
  ElementReader reader;

  DimensionClasses classes;
  /// Of query rows the innermost; behind all others if there is none. Likewise
  /// of keys, which may lie along outer ones, too.
  unsigned rowDim, keyDim, featureDim, channelDim;
  /// The dimensions of the rows of a block, `rowDim` first, whose position
  /// varies the least.
  llvm::SmallVector<unsigned> rowDims, outerKeyDims;
  /// All others, each position of which has blocks of its own; and those of
  /// them along which the keys that are met may differ.
  llvm::SmallVector<unsigned> outerDims, listDims;
  /// The lists of key blocks, where keys are given by them.
  std::optional<BlockList> blocks;
  /// Whether a kernel lists the key tiles that each query tile meets.
  bool isListed;
  /// Whether what are called similarities are scores.
  bool areScores = false;
  /// Whether warps that share rows have the scores of some keys each.
  bool divides;
  /// The keys that a thread has of a row of scores.
  int64_t lanes;
  mlir::FloatType accType;
  /// What is summed up; null or what tells weights by its mass; how many keys
  /// it weighs, 0 for all.
  AccumulateWeightingAttrInterface weighting;
  OrderedWeightingAttrInterface ordered;
  int64_t numKept = 0;
  llvm::SmallVector<Statistic> statistics;
  unsigned numScoreStatistics = 0;
  /// The factor on scores that is left to the weighting; null for one.
  mlir::Value scale;

  /// The extent of each dimension, and of one behind them: on the host, and
  /// where the request at hand has its own.
  llvm::SmallVector<mlir::OpFoldResult> wholeExtents, extents;
  mlir::Value numTiles, tileNumber;
  /// What the block has: one position of outer dimensions, some rows.
  IterationBox box;
  /// The first row of the block, an index, and how many there are, an i32.
  mlir::Value firstRow, numRows;
  /// The first of the warp's rows in the block, an i32, and which of those that
  /// share them it is, the first of its channels, and of its keys, i32, if
  /// there are others.
  mlir::Value warpRow, sharer, firstChannel, firstKey;
  /// Where a block has not all channels: the first it has, an index, how many
  /// there are, an i32, and whether it is the block that has the first of all.
  mlir::Value firstColumn, numColumns, hasFirst;
  /// The bytes from the first stage to that which is filled, or read, an i32;
  /// null for one stage.
  mlir::Value fillStage, readStage;
  /// The thread's rows: number (that of the last one where there is none), the
  /// position along each of `rowDims`, and whether there is one.
  RowValues rows, hasRow;
  std::array<Values, kThreadRows> rowPositions;
  /// Whether the thread stores what four threads and several warps have of a
  /// row.
  mlir::Value storesRows;
  /// By mapped operand, what no key changes, else null.
  llvm::SmallVector<RowValues> inputs;
  mlir::Value numKeys;
  /// Of each row, in a walk with final weights.
  std::array<Values, kThreadRows> finalStatistics, finalFactors;
  /// What the blocks of a launch do with parts of the keys; none if they have
  /// all keys.
  std::optional<Phase> part;
  /// Sums and statistics of all rows, by part, or the scores and keys that they
  /// keep, and how many rows there are; the part of the block and the number of
  /// its position in the outer dimensions.
  Values states;
  mlir::Value numAllRows, split, outerNumber;
  /// What is read where there is nothing to read; null where queries are.
  mlir::Value spare;
  /// Key tiles by list, as four i32 (first, count, whether full, nothing), with
  /// room for `capacity` in each; and what there is before a list: key tiles,
  /// the first of its entries in indices, and the number of keys.
  mlir::Value keyTiles, heads, capacity;
  /// The counts of the module; null where nothing is counted.
  mlir::Value counts;
  /// Of the list at hand: where it begins, the head, its last entry.
  mlir::Value listBase, listCount, listFirst, listEnd, listKeys, lastTile;
};

/// The forms.
std::unique_ptr<KernelEmitter> createMmaKernel(mlir::RewriterBase &rewriter,
                                               GenericOp op,
                                               GPUKernelAttr choice);
/// With `hasMaps` the host knows that its arrays have tensor maps.
std::unique_ptr<KernelEmitter> createWgmmaKernel(mlir::RewriterBase &rewriter,
                                                 GenericOp op,
                                                 GPUKernelAttr choice,
                                                 bool hasMaps);
/// Whether all arrays of an op that can have the form `wgmma` have tensor maps,
/// an i1, computed on the host.
mlir::Value checkMaps(mlir::OpBuilder &b, GenericOp op);
std::unique_ptr<KernelEmitter> createPlainKernel(mlir::RewriterBase &rewriter,
                                                 GenericOp op,
                                                 GPUKernelAttr choice);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_KERNELEMITTER_H
