//===- KernelLists.cpp - Key tiles that are listed --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where only data tells which keys a query tile meets, or that takes more than
// a range, a kernel of its own, a warp for each query tile, walks over them
// first and writes down the key tiles, once for all blocks that meet the same.
// Its threads look at 32 tiles at once, and learn from each other how many are
// visible before theirs. What lists of key blocks hold is checked behind that,
// by a warp to each list, and nowhere else: a list with an error has no key
// tiles.
//
// The keys of a list of blocks are met in the order of their *places*, entry
// number o's from o times the keys of a block on. A key tile is some places
// that follow each other, of however many blocks; of pages, places are
// positions.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Elements.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

/// Threads in a block that lists: a warp.
constexpr int64_t kListThreads = 32;
/// The words of a key tile, and of what is before a list: the key tiles there
/// are, the first entry of the list of key blocks, the keys, and the threads
/// that have found their entries right.
constexpr int64_t kWords = 4;
constexpr int64_t kCountAt = 0, kFirstAt = 1, kKeysAt = 2, kCheckedAt = 3;

ListReader KernelEmitter::getListReader() {
  return ListReader(b, loc, *blocks, box.offsets, wholeExtents,
                    classes.keyRows.front());
}

Value KernelEmitter::getKeyExtent() {
  return getValueOrCreateConstantIndexOp(b, loc, extents[keyDim]);
}

Value KernelEmitter::getOuterExtent() {
  Value product = index(1);
  for (unsigned dim : outerKeyDims)
    product = multiply(product,
                       getValueOrCreateConstantIndexOp(b, loc, extents[dim]));
  return product;
}

SmallVector<Value> KernelEmitter::locateOuterKeys(Value number) {
  Values positions(outerKeyDims.size());
  for (size_t i = outerKeyDims.size(); i-- > 1;) {
    Value extent =
        getValueOrCreateConstantIndexOp(b, loc, extents[outerKeyDims[i]]);
    positions[i] = arith::RemUIOp::create(b, loc, number, extent);
    number = arith::DivUIOp::create(b, loc, number, extent);
  }
  if (!positions.empty())
    positions[0] = number;
  return positions;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Each range may begin a tile that is not whole.
Value KernelEmitter::countListTiles() {
  int64_t ranges = 1;
  if (!op.getRanges().empty())
    ranges += op.getRanges().front().getTerminator()->getNumOperands() / 2;
  Value keys = getKeyExtent();
  if (blocks) {
    unsigned last = cast<ShapedType>(blocks->indices.getType()).getRank() - 1;
    Value entries = getValueOrCreateConstantIndexOp(
        b, loc, getExtent(b, loc, blocks->indices, last));
    if (!isPaged())
      entries = b.createOrFold<arith::MinUIOp>(
          loc, entries,
          b.createOrFold<arith::CeilDivUIOp>(loc, keys,
                                             index(blocks->getKeys())));
    keys = multiply(entries, index(blocks->getKeys()));
  }
  Value tiles = add(
      b.createOrFold<arith::CeilDivUIOp>(loc, keys, index(choice.getKeys())),
      index(ranges));
  return blocks ? tiles : multiply(tiles, getOuterExtent());
}

Value KernelEmitter::numberList(Value tile) {
  Value number = index(0);
  for (unsigned dim : listDims)
    number = add(multiply(number, getValueOrCreateConstantIndexOp(
                                      b, loc, wholeExtents[dim])),
                 getValueOrCreateConstantIndexOp(b, loc, box.offsets[dim]));
  return add(multiply(number, numTiles), tile);
}

void KernelEmitter::launchLists() {
  Value count = numTiles;
  for (unsigned dim : listDims)
    count =
        multiply(count, getValueOrCreateConstantIndexOp(b, loc, extents[dim]));
  capacity = countListTiles();
  auto type = MemRefType::get({ShapedType::kDynamic, kWords}, b.getI32Type());
  keyTiles = memref::AllocOp::create(b, loc, type, multiply(count, capacity));
  heads = memref::AllocOp::create(b, loc, type, count);

  auto launchBlocks = [&](Value numBlocks,
                          function_ref<void(Value block, Value thread)> body) {
    OpBuilder::InsertionGuard guard(b);
    gpu::LaunchOp launch = enterBlocks(numBlocks, kListThreads);
    extents = wholeExtents;
    body(launch.getBlockIds().x, launch.getThreadIds().x);
    extents = wholeExtents;
  };
  launchBlocks(count, [&](Value block, Value thread) {
    identifyThread(thread);
    writeList(block);
  });
  if (blocks)
    launchBlocks(count,
                 [&](Value block, Value thread) { checkList(block, thread); });
}

void KernelEmitter::freeLists() {
  for (Value buffer : {keyTiles, heads})
    memref::DeallocOp::create(b, loc, buffer);
}

/// A list of pages ends with the keys of its request, of which there may be
/// fewer than it has room for; one of logical blocks with the last key.
Value KernelEmitter::takePlaces() {
  if (!blocks)
    return getKeyExtent();
  ListReader lists = getListReader();
  std::tie(listFirst, listEnd) = lists.readBounds();
  Value places = multiply(arith::SubIOp::create(b, loc, listEnd, listFirst),
                          index(blocks->getKeys()));
  if (!isPaged()) {
    Value lacking = lists.countLacking(listFirst, listEnd);
    return lacking ? arith::SubIOp::create(b, loc, places, lacking) : places;
  }
  Value keys = places;
  if (Value starts = op.getKeyStarts()) {
    Value request = cast<Value>(box.offsets[getRaggedDims(op)->request]);
    keys = cast<Value>(readRows(b, loc, starts, request).count);
    CheckOp::create(b, loc, compare(Predicate::ule, keys, places),
                    locateMessage(loc, BlockListErrors::keys),
                    ValueRange{keys, places});
  }
  lists.checkPlaces(op, [&] { return keys; });
  return keys;
}

void KernelEmitter::checkPages(Value first, Value extent) {
  Value keys = index(blocks->getKeys());
  Value from = arith::DivUIOp::create(b, loc, first, keys);
  Value to = arith::CeilDivUIOp::create(b, loc, add(first, extent), keys);
  auto loop = scf::ForOp::create(b, loc, add(listFirst, from),
                                 add(listFirst, to), index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  getListReader().readChecked(loop.getInductionVar(), listFirst);
}

std::pair<Value, Value> KernelEmitter::classifyTile(const WalkTile &tile) {
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  Value first = getValueOrCreateConstantIndexOp(b, loc, tile.position);
  Value extent = getValueOrCreateConstantIndexOp(b, loc, tile.extent);
  Value whole = compare(Predicate::eq, extent, index(choice.getKeys()));
  if (op.getMask().empty())
    return {yes, whole};
  if (op.getClassify().empty())
    return {yes, arith::ConstantOp::create(b, loc, b.getBoolAttr(false))};
  Values arguments = box.getBoundArguments(b);
  Value last = arith::SubIOp::create(b, loc, add(first, extent), index(1));
  for (Value bound : {first, last})
    arguments.push_back(blocks && !isPaged()
                            ? getListReader().locate(bound, listFirst)
                            : bound);
  Values truth = inlineBody(b, op.getClassify(), arguments);
  return {arith::XOrIOp::create(b, loc, truth[0], yes),
          arith::AndIOp::create(b, loc, whole, truth[1])};
}

/// Writes the thread's key tile down if it has one of which some pair is
/// visible, behind those of the threads before it; returns how many there are
/// then.
Value KernelEmitter::writeTile(const WalkTile &tile, Value isThere, Value outer,
                               Value base, Value count) {
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  Values known = emitIf(isThere,
                        [&] {
                          auto [visible, full] = classifyTile(tile);
                          return Values{visible, full};
                        },
                        {no, no});
  Value ballot = hardware.ballot(known[0]);
  auto countBits = [&](Value bits) {
    return toIndex(hardware.call("llvm.ctpop", bits));
  };
  emitWhere(known[0], [&] {
    Value bit = arith::ShLIOp::create(b, loc, i32(1), threadInWarp);
    Value below = arith::SubIOp::create(b, loc, bit, i32(1));
    Value before = countBits(arith::AndIOp::create(b, loc, ballot, below));
    Value at = add(add(base, count), before);
    Value place = getValueOrCreateConstantIndexOp(b, loc, tile.position);
    if (outer)
      place = add(multiply(outer, getKeyExtent()), place);
    Value extent = getValueOrCreateConstantIndexOp(b, loc, tile.extent);
    Values words{toI32(place), toI32(extent),
                 arith::ExtUIOp::create(b, loc, b.getI32Type(), known[1]),
                 i32(0)};
    for (auto [i, word] : llvm::enumerate(words))
      memref::StoreOp::create(b, loc, word, keyTiles, ValueRange{at, index(i)});
  });
  return add(count, countBits(ballot));
}

/// Whole tiles around ranges of keys: what is more is hidden.
SmallVector<Value> KernelEmitter::widenToTiles(ValueRange ranges) {
  Values wider;
  Value keys = index(choice.getKeys());
  for (auto [i, bound] : llvm::enumerate(ranges)) {
    Value tiles = i % 2 == 0
                      ? arith::DivUIOp::create(b, loc, bound, keys).getResult()
                      : arith::CeilDivUIOp::create(b, loc, bound, keys);
    wider.push_back(multiply(tiles, keys));
  }
  return wider;
}

/// The keys that rows may see, of `places`; null for none.
std::unique_ptr<Walk> KernelEmitter::createListedWalk(Value places) {
  bool hasRanges = !op.getMask().empty() && !op.getRanges().empty() &&
                   (!blocks || isPaged());
  Values ranges{index(0), places};
  if (hasRanges)
    ranges = inlineBody(b, op.getRanges(), box.getBoundArguments(b));
  if (hasRanges && startsAtTiles())
    ranges = widenToTiles(ranges);
  if (ranges.empty())
    return nullptr;
  if (ranges.size() > 2)
    return std::make_unique<RangesWalk>(b, loc, choice.getKeys(), ranges,
                                        index(0), places, /*clips=*/true);
  Value end = arith::MinSIOp::create(b, loc, ranges[1], places);
  return std::make_unique<SpanWalk>(b, loc, choice.getKeys(), ranges[0], end,
                                    /*whole=*/false);
}

void KernelEmitter::writeList(Value number) {
  Value isFirst = compare(Predicate::eq, thread, i32(0));
  auto setHead = [&](ArrayRef<std::pair<int64_t, Value>> words) {
    emitWhere(isFirst, [&] {
      for (auto [word, value] : words)
        memref::StoreOp::create(b, loc, toI32(value), heads,
                                ValueRange{number, index(word)});
    });
  };
  // What ends a warp early leaves no key tiles.
  Value zero = index(0);
  setHead({{kCountAt, zero}, {kFirstAt, zero}, {kKeysAt, zero},
           {kCheckedAt, zero}});
  locateTile(toI32(number), listDims);
  auto walkAll = [&] {
    takeRequestKeys();
    Value places = takePlaces(), base = multiply(number, capacity);
    auto walk = [&](Value outer, Value count) {
      std::unique_ptr<Walk> keys = createListedWalk(places);
      if (!keys)
        return count;
      return forEachTileInTurns(
          b, loc, *keys, toIndex(thread), kListThreads, count,
          [&](const WalkTile &tile, Value isThere, ValueRange carried) {
            return Values{writeTile(tile, isThere, outer, base, carried[0])};
          })[0];
    };
    Value count;
    if (blocks || outerKeyDims.empty()) {
      count = walk({}, index(0));
    } else {
      SpanWalk outer(b, loc, /*tileRows=*/1, index(0), getOuterExtent(),
                     /*whole=*/true);
      count = forEachTile(
          b, loc, outer, index(0),
          [&](const WalkTile &tile, ValueRange carried) {
            Value at = getValueOrCreateConstantIndexOp(b, loc, tile.location);
            for (auto [dim, position] :
                 llvm::zip_equal(outerKeyDims, locateOuterKeys(at)))
              box.offsets[dim] = position;
            return Values{walk(at, carried[0])};
          })[0];
    }
    setHead({{kCountAt, count}, {kKeysAt, places}});
    if (blocks)
      setHead({{kFirstAt, listFirst}});
    return Values();
  };
  if (mayHaveNoRows())
    emitIf(compare(Predicate::sgt, numRows, i32(0)), walkAll, {});
  else
    walkAll();
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// The four words of entry `at` of a list.
static Value readWords(OpBuilder &b, Location loc, Hardware &hardware,
                       Value buffer, Value at) {
  Value address =
      memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  Value bytes = arith::ConstantIndexOp::create(b, loc, 4 * kWords);
  address = arith::AddIOp::create(b, loc, address,
                                  arith::MulIOp::create(b, loc, at, bytes));
  return hardware.load(VectorType::get({kWords}, b.getI32Type()),
                       hardware.toGlobal(address), 4 * kWords);
}

void KernelEmitter::takeHead(Value tile) {
  Value number = numberList(tile);
  Value head = readWords(b, loc, hardware, heads, number);
  listBase = multiply(number, capacity);
  Value count = lane(head, kCountAt);
  if (blocks) {
    Value isRight =
        compare(Predicate::eq, lane(head, kCheckedAt), i32(kListThreads));
    count = select(isRight, count, i32(0));
  }
  listCount = toIndex(count);
  listFirst = toIndex(lane(head, kFirstAt));
  listKeys = toIndex(lane(head, kKeysAt));
  Value end = add(listBase, listCount);
  lastTile = arith::SubIOp::create(b, loc, end, index(1));
}

/// Of pages, those that key tiles have; of logical blocks, all. A thread that
/// finds one wrong ends, and is not counted.
void KernelEmitter::checkList(Value number, Value own) {
  Value head = readWords(b, loc, hardware, heads, number);
  locateTile(toI32(number), listDims);
  listFirst = toIndex(lane(head, kFirstAt));
  Value threads = index(kListThreads);
  auto forOwn = [&](Value count, function_ref<void(Value)> body) {
    emitLoop(own, count, threads, {}, [&](Value at, ValueRange) {
      body(at);
      return Values();
    });
  };
  if (isPaged()) {
    Value base = multiply(number, capacity);
    forOwn(toIndex(lane(head, kCountAt)), [&](Value at) {
      Value tile = readWords(b, loc, hardware, keyTiles, add(base, at));
      checkPages(toIndex(lane(tile, 0)), toIndex(lane(tile, 1)));
    });
  } else {
    Value entries = arith::CeilDivUIOp::create(
        b, loc, toIndex(lane(head, kKeysAt)), index(blocks->getKeys()));
    forOwn(entries, [&](Value at) {
      getListReader().readChecked(add(listFirst, at), listFirst);
    });
  }
  memref::AtomicRMWOp::create(b, loc, arith::AtomicRMWKind::addi, i32(1), heads,
                              ValueRange{number, index(kCheckedAt)});
}

/// Which is asked for ahead, and may be behind the last one.
KeyTile KernelEmitter::readKeyTile(Value at) {
  Value there = arith::MinSIOp::create(b, loc, at, lastTile);
  Value words = readWords(b, loc, hardware, keyTiles, there);
  KeyTile tile;
  tile.first = toIndex(lane(words, 0));
  tile.count = lane(words, 1);
  tile.full = compare(Predicate::ne, lane(words, 2), i32(0));
  return tile;
}

/// Places that are not there are the last one.
std::pair<LaneValue, LaneValue> KernelEmitter::locateLanes(LaneValue place) {
  Value keys = index(blocks->getKeys());
  Value last = arith::SubIOp::create(b, loc, listKeys, index(1));
  auto locate = [&](Value at) {
    at = arith::MinSIOp::create(b, loc, at, last);
    Value number = arith::DivUIOp::create(b, loc, at, keys);
    Value entry = getListReader().read(add(listFirst, number));
    Value row = arith::RemUIOp::create(b, loc, at, keys);
    return std::pair(entry, row);
  };
  if (place.isUniform()) {
    auto [entry, row] = locate(place.scalar);
    return {LaneValue::uniform(entry), LaneValue::uniform(row)};
  }
  Value all = LaneBuilder(b, loc, lanes).toVector(place);
  Values entries, rows;
  for (int64_t i = 0; i < lanes; ++i) {
    auto [entry, row] = locate(lane(all, i));
    entries.push_back(entry);
    rows.push_back(row);
  }
  auto gather = [&](ValueRange values) {
    return LaneValue::lanes(vector::FromElementsOp::create(
        b, loc, laneType(b.getIndexType()), values));
  };
  return {gather(entries), gather(rows)};
}

/// What lies in pages is read where its page is.
LaneValue KernelEmitter::inputPosition(unsigned number, unsigned position,
                                       ArrayRef<LaneValue> positions) {
  AffineMap map = op.getIndexingMap(number);
  unsigned dim = map.getDimPosition(position);
  LaneValue place = positions[dim];
  if (isPaged() && map.isFunctionOfDim(classes.keyRows.front()) &&
      llvm::is_contained(classes.keyRows, dim)) {
    auto [entries, rows] = locateLanes(positions[keyDim]);
    place = dim == keyDim ? rows : entries;
    place.variesByKey = true;
  } else if (place.scalar) {
    place.scalar = shiftPacked(number, position, place.scalar);
  }
  return place;
}

} // namespace attn
