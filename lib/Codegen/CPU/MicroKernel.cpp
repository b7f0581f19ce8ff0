//===- MicroKernel.cpp - Products in registers ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MicroKernel.h"
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

SmallVector<Value> emitMicroKernel(OpBuilder &b, Location loc,
                                   const MicroKernel &kernel,
                                   ValueRange sums) {
  return emitStridedLoop(
      b, loc, kernel.steps, kernel.unroll, kernel.strides, sums,
      [&](Value step, ValueRange offsets, ValueRange carried) {
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
