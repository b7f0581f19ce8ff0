//===- HalvesContract.cpp - Products whose threads copy ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"
#include "attn/IR/Utils.h"
#include "attn/Tiling/IterationBox.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

void HalvesContract::viewFactors() {
  for (unsigned side : {0u, 1u}) {
    Factor &factor = factors[side];
    factor.view = view(side, side == 0 ? ContractOp::Rows : ContractOp::Columns,
                       ContractOp::Features);
    if (!cast<MemRefType>(operands[side].getType()).isLastDimUnitStride())
      continue;
    Value bits = arith::OrIOp::create(
        b, loc, factor.view.address,
        factor.featuresInner ? factor.view.rowBytes : factor.view.columnBytes);
    Value rest = arith::AndIOp::create(b, loc, bits, index(15));
    factor.aligned = compare(Predicate::eq, rest, index(0));
  }
}

Value HalvesContract::getFactorAddress(const Factor &factor, Value position,
                                       Value feature) {
  Value at = add(factor.view.address, multiply(position, factor.view.rowBytes));
  return add(at, multiply(feature, factor.view.columnBytes));
}

Value HalvesContract::loadElement(unsigned side, Value position,
                                  Value feature) {
  const Factor &factor = factors[side];
  Value at = getFactorAddress(factor, position, feature);
  Value element =
      hardware.load(factor.view.element, hardware.toGlobal(at),
                    factor.view.element.getIntOrFloatBitWidth() / 8);
  Region &region = op.getFactorRegion(side);
  if (!region.empty()) {
    Values arguments{element};
    unsigned first = op.getFactorInputIndex(side);
    for (unsigned i = 0, e = op.getFactorInputs(side).size(); i < e; ++i)
      arguments.push_back(loadInput(first + i, position, position, feature));
    element = inlineBody(b, region, arguments)[0];
  }
  return convertFloat(b, loc, element, accType);
}

SmallVector<Value> HalvesContract::walkFeatures() {
  Value all = extents[ContractOp::Features];
  Value step = index(tiles.features);
  int64_t halfBytes = factors[0].size + factors[1].size;
  auto copy = [&](Value first, Value half) {
    Value left = arith::SubIOp::create(b, loc, all, first);
    Value count = toI32(arith::MinUIOp::create(b, loc, left, step));
    for (unsigned side : {0u, 1u})
      copyFactor(side, first, count, half);
  };
  emitWhere(compare(Predicate::ne, all, index(0)),
            [&] { copy(index(0), i32(0)); });
  Values carried(
      countSums(),
      arith::ConstantOp::create(b, loc, b.getZeroAttr(getSumType())));
  carried.push_back(i32(0));
  carried = emitLoop(
      index(0), all, step, carried, [&](Value first, ValueRange inner) {
        Value half = inner.back();
        Value other = arith::SubIOp::create(b, loc, i32(halfBytes), half);
        Value next = add(first, step);
        waitForCopies();
        // Nobody reads the other half any more, and this one is complete.
        hardware.barrier();
        emitWhere(compare(Predicate::ult, next, all),
                  [&] { copy(next, other); });
        Values sums = addProduct(inner.drop_back(), half);
        sums.push_back(other);
        return sums;
      });
  carried.pop_back();
  return carried;
}

void HalvesContract::compute() {
  viewFactors();
  begin();
  Values sums = walkFeatures();
  // Where factors were, sums are going to be. That no copy is left follows from
  // numbers alone.
  waitForCopies();
  finish(sums);
}

} // namespace attn
