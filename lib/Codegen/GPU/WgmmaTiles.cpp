//===- WgmmaTiles.cpp - Tiles of tensors, and their products ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WgmmaKernel.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

using namespace mlir;

namespace attn {

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

} // namespace attn
