//===- KernelTile.cpp - What is done with a tile of keys --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

void KernelEmitter::finishCopies() {
  if (!copiesAsync())
    return;
  hardware.commitCopies();
  hardware.waitForCopies();
}

void KernelEmitter::synchronize() {
  finishCopies();
  hardware.barrier();
}

Value KernelEmitter::emitFull(const KeyTile &keys) {
  if (keys.full)
    return keys.full;
  Value full = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  if (keys.count)
    full = compare(Predicate::eq, keys.count, i32(choice.getKeys()));
  if (op.getMask().empty())
    return full;
  if (op.getClassify().empty())
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  Values arguments = box.getBoundArguments(b);
  arguments.push_back(keys.first);
  Value extent = keys.count ? toIndex(keys.count) : index(choice.getKeys());
  Value end = add(keys.first, extent);
  arguments.push_back(arith::SubIOp::create(b, loc, end, index(1)));
  Values truth = inlineBody(b, op.getClassify(), arguments);
  return arith::AndIOp::create(b, loc, full, truth[1]);
}

SmallVector<Value> KernelEmitter::emitStep(const KeyTile &keys, Value hasNext,
                                           const KeyTile &next,
                                           ValueRange state, Phase phase) {
  synchronize();
  if (needsValues(phase))
    copyValues(keys);
  RowValues similarities = emitSimilarities(keys);
  if (needsValues(phase))
    finishCopies();
  hardware.barrier();
  emitIf(hasNext,
         [&] {
           copyKeys(next);
           return Values();
         },
         {});
  if (phase == Phase::Select) {
    selectKeys(keys, similarities);
    return {};
  }
  return emitPairs(keys, similarities, state, phase);
}

bool KernelEmitter::hidesByScore() const {
  GenericOp attention = op;
  return weighsOnce() && numScoreStatistics == 1 && !divides &&
         attention.getWeight().empty();
}

/// A neutral score weighs nothing and leaves the statistics as they are: only
/// scores are there twice, of full tiles and of others.
KernelEmitter::TileWeights
KernelEmitter::emitNeutralScores(const KeyTile &keys,
                                 const RowValues &similarities,
                                 ValueRange old) {
  auto emitScores = [&](const RowValues &visible) {
    Values scores;
    for (unsigned row = 0; row < kThreadRows; ++row) {
      Value own = emitScore(keys, similarities[row], row, visible[row]);
      scores.push_back(hide(visible[row], own, statistics[0].neutral));
    }
    return scores;
  };
  TileWeights tile;
  Value full = emitFull(keys);
  tile.isPartial = arith::XOrIOp::create(
      b, loc, full,
      arith::ConstantOp::create(b, loc, b.getBoolAttr(true)));
  Values scores = emitEither(
      SmallVector<Type>(kThreadRows, laneType(accType)), full,
      [&] { return emitScores({}); },
      [&] { return emitScores(emitVisible(keys)); });
  tile.weighted =
      emitWeights(keys, [&](unsigned row) { return scores[row]; }, {}, old);
  return tile;
}

KernelEmitter::TileWeights
KernelEmitter::emitTileWeights(const KeyTile &keys,
                               const RowValues &products, ValueRange old,
                               Phase phase) {
  RowValues similarities = products;
  bool isFinal = phase == Phase::Mass || phase == Phase::Final;
  bool rescales = !isFinal && numScoreStatistics > 0;
  auto emitWeighted = [&](const RowValues &visible) {
    if (isFinal)
      return emitFinalWeights(keys, similarities, visible, old);
    auto score = [&](unsigned row) {
      return emitScore(keys, similarities[row], row, visible[row]);
    };
    return emitWeights(keys, score, visible, old);
  };
  if (isAlwaysFull())
    return {emitWeighted({}), {}, {}, {}};
  // A region that reads nothing is the same for hidden pairs.
  llvm::SaveAndRestore isKnown(areScores);
  if (!op.getScore().empty() && !readsForScores()) {
    for (unsigned row = 0; row < kThreadRows; ++row)
      similarities[row] = emitScore(keys, similarities[row], row, {});
    areScores = true;
  }
  if (!isFinal && hidesByScore())
    return emitNeutralScores(keys, similarities, old);

  // Of all that follows, what is done pair by pair is there twice, with and
  // without hidden pairs; of the latter there may be no others.
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  auto gather = [&](const Weighted &weighted, const RowValues &visible,
                    Value any) {
    Values all(weighted.weights.begin(), weighted.weights.end());
    llvm::append_range(all, weighted.statistics);
    if (rescales)
      llvm::append_range(all, weighted.rescale);
    all.push_back(any);
    if (hidesPairs(op))
      llvm::append_range(all, visible);
    return all;
  };
  auto emitFullTile = [&] {
    Value allVisible = arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(laneType(b.getI1Type()), true));
    return gather(emitWeighted({}), {allVisible, allVisible}, yes);
  };
  auto emitPartialTile = [&] {
    RowValues visible = emitVisible(keys);
    // Warps that divide keys do the rest together.
    if (divides)
      return gather(emitWeighted(visible), visible, yes);
    Value any = hardware.anyInWarp(emitAny(visible));
    Weighted none;
    none.weights.fill(createFloatConstant(b, loc, laneType(accType), 0.0));
    none.statistics = Values(old);
    none.rescale.fill(createFloatConstant(b, loc, accType, 1.0));
    return emitIf(
        any, [&] { return gather(emitWeighted(visible), visible, any); },
        gather(none, visible, any));
  };
  SmallVector<Type> types(kThreadRows, laneType(accType));
  types.append(old.size() + (rescales ? kThreadRows : 0), accType);
  types.push_back(b.getI1Type());
  if (hidesPairs(op))
    types.append(kThreadRows, laneType(b.getI1Type()));
  Value full = emitFull(keys);
  TileWeights tile;
  tile.isPartial = arith::XOrIOp::create(b, loc, full, yes);
  Values all = emitEither(types, full, emitFullTile, emitPartialTile);
  ValueRange rest(all);
  auto take = [&] {
    RowValues values{rest[0], rest[1]};
    rest = rest.drop_front(kThreadRows);
    return values;
  };
  tile.weighted.weights = take();
  tile.weighted.statistics = Values(rest.take_front(old.size()));
  rest = rest.drop_front(old.size());
  if (rescales)
    tile.weighted.rescale = take();
  if (!divides)
    tile.any = rest.front();
  rest = rest.drop_front();
  if (hidesPairs(op))
    tile.visible = take();
  return tile;
}

SmallVector<Value> KernelEmitter::emitPairs(const KeyTile &keys,
                                            const RowValues &similarities,
                                            ValueRange state, Phase phase) {
  size_t numSums = needsValues(phase) ? getNumSums() : 0;
  size_t numCarried = state.size() - numSums;
  Values sums(state.drop_front(numCarried));
  TileWeights tile =
      emitTileWeights(keys, similarities, state.take_front(numCarried), phase);
  const Weighted &weighted = tile.weighted;
  Values result(weighted.statistics);
  if (phase == Phase::Final && op.getWeights())
    storeWeights(keys, weighted.weights);
  if (numSums == 0)
    return result;
  auto addTile = [&] {
    Values next(sums);
    rescale(next, weighted.rescale);
    return addValues(next, weighted.weights, tile.visible, tile.isPartial);
  };
  llvm::append_range(result,
                     tile.any ? emitIf(tile.any, addTile, sums) : addTile());
  return result;
}

} // namespace attn
