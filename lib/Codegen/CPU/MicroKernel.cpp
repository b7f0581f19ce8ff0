//===- MicroKernel.cpp - Products in registers ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MicroKernel.h"
#include "DotPairs.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

int64_t getMicroKernelRows(FloatType type, int64_t lanes,
                           const EmitOptions &options) {
  // Accumulators, one vector of the shared operand per register of lanes, and
  // two to spare.
  int64_t vectorsPerRow =
      std::max<int64_t>(1, lanes * type.getWidth() / options.vectorBits);
  int64_t rows = std::max<int64_t>(
      1, (options.numRegisters - vectorsPerRow - 2) / vectorsPerRow);
  return std::min<int64_t>(8, llvm::bit_floor(uint64_t(rows)));
}

/// The lanes of `column` that each of the positions of `step` adds to: one, or
/// the two of a pair. None where all do.
static SmallVector<Value, 2> getLanes(OpBuilder &b, Location loc,
                                      const MicroKernel &kernel, int64_t column,
                                      Value step) {
  if (!kernel.predicate)
    return {};
  bool isPair = kernel.element == MicroKernelElement::DotPair;
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value first =
      isPair ? arith::ShLIOp::create(b, loc, step, one).getResult() : step;
  Value lanes = kernel.predicate(column, first);
  if (!lanes)
    return {};
  if (!isPair)
    return {lanes};
  Value second = arith::AddIOp::create(b, loc, first, one);
  return {lanes, kernel.predicate(column, second)};
}

/// What `sum` becomes. Lanes cannot be left out of half of a pair: where some
/// are, its elements are added one after the other, the other 0.
static Value multiplyAdd(OpBuilder &b, Location loc, const MicroKernel &kernel,
                         Value left, Value right, Value sum,
                         ArrayRef<Value> lanes, const EmitOptions &options) {
  if (kernel.element == MicroKernelElement::Accumulation) {
    Value added = vector::FMAOp::create(b, loc, left, right, sum);
    return lanes.empty() ? added
                         : arith::SelectOp::create(b, loc, lanes[0], added, sum)
                               .getResult();
  }
  if (lanes.empty())
    return emitDotPairs(b, loc, left, right, sum, options);
  for (auto [half, mask] : llvm::enumerate(lanes)) {
    Value added =
        emitDotPairs(b, loc, keepHalf(b, loc, left, /*second=*/half == 1),
                     right, sum, options);
    sum = arith::SelectOp::create(b, loc, mask, added, sum);
  }
  return sum;
}

SmallVector<Value> emitMicroKernelStep(OpBuilder &b, Location loc,
                                       const MicroKernel &kernel, Value step,
                                       ValueRange offsets, ValueRange sums,
                                       const EmitOptions &options) {
  int64_t columns = kernel.columns, rows = sums.size() / columns;
  SmallVector<Value> next(sums), lefts(rows), rights(columns);
  SmallVector<SmallVector<Value, 2>> lanes(columns);
  auto loadRight = [&](int64_t column) {
    if (rights[column])
      return;
    rights[column] = kernel.right(column, step, offsets);
    lanes[column] = getLanes(b, loc, kernel, column, step);
  };
  auto loadLeft = [&](int64_t row) {
    if (lefts[row])
      return;
    Value left = kernel.left(row, step, offsets);
    // Pairs are broadcast where they are multiplied.
    if (kernel.element == MicroKernelElement::Accumulation &&
        left.getType() != sums[0].getType())
      left = vector::BroadcastOp::create(b, loc, sums[0].getType(), left);
    lefts[row] = left;
  };
  auto add = [&](int64_t row, int64_t column) {
    loadRight(column);
    loadLeft(row);
    Value &sum = next[row * columns + column];
    sum = multiplyAdd(b, loc, kernel, lefts[row], rights[column], sum,
                      lanes[column], options);
  };
  // Registers hold those of which there are fewer; the others come and go.
  bool holdsRight = columns <= rows;
  for (int64_t i = 0; i < std::min(rows, columns); ++i)
    holdsRight ? loadRight(i) : loadLeft(i);
  for (int64_t i = 0; i < std::max(rows, columns); ++i)
    for (int64_t j = 0; j < std::min(rows, columns); ++j)
      holdsRight ? add(i, j) : add(j, i);
  return next;
}

SmallVector<Value> emitMicroKernel(OpBuilder &b, Location loc,
                                   const MicroKernel &kernel, ValueRange sums,
                                   const EmitOptions &options) {
  return emitStridedLoop(
      b, loc, kernel.steps, kernel.unroll, kernel.strides, sums,
      [&](Value step, ValueRange offsets, ValueRange carried) {
        return emitMicroKernelStep(b, loc, kernel, step, offsets, carried,
                                   options);
      });
}

} // namespace attn
