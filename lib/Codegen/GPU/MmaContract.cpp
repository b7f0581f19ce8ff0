//===- MmaContract.cpp - Products of matrices in fragments ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FragmentContract.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace attn {
namespace {

class MmaContract final : public FragmentContract {
public:
  MmaContract(RewriterBase &rewriter, ContractOp op, GPUContractAttr choice)
      : FragmentContract(rewriter, op, choice),
        rowFragments(tiles.rowsOfWarp() / 16),
        columnFragments(tiles.columnsOfWarp() / 8) {}

private:
  void begin() override {
    locateWarp(warp, [&](unsigned side) {
      return getSource(side).getLane(b, loc, threadInWarp);
    });
  }
  Values addProduct(ValueRange sums, Value half) override;
  int64_t countSums() const override {
    return 4 * rowFragments * columnFragments;
  }
  void storeSums(ValueRange sums) override;

  int64_t rowFragments, columnFragments;
};

} // namespace

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
createMmaContract(RewriterBase &rewriter, ContractOp op,
                   GPUContractAttr choice) {
  return std::make_unique<MmaContract>(rewriter, op, choice);
}

} // namespace attn
