//===- ContractFinish.cpp - What follows the sums of a product --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"
#include "attn/Analysis/GPUTarget.h"
#include "attn/IR/Utils.h"
#include "attn/Tiling/IterationBox.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

/// Neighbouring columns that are read and written at once: 16 bytes of sums.
constexpr int64_t kWordColumns = 4;

Value ContractKernel::loadInput(unsigned number, Value row, Value column,
                                Value feature) {
  Value operand = operands[number];
  if (!isa<MemRefType>(operand.getType()))
    return operand;
  Value positions[] = {row, column, feature};
  Values indices;
  for (AffineExpr expr : op.getIndexingMap(number).getResults())
    indices.push_back(positions[cast<AffineDimExpr>(expr).getPosition()]);
  return memref::LoadOp::create(b, loc, operand, indices);
}

Value ContractKernel::getAddress(unsigned number, const MatrixView &own,
                                 Value row, Value column) {
  Value at = add(own.address, multiply(row, own.rowBytes));
  return hardware.toGlobal(add(at, multiply(column, own.columnBytes)));
}

/// The bytes of a word of elements of `type`, as it is to be aligned.
static int64_t getWordAlignment(Type type) {
  return std::min<int64_t>(16, kWordColumns * type.getIntOrFloatBitWidth() / 8);
}

/// Whether what has columns has words of them, an i1; null if something has
/// none.
Value ContractKernel::findWords() {
  if (!accType.isF32() || sumStride() % 16 != 0 || GPUTarget::of(op).isAMD())
    return {};
  Value all;
  for (unsigned number = op.getInputIndex(); number <= op.getInitIndex();
       ++number) {
    auto type = dyn_cast<MemRefType>(operands[number].getType());
    AffineMap map = op.getIndexingMap(number);
    if (!type || !getPosition(map, ContractOp::Columns))
      continue;
    Type element = type.getElementType();
    if (map.getDimPosition(map.getNumResults() - 1) != ContractOp::Columns ||
        !type.isLastDimUnitStride() ||
        !(element.isF16() || element.isBF16() || element.isF32() ||
          element.isF64() || element.isSignlessInteger(8) ||
          element.isSignlessInteger(16) || element.isSignlessInteger(32)))
      return {};
    MatrixView own = view(number, ContractOp::Rows, ContractOp::Columns);
    Value bits = arith::OrIOp::create(b, loc, own.address, own.rowBytes);
    Value rest = arith::AndIOp::create(b, loc, bits,
                                       index(getWordAlignment(element) - 1));
    all = both(all, compare(Predicate::eq, rest, index(0)));
  }
  return all;
}

/// `load` gives the element of an operand.
Value ContractKernel::computeElement(Value sum,
                                     function_ref<Value(unsigned)> load) {
  if (op.getAccumulate())
    sum = arith::AddFOp::create(
        b, loc, sum, convertFloat(b, loc, load(op.getInitIndex()), accType));
  if (op.getElement().empty())
    return sum;
  Values arguments{sum};
  for (unsigned i = 0, e = op.getInputs().size(); i < e; ++i)
    arguments.push_back(load(op.getInputIndex() + i));
  return inlineBody(b, op.getElement(), arguments)[0];
}

void ContractKernel::storeElement(Value row, Value column, Value sum) {
  sum = computeElement(sum, [&](unsigned number) {
    return loadInput(number, row, column, {});
  });
  MatrixView init =
      view(op.getInitIndex(), ContractOp::Rows, ContractOp::Columns);
  hardware.store(convertFloat(b, loc, sum, init.element),
                 getAddress(op.getInitIndex(), init, row, column),
                 init.element.getIntOrFloatBitWidth() / 8);
}

void ContractKernel::storeWord(Value row, Value column, ValueRange sums) {
  unsigned first = op.getInputIndex(), last = op.getInitIndex();
  auto getWord = [&](const MatrixView &own) {
    return VectorType::get({kWordColumns}, own.element);
  };
  // What has no columns is one element.
  Values loaded(last + 1);
  SmallVector<bool> isWord(last + 1, false);
  for (unsigned number = first; number <= last; ++number) {
    if (number == last && !op.getAccumulate())
      continue;
    isWord[number] = isa<MemRefType>(operands[number].getType()) &&
                     getPosition(op.getIndexingMap(number),
                                 ContractOp::Columns);
    if (!isWord[number]) {
      loaded[number] = loadInput(number, row, column, {});
      continue;
    }
    MatrixView own = view(number, ContractOp::Rows, ContractOp::Columns);
    loaded[number] =
        hardware.load(getWord(own), getAddress(number, own, row, column),
                      getWordAlignment(own.element));
  }
  Values results;
  for (int64_t i = 0; i < kWordColumns; ++i)
    results.push_back(computeElement(sums[i], [&](unsigned number) {
      return isWord[number] ? lane(loaded[number], i) : loaded[number];
    }));
  Value word = vector::FromElementsOp::create(
      b, loc, VectorType::get({kWordColumns}, results[0].getType()), results);
  MatrixView init = view(last, ContractOp::Rows, ContractOp::Columns);
  hardware.store(convertFloat(b, loc, word, init.element),
                 getAddress(last, init, row, column),
                 getWordAlignment(init.element));
}

/// `count` sums of the tile from `row` and `column` on.
SmallVector<Value> ContractKernel::loadSums(Value row, Value column,
                                            int64_t count) {
  Value at = add(multiply(row, i32(sumStride())),
                 multiply(column, i32(accBytes)));
  Type word = readsAllSums() ? Type(b.getI32Type()) : Type(accType);
  Type type = count == 1 ? word : VectorType::get({count}, word);
  Value loaded = hardware.load(type, shared(0, at), count * accBytes);
  Values sums;
  for (int64_t i = 0; i < count; ++i) {
    Value own = count == 1 ? loaded : lane(loaded, i);
    // Where it is loaded, it stays.
    if (readsAllSums())
      own = arith::BitcastOp::create(b, loc, accType, hardware.forget(own));
    sums.push_back(own);
  }
  return sums;
}

/// Of the tile, from `row` and `column` on: a word of which some columns are
/// there or, if there are no words, an element.
void ContractKernel::finishWord(Value row, Value column, ValueRange sums,
                                Value hasWords) {
  Value ownRow = add(factors[0].first, toIndex(row));
  auto locate = [&](Value own) { return add(factors[1].first, toIndex(own)); };
  if (!hasWords)
    return storeElement(ownRow, locate(column), sums[0]);
  Value end = add(column, i32(kWordColumns));
  Value isWhole =
      both(hasWords, compare(Predicate::sle, end, factors[1].count));
  auto storeAtOnce = [&] {
    storeWord(ownRow, locate(column), sums);
    return Values();
  };
  auto storeOneByOne = [&] {
    Value least = arith::MinSIOp::create(b, loc, end, factors[1].count);
    emitLoop(column, least, i32(1), {}, [&](Value own, ValueRange) {
      Value number = arith::SubIOp::create(b, loc, own, column);
      Value sum = sums[0];
      for (int64_t i = 1; i < kWordColumns; ++i)
        sum = select(compare(Predicate::eq, number, i32(i)), sums[i], sum);
      storeElement(ownRow, locate(own), sum);
      return Values();
    });
    return Values();
  };
  emitEither({}, isWhole, storeAtOnce, storeOneByOne);
}

void ContractKernel::finish(ValueRange ownSums) {
  meet();
  storeSums(ownSums);
  meet();
  Value hasWords = findWords();
  int64_t word = hasWords ? kWordColumns : 1, words = tiles.columns / word;
  emitLoop(thread, i32(tiles.rows * words), i32(countThreads()), {},
           [&](Value number, ValueRange) {
             Value row = arith::DivUIOp::create(b, loc, number, i32(words));
             Value column =
                 arith::RemUIOp::create(b, loc, number, i32(words));
             column = multiply(column, i32(word));
             Value there =
                 both(compare(Predicate::slt, row, factors[0].count),
                      compare(Predicate::slt, column, factors[1].count));
             Values sums;
             if (readsAllSums())
               sums = loadSums(row, column, word);
             emitWhere(there, [&] {
               if (!readsAllSums())
                 sums = loadSums(row, column, word);
               finishWord(row, column, sums, hasWords);
             });
             return Values();
           });
}

} // namespace attn
