//===- Hardware.cpp - What only a GPU has -----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Hardware.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace attn {

constexpr unsigned kGlobal = 1, kShared = 3;

void Hardware::setVendor(GPUVendor other) {
  vendor = other == GPUVendor::AMD ? createHardwareAMD(b, loc)
                                   : createHardwareNvidia(b, loc);
}

VendorHardware &Hardware::own() {
  if (!vendor)
    setVendor(GPUTarget::of(b.getInsertionBlock()->getParentOp()).vendor);
  return *vendor;
}

Value Hardware::constant(int32_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static Value toPointer(OpBuilder &b, Location loc, Value address,
                       unsigned space) {
  Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
  auto type = LLVM::LLVMPointerType::get(b.getContext(), space);
  return LLVM::IntToPtrOp::create(b, loc, type, integer);
}

Value Hardware::getShared() {
  auto space =
      gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto type = MemRefType::get({ShapedType::kDynamic}, b.getI8Type(),
                              MemRefLayoutAttrInterface(), space);
  Value memory = gpu::DynamicSharedMemoryOp::create(b, loc, type);
  return toPointer(
      b, loc, memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memory),
      kShared);
}

Value Hardware::toGlobal(Value address) {
  return toPointer(b, loc, address, kGlobal);
}

Value Hardware::move(Value pointer, Value bytes) {
  return LLVM::GEPOp::create(b, loc, pointer.getType(), b.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

Value Hardware::move(Value pointer, int64_t bytes) {
  if (bytes == 0)
    return pointer;
  return LLVM::GEPOp::create(
      b, loc, pointer.getType(), b.getI8Type(), pointer,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
}

Value Hardware::load(Type type, Value pointer, unsigned alignment) {
  return LLVM::LoadOp::create(b, loc, type, pointer, alignment);
}

void Hardware::store(Value value, Value pointer, unsigned alignment) {
  LLVM::StoreOp::create(b, loc, value, pointer, alignment);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

void Hardware::barrier() { gpu::BarrierOp::create(b, loc); }

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

Value Hardware::exchange(Value value, int32_t mask) {
  if (value.getType().isF64()) {
    // In two halves.
    auto type = VectorType::get({2}, b.getI32Type());
    Value words = LLVM::BitcastOp::create(b, loc, type, value);
    SmallVector<Value> halves;
    for (int64_t i : {0, 1})
      halves.push_back(
          exchange(vector::ExtractOp::create(b, loc, words, i), mask));
    words = vector::FromElementsOp::create(b, loc, type, halves);
    return LLVM::BitcastOp::create(b, loc, b.getF64Type(), words);
  }
  return own().exchange(value, mask);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Value Hardware::pack(Value low, Value high, Type element) {
  Value both = vector::FromElementsOp::create(
      b, loc, VectorType::get({2}, low.getType()), ValueRange{low, high});
  Value rounded =
      arith::TruncFOp::create(b, loc, VectorType::get({2}, element), both);
  return LLVM::BitcastOp::create(b, loc, b.getI32Type(), rounded);
}

static Value callIntrinsic(OpBuilder &b, Location loc, StringRef name,
                           ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, operands.front().getType(),
                                       b.getStringAttr(name), operands)
      .getResults();
}

Value VendorHardware::call(StringRef name, ValueRange operands) {
  return callIntrinsic(b, loc, name, operands);
}

Value Hardware::call(StringRef name, ValueRange operands) {
  return callIntrinsic(b, loc, name, operands);
}

} // namespace attn
