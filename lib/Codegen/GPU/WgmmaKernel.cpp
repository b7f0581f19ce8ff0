//===- WgmmaKernel.cpp - Kernels on products of warpgroups ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Warps beside those that have rows copy: one thread of them walks over the
// keys and has tiles copied by the unit that copies tensors, keys and values of
// as many tiles as there are stages. Of each stage, an mbarrier says that keys
// are there, another that all warps have used them; values have two as well.
// The other warps, in warpgroups, do for each tile but the first:
//
//   wait for its keys; begin its similarities
//   wait for the values of the tile before; begin to add these, weighted
//   wait for the similarities; keys are used
//   statistics and weights, while the unit of products works
//   wait for the sums; values are used; rescale the sums
//
// The first tile begins with its similarities, the last ends with its sums.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {
namespace {

/// Elements of a swizzled row, and its bytes.
constexpr int64_t kRowElements = 64, kRowBytes = 128;
/// Registers are given to groups of four warps: those that copy, of which one
/// thread does, leave theirs to the others, which begin with as many as all
/// have room for.
constexpr int64_t kCopyWarps = 4;
constexpr int32_t kCopyRegisters = 24, kRowRegisters = 240;
/// The barrier at which the threads that have rows meet.
constexpr int32_t kRowBarrier = 1;

/// What an mbarrier is about.
enum class Event { KeysFull, KeysEmpty, ValuesFull, ValuesEmpty };

class WgmmaKernel final : public KernelEmitter {
public:
  WgmmaKernel(RewriterBase &rewriter, GenericOp op, GPUKernelAttr choice)
      : KernelEmitter(rewriter, op, choice),
        element(getElementTypeOrSelf(op.getQuery().getType())) {}

private:
  /// A stage of the ring of tiles, and the parity of its use, i32.
  struct Place {
    Value stage, parity;
  };

  bool copiesAsync() const override { return true; }
  int64_t getNumOtherWarps() const override { return kCopyWarps; }
  void prepareLaunch() override;
  void emitRows() override;

  // Tiles are not copied by the threads that use them.
  void copyQueries() override {}
  void copyKeys(const KeyTile &) override {}
  void copyValues(const KeyTile &) override {}
  RowValues emitSimilarities(const KeyTile &) override { return {}; }
  Values addValues(ValueRange sums, const RowValues &, const RowValues &,
                   Value) override {
    return Values(sums);
  }

  int64_t getNumThreads() const { return 32 * choice.getWarps(); }
  /// The rows of 64 elements that features, or channels, take.
  int64_t countParts(unsigned operand) const {
    return llvm::divideCeil(operand == 2 ? layout.channels : layout.features,
                            kRowElements);
  }
  Value createMap(unsigned operand, unsigned rowDim, int64_t rows);
  void copyTile(unsigned operand, Value first, int64_t rows, Value to,
                Value barrier);

  Value getBarrier(Event event, Value stage);
  Value getQueryBarrier() { return shared(layout.barriers); }
  /// The keys, or values, of a stage.
  Value getKeys(Value stage) {
    return shared(layout.keys, multiply(stage, i32(layout.stageBytes)));
  }
  Value getValues(Value stage) {
    return shared(layout.values, multiply(stage, i32(layout.stageBytes)));
  }
  Place getNext(const Place &place);
  void arriveAsWarp(Value barrier);

  void initBarriers();
  void produce();
  Values consume();
  Values beginSimilarities(const Place &place);
  Values beginSums(ValueRange sums, ValueRange words, const Place &place);
  /// The weights of a tile, rounded.
  Values packAll(const RowValues &weights);
  /// Adds what a product must not.
  Values addNotFinite(ValueRange sums, ValueRange words, const KeyTile &keys,
                      Value isPartial, const Place &place);
  Value findNotFinite(Value values);
  Values addPairs(ValueRange sums, ValueRange words, const KeyTile &keys,
                  Value values);
  void clearNotFinite(Value values);
  /// The lower half of a word, an `element`, as f32.
  Value toFloat(Value word);
  Values forOwnWords(Value values, ValueRange inits,
                     function_ref<Values(Value, ValueRange)> body);

  Type element;
  std::array<Value, 3> maps;
};

} // namespace

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// A map has the dimensions of the array, so that what lies outside of one, a
/// row of the next head for one, is zero.
Value WgmmaKernel::createMap(unsigned operand, unsigned row, int64_t rows) {
  Value buffer = op.getMappedOperands()[operand];
  auto type = cast<MemRefType>(buffer.getType());
  AffineMap map = op.getIndexingMap(operand);
  SmallVector<int64_t> tile(type.getRank(), 1);
  Values extents;
  for (unsigned i = 0, e = type.getRank(); i < e; ++i) {
    if (i + 1 == e)
      tile[i] = kRowElements;
    else if (map.getDimPosition(i) == row)
      tile[i] = rows;
    extents.push_back(index(tile[i]));
  }
  auto unranked = UnrankedMemRefType::get(element, type.getMemorySpace());
  Value whole = memref::CastOp::create(b, loc, unranked, buffer);
  auto space =
      gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto tileType =
      MemRefType::get(tile, element, MemRefLayoutAttrInterface(), space);
  auto mapType = nvgpu::TensorMapDescriptorType::get(
      b.getContext(), tileType, nvgpu::TensorMapSwizzleKind::SWIZZLE_128B,
      nvgpu::TensorMapL2PromoKind::L2PROMO_256B,
      nvgpu::TensorMapOOBKind::OOB_ZERO,
      nvgpu::TensorMapInterleaveKind::INTERLEAVE_NONE);
  return nvgpu::TmaCreateDescriptorOp::create(b, loc, mapType, whole, extents);
}

void WgmmaKernel::prepareLaunch() {
  maps = {createMap(0, rowDim, choice.getRows()),
          createMap(1, keyDim, choice.getKeys()),
          createMap(2, keyDim, choice.getKeys())};
}

void WgmmaKernel::copyTile(unsigned operand, Value first, int64_t rows,
                           Value to, Value barrier) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value map = UnrealizedConversionCastOp::create(b, loc, pointer, maps[operand])
                  .getResult(0);
  AffineMap dims = op.getIndexingMap(operand);
  unsigned row = operand == 0 ? rowDim : keyDim;
  for (int64_t part = 0; part < countParts(operand); ++part) {
    Values at;
    for (unsigned i = dims.getNumResults(); i-- > 0;) {
      unsigned dim = dims.getDimPosition(i);
      if (i + 1 == dims.getNumResults())
        at.push_back(i32(kRowElements * part));
      else
        at.push_back(toI32(dim == row ? first : cast<Value>(box.offsets[dim])));
    }
    hardware.copyTile(hardware.move(to, kRowBytes * rows * part), map, barrier,
                      at);
  }
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

Value WgmmaKernel::getBarrier(Event event, Value stage) {
  int64_t first = 1 + static_cast<int64_t>(event) * choice.getStages();
  return shared(layout.barriers + 8 * first, multiply(stage, i32(8)));
}

WgmmaKernel::Place WgmmaKernel::getNext(const Place &place) {
  if (choice.getStages() == 1)
    return {place.stage, arith::XOrIOp::create(b, loc, place.parity, i32(1))};
  Value next = add(place.stage, i32(1));
  Value isLast =
      compare(arith::CmpIPredicate::eq, next, i32(choice.getStages()));
  Value other = arith::XOrIOp::create(b, loc, place.parity, i32(1));
  return {select(isLast, i32(0), next), select(isLast, other, place.parity)};
}

void WgmmaKernel::arriveAsWarp(Value barrier) {
  emitWhere(compare(arith::CmpIPredicate::eq, threadInWarp, i32(0)),
            [&] { hardware.arrive(barrier); });
}

void WgmmaKernel::initBarriers() {
  emitWhere(compare(arith::CmpIPredicate::eq, thread, i32(0)), [&] {
    auto warps = static_cast<int32_t>(choice.getWarps());
    hardware.initBarrier(getQueryBarrier(), 1);
    for (int64_t stage = 0; stage < choice.getStages(); ++stage)
      for (auto [event, count] : {std::pair(Event::KeysFull, 1),
                                  {Event::KeysEmpty, warps},
                                  {Event::ValuesFull, 1},
                                  {Event::ValuesEmpty, warps}})
        hardware.initBarrier(getBarrier(event, i32(stage)), count);
    hardware.fenceBarriers();
  });
  hardware.barrier();
}

//===----------------------------------------------------------------------===//
// The thread that copies
//===----------------------------------------------------------------------===//

void WgmmaKernel::produce() {
  int64_t rows = choice.getRows(), keys = choice.getKeys();
  std::unique_ptr<Walk> walk = createWalk();
  Values carried = walk->begin();
  size_t numCursor = carried.size();
  Value valid = walk->valid(carried);
  emitWhere(valid, [&] {
    hardware.arriveAndExpect(getQueryBarrier(),
                             kRowBytes * rows * countParts(0));
    copyTile(0, firstRow, rows, shared(0), getQueryBarrier());
  });
  llvm::append_values(carried, valid, i32(0), i32(0));
  emitWhile(carried, numCursor, [&](ValueRange arguments) {
    ValueRange cursor = arguments.take_front(numCursor);
    Place place{arguments[numCursor + 1], arguments[numCursor + 2]};
    WalkTile tile = walk->tile(cursor);
    Value first = toKeyTile(tile).first;
    Value before = arith::XOrIOp::create(b, loc, place.parity, i32(1));
    auto copy = [&](unsigned operand, Event full, Event empty, Value to) {
      hardware.waitForPhase(getBarrier(empty, place.stage), before);
      Value barrier = getBarrier(full, place.stage);
      hardware.arriveAndExpect(barrier, kRowBytes * keys * countParts(operand));
      copyTile(operand, first, keys, to, barrier);
    };
    copy(1, Event::KeysFull, Event::KeysEmpty, getKeys(place.stage));
    copy(2, Event::ValuesFull, Event::ValuesEmpty, getValues(place.stage));
    Values next = walk->next(cursor, tile);
    Place then = getNext(place);
    next.push_back(walk->valid(next));
    llvm::append_values(next, then.stage, then.parity);
    return next;
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

SmallVector<Value> WgmmaKernel::beginSimilarities(const Place &place) {
  hardware.waitForPhase(getBarrier(Event::KeysFull, place.stage), place.parity);
  // Warpgroups have 64 rows each.
  Value group = arith::ShRUIOp::create(b, loc, warp, i32(2));
  Hardware::Factor queries, keys;
  queries.values = {hardware.describeMatrix(
      shared(0, multiply(group, i32(64 * kRowBytes))), 16)};
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

//===----------------------------------------------------------------------===//
// The warps that have rows
//===----------------------------------------------------------------------===//

SmallVector<Value> WgmmaKernel::consume() {
  Values none = createNeutral();
  size_t numStatistics = none.size();
  none.append(getNumSums(), createFloatConstant(b, loc, accType, 0.0));
  std::unique_ptr<Walk> walk = createWalk();
  Values begin = walk->begin();
  size_t numCursor = begin.size();
  size_t numWords = choice.getKeys() / 4;
  auto emitTiles = [&] {
    hardware.waitForPhase(getQueryBarrier(), i32(0));
    Place place{i32(0), i32(0)};
    WalkTile tile = walk->tile(begin);
    KeyTile keys = toKeyTile(tile);
    Values scores = beginSimilarities(place);
    scores = hardware.waitForProducts(0, scores);
    arriveAsWarp(getBarrier(Event::KeysEmpty, place.stage));
    countTile(keys);
    ValueRange statistics = ValueRange(none).take_front(numStatistics);
    TileWeights first =
        emitTileWeights(keys, toRows(scores), statistics, Phase::Online);
    Values words = packAll(first.weighted.weights);
    Values sums = addNotFinite(ValueRange(none).drop_front(numStatistics),
                               words, keys, first.isPartial, place);

    Values carried = walk->next(begin, tile);
    carried.push_back(walk->valid(carried));
    llvm::append_values(carried, place.stage, place.parity);
    llvm::append_range(carried, first.weighted.statistics);
    llvm::append_range(carried, words);
    llvm::append_range(carried, sums);
    Values ends = emitWhile(carried, numCursor, [&](ValueRange arguments) {
      ValueRange cursor = arguments.take_front(numCursor);
      Place before{arguments[numCursor + 1], arguments[numCursor + 2]};
      ValueRange state = arguments.drop_front(numCursor + 3);
      ValueRange old = state.take_front(numStatistics);
      ValueRange oldWords = state.slice(numStatistics, numWords);
      ValueRange oldSums = state.drop_front(numStatistics + numWords);
      Place place = getNext(before);
      WalkTile tile = walk->tile(cursor);
      KeyTile keys = toKeyTile(tile);
      Values scores = beginSimilarities(place);
      Values sums = beginSums(oldSums, oldWords, before);
      scores = hardware.waitForProducts(1, scores);
      arriveAsWarp(getBarrier(Event::KeysEmpty, place.stage));
      countTile(keys);
      TileWeights weights =
          emitTileWeights(keys, toRows(scores), old, Phase::Online);
      Values words = packAll(weights.weighted.weights);
      llvm::append_range(sums, oldWords);
      sums = hardware.waitForProducts(0, sums);
      sums.resize(getNumSums());
      arriveAsWarp(getBarrier(Event::ValuesEmpty, before.stage));
      rescale(sums, weights.weighted.rescale);
      sums = addNotFinite(sums, words, keys, weights.isPartial, place);
      Values next = walk->next(cursor, tile);
      next.push_back(walk->valid(next));
      llvm::append_values(next, place.stage, place.parity);
      llvm::append_range(next, weights.weighted.statistics);
      llvm::append_range(next, words);
      llvm::append_range(next, sums);
      return next;
    });
    Values result(ValueRange(ends).drop_front(numCursor + 3));
    Place last{ends[numCursor + 1], ends[numCursor + 2]};
    ValueRange lastWords = ValueRange(result).slice(numStatistics, numWords);
    Values total =
        beginSums(ValueRange(result).drop_front(numStatistics + numWords),
                  lastWords, last);
    llvm::append_range(total, lastWords);
    total = hardware.waitForProducts(0, total);
    result.resize(numStatistics);
    llvm::append_range(result, ArrayRef(total).take_front(getNumSums()));
    return result;
  };
  return emitIf(walk->valid(begin), emitTiles, none);
}

void WgmmaKernel::emitRows() {
  initBarriers();
  Value hasRows =
      compare(arith::CmpIPredicate::ult, warp, i32(choice.getWarps()));
  emitEither(
      TypeRange(), hasRows,
      [&] {
        hardware.setRegisters(kRowRegisters, /*more=*/true);
        Values state = consume();
        if (isSplit())
          storeStates(state);
        else
          emitFinish(state);
        return Values();
      },
      [&] {
        hardware.setRegisters(kCopyRegisters, /*more=*/false);
        emitWhere(
            compare(arith::CmpIPredicate::eq, thread, i32(getNumThreads())),
            [&] { produce(); });
        return Values();
      });
}

//===----------------------------------------------------------------------===//
// Values that are not finite
//===----------------------------------------------------------------------===//

/// A loop over the words of 16 bytes of a tile of values that are the thread's.
SmallVector<Value>
WgmmaKernel::forOwnWords(Value values, ValueRange inits,
                         function_ref<Values(Value, ValueRange)> body) {
  int64_t words = choice.getKeys() * countParts(2) * kRowBytes / 16;
  return emitLoop(
      thread, i32(words), i32(getNumThreads()), inits,
      [&](Value number, ValueRange carried) {
        return body(hardware.move(values, multiply(number, i32(16))), carried);
      });
}

Value WgmmaKernel::toFloat(Value word) {
  Value half = arith::TruncIOp::create(b, loc, b.getI16Type(), word);
  Value narrow = arith::BitcastOp::create(b, loc, element, half);
  return arith::ExtFOp::create(b, loc, accType, narrow);
}

Value WgmmaKernel::findNotFinite(Value values) {
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  auto type = VectorType::get({4}, b.getI32Type());
  Values any = forOwnWords(values, no, [&](Value at, ValueRange carried) {
    Value four = hardware.load(type, at, 16);
    return Values{isAnyNotFinite(four, element, carried[0])};
  });
  return hardware.anyAtBarrier(kRowBarrier, getNumThreads(), any[0]);
}

void WgmmaKernel::clearNotFinite(Value values) {
  auto type = VectorType::get({4}, b.getI32Type());
  auto constant = [&](uint32_t bits) -> Value {
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, APInt(32, bits)));
  };
  uint32_t exponent = getExponentBits(element);
  forOwnWords(values, {}, [&](Value at, ValueRange) {
    Value four = hardware.load(type, at, 16);
    for (unsigned shift : {0, 16}) {
      Value mask = constant(exponent << shift);
      Value found = compare(arith::CmpIPredicate::eq,
                            arith::AndIOp::create(b, loc, four, mask), mask);
      Value rest =
          arith::AndIOp::create(b, loc, four, constant(~(0xffffu << shift)));
      four = select(found, rest, four);
    }
    hardware.store(four, at, 16);
    return Values();
  });
}

/// Weights times those of the values that are not finite, of the pairs that are
/// visible: key by key, whose weight one of the four threads of a row has.
SmallVector<Value> WgmmaKernel::addPairs(ValueRange sums, ValueRange words,
                                         const KeyTile &keys, Value values) {
  Type i32Type = b.getI32Type(), maskType = b.getI64Type();
  uint32_t exponent = getExponentBits(element);
  // What is visible as bits.
  RowValues visible = emitVisible(keys), masks;
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value mask = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
    for (int64_t i = 0; i < lanes; ++i) {
      Value bit =
          arith::ExtUIOp::create(b, loc, maskType, lane(visible[row], i));
      Value by = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(i));
      mask = arith::OrIOp::create(b, loc, mask,
                                  arith::ShLIOp::create(b, loc, bit, by));
    }
    masks[row] = mask;
  }
  auto part = [&](Value value, unsigned shift, unsigned bits) -> Value {
    Value shifted = arith::ShRUIOp::create(b, loc, value, i32(shift));
    return arith::AndIOp::create(b, loc, shifted, i32((1 << bits) - 1));
  };
  Value ownQuad = arith::AndIOp::create(b, loc, threadInWarp, i32(28));
  return emitLoop(
      i32(0), i32(choice.getKeys()), i32(1), sums,
      [&](Value key, ValueRange carried) {
        Value group = arith::ShRUIOp::create(b, loc, key, i32(3));
        Value source = add(ownQuad, part(key, 1, 2));
        Value odd = part(key, 0, 1), inGroup = part(key, 0, 3);
        RowValues weight, isSeen;
        for (unsigned row = 0; row < kThreadRows; ++row) {
          Value word = words[row];
          for (int64_t i = 1; i < choice.getKeys() / 8; ++i)
            word = select(compare(arith::CmpIPredicate::eq, group, i32(i)),
                          words[2 * i + row], word);
          word = arith::ShRUIOp::create(b, loc, word, multiply(odd, i32(16)));
          // Behind the weight, whether it counts.
          Value by = add(multiply(group, i32(2)), odd);
          Value bit = arith::ShRUIOp::create(
              b, loc, masks[row], arith::ExtUIOp::create(b, loc, maskType, by));
          bit = part(arith::TruncIOp::create(b, loc, i32Type, bit), 0, 1);
          word =
              arith::OrIOp::create(b, loc, part(word, 0, 16),
                                   arith::ShLIOp::create(b, loc, bit, i32(16)));
          word = hardware.takeFrom(word, source);
          weight[row] = toFloat(word);
          isSeen[row] =
              compare(arith::CmpIPredicate::ne, part(word, 16, 1), i32(0));
        }
        Value line = add(multiply(key, i32(kRowBytes)), multiply(quad, i32(4)));
        Values next(carried);
        for (int64_t tile = 0; tile < layout.channels / 8; ++tile) {
          // Words of 16 bytes change places within a row.
          Value place = arith::XOrIOp::create(b, loc, inGroup, i32(tile % 8));
          Value at = add(line, multiply(place, i32(16)));
          Value pair = hardware.load(
              i32Type,
              hardware.move(hardware.move(values, at),
                            tile / 8 * choice.getKeys() * kRowBytes),
              4);
          for (unsigned i : {0, 1}) {
            Value bits = part(pair, 16 * i, 16);
            Value isOdd =
                compare(arith::CmpIPredicate::eq,
                        arith::AndIOp::create(b, loc, bits, i32(exponent)),
                        i32(exponent));
            Value value = toFloat(bits);
            for (unsigned row = 0; row < kThreadRows; ++row) {
              Value &sum = next[4 * tile + 2 * row + i];
              Value more = math::FmaOp::create(b, loc, weight[row], value, sum);
              sum = select(both(isOdd, isSeen[row]), more, sum);
            }
          }
        }
        return next;
      });
}

/// A product adds 0 x NaN where a pair is hidden. Of tiles in which some are,
/// the values that are not finite are added one by one, and are zeros then.
SmallVector<Value> WgmmaKernel::addNotFinite(ValueRange sums, ValueRange words,
                                             const KeyTile &keys,
                                             Value isPartial,
                                             const Place &place) {
  if (!isPartial || !hidesPairs(op))
    return Values(sums);
  Value values = getValues(place.stage);
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  Value isSlow = emitIf(
      isPartial,
      [&] {
        hardware.waitForPhase(getBarrier(Event::ValuesFull, place.stage),
                              place.parity);
        return Values{findNotFinite(values)};
      },
      no)[0];
  return emitIf(
      isSlow,
      [&] {
        Values next = addPairs(sums, words, keys, values);
        hardware.barrier(kRowBarrier, getNumThreads());
        clearNotFinite(values);
        hardware.fenceProxy();
        hardware.barrier(kRowBarrier, getNumThreads());
        return next;
      },
      sums);
}

std::unique_ptr<KernelEmitter>
createWgmmaKernel(RewriterBase &rewriter, GenericOp op, GPUKernelAttr choice) {
  return std::make_unique<WgmmaKernel>(rewriter, op, choice);
}

} // namespace attn
