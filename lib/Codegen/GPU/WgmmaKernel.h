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
inline constexpr int64_t kCopyWarps = 4;
inline constexpr int32_t kCopyRegisters = 24, kRowRegisters = 240;
/// The barrier at which the threads that have rows meet.
inline constexpr int32_t kRowBarrier = 1;

/// What an mbarrier is about.
enum class Event { KeysFull, KeysEmpty, ValuesFull, ValuesEmpty };

/// A kernel of the form `wgmma`.
class WgmmaKernel final : public KernelEmitter {
public:
  WgmmaKernel(mlir::RewriterBase &rewriter, GenericOp op, GPUKernelAttr choice)
      : KernelEmitter(rewriter, op, choice),
        element(getElementTypeOrSelf(op.getQuery().getType())) {}

private:
  /// A stage of the ring of tiles, and the parity of its use, i32.
  struct Place {
    mlir::Value stage, parity;
  };

  bool copiesAsync() const override { return true; }
  int64_t getNumOtherWarps() const override { return kCopyWarps; }
  void prepareLaunch() override;
  void emitRows() override;

  // Tiles are not copied by the threads that use them.
  void copyQueries() override {}
  void copyKeys(const KeyTile &) override {}
  void copyValues(const KeyTile &) override {}
  RowValues emitSimilarities(const KeyTile &) override { return {}; }
  Values addValues(mlir::ValueRange sums, const RowValues &, const RowValues &,
                   mlir::Value) override {
    return Values(sums);
  }

  int64_t getNumThreads() const { return 32 * choice.getWarps(); }
  /// The rows of 64 elements that features, or channels, take.
  int64_t countParts(unsigned operand) const {
    return llvm::divideCeil(operand == 2 ? layout.channels : layout.features,
                            kRowElements);
  }
  mlir::Value createMap(unsigned operand, unsigned rowDim, int64_t rows);
  void copyTile(unsigned operand, mlir::Value first, int64_t rows,
                mlir::Value to, mlir::Value barrier);

  mlir::Value getBarrier(Event event, mlir::Value stage);
  mlir::Value getQueryBarrier() { return shared(layout.barriers); }
  /// The keys, or values, of a stage.
  mlir::Value getKeys(mlir::Value stage) {
    return shared(layout.keys, multiply(stage, i32(layout.stageBytes)));
  }
  mlir::Value getValues(mlir::Value stage) {
    return shared(layout.values, multiply(stage, i32(layout.stageBytes)));
  }
  Place getNext(const Place &place);
  void arriveAsWarp(mlir::Value barrier);

  void initBarriers();
  void produce();
  Values consume();
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

  mlir::Type element;
  std::array<mlir::Value, 3> maps;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_WGMMAKERNEL_H
