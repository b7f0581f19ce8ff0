//===- KernelFinish.cpp - Sums become the output ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

void KernelEmitter::rescale(Values &sums, const RowValues &factors) {
  if (!factors[0])
    return;
  for (auto [i, sum] : llvm::enumerate(sums))
    sum = arith::MulFOp::create(b, loc, sum, factors[i / 2 % 2]);
}

int64_t KernelEmitter::getChannels() const {
  return *getConstantIntValue(extents[channelDim]);
}

bool KernelEmitter::storesPairs() {
  AffineMap map = op.getIndexingMap(op.getOutputIndex());
  return map.getDimPosition(map.getNumResults() - 1) == channelDim &&
         cast<MemRefType>(op.getOutput().getType()).isLastDimUnitStride();
}

/// The columns of a thread come in pairs: of 8 from `firstColumn` on, those of
/// twice its number among the four.
void KernelEmitter::storePair(const MatrixView &output, Value pair,
                              Value address, int64_t firstColumn) {
  int64_t bytes = output.element.getIntOrFloatBitWidth() / 8;
  bool isFull = firstColumn + 8 <= getChannels();
  if (isFull && storesPairs()) {
    hardware.store(pair, hardware.toGlobal(address),
                   copiesAsync() ? 2 * bytes : bytes);
    return;
  }
  for (int64_t i : {0, 1}) {
    auto storeOne = [&] {
      Value own = add(address, multiply(index(i), output.columnBytes));
      hardware.store(lane(pair, i), hardware.toGlobal(own), bytes);
      return Values();
    };
    if (isFull) {
      storeOne();
      continue;
    }
    Value column = add(multiply(quad, i32(2)), i32(firstColumn + i));
    emitIf(compare(arith::CmpIPredicate::slt, column, i32(getChannels())),
           storeOne, {});
  }
}

void KernelEmitter::storeRow(const MatrixView &output, unsigned row,
                             ValueRange sums, ValueRange factors) {
  Value start = add(output.address, multiply(rows[row], output.rowBytes));
  start =
      add(start, multiply(toIndex(multiply(quad, i32(2))), output.columnBytes));
  for (int64_t tile = 0; tile < layout.channels / 8; ++tile) {
    Values pair;
    for (int64_t i : {0, 1}) {
      Value value = sums[4 * tile + 2 * row + i];
      for (Value factor : factors)
        value = arith::MulFOp::create(b, loc, value, factor);
      pair.push_back(value);
    }
    Value both = convertFloat(b, loc,
                              vector::FromElementsOp::create(
                                  b, loc, VectorType::get({2}, accType), pair),
                              output.element);
    storePair(output, both,
              add(start, multiply(index(8 * tile), output.columnBytes)),
              8 * tile);
  }
}

SmallVector<Value> KernelEmitter::weightingOperands(unsigned row) {
  Values operands;
  for (unsigned i = 0, e = op.getWeightingOperands().size(); i < e; ++i)
    operands.push_back(inputs[op.getWeightingIndex() + i][row]);
  return operands;
}

void KernelEmitter::storeLogSumExp(unsigned row, ValueRange statistics,
                                   ValueRange operands) {
  MatrixView lse =
      view(op.getOutputIndex() + 1, rowDim, /*column=*/op.getNumDims());
  Value value = weighting.logSumExp(b, loc, statistics, operands, scale);
  Value at = add(lse.address, multiply(rows[row], lse.rowBytes));
  hardware.store(convertFloat(b, loc, value, lse.element),
                 hardware.toGlobal(at),
                 lse.element.getIntOrFloatBitWidth() / 8);
}

void KernelEmitter::emitFinish(ValueRange state) {
  ValueRange sums = state.drop_front(kThreadRows * statistics.size());
  MatrixView output = view(op.getOutputIndex(), rowDim, channelDim);
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Values final(state.slice(row * statistics.size(), statistics.size()));
    for (unsigned i = numScoreStatistics; i < statistics.size(); ++i)
      final[i] = combineQuad(i, final[i]);
    Values operands = weightingOperands(row);
    Values factors = weighting.finish(b, loc, final, operands, numKeys, scale);
    emitIf(hasRow[row],
           [&] {
             storeRow(output, row, sums, factors);
             return Values();
           },
           {});
    if (!op.getLse())
      continue;
    Value isFirst = compare(arith::CmpIPredicate::eq, quad, i32(0));
    emitIf(arith::AndIOp::create(b, loc, hasRow[row], isFirst),
           [&] {
             storeLogSumExp(row, final, operands);
             return Values();
           },
           {});
  }
}

//===----------------------------------------------------------------------===//
// Weights times values, one by one
//===----------------------------------------------------------------------===//

/// Weights go through shared memory, since four threads have those of a row. A
/// hidden value must not leak, not even as 0 x NaN.
SmallVector<Value> KernelEmitter::addOneByOne(ValueRange sums,
                                              const RowValues &weights,
                                              const RowValues &visible,
                                              Type stored) {
  auto pairType = [](Type element) { return VectorType::get({2}, element); };
  Value first = add(multiply(warp, i32(16)), group);
  int64_t rowBytes = 4 * layout.weightStride;
  RowValues own;
  for (unsigned row = 0; row < kThreadRows; ++row) {
    own[row] = multiply(add(first, i32(8 * row)), i32(rowBytes));
    Value mine = add(own[row], multiply(quad, i32(8)));
    auto storeLanes = [&](Value vector, int64_t area) {
      Type element = cast<VectorType>(vector.getType()).getElementType();
      for (int64_t i = 0; i < lanes; i += 2) {
        Value pair = vector::FromElementsOp::create(
            b, loc, pairType(element),
            ValueRange{lane(vector, i), lane(vector, i + 1)});
        hardware.store(pair, shared(area + 16 * i, mine), 8);
      }
    };
    storeLanes(weights[row], layout.weights);
    if (visible[row])
      storeLanes(arith::ExtUIOp::create(b, loc, laneType(b.getI32Type()),
                                        visible[row]),
                 layout.visible);
  }
  hardware.warpBarrier();

  auto loop =
      scf::ForOp::create(b, loc, i32(0), i32(choice.getKeys()), i32(1), sums);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value key = loop.getInductionVar();
    RowValues weight, seen{};
    for (unsigned row = 0; row < kThreadRows; ++row) {
      Value at = add(own[row], multiply(key, i32(4)));
      weight[row] = hardware.load(accType, shared(layout.weights, at), 4);
      if (visible[row])
        seen[row] = compare(
            arith::CmpIPredicate::ne,
            hardware.load(b.getI32Type(), shared(layout.visible, at), 4),
            i32(0));
    }
    int64_t bytes = layout.elementBytes;
    Value valueRow = add(multiply(key, i32(layout.valueStride)),
                         multiply(quad, i32(2 * bytes)));
    Values next;
    for (int64_t tile = 0; tile < layout.channels / 8; ++tile) {
      Value pair = hardware.load(
          pairType(stored), shared(layout.values + 8 * tile * bytes, valueRow),
          2 * bytes);
      pair = convertFloat(b, loc, pair, accType);
      for (unsigned row = 0; row < kThreadRows; ++row)
        for (int64_t i : {0, 1}) {
          Value sum = loop.getRegionIterArgs()[next.size()];
          Value more =
              math::FmaOp::create(b, loc, weight[row], lane(pair, i), sum);
          next.push_back(seen[row] ? select(seen[row], more, sum) : more);
        }
    }
    scf::YieldOp::create(b, loc, next);
  }
  return Values(loop.getResults());
}

} // namespace attn
