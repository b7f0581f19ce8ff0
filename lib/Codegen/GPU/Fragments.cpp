//===- Fragments.cpp - Products of fragments --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fragments.h"

using namespace mlir;

namespace attn {

Value FragmentSource::getLane(OpBuilder &b, Location loc,
                              Value threadInWarp) const {
  auto i32 = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        b, loc, b.getI32IntegerAttr(static_cast<int32_t>(value)));
  };
  auto part = [&](unsigned bits, unsigned shift) -> Value {
    Value shifted = arith::ShRUIOp::create(b, loc, threadInWarp, i32(shift));
    return arith::AndIOp::create(b, loc, shifted, i32((1 << bits) - 1));
  };
  auto multiply = [&](Value value, int64_t factor) -> Value {
    return arith::MulIOp::create(b, loc, value, i32(factor));
  };
  auto add = [&](Value lhs, Value rhs) -> Value {
    return arith::AddIOp::create(b, loc, lhs, rhs);
  };
  // Of four matrices of 8 lines by 8, the order of a fragment has the second
  // further down its positions on the left, along its features on the right.
  bool linesFirst = isLeft == featuresInner;
  Value line =
      linesFirst ? part(4, 0) : add(part(3, 0), multiply(part(1, 4), 8));
  Value word = part(1, linesFirst ? 4 : 3);
  return add(multiply(line, stride), multiply(word, 16));
}

SmallVector<Value> FragmentSource::load(Hardware &hardware, Value shared,
                                        int64_t count) const {
  return hardware.loadMatrices(shared, 2 * count,
                               /*transposed=*/!featuresInner);
}

void multiplyFragments(Hardware &hardware, SmallVectorImpl<Value> &sums,
                       int64_t rows, int64_t columns, Type element,
                       function_ref<SmallVector<Value>(int64_t)> left,
                       function_ref<SmallVector<Value>(int64_t)> right) {
  SmallVector<SmallVector<Value>> lefts;
  for (int64_t row = 0; row < rows; ++row)
    lefts.push_back(left(row));
  for (int64_t column = 0; column < columns; column += 2) {
    SmallVector<Value> words = right(column);
    for (int64_t i = 0; i < std::min<int64_t>(2, columns - column); ++i)
      for (int64_t row = 0; row < rows; ++row) {
        size_t own = 4 * (row * columns + column + i);
        SmallVector<Value> sum =
            hardware.multiply(lefts[row], ValueRange(words).slice(2 * i, 2),
                              ValueRange(sums).slice(own, 4), element);
        llvm::copy(sum, sums.begin() + own);
      }
  }
}

} // namespace attn
