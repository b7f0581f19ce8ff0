//===- ContractEmitter.cpp - Products of matrices in vectors ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "MicroKernel.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

/// Features, or pairs of them, in a block. A group of rows of lhs and a panel
/// of rhs are read from the second level of cache faster than they are
/// multiplied, so that a block is as deep as its panels, 128 columns, leave it
/// room: each block but the first reads and writes the sums once more.
constexpr int64_t kBlockFeatures = 768;
/// Rows in a block of sums that do not meet in init.
constexpr int64_t kBlockRows = 512;
/// With so few rows, packing rhs does not pay.
constexpr int64_t kRowsInPlace = 64;
/// Steps in the body of the micro-kernel's loop.
constexpr int64_t kUnroll = 4;

ContractEmitter::ContractEmitter(RewriterBase &rewriter, ContractOp op,
                                 const EmitOptions &options)
    : b(rewriter), loc(op.getLoc()), op(op), options(options),
      accType(op.getAccumulationType()) {}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

ContractEmitter::Operand ContractEmitter::describe(unsigned number) {
  Operand operand;
  operand.buffer = op->getOperand(number);
  operand.map = op.getIndexingMap(number);
  if (number < 2 && !op.getFactorRegion(number).empty()) {
    operand.region = &op.getFactorRegion(number);
    operand.inputs = op.getFactorInputs(number);
    operand.firstInput = op.getFactorInputIndex(number);
  }
  auto type = cast<MemRefType>(operand.buffer.getType());
  operand.element = type.getElementType();
  auto metadata =
      memref::ExtractStridedMetadataOp::create(b, loc, operand.buffer);
  SmallVector<OpFoldResult> strides = metadata.getConstifiedMixedStrides();
  for (unsigned i = 0, e = operand.map.getNumResults(); i < e; ++i) {
    unsigned dim = operand.map.getDimPosition(i);
    operand.strides[dim] = getValueOrCreateConstantIndexOp(b, loc, strides[i]);
    if (isContiguousAlong(type, i))
      operand.contiguous = dim;
  }
  return operand;
}

Value ContractEmitter::extentOf(unsigned dim) {
  for (unsigned number : {0u, 1u}) {
    AffineMap map = op.getIndexingMap(number);
    std::optional<unsigned> position =
        map.getResultPosition(b.getAffineDimExpr(dim));
    if (position)
      return getValueOrCreateConstantIndexOp(
          b, loc,
          memref::getMixedSize(b, loc, op->getOperand(number), *position));
  }
  return one;
}

Value ContractEmitter::from(const Operand &operand, Value row, Value column,
                            Value feature) {
  const Value positions[] = {row, column, feature};
  SmallVector<Value> start;
  for (unsigned i = 0, e = operand.map.getNumResults(); i < e; ++i)
    start.push_back(positions[operand.map.getDimPosition(i)]);
  return flatten(b, loc, operand.buffer, start).memref;
}

Value ContractEmitter::load(Value flat, Value position, int64_t size,
                            Value mask) {
  Type element = cast<MemRefType>(flat.getType()).getElementType();
  VectorType type = vectorOf(size, element);
  Value loaded;
  if (mask) {
    Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    loaded =
        vector::MaskedLoadOp::create(b, loc, type, flat, position, mask, zeros);
  } else {
    loaded = vector::LoadOp::create(b, loc, type, flat, position);
  }
  return convertFloat(b, loc, loaded, accType);
}

Value ContractEmitter::loadElement(Value flat, Value position) {
  Value element = memref::LoadOp::create(b, loc, flat, position);
  return convertFloat(b, loc, element, accType);
}

LaneValue ContractEmitter::computeFactor(RegionInliner &inliner,
                                         const Operand &operand,
                                         const Place &place) {
  SmallVector<LaneValue> arguments{
      readAt(inliner, operand.buffer, operand.map, place)};
  for (auto [i, input] : llvm::enumerate(operand.inputs))
    arguments.push_back(readAt(
        inliner, input, op.getIndexingMap(operand.firstInput + i), place));
  return inliner.inlineRegion(*operand.region, arguments, /*positions=*/{},
                              LanePredicate{place.mask});
}

Value ContractEmitter::loadFactor(const Operand &operand, Value flat,
                                  Value position, int64_t size, Value mask,
                                  function_ref<void(Place &)> setPlace) {
  if (!operand.region)
    return load(flat, position, size, mask);
  Place place;
  place.lanes = size;
  place.mask = mask;
  setPlace(place);
  RegionInliner inliner(b, loc, size, reader);
  Value vector = inliner.toVector(computeFactor(inliner, operand, place));
  vector = convertFloat(b, loc, vector, accType);
  if (!mask)
    return vector;
  Value zeros = createFloatConstant(b, loc, vector.getType(), 0.0);
  return arith::SelectOp::create(b, loc, mask, vector, zeros);
}

Value ContractEmitter::loadFactor(const Operand &operand, Value flat,
                                  Value position,
                                  function_ref<void(Place &)> setPlace) {
  if (!operand.region)
    return loadElement(flat, position);
  Place place;
  place.lanes = 1;
  setPlace(place);
  RegionInliner inliner(b, loc, place.lanes, reader);
  LaneValue factor = computeFactor(inliner, operand, place);
  Value scalar = factor.isUniform()
                     ? factor.scalar
                     : vector::ExtractOp::create(
                           b, loc, inliner.toVector(factor), int64_t{0});
  return convertFloat(b, loc, scalar, accType);
}

SmallVector<Value>
ContractEmitter::choose(Value condition, TypeRange types,
                        function_ref<SmallVector<Value>()> then,
                        function_ref<SmallVector<Value>()> otherwise) {
  auto branch = scf::IfOp::create(b, loc, types, condition,
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  for (bool holds : {true, false}) {
    b.setInsertionPointToStart(holds ? branch.thenBlock() : branch.elseBlock());
    SmallVector<Value> values = holds ? then() : otherwise();
    scf::YieldOp::create(b, loc, values);
  }
  return SmallVector<Value>(branch.getResults());
}

LogicalResult ContractEmitter::run() {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  for (Value operand : op->getOperands())
    if (isa<UnrankedMemRefType>(operand.getType()))
      return op.emitOpError("cannot be vectorized: expected ranked memrefs");
  zero = index(0);
  one = index(1);
  lhs = describe(0);
  rhs = describe(1);
  init = describe(op.getInitIndex());
  initFlat = from(init, zero, zero, zero);
  numRows = extentOf(ContractOp::Rows);
  numColumns = extentOf(ContractOp::Columns);
  numFeatures = extentOf(ContractOp::Features);
  lanes = std::max<int64_t>(1, 2 * options.vectorBits / accType.getWidth());
  groupRows = getMicroKernelRows(accType, lanes, options);
  blockColumns = llvm::alignTo(accType.getWidth() == 64 ? 64 : 128, lanes);
  if (lhs.strides[ContractOp::Rows] && rhs.strides[ContractOp::Columns])
    emitMatrices();
  else
    emitVector();
  b.eraseOp(op);
  return success();
}

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

void ContractEmitter::emitMatrices() {
  constexpr int64_t kSlack = 16;
  inPairs = options.hasBf16Dot && lhs.element.isBF16() &&
            rhs.element.isBF16() && accType.isF32() && !lhs.region &&
            !rhs.region;
  Type packed = inPairs ? Type(b.getI32Type()) : accType;
  panels = createScratch(
      (kBlockFeatures + kUnroll) * blockColumns + kSlack * lanes, packed);
  sums = createScratch(groupRows * lanes);
  if (packsRows()) {
    bool along = lhs.contiguous == ContractOp::Features;
    // Not a multiple of the page size: rows would share a set of the cache.
    stripRow = along ? kBlockFeatures + kSlack : 1;
    stripFeature = along ? 1 : groupRows;
    strip = createScratch((kBlockFeatures + kSlack) * groupRows, packed);
  }
  if (rhs.contiguous == ContractOp::Columns && rhs.element == accType &&
      !rhs.region)
    inPlace = compare(arith::CmpIPredicate::sle, numRows, index(kRowsInPlace));
  int64_t blockRows = 0;
  if (init.element != accType) {
    blockRows = kBlockRows;
    partialSums = createScratch(blockRows * blockColumns);
  }
  auto columnBlocks = [&](Value row, Value rowEnd) {
    emitLoop(b, loc, zero, numColumns, blockColumns, [&](Value column) {
      Value columns = least(sub(numColumns, column), index(blockColumns));
      emitBlock(row, rowEnd, column, columns);
    });
  };
  if (!blockRows)
    return columnBlocks(zero, numRows);
  emitLoop(b, loc, zero, numRows, blockRows, [&](Value row) {
    columnBlocks(row, least(numRows, add(row, index(blockRows))));
  });
}

void ContractEmitter::emitBlock(Value row, Value rowEnd, Value column,
                                Value columns) {
  auto divideUp = [&](Value x, Value y) -> Value {
    return arith::DivUIOp::create(b, loc, sub(add(x, y), one), y);
  };
  // Blocks of about equal size; a sum of nothing has one, too.
  int64_t perStep = inPairs ? 2 : 1;
  Value blocks = divideUp(numFeatures, index(perStep * kBlockFeatures));
  blocks = arith::MaxSIOp::create(b, loc, blocks, one);
  Value multiple = index(perStep * kUnroll);
  Value depth =
      mul(divideUp(divideUp(numFeatures, blocks), multiple), multiple);
  Value lastBlock = sub(blocks, one);
  emitLoop(b, loc, zero, blocks, 1, [&](Value number) {
    Value feature = mul(number, depth);
    Value here = least(depth, sub(numFeatures, feature));
    // Rounded up, a block may end where the next would begin.
    here = arith::MaxSIOp::create(b, loc, here, zero);
    BlockOfSum block{compare(arith::CmpIPredicate::eq, number, zero),
                     compare(arith::CmpIPredicate::eq, number, lastBlock)};
    emitLoop(b, loc, zero, columns, lanes, [&](Value first) {
      auto pack = [&] {
        Value count = least(sub(columns, first), index(lanes));
        packPanel(mul(first, countSteps(here)), add(column, first), count,
                  feature, here);
      };
      if (!inPlace)
        return pack();
      Value ends =
          compare(arith::CmpIPredicate::sgt, add(first, index(lanes)), columns);
      Value packed = arith::CmpIOp::create(
          b, loc, arith::CmpIPredicate::uge,
          arith::ExtUIOp::create(b, loc, b.getI8Type(), ends),
          arith::ExtUIOp::create(b, loc, b.getI8Type(), inPlace));
      auto guarded = scf::IfOp::create(b, loc, packed,
                                       /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(guarded.thenBlock());
      pack();
    });
    emitLoop(b, loc, row, rowEnd, groupRows, [&](Value group) {
      emitGroup(group, row, rowEnd, column, columns, feature, here, block);
    });
  });
}

/// The micro-kernel on a group of rows and each panel of the block.
void ContractEmitter::emitGroup(Value row, Value firstRow, Value rowEnd,
                                Value column, Value columns, Value feature,
                                Value depth, BlockOfSum block) {
  Value lastRow = sub(rowEnd, one);
  SmallVector<Value> rows;
  Value rowStep = lhs.strides[ContractOp::Features];
  if (strip) {
    packRows(row, lastRow, feature, depth);
    rowStep = index(stripFeature);
    for (int64_t r = 0; r < groupRows; ++r)
      rows.push_back(flatten(b, loc, strip, index(r * stripRow)).memref);
  } else {
    // Rows beyond the last repeat it; what is computed for them is dropped.
    for (int64_t r = 0; r < groupRows; ++r)
      rows.push_back(
          from(lhs, least(add(row, index(r)), lastRow), zero, feature));
  }
  emitLoop(b, loc, zero, columns, lanes, [&](Value first) {
    Value here = add(column, first);
    Value count = least(sub(columns, first), index(lanes));
    prefetchInit(row, here);
    auto packed = [&]() -> SmallVector<Value> {
      Value position = mul(first, countSteps(depth));
      return {flatten(b, loc, panels, position).memref, index(lanes)};
    };
    SmallVector<Value> panel;
    if (inPlace) {
      Value whole = compare(arith::CmpIPredicate::eq, count, index(lanes));
      Value lies = arith::AndIOp::create(b, loc, whole, inPlace);
      SmallVector<Type> types{
          cast<MemRefType>(initFlat.getType()).clone(accType),
          b.getIndexType()};
      panel = choose(
          lies, types,
          [&]() -> SmallVector<Value> {
            return {from(rhs, zero, here, feature),
                    rhs.strides[ContractOp::Features]};
          },
          packed);
    } else {
      panel = packed();
    }
    SmallVector<Value> tile =
        emitTile(rows, rowStep, panel[0], panel[1], depth);
    Value rowsHere = least(sub(rowEnd, row), index(groupRows));
    auto placeOf = [&](Value r, Value mask) {
      Place place;
      place.dims[ContractOp::Rows] = LaneValue::uniform(add(row, r));
      place.dims[ContractOp::Columns] = LaneValue::affine(here, 1);
      place.lanes = lanes;
      place.mask = mask;
      return place;
    };
    auto finish = [&](Value mask) {
      for (auto [r, sum] : llvm::enumerate(tile))
        vector::StoreOp::create(b, loc, sum, sums, index(r * lanes));
      emitLoop(b, loc, zero, rowsHere, 1, [&](Value r) {
        Value sum = vector::LoadOp::create(b, loc, vectorOf(lanes, accType),
                                           sums, mul(r, index(lanes)));
        Value partial;
        if (partialSums)
          partial =
              add(mul(sub(add(row, r), firstRow), index(blockColumns)), first);
        finishRow(sum, placeOf(r, mask), block, partial);
      });
      return SmallVector<Value>();
    };
    // What is only added and stored is so from registers.
    bool isShort = op.getElement().empty() && !partialSums;
    auto finishWhole = [&](bool isFirst) {
      for (auto [r, sum] : llvm::enumerate(tile)) {
        Place place = placeOf(index(r), /*mask=*/{});
        Value all = sum;
        if (op.getAccumulate() || !isFirst)
          all = arith::AddFOp::create(b, loc, sum, loadInit(place));
        storeInit(all, place);
      }
      return SmallVector<Value>();
    };
    Value whole = compare(arith::CmpIPredicate::eq, count, index(lanes));
    if (isShort)
      whole = arith::AndIOp::create(
          b, loc, whole,
          compare(arith::CmpIPredicate::eq, rowsHere, index(groupRows)));
    choose(
        whole, TypeRange(),
        [&] {
          if (!isShort)
            return finish(/*mask=*/{});
          if (op.getAccumulate())
            return finishWhole(/*isFirst=*/true);
          return choose(
              block.first, TypeRange(), [&] { return finishWhole(true); },
              [&] { return finishWhole(false); });
        },
        [&] { return finish(createLaneMask(b, loc, lanes, count)); });
  });
}

SmallVector<Value> ContractEmitter::emitTile(ValueRange rows, Value rowStep,
                                             Value panel, Value panelStep,
                                             Value depth) {
  Value nothing = createFloatConstant(b, loc, vectorOf(lanes, accType), 0.0);
  SmallVector<Value> tile(groupRows, nothing);
  Value strides[] = {panelStep, rowStep};
  auto loadPanel = [&](int64_t, Value, ValueRange offsets) -> Value {
    if (inPairs)
      return vector::LoadOp::create(b, loc, vectorOf(lanes, b.getI32Type()),
                                    panel, offsets[0]);
    return load(panel, offsets[0], lanes);
  };
  auto loadRow = [&](int64_t r, Value, ValueRange offsets) -> Value {
    if (inPairs)
      return memref::LoadOp::create(b, loc, rows[r], offsets[1]);
    return loadElement(rows[r], offsets[1]);
  };
  MicroKernel kernel{countSteps(depth), kUnroll, strides, loadPanel, loadRow};
  if (inPairs)
    kernel.element = MicroKernelElement::DotPair;
  return emitMicroKernel(b, loc, kernel, tile, options);
}

/// Asks for what the tile will be written to. Beyond the last row it is only
/// asked for.
void ContractEmitter::prefetchInit(Value row, Value column) {
  if (init.contiguous != ContractOp::Columns)
    return;
  int64_t line = std::max<int64_t>(1, 512 / getMemoryWidth(init.element));
  Value flat = from(init, row, column, zero);
  for (int64_t r = 0; r < groupRows; ++r)
    for (int64_t lane = 0; lane < lanes; lane += line)
      memref::PrefetchOp::create(
          b, loc, flat,
          add(mul(index(r), init.strides[ContractOp::Rows]), index(lane)),
          /*isWrite=*/true, /*localityHint=*/3, /*isDataCache=*/true);
}

LogicalResult emitContract(RewriterBase &rewriter, ContractOp op,
                           const EmitOptions &options) {
  return ContractEmitter(rewriter, op, options).run();
}

} // namespace attn
