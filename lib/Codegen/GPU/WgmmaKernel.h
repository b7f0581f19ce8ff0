//===- WgmmaKernel.h - Kernels on products of warpgroups --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Warps beside those that have rows copy: one thread of them walks over the
// keys and has tiles copied by the unit that copies tensors, keys and values of
// as many tiles as there are stages. Of each stage, an mbarrier says that keys
// are there, another that all warps have used them; values have two as well.
// The other warps, in warpgroups, do for each tile but the first:
//
//   wait for its keys; begin its similarities
//   wait for the values of the tile before; begin to add these, weighted
//   wait for the similarities; keys are used
//   statistics and weights, while the unit of products works
//   wait for the sums; values are used; rescale the sums
//
// The first tile begins with its similarities, the last ends with its sums.
// Both kinds of warps go through the query tiles of the block, the stages being
// a ring across them. Where queries lie the output is, in the end, and leaves
// as a tensor; so a query tile without keys has that place in its turn, too.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_WGMMAKERNEL_H
#define ATTN_LIB_CODEGEN_GPU_WGMMAKERNEL_H

#include "KernelEmitter.h"

namespace attn {

/// Elements of a swizzled row, and its bytes.
inline constexpr int64_t kRowElements = 64, kRowBytes = 128;
/// Registers are given to groups of four warps: those that copy, of which one
/// thread does, leave theirs to the others, which begin with as many as all
/// have room for.
/// A walk over lists, or over query tiles as well, needs more.
inline constexpr int64_t kCopyWarps = 4;
inline constexpr int32_t kCopyRegisters = 24, kRowRegisters = 240;
inline constexpr int32_t kLongCopyRegisters = 40, kRowRegistersBesideLong = 232;
/// The warps that multiply together.
inline constexpr int64_t kGroupWarps = 4;
/// The barrier at which the threads that have rows meet, and the first of those
/// at which the threads of a warpgroup do.
inline constexpr int32_t kRowBarrier = 1, kGroupBarrier = 2;

/// What an mbarrier is about.
enum class Event { KeysFull, KeysEmpty, ValuesFull, ValuesEmpty };

/// A kernel of the form `wgmma`.
class WgmmaKernel final : public KernelEmitter {
public:
  WgmmaKernel(mlir::RewriterBase &rewriter, GenericOp op, GPUKernelAttr choice,
              bool hasMaps)
      : KernelEmitter(rewriter, op, choice), hasMaps(hasMaps),
        element(getElementTypeOrSelf(op.getQuery().getType())),
        storedRows(countStoredRows(op, choice)) {}

private:
  /// What is carried from one query tile to the next: the place of the first
  /// tile, and the parity of the queries' use. Empty if there is one.
  Values beginRing() { return isPersistent() ? Values(3, i32(0)) : Values(); }
  Place getPlace(mlir::ValueRange ring) {
    return ring.empty() ? Place{i32(0), i32(0)} : Place{ring[0], ring[1]};
  }
  mlir::Value getQueryParity(mlir::ValueRange ring) {
    return ring.empty() ? i32(0) : ring[2];
  }
  Values advanceRing(mlir::ValueRange ring, const Place &place);

  bool copiesAsync() const override { return true; }
  bool checksAlignment() const override { return !hasMaps; }
  int64_t getNumOtherWarps() const override { return kCopyWarps; }
  bool startsAtTiles() const override { return blocks.has_value(); }
  bool weighsOnce() const override { return true; }
  void prepareLaunch() override;
  void emitKernel(mlir::Value numBlocks) override;
  void storeRow(const MatrixView &output, unsigned row, mlir::ValueRange sums,
                mlir::ValueRange factors) override;

  // Tiles are not copied by the threads that use them.
  void copyQueries() override {}
  void copyKeys(const KeyTile &) override {}
  void copyValues(const KeyTile &) override {}
  RowValues emitSimilarities(const KeyTile &) override { return {}; }
  Values addValues(mlir::ValueRange sums, const RowValues &, const RowValues &,
                   mlir::Value) override {
    return Values(sums);
  }

  bool isPersistent() const { return choice.getBlocks() > 0; }
  int64_t getNumThreads() const { return 32 * choice.getWarps(); }
  int64_t getNumGroups() const { return choice.getWarps() / kGroupWarps; }
  /// The number of the warpgroup, an i32.
  mlir::Value getGroup();
  /// The rows of 64 elements that features, or channels, take.
  int64_t countParts(unsigned operand) {
    return llvm::divideCeil(operand == 2 || operand == op.getOutputIndex()
                                ? layout.channels
                                : layout.features,
                            kRowElements);
  }
  /// What a tile of an operand has along dimension `dim` of the op, and all its
  /// rows.
  int64_t getTileExtent(unsigned operand, unsigned dim);
  int64_t countTileRows(unsigned operand);
  mlir::Value createMap(unsigned operand);
  llvm::SmallVector<unsigned> getMapOrder(unsigned operand);
  /// The address of the map of an operand, `number` among the maps.
  mlir::Value getMap(unsigned number);
  /// Where a tile begins, the innermost dimension first, but for that one.
  Values locateRows(unsigned operand,
                    llvm::function_ref<mlir::Value(unsigned)> locate);
  void copyQueryTile();
  /// Where the keys of a tile lie: the number of the first or, of blocks, the
  /// entry of each that is copied, and the first key within, if a block has
  /// several tiles.
  Values locateKeys(const KeyTile &tile);
  void copyKeyTile(unsigned operand, mlir::ValueRange keys, mlir::Value to,
                   mlir::Value barrier);
  void storeOutputTile();
  void groupBarrier();

  mlir::Value getBarrier(Event event, mlir::Value stage);
  mlir::Value getQueryFull() { return shared(layout.barriers); }
  mlir::Value getQueryEmpty() {
    return shared(layout.barriers + 8 * (1 + 4 * choice.getStages()));
  }
  /// The keys, or values, of a stage.
  mlir::Value getKeys(mlir::Value stage) {
    return shared(layout.keys, multiply(stage, i32(layout.stageBytes)));
  }
  mlir::Value getValues(mlir::Value stage) {
    return shared(layout.values, multiply(stage, i32(layout.stageBytes)));
  }
  Place getNext(const Place &place) {
    return KernelBuilder::getNext(place, choice.getStages());
  }

  void initBarriers();
  /// The query tiles of the block, one after the other.
  Values forEachTile(mlir::ValueRange inits,
                     llvm::function_ref<Values(mlir::ValueRange)> body);
  mlir::Value orderTile(mlir::Value number);
  /// A query tile, as the thread that copies has it, or those that have rows;
  /// gives the ring.
  Values produce(mlir::ValueRange ring);
  Values consume(mlir::ValueRange ring);
  /// The state of each row behind all keys, then the ring.
  Values walk(mlir::ValueRange ring);
  void finish(mlir::ValueRange state);
  Values beginSimilarities(const Place &place);
  Values beginSums(mlir::ValueRange sums, mlir::ValueRange words,
                   const Place &place);
  /// The weights of a tile, rounded.
  Values packAll(const RowValues &weights);
  /// Adds what a product must not.
  Values addNotFinite(mlir::ValueRange sums, mlir::ValueRange words,
                      const KeyTile &keys, mlir::Value isPartial,
                      const Place &place);
  mlir::Value findNotFinite(mlir::Value values);
  Values addPairs(mlir::ValueRange sums, mlir::ValueRange words,
                  const KeyTile &keys, mlir::Value values);
  void clearNotFinite(mlir::Value values);
  /// The lower half of a word, an `element`, as f32.
  mlir::Value toFloat(mlir::Value word);
  Values
  forOwnWords(mlir::Value values, mlir::ValueRange inits,
              llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body);

  bool hasMaps;
  mlir::Type element;
  /// As `countStoredRows`.
  int64_t storedRows;
  /// Of queries, keys, values and output.
  Values maps;
  /// The number of the warpgroup as `getGroup`, where it is the same for a warp
  /// by what it comes from.
  mlir::Value warpGroup;
  /// The blocks that there are, and would be with a query tile to each; how
  /// many of these are of a query tile.
  mlir::Value grid, numTurns, numOuter;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_WGMMAKERNEL_H
