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

Value KernelEmitter::countChannels() {
  return numColumns ? numColumns : i32(getChannels());
}

bool KernelEmitter::storesPairs() {
  AffineMap map = op.getIndexingMap(op.getOutputIndex());
  return map.getDimPosition(map.getNumResults() - 1) == channelDim &&
         cast<MemRefType>(op.getOutput().getType()).isLastDimUnitStride();
}

/// The columns of a thread come in pairs: of 8 from `first` on, those of
/// twice its number among the four.
void KernelEmitter::storePair(const MatrixView &output, Value pair,
                              Value address, int64_t first) {
  int64_t bytes = output.element.getIntOrFloatBitWidth() / 8;
  bool isFull = !numColumns && (firstChannel ? layout.channels == getChannels()
                                             : first + 8 <= getChannels());
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
    Value column = add(multiply(quad, i32(2)), i32(first + i));
    if (firstChannel)
      column = add(column, firstChannel);
    emitIf(compare(arith::CmpIPredicate::slt, column, countChannels()),
           storeOne, {});
  }
}

void KernelEmitter::storeRow(const MatrixView &output, unsigned row,
                             ValueRange sums, ValueRange factors) {
  Value start = add(output.address, rowOffset(output, row));
  Value column = multiply(quad, i32(2));
  if (firstChannel)
    column = add(column, firstChannel);
  start = add(start, multiply(toIndex(column), output.columnBytes));
  for (int64_t tile = 0; tile < getOwnChannels() / 8; ++tile) {
    Values pair;
    for (int64_t i : {0, 1}) {
      pair.push_back(multiplyAll(sums[4 * tile + 2 * row + i], factors));
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
  for (unsigned i = 0, e = weighting.getNumWeightingOperands(); i < e; ++i)
    operands.push_back(inputs[op.getWeightingIndex() + i][row]);
  return operands;
}

SmallVector<Value> KernelEmitter::ownOperands(unsigned row) {
  Values operands;
  for (unsigned i = weighting.getNumWeightingOperands(),
                e = op.getWeightingOperands().size();
       i < e; ++i)
    operands.push_back(inputs[op.getWeightingIndex() + i][row]);
  return operands;
}

void KernelEmitter::storeLogSumExp(unsigned row, ValueRange statistics,
                                   ValueRange operands) {
  MatrixView lse =
      view(op.getOutputIndex() + 1, rowDim, /*column=*/op.getNumDims());
  Value value = weighting.logSumExp(b, loc, statistics, operands, scale);
  Value at = add(lse.address, rowOffset(lse, row));
  hardware.store(convertFloat(b, loc, value, lse.element),
                 hardware.toGlobal(at),
                 lse.element.getIntOrFloatBitWidth() / 8);
}

void KernelEmitter::emitFinish(ValueRange own) {
  Values state = gatherState(own);
  ValueRange sums = own.drop_front(kThreadRows * statistics.size());
  MatrixView output = view(op.getOutputIndex(), rowDim, channelDim);
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Values final = combineRow(state, row);
    storeResults(output, row, final, sums,
                 weighting.finish(b, loc, final, weightingOperands(row),
                                  numKeys, scale));
  }
}

SmallVector<Value> KernelEmitter::combineRow(ValueRange state, unsigned row) {
  Values final(state.slice(row * statistics.size(), statistics.size()));
  for (unsigned i = numScoreStatistics; i < statistics.size() && !divides; ++i)
    final[i] = combineQuad(i, final[i]);
  return final;
}

void KernelEmitter::storeResults(const MatrixView &output, unsigned row,
                                 ValueRange final, ValueRange sums,
                                 ValueRange factors) {
  emitIf(hasRow[row],
         [&] {
           storeRow(output, row, sums, factors);
           return Values();
         },
         {});
  if (!op.getLse())
    return;
  emitIf(arith::AndIOp::create(b, loc, hasRow[row], storesRows),
         [&] {
           storeLogSumExp(row, final, weightingOperands(row));
           return Values();
         },
         {});
}

//===----------------------------------------------------------------------===//
// Weights times values, one by one
//===----------------------------------------------------------------------===//

void KernelEmitter::storeLanes(Value vector, int64_t area, Value rowBytes) {
  Type element = cast<VectorType>(vector.getType()).getElementType();
  auto type = VectorType::get({2}, element);
  int64_t bytes = 2 * element.getIntOrFloatBitWidth() / 8;
  Value own = add(rowBytes, ownKey(bytes / 2));
  for (int64_t i = 0; i < lanes; i += 2) {
    Value pair = vector::FromElementsOp::create(
        b, loc, type, ValueRange{lane(vector, i), lane(vector, i + 1)});
    hardware.store(pair, shared(area + 2 * bytes * i, own), bytes);
  }
}

/// Weights go through shared memory, since four threads have those of a row. A
/// hidden value must not leak, not even as 0 x NaN: its weight is told by bits
/// that no arithmetic yields.
constexpr int32_t kHidden = 0x7fc0dead;
constexpr int64_t kWideHidden = 0x7ff8deaddeaddead;

/// The word that tells of a hidden pair, as wide as a number of `bytes`.
static TypedAttr getHiddenWord(OpBuilder &b, int64_t bytes) {
  return b.getIntegerAttr(b.getIntegerType(8 * bytes),
                          bytes == 4 ? kHidden : kWideHidden);
}

void KernelEmitter::storeOneByOne(const RowValues &weights,
                                  const RowValues &visible) {
  Value first = firstKey ? warpRow : multiply(warp, i32(16));
  first = add(first, group);
  int64_t rowBytes = getNumberBytes() * layout.weightStride;
  TypedAttr hiddenWord = getHiddenWord(b, getNumberBytes());
  Type word = hiddenWord.getType();
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value words =
        arith::BitcastOp::create(b, loc, laneType(word), weights[row]);
    if (visible[row]) {
      Value hidden = arith::ConstantOp::create(
          b, loc,
          DenseElementsAttr::get(laneType(word), Attribute(hiddenWord)));
      words = select(visible[row], words, hidden);
    }
    storeLanes(words, layout.weights,
               multiply(add(first, i32(8 * row)), i32(rowBytes)));
  }
}

SmallVector<Value> KernelEmitter::addOneByOne(ValueRange sums, bool mayHide,
                                              Type stored) {
  auto pairType = [](Type element) { return VectorType::get({2}, element); };
  Value firstRow = firstKey ? warpRow : multiply(warp, i32(16));
  firstRow = add(firstRow, group);
  int64_t numberBytes = getNumberBytes();
  int64_t rowBytes = numberBytes * layout.weightStride;
  TypedAttr hiddenWord = getHiddenWord(b, numberBytes);
  Type word = hiddenWord.getType();
  RowValues own;
  for (unsigned row = 0; row < kThreadRows; ++row)
    own[row] = multiply(add(firstRow, i32(8 * row)), i32(rowBytes));
  auto loop =
      scf::ForOp::create(b, loc, i32(0), i32(choice.getKeys()), i32(2), sums);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    // Two keys at once, whose weights are read together.
    Value first = loop.getInductionVar();
    RowValues pairs;
    for (unsigned row = 0; row < kThreadRows; ++row)
      pairs[row] = hardware.load(
          pairType(word),
          shared(layout.weights,
                 add(own[row], multiply(first, i32(numberBytes)))),
          2 * numberBytes);
    int64_t bytes = layout.elementBytes;
    Values next(loop.getRegionIterArgs());
    for (int64_t key : {0, 1}) {
      RowValues weight, isSeen{};
      for (unsigned row = 0; row < kThreadRows; ++row) {
        Value bits = lane(pairs[row], key);
        weight[row] = arith::BitcastOp::create(b, loc, accType, bits);
        if (mayHide)
          isSeen[row] = compare(arith::CmpIPredicate::ne, bits,
                                arith::ConstantOp::create(b, loc, hiddenWord));
      }
      Value valueRow = add(multiply(first, i32(layout.valueStride)),
                           multiply(quad, i32(2 * bytes)));
      if (firstChannel)
        valueRow = add(valueRow, multiply(firstChannel, i32(bytes)));
      size_t number = 0;
      for (int64_t tile = 0; tile < getOwnChannels() / 8; ++tile) {
        int64_t at =
            layout.values + key * layout.valueStride + 8 * tile * bytes;
        Value pair =
            hardware.load(pairType(stored), staged(at, valueRow), 2 * bytes);
        pair = convertFloat(b, loc, pair, accType);
        for (unsigned row = 0; row < kThreadRows; ++row)
          for (int64_t i : {0, 1}) {
            Value &sum = next[number++];
            Value more =
                math::FmaOp::create(b, loc, weight[row], lane(pair, i), sum);
            sum = isSeen[row] ? select(isSeen[row], more, sum) : more;
          }
      }
    }
    scf::YieldOp::create(b, loc, next);
  }
  return Values(loop.getResults());
}

} // namespace attn
