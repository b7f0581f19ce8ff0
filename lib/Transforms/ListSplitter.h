//===- ListSplitter.h - Loops over lists of key blocks ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TRANSFORMS_LISTSPLITTER_H
#define ATTN_LIB_TRANSFORMS_LISTSPLITTER_H

#include "attn/Analysis/KernelFit.h"
#include "attn/Tiling/IterationBox.h"
#include "attn/Tiling/ListReader.h"
#include "attn/Transforms/Transforms.h"

namespace attn {

/// Writes the loops over lists, and over the entries of each, with steps that
/// know nothing of lists. What is in pages is taken page by page, so that no
/// step has a dimension of pages.
class ListSplitter {
public:
  ListSplitter(mlir::OpBuilder &builder, AttentionOpInterface op)
      : b(builder), loc(op.getLoc()), op(op), blocks(*BlockList::of(op)),
        classes(op.getDimensionClasses()), box(IterationBox::whole(b, op)),
        whole(box.extents), ragged(getRaggedDims(op)),
        generic(llvm::dyn_cast<GenericOp>(op.getOperation())),
        isFinal(generic && needsFinalWeights(generic)) {
    for (unsigned dim = 0, e = op.getNumDims(); dim < e; ++dim)
      if (blocks.dependsOn(dim) || (ragged && ragged->request == dim))
        listDims.push_back(dim);
  }

  SplitList run();

private:
  using Values = llvm::SmallVector<mlir::Value>;
  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  mlir::Value toValue(mlir::OpFoldResult size) {
    return getValueOrCreateConstantIndexOp(b, loc, size);
  }
  /// A loop that carries `inits`.
  Values loop(mlir::Value from, mlir::Value to, int64_t step,
              mlir::ValueRange inits,
              llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body);
  /// min(size, to - from).
  mlir::OpFoldResult clip(int64_t size, mlir::OpFoldResult from,
                          mlir::OpFoldResult to);
  /// Loops over the positions of the dimensions from number `number` on that
  /// decide the list; `state` is that of the whole op.
  Values forEachList(mlir::ValueRange state, unsigned number);
  /// Moves the box to the rows of the request at hand.
  void takeRequest(mlir::Value request);
  /// The steps of the list at hand.
  Values walkList(mlir::ValueRange state);
  /// A loop over its entries from `first` to `end`, `body` at the block of
  /// each.
  Values forEachBlock(const ListReader &reader, mlir::Value first,
                      mlir::Value end, mlir::ValueRange inits,
                      llvm::function_ref<Values(mlir::ValueRange)> body);
  /// The same where weights have to be final: the statistics in one walk, sums
  /// by them, and the weights that are asked for, in place of those of
  /// `slices`, in another. Returns the state, then the weights.
  Values walkTwice(const ListReader &reader, mlir::Value first, mlir::Value end,
                   mlir::ValueRange slices);
  /// Of an op that is no step: the state before the first, of the rows at hand,
  /// and what the last one becomes in place of `slices`.
  Values createState();
  Values finish(mlir::ValueRange state, mlir::ValueRange slices,
                mlir::Value keys);
  /// The first entry of the list at hand, and the one behind the last that
  /// holds keys of it.
  std::pair<mlir::Value, mlir::Value> readBounds(const ListReader &reader);
  /// The keys of a list: all of its blocks, or those that its request counts.
  mlir::Value countListed(mlir::Value first, mlir::Value end);
  /// The keys of the rows at hand, as a weighting is told.
  mlir::Value countKeys(mlir::Value first, mlir::Value end);
  /// Moves the box to entry `at` of the list, and positions with it.
  void takeBlock(const ListReader &reader, mlir::Value at, mlir::Value first);
  Values createStep(mlir::ValueRange state);
  /// A step by finished `statistics` of rows of `keys` keys, a float: its
  /// weights are its scores.
  Values createFinalStep(mlir::ValueRange carried, mlir::ValueRange statistics,
                         mlir::Value keys);
  /// Makes the finished weight of the score that `part` has, whose regions have
  /// `rowOperands` as last arguments.
  void finishScore(GenericOp part, size_t rowOperands, mlir::Value keys);
  /// The maps of accumulator and statistics.
  llvm::SmallVector<mlir::AffineMap> getStateMaps();
  /// Where the box lies in mapped operand `index`.
  void locate(unsigned index, llvm::SmallVectorImpl<mlir::OpFoldResult> &from,
              llvm::SmallVectorImpl<mlir::OpFoldResult> &extents);
  /// What the box has of mapped operand `index`, `value`, as a step takes it.
  mlir::Value take(unsigned index, mlir::Value value);
  /// A map of the op in a step, of which a page is no dimension, nor a request
  /// where queries are packed.
  mlir::AffineMap toStep(mlir::AffineMap map);
  bool isDropped(unsigned dim) const {
    return (blocks.isPhysical() && dim == classes.keyRows.front()) ||
           (ragged && ragged->queryRow && dim == ragged->request);
  }
  /// Where the weights of a block lie among those of the rows at hand.
  void locateWeights(mlir::Value weights,
                     llvm::SmallVectorImpl<mlir::OpFoldResult> &from,
                     llvm::SmallVectorImpl<mlir::OpFoldResult> &extents);
  unsigned getWeightsIndex() {
    return op.getOutputIndex() + (generic.getLse() ? 2 : 1);
  }
  void cloneBody(mlir::Region &from, mlir::Region &to);

  mlir::OpBuilder &b;
  mlir::Location loc;
  AttentionOpInterface op;
  BlockList blocks;
  DimensionClasses classes;
  IterationBox box;
  llvm::SmallVector<mlir::OpFoldResult> whole;
  std::optional<RaggedDims> ragged;
  /// The op if it is no step, and whether its weights have to be final.
  GenericOp generic;
  bool isFinal;
  llvm::SmallVector<unsigned> listDims;
  /// Which key the first of the block at hand is.
  mlir::OpFoldResult position;
  /// How many keys the list at hand has, if not all of its blocks.
  mlir::Value numListed;
  llvm::SmallVector<AttentionOpInterface> steps;
  FinishOp last;
};

} // namespace attn

#endif // ATTN_LIB_TRANSFORMS_LISTSPLITTER_H
