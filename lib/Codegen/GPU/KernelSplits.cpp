//===- KernelSplits.cpp - Keys in several parts -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where query rows are few, blocks of their own walk over parts of the keys and
// leave the state of each row: statistics and sums. A second kernel, a thread
// for each element of the output, merges the states of a row in the order of
// the keys and finishes it.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

/// Threads in a block that merges.
constexpr int64_t kMergeThreads = 128;

void KernelEmitter::allocateStates() {
  numAllRows = countRows();
  for (unsigned dim : outerDims)
    numAllRows = multiply(
        numAllRows, getValueOrCreateConstantIndexOp(b, loc, extents[dim]));
  Value entries = multiply(numAllRows, index(choice.getSplits()));
  auto allocate = [&](int64_t width, Value unknown) -> Value {
    auto type = MemRefType::get({ShapedType::kDynamic, width}, accType);
    Values sizes{entries};
    if (unknown)
      sizes.push_back(unknown);
    return memref::AllocOp::create(b, loc, type, sizes);
  };
  bool hasAll = hasAllChannels(op);
  states = {allocate(hasAll ? layout.channels : ShapedType::kDynamic,
                     hasAll ? Value() : getChannelRoom()),
            allocate(std::max<int64_t>(1, statistics.size()), {})};
}

void KernelEmitter::freeStates() {
  for (Value state : states)
    memref::DeallocOp::create(b, loc, state);
}

/// A like share of the keys between the first and the last that any row sees,
/// in whole tiles.
std::pair<Value, Value> KernelEmitter::takeSplit(ValueRange ranges, Value from,
                                                 Value to) {
  Value first = ranges[0], end = ranges[1];
  for (size_t i = 2; i < ranges.size(); i += 2) {
    first = arith::MinSIOp::create(b, loc, first, ranges[i]);
    end = arith::MaxSIOp::create(b, loc, end, ranges[i + 1]);
  }
  first = arith::MaxSIOp::create(b, loc, first, from);
  end = arith::MinSIOp::create(b, loc, end, to);
  Value length = arith::SubIOp::create(b, loc, end, first);
  length = arith::MaxSIOp::create(b, loc, length, index(0));
  Value keys = index(choice.getSplits() * choice.getKeys());
  Value tiles = arith::CeilDivUIOp::create(b, loc, length, keys);
  Value share = multiply(tiles, index(choice.getKeys()));
  Value own = add(first, multiply(split, share));
  return {own, arith::MinSIOp::create(b, loc, end, add(own, share))};
}

Value KernelEmitter::locateState(Value number, Value row) {
  return add(multiply(number, numAllRows), row);
}

void KernelEmitter::storeStates(ValueRange state) {
  ValueRange sums = state.drop_front(kThreadRows * statistics.size());
  Value column = multiply(quad, i32(2));
  if (firstChannel)
    column = add(column, firstChannel);
  column = toIndex(column);
  if (firstColumn)
    column = add(column, firstColumn);
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Values own(state.slice(row * statistics.size(), statistics.size()));
    for (unsigned i = numScoreStatistics; i < statistics.size(); ++i)
      own[i] = combineQuad(i, own[i]);
    Value at =
        locateState(split, add(multiply(outerNumber, countRows()), rows[row]));
    auto storeSums = [&] {
      for (int64_t tile = 0; tile < getOwnChannels() / 8; ++tile)
        for (int64_t i : {0, 1})
          memref::StoreOp::create(
              b, loc, sums[4 * tile + 2 * row + i], states[0],
              ValueRange{at, add(column, index(8 * tile + i))});
      return Values();
    };
    auto storeStatistics = [&] {
      for (auto [i, value] : llvm::enumerate(own))
        memref::StoreOp::create(b, loc, value, states[1],
                                ValueRange{at, index(i)});
      return Values();
    };
    emitIf(hasRow[row], storeSums, {});
    emitIf(arith::AndIOp::create(b, loc, hasRow[row], storesRows),
           storeStatistics, {});
  }
}

/// One element of the output: what all parts have of its row.
void KernelEmitter::mergeElement(Value allRow, Value channel) {
  auto load = [&](Value number, unsigned which, Value at) -> Value {
    return memref::LoadOp::create(b, loc, states[which],
                                  ValueRange{locateState(number, allRow), at});
  };
  Value numSplits = index(choice.getSplits());
  auto forEachSplit = [&](ValueRange inits,
                          function_ref<Values(Value, ValueRange)> body) {
    auto loop =
        scf::ForOp::create(b, loc, index(0), numSplits, index(1), inits);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Values next = body(loop.getInductionVar(), loop.getRegionIterArgs());
    if (!inits.empty())
      scf::YieldOp::create(b, loc, next);
    return Values(loop.getResults());
  };
  auto loadStatistics = [&](Value number, unsigned from, unsigned to) {
    Values loaded;
    for (unsigned i = from; i < to; ++i)
      loaded.push_back(load(number, 1, index(i)));
    return loaded;
  };
  Values neutral;
  for (const Statistic &statistic : statistics)
    neutral.push_back(createFloatConstant(b, loc, accType, statistic.neutral));
  Values final =
      forEachSplit(ValueRange(neutral).take_front(numScoreStatistics),
                   [&](Value number, ValueRange carried) {
                     Values own = loadStatistics(number, 0, numScoreStatistics),
                            next;
                     for (unsigned i = 0; i < numScoreStatistics; ++i)
                       next.push_back(combine(i, carried[i], own[i]));
                     return next;
                   });
  Values score = final;
  Values carried(neutral.begin() + numScoreStatistics, neutral.end());
  carried.push_back(createFloatConstant(b, loc, accType, 0.0));
  carried = forEachSplit(carried, [&](Value number, ValueRange old) {
    Value factor = weighting.rescale(
        b, loc, loadStatistics(number, 0, numScoreStatistics), score, scale);
    auto rescaled = [&](Value value) -> Value {
      return factor ? arith::MulFOp::create(b, loc, value, factor) : value;
    };
    Values next;
    Values own = loadStatistics(number, numScoreStatistics, statistics.size());
    for (auto [i, value] : llvm::enumerate(own))
      next.push_back(combine(numScoreStatistics + i, old[i], rescaled(value)));
    next.push_back(arith::AddFOp::create(b, loc, old.back(),
                                         rescaled(load(number, 0, channel))));
    return next;
  });
  final.append(carried.begin(), carried.end() - 1);

  Values operands = weightingOperands(0);
  Value value = carried.back();
  for (Value factor : weighting.finish(b, loc, final, operands, numKeys, scale))
    value = arith::MulFOp::create(b, loc, value, factor);
  unsigned number = op.getOutputIndex();
  MatrixView output = view(number, rowDim, channelDim);
  Value at = add(output.address, rowOffset(output, 0));
  at = add(at, multiply(channel, output.columnBytes));
  auto store = [&] {
    hardware.store(convertFloat(b, loc, value, output.element),
                   hardware.toGlobal(at),
                   output.element.getIntOrFloatBitWidth() / 8);
    return Values();
  };
  // There may be no channel but that which stands for the row.
  if (hasAllChannels(op))
    store();
  else
    emitIf(compare(arith::CmpIPredicate::ult, channel,
                   getValueOrCreateConstantIndexOp(b, loc,
                                                   wholeExtents[channelDim])),
           store, {});
  if (op.getLse())
    emitIf(compare(arith::CmpIPredicate::eq, channel, index(0)),
           [&] {
             storeLogSumExp(0, final, operands);
             return Values();
           },
           {});
}

void KernelEmitter::launchMerge() {
  Value one = index(1);
  Value channels =
      getValueOrCreateConstantIndexOp(b, loc, wholeExtents[channelDim]);
  if (!hasAllChannels(op))
    channels = b.createOrFold<arith::MaxUIOp>(loc, channels, one);
  Value elements = multiply(numAllRows, channels);
  Value threads = index(kMergeThreads);
  Value blocks = b.createOrFold<arith::CeilDivUIOp>(loc, elements, threads);
  auto launch =
      gpu::LaunchOp::create(b, loc, blocks, one, one, threads, one, one);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&launch.getBody().front());
  gpu::TerminatorOp::create(b, loc);
  b.setInsertionPointToStart(&launch.getBody().front());
  firstColumn = numColumns = hasFirst = Value();
  Value element =
      add(multiply(launch.getBlockIds().x, threads), launch.getThreadIds().x);
  emitIf(compare(arith::CmpIPredicate::ult, element, elements),
         [&] {
           Value row = arith::DivUIOp::create(b, loc, element, channels);
           Value channel = arith::RemUIOp::create(b, loc, element, channels);
           Value rest = row;
           auto take = [&](unsigned dim) {
             Value extent =
                 getValueOrCreateConstantIndexOp(b, loc, extents[dim]);
             Value position = arith::RemUIOp::create(b, loc, rest, extent);
             rest = arith::DivUIOp::create(b, loc, rest, extent);
             return position;
           };
           extents = wholeExtents;
           rowPositions[0].assign(rowDims.size(), Value());
           for (size_t i = rowDims.size(); i-- > 0;)
             rowPositions[0][i] = take(rowDims[i]);
           rowPositions[1] = rowPositions[0];
           for (unsigned dim : llvm::reverse(outerDims))
             box.offsets[dim] = take(dim);
           takeRequestKeys();
           if (isPaged())
             takeHead(
                 numberTile(arith::RemUIOp::create(b, loc, row, countRows())));
           readInputs();
           emitScalars();
           mergeElement(row, channel);
           return Values();
         },
         {});
}

} // namespace attn
