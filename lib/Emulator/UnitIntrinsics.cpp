//===- UnitIntrinsics.cpp - What units do beside the threads ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parallel Thread Execution ISA, "mbarrier", "cp.async.bulk.tensor",
// "fence.proxy" and "setmaxnreg".
//
//===----------------------------------------------------------------------===//

#include "Intrinsics.h"

namespace attn {

//===----------------------------------------------------------------------===//
// Barriers in memory
//===----------------------------------------------------------------------===//

static void initBarrier(const Slot *arguments, Slot *, int32_t) {
  Block::current().getUnits().init(getArgument<char *>(arguments, 0),
                                   getArgument<int32_t>(arguments, 1));
}

static void fenceBarriers(const Slot *, Slot *, int32_t) {
  Block::current().getUnits().fence();
}

/// The state that it gives nobody may look into.
static void arrive(const Slot *arguments, Slot *results, int32_t) {
  Block::current().getUnits().arrive(getArgument<char *>(arguments, 0),
                                     /*count=*/1, /*bytes=*/0);
  setResult<uint64_t>(results, 0, 0);
}

static void expectBytes(const Slot *arguments, Slot *results, int32_t) {
  Block::current().getUnits().arrive(getArgument<char *>(arguments, 0),
                                     /*count=*/1,
                                     getArgument<int32_t>(arguments, 1));
  setResult<uint64_t>(results, 0, 0);
}

static void tryWait(const Slot *arguments, Slot *results, int32_t) {
  setResult<uint8_t>(
      results, 0,
      Block::current().getUnits().tryWait(getArgument<char *>(arguments, 0),
                                          getArgument<uint32_t>(arguments, 1)));
}

//===----------------------------------------------------------------------===//
// The asynchronous proxy
//===----------------------------------------------------------------------===//

static void fenceProxy(const Slot *, Slot *, int32_t) {
  Block &block = Block::current();
  block.getUnits().fence();
  block.getShared().fenceProxy(block.getThread());
}

/// (to, mbarrier, map, coordinates, blocks of a cluster, cache hint, whether
/// there are these, group)
template <unsigned rank>
static void copyTensor(const Slot *arguments, Slot *, int32_t) {
  Block &block = Block::current();
  if (getArgument<uint8_t>(arguments, rank + 5) & 1)
    block.fail("copies a tensor to several blocks, which are emulated one by "
               "one");
  int32_t at[rank];
  for (unsigned dim = 0; dim < rank; ++dim)
    at[dim] = getArgument<int32_t>(arguments, 3 + dim);
  EmulatedTensorMap map;
  std::memcpy(&map, getArgument<const char *>(arguments, 2), sizeof(map));
  block.getUnits().copy(getArgument<char *>(arguments, 0),
                        getArgument<char *>(arguments, 1), map, at);
}

/// (from, map, coordinates, cache hint, whether there is one)
template <unsigned rank>
static void storeTensor(const Slot *arguments, Slot *, int32_t) {
  int32_t at[rank];
  for (unsigned dim = 0; dim < rank; ++dim)
    at[dim] = getArgument<int32_t>(arguments, 2 + dim);
  EmulatedTensorMap map;
  std::memcpy(&map, getArgument<const char *>(arguments, 1), sizeof(map));
  Block::current().getUnits().store(getArgument<char *>(arguments, 0), map, at);
}

static void commitStores(const Slot *, Slot *, int32_t) {
  Block::current().getUnits().commitStores();
}

static void waitForStores(const Slot *arguments, Slot *, int32_t) {
  Block::current().getUnits().waitForStores(getArgument<int32_t>(arguments, 0));
}

/// The threads of a warpgroup have as many registers as they want.
static void setRegisters(const Slot *arguments, Slot *results, int32_t site) {
  auto count = getArgument<uint32_t>(arguments, 0);
  Block &block = Block::current();
  if (count < 24 || count > 256 || count % 8 != 0)
    block.fail("expected a multiple of 8 registers from 24 to 256, but got " +
               llvm::Twine(count));
  block.meet("setmaxnreg", /*aligned=*/true, ~0u, site, arguments, results,
             [](Meeting &) {});
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

llvm::ArrayRef<Intrinsic> getUnitIntrinsics() {
  static const Intrinsic table[] = {
      {"mbarrier.init.shared", initBarrier},
      {"mbarrier.arrive.shared", arrive},
      {"mbarrier.arrive.expect.tx.scope.cta.space.cta", expectBytes},
      {"mbarrier.try.wait.parity.scope.cta.space.cta", tryWait},
      {"fence.mbarrier_init.release.cluster", fenceBarriers},
      {"fence.proxy.async.shared_cta", fenceProxy},
      {"cp.async.bulk.tensor.g2s.tile.1d", copyTensor<1>},
      {"cp.async.bulk.tensor.g2s.tile.2d", copyTensor<2>},
      {"cp.async.bulk.tensor.g2s.tile.3d", copyTensor<3>},
      {"cp.async.bulk.tensor.g2s.tile.4d", copyTensor<4>},
      {"cp.async.bulk.tensor.g2s.tile.5d", copyTensor<5>},
      {"cp.async.bulk.tensor.s2g.tile.1d", storeTensor<1>},
      {"cp.async.bulk.tensor.s2g.tile.2d", storeTensor<2>},
      {"cp.async.bulk.tensor.s2g.tile.3d", storeTensor<3>},
      {"cp.async.bulk.tensor.s2g.tile.4d", storeTensor<4>},
      {"cp.async.bulk.tensor.s2g.tile.5d", storeTensor<5>},
      {"cp.async.bulk.commit.group", commitStores},
      {"cp.async.bulk.wait.group.read", waitForStores},
      {"setmaxnreg.inc.sync.aligned.u32", setRegisters},
      {"setmaxnreg.dec.sync.aligned.u32", setRegisters},
  };
  return table;
}

} // namespace attn
