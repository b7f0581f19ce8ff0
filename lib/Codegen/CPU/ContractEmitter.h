//===- ContractEmitter.h - Products of matrices in vectors ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loop nest of one `attn.contract`, with columns in the lanes of vectors:
//
//   for blocks of columns, few enough that the packed part of rhs stays in the
//   second level of cache {
//     for blocks of features {
//       pack: panels of L columns, feature by feature; not where few rows share
//       them and they lie so already;
//       for groups of R rows {
//         pack: rows that are converted or computed, or whose features lie far
//         apart; else they are read where they lie;
//         for panels { micro-kernel; what follows the sum } } } }
//
// R rows of lhs stay in the first level of cache while panels stream by. Sums
// of blocks of features meet in init, or where that is too narrow in a buffer.
// Every operand is read and written by strides; extents are dynamic, so that
// one function serves all shapes of a kind.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_CONTRACTEMITTER_H
#define ATTN_LIB_CODEGEN_CPU_CONTRACTEMITTER_H

#include "TileEmitter.h"
#include "VectorReader.h"
#include "attn/IR/ContractOp.h"

namespace attn {

/// Emits the loop nest above in place of one `attn.contract` on buffers.
class ContractEmitter {
public:
  ContractEmitter(mlir::RewriterBase &rewriter, ContractOp op,
                  const EmitOptions &options);

  mlir::LogicalResult run();

private:
  using Value = mlir::Value;

  /// An operand by strides; those along dimensions it has not are null.
  struct Operand {
    Value buffer;
    mlir::AffineMap map;
    mlir::Type element;
    /// What elements become before they are multiplied, with inputs whose maps
    /// begin with map `firstInput`; null if they stay what they are.
    mlir::Region *region = nullptr;
    mlir::ValueRange inputs;
    unsigned firstInput = 0;
    Value strides[3];
    /// The dimension along which neighbours are neighbours in memory.
    std::optional<unsigned> contiguous;
  };
  /// Where lanes lie: along one of rows, columns and features; along others
  /// there is one position, if the place has any.
  struct Place {
    LaneValue dims[3];
    /// How many lanes there are, and which of `lanes` they are; null for all.
    int64_t lanes;
    Value mask;
  };
  /// Which block of features a sum is of, as i1; both null where there is one.
  struct BlockOfSum {
    Value first, last;
  };

  Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  Value add(Value x, Value y) {
    return b.createOrFold<mlir::arith::AddIOp>(loc, x, y);
  }
  Value sub(Value x, Value y) {
    return b.createOrFold<mlir::arith::SubIOp>(loc, x, y);
  }
  Value mul(Value x, Value y) {
    return b.createOrFold<mlir::arith::MulIOp>(loc, x, y);
  }
  Value constantTrue(int64_t size) {
    auto type = vectorOf(size, b.getI1Type());
    return mlir::arith::ConstantOp::create(
        b, loc, mlir::DenseElementsAttr::get(type, true));
  }
  Value least(Value x, Value y) {
    return b.createOrFold<mlir::arith::MinSIOp>(loc, x, y);
  }
  Value compare(mlir::arith::CmpIPredicate predicate, Value x, Value y) {
    return mlir::arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  mlir::VectorType vectorOf(int64_t lanes, mlir::Type element) {
    return mlir::VectorType::get({lanes}, element);
  }
  Operand describe(unsigned number);
  Value extentOf(unsigned dim);
  /// The operand from a position on, as one row of elements.
  Value from(const Operand &operand, Value row, Value column, Value feature);
  /// `lanes` elements from `position` on, converted to the accumulation type;
  /// those outside of `mask`, if there is one, are 0.
  Value load(Value flat, Value position, int64_t lanes, Value mask = {});
  Value loadElement(Value flat, Value position);
  /// The same of what is multiplied, of an operand that may have a region:
  /// then the element is not that of `flat` but of a place, which is asked for.
  Value loadFactor(const Operand &operand, Value flat, Value position,
                   int64_t lanes, Value mask,
                   llvm::function_ref<void(Place &)> place);
  Value loadFactor(const Operand &operand, Value flat, Value position,
                   llvm::function_ref<void(Place &)> place);
  LaneValue computeFactor(RegionInliner &inliner, const Operand &operand,
                          const Place &place);
  Value createScratch(int64_t size) { return createScratch(size, accType); }
  Value createScratch(int64_t size, mlir::Type element) {
    return createWorkerScratch(b, op, mlir::MemRefType::get({size}, element));
  }
  /// What one of two pieces of code gives, by a condition of the run time.
  llvm::SmallVector<Value>
  choose(Value condition, mlir::TypeRange types,
         llvm::function_ref<llvm::SmallVector<Value>()> then,
         llvm::function_ref<llvm::SmallVector<Value>()> otherwise);

  // Packing, of `depth` features from `feature` on.
  void packPanel(Value position, Value column, Value count, Value feature,
                 Value depth);
  void packColumnsAcross(Value position, Value column, Value count,
                         Value feature, Value depth);
  bool packsRows();
  void packRows(Value row, Value lastRow, Value feature, Value depth);
  // The same in pairs of bf16.
  /// The steps that `depth` features take: one for each, or for each pair.
  Value countSteps(Value depth);
  Value loadBits(Value flat, Value position, int64_t size, Value mask);
  Value loadPairs(Value flat, Value position, int64_t pairs, Value mask);
  void forEachFeaturePair(Value depth,
                          llvm::function_ref<void(Value, bool)> body);
  void interleaveFeatures(Value source, Value featureStride, Value target,
                          int64_t size, Value mask, Value depth);
  Value combineElements(Value source, Value position, Value stride,
                        bool hasSecond);
  void packPanelPairs(Value target, Value column, Value count, Value feature,
                      Value depth);
  void packRowPairs(Value row, Value lastRow, Value feature, Value depth);

  /// Calls `body` on whole pieces of `extent`, and on the rest with a mask.
  void forEachPiece(Value extent, int64_t size,
                    llvm::function_ref<void(Value first, Value mask)> body);

  // The nest.
  void emitMatrices();
  void emitBlock(Value row, Value rowEnd, Value column, Value columns);
  void emitGroup(Value row, Value firstRow, Value rowEnd, Value column,
                 Value columns, Value feature, Value depth, BlockOfSum block);
  llvm::SmallVector<Value> emitTile(mlir::ValueRange rows, Value rowStep,
                                    Value panel, Value panelStep, Value depth);
  void prefetchInit(Value row, Value column);

  // A vector and a matrix.
  void emitVector();
  void emitColumnsInLanes(const Operand &matrix, const Operand &vector);
  void emitDotProducts(const Operand &matrix, const Operand &vector);
  Place placeAt(Value position, int64_t size, Value mask);
  /// Sets the position along `laneDim`, and along features if it is given.
  void setPlace(Place &place, LaneValue position, LaneValue feature);

  // What follows a sum.
  Value positionInInit(const Place &place);
  Value stepsInInit(const Place &place);
  Value loadInit(const Place &place);
  void storeInit(Value value, const Place &place);
  /// The element of a tensor with `map` in each lane, or the scalar `input`.
  LaneValue readAt(RegionInliner &inliner, Value input, mlir::AffineMap map,
                   const Place &place);
  Value applyElement(Value sum, const Place &place);
  /// Ends a row of sums of a block of features; `partial` is its position in
  /// the sums that do not meet in init, or null.
  void finishRow(Value sum, const Place &place, BlockOfSum block,
                 Value partial);

  mlir::RewriterBase &b;
  mlir::Location loc;
  ContractOp op;
  EmitOptions options;
  VectorReader reader;

  mlir::FloatType accType;
  /// Whether bf16 are multiplied in pairs, along the features.
  bool inPairs = false;
  /// Lanes of a panel, rows of a group, columns of a block.
  int64_t lanes = 0, groupRows = 0, blockColumns = 0;
  /// Along which the lanes of init lie.
  unsigned laneDim = ContractOp::Columns;
  Operand lhs, rhs, init;
  Value initFlat;
  Value zero, one, numRows, numColumns, numFeatures;
  Value panels, strip, sums, partialSums;
  /// What a step along a row and a feature adds to a position in `strip`.
  int64_t stripRow = 0, stripFeature = 0;
  /// Whether few rows share what would be packed; null if it always is.
  Value inPlace;
};

/// Replaces `attn.contract` on buffers by its loop nest.
mlir::LogicalResult emitContract(mlir::RewriterBase &rewriter, ContractOp op,
                                 const EmitOptions &options);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_CONTRACTEMITTER_H
