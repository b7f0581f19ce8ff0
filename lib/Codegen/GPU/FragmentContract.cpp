//===- FragmentContract.cpp - Products of 16-bit elements -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FragmentContract.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

void FragmentContract::placeFactor(Factor &factor) {
  int64_t inner = factor.featuresInner ? tiles.features : factor.positions;
  int64_t lines = factor.featuresInner ? factor.positions : tiles.features;
  factor.stride = 2 * inner + 16;
  factor.size = lines * factor.stride;
}

void FragmentContract::locateWarp(Value number,
                                  function_ref<Value(unsigned)> own) {
  Value columns = i32(tiles.warpColumns);
  warpRow = arith::DivUIOp::create(b, loc, number, columns);
  warpColumn = arith::RemUIOp::create(b, loc, number, columns);
  for (unsigned side : {0u, 1u}) {
    int64_t positions = side == 0 ? tiles.rowsOfWarp() : tiles.columnsOfWarp();
    Value first = multiply(side == 0 ? warpRow : warpColumn,
                           i32(getSource(side).getOffset(positions, 0)));
    lanes[side] = add(own(side), add(first, i32(factors[side].start)));
  }
}

/// One by one, eight elements of a line; zeros where there are none.
void FragmentContract::copyElements(unsigned side, Value first, Value count,
                                    Value line, Value word, Value to) {
  const Factor &factor = factors[side];
  emitLoop(i32(0), i32(8), i32(1), {}, [&](Value number, ValueRange) {
    Value inner = add(multiply(word, i32(8)), number);
    Value position = factor.featuresInner ? line : inner;
    Value feature = factor.featuresInner ? inner : line;
    Value there = both(compare(Predicate::slt, position, factor.count),
                       compare(Predicate::slt, feature, count));
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
    Value value = emitIf(
        there,
        [&] {
          Value at =
              getFactorAddress(factor, add(factor.first, toIndex(position)),
                               add(first, toIndex(feature)));
          return Values{hardware.load(element, hardware.toGlobal(at), 2)};
        },
        zero)[0];
    hardware.store(value, hardware.move(to, multiply(number, i32(2))), 2);
    return Values();
  });
}

void FragmentContract::copyFactor(unsigned side, Value first, Value count,
                                  Value half) {
  const Factor &factor = factors[side];
  int64_t words =
      (factor.featuresInner ? tiles.features : factor.positions) / 8;
  int64_t lines = factor.featuresInner ? factor.positions : tiles.features;
  Value innerCount = factor.featuresInner ? count : factor.count;
  Value lineCount = factor.featuresInner ? factor.count : count;
  emitLoop(
      thread, i32(words * lines), i32(countThreads()), {},
      [&](Value number, ValueRange) {
        Value line = arith::DivUIOp::create(b, loc, number, i32(words));
        Value word = arith::RemUIOp::create(b, loc, number, i32(words));
        Value own =
            add(multiply(line, i32(factor.stride)), multiply(word, i32(16)));
        Value to = shared(factor.start, add(half, own));
        Value inner = multiply(word, i32(8));
        auto copyWord = [&] {
          Value there = both(compare(Predicate::slt, line, lineCount),
                             compare(Predicate::slt, inner, innerCount));
          Value position = factor.featuresInner ? line : inner;
          Value feature = factor.featuresInner ? inner : line;
          Value at =
              getFactorAddress(factor, add(factor.first, toIndex(position)),
                               add(first, toIndex(feature)));
          // Of what is not there nothing is read.
          at = select(there, at, factor.view.address);
          hardware.copyAsync(to, hardware.toGlobal(at),
                             select(there, i32(16), i32(0)));
          return Values();
        };
        auto copyOneByOne = [&] {
          copyElements(side, first, count, line, word, to);
          return Values();
        };
        if (!factor.aligned) {
          copyOneByOne();
          return Values();
        }
        Value isWhole = arith::OrIOp::create(
            b, loc, compare(Predicate::sle, add(inner, i32(8)), innerCount),
            compare(Predicate::sge, inner, innerCount));
        Value whole = both(factor.aligned, isWhole);
        emitEither({}, whole, copyWord, copyOneByOne);
        return Values();
      });
}

} // namespace attn
