//===- MfmaContract.cpp - Products of matrices by waves ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A wave of 64 threads multiplies 16x16 elements at a time, as `multiplyInWave`
// has them: a thread has four features of one position of either factor, which
// it reads at once where features are next to each other.
//
//===----------------------------------------------------------------------===//

#include "FragmentContract.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace attn {
namespace {

/// Positions and features of a fragment, and features of a thread.
constexpr int64_t kFragment = 16, kOwn = 4;

class MfmaContract final : public FragmentContract {
public:
  MfmaContract(RewriterBase &rewriter, ContractOp op, GPUContractAttr choice)
      : FragmentContract(rewriter, op, choice),
        rowFragments(tiles.rowsOfWarp() / kFragment),
        columnFragments(tiles.columnsOfWarp() / kFragment) {}

private:
  void begin() override;
  Values addProduct(ValueRange sums, Value half) override;
  int64_t countSums() const override { return rowFragments * columnFragments; }
  Type getSumType() const override {
    return VectorType::get({kOwn}, accType);
  }
  void storeSums(ValueRange sums) override;
  /// Half a wave stores two rows that are `kOwn` apart, each to half of the
  /// banks.
  int64_t countSpareColumns() const override { return 4; }
  Value loadFragment(unsigned side, int64_t position, int64_t feature,
                     Value half);

  int64_t rowFragments, columnFragments;
  /// Of the thread in a fragment: its position, and its first feature or, of
  /// sums, row.
  Value position, first;
};

} // namespace

void MfmaContract::begin() {
  Value size = i32(tiles.warpThreads);
  Value inWave = arith::RemUIOp::create(b, loc, thread, size);
  position = arith::RemUIOp::create(b, loc, inWave, i32(kFragment));
  first = multiply(arith::DivUIOp::create(b, loc, inWave, i32(kFragment)),
                   i32(kOwn));
  locateWarp(arith::DivUIOp::create(b, loc, thread, size), [&](unsigned side) {
    FragmentSource source = getSource(side);
    return add(multiply(position, i32(source.getOffset(1, 0))),
               multiply(first, i32(source.getOffset(0, 1))));
  });
}

Value MfmaContract::loadFragment(unsigned side, int64_t position,
                                 int64_t feature, Value half) {
  FragmentSource source = getSource(side);
  auto type = VectorType::get({kOwn}, element);
  Value own = add(half, lanes[side]);
  constexpr int64_t kBytes = 2;
  auto load = [&](Type type, int64_t feature, unsigned alignment) {
    return hardware.load(type, shared(source.getOffset(position, feature), own),
                         alignment);
  };
  if (source.featuresInner)
    return load(type, feature, kOwn * kBytes);
  Values elements;
  for (int64_t i = 0; i < kOwn; ++i)
    elements.push_back(load(element, feature + i, kBytes));
  return vector::FromElementsOp::create(b, loc, type, elements);
}

SmallVector<Value> MfmaContract::addProduct(ValueRange sums, Value half) {
  Values next(sums);
  for (int64_t feature = 0; feature < tiles.features; feature += kFragment) {
    Values lhs, rhs;
    for (int64_t row = 0; row < rowFragments; ++row)
      lhs.push_back(loadFragment(0, kFragment * row, feature, half));
    for (int64_t column = 0; column < columnFragments; ++column)
      rhs.push_back(loadFragment(1, kFragment * column, feature, half));
    for (auto [number, sum] : llvm::enumerate(next))
      sum = hardware.multiplyInWave(lhs[number / columnFragments],
                                    rhs[number % columnFragments], sum);
  }
  return next;
}

void MfmaContract::storeSums(ValueRange sums) {
  int64_t bytes = accType.getWidth() / 8;
  Value row = add(multiply(warpRow, i32(tiles.rowsOfWarp())), first);
  Value column =
      add(multiply(warpColumn, i32(tiles.columnsOfWarp())), position);
  Value own =
      add(multiply(row, i32(sumStride())), multiply(column, i32(bytes)));
  for (auto [number, sum] : llvm::enumerate(sums))
    for (int64_t i = 0; i < kOwn; ++i) {
      int64_t row = kFragment * (number / columnFragments) + i;
      int64_t column = kFragment * (number % columnFragments);
      hardware.store(lane(sum, i),
                     shared(row * sumStride() + column * bytes, own), bytes);
    }
}

std::unique_ptr<ContractKernel>
createMfmaContract(RewriterBase &rewriter, ContractOp op,
                   GPUContractAttr choice) {
  return std::make_unique<MfmaContract>(rewriter, op, choice);
}

} // namespace attn
