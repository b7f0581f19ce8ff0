//===- HardwareAMD.cpp - What AMD's GPUs have -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// 64 threads are a wave, which has one program counter; half of one, neighbours
// from a multiple of 32 on, is what kernels call a warp. Where its halves go
// different ways, the wave goes both, one after the other.
//
//===----------------------------------------------------------------------===//

#include "Hardware.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {
namespace {

class HardwareAMD final : public VendorHardware {
public:
  HardwareAMD(OpBuilder &builder, Location loc)
      : VendorHardware(builder, loc) {}

  /// Nothing is asynchronous: gfx942 copies 4 bytes at once to shared memory,
  /// and more only through registers.
  void copyAsync(Value shared, Value global, Value bytes) override {
    auto type = VectorType::get({4}, b.getI32Type());
    constexpr unsigned kWord = 16;
    Value word;
    if (!bytes) {
      word = LLVM::LoadOp::create(b, loc, type, global, kWord);
    } else {
      Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                         bytes, constant(0));
      word = scf::IfOp::create(
                 b, loc, some,
                 [&](OpBuilder &b, Location loc) {
                   Value read =
                       LLVM::LoadOp::create(b, loc, type, global, kWord);
                   scf::YieldOp::create(b, loc, read);
                 },
                 [&](OpBuilder &b, Location loc) {
                   Value zero = arith::ConstantOp::create(b, loc,
                                                          b.getZeroAttr(type));
                   scf::YieldOp::create(b, loc, zero);
                 })
                 .getResult(0);
    }
    LLVM::StoreOp::create(b, loc, word, shared, kWord);
  }
  void commitCopies() override {}
  void waitForCopies(int32_t) override {}

  /// Accesses of a wave to shared memory are in order: what remains is that
  /// LLVM leaves them so.
  void warpBarrier() override {
    auto fence = [&](LLVM::AtomicOrdering ordering) {
      LLVM::FenceOp::create(b, loc, ordering, b.getStringAttr("wavefront"));
    };
    fence(LLVM::AtomicOrdering::release);
    LLVM::CallIntrinsicOp::create(
        b, loc, b.getStringAttr("llvm.amdgcn.wave.barrier"), ValueRange());
    fence(LLVM::AtomicOrdering::acquire);
  }

  /// AMD Instinct MI300 ISA, "DS_SWIZZLE_B32": the offset holds three masks of
  /// the number of a thread in its half of the wave, for and, or and xor.
  Value exchange(Value value, int32_t mask) override {
    constexpr int32_t kAll = 0x1F, kXorAt = 10;
    return onWord(value, [&](Value word) -> Value {
      return ROCDL::DsSwizzleOp::create(b, loc, b.getI32Type(), word,
                                        constant(mask << kXorAt | kAll));
    });
  }

  Value takeFrom(Value value, Value source) override {
    Value thread = arith::AddIOp::create(b, loc, source, getHalf());
    Value at = arith::MulIOp::create(b, loc, thread, constant(4));
    return onWord(value, [&](Value word) -> Value {
      return ROCDL::DsBpermuteOp::create(b, loc, b.getI32Type(), at, word);
    });
  }

  Value anyInWarp(Value condition) override {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                 ballot(condition), constant(0));
  }

  Value ballot(Value condition) override {
    Type wide = b.getI64Type();
    Value wave = ROCDL::BallotOp::create(b, loc, wide, condition);
    Value half = arith::ShRUIOp::create(
        b, loc, wave, arith::ExtUIOp::create(b, loc, wide, getHalf()));
    return arith::TruncIOp::create(b, loc, b.getI32Type(), half);
  }

  Value exp2(Value x) override { return call("llvm.amdgcn.exp2", x); }

  /// x times an approximate reciprocal, scaled where y is beyond 2^96. A step
  /// of Newton's after it would make NaN of x / 0.
  Value divide(Value x, Value y) override {
    return call("llvm.amdgcn.fdiv.fast", {x, y});
  }

  Value reciprocalSqrt(Value x) override { return call("llvm.amdgcn.rsq", x); }

private:
  /// The number in its wave of the first thread of the warp: 0 or 32.
  Value getHalf() {
    Type word = b.getI32Type();
    Value all = constant(-1);
    auto noAttributes = [&] { return ArrayAttr(); };
    Value low = ROCDL::MbcntLoOp::create(b, loc, word, all, constant(0),
                                         noAttributes(), noAttributes());
    Value thread = ROCDL::MbcntHiOp::create(b, loc, word, all, low,
                                            noAttributes(), noAttributes());
    return arith::AndIOp::create(b, loc, thread, constant(32));
  }

  /// `body` of the 32 bits of a value.
  Value onWord(Value value, function_ref<Value(Value)> body) {
    Type type = value.getType(), word = b.getI32Type();
    if (type == word)
      return body(value);
    value = LLVM::BitcastOp::create(b, loc, word, value);
    return LLVM::BitcastOp::create(b, loc, type, body(value));
  }
};

} // namespace

std::unique_ptr<VendorHardware> createHardwareAMD(OpBuilder &builder,
                                                  Location loc) {
  return std::make_unique<HardwareAMD>(builder, loc);
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

Value Hardware::multiplyInWave(Value lhs, Value rhs, Value sums) {
  // What broadcasts, negates and permutes blocks is not wanted.
  Value none = constant(0);
  auto type = cast<VectorType>(lhs.getType());
  if (type.getElementType().isF16())
    return ROCDL::mfma_f32_16x16x16f16::create(
        b, loc, sums.getType(), ValueRange{lhs, rhs, sums, none, none, none});
  auto bits = VectorType::get(type.getShape(), b.getI16Type());
  lhs = LLVM::BitcastOp::create(b, loc, bits, lhs);
  rhs = LLVM::BitcastOp::create(b, loc, bits, rhs);
  return ROCDL::mfma_f32_16x16x16bf16_1k::create(
      b, loc, sums.getType(), ValueRange{lhs, rhs, sums, none, none, none});
}

} // namespace attn
