//===- OnlinePairs.cpp - The products of a step in pairs --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Queries meet keys in pairs of features, which are neighbours in a key row:
// where their number is even and they are contiguous, keys are read in place.
// Weights, rounded to bf16, meet values in pairs of key rows. What does not lie
// so is rearranged once per step, a vector at a time, into buffers of the
// worker: an order of magnitude less than is multiplied. What fills up an odd
// number is 0 on both sides.
//
//===----------------------------------------------------------------------===//

#include "DotPairs.h"
#include "MicroKernel.h"
#include "OnlineEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

LogicalResult PairEmitter::checkPairs() {
  if (failed(checkDotPairs(op, tile.layout)))
    return failure();
  auto isDynamic = [](Value operand, AffineMap map, unsigned dim) {
    std::optional<unsigned> position =
        map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
    return !position ||
           cast<MemRefType>(operand.getType()).isDynamicDim(*position);
  };
  for (auto [index, dim] : {std::pair(1u, 2u), std::pair(2u, 3u)})
    if (Value operand = index == 1 ? op.getKey() : op.getValue();
        operand && isDynamic(operand, op.getStoredMap(index), dim))
      return op.emitOpError("cannot be vectorized: expected ")
             << (index == 1 ? "features" : "channels")
             << " of a known number in " << tile.layout << ", but got "
             << operand.getType();
  return success();
}

/// An extent that `checkPairs` saw known.
static int64_t getKnown(Value extent) {
  return getConstantIntValue(extent).value_or(0);
}

Value PairEmitter::countKeyPairs() {
  Value up = b.createOrFold<arith::AddIOp>(loc, numKeys, one);
  return b.createOrFold<arith::DivUIOp>(loc, up, index(2));
}

void PairEmitter::forEachKeyPair(function_ref<void(Value, bool)> body) {
  std::optional<int64_t> known = getConstantIntValue(numKeys);
  Value whole = b.createOrFold<arith::DivUIOp>(loc, numKeys, index(2));
  emitLoop(b, loc, zero, whole, 1, [&](Value pair) { body(pair, true); });
  if (!known || *known % 2 != 0)
    emitLoop(b, loc, whole, countKeyPairs(), 1,
             [&](Value pair) { body(pair, false); });
}

//===----------------------------------------------------------------------===//
// Pairs of features
//===----------------------------------------------------------------------===//

void PairEmitter::packFeaturePairs() {
  int64_t features = getKnown(numFeatures);
  int64_t numPairs = (features + 1) / 2;
  queryPairs = createWorkerScratch(
      b, op, MemRefType::get({numPairs, lanes}, b.getI32Type()));
  auto type = VectorType::get({lanes}, b.getI16Type());
  Value queries = viewAsStored(b, loc, op.getQuery());
  auto pack = [&](Value pair, bool hasSecond) {
    Value feature = arith::MulIOp::create(b, loc, pair, index(2));
    Value first = vector::LoadOp::create(b, loc, type, queries,
                                         ValueRange{feature, zero});
    Value second;
    if (hasSecond)
      second = vector::LoadOp::create(
          b, loc, type, queries,
          ValueRange{arith::AddIOp::create(b, loc, feature, one), zero});
    else
      second = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    vector::StoreOp::create(b, loc, interleaveDotPairs(b, loc, first, second),
                            queryPairs, ValueRange{pair, zero});
  };
  emitLoop(b, loc, zero, index(features / 2), 1,
           [&](Value pair) { pack(pair, true); });
  if (features % 2 != 0)
    pack(index(features / 2), false);

  auto keyType = cast<MemRefType>(op.getKey().getType());
  unsigned last = keyMap.getNumResults() - 1;
  if (features % 2 != 0 || keyMap.getDimPosition(last) != 2 ||
      !isContiguousAlong(keyType, last))
    packKeyPairs(numPairs);
}

void PairEmitter::packKeyPairs(int64_t numPairs) {
  keyPairs = createWorkerScratch(
      b, op, MemRefType::get({keyTile, numPairs}, b.getI32Type()));
  Value keys = viewAsStored(b, loc, op.getKey());
  int64_t features = getKnown(numFeatures);
  auto load = [&](Value keyRow, Value feature) -> Value {
    SmallVector<Value> indices;
    for (AffineExpr result : keyMap.getResults())
      indices.push_back(
          cast<AffineDimExpr>(result).getPosition() == 1 ? keyRow : feature);
    return memref::LoadOp::create(b, loc, keys, indices);
  };
  emitLoop(b, loc, zero, numKeys, 1, [&](Value keyRow) {
    auto pack = [&](Value pair, bool hasSecond) {
      Value feature = arith::MulIOp::create(b, loc, pair, index(2));
      Value second =
          hasSecond ? load(keyRow, arith::AddIOp::create(b, loc, feature, one))
                    : arith::ConstantOp::create(b, loc, b.getI16IntegerAttr(0))
                          .getResult();
      Value both = combineDotPair(b, loc, load(keyRow, feature), second);
      memref::StoreOp::create(b, loc, both, keyPairs, ValueRange{keyRow, pair});
    };
    emitLoop(b, loc, zero, index(features / 2), 1,
             [&](Value pair) { pack(pair, true); });
    if (features % 2 != 0)
      pack(index(features / 2), false);
  });
}

SmallVector<Value> PairEmitter::emitSimilarityInPairs(Value first,
                                                      ValueRange rows,
                                                      ValueRange sums) {
  constexpr int64_t kUnroll = 2;
  FlatBuffer queries = flatten(b, loc, queryPairs, {zero, zero});
  auto pairType = VectorType::get({lanes}, b.getI32Type());
  auto loadQuery = [&](int64_t, Value pair, ValueRange offsets) -> Value {
    Value feature = arith::MulIOp::create(b, loc, pair, index(2));
    prefetchKey(first, rows.size(), pair, feature);
    return vector::LoadOp::create(b, loc, pairType, queries.memref, offsets[0]);
  };
  Value keys = keyPairs ? keyPairs : viewAsStored(b, loc, op.getKey());
  auto loadKey = [&](int64_t r, Value pair, ValueRange) -> Value {
    if (keyPairs)
      return memref::LoadOp::create(b, loc, keyPairs,
                                    ValueRange{rows[r], pair});
    Value feature = arith::MulIOp::create(b, loc, pair, index(2));
    return loadDotPair(b, loc, keys, {rows[r], feature});
  };
  MicroKernel kernel{index((getKnown(numFeatures) + 1) / 2), kUnroll,
                     queries.strides[0], loadQuery, loadKey};
  kernel.element = MicroKernelElement::DotPair;
  return emitMicroKernel(b, loc, kernel, sums, options);
}

//===----------------------------------------------------------------------===//
// Pairs of key rows
//===----------------------------------------------------------------------===//

void PairEmitter::createWeightPairs() {
  if (!weightPairs)
    weightPairs = createWorkerScratch(
        b, op,
        MemRefType::get(
            {static_cast<int64_t>(llvm::alignTo(keyTile, 2)) / 2 * lanes},
            b.getI32Type()));
}

SmallVector<Value> PairEmitter::storeWeightPairs(
    ValueRange inits,
    function_ref<Value(Value, Value, SmallVector<Value> &)> computeWeight) {
  createWeightPairs();
  Value strides[] = {index(lanes), index(2 * lanes)};
  return emitStridedLoop(
      b, loc, countKeyPairs(), /*unroll=*/1, strides, inits,
      [&](Value pair, ValueRange offsets, ValueRange carried) {
        SmallVector<Value> next(carried), weights;
        for (int64_t half : {0, 1}) {
          Value keyRow = arith::MulIOp::create(b, loc, pair, index(2));
          keyRow = b.createOrFold<arith::AddIOp>(loc, keyRow, index(half));
          Value offset = b.createOrFold<arith::AddIOp>(loc, offsets[1],
                                                       index(half * lanes));
          weights.push_back(computeWeight(keyRow, offset, next));
        }
        vector::StoreOp::create(
            b, loc, roundToDotPairs(b, loc, weights[0], weights[1], options),
            weightPairs, offsets[0]);
        return next;
      });
}

void PairEmitter::packWeightPairs() {
  createWeightPairs();
  forEachKeyPair([&](Value pair, bool hasSecond) {
    Value to = arith::MulIOp::create(b, loc, pair, index(lanes));
    Value from = arith::MulIOp::create(b, loc, to, index(2));
    Value second;
    if (hasSecond)
      second = loadScores(arith::AddIOp::create(b, loc, from, index(lanes)));
    else
      second = createFloatConstant(b, loc, laneType, 0.0);
    vector::StoreOp::create(
        b, loc, roundToDotPairs(b, loc, loadScores(from), second, options),
        weightPairs, to);
  });
}

void PairEmitter::packValuePairs() {
  int64_t channels = getKnown(getExtent(valueOperand, valueMap, 3));
  int64_t size = options.vectorBits / 16;
  // Rows have room for whole vectors.
  valuePairs = createWorkerScratch(
      b, op,
      MemRefType::get({static_cast<int64_t>(llvm::alignTo(keyTile, 2)) / 2,
                       static_cast<int64_t>(llvm::alignTo(channels, size))},
                      b.getI32Type()));
  Value values = viewAsStored(b, loc, valueOperand);
  bool keysFirst = valueMap.getDimPosition(0) == 1;
  auto locate = [&](Value keyRow, Value channel) {
    return keysFirst ? SmallVector<Value>{keyRow, channel}
                     : SmallVector<Value>{channel, keyRow};
  };
  bool inVectors =
      keysFirst &&
      isContiguousAlong(cast<MemRefType>(valueOperand.getType()), 1);
  forEachKeyPair([&](Value pair, bool hasSecond) {
    Value keyRow = arith::MulIOp::create(b, loc, pair, index(2));
    Value next = arith::AddIOp::create(b, loc, keyRow, one);
    if (!inVectors) {
      emitLoop(b, loc, zero, index(channels), 1, [&](Value channel) {
        auto load = [&](Value keyRow) -> Value {
          return memref::LoadOp::create(b, loc, values,
                                        locate(keyRow, channel));
        };
        Value second =
            hasSecond
                ? load(next)
                : arith::ConstantOp::create(b, loc, b.getI16IntegerAttr(0))
                      .getResult();
        memref::StoreOp::create(b, loc,
                                combineDotPair(b, loc, load(keyRow), second),
                                valuePairs, ValueRange{pair, channel});
      });
      return;
    }
    auto type = VectorType::get({size}, b.getI16Type());
    Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    auto pack = [&](Value channel, Value mask) {
      auto load = [&](Value keyRow) -> Value {
        if (!mask)
          return vector::LoadOp::create(b, loc, type, values,
                                        locate(keyRow, channel));
        return vector::MaskedLoadOp::create(
            b, loc, type, values, locate(keyRow, channel), mask, zeros);
      };
      Value pairs = interleaveDotPairs(b, loc, load(keyRow),
                                       hasSecond ? load(next) : zeros);
      vector::StoreOp::create(b, loc, pairs, valuePairs,
                              ValueRange{pair, channel});
    };
    int64_t whole = channels / size * size;
    emitLoop(b, loc, zero, index(whole), size,
             [&](Value channel) { pack(channel, {}); });
    if (whole != channels)
      pack(index(whole), createLaneMask(b, loc, size, index(channels - whole)));
  });
}

SmallVector<Value> PairEmitter::emitChannelsInPairs(Value first,
                                                    ValueRange sums) {
  FlatBuffer values = flatten(b, loc, valuePairs, {zero, first});
  bool hidesPairs = bits && !allVisible;
  std::optional<int64_t> known = getConstantIntValue(numKeys);
  Value strides[] = {index(lanes), values.strides[0]};
  auto pairType = VectorType::get({lanes}, b.getI32Type());
  auto loadWeights = [&](int64_t, Value pair, ValueRange offsets) -> Value {
    if (isReadOnce)
      prefetchNextKeys(first, pair, countKeyPairs());
    return vector::LoadOp::create(b, loc, pairType, weightPairs, offsets[0]);
  };
  auto loadValues = [&](int64_t r, Value, ValueRange offsets) -> Value {
    Value position = b.createOrFold<arith::AddIOp>(loc, offsets[1], index(r));
    return memref::LoadOp::create(b, loc, values.memref, position);
  };
  // Behind the last key row there is nothing to hide.
  bool clamp = !known || *known % 2 != 0;
  auto visible = [&](int64_t, Value keyRow) {
    if (clamp && hidesPairs)
      keyRow = arith::MinUIOp::create(
          b, loc, keyRow, arith::SubIOp::create(b, loc, numKeys, one));
    return loadVisible(keyRow);
  };
  MicroKernel kernel{countKeyPairs(), hidesPairs || !known ? 1 : 2,
                     strides,         loadWeights,
                     loadValues,      visible};
  kernel.element = MicroKernelElement::DotPair;
  return emitMicroKernel(b, loc, kernel, sums, options);
}

} // namespace attn
