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

/// The lanes of each element of the pairs at `step`; null where all are.
static SmallVector<Value> getPairLanes(OpBuilder &b, Location loc,
                                       const MicroKernel &kernel, Value step) {
  if (!kernel.predicate)
    return {};
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value first = arith::ShLIOp::create(b, loc, step, one);
  Value second = arith::AddIOp::create(b, loc, first, one);
  Value lanes = kernel.predicate(first);
  if (!lanes)
    return {};
  return {lanes, kernel.predicate(second)};
}

/// A step in pairs. Lanes cannot be left out of half of one: where some are,
/// the elements are added one after the other, the other 0.
static SmallVector<Value> emitPairStep(OpBuilder &b, Location loc,
                                       const MicroKernel &kernel, Value step,
                                       ValueRange offsets, ValueRange sums,
                                       const EmitOptions &options) {
  Value right = kernel.right(step, offsets);
  SmallVector<Value> lanes = getPairLanes(b, loc, kernel, step);
  SmallVector<Value> next;
  for (auto [row, sum] : llvm::enumerate(sums)) {
    Value left = kernel.left(row, step, offsets);
    if (lanes.empty())
      next.push_back(emitDotPairs(b, loc, left, right, sum, options));
    else
      next.push_back(sum);
    for (auto [half, mask] : llvm::enumerate(lanes)) {
      Value added =
          emitDotPairs(b, loc, keepHalf(b, loc, left, /*second=*/half == 1),
                       right, next.back(), options);
      next.back() = arith::SelectOp::create(b, loc, mask, added, next.back());
    }
  }
  return next;
}

SmallVector<Value> emitMicroKernel(OpBuilder &b, Location loc,
                                   const MicroKernel &kernel, ValueRange sums,
                                   const EmitOptions &options) {
  return emitStridedLoop(
      b, loc, kernel.steps, kernel.unroll, kernel.strides, sums,
      [&](Value step, ValueRange offsets, ValueRange carried) {
        if (kernel.element == MicroKernelElement::DotPair)
          return emitPairStep(b, loc, kernel, step, offsets, carried, options);
        Value right = kernel.right(step, offsets);
        Value lanes = kernel.predicate ? kernel.predicate(step) : Value();
        SmallVector<Value> next;
        for (auto [row, sum] : llvm::enumerate(carried)) {
          Value left = kernel.left(row, step, offsets);
          if (left.getType() != sum.getType())
            left = vector::BroadcastOp::create(b, loc, sum.getType(), left);
          Value added = vector::FMAOp::create(b, loc, left, right, sum);
          if (lanes)
            added = arith::SelectOp::create(b, loc, lanes, added, sum);
          next.push_back(added);
        }
        return next;
      });
}

} // namespace attn
