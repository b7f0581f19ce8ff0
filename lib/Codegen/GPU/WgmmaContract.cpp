//===- WgmmaContract.cpp - Products of warpgroups ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Warps beside those that have sums copy: one thread of them has tiles of both
// factors copied, 64 features at a time, to a ring of stages. Of each stage, an
// mbarrier says that both are there, another that all warps have used them:
//
//   wait for a stage; multiply it; it is used
//
// A tile lies as its array does: rows of 64 features, or of 64 positions of a
// feature, 128 bytes in either case.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"
#include "TensorMaps.h"
#include "WgmmaKernel.h"
#include "attn/Analysis/GPUContract.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace attn {
namespace {

class WgmmaContract final : public ContractKernel {
public:
  WgmmaContract(RewriterBase &rewriter, ContractOp op, GPUContractAttr choice,
                ArrayRef<MappedFactor> sources)
      : ContractKernel(rewriter, op, choice),
        element(getElementTypeOrSelf(op.getLhs())), choice(choice),
        sources(sources) {}

private:
  void placeFactor(Factor &factor) override {
    factor.stride = kRowBytes;
    factor.size = kRowBytes * factor.positions;
  }
  int64_t countFactorBytes() const override {
    return getBarriers() + 16 * choice.getStages();
  }
  int64_t countOtherWarps() const override { return kCopyWarps; }
  void prepareLaunch() override;
  void compute() override;
  void storeSums(ValueRange sums) override;
  bool readsAllSums() const override { return true; }
  void meet() override {
    hardware.barrier(kRowBarrier, static_cast<int32_t>(countThreads()));
  }

  /// Where mbarriers are, behind all that stages and sums take.
  int64_t getBarriers() const {
    return std::max(countStageBytes(choice), tiles.rows * sumStride());
  }
  Value getFull(Value stage) {
    return shared(getBarriers(), multiply(stage, i32(8)));
  }
  Value getEmpty(Value stage) {
    return shared(getBarriers() + 8 * choice.getStages(),
                  multiply(stage, i32(8)));
  }
  /// A factor in a stage.
  Value getTile(const Factor &factor, Value stage) {
    return shared(factor.start,
                  multiply(stage, i32(factors[0].size + factors[1].size)));
  }
  void initBarriers();
  void copyTile(unsigned side, Value feature, const Place &place);
  void produce();
  Values consume();
  Hardware::Factor describe(unsigned side, Value stage);

  Type element;
  GPUContractAttr choice;
  ArrayRef<MappedFactor> sources;
  Value maps[2];
};

} // namespace

void WgmmaContract::prepareLaunch() {
  for (unsigned side : {0u, 1u}) {
    const Factor &factor = factors[side];
    SmallVector<int64_t> tile;
    for (std::optional<ContractOp::Dim> dim : sources[side].dims) {
      bool isFeature = dim == ContractOp::Features;
      tile.push_back(!dim                               ? 1
                     : isFeature || !factor.featuresInner ? kRowElements
                                                          : factor.positions);
    }
    maps[side] = createMap(b, loc, sources[side].buffer, tile);
  }
}

void WgmmaContract::initBarriers() {
  emitWhere(compare(arith::CmpIPredicate::eq, thread, i32(0)), [&] {
    for (int64_t stage = 0; stage < choice.getStages(); ++stage) {
      // One arrival for each factor.
      hardware.initBarrier(getFull(i32(stage)), 2);
      hardware.initBarrier(getEmpty(i32(stage)),
                           static_cast<int32_t>(choice.getWarps()));
    }
    hardware.fenceBarriers();
  });
  hardware.barrier();
}

//===----------------------------------------------------------------------===//
// The thread that copies
//===----------------------------------------------------------------------===//

/// Where positions are neighbours, 64 of them at a time.
void WgmmaContract::copyTile(unsigned side, Value feature,
                             const Place &place) {
  const Factor &factor = factors[side];
  const MappedFactor &source = sources[side];
  int64_t size = factor.featuresInner ? factor.positions : kRowElements;
  Value map = getMapAddress(b, loc, maps[side]);
  for (int64_t first = 0; first < factor.positions; first += size) {
    Values at;
    for (size_t dim = source.dims.size(); dim-- > 0;) {
      if (source.dims[dim] == ContractOp::Features)
        at.push_back(toI32(feature));
      else if (source.dims[dim])
        at.push_back(toI32(add(factor.first, index(first))));
      else if (auto offset = dyn_cast<Value>(source.offsets[dim]))
        at.push_back(toI32(blockMapping.lookupOrDefault(offset)));
      else
        at.push_back(i32(*getConstantIntValue(source.offsets[dim])));
    }
    hardware.copyTile(
        hardware.move(getTile(factor, place.stage), kRowBytes * first), map,
        getFull(place.stage), at);
  }
}

void WgmmaContract::produce() {
  emitLoop(index(0), extents[ContractOp::Features], index(tiles.features),
           {i32(0), i32(0)}, [&](Value feature, ValueRange carried) {
             Place place{carried[0], carried[1]};
             Value before = arith::XOrIOp::create(b, loc, place.parity, i32(1));
             hardware.waitForPhase(getEmpty(place.stage), before);
             for (unsigned side : {0u, 1u}) {
               hardware.arriveAndExpect(getFull(place.stage),
                                        factors[side].size);
               copyTile(side, feature, place);
             }
             Place next = getNext(place, choice.getStages());
             return Values{next.stage, next.parity};
           });
}

//===----------------------------------------------------------------------===//
// The warps that have sums
//===----------------------------------------------------------------------===//

/// Warpgroups have 64 rows each, and all columns.
Hardware::Factor WgmmaContract::describe(unsigned side, Value stage) {
  const Factor &factor = factors[side];
  Value tile = getTile(factor, stage);
  if (side == 0) {
    Value group = arith::ShRUIOp::create(b, loc, warp, i32(2));
    tile = hardware.move(
        tile, multiply(group, i32(16 * kGroupWarps * kRowBytes)));
  }
  Hardware::Factor described;
  described.transposed = !factor.featuresInner;
  described.values = {hardware.describeMatrix(
      tile, described.transposed ? kRowElements * kRowBytes : 16)};
  for (int64_t feature = 0; feature < tiles.features; feature += 16)
    described.offsets.push_back(described.transposed ? feature * kRowBytes
                                                     : feature * 2);
  return described;
}

SmallVector<Value> WgmmaContract::consume() {
  size_t numSums = tiles.columns / 2;
  Values carried(numSums,
                 arith::ConstantOp::create(b, loc, b.getZeroAttr(accType)));
  carried.append(2, i32(0));
  carried = emitLoop(
      index(0), extents[ContractOp::Features], index(tiles.features), carried,
      [&](Value, ValueRange inner) {
        Place place{inner[numSums], inner[numSums + 1]};
        hardware.waitForPhase(getFull(place.stage), place.parity);
        Values sums = hardware.beginProduct(
            inner.take_front(numSums), describe(0, place.stage),
            describe(1, place.stage), tiles.columns, element);
        sums = hardware.waitForProducts(0, sums);
        arriveAsWarp(getEmpty(place.stage));
        Place next = getNext(place, choice.getStages());
        llvm::append_values(sums, next.stage, next.parity);
        return sums;
      });
  carried.resize(numSums);
  return carried;
}

void WgmmaContract::storeSums(ValueRange sums) {
  Value row = add(multiply(warp, i32(16)), group);
  Value own = add(multiply(row, i32(sumStride())), multiply(quad, i32(8)));
  auto pairType = VectorType::get({2}, accType);
  for (size_t first = 0; first < sums.size(); first += 2) {
    Value pair = vector::FromElementsOp::create(b, loc, pairType,
                                                sums.slice(first, 2));
    int64_t line = first / 2 % 2 * 8 * sumStride();
    hardware.store(pair, shared(line + first / 4 * 32, own), 8);
  }
}

void WgmmaContract::compute() {
  initBarriers();
  // A block of 256 threads has all registers that these can use.
  bool givesRegisters = choice.getWarps() > kGroupWarps;
  Value hasSums =
      compare(arith::CmpIPredicate::ult, warp, i32(choice.getWarps()));
  emitEither(
      TypeRange(), hasSums,
      [&] {
        if (givesRegisters)
          hardware.setRegisters(kRowRegisters, /*more=*/true);
        finish(consume());
        return Values();
      },
      [&] {
        if (givesRegisters)
          hardware.setRegisters(kCopyRegisters, /*more=*/false);
        emitWhere(compare(arith::CmpIPredicate::eq, thread,
                          i32(countThreads())),
                  [&] { produce(); });
        return Values();
      });
}

std::unique_ptr<ContractKernel>
createWgmmaContract(RewriterBase &rewriter, ContractOp op,
                    GPUContractAttr choice, ArrayRef<MappedFactor> sources) {
  return std::make_unique<WgmmaContract>(rewriter, op, choice, sources);
}

} // namespace attn
