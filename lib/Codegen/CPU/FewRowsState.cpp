//===- FewRowsState.cpp - What a step of few rows keeps ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Queries, accumulator and statistics of a step: on the stack where they are
// few, at constant places, which prefetchers leave out of account. From
// elsewhere, their reads would hide the pattern of those of keys and values.
//
//===----------------------------------------------------------------------===//

#include "FewRowsEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// The most vectors of queries that are read once.
constexpr int64_t kMaxQueries = 128;

/// The most vectors of an accumulator that is kept on the stack.
constexpr int64_t kMaxLocalSums = 64;

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

bool FewRowsEmitter::keepsQueries() {
  std::optional<int64_t> known = getConstantIntValue(numFeatures);
  if (!known || rows * llvm::divideCeil(*known, numTogether) > kMaxQueries)
    return false;
  // Where what is asked for ahead limits, and not arithmetic: what comes back
  // from the stack takes registers, which the processor then lacks to go on
  // while it waits. One row finds registers that are its own.
  bool converts = getElementTypeOrSelf(op.getKey().getType()) != accType;
  return !op.getAheadKey() || rows == 1 || rows > kMaxKeyRows || converts;
}

void FewRowsEmitter::readQueries() {
  if (!keepsQueries())
    return;
  bool allInParts = countKeysInParts(groupRows) && rows % groupRows == 0;
  std::optional<int64_t> known = getConstantIntValue(numFeatures);
  for (int64_t row = 0; row < rows && !allInParts; ++row)
    for (int64_t feature = 0; feature < *known; feature += numTogether) {
      int64_t rest = *known - feature;
      Value mask = rest < numTogether
                       ? createLaneMask(b, loc, numTogether, index(rest))
                       : Value();
      queries.push_back(readFeatures(query, maps[0], index(row),
                                     /*key=*/zero, index(feature), mask));
    }
  arrangeQueries();
}

Value FewRowsEmitter::getQuery(int64_t row, Value feature, Value mask) {
  std::optional<int64_t> known = getConstantIntValue(feature);
  if (queries.empty() || !known)
    return readFeatures(query, maps[0], index(row), /*key=*/zero, feature,
                        mask);
  int64_t perRow = queries.size() / rows;
  return queries[row * perRow + *known / numTogether];
}

//===----------------------------------------------------------------------===//
// Accumulator and statistics
//===----------------------------------------------------------------------===//

/// With more rows it takes a while to bring what they have accumulated to
/// registers and back, which is done once for each block: of two vectors, where
/// they are always whole.
void FewRowsEmitter::chooseBlock() {
  std::optional<int64_t> known = getConstantIntValue(numKeys);
  bool isWhole = known && *known % (2 * lanes) == 0 && op.getMask().empty();
  bool takesTwo = rows > kMaxKeyRows && isWhole && weighting && !inPairs;
  blockKeys = takesTwo ? 2 * lanes : lanes;
}

/// Whether `loop` uses the memory of `buffer`, which lies outside of it, in
/// `op` alone.
static bool isUsedByOnly(Operation *op, Value buffer, Operation *loop) {
  SmallVector<Value> views;
  for (Value base = buffer; base;) {
    if (loop->isAncestor(base.getParentRegion()->getParentOp()))
      return false;
    views.assign(1, base);
    auto view = base.getDefiningOp<ViewLikeOpInterface>();
    base = view ? view.getViewSource() : Value();
  }
  for (size_t i = 0; i < views.size(); ++i)
    for (Operation *user : views[i].getUsers()) {
      if (user == op)
        continue;
      auto view = dyn_cast<ViewLikeOpInterface>(user);
      // What else has the memory under another name is not followed.
      bool hasNames =
          isa<RegionBranchOpInterface>(user) ||
          llvm::any_of(user->getResultTypes(), llvm::IsaPred<BaseMemRefType>);
      if (loop->isProperAncestor(user) || (hasNames && !view))
        return false;
      if (view)
        llvm::append_range(views, view->getResults());
    }
  return true;
}

Operation *FewRowsEmitter::findStateLoop() {
  Operation *around = op;
  if (!keepsState())
    return around;
  SmallVector<Value> buffers{op.getQuery(), op.getAccumulator()};
  llvm::append_range(buffers, op.getStatistics());
  Values taken;
  if (replay) {
    taken.push_back(replay->keys);
    llvm::append_range(taken, op.getWeightingOperands());
  }
  for (Operation *loop = op->getParentOp();
       isa<scf::ForOp, scf::WhileOp, scf::IfOp>(loop);
       loop = loop->getParentOp()) {
    auto isInside = [&](Value value) {
      return loop->isAncestor(value.getParentBlock()->getParentOp());
    };
    if (!llvm::all_of(
            buffers,
            [&](Value buffer) { return isUsedByOnly(op, buffer, loop); }) ||
        llvm::any_of(taken, isInside))
      break;
    if (!isa<scf::IfOp>(loop))
      around = loop;
  }
  return around;
}

bool FewRowsEmitter::keepsState() {
  auto type = cast<MemRefType>(op.getValue().getType());
  int64_t channels =
      type.getDimSize(*maps[2].getResultPosition(b.getAffineDimExpr(3)));
  return !ShapedType::isDynamic(channels) && !op.getRows() &&
         rows * llvm::divideCeil(channels, lanes) <= kMaxLocalSums;
}

void FewRowsEmitter::createState() {
  std::optional<int64_t> channels = getConstantIntValue(numChannels);
  int64_t vectors = channels ? llvm::divideCeil(*channels, lanes) : 0;
  isLocal = keepsState();
  auto scratch = [&](ArrayRef<int64_t> shape, Type element) {
    MemRefType type = MemRefType::get(shape, element);
    return isLocal ? createLocalScratch(b, op, type)
                   : createWorkerScratch(b, op, type);
  };
  weights = scratch({rows, blockKeys}, accType);
  if (inPairs)
    weightPairs = scratch({rows, blockKeys / 2}, b.getI32Type());
  if (int64_t numSums = statistics.size() - numScoreStatistics;
      numSums && !replay)
    sums = scratch({numSums, rows, lanes}, accType);
  if (!op.getMask().empty())
    words = scratch({rows}, b.getIntegerType(lanes));
  accumulator = op.getAccumulator();
  if (isLocal)
    accumulator = scratch({rows, vectors * lanes}, accType);
  for (Value statistic : op.getStatistics().take_front(numScoreStatistics))
    scoreStatistics.push_back(isLocal ? scratch({rows}, accType) : statistic);
  // Fewer rows wait for memory anyway, and another order of instructions costs
  // them more than it saves; as would what is read from elsewhere than the
  // stack.
  if (isLocal && rows > kMaxKeyRows)
    splitWeight();
  if (!takenByWeights.empty())
    keptForWeights =
        scratch({rows, static_cast<int64_t>(takenByWeights.size())}, accType);
}

void FewRowsEmitter::splitWeight() {
  if (numScoreStatistics == 0)
    return;
  OpBuilder builder(b.getContext());
  builder.setInsertionPointToStart(&formula);
  Value score = formula.addArgument(laneType, loc);
  Values given, operands;
  for (unsigned i = 0; i < numScoreStatistics; ++i)
    given.push_back(formula.addArgument(laneType, loc));
  for (size_t i = 0; i < op.getWeightingOperands().size(); ++i)
    operands.push_back(formula.addArgument(laneType, loc));
  formulaResult = weighting.weight(builder, loc, score, given, operands,
                                   /*scale=*/Value());
  auto isConstant = [](Operation *op) {
    return op && op->hasTrait<OpTrait::ConstantLike>();
  };
  auto isGiven = [&](Value value) {
    Operation *source = value.getDefiningOp();
    return source ? ofStatistics.contains(source) || isConstant(source)
                  : llvm::is_contained(given, value);
  };
  bool computes = false, keeps = true;
  for (Operation &each : formula)
    if (!isConstant(&each) && each.getNumRegions() == 0 && isPure(&each) &&
        llvm::all_of(each.getOperands(), isGiven)) {
      ofStatistics.insert(&each);
      computes = true;
    }
  auto take = [&](Value value) {
    if (!isGiven(value) || isConstant(value.getDefiningOp()) ||
        llvm::is_contained(takenByWeights, value))
      return;
    takenByWeights.push_back(value);
    keeps &= value.getType() == laneType;
  };
  for (Operation &each : formula)
    if (!ofStatistics.contains(&each))
      llvm::for_each(each.getOperands(), take);
  take(formulaResult);
  if (!computes || !keeps)
    takenByWeights.clear();
}

void FewRowsEmitter::cloneFormula(IRMapping &mapping, bool ofStatistics) {
  for (Operation &each : formula)
    if (each.hasTrait<OpTrait::ConstantLike>() ||
        this->ofStatistics.contains(&each) == ofStatistics)
      b.clone(each, mapping);
}

void FewRowsEmitter::keepForWeights(Value row, ValueRange scoreStatistics) {
  if (takenByWeights.empty())
    return;
  IRMapping mapping;
  mapping.map(formula.getArguments().slice(1, numScoreStatistics),
              scoreStatistics);
  cloneFormula(mapping, /*ofStatistics=*/true);
  for (auto [i, value] : llvm::enumerate(takenByWeights))
    memref::StoreOp::create(
        b, loc,
        vector::ExtractOp::create(b, loc, mapping.lookup(value), int64_t(0)),
        keptForWeights, ValueRange{row, index(i)});
}

Value FewRowsEmitter::emitWeight(Value row, Value score,
                                 ValueRange scoreStatistics,
                                 ValueRange operands) {
  if (takenByWeights.empty())
    return weighting.weight(b, loc, score, scoreStatistics, operands,
                            /*scale=*/Value());
  IRMapping mapping;
  mapping.map(formula.getArgument(0), score);
  mapping.map(formula.getArguments().drop_front(1 + numScoreStatistics),
              operands);
  for (auto [i, value] : llvm::enumerate(takenByWeights))
    mapping.map(value, broadcast(memref::LoadOp::create(
                           b, loc, keptForWeights, ValueRange{row, index(i)})));
  cloneFormula(mapping, /*ofStatistics=*/false);
  return mapping.lookup(formulaResult);
}

void FewRowsEmitter::forEachRow(bool isRepeated,
                                function_ref<void(Value)> body) {
  if (isLocal && (isRepeated || rows <= kMaxKeyRows)) {
    for (int64_t row = 0; row < rows; ++row)
      body(index(row));
    return;
  }
  loop(zero, numRows, 1, {}, [&](Value row, ValueRange) {
    body(row);
    return Values();
  });
}

/// Statistics of the weights are kept per lane; what there is of them goes into
/// the first.
void FewRowsEmitter::loadState(Value row) {
  Values given;
  for (auto [i, statistic] :
       llvm::enumerate(op.getStatistics().take_front(statistics.size()))) {
    bool isOfScores = i < numScoreStatistics;
    if (isOfScores && !isLocal)
      continue;
    Value first = memref::LoadOp::create(b, loc, statistic, row);
    if (isOfScores) {
      given.push_back(broadcast(first));
      memref::StoreOp::create(b, loc, first, scoreStatistics[i], row);
      continue;
    }
    if (replay)
      continue;
    Value vector = vector::InsertOp::create(
        b, loc, first, constant(statistics[i].neutral), int64_t(0));
    vector::StoreOp::create(
        b, loc, vector, sums,
        ValueRange{index(i - numScoreStatistics), row, zero});
  }
  keepForWeights(row, given);
  if (replay)
    keepFactors(row);
  if (!isLocal)
    return;
  forEachColumn(
      numChannels, /*most=*/1, [&](Value column, int64_t, Value mask) {
        Value sum = readRow(op.getAccumulator(), maps[op.getOutputIndex()], row,
                            /*key=*/zero, column, mask);
        storeSum(sum, row, column, mask);
      });
}

void FewRowsEmitter::storeState(Value row) {
  size_t moved = replay ? 0 : statistics.size();
  for (auto [i, statistic] :
       llvm::enumerate(op.getStatistics().take_front(moved))) {
    if (i < numScoreStatistics && !isLocal)
      continue;
    Value next;
    if (i < numScoreStatistics) {
      next = memref::LoadOp::create(b, loc, scoreStatistics[i], row);
    } else {
      Value vector = vector::LoadOp::create(
          b, loc, laneType, sums,
          ValueRange{index(i - numScoreStatistics), row, zero});
      next = combineLanes(i, vector);
    }
    memref::StoreOp::create(b, loc, next, statistic, row);
  }
  if (!isLocal)
    return;
  forEachColumn(
      numChannels, /*most=*/1, [&](Value column, int64_t, Value mask) {
        storeElements(b, loc, loadSum(row, column, mask), op.getAccumulator(),
                      ValueRange{row, column}, mask);
      });
}

Value FewRowsEmitter::loadSum(Value row, Value channel, Value mask) {
  if (isLocal)
    return vector::LoadOp::create(b, loc, laneType, accumulator,
                                  ValueRange{row, channel});
  return readRow(accumulator, maps[op.getOutputIndex()], row, /*key=*/zero,
                 channel, mask);
}

void FewRowsEmitter::storeSum(Value sum, Value row, Value channel, Value mask) {
  Value place[] = {row, channel};
  if (mask && !isLocal)
    vector::MaskedStoreOp::create(b, loc, accumulator, place, mask, sum);
  else
    vector::StoreOp::create(b, loc, sum, accumulator, place);
}

/// Multiplies what a query row has accumulated.
void FewRowsEmitter::rescaleRow(Value row, Value factors) {
  for (int64_t i = 0, e = statistics.size() - numScoreStatistics; i < e; ++i) {
    Value place[] = {index(i), row, zero};
    Value old = vector::LoadOp::create(b, loc, laneType, sums, place);
    Value next = arith::MulFOp::create(b, loc, old, factors);
    vector::StoreOp::create(b, loc, next, sums, place);
  }
  forEachColumn(numChannels, /*most=*/1,
                [&](Value column, int64_t, Value mask) {
                  Value old = loadSum(row, column, mask);
                  Value next = arith::MulFOp::create(b, loc, old, factors);
                  storeSum(next, row, column, mask);
                });
}

} // namespace attn
