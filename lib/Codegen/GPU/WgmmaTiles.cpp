//===- WgmmaTiles.cpp - Tiles of tensors, and their products ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorMaps.h"
#include "WgmmaKernel.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

Value checkMaps(OpBuilder &b, GenericOp op) {
  Location loc = op.getLoc();
  Value all = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  for (unsigned number : {0u, 1u, 2u, op.getOutputIndex()}) {
    Value buffer = op.getMappedOperands()[number];
    // An output whose columns do not lie together is stored otherwise.
    if (cast<MemRefType>(buffer.getType()).isLastDimUnitStride())
      all = b.createOrFold<arith::AndIOp>(loc, all, checkMap(b, loc, buffer));
  }
  return all;
}

int64_t WgmmaKernel::getTileExtent(unsigned operand, unsigned dim) {
  bool isOutput = operand == op.getOutputIndex();
  if (operand == 1 || operand == 2)
    return dim == keyDim ? countCopiedKeys(op, choice) : 1;
  auto *own = llvm::find(rowDims, dim);
  if (own == rowDims.end())
    return 1;
  if (own != rowDims.begin())
    return *getConstantIntValue(wholeExtents[dim]);
  if (isOutput)
    return storedRows;
  return rowDims.size() == 1 ? choice.getRows()
                             : *getConstantIntValue(wholeExtents[dim]);
}

int64_t WgmmaKernel::countTileRows(unsigned operand) {
  int64_t rows = 1;
  for (AffineExpr result : op.getIndexingMap(operand).getResults().drop_back())
    rows *= getTileExtent(operand, cast<AffineDimExpr>(result).getPosition());
  return rows;
}

/// A map has the dimensions of the array, so that what lies outside of one, a
/// row of the next head for one, is zero. Those of the rows of a tile follow
/// each other as rows are numbered.
Value WgmmaKernel::createMap(unsigned operand) {
  Value buffer = op.getMappedOperands()[operand];
  AffineMap map = op.getIndexingMap(operand);
  SmallVector<unsigned> order = getMapOrder(operand);
  SmallVector<int64_t> tile;
  for (unsigned position : ArrayRef(order).drop_back())
    tile.push_back(getTileExtent(operand, map.getDimPosition(position)));
  tile.push_back(kRowElements);
  if (!llvm::is_sorted(order))
    buffer = memref::TransposeOp::create(
        b, loc, buffer,
        AffineMapAttr::get(
            AffineMap::getPermutationMap(order, b.getContext())));
  return attn::createMap(b, loc, buffer, tile);
}

/// The positions of an operand's dimensions, the outermost of its map first.
SmallVector<unsigned> WgmmaKernel::getMapOrder(unsigned operand) {
  AffineMap map = op.getIndexingMap(operand);
  unsigned last = map.getNumResults() - 1;
  SmallVector<unsigned> order;
  bool hasRows = operand == 0 || operand == op.getOutputIndex();
  for (unsigned i = 0; i < last; ++i)
    if (!hasRows || !llvm::is_contained(rowDims, map.getDimPosition(i)))
      order.push_back(i);
  if (hasRows)
    for (unsigned dim : rowDims)
      if (auto position = map.getResultPosition(b.getAffineDimExpr(dim)))
        order.push_back(*position);
  order.push_back(last);
  return order;
}

void WgmmaKernel::prepareLaunch() {
  maps = {createMap(0), createMap(1), createMap(2)};
  if (storedRows > 0)
    maps.push_back(createMap(op.getOutputIndex()));
}

Value WgmmaKernel::getMap(unsigned number) {
  return getMapAddress(b, loc, maps[number]);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// `locate` gives the position along a dimension of the op, or null where that
/// is the block's.
SmallVector<Value>
WgmmaKernel::locateRows(unsigned operand,
                        function_ref<Value(unsigned)> locate) {
  AffineMap map = op.getIndexingMap(operand);
  Values at;
  for (unsigned i : llvm::reverse(ArrayRef(getMapOrder(operand)).drop_back())) {
    unsigned dim = map.getDimPosition(i);
    Value position = locate(dim);
    if (!position)
      position = cast<Value>(box.offsets[dim]);
    at.push_back(toI32(shiftPacked(operand, i, toIndex(position))));
  }
  return at;
}

void WgmmaKernel::copyQueryTile() {
  Values rows = locateRows(0, [&](unsigned dim) -> Value {
    if (!llvm::is_contained(rowDims, dim))
      return {};
    return rowDims.size() == 1 ? firstRow : index(0);
  });
  for (int64_t part = 0; part < countParts(0); ++part) {
    Values at{i32(kRowElements * part)};
    llvm::append_range(at, rows);
    hardware.copyTile(shared(kRowBytes * choice.getRows() * part), getMap(0),
                      getQueryFull(), at);
  }
}

/// The warpgroup's rows, by one thread of it.
void WgmmaKernel::storeOutputTile() {
  unsigned operand = op.getOutputIndex();
  Value group = getGroup();
  Values rows = locateRows(operand, [&](unsigned dim) -> Value {
    if (!llvm::is_contained(rowDims, dim))
      return {};
    if (dim != rowDims.front())
      return index(0);
    Value own = toIndex(multiply(group, i32(storedRows)));
    return rowDims.size() == 1 ? add(firstRow, own) : own;
  });
  constexpr int64_t kGroupRows = 16 * kGroupWarps;
  Value own = multiply(group, i32(kGroupRows * kRowBytes));
  for (int64_t part = 0; part < countParts(operand); ++part) {
    Values at{i32(kRowElements * part)};
    llvm::append_range(at, rows);
    hardware.storeTile(getMap(3),
                       shared(kRowBytes * choice.getRows() * part, own), at);
  }
}

/// Of blocks that are not there the entry is -1, which is outside of the
/// tensor.
SmallVector<Value> WgmmaKernel::locateKeys(const KeyTile &tile) {
  if (!blocks)
    return {tile.first};
  int64_t own = blocks->getKeys(), keys = choice.getKeys();
  Value first = arith::DivUIOp::create(b, loc, tile.first, index(own));
  ListReader lists = getListReader();
  Values entries;
  for (int64_t number = 0; number < std::max<int64_t>(1, keys / own);
       ++number) {
    Value at = first, isThere;
    if (number > 0) {
      isThere =
          compare(arith::CmpIPredicate::slt, i32(number * own), tile.count);
      at = select(isThere, add(first, index(number)), first);
    }
    Value entry = toI32(lists.read(add(listFirst, at)));
    entries.push_back(isThere ? select(isThere, entry, i32(-1)) : entry);
  }
  if (own > keys)
    entries.push_back(
        toI32(arith::RemUIOp::create(b, loc, tile.first, index(own))));
  return entries;
}

void WgmmaKernel::copyKeyTile(unsigned operand, ValueRange keys, Value to,
                              Value barrier) {
  int64_t rows = countCopiedKeys(op, choice);
  auto copy = [&](int64_t number, function_ref<Value(unsigned)> locate) {
    Values own = locateRows(operand, locate);
    for (int64_t part = 0; part < countParts(operand); ++part) {
      Values at{i32(kRowElements * part)};
      llvm::append_range(at, own);
      int64_t line = choice.getKeys() * part + rows * number;
      hardware.copyTile(hardware.move(to, kRowBytes * line), getMap(operand),
                        barrier, at);
    }
  };
  if (!blocks) {
    Value own = keys[0];
    Values outer;
    if (!outerKeyDims.empty()) {
      Value number = arith::DivUIOp::create(b, loc, own, getKeyExtent());
      own = arith::RemUIOp::create(b, loc, own, getKeyExtent());
      outer = locateOuterKeys(number);
    }
    return copy(0, [&](unsigned dim) -> Value {
      if (dim == keyDim)
        return own;
      auto *other = llvm::find(outerKeyDims, dim);
      return other == outerKeyDims.end() ? Value()
                                         : outer[other - outerKeyDims.begin()];
    });
  }
  bool isPart = blocks->getKeys() > choice.getKeys();
  Value within = isPart ? keys.back() : i32(0);
  for (auto [number, entry] : llvm::enumerate(isPart ? keys.drop_back() : keys))
    copy(number, [&, entry = entry](unsigned dim) -> Value {
      if (llvm::is_contained(outerKeyDims, dim))
        return entry;
      if (dim != keyDim)
        return {};
      return isPaged() ? within
                       : add(multiply(entry, i32(blocks->getKeys())), within);
    });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

SmallVector<Value> WgmmaKernel::beginSimilarities(const Place &place) {
  hardware.waitForPhase(getBarrier(Event::KeysFull, place.stage), place.parity);
  // Warpgroups have 64 rows each.
  Hardware::Factor queries, keys;
  queries.values = {hardware.describeMatrix(
      shared(0, multiply(warpGroup, i32(64 * kRowBytes))), 16)};
  keys.values = {hardware.describeMatrix(getKeys(place.stage), 16)};
  for (int64_t feature = 0; feature < layout.features; feature += 16) {
    int64_t part = feature / kRowElements, own = feature % kRowElements * 2;
    queries.offsets.push_back(part * choice.getRows() * kRowBytes + own);
    keys.offsets.push_back(part * choice.getKeys() * kRowBytes + own);
  }
  return hardware.beginProduct({}, queries, keys, choice.getKeys(), element);
}

SmallVector<Value> WgmmaKernel::beginSums(ValueRange sums, ValueRange words,
                                          const Place &place) {
  hardware.waitForPhase(getBarrier(Event::ValuesFull, place.stage),
                        place.parity);
  Hardware::Factor weights, values;
  weights.values = Values(words);
  weights.inRegisters = true;
  values.values = {hardware.describeMatrix(getValues(place.stage),
                                           choice.getKeys() * kRowBytes)};
  values.transposed = true;
  for (int64_t key = 0; key < choice.getKeys(); key += 16)
    values.offsets.push_back(key * kRowBytes);
  return hardware.beginProduct(sums, weights, values, layout.channels, element);
}

SmallVector<Value> WgmmaKernel::packAll(const RowValues &weights) {
  Values words;
  for (int64_t step = 0; step < choice.getKeys() / 16; ++step)
    llvm::append_range(words, packWeights(weights, step, element));
  return words;
}

} // namespace attn
