//===- HardwareNvidia.cpp - What NVIDIA's GPUs have -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Hardware.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace attn {

constexpr int32_t kAllThreads = -1;

namespace {

class HardwareNvidia final : public VendorHardware {
public:
  HardwareNvidia(OpBuilder &builder, Location loc)
      : VendorHardware(builder, loc) {}

  void copyAsync(Value shared, Value global, Value bytes) override {
    NVVM::CpAsyncOp::create(b, loc, shared, global, /*size=*/16,
                            NVVM::LoadCacheModifierKind::CG, bytes);
  }

  void commitCopies() override { NVVM::CpAsyncCommitGroupOp::create(b, loc); }

  void waitForCopies(int32_t left) override {
    NVVM::CpAsyncWaitGroupOp::create(b, loc, left);
  }

  void warpBarrier() override {
    NVVM::SyncWarpOp::create(b, loc, constant(kAllThreads));
  }

  Value exchange(Value value, int32_t mask) override {
    return gpu::ShuffleOp::create(b, loc, value, mask, /*width=*/32,
                                  gpu::ShuffleMode::XOR)
        .getShuffleResult();
  }

  Value takeFrom(Value value, Value source) override {
    return gpu::ShuffleOp::create(b, loc, value, source, constant(32),
                                  gpu::ShuffleMode::IDX)
        .getShuffleResult();
  }

  Value anyInWarp(Value condition) override {
    return NVVM::VoteSyncOp::create(b, loc, b.getI1Type(),
                                    constant(kAllThreads), condition,
                                    NVVM::VoteSyncKind::any);
  }

  Value ballot(Value condition) override {
    return NVVM::VoteSyncOp::create(b, loc, b.getI32Type(),
                                    constant(kAllThreads), condition,
                                    NVVM::VoteSyncKind::ballot);
  }

  Value exp2(Value x) override { return call("llvm.nvvm.ex2.approx.ftz", x); }

  Value divide(Value x, Value y) override {
    return call("llvm.nvvm.div.full", {x, y});
  }

  Value reciprocalSqrt(Value x) override {
    return call("llvm.nvvm.rsqrt.approx.f", x);
  }
};

} // namespace

std::unique_ptr<VendorHardware> createHardwareNvidia(OpBuilder &builder,
                                                     Location loc) {
  return std::make_unique<HardwareNvidia>(builder, loc);
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

} // namespace attn
