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
// Weights that have to be final need the statistics of all parts: a launch
// before leaves these. Where weights go by the order of keys, another one tells
// the mass that each part has. Of keys that are selected each part leaves its
// best, and blocks that have none of the keys select of these.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

/// Threads in a block that merges.
constexpr int64_t kMergeThreads = 128;

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

void KernelEmitter::emitParts(Value numBlocks) {
  allocateStates();
  SmallVector<Phase> phases;
  if (numKept > 0) {
    phases = {Phase::Select};
  } else if (!isReplayed()) {
    phases = {Phase::Online};
  } else {
    if (!statistics.empty())
      phases.push_back(Phase::Statistics);
    if (ordered)
      phases.push_back(Phase::Mass);
    phases.push_back(Phase::Final);
  }
  for (Phase phase : phases) {
    part = phase;
    // What no channel is needed for is done once for all of them.
    Value own = numBlocks;
    if (!hasAllChannels(op) && !sharesChannels(part))
      own = b.createOrFold<arith::DivUIOp>(loc, own, countParts());
    emitKernel(multiply(own, index(choice.getSplits())));
    // The next one meets the same key tiles.
    counts = Value();
  }
  part.reset();
  if (numKept > 0)
    emitKernel(numBlocks);
  else
    launchMerge();
  freeStates();
}

void KernelEmitter::emitPart(Phase phase) {
  if (phase == Phase::Select) {
    clearKept();
    walkKeys({}, phase);
    hardware.warpBarrier();
    return storeKept();
  }
  Value zero = createFloatConstant(b, loc, accType, 0.0);
  Values state;
  if (phase == Phase::Online || phase == Phase::Statistics) {
    state = createNeutral();
  } else {
    for (unsigned row = 0; row < kThreadRows; ++row)
      finalStatistics[row] = mergeRow(numberRow(rows[row]), {});
    emitFinalFactors();
    if (ordered)
      for (unsigned row = 0; row < kThreadRows; ++row)
        state.push_back(phase == Phase::Mass ? zero : loadMassBefore(row));
  }
  if (needsValues(phase))
    state.append(getNumSums(), zero);
  state = walkKeys(state, phase);
  if (phase == Phase::Online || phase == Phase::Statistics)
    state = gatherState(state);
  if (phase == Phase::Online)
    return storeStates(state);
  if (phase == Phase::Final)
    return storeSums(ValueRange(state).take_back(getNumSums()));
  for (unsigned row = 0; row < kThreadRows; ++row)
    if (phase == Phase::Mass)
      storeStatistics(row, state[row], statistics.size());
    else
      storeStatistics(row, combineRow(state, row), 0);
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

void KernelEmitter::allocateStates() {
  numAllRows = countRows();
  for (unsigned dim : outerDims)
    numAllRows = multiply(
        numAllRows, getValueOrCreateConstantIndexOp(b, loc, extents[dim]));
  Value entries = multiply(numAllRows, index(choice.getSplits()));
  auto allocate = [&](int64_t width, Type element, Value unknown = {}) {
    auto type = MemRefType::get({ShapedType::kDynamic, width}, element);
    Values sizes{entries};
    if (unknown)
      sizes.push_back(unknown);
    return memref::AllocOp::create(b, loc, type, sizes).getResult();
  };
  if (numKept > 0) {
    states = {allocate(numKept, accType), allocate(numKept, b.getI32Type())};
    return;
  }
  int64_t numStatistics = statistics.size() + (ordered ? 1 : 0);
  states = {hasAllChannels(op)
                ? allocate(layout.channels, accType)
                : allocate(ShapedType::kDynamic, accType, getChannelRoom()),
            allocate(std::max<int64_t>(1, numStatistics), accType)};
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

Value KernelEmitter::numberRow(Value row) {
  if (op.getQueryStarts())
    row = add(row, cast<Value>(box.requestRows.lookup(rowDim).first));
  return add(multiply(outerNumber, countRows()), row);
}

Value KernelEmitter::loadState(unsigned which, Value number, Value allRow,
                               Value at) {
  return memref::LoadOp::create(b, loc, states[which],
                                ValueRange{locateState(number, allRow), at});
}

Value KernelEmitter::locateState(Value number, Value row) {
  return add(multiply(number, numAllRows), row);
}

void KernelEmitter::storeSums(ValueRange sums) {
  Value column = multiply(quad, i32(2));
  if (firstChannel)
    column = add(column, firstChannel);
  column = toIndex(column);
  if (firstColumn)
    column = add(column, firstColumn);
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value at = locateState(split, numberRow(rows[row]));
    emitWhere(hasRow[row], [&] {
      for (int64_t tile = 0; tile < getOwnChannels() / 8; ++tile)
        for (int64_t i : {0, 1})
          memref::StoreOp::create(
              b, loc, sums[4 * tile + 2 * row + i], states[0],
              ValueRange{at, add(column, index(8 * tile + i))});
    });
  }
}

void KernelEmitter::storeStatistics(unsigned row, ValueRange own,
                                    int64_t first) {
  Value at = locateState(split, numberRow(rows[row]));
  emitWhere(arith::AndIOp::create(b, loc, hasRow[row], storesRows), [&] {
    for (auto [i, value] : llvm::enumerate(own))
      memref::StoreOp::create(b, loc, value, states[1],
                              ValueRange{at, index(first + i)});
  });
}

void KernelEmitter::storeStates(ValueRange state) {
  storeSums(state.drop_front(kThreadRows * statistics.size()));
  for (unsigned row = 0; row < kThreadRows; ++row)
    storeStatistics(row, combineRow(state, row), 0);
}

Value KernelEmitter::loadMassBefore(unsigned row) {
  Value own = numberRow(rows[row]);
  Value zero = createFloatConstant(b, loc, accType, 0.0);
  return emitLoop(
      index(0), split, index(1), zero, [&](Value number, ValueRange carried) {
        Value mass = loadState(1, number, own, index(statistics.size()));
        return Values{arith::AddFOp::create(b, loc, carried[0], mass)};
      })[0];
}

//===----------------------------------------------------------------------===//
// Merging
//===----------------------------------------------------------------------===//

SmallVector<Value> KernelEmitter::mergeRow(Value allRow, Value channel) {
  auto forEachPart = [&](ValueRange inits,
                         function_ref<Values(Value, ValueRange)> body) {
    return emitLoop(index(0), index(choice.getSplits()), index(1), inits, body);
  };
  auto loadStatistics = [&](Value number, unsigned from, unsigned to) {
    Values loaded;
    for (unsigned i = from; i < to; ++i)
      loaded.push_back(loadState(1, number, allRow, index(i)));
    return loaded;
  };
  Values neutral;
  for (const Statistic &statistic : statistics)
    neutral.push_back(createFloatConstant(b, loc, accType, statistic.neutral));
  Values final =
      forEachPart(ValueRange(neutral).take_front(numScoreStatistics),
                  [&](Value number, ValueRange carried) {
                    Values own = loadStatistics(number, 0, numScoreStatistics),
                           next;
                    for (unsigned i = 0; i < numScoreStatistics; ++i)
                      next.push_back(combine(i, carried[i], own[i]));
                    return next;
                  });
  Values score = final;
  Values carried(neutral.begin() + numScoreStatistics, neutral.end());
  if (channel)
    carried.push_back(createFloatConstant(b, loc, accType, 0.0));
  llvm::append_range(
      final, forEachPart(carried, [&](Value number, ValueRange old) {
        Value factor = weighting.rescale(
            b, loc, loadStatistics(number, 0, numScoreStatistics), score,
            scale);
        auto rescaled = [&](Value value) -> Value {
          return factor ? arith::MulFOp::create(b, loc, value, factor) : value;
        };
        Values next;
        Values own =
            loadStatistics(number, numScoreStatistics, statistics.size());
        for (auto [i, value] : llvm::enumerate(own))
          next.push_back(
              combine(numScoreStatistics + i, old[i], rescaled(value)));
        if (channel) {
          Value sum = loadState(0, number, allRow, channel);
          next.push_back(arith::AddFOp::create(
              b, loc, old.back(), isReplayed() ? sum : rescaled(sum)));
        }
        return next;
      }));
  return final;
}

/// One element of the output: what all parts have of its row.
void KernelEmitter::mergeElement(Value allRow, Value channel) {
  Values final = mergeRow(allRow, channel);
  Value value = final.pop_back_val();
  Values operands = weightingOperands(0);
  if (!isReplayed() || !normalizesWeights())
    value = multiplyAll(
        value, weighting.finish(b, loc, final, operands, numKeys, scale));
  unsigned number = op.getOutputIndex();
  MatrixView output = view(number, rowDim, channelDim);
  Value at = add(output.address, rowOffset(output, 0));
  at = add(at, multiply(channel, output.columnBytes));
  // There may be no channel but that which stands for the row.
  Value isThere;
  if (!hasAllChannels(op))
    isThere = compare(
        arith::CmpIPredicate::ult, channel,
        getValueOrCreateConstantIndexOp(b, loc, wholeExtents[channelDim]));
  emitWhere(isThere, [&] {
    hardware.store(convertFloat(b, loc, value, output.element),
                   hardware.toGlobal(at),
                   output.element.getIntOrFloatBitWidth() / 8);
  });
  if (op.getLse())
    emitWhere(compare(arith::CmpIPredicate::eq, channel, index(0)),
              [&] { storeLogSumExp(0, final, operands); });
}

/// A thread has row `row` of all outer positions.
void KernelEmitter::mergeOwnRow(Value row, Value channel) {
  Value rest = row;
  auto take = [&](unsigned dim) {
    Value extent = getValueOrCreateConstantIndexOp(b, loc, extents[dim]);
    Value position = arith::RemUIOp::create(b, loc, rest, extent);
    rest = arith::DivUIOp::create(b, loc, rest, extent);
    return position;
  };
  rowPositions[0].assign(rowDims.size(), Value());
  for (size_t i = rowDims.size(); i-- > 0;)
    rowPositions[0][i] = take(rowDims[i]);
  rowPositions[1] = rowPositions[0];
  for (unsigned dim : llvm::reverse(outerDims))
    box.offsets[dim] = take(dim);
  takeRequestKeys();
  if (isPaged())
    takeHead(numberTile(arith::RemUIOp::create(b, loc, row, countRows())));
  readInputs();
  emitScalars();
  mergeElement(row, channel);
}

/// The same of row `row` of all tiles, some of which have fewer: tiles are what
/// requests are found by.
void KernelEmitter::mergePackedRow(Value row, Value channel) {
  Value size = index(choice.getRows());
  Value local = arith::RemUIOp::create(b, loc, row, size);
  locateTile(toI32(arith::DivUIOp::create(b, loc, row, size)), outerDims);
  emitWhere(compare(arith::CmpIPredicate::slt, local, toIndex(numRows)), [&] {
    Value own = add(firstRow, local);
    rowPositions[0] = rowPositions[1] = splitRow(own);
    takeRequestKeys();
    if (isPaged())
      takeHead(tileNumber);
    readInputs();
    emitScalars();
    mergeElement(numberRow(own), channel);
  });
}

void KernelEmitter::launchMerge() {
  Value one = index(1);
  Value channels =
      getValueOrCreateConstantIndexOp(b, loc, wholeExtents[channelDim]);
  if (!hasAllChannels(op))
    channels = b.createOrFold<arith::MaxUIOp>(loc, channels, one);
  Value numRowsOfThreads = numAllRows;
  if (op.getQueryStarts()) {
    numRowsOfThreads = multiply(numTiles, index(choice.getRows()));
    for (unsigned dim : outerDims)
      numRowsOfThreads =
          multiply(numRowsOfThreads,
                   getValueOrCreateConstantIndexOp(b, loc, extents[dim]));
  }
  Value elements = multiply(numRowsOfThreads, channels);
  Value threads = index(kMergeThreads);
  Value blocks = b.createOrFold<arith::CeilDivUIOp>(loc, elements, threads);
  OpBuilder::InsertionGuard guard(b);
  gpu::LaunchOp launch = enterBlocks(blocks, kMergeThreads);
  firstColumn = numColumns = hasFirst = Value();
  extents = wholeExtents;
  Value element =
      add(multiply(launch.getBlockIds().x, threads), launch.getThreadIds().x);
  emitWhere(compare(arith::CmpIPredicate::ult, element, elements), [&] {
    Value row = arith::DivUIOp::create(b, loc, element, channels);
    Value channel = arith::RemUIOp::create(b, loc, element, channels);
    if (op.getQueryStarts())
      mergePackedRow(row, channel);
    else
      mergeOwnRow(row, channel);
  });
}

//===----------------------------------------------------------------------===//
// Keys that parts keep
//===----------------------------------------------------------------------===//

void KernelEmitter::storeKept() {
  forOwnRow([&](Value row) {
    Value own = add(warpRow, threadInWarp);
    Value isThere = compare(arith::CmpIPredicate::slt, own, numRows);
    emitWhere(storesFirst(isThere), [&] {
      Value at = locateState(split, numberRow(add(firstRow, toIndex(own))));
      forEachPlace({}, [&](Value place, ValueRange) {
        for (bool isKey : {false, true}) {
          Value kept = loadKept(place, row, isKey);
          memref::StoreOp::create(b, loc, kept, states[isKey],
                                  ValueRange{at, toIndex(place)});
        }
        return Values();
      });
    });
  });
}

void KernelEmitter::takeKept() {
  forOwnRow([&](Value row) {
    Value last = arith::SubIOp::create(b, loc, numRows, i32(1));
    Value own = add(warpRow, threadInWarp);
    own = arith::MinSIOp::create(b, loc, own, last);
    Value allRow = numberRow(add(firstRow, toIndex(own)));
    emitLoop(index(0), index(choice.getSplits()), index(1), {},
             [&](Value number, ValueRange) {
               forEachPlace({}, [&](Value place, ValueRange) {
                 Value at = toIndex(place);
                 Value score = loadState(0, number, allRow, at);
                 Value key = loadState(1, number, allRow, at);
                 offerKey(row, score, key);
                 return Values();
               });
               return Values();
             });
  });
}

} // namespace attn
