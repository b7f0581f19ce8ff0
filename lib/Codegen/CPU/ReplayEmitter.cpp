//===- ReplayEmitter.cpp - Pairs with finished statistics -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loop nest of a step with its third phase replaced: the statistics are
// those of all keys, so that a weight is final when it is computed. What is
// stored of the weights lies rows first, as its owner wants it, and is
// transposed back in registers, block by block.
//
//===----------------------------------------------------------------------===//

#include "OnlineEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {
namespace {

class ReplayEmitter final : public PairEmitter {
public:
  ReplayEmitter(RewriterBase &rewriter, ReplayOp op, const EmitOptions &options)
      : PairEmitter(rewriter, op, PairTile::of(op), options), replay(op) {}

  /// What this emits; reports an error for anything else.
  LogicalResult check();

private:
  void emitPhases() override;
  bool hasHiddenPhase() override;
  void emitHiddenPhase() override;
  void emitWeights();
  void emitTargets(bool allHidden);
  /// Writes the rows of lanes that `getWeights` gives for a key row.
  void emitStored(Value target, AffineMap map,
                  function_ref<Value(Value, Value, int64_t)> getWeights);
  SmallVector<Value> locate(AffineMap map, Value row, Value keyRow);

  ReplayOp replay;
};

} // namespace

LogicalResult ReplayEmitter::check() {
  for (unsigned i = 0, e = replay.getInits().size(); i < e; ++i) {
    ReplayTarget target = replay.getTarget(i);
    if (target != ReplayTarget::stored && target != ReplayTarget::over_keys)
      return replay.emitOpError("cannot be vectorized: expected targets stored "
                                "or over_keys, but got ")
             << stringifyReplayTarget(target);
  }
  if (!replay.getPairs().empty() || !replay.getElement().empty())
    return replay.emitOpError("cannot be vectorized: expected the weight for "
                              "each target, but got a region element");
  return success();
}

void ReplayEmitter::emitPhases() {
  emitScores(/*updates=*/false);
  emitWeights();
  emitTargets(/*allHidden=*/false);
}

bool ReplayEmitter::hasHiddenPhase() {
  return llvm::any_of(llvm::seq<unsigned>(0, replay.getInits().size()),
                      [&](unsigned i) {
                        return replay.getTarget(i) == ReplayTarget::stored;
                      });
}

/// Hidden pairs yield zeros.
void ReplayEmitter::emitHiddenPhase() { emitTargets(/*allHidden=*/true); }

void ReplayEmitter::emitWeights() {
  SmallVector<Value> finished;
  for (Value statistic : tile.statistics)
    finished.push_back(
        vector::LoadOp::create(b, loc, laneType, statistic, ValueRange{zero}));
  Value keys =
      arith::IndexCastOp::create(b, loc, b.getI64Type(), replay.getKeys());
  keys = arith::SIToFPOp::create(b, loc, accType, keys);
  SmallVector<Value> factors =
      weighting.finish(b, loc, finished, weightingOperands,
                       emitter->broadcast(keys), /*scale=*/Value());
  Value nothing = createFloatConstant(b, loc, laneType, 0.0);
  perVisibility(TypeRange(), [&] {
    return forEachKeyRow({}, [&](Value keyRow, Value offset, ValueRange) {
      Value visible = loadVisible(keyRow);
      Value weight = weighting.weight(b, loc, loadScores(offset),
                                      scoreStatistics, weightingOperands,
                                      /*scale=*/Value());
      for (Value factor : factors)
        weight = arith::MulFOp::create(b, loc, weight, factor);
      weight = select(visible, weight, nothing);
      if (!op.getWeight().empty()) {
        weight = inlineForRow(op.getWeight(), weight, keyRow, visible);
        weight = select(visible, weight, nothing);
      }
      storeScores(weight, offset);
      return SmallVector<Value>();
    });
  });
}

void ReplayEmitter::emitTargets(bool allHidden) {
  unsigned output = op.getOutputIndex();
  for (auto [i, init] : llvm::enumerate(replay.getInits())) {
    if (replay.getTarget(i) == ReplayTarget::stored) {
      emitStored(init, op.getStoredMap(output + i),
                 [&](Value keyRow, Value lane, int64_t count) -> Value {
                   auto type = VectorType::get({count}, accType);
                   if (allHidden)
                     return createFloatConstant(b, loc, type, 0.0);
                   Value offset =
                       arith::MulIOp::create(b, loc, keyRow, index(lanes));
                   offset = arith::AddIOp::create(b, loc, offset, lane);
                   return vector::LoadOp::create(b, loc, type, scores, offset);
                 });
      continue;
    }
    if (allHidden)
      continue;
    unsigned contracted = *replay.getContractedIndex(i);
    valueOperand = replay->getOperand(contracted);
    valueMap = op.getStoredMap(contracted);
    accumulator = init;
    perVisibility(TypeRange(), [&] {
      emitValues();
      return SmallVector<Value>();
    });
  }
}

SmallVector<Value> ReplayEmitter::locate(AffineMap map, Value row,
                                         Value keyRow) {
  SmallVector<Value> indices;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    indices.push_back(dim == 0 ? row : dim == 1 ? keyRow : zero);
  }
  return indices;
}

void ReplayEmitter::emitStored(
    Value target, AffineMap map,
    function_ref<Value(Value, Value, int64_t)> getWeights) {
  auto type = cast<MemRefType>(target.getType());
  unsigned last = map.getNumResults() - 1, inner = map.getDimPosition(last);
  Value numRows = getExtent(target, map, 0);
  if (inner == 0 && isContiguousAlong(type, last)) {
    // Rows are neighbours in memory as they are in lanes.
    Value mask;
    if (getConstantIntValue(numRows) != lanes)
      mask = createLaneMask(b, loc, lanes, numRows);
    emitLoop(b, loc, zero, numKeys, 1, [&](Value keyRow) {
      storeElements(b, loc, getWeights(keyRow, zero, lanes), target,
                    locate(map, zero, keyRow), mask);
    });
    return;
  }
  if (inner == 1 && isContiguousAlong(type, last)) {
    int64_t block = getTransposeBlock(accType, lanes, options.vectorBits);
    // Whole lines of the cache, unless rows are shorter.
    constexpr int64_t kLineBits = 64 * 8;
    int64_t columnBlocks = std::max<int64_t>(
        1, kLineBits / (block * getMemoryWidth(type.getElementType())));
    while (columnBlocks > 1 && keyTile <= block * columnBlocks / 2)
      columnBlocks /= 2;
    emitTransposed(
        b, loc, {numRows, numKeys, block, columnBlocks},
        [&](ArrayRef<Value> keyRows, Value row) {
          return llvm::map_to_vector(keyRows, [&](Value keyRow) {
            return getWeights(keyRow, row, block);
          });
        },
        [&](Value vector, Value row, Value keyRow, Value mask) {
          storeElements(b, loc, vector, target, locate(map, row, keyRow), mask);
        });
    return;
  }
  Value buffer = createWorkerScratch(b, op, MemRefType::get({lanes}, accType));
  emitLoop(b, loc, zero, numKeys, 1, [&](Value keyRow) {
    vector::StoreOp::create(b, loc, getWeights(keyRow, zero, lanes), buffer,
                            ValueRange{zero});
    emitLoop(b, loc, zero, numRows, 1, [&](Value row) {
      Value element = memref::LoadOp::create(b, loc, buffer, row);
      element = convertFloat(b, loc, element, type.getElementType());
      memref::StoreOp::create(b, loc, element, target,
                              locate(map, row, keyRow));
    });
  });
}

LogicalResult emitReplay(RewriterBase &rewriter, ReplayOp op,
                         const EmitOptions &options) {
  OpBuilder::InsertionGuard guard(rewriter);
  ReplayEmitter emitter(rewriter, op, options);
  if (failed(emitter.check()))
    return failure();
  return emitter.run();
}

} // namespace attn
