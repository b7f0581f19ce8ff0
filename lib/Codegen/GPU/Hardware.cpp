//===- Hardware.cpp - What only a GPU has -----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Hardware.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace attn {

constexpr unsigned kGlobal = 1, kShared = 3;
constexpr int32_t kAllThreads = -1;

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

void Hardware::copyAsync(Value shared, Value global, Value bytes) {
  NVVM::CpAsyncOp::create(b, loc, shared, global, /*size=*/16,
                          NVVM::LoadCacheModifierKind::CG, bytes);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

void Hardware::commitCopies() { NVVM::CpAsyncCommitGroupOp::create(b, loc); }

void Hardware::waitForCopies(int32_t left) {
  NVVM::CpAsyncWaitGroupOp::create(b, loc, left);
}

void Hardware::barrier() { gpu::BarrierOp::create(b, loc); }

void Hardware::warpBarrier() {
  NVVM::SyncWarpOp::create(b, loc, constant(kAllThreads));
}

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
  return gpu::ShuffleOp::create(b, loc, value, mask, /*width=*/32,
                                gpu::ShuffleMode::XOR)
      .getShuffleResult();
}

Value Hardware::takeFrom(Value value, Value source) {
  return gpu::ShuffleOp::create(b, loc, value, source, constant(32),
                                gpu::ShuffleMode::IDX)
      .getShuffleResult();
}

Value Hardware::anyInWarp(Value condition) {
  return NVVM::VoteSyncOp::create(b, loc, b.getI1Type(), constant(kAllThreads),
                                  condition, NVVM::VoteSyncKind::any);
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

static SmallVector<Value> unpackStruct(OpBuilder &b, Location loc,
                                       Value value) {
  auto type = cast<LLVM::LLVMStructType>(value.getType());
  SmallVector<Value> parts;
  for (int64_t i = 0, e = type.getBody().size(); i < e; ++i)
    parts.push_back(LLVM::ExtractValueOp::create(b, loc, value, i));
  return parts;
}

SmallVector<Value> Hardware::loadMatrices(Value shared, unsigned count,
                                          bool transposed) {
  SmallVector<Type> words(count, b.getI32Type());
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), words);
  auto layout = transposed ? NVVM::MMALayout::col : NVVM::MMALayout::row;
  auto shape = NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8);
  Value loaded = NVVM::LdMatrixOp::create(b, loc, type, shared, count, layout,
                                          shape, NVVM::LdStMatrixEltType::B16);
  return unpackStruct(b, loc, loaded);
}

SmallVector<Value> Hardware::multiply(ValueRange lhs, ValueRange rhs,
                                      ValueRange sums, Type element) {
  bool isF16 = element.isF16();
  auto convert = [&](ValueRange words) {
    SmallVector<Value> operands(words);
    if (!isF16)
      return operands;
    auto pair = VectorType::get({2}, element);
    for (Value &word : operands)
      word = LLVM::BitcastOp::create(b, loc, pair, word);
    return operands;
  };
  SmallVector<Type> floats(4, b.getF32Type());
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), floats);
  NVVM::MMATypes kind = isF16 ? NVVM::MMATypes::f16 : NVVM::MMATypes::bf16;
  Value product = NVVM::MmaOp::create(
      b, loc, type, convert(lhs), convert(rhs), sums,
      /*shape=*/ArrayRef<int64_t>{16, 8, 16}, /*b1Op=*/std::nullopt,
      /*intOverflow=*/std::nullopt, std::array{kind, kind},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  return unpackStruct(b, loc, product);
}

Value Hardware::pack(Value low, Value high, Type element) {
  Value both = vector::FromElementsOp::create(
      b, loc, VectorType::get({2}, low.getType()), ValueRange{low, high});
  Value rounded =
      arith::TruncFOp::create(b, loc, VectorType::get({2}, element), both);
  return LLVM::BitcastOp::create(b, loc, b.getI32Type(), rounded);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Value Hardware::call(StringRef name, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, operands.front().getType(),
                                       b.getStringAttr(name), operands)
      .getResults();
}

Value Hardware::exp2(Value x) { return call("llvm.nvvm.ex2.approx.ftz", x); }

Value Hardware::divide(Value x, Value y) {
  return call("llvm.nvvm.div.full", {x, y});
}

Value Hardware::reciprocalSqrt(Value x) {
  return call("llvm.nvvm.rsqrt.approx.f", x);
}

} // namespace attn
