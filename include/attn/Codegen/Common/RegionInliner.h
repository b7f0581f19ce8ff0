//===- RegionInliner.h - Regions evaluated in lanes -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a region of an attention op computes for one pair becomes code that
// computes it for all lanes of a tile at once. Targets differ in arguments
// only: in the elements, in where the lanes lie (a position for each dimension
// of the op), in which lanes are asked for, and in how lanes read memory.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_COMMON_REGIONINLINER_H
#define ATTN_CODEGEN_COMMON_REGIONINLINER_H

#include "attn/Codegen/Common/LaneValue.h"
#include "attn/IR/Attn.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace attn {

/// How a target reads a buffer at indices that differ by lane.
class LaneReader {
public:
  virtual ~LaneReader() = default;

  /// The element of `buffer` that each lane's indices name, as a vector of all
  /// lanes. Lanes that `mask`, a vector of i1, does not allow read nothing and
  /// are zero; all are allowed if it is null.
  virtual mlir::Value read(LaneBuilder &lanes, mlir::Value buffer,
                           llvm::ArrayRef<LaneValue> indices,
                           mlir::Value mask) const = 0;
};

/// The lanes in which a region is asked for.
struct LanePredicate {
  /// A vector of i1; null for all.
  mlir::Value lanes;
  /// Whether there may be no such lane for the key row at hand; for some key
  /// row of the tile there is, and else the first lane is one.
  bool mayBeEmpty = false;
};

/// Evaluates regions of attention ops and bodies of structured ops over
/// `numLanes` lanes.
class RegionInliner : public LaneBuilder {
public:
  RegionInliner(mlir::OpBuilder &builder, mlir::Location loc, int64_t numLanes,
                const LaneReader &reader)
      : LaneBuilder(builder, loc, numLanes), reader(reader) {}

  /// Inlines `region` and returns what it yields. `arguments` are the values of
  /// the block arguments, `positions` those of `attn.index`, dimension by
  /// dimension. Reads are done in the lanes of `predicate` only; what other
  /// lanes yield has no meaning.
  LaneValue inlineRegion(mlir::Region &region,
                         llvm::ArrayRef<LaneValue> arguments,
                         llvm::ArrayRef<LaneValue> positions,
                         LanePredicate predicate);

  /// The same for all that the terminator of `body` is given. Positions are
  /// those of `linalg.index`, too.
  llvm::SmallVector<LaneValue> inlineBlock(mlir::Block &body,
                                           llvm::ArrayRef<LaneValue> arguments,
                                           llvm::ArrayRef<LaneValue> positions,
                                           LanePredicate predicate);

private:
  /// The results of one op.
  llvm::SmallVector<LaneValue> emit(mlir::Operation &op,
                                    llvm::ArrayRef<LaneValue> operands,
                                    LanePredicate predicate);
  /// The affine form of an integer op, if it has one.
  std::optional<LaneValue> emitAffine(mlir::Operation &op,
                                      llvm::ArrayRef<LaneValue> operands);
  /// The near form of an addition, a minimum or a maximum of positions, if one
  /// operand is uniform.
  std::optional<LaneValue> emitNear(mlir::Operation &op,
                                    llvm::ArrayRef<LaneValue> operands);
  /// A signed comparison of positions, affine or near ones, in 32-bit lanes;
  /// null for others.
  mlir::Value emitCompare(mlir::arith::CmpIOp op, LaneValue lhs, LaneValue rhs);
  LaneValue emitLoad(mlir::memref::LoadOp op, llvm::ArrayRef<LaneValue> indices,
                     LanePredicate predicate);

  const LaneReader &reader;
};

} // namespace attn

#endif // ATTN_CODEGEN_COMMON_REGIONINLINER_H
