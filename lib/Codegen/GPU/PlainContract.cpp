//===- PlainContract.cpp - Products of matrices one by one ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Factors are converted to the type of the sums as they are copied, element by
// element, from wherever they lie. A thread has some neighbouring rows and
// every 16th column of the tile: 16 threads read the same of the left factor
// and neighbours of the right one.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

using namespace mlir;

namespace attn {
namespace {

/// Threads along the columns.
constexpr int64_t kColumnThreads = 16;
/// Elements of 32 bits that lie in half of the banks.
constexpr int64_t kHalfOfBanks = 16;

class PlainContract final : public HalvesContract {
public:
  PlainContract(RewriterBase &rewriter, ContractOp op, GPUContractAttr choice)
      : HalvesContract(rewriter, op, choice), bytes(accType.getWidth() / 8),
        ownRows(tiles.rows * kColumnThreads / countThreads()),
        ownColumns(tiles.columns / kColumnThreads) {}

private:
  void placeFactor(Factor &factor) override;
  void begin() override;
  void copyFactor(unsigned side, Value first, Value count, Value half) override;
  Values addProduct(ValueRange sums, Value half) override;
  int64_t countSums() const override { return ownRows * ownColumns; }
  void storeSums(ValueRange sums) override;
  /// Half a warp stores a row, the other half one that is `ownRows` further on:
  /// half of the banks.
  int64_t countSpareColumns() const override {
    return kColumnThreads / ownRows;
  }
  Value multiplyAndAdd(Value lhs, Value rhs, Value sum);

  int64_t bytes, ownRows, ownColumns;
  /// The thread's first row and column in the tile.
  Value firstRow, firstColumn;
};

} // namespace

/// How far the lines are apart that are stored together.
static int64_t getLinesApart(int64_t positions) {
  return std::min(kHalfOfBanks, positions / 2);
}

/// The left factor lies row by row, the right one feature by feature. Lines are
/// so much longer that those next to each other lie in different banks, and
/// those that are stored together in different halves of them.
void PlainContract::placeFactor(Factor &factor) {
  bool isLeft = &factor == &factors[0];
  int64_t spare = kHalfOfBanks / getLinesApart(factor.positions);
  factor.stride =
      bytes * (isLeft ? tiles.features + spare : factor.positions + 1);
  factor.size = (isLeft ? factor.positions : tiles.features) * factor.stride;
}

void PlainContract::begin() {
  Value columns = i32(kColumnThreads);
  firstRow =
      multiply(arith::DivUIOp::create(b, loc, thread, columns), i32(ownRows));
  firstColumn = arith::RemUIOp::create(b, loc, thread, columns);
}

/// Zeros where there is nothing. Where a warp stores two lines of features, of
/// which each takes half of the banks, these are some way apart, so that they
/// take different ones.
void PlainContract::copyFactor(unsigned side, Value first, Value count,
                               Value half) {
  const Factor &factor = factors[side];
  int64_t inner = factor.featuresInner ? tiles.features : factor.positions;
  emitLoop(
      thread, i32(tiles.features * factor.positions), i32(countThreads()), {},
      [&](Value number, ValueRange) {
        Value line = arith::DivUIOp::create(b, loc, number, i32(inner));
        if (inner == kHalfOfBanks) {
          int64_t apart = getLinesApart(factor.positions);
          auto take = [&](int64_t from, int64_t mask) -> Value {
            Value bits = arith::ShRUIOp::create(b, loc, line, i32(from));
            return arith::AndIOp::create(b, loc, bits, i32(mask));
          };
          line =
              add(add(take(1, apart - 1), multiply(take(0, 1), i32(apart))),
                  multiply(take(llvm::Log2_64(2 * apart), -1), i32(2 * apart)));
        }
        Value rest = arith::RemUIOp::create(b, loc, number, i32(inner));
        Value position = factor.featuresInner ? line : rest;
        Value feature = factor.featuresInner ? rest : line;
        Value there =
            both(compare(arith::CmpIPredicate::slt, position, factor.count),
                 compare(arith::CmpIPredicate::slt, feature, count));
        Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(accType));
        Value value = emitIf(
            there,
            [&] {
              return Values{loadElement(side,
                                        add(factor.first, toIndex(position)),
                                        add(first, toIndex(feature)))};
            },
            zero)[0];
        Value outer = side == 0 ? position : feature;
        Value own = add(multiply(outer, i32(factor.stride)),
                        multiply(side == 0 ? feature : position, i32(bytes)));
        hardware.store(value, shared(factor.start, add(half, own)), bytes);
        return Values();
      });
}

Value PlainContract::multiplyAndAdd(Value lhs, Value rhs, Value sum) {
  if (accType.isF32())
    return math::FmaOp::create(b, loc, lhs, rhs, sum);
  return arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, lhs, rhs),
                               sum);
}

SmallVector<Value> PlainContract::addProduct(ValueRange sums, Value half) {
  Value leftOwn = add(half, multiply(firstRow, i32(factors[0].stride)));
  Value rightOwn = add(half, multiply(firstColumn, i32(bytes)));
  return emitLoop(
      i32(0), i32(tiles.features), i32(1), sums,
      [&](Value feature, ValueRange carried) {
        Value leftAt = add(leftOwn, multiply(feature, i32(bytes)));
        Value rightAt =
            add(rightOwn, multiply(feature, i32(factors[1].stride)));
        Values columns, next;
        for (int64_t column = 0; column < ownColumns; ++column)
          columns.push_back(hardware.load(
              accType,
              shared(factors[1].start + kColumnThreads * column * bytes,
                     rightAt),
              bytes));
        for (int64_t row = 0; row < ownRows; ++row) {
          Value lhs = hardware.load(
              accType,
              shared(factors[0].start + row * factors[0].stride, leftAt),
              bytes);
          for (Value rhs : columns)
            next.push_back(multiplyAndAdd(lhs, rhs, carried[next.size()]));
        }
        return next;
      });
}

void PlainContract::storeSums(ValueRange sums) {
  Value own = add(multiply(firstRow, i32(sumStride())),
                  multiply(firstColumn, i32(bytes)));
  for (int64_t row = 0; row < ownRows; ++row)
    for (int64_t column = 0; column < ownColumns; ++column)
      hardware.store(
          sums[row * ownColumns + column],
          shared(row * sumStride() + kColumnThreads * column * bytes, own),
          bytes);
}

std::unique_ptr<ContractKernel> createPlainContract(RewriterBase &rewriter,
                                                    ContractOp op,
                                                    GPUContractAttr choice) {
  return std::make_unique<PlainContract>(rewriter, op, choice);
}

} // namespace attn
