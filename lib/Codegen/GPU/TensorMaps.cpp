//===- TensorMaps.cpp - Maps of tensors for units that copy -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorMaps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

using namespace mlir;

namespace attn {

/// What a map takes: the tensor begins at a multiple of 16 bytes, has some
/// positions along each dimension, fewer than 2^31, and rows that are multiples
/// of 16 bytes apart, less than 2^40.
Value checkMap(OpBuilder &b, Location loc, Value buffer) {
  constexpr int64_t kMultiple = 16;
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  Value all = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  auto expect = [&](arith::CmpIPredicate predicate, Value lhs, Value rhs) {
    Value holds = b.createOrFold<arith::CmpIOp>(loc, predicate, lhs, rhs);
    all = b.createOrFold<arith::AndIOp>(loc, all, holds);
  };
  auto expectMultiple = [&](Value bytes) {
    expect(arith::CmpIPredicate::eq,
           b.createOrFold<arith::RemUIOp>(loc, bytes, index(kMultiple)),
           index(0));
  };
  auto type = cast<MemRefType>(buffer.getType());
  Value width = index(type.getElementTypeBitWidth() / 8);
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  Value offset =
      b.createOrFold<arith::MulIOp>(loc, metadata.getOffset(), width);
  expectMultiple(b.createOrFold<arith::AddIOp>(loc, start, offset));
  auto [strides, ignored] = type.getStridesAndOffset();
  for (int64_t dim = 0, rank = type.getRank(); dim < rank; ++dim) {
    Value extent = metadata.getSizes()[dim];
    if (!type.isDynamicDim(dim))
      extent = index(type.getDimSize(dim));
    // One less than none is more than there may be.
    expect(arith::CmpIPredicate::ult,
           b.createOrFold<arith::SubIOp>(loc, extent, index(1)),
           index((int64_t(1) << 31) - 1));
    if (dim + 1 == rank || type.getDimSize(dim) == 1)
      continue;
    Value stride = metadata.getStrides()[dim];
    if (!ShapedType::isDynamic(strides[dim]))
      stride = index(strides[dim]);
    Value bytes = b.createOrFold<arith::MulIOp>(loc, stride, width);
    // Nor may positions lie at the same place, or backwards.
    Value isOne = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq,
                                                extent, index(1));
    bytes =
        b.createOrFold<arith::SelectOp>(loc, isOne, index(kMultiple), bytes);
    expectMultiple(bytes);
    expect(arith::CmpIPredicate::ult,
           b.createOrFold<arith::SubIOp>(loc, bytes, index(1)),
           index((int64_t(1) << 40) - 1));
  }
  return all;
}

Value createMap(OpBuilder &b, Location loc, Value buffer,
                ArrayRef<int64_t> tile) {
  SmallVector<Value> extents;
  for (int64_t extent : tile)
    extents.push_back(arith::ConstantIndexOp::create(b, loc, extent));
  auto type = cast<MemRefType>(buffer.getType());
  Type own = type.getElementType();
  auto unranked = UnrankedMemRefType::get(own, type.getMemorySpace());
  Value whole = memref::CastOp::create(b, loc, unranked, buffer);
  auto space =
      gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto tileType =
      MemRefType::get(tile, own, MemRefLayoutAttrInterface(), space);
  auto mapType = nvgpu::TensorMapDescriptorType::get(
      b.getContext(), tileType, nvgpu::TensorMapSwizzleKind::SWIZZLE_128B,
      nvgpu::TensorMapL2PromoKind::L2PROMO_256B,
      nvgpu::TensorMapOOBKind::OOB_ZERO,
      nvgpu::TensorMapInterleaveKind::INTERLEAVE_NONE);
  return nvgpu::TmaCreateDescriptorOp::create(b, loc, mapType, whole, extents);
}

Value getMapAddress(OpBuilder &b, Location loc, Value map) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  return UnrealizedConversionCastOp::create(b, loc, pointer, map).getResult(0);
}

} // namespace attn
