//===- FusedAttention.h - Attention in one pass or two ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TILING_FUSEDATTENTION_H
#define ATTN_LIB_TILING_FUSEDATTENTION_H

#include "Nest.h"
#include "Operands.h"
#include "attn/IR/BlockList.h"
#include "attn/Tiling/ListReader.h"
#include "attn/Tiling/Walk.h"

namespace attn {

/// Puts together nest, walk and operands for one `attn.generic` that fits the
/// kernel and has query rows.
///
/// In a worker of one query tile, a walk over key tiles. In one of several, a
/// walk over key tiles, and in it a loop over the query tiles, each of which
/// walks what it sees of the tile: keys and values come from far once for all
/// query tiles of a block, and what is packed of them is packed once. Of
/// several key row dimensions the outer ones are walked row by row.
///
/// Where keys are given by lists of blocks, a worker has one list, and all of
/// this happens in each of its blocks in turn; or, of small ones, in the places
/// of the list, several blocks to a tile.
///
/// Where weights have to be final when they are used, keys are walked twice:
/// for the statistics, then with these finished.
///
/// What the key loop reads again and again is packed: queries once per query
/// tile, inputs over both rows once per key tile. Rows of several query row
/// dimensions are one dimension of a tile.
class FusedAttention {
public:
  /// With `ordered`, the weights of `op` are the mass of that weighting.
  FusedAttention(mlir::RewriterBase &rewriter, GenericOp op,
                 OrderedWeightingAttrInterface ordered, const TileSizes &sizes,
                 bool countTiles, const RequestFilter &filter);

  /// The results of the loops, in front of the op.
  mlir::ValueRange run();

private:
  using Values = llvm::SmallVector<mlir::Value>;
  /// Keys and values that the query tiles of a block share: `tile`, its rows
  /// from `first` to `limit`. They see nothing else. A part that is read in
  /// place is null.
  struct SharedKeys {
    WalkTile tile;
    mlir::Value first, limit;
    OperandPart keys, values;
  };

  /// The tiles that a step reads, in operand order, and the scale that is left
  /// to it.
  struct Tiles {
    llvm::SmallVector<OperandPart> parts;
    Values values;
    double scale;
  };
  using TakeState = llvm::function_ref<Values(mlir::ValueRange, mlir::Value)>;
  using PutState = llvm::function_ref<void(llvm::MutableArrayRef<mlir::Value>,
                                           mlir::ValueRange, mlir::Value)>;

  mlir::Value index(int64_t value);
  mlir::Value toValue(mlir::OpFoldResult size);
  /// The extent of a buffer with `times` entries of `extent`, an extent of the
  /// whole op.
  mlir::OpFoldResult repeat(mlir::OpFoldResult extent, int64_t times);

  /// Parts of all operands at this worker; what spans query rows or keys is yet
  /// to be cut into tiles.
  void takeOperands();
  /// The whole extent of the keys is that of the request at hand.
  void takeRequest();
  /// Packs the operands that do not depend on keys for the query tile at hand.
  void packQueryTile();
  /// The same for all query tiles of a block, into a buffer each.
  void packBlock();
  /// Takes those of query tile `tile` from the buffers.
  void takePacked(mlir::Value tile);

  /// The extents of part `index` of a state, an accumulator (0) or a statistic,
  /// and the type of its elements.
  llvm::SmallVector<mlir::OpFoldResult> getStateExtents(size_t index);
  mlir::Type getStateElement(size_t index);
  /// An accumulator and a row per statistic, for `tiles` query tiles.
  Values emitInitialState(int64_t tiles);
  /// One query tile, all its keys; returns the finished slices of the inits.
  Values emitQueryTile(mlir::ValueRange slices);
  /// Several query tiles, key tile by key tile; likewise.
  Values emitQueryBlock(mlir::ValueRange slices);
  /// The walk of a block over the keys that its query tiles share, and for each
  /// tile of keys over the query tiles. `take` gives the state of a query tile
  /// of what the block carries, `put` puts the next one in its place.
  Values walkBlock(mlir::ValueRange inits, TakeState take, PutState put);
  /// Output and log-sum-exp of a query tile; other slices are as they were.
  Values emitFinish(mlir::ValueRange state, mlir::ValueRange slices);

  /// The workers of splits, each of which leaves its state; then those that
  /// merge and finish the states.
  mlir::ValueRange runSplits();
  mlir::OpFoldResult countSplits();
  /// The keys of split `number` of the query tile at hand, of `count`: a like
  /// share of those between the first and the last that any of its rows sees.
  void takeSplit(mlir::Value number, mlir::OpFoldResult count);
  /// Where the state of the worker at hand, or those of all splits of it, lie
  /// among the states: (outer dimensions, blocks, splits, the state's own).
  void locateState(mlir::Value states, unsigned numOwn,
                   mlir::OpFoldResult split, mlir::OpFoldResult numSplits,
                   llvm::SmallVectorImpl<mlir::OpFoldResult> &from,
                   llvm::SmallVectorImpl<mlir::OpFoldResult> &extents);
  Values mergeStates(mlir::ValueRange states, mlir::OpFoldResult count);
  /// Whether weights have to be final when they are used.
  bool isReplayed();
  /// The mass before the first key, for `tiles` query tiles.
  mlir::Value emitNoMass(int64_t tiles);
  /// Whether keys are selected, and values read once that is done.
  bool gathersValues();
  /// Calls `body` with no channels at hand where values are not read by it.
  void forWalk(llvm::function_ref<void()> body);
  /// Which key the first of the tile at hand is, for steps that ask.
  mlir::Value emitPosition();
  /// Whether a first walk is needed for statistics.
  bool needsStatistics();
  /// The position of the weights among the inits.
  unsigned getWeightsIndex();
  /// Runs `body` with no channels at hand: nothing is accumulated.
  void withoutChannels(llvm::function_ref<void()> body);
  /// Whether the walk at hand leaves out pairs whose weights are asked for.
  bool leavesGaps();
  /// Whether weights may have room for keys that a row has not: those that no
  /// list of blocks names, or beyond a request's own.
  bool mayLackKeys();
  /// A slice of the weights, zero in that case.
  mlir::Value clearUnlisted(mlir::Value slice);
  /// `state` of the walk with the weights of keys [from, to) of the query tile
  /// at hand, or of the block, set to zero; none where `from` is behind `to`.
  Values clearGap(mlir::ValueRange state, mlir::Value from, mlir::Value to);
  /// `walk` over `ranges` within [from, to), and zeros for the weights of the
  /// keys that it leaves out.
  Values walkAndClear(Walk &walk, mlir::ValueRange ranges, mlir::Value from,
                      mlir::Value to, mlir::ValueRange inits);
  /// Where the weights of the key tile at hand lie in those of the query tile.
  void locateWeights(llvm::SmallVectorImpl<mlir::OpFoldResult> &from,
                     llvm::SmallVectorImpl<mlir::OpFoldResult> &extents);

  /// Finds the list of key blocks of the worker at hand, if keys are given by
  /// lists.
  void takeList();
  /// The number of keys in that list, in its blocks if all were whole, and in
  /// the rows of the worker.
  mlir::Value countPlaces();
  mlir::Value countListed();
  mlir::Value countKeys();
  /// The keys of the request at hand, which its list holds.
  mlir::Value countRequestKeys();
  ListReader getReader();
  /// Entry `at`; and the same, checked.
  mlir::Value readListed(mlir::Value at);
  mlir::Value readEntry(mlir::Value at);
  void takeBlock(mlir::Value at, mlir::Value entry);
  /// A loop over the entries of the list at hand, `body` in the block of each.
  Values forEachBlock(mlir::ValueRange inits,
                      llvm::function_ref<Values(mlir::ValueRange)> body);

  /// Whether a key tile is of several blocks, copied next to each other.
  bool gathersKeys();
  /// Whether, besides, its places are no positions.
  bool walksPlaces();
  /// How many keys of the last block of the list there are not; null for none.
  mlir::Value countLackingKeys();
  /// Checks all entries of the list at hand, where places are walked.
  void checkList();
  /// The position of a place of the list.
  mlir::Value locatePlace(mlir::Value place);
  /// The keys at the places that are selected; no key stays none.
  mlir::Value locateSelected(mlir::Value places);
  /// The key tile at hand of parts that vary by key, as the layout stores it.
  llvm::SmallVector<OperandPart> gatherKeys(llvm::ArrayRef<OperandPart> wanted);
  /// The number of keys or places that a walk of the worker may visit.
  mlir::Value countWalked();
  /// Whether the mask says which of them can be visible at all.
  bool hasRanges();

  /// Keys and values of a page that comes later, as the layout has them; null
  /// where they are not worth bringing near.
  std::array<mlir::Value, 2> takeAhead();
  /// Where the key at `position` is read.
  mlir::OpFoldResult locateKey(mlir::OpFoldResult position);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value left,
                      mlir::Value right);
  /// `size`, but 0 for a worker without rows, of requests that are packed, or
  /// whose request is filtered out.
  mlir::Value dropIfIdle(mlir::Value size);

  /// A loop over each outer key row dimension, or over the blocks of a list,
  /// and `body` in the innermost.
  Values forEachOuterKey(mlir::ValueRange inits,
                         llvm::function_ref<Values(mlir::ValueRange)> body,
                         unsigned number = 0);
  /// The walk over what the query tile at hand sees of the innermost key row
  /// dimension, or of the keys that it shares.
  Values walkKeys(mlir::ValueRange inits);
  /// The same over `ranges` (begin, end)* within [from, to).
  std::unique_ptr<Walk> createWalk(mlir::ValueRange ranges, mlir::Value from,
                                   mlir::Value to);
  /// The end of a range, within the request at hand.
  mlir::Value clip(mlir::Value end);
  /// States how many keys the worker goes over.
  void emitCost();
  /// min(max(bound, from), to).
  mlir::Value clamp(mlir::Value bound, mlir::Value from, mlir::Value to);
  /// First and end of the keys that any row of the query tiles at hand sees.
  std::pair<mlir::Value, mlir::Value> emitKeyHull();
  /// One key tile; returns the updated state.
  Values emitKeyTile(const WalkTile &tile, mlir::ValueRange state);
  Tiles takeTiles();
  /// The second walk's step, with `finished` statistics: the accumulator, the
  /// weights if they are asked for, the mass so far if keys are in order.
  Values emitReplay(mlir::ValueRange state, mlir::Value full);
  /// The step of the walk at hand.
  Values emitStep(mlir::ValueRange state, mlir::Value full) {
    return isFinal ? emitReplay(state, full) : emitOnline(state, full);
  }
  /// The online step; `full`, if given, tells that every pair is visible.
  Values emitOnline(mlir::ValueRange state, mlir::Value full);
  /// Keys or values of the tile at hand.
  OperandPart takeKeys(const OperandPart &part, const OperandPart &shared);
  /// Copies a region of the op into that of the online step, whose `inputs` may
  /// be packed.
  void cloneBody(mlir::Region &from, mlir::Region &to,
                 mlir::ValueRange inputs);

  mlir::RewriterBase &b;
  mlir::Location loc;
  GenericOp op;
  OrderedWeightingAttrInterface ordered;
  const TileSizes &sizes;
  bool countTiles;
  RequestFilter filter;
  DimensionClasses classes;
  Operands operands;
  /// What is at hand: a worker, a query tile, a key tile.
  IterationBox box;
  /// Whether requests have keys or rows of their own number.
  bool isRagged() {
    return op.getQueryStarts() || op.getKeyStarts() || filter.starts;
  }

  /// The extents of the whole op; in a worker, of keys that of its request.
  llvm::SmallVector<mlir::OpFoldResult> wholeExtents;
  std::optional<Nest> nest;
  std::optional<SharedKeys> shared;
  /// Splits begin at multiples of so many keys from the first: blocks of keys
  /// that fill vectors.
  static constexpr int64_t kPartMultiple = 64;
  /// The split at hand: its keys, and whether they fill key tiles.
  struct Split {
    mlir::Value first, limit;
    bool whole;
  };
  std::optional<Split> split;
  /// The lists of key blocks, where keys are given by them.
  std::optional<BlockList> blocks;
  /// The list of the worker at hand: its first entry, and the one behind it.
  struct List {
    mlir::Value first, end;
    /// The number of keys, where they need not fill the last block.
    mlir::Value count;
  };
  std::optional<List> list;
  /// The keys of the block at hand: their positions, how far these are from
  /// where they are read (null for not at all), and whether they fill tiles.
  struct Block {
    mlir::Value first, limit, shift;
    /// Of logical blocks, how far positions are ahead of places.
    mlir::Value lead;
    bool whole;
    /// Of pages, the entry of one that comes later.
    mlir::Value ahead;
  };
  std::optional<Block> block;
  /// Keys and values at this worker, all pages.
  std::array<OperandPart, 2> pages;
  /// Whether weights are final, by the statistics of the query tile at hand.
  bool isFinal = false;
  Values finished;
  /// Which row the first of the key tile at hand is.
  mlir::OpFoldResult keyPosition;
  /// By mapped operand: its part at this worker, the tile of it that is packed
  /// ahead of the keys, and the buffer of those of a block.
  llvm::SmallVector<OperandPart> parts, packed;
  llvm::SmallVector<mlir::Value> buffers;
};

} // namespace attn

#endif // ATTN_LIB_TILING_FUSEDATTENTION_H
