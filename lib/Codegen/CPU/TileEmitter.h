//===- TileEmitter.h - Vector code for ops on tiles -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_TILEEMITTER_H
#define ATTN_LIB_CODEGEN_CPU_TILEEMITTER_H

#include "attn/Codegen/TileEmitter.h"
#include "attn/IR/Attn.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attn {

/// Attaches its emitter to a layout of the dialect. Each emitter's file
/// specializes it for its layout.
template <typename LayoutT> void attachTileEmitter(mlir::MLIRContext &context);

/// Replaces `attn.pack` on buffers by a blocked transposition, a converting
/// copy, or, for orders that are neither, a loop over elements.
mlir::LogicalResult emitPack(mlir::RewriterBase &rewriter, PackOp op,
                             const EmitOptions &options);

/// Replaces `attn.finish` on buffers: the accumulator is scaled, transposed
/// back and rounded.
mlir::LogicalResult emitFinish(mlir::RewriterBase &rewriter, FinishOp op,
                               const EmitOptions &options);

/// The same for an accumulator that lies row by row.
mlir::LogicalResult emitFinishRows(mlir::RewriterBase &rewriter, FinishOp op,
                                   const EmitOptions &options);

/// Replaces `attn.merge` on buffers with a layout: vector by vector of the
/// accumulator, all splits are rescaled and summed.
mlir::LogicalResult emitMerge(mlir::RewriterBase &rewriter, MergeOp op,
                              const EmitOptions &options);
/// Replaces `attn.replay` on buffers, lanes along rows; reports targets that
/// are neither stored nor contracted over keys.
mlir::LogicalResult emitReplay(mlir::RewriterBase &rewriter, ReplayOp op,
                               const EmitOptions &options);

/// The same, lanes along features; reports targets but one contracted over keys
/// and one stored.
mlir::LogicalResult emitReplayRows(mlir::RewriterBase &rewriter, ReplayOp op,
                                   const EmitOptions &options);

/// Replaces a fill of a contiguous static buffer by vector stores.
mlir::LogicalResult emitFill(mlir::RewriterBase &rewriter,
                             mlir::linalg::FillOp op,
                             const EmitOptions &options);

//===----------------------------------------------------------------------===//
// Helpers of the emitters
//===----------------------------------------------------------------------===//

/// A buffer seen as one row of elements, from some element of it on.
struct FlatBuffer {
  /// Of rank 1, with unit stride.
  mlir::Value memref;
  /// What a step along each dimension of the buffer adds to a position.
  llvm::SmallVector<mlir::Value> strides;
};

/// The buffer from the element at `start` on.
FlatBuffer flatten(mlir::OpBuilder &b, mlir::Location loc, mlir::Value buffer,
                   mlir::ValueRange start);

/// A loop from 0 to `extent` in steps of `unroll`, the body repeated `unroll`
/// times, then one for what remains (dropped where it is known to be nothing).
/// `body` gets a position, the product of the position and each of `strides`,
/// and the loop-carried values, and returns their next. The products are
/// carried along too: an address costs an addition, whatever the stride, and
/// nothing is left for strength reduction to find.
llvm::SmallVector<mlir::Value>
emitStridedLoop(mlir::OpBuilder &b, mlir::Location loc, mlir::Value extent,
                int64_t unroll, mlir::ValueRange strides,
                mlir::ValueRange inits,
                llvm::function_ref<llvm::SmallVector<mlir::Value>(
                    mlir::Value, mlir::ValueRange, mlir::ValueRange)>
                    body);

/// A loop from `from` to `to` without values; `body` gets the position.
void emitLoop(mlir::OpBuilder &b, mlir::Location loc, mlir::Value from,
              mlir::Value to, int64_t step,
              llvm::function_ref<void(mlir::Value)> body);

/// Transposes `rows`, as many vectors as each has lanes (a power of two), in
/// registers: log2 stages of two-source shuffles.
llvm::SmallVector<mlir::Value>
transposeInRegisters(mlir::OpBuilder &b, mlir::Location loc,
                     llvm::SmallVector<mlir::Value> rows);

/// The rows and columns of a square that is transposed in registers, where a
/// vector has `lanes` of `type`.
int64_t getTransposeBlock(mlir::Type type, int64_t lanes, int64_t vectorBits);

/// Turns rows of lanes into rows of columns, block by block. `load` gives a
/// block of lanes from `row` on of each of `columns`; `store` writes the
/// columns of some blocks from `column` on of one row, those that `mask`
/// allows, all if it is null.
struct TransposedTile {
  /// How many there are, and how many of them a block has.
  mlir::Value rows, columns;
  int64_t block;
  /// How many blocks of columns are written at once. Rows that lie far apart
  /// are written by whole lines of the cache, or each line comes and goes
  /// twice.
  int64_t columnBlocks = 1;
};
void emitTransposed(
    mlir::OpBuilder &b, mlir::Location loc, const TransposedTile &tile,
    llvm::function_ref<llvm::SmallVector<mlir::Value>(
        llvm::ArrayRef<mlir::Value> columns, mlir::Value row)>
        load,
    llvm::function_ref<void(mlir::Value vector, mlir::Value row,
                            mlir::Value column, mlir::Value mask)>
        store);

/// Stores a vector, converted to the buffer's elements, where `mask` allows it;
/// everywhere if it is null.
void storeElements(mlir::OpBuilder &b, mlir::Location loc, mlir::Value vector,
                   mlir::Value memref, mlir::ValueRange indices,
                   mlir::Value mask);

/// A buffer for one worker: allocated at the start of the innermost enclosing
/// parallel loop's body, or of the function. Deallocation comes later.
mlir::Value createWorkerScratch(mlir::OpBuilder &b, mlir::Operation *op,
                                mlir::MemRefType type);

/// A buffer on the stack, for the same. What is stored and loaded at constant
/// indices only becomes values.
mlir::Value createLocalScratch(mlir::OpBuilder &b, mlir::Operation *op,
                               mlir::MemRefType type);

/// What a step counts of the tiles, if it is to: key tiles looked at, computed
/// and full.
enum class TileCounter { LookedAt, Computed, Full };

/// Adds 1 to a counter, or `condition`, an i1, if it is given.
void emitTileCount(mlir::OpBuilder &b, mlir::Location loc, TileCounter counter,
                   mlir::Value condition = {});

/// Writes the log-sum-exp of `rows` query rows, a vector of them, where it may
/// lie at any stride.
void storeLogSumExp(mlir::OpBuilder &b, FinishOp op, mlir::Value lse,
                    mlir::Value rows);

/// The indices of a row and a channel of a tile in a result with `map`, which
/// may have further dimensions, of extent 1.
llvm::SmallVector<mlir::Value>
locateInResult(mlir::OpBuilder &b, mlir::Location loc, mlir::AffineMap map,
               mlir::Value row, mlir::Value channel);

/// The width in memory of an element, that of an index being 64; 0 for what is
/// neither a float, an integer nor an index.
int64_t getMemoryWidth(mlir::Type element);

/// Whether a vector of such elements lies in memory as the elements do one by
/// one. Elements narrower than a byte do not: they are packed in a vector.
bool liesAsVector(mlir::Type element);

/// The same buffer, its elements integers of as many bits as they have in
/// memory. LLVM has one type for both, so that the cast folds away.
mlir::Value viewAsStored(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Value buffer);

/// The first `count` of `size` lanes, as a vector of i1; `count` is an index
/// below 2^31.
mlir::Value createLaneMask(mlir::OpBuilder &b, mlir::Location loc, int64_t size,
                           mlir::Value count);

/// Whether neighbours along dimension `dim` are neighbours in memory.
bool isContiguousAlong(mlir::MemRefType type, unsigned dim);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_TILEEMITTER_H
