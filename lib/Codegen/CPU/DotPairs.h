//===- DotPairs.h - Two products of bf16 at once ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A dot pair is two bf16 in an i32, the first in the lower half, as neighbours
// in memory are. A lane of pairs times a lane of pairs is two products, which
// are added to a lane of f32. Vectors of pairs are vectors of i32 everywhere:
// LLVM keeps those in registers, but bf16 that live across blocks on the stack.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_DOTPAIRS_H
#define ATTN_LIB_CODEGEN_CPU_DOTPAIRS_H

#include "TileEmitter.h"

namespace attn {

/// What an op on a tile of pairs in `layout` asks for that there is no emitter
/// for; reports an error.
mlir::LogicalResult checkDotPairs(AttentionOpInterface op,
                                  LayoutAttrInterface layout);

/// `sum` plus the products of the pairs of `left`, one pair or one per lane,
/// and `right`. The instruction adds the second product first, each with a
/// rounding of its own, and takes what is not normal, in and out, for 0; where
/// the target has none, multiplications and additions of f32 do the same
/// without the latter.
mlir::Value emitDotPairs(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Value left, mlir::Value right, mlir::Value sum,
                         const EmitOptions &options);

/// The pairs with only the first or only the second element, the other 0.
mlir::Value keepHalf(mlir::OpBuilder &b, mlir::Location loc, mlir::Value pairs,
                     bool second);

/// Pairs of an element of `first` and one of `second`, vectors of i16: of all,
/// or of `count` from `from` on.
mlir::Value interleaveDotPairs(mlir::OpBuilder &b, mlir::Location loc,
                               mlir::Value first, mlir::Value second);
mlir::Value interleaveDotPairs(mlir::OpBuilder &b, mlir::Location loc,
                               mlir::Value first, mlir::Value second,
                               int64_t from, int64_t count);

/// The same of f32, rounded to bf16; the instruction takes and gives 0 for what
/// is not normal.
mlir::Value roundToDotPairs(mlir::OpBuilder &b, mlir::Location loc,
                            mlir::Value first, mlir::Value second,
                            const EmitOptions &options);

/// The same, of neighbours in a vector of an even number of lanes.
mlir::Value roundToNeighbors(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value elements, const EmitOptions &options);

/// The pair of two neighbours in memory, from `indices` on, in a buffer that
/// `viewAsStored` shows.
mlir::Value loadDotPair(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value buffer, mlir::ValueRange indices);

/// The pair of two scalars of i16.
mlir::Value combineDotPair(mlir::OpBuilder &b, mlir::Location loc,
                           mlir::Value first, mlir::Value second);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_DOTPAIRS_H
