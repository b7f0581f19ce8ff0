//===- KernelEmitter.cpp - Attention as a GPU kernel ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

/// The extent of each dimension of an op on buffers, a number where one is
/// known.
static SmallVector<OpFoldResult> getExtents(OpBuilder &b, GenericOp op) {
  // A query row dimension that there is not has one row.
  SmallVector<OpFoldResult> extents(op.getNumDims());
  extents.push_back(b.getIndexAttr(1));
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (!type)
      continue;
    AffineMap map = op.getIndexingMap(index);
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
      OpFoldResult &extent = extents[map.getDimPosition(i)];
      if (!extent || (isa<Value>(extent) && !type.isDynamicDim(i)))
        extent = memref::getMixedSize(b, op.getLoc(), operand, i);
    }
  }
  return extents;
}

KernelEmitter::KernelEmitter(RewriterBase &rewriter, GenericOp op,
                             GPUKernelAttr choice)
    : b(rewriter), loc(op.getLoc()), op(op), choice(choice),
      layout(GPUShared::of(op, choice)), hardware(rewriter, loc),
      classes(op.getDimensionClasses()),
      rowDim(classes.queryRows.empty() ? op.getNumDims()
                                       : classes.queryRows.back()),
      keyDim(classes.keyRows[0]), featureDim(classes.features[0]),
      channelDim(classes.channels[0]), lanes(choice.getKeys() / 4),
      accType(op.getAccumulationType()),
      weighting(cast<AccumulateWeightingAttrInterface>(op.getWeighting())),
      statistics(weighting.getStatistics()) {
  for (unsigned dim = 0, e = op.getNumDims(); dim < e; ++dim)
    if (dim != rowDim && dim != keyDim && dim != featureDim &&
        dim != channelDim)
      outerDims.push_back(dim);
  for (const Statistic &statistic : statistics)
    numScoreStatistics += statistic.phase == StatisticPhase::Score;
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

Value KernelEmitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}
Value KernelEmitter::i32(int64_t value) {
  return arith::ConstantOp::create(
      b, loc, b.getI32IntegerAttr(static_cast<int32_t>(value)));
}
Value KernelEmitter::toI32(Value number) {
  return b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), number);
}
Value KernelEmitter::toIndex(Value number) {
  return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), number);
}
Value KernelEmitter::add(Value lhs, Value rhs) {
  return b.createOrFold<arith::AddIOp>(loc, lhs, rhs);
}
Value KernelEmitter::multiply(Value lhs, Value rhs) {
  return b.createOrFold<arith::MulIOp>(loc, lhs, rhs);
}
Value KernelEmitter::compare(Predicate predicate, Value lhs, Value rhs) {
  return arith::CmpIOp::create(b, loc, predicate, lhs, rhs);
}
Value KernelEmitter::select(Value condition, Value then, Value otherwise) {
  return arith::SelectOp::create(b, loc, condition, then, otherwise);
}
Value KernelEmitter::lane(Value vector, int64_t number) {
  return b.createOrFold<vector::ExtractOp>(loc, vector, number);
}

SmallVector<Value> KernelEmitter::emitEither(TypeRange types, Value condition,
                                             function_ref<Values()> body,
                                             function_ref<Values()> otherwise) {
  auto branch = scf::IfOp::create(b, loc, types, condition,
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, body());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, otherwise());
  return Values(branch.getResults());
}

SmallVector<Value> KernelEmitter::emitIf(Value condition,
                                         function_ref<Values()> body,
                                         ValueRange otherwise) {
  if (!otherwise.empty())
    return emitEither(otherwise.getTypes(), condition, body,
                      [&] { return Values(otherwise); });
  auto branch = scf::IfOp::create(b, loc, condition);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
  return {};
}

MatrixView KernelEmitter::view(unsigned number, unsigned row, unsigned column) {
  Value buffer = op.getMappedOperands()[number];
  AffineMap map = op.getIndexingMap(number);
  MatrixView view;
  view.element = cast<MemRefType>(buffer.getType()).getElementType();
  Value bytes = index(view.element.getIntOrFloatBitWidth() / 8);
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  Value offset = metadata.getOffset();
  view.rowBytes = view.columnBytes = index(0);
  for (auto [i, stride] : llvm::enumerate(metadata.getStrides())) {
    unsigned dim = map.getDimPosition(i);
    if (dim == row)
      view.rowBytes = multiply(stride, bytes);
    else if (dim == column)
      view.columnBytes = multiply(stride, bytes);
    else
      offset = add(offset, multiply(cast<Value>(box.offsets[dim]), stride));
  }
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  view.address = add(start, multiply(offset, bytes));
  return view;
}

Value KernelEmitter::shared(int64_t bytes, Value own) {
  Value pointer = own ? hardware.move(memory, own) : memory;
  return hardware.move(pointer, bytes);
}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

Value KernelEmitter::countBlocks() {
  extents = getExtents(b, op);
  auto toValue = [&](OpFoldResult extent) {
    return getValueOrCreateConstantIndexOp(b, loc, extent);
  };
  numTiles = b.createOrFold<arith::CeilDivUIOp>(loc, toValue(extents[rowDim]),
                                                index(choice.getRows()));
  Value count = multiply(numTiles, index(choice.getSplits()));
  for (unsigned dim : outerDims)
    count = multiply(count, toValue(extents[dim]));
  return count;
}

/// Copies of 16 bytes begin at multiples of 16; rows of channels are stored in
/// pairs.
void KernelEmitter::checkAlignment() {
  std::pair<unsigned, StringRef> operands[] = {
      {0, "query"}, {1, "key"}, {2, "value"}, {op.getOutputIndex(), "output"}};
  for (auto [number, name] : operands) {
    Value buffer = op.getMappedOperands()[number];
    auto type = cast<MemRefType>(buffer.getType());
    Value bytes = index(type.getElementTypeBitWidth() / 8);
    auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
    Value start =
        memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
    start = add(start, multiply(metadata.getOffset(), bytes));
    auto check = [&](Value distance, const Twine &what) {
      Value rest = arith::RemUIOp::create(b, loc, distance, index(16));
      CheckOp::create(b, loc, compare(Predicate::eq, rest, index(0)),
                      "expected the " + name.str() + " of an attention op " +
                          what.str() + ", but {0} bytes are left over",
                      rest);
    };
    check(start, "to begin at a multiple of 16 bytes");
    auto strides = llvm::to_vector(ValueRange(metadata.getStrides()));
    if (type.getLayout().isIdentity())
      continue;
    for (Value stride : ArrayRef(strides).drop_back())
      check(multiply(stride, bytes), "to have rows of a multiple of 16 bytes");
  }
}

void KernelEmitter::enterKernel(Value numBlocks) {
  Value one = index(1);
  auto launch = gpu::LaunchOp::create(b, loc, numBlocks, one, one,
                                      index(32 * choice.getWarps()), one, one,
                                      i32(layout.size));
  b.setInsertionPointToStart(&launch.getBody().front());
  gpu::TerminatorOp::create(b, loc);
  b.setInsertionPointToStart(&launch.getBody().front());
  memory = hardware.getShared();
  locateBlock(launch.getBlockIds().x, launch.getThreadIds().x);
}

void KernelEmitter::locateBlock(Value block, Value threadIndex) {
  // There are fewer than 2^31 blocks.
  Value rest = toI32(block);
  auto split = [&](Value extent) -> Value {
    Value count = toI32(extent);
    Value position = arith::RemUIOp::create(b, loc, rest, count);
    rest = arith::DivUIOp::create(b, loc, rest, count);
    return toIndex(position);
  };
  box = {op, SmallVector<OpFoldResult>(extents.size(), b.getIndexAttr(0)),
         extents};
  if (isSplit())
    this->split = split(index(choice.getSplits()));
  firstRow = multiply(split(numTiles), index(choice.getRows()));
  outerNumber = toIndex(rest);
  for (unsigned dim : llvm::reverse(outerDims)) {
    box.offsets[dim] =
        split(getValueOrCreateConstantIndexOp(b, loc, extents[dim]));
    box.extents[dim] = b.getIndexAttr(1);
  }
  Value allRows = getValueOrCreateConstantIndexOp(b, loc, extents[rowDim]);
  Value left = arith::SubIOp::create(b, loc, allRows, firstRow);
  Value count = arith::MinUIOp::create(b, loc, left, index(choice.getRows()));
  box.offsets[rowDim] = firstRow;
  box.extents[rowDim] = count;
  numRows = toI32(count);

  thread = toI32(threadIndex);
  warp = arith::ShRUIOp::create(b, loc, thread, i32(5));
  threadInWarp = arith::AndIOp::create(b, loc, thread, i32(31));
  group = arith::ShRUIOp::create(b, loc, threadInWarp, i32(2));
  quad = arith::AndIOp::create(b, loc, threadInWarp, i32(3));
  Value first = add(multiply(warp, i32(16)), group);
  Value last = arith::SubIOp::create(b, loc, numRows, i32(1));
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value own = add(first, i32(8 * row));
    hasRow[row] = compare(Predicate::slt, own, numRows);
    Value there = arith::MinSIOp::create(b, loc, own, last);
    rows[row] = add(firstRow, toIndex(there));
  }
}

/// What varies with neither keys nor features is read once. Rows that are not
/// there read what the last one does.
void KernelEmitter::readInputs() {
  inputs.assign(op.getOutputIndex(), RowValues());
  for (unsigned number = 3, e = op.getOutputIndex(); number < e; ++number) {
    Value operand = op.getMappedOperands()[number];
    AffineMap map = op.getIndexingMap(number);
    if (!isa<MemRefType>(operand.getType())) {
      inputs[number].fill(convertFloat(b, loc, operand, accType));
      continue;
    }
    if (map.isFunctionOfDim(keyDim) || map.isFunctionOfDim(featureDim))
      continue;
    for (unsigned row = 0; row < kThreadRows; ++row) {
      Values indices;
      for (unsigned i = 0, r = map.getNumResults(); i < r; ++i) {
        unsigned dim = map.getDimPosition(i);
        indices.push_back(dim == rowDim ? rows[row]
                                        : cast<Value>(box.offsets[dim]));
      }
      Value element = memref::LoadOp::create(b, loc, operand, indices);
      inputs[number][row] = convertFloat(b, loc, element, accType);
    }
  }
}

void KernelEmitter::emitScalars() {
  double factor = op.getScale().convertToDouble();
  if (op.getScore().empty() && factor > 0 && factor != 1)
    scale = createFloatConstant(b, loc, accType, factor);
  Value keys = getValueOrCreateConstantIndexOp(b, loc, extents[keyDim]);
  keys = arith::IndexCastOp::create(b, loc, b.getI64Type(), keys);
  numKeys = arith::UIToFPOp::create(b, loc, accType, keys);
}

void KernelEmitter::emitKernel(Value numBlocks) {
  OpBuilder::InsertionGuard guard(b);
  enterKernel(numBlocks);
  reader.setSpare(
      memref::ExtractAlignedPointerAsIndexOp::create(b, loc, op.getQuery()));
  readInputs();
  emitScalars();
  Values state;
  for (unsigned row = 0; row < kThreadRows; ++row)
    for (const Statistic &statistic : statistics)
      state.push_back(createFloatConstant(b, loc, accType, statistic.neutral));
  state.append(layout.channels / 2, createFloatConstant(b, loc, accType, 0.0));
  state = walkKeys(state);
  if (isSplit())
    storeStates(state);
  else
    emitFinish(state);
}

LogicalResult KernelEmitter::run() {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Value numBlocks = countBlocks();
  if (matchPattern(numBlocks, m_Zero())) {
    b.eraseOp(op);
    return success();
  }
  if (copiesAsync())
    checkAlignment();
  if (!getConstantIntValue(numBlocks)) {
    // A grid of no blocks is none.
    auto some =
        scf::IfOp::create(b, loc, compare(Predicate::ne, numBlocks, index(0)));
    b.setInsertionPointToStart(some.thenBlock());
  }
  if (isSplit())
    allocateStates();
  emitKernel(numBlocks);
  if (isSplit()) {
    launchMerge();
    freeStates();
  }
  b.eraseOp(op);
  return success();
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

bool KernelEmitter::isAlwaysFull() const {
  GenericOp attention = op;
  std::optional<int64_t> keys = getConstantIntValue(extents[keyDim]);
  return attention.getMask().empty() && keys && *keys % choice.getKeys() == 0;
}

std::unique_ptr<Walk> KernelEmitter::createWalk() {
  Value from = index(0);
  Value to = getValueOrCreateConstantIndexOp(b, loc, extents[keyDim]);
  Values ranges{from, to};
  if (!op.getMask().empty() && !op.getRanges().empty())
    ranges = inlineBody(b, op.getRanges(), box.getBoundArguments(b));
  if (ranges.empty())
    ranges = {from, from};
  if (isSplit()) {
    std::tie(from, to) = takeSplit(ranges, from, to);
    if (ranges.size() == 2)
      ranges = {from, to};
  }
  if (ranges.size() == 2)
    return std::make_unique<SpanWalk>(b, loc, choice.getKeys(), ranges[0],
                                      ranges[1], isAlwaysFull());
  return std::make_unique<RangesWalk>(b, loc, choice.getKeys(), ranges, from,
                                      to, /*clips=*/isSplit());
}

KeyTile KernelEmitter::toKeyTile(const WalkTile &tile) {
  KeyTile keys;
  keys.first = getValueOrCreateConstantIndexOp(b, loc, tile.location);
  if (getConstantIntValue(tile.extent) != choice.getKeys())
    keys.count = toI32(getValueOrCreateConstantIndexOp(b, loc, tile.extent));
  return keys;
}

SmallVector<Value> KernelEmitter::walkKeys(ValueRange state) {
  std::unique_ptr<Walk> walk = createWalk();
  Values carried = walk->begin();
  size_t numCursor = carried.size();
  Value valid = walk->valid(carried);
  copyQueries();
  emitIf(valid,
         [&] {
           copyKeys(toKeyTile(walk->tile(carried)));
           return Values();
         },
         {});
  synchronize();
  takeQueries();

  carried.push_back(valid);
  llvm::append_range(carried, state);
  auto loop = scf::WhileOp::create(
      b, loc, llvm::to_vector(ValueRange(carried).getTypes()), carried,
      [&](OpBuilder &, Location, ValueRange arguments) {
        scf::ConditionOp::create(b, loc, arguments[numCursor], arguments);
      },
      [&](OpBuilder &, Location, ValueRange arguments) {
        ValueRange cursor = arguments.take_front(numCursor);
        WalkTile tile = walk->tile(cursor);
        Values next = walk->next(cursor, tile);
        Value hasNext = walk->valid(next);
        Values stepped = emitStep(tile, hasNext, walk->tile(next),
                                  arguments.drop_front(numCursor + 1));
        next.push_back(hasNext);
        llvm::append_range(next, stepped);
        scf::YieldOp::create(b, loc, next);
      });
  return Values(loop.getResults().drop_front(numCursor + 1));
}

void KernelEmitter::synchronize() {
  if (copiesAsync()) {
    hardware.commitCopies();
    hardware.waitForCopies();
  }
  hardware.barrier();
}

Value KernelEmitter::emitFull(const WalkTile &tile, const KeyTile &keys) {
  Value full = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  if (keys.count)
    full = compare(Predicate::eq, keys.count, i32(choice.getKeys()));
  if (op.getMask().empty())
    return full;
  if (op.getClassify().empty())
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  Values arguments = box.getBoundArguments(b);
  arguments.push_back(keys.first);
  Value extent = getValueOrCreateConstantIndexOp(b, loc, tile.extent);
  Value end = add(keys.first, extent);
  arguments.push_back(arith::SubIOp::create(b, loc, end, index(1)));
  Values truth = inlineBody(b, op.getClassify(), arguments);
  return arith::AndIOp::create(b, loc, full, truth[1]);
}

SmallVector<Value> KernelEmitter::emitStep(const WalkTile &tile, Value hasNext,
                                           const WalkTile &next,
                                           ValueRange state) {
  KeyTile keys = toKeyTile(tile);
  synchronize();
  copyValues(keys);
  RowValues similarities = emitSimilarities(keys);
  synchronize();
  emitIf(hasNext,
         [&] {
           copyKeys(toKeyTile(next));
           return Values();
         },
         {});

  size_t numStatistics = kThreadRows * statistics.size();
  ValueRange old = state.take_front(numStatistics);
  Values sums(state.drop_front(numStatistics));
  if (isAlwaysFull()) {
    Weighted weighted = emitWeights(keys, similarities, {}, old);
    Values result = weighted.statistics;
    rescale(sums, weighted.rescale);
    llvm::append_range(result, addValues(sums, weighted.weights, {}, {}));
    return result;
  }

  // Of all that follows, what is done pair by pair is there twice, with and
  // without hidden pairs; of the latter there may be no others.
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  auto gather = [&](const Weighted &weighted, const RowValues &visible,
                    Value any) {
    Values all(weighted.weights.begin(), weighted.weights.end());
    llvm::append_range(all, weighted.statistics);
    if (numScoreStatistics > 0)
      llvm::append_range(all, weighted.rescale);
    all.push_back(any);
    if (hidesPairs(op))
      llvm::append_range(all, visible);
    return all;
  };
  auto emitFullTile = [&] {
    Value allVisible = arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(laneType(b.getI1Type()), true));
    return gather(emitWeights(keys, similarities, {}, old),
                  {allVisible, allVisible}, yes);
  };
  auto emitPartialTile = [&] {
    RowValues visible = emitVisible(keys);
    Value any = hardware.anyInWarp(emitAny(visible));
    Weighted none;
    none.weights.fill(createFloatConstant(b, loc, laneType(accType), 0.0));
    none.statistics = Values(old);
    none.rescale.fill(createFloatConstant(b, loc, accType, 1.0));
    return emitIf(
        any,
        [&] {
          return gather(emitWeights(keys, similarities, visible, old), visible,
                        any);
        },
        gather(none, visible, any));
  };
  SmallVector<Type> types(kThreadRows, laneType(accType));
  types.append(numStatistics + (numScoreStatistics > 0 ? kThreadRows : 0),
               accType);
  types.push_back(b.getI1Type());
  if (hidesPairs(op))
    types.append(kThreadRows, laneType(b.getI1Type()));
  Value full = emitFull(tile, keys);
  Value isPartial = arith::XOrIOp::create(b, loc, full, yes);
  Values weighted = emitEither(types, full, emitFullTile, emitPartialTile);
  ValueRange rest(weighted);
  auto take = [&] {
    RowValues values{rest[0], rest[1]};
    rest = rest.drop_front(kThreadRows);
    return values;
  };
  RowValues weights = take(), rescaling{}, visible{};
  Values result(rest.take_front(numStatistics));
  rest = rest.drop_front(numStatistics);
  if (numScoreStatistics > 0)
    rescaling = take();
  Value any = rest.front();
  rest = rest.drop_front();
  if (hidesPairs(op))
    visible = take();
  llvm::append_range(result, emitIf(
                                 any,
                                 [&] {
                                   Values next(sums);
                                   rescale(next, rescaling);
                                   return addValues(next, weights, visible,
                                                    isPartial);
                                 },
                                 sums));
  return result;
}

} // namespace attn
