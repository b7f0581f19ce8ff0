//===- MmaContract.cpp - Products of matrices in fragments ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Factors lie in shared memory as they do outside, line by line, and are copied
// 16 bytes at a time where lines begin at multiples of 16 bytes, as a run finds
// out, and where a word is all there or not at all. Others are copied element
// by element. Lines are an odd number of words apart, so that eight of them,
// which are read at once, lie in different banks.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"
#include "Fragments.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace attn {
namespace {

using Predicate = arith::CmpIPredicate;

class MmaContract final : public ContractKernel {
public:
  MmaContract(RewriterBase &rewriter, ContractOp op, ContractTiles tiles)
      : ContractKernel(rewriter, op, tiles),
        element(getElementTypeOrSelf(op.getLhs())),
        rowFragments(tiles.rowsOfWarp() / 16),
        columnFragments(tiles.columnsOfWarp() / 8) {}

private:
  void placeFactor(Factor &factor) override;
  void begin() override;
  void copyFactor(unsigned side, Value first, Value count, Value half) override;
  void waitForCopies() override {
    hardware.commitCopies();
    hardware.waitForCopies();
  }
  Values addProduct(ValueRange sums, Value half) override;
  int64_t countSums() const override {
    return 4 * rowFragments * columnFragments;
  }
  void storeSums(ValueRange sums) override;
  void copyElements(unsigned side, Value first, Value count, Value line,
                    Value word, Value to);
  FragmentSource getSource(unsigned side) const {
    return {side == 0, factors[side].featuresInner, factors[side].stride};
  }

  Type element;
  int64_t rowFragments, columnFragments;
  /// The warp's numbers along rows and columns.
  Value warpRow, warpColumn;
  /// Where the thread's part of a factor begins, in bytes.
  Value lanes[2];
};

} // namespace

void MmaContract::placeFactor(Factor &factor) {
  int64_t inner = factor.featuresInner ? tiles.features : factor.positions;
  int64_t lines = factor.featuresInner ? factor.positions : tiles.features;
  factor.stride = 2 * inner + 16;
  factor.size = lines * factor.stride;
}

void MmaContract::begin() {
  Value columns = i32(tiles.warpColumns);
  warpRow = arith::DivUIOp::create(b, loc, warp, columns);
  warpColumn = arith::RemUIOp::create(b, loc, warp, columns);
  for (unsigned side : {0u, 1u}) {
    FragmentSource source = getSource(side);
    int64_t positions = side == 0 ? tiles.rowsOfWarp() : tiles.columnsOfWarp();
    Value own = multiply(side == 0 ? warpRow : warpColumn,
                         i32(source.getOffset(positions, 0)));
    lanes[side] = add(source.getLane(b, loc, threadInWarp),
                      add(own, i32(factors[side].start)));
  }
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// One by one, eight elements of a line; zeros where there are none.
void MmaContract::copyElements(unsigned side, Value first, Value count,
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
          Value at = getAddress(factor, add(factor.first, toIndex(position)),
                                add(first, toIndex(feature)));
          return Values{hardware.load(element, hardware.toGlobal(at), 2)};
        },
        zero)[0];
    hardware.store(value, hardware.move(to, multiply(number, i32(2))), 2);
    return Values();
  });
}

void MmaContract::copyFactor(unsigned side, Value first, Value count,
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
          Value at = getAddress(factor, add(factor.first, toIndex(position)),
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

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

SmallVector<Value> MmaContract::addProduct(ValueRange sums, Value half) {
  Values next(sums);
  FragmentSource sources[] = {getSource(0), getSource(1)};
  for (int64_t feature = 0; feature < tiles.features; feature += 16) {
    auto load = [&](unsigned side, int64_t position, int64_t count) {
      Value at = shared(sources[side].getOffset(position, feature),
                        add(half, lanes[side]));
      return sources[side].load(hardware, at, count);
    };
    multiplyFragments(
        hardware, next, rowFragments, columnFragments, element,
        [&](int64_t row) { return load(0, 16 * row, 2); },
        [&](int64_t column) {
          return load(1, 8 * column,
                      std::min<int64_t>(2, columnFragments - column));
        });
  }
  return next;
}

void MmaContract::storeSums(ValueRange sums) {
  Value row = add(multiply(warpRow, i32(tiles.rowsOfWarp())), group);
  Value column = add(multiply(warpColumn, i32(tiles.columnsOfWarp())),
                     multiply(quad, i32(2)));
  Value own = add(multiply(row, i32(sumStride())), multiply(column, i32(4)));
  auto pairType = VectorType::get({2}, accType);
  for (int64_t i = 0; i < rowFragments; ++i)
    for (int64_t j = 0; j < columnFragments; ++j)
      for (int64_t low : {0, 1}) {
        size_t first = 4 * (i * columnFragments + j) + 2 * low;
        Value pair = vector::FromElementsOp::create(b, loc, pairType,
                                                    sums.slice(first, 2));
        hardware.store(
            pair, shared((16 * i + 8 * low) * sumStride() + 32 * j, own), 8);
      }
}

std::unique_ptr<ContractKernel>
createMmaContract(RewriterBase &rewriter, ContractOp op, ContractTiles tiles) {
  return std::make_unique<MmaContract>(rewriter, op, tiles);
}

} // namespace attn
