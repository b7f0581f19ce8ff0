//===- FewRowsEmitter.cpp - A step of few query rows ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FewRowsEmitter.h"
#include "DotPairs.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// The most query rows that meet a key at once.
constexpr int64_t kMaxGroupRows = 8;

FewRowsEmitter::FewRowsEmitter(RewriterBase &rewriter, OnlineOp op,
                               const EmitOptions &options,
                               std::optional<FewRowsReplay> replay)
    : b(rewriter), loc(op.getLoc()), op(op), options(options), replay(replay) {
  accType = op.getAccumulationType();
  weighting = dyn_cast<AccumulateWeightingAttrInterface>(op.getWeighting());
  if (weighting)
    statistics = weighting.getStatistics();
  for (const Statistic &statistic : statistics)
    numScoreStatistics += statistic.phase == StatisticPhase::Score;
  rows = op.getLayoutAttr().getNumRows();
  lanes = std::max<int64_t>(1, options.vectorBits / accType.getWidth());
  int64_t most = std::min(lanes, kMaxGroupRows);
  groupRows = llvm::divideCeil(rows, llvm::divideCeil(rows, most));
  laneType = VectorType::get({lanes}, accType);
  lane.emplace(b, loc, lanes, reader);
  for (unsigned i = 0, e = op.getIndexingMaps().size(); i < e; ++i)
    maps.push_back(op.getStoredMap(i));
  inPairs = getElementTypeOrSelf(op.getQuery().getType()).isBF16();
  numKeysTogether = inPairs ? 2 : 1;
  numTogether = numKeysTogether * lanes;
}

Value FewRowsEmitter::select(Value condition, Value then, Value otherwise) {
  if (!condition)
    return then;
  return arith::SelectOp::create(b, loc, condition, then, otherwise);
}

Value FewRowsEmitter::constant(double value) {
  return createFloatConstant(b, loc, laneType, value);
}

SmallVector<Value>
FewRowsEmitter::loop(Value from, Value to, int64_t step, ValueRange inits,
                     function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, loc, from, to, index(step), inits);
  auto unroll = LLVM::LoopUnrollAttr::get(
      b.getContext(), /*disable=*/b.getBoolAttr(true), {}, {}, {}, {}, {}, {});
  loop->setAttr("loop_annotation", LLVM::LoopAnnotationAttr::get(
                                       b.getContext(), {}, {}, {}, unroll, {},
                                       {}, {}, {}, {}, {}, {}, {}, {}, {}, {}));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Values next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!inits.empty())
    scf::YieldOp::create(b, loc, next);
  return Values(loop.getResults());
}

void FewRowsEmitter::keepOrder(bool beginsKey) {
  // What has been asked for is near, and need not be found by its order.
  if (!beginsKey && (asksAhead || op.getAheadKey()))
    return;
  LLVM::FenceOp::create(b, loc, LLVM::AtomicOrdering::acq_rel, "singlethread");
}

//===----------------------------------------------------------------------===//
// Reads and regions
//===----------------------------------------------------------------------===//

LaneValue FewRowsEmitter::read(LaneBuilder &builder, Value operand,
                               AffineMap map, const Position &position,
                               Value mask) {
  auto type = dyn_cast<MemRefType>(operand.getType());
  if (!type)
    return LaneValue::uniform(convertFloat(b, loc, operand, accType));
  SmallVector<LaneValue> indices;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    indices.push_back(dim == 0   ? position.row
                      : dim == 1 ? position.key
                                 : position.column);
  }
  bool varies = llvm::any_of(
      indices, [](const LaneValue &value) { return value.variesByKey; });
  LaneValue result;
  if (allUniform(indices)) {
    SmallVector<Value> scalars;
    for (const LaneValue &value : indices)
      scalars.push_back(value.scalar);
    Value element = memref::LoadOp::create(b, loc, operand, scalars);
    result = LaneValue::uniform(convertFloat(b, loc, element, accType));
  } else {
    Value elements = reader.read(builder, operand, indices, mask);
    result = LaneValue::lanes(convertFloat(b, loc, elements, accType));
  }
  result.variesByKey = varies;
  return result;
}

Value FewRowsEmitter::readRow(LaneBuilder &builder, Value operand,
                              AffineMap map, Value row, Value key, Value column,
                              Value mask) {
  auto type = cast<MemRefType>(operand.getType());
  if (mask || !type.isLastDimUnitStride() ||
      !liesAsVector(type.getElementType())) {
    Position position{LaneValue::uniform(row), LaneValue::uniform(key),
                      LaneValue::affine(column, 1)};
    return builder.toVector(read(builder, operand, map, position, mask));
  }
  Value first = map.getDimPosition(0) == 0 ? row : key;
  Value elements =
      vector::LoadOp::create(b, loc, builder.vectorType(type.getElementType()),
                             operand, ValueRange{first, column});
  return convertFloat(b, loc, elements, accType);
}

Value FewRowsEmitter::readFeatures(Value operand, AffineMap map, Value row,
                                   Value key, Value feature, Value mask) {
  if (!inPairs)
    return readRow(operand, map, row, key, feature, mask);
  LaneBuilder halves(b, loc, numTogether);
  return vector::BitCastOp::create(
      b, loc, lane->vectorType(b.getI32Type()),
      readRow(halves, operand, map, row, key, feature, mask));
}

std::pair<Value, Value> FewRowsEmitter::takeTurn(const Block &block, Value turn,
                                                 int64_t numTurns, Value number,
                                                 int64_t numKeys) {
  if (numTurns == 1)
    return {add(block.first, number), zero};
  Value position = b.createOrFold<arith::MulIOp>(loc, turn, index(numKeys));
  position = add(position, number);
  Value row = arith::DivUIOp::create(b, loc, position, index(numTurns));
  return {add(block.first, row),
          arith::RemUIOp::create(b, loc, position, index(numTurns))};
}

/// Lines of the second-level cache: where the next step finds them, and nothing
/// that this one needs has to go.
void FewRowsEmitter::bringNear(Value ahead, AffineMap map, Value key,
                               Value firstColumn, int64_t columns, Value part,
                               int64_t numParts) {
  constexpr int64_t kLineBits = 64 * 8;
  // Rows of features or channels, whole lines of which lie side by side.
  if (!ahead || !liesByRows(map))
    return;
  int64_t line = kLineBits / cast<MemRefType>(ahead.getType())
                                 .getElementType()
                                 .getIntOrFloatBitWidth();
  int64_t lines = llvm::divideCeil(llvm::divideCeil(columns, line), numParts);
  Value first = arith::MulIOp::create(b, loc, part, index(lines * line));
  first = add(firstColumn, first);
  for (int64_t i = 0; i < lines; ++i)
    memref::PrefetchOp::create(b, loc, ahead,
                               ValueRange{key, add(first, index(i * line))},
                               /*isWrite=*/false, kSecondLevel,
                               /*isDataCache=*/true);
}

LaneValue FewRowsEmitter::inlineAt(Region &region, ArrayRef<LaneValue> leading,
                                   const Position &position,
                                   LanePredicate predicate) {
  SmallVector<LaneValue> arguments(leading);
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    LaneValue value;
    if (!region.getArgument(leading.size() + i).use_empty())
      value = read(input, maps[3 + i], position, predicate.lanes);
    arguments.push_back(value);
  }
  return lane->inlineRegion(region, arguments, {position.row, position.key},
                            predicate);
}

FewRowsEmitter::Position FewRowsEmitter::along(const Block &block, Value row) {
  LaneValue uniform = LaneValue::uniform(row);
  // One row may see no key of the block where others do.
  uniform.variesByKey = true;
  return {uniform, LaneValue::affine(block.first, 1), {}};
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

Value FewRowsEmitter::toWord(Value vector) {
  Value word = vector::BitCastOp::create(
      b, loc, VectorType::get({1}, b.getIntegerType(lanes)), vector);
  return vector::ExtractOp::create(b, loc, word, int64_t(0));
}

Value FewRowsEmitter::toLanes(Value word) {
  Value vector = vector::BroadcastOp::create(
      b, loc, VectorType::get({1}, word.getType()), word);
  return vector::BitCastOp::create(b, loc, lane->vectorType(b.getI1Type()),
                                   vector);
}

Value FewRowsEmitter::combineLanes(unsigned number, Value vector) {
  for (int64_t width = lanes / 2; width >= 1; width /= 2) {
    SmallVector<int64_t> low = llvm::to_vector(llvm::seq<int64_t>(0, width));
    SmallVector<int64_t> high =
        llvm::to_vector(llvm::seq<int64_t>(width, 2 * width));
    Value lows = vector::ShuffleOp::create(b, loc, vector, vector, low);
    Value highs = vector::ShuffleOp::create(b, loc, vector, vector, high);
    vector = weighting.combine(b, loc, number, lows, highs);
  }
  return vector::ExtractOp::create(b, loc, vector, int64_t(0));
}

//===----------------------------------------------------------------------===//
// The step
//===----------------------------------------------------------------------===//

void FewRowsEmitter::emitBlock(const Block &block) {
  for (int64_t first = 0; first < rows; first += groupRows)
    emitSimilarity(block, first, std::min(groupRows, rows - first));
  forEachRow(/*isRepeated=*/true,
             [&](Value row) { emitWeights(block, row); });
}

LogicalResult FewRowsEmitter::run() {
  if (inPairs && failed(checkDotPairs(op, op.getLayoutAttr())))
    return failure();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  auto extent = [&](unsigned operand, Value value, unsigned dim) {
    unsigned position =
        *maps[operand].getResultPosition(b.getAffineDimExpr(dim));
    return getValueOrCreateConstantIndexOp(
        b, loc, memref::getMixedSize(b, loc, value, position));
  };
  numKeys = extent(1, op.getKey(), 1);
  numFeatures = extent(1, op.getKey(), 2);
  auto asMultiplied = [&](Value operand) {
    return inPairs ? viewAsStored(b, loc, operand) : operand;
  };
  key = asMultiplied(op.getKey());
  value = asMultiplied(op.getValue());
  // A loop of steps keeps the state on the stack until it ends.
  Operation *around = findStateLoop();
  b.setInsertionPoint(around);
  zero = index(0);
  numRows = op.getRows() ? op.getRows() : index(rows);
  numChannels = extent(2, op.getValue(), 3);
  query = asMultiplied(op.getQuery());
  asksAhead = rows > kMaxKeyRows && !op.getAheadKey() && liesByRows(maps[1]) &&
              liesByRows(maps[2]);
  chooseBlock();
  createState();
  forEachRow(/*isRepeated=*/false, [&](Value row) { loadState(row); });
  readQueries();
  b.setInsertionPoint(op);
  count(TileCounter::LookedAt);
  std::optional<int64_t> known = getConstantIntValue(numKeys);
  bool isWhole = known && *known % lanes == 0;
  bool counts = op.getCountTiles() && !op.getMask().empty();
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  auto blocks = loop(
      zero, numKeys, blockKeys, counts ? ValueRange(no) : ValueRange(),
      [&](Value first, ValueRange carried) -> Values {
        Block block{first, index(blockKeys), {}};
        if (!isWhole) {
          Value rest = arith::SubIOp::create(b, loc, numKeys, first);
          block.count = arith::MinSIOp::create(b, loc, rest, block.count);
          block.lanes = createLaneMask(b, loc, lanes, block.count);
        }
        if (op.getMask().empty()) {
          emitBlock(block);
          emitValues(block, /*hidesPairs=*/false);
          return {};
        }
        auto [any, hides] = emitMask(block);
        bool clears = replay && replay->target;
        auto visited = scf::IfOp::create(b, loc, any, clears);
        OpBuilder::InsertionGuard guard(b);
        if (clears) {
          b.setInsertionPointToStart(visited.elseBlock());
          clearTarget(block);
        }
        b.setInsertionPointToStart(visited.thenBlock());
        emitBlock(block);
        auto branch = scf::IfOp::create(b, loc, hides, /*withElseRegion=*/true);
        for (bool hidesPairs : {true, false}) {
          b.setInsertionPointToStart(hidesPairs ? branch.thenBlock()
                                                : branch.elseBlock());
          emitValues(block, hidesPairs);
        }
        b.setInsertionPointAfter(visited);
        if (!counts)
          return {};
        return {arith::OrIOp::create(b, loc, carried[0], any)};
      });

  count(TileCounter::Computed, counts ? blocks[0] : Value());
  if (op.getMask().empty() || op.getFull())
    count(TileCounter::Full, op.getFull());
  b.setInsertionPoint(around == op ? op : around->getNextNode());
  forEachRow(/*isRepeated=*/false, [&](Value row) { storeState(row); });
  b.eraseOp(op);
  return success();
}

} // namespace attn
