//===- HardwareUnits.cpp - What a GPU does beside its threads ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The unit that copies tensors, and the products of warpgroups. Those are over
// when they are waited for, which LLVM knows nothing of: a fence, all products
// of a group and the end of the group are one piece of assembly, so that
// nothing comes between; and what is in flight goes through the wait, so that
// no use of it comes before.
//
//===----------------------------------------------------------------------===//

#include "Hardware.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace attn {

/// The shared memory of all blocks of a cluster, of which there is one.
constexpr unsigned kCluster = 7;

//===----------------------------------------------------------------------===//
// Barriers in memory
//===----------------------------------------------------------------------===//

void Hardware::initBarrier(Value shared, int32_t count) {
  NVVM::MBarrierInitOp::create(b, loc, shared, constant(count),
                               /*predicate=*/Value());
}

void Hardware::fenceBarriers() { NVVM::FenceMbarrierInitOp::create(b, loc); }

void Hardware::arrive(Value barrier) {
  NVVM::MBarrierArriveOp::create(b, loc, b.getI64Type(), barrier,
                                 /*count=*/Value());
}

void Hardware::arriveAndExpect(Value barrier, int64_t bytes) {
  NVVM::MBarrierArriveExpectTxOp::create(b, loc, b.getI64Type(), barrier,
                                         constant(static_cast<int32_t>(bytes)),
                                         NVVM::MemScopeKind::CTA,
                                         /*relaxed=*/false,
                                         /*predicate=*/Value());
}

void Hardware::waitForPhase(Value barrier, Value parity) {
  // It may give up, and is tried again.
  scf::WhileOp::create(
      b, loc, TypeRange(), ValueRange(),
      [&](OpBuilder &, Location, ValueRange) {
        Value isOver = NVVM::MBarrierTryWaitOp::create(
            b, loc, b.getI1Type(), barrier, parity, /*ticks=*/Value());
        Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
        scf::ConditionOp::create(
            b, loc, arith::XOrIOp::create(b, loc, isOver, yes), ValueRange());
      },
      [&](OpBuilder &, Location, ValueRange) { scf::YieldOp::create(b, loc); });
}

void Hardware::copyTile(Value shared, Value map, Value barrier, ValueRange at) {
  auto type = LLVM::LLVMPointerType::get(b.getContext(), kCluster);
  Value target = LLVM::AddrSpaceCastOp::create(b, loc, type, shared);
  NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
      b, loc, target, map, at, barrier, /*im2colOffsets=*/ValueRange(),
      /*multicastMask=*/Value(), /*l2CacheHint=*/Value(),
      NVVM::TMALoadMode::TILE, /*isCTAOnly=*/false,
      /*group=*/NVVM::CTAGroupKindAttr(), /*predicate=*/Value());
}

void Hardware::storeTile(Value map, Value shared, ValueRange at) {
  NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp::create(
      b, loc, map, shared, at, /*l2CacheHint=*/Value(),
      NVVM::TMAStoreMode::TILE, /*predicate=*/Value());
}

void Hardware::commitStores() {
  NVVM::CpAsyncBulkCommitGroupOp::create(b, loc);
}

void Hardware::waitForStores() {
  NVVM::CpAsyncBulkWaitGroupOp::create(b, loc, /*group=*/0, b.getUnitAttr());
}

void Hardware::fenceProxy() {
  NVVM::FenceProxyOp::create(
      b, loc, NVVM::ProxyKind::async_shared,
      NVVM::SharedSpaceAttr::get(b.getContext(),
                                 NVVM::SharedSpace::shared_cta));
}

void Hardware::barrier(int32_t number, int32_t count) {
  NVVM::BarrierOp::create(b, loc, TypeRange(), constant(number),
                          constant(count), NVVM::BarrierReductionAttr(),
                          Value());
}

Value Hardware::anyAtBarrier(int32_t number, int32_t count, Value condition) {
  return LLVM::CallIntrinsicOp::create(
             b, loc, b.getI1Type(),
             b.getStringAttr("llvm.nvvm.barrier.cta.red.or.aligned.count"),
             ValueRange{constant(number), constant(count), condition})
      .getResults();
}

//===----------------------------------------------------------------------===//
// Products of warpgroups
//===----------------------------------------------------------------------===//

void Hardware::setRegisters(int32_t count, bool more) {
  NVVM::SetMaxRegisterOp::create(b, loc, count,
                                 more ? NVVM::SetMaxRegisterAction::increase
                                      : NVVM::SetMaxRegisterAction::decrease);
}

SmallVector<Value> Hardware::assemble(StringRef text, StringRef constraints,
                                      TypeRange results, ValueRange operands) {
  Type type = results.size() == 1
                  ? results.front()
                  : LLVM::LLVMStructType::getLiteral(b.getContext(),
                                                     llvm::to_vector(results));
  Value all =
      LLVM::InlineAsmOp::create(
          b, loc, type, operands, text, constraints,
          /*has_side_effects=*/true, /*is_align_stack=*/false,
          LLVM::tailcallkind::TailCallKind::None,
          LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT),
          /*operand_attrs=*/ArrayAttr())
          .getRes();
  if (results.size() == 1)
    return {all};
  SmallVector<Value> parts;
  for (size_t i = 0; i < results.size(); ++i)
    parts.push_back(LLVM::ExtractValueOp::create(b, loc, all, i));
  return parts;
}

Value Hardware::forget(Value value) {
  return assemble("mov.b32 $0, $1;", "=r,r", value.getType(), value)[0];
}

Value Hardware::describeMatrix(Value shared, int64_t leadingBytes) {
  auto number = [&](uint64_t value) -> Value {
    return arith::ConstantOp::create(
        b, loc, b.getI64IntegerAttr(static_cast<int64_t>(value)));
  };
  // Parallel Thread Execution ISA, "Matrix Descriptor Format": the address and
  // two distances, all in units of 16 bytes, and the swizzle of 128 bytes.
  constexpr uint64_t kSwizzle128 = uint64_t(1) << 62;
  constexpr uint64_t kEightRows = 1024;
  Value address = LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), shared);
  address = arith::AndIOp::create(b, loc, address, number(0x3FFFF));
  address = arith::ShRUIOp::create(b, loc, address, number(4));
  return arith::OrIOp::create(b, loc, address,
                              number(kSwizzle128 | (kEightRows >> 4) << 32 |
                                     (leadingBytes >> 4) << 16));
}

/// {$4, $5, $6}
static std::string listOperands(size_t first, size_t count) {
  std::string text = "{";
  for (size_t i = 0; i < count; ++i)
    text += (i ? ", $" : "$") + std::to_string(first + i);
  return text + "}";
}

SmallVector<Value> Hardware::beginProduct(ValueRange sums, const Factor &lhs,
                                          const Factor &rhs, int64_t columns,
                                          Type element) {
  size_t numSums = columns / 2;
  std::string constraints, text = "{\n.reg .b64 lhs, rhs;\n";
  SmallVector<Value> operands(sums);
  for (size_t i = 0; i < numSums; ++i)
    constraints += "=f,";
  for (size_t i = 0; i < sums.size(); ++i)
    constraints += std::to_string(i) + ",";
  size_t firstLhs = numSums + operands.size();
  llvm::append_range(operands, lhs.values);
  for (size_t i = 0; i < lhs.values.size(); ++i)
    constraints += lhs.inRegisters ? "r," : "l,";
  size_t firstRhs = numSums + operands.size();
  llvm::append_range(operands, rhs.values);
  constraints += "l";

  auto locate = [&](StringRef name, const Factor &factor, size_t first,
                    size_t step) {
    text += llvm::formatv("add.s64 {0}, ${1}, {2};\n", name, first,
                          factor.offsets[step] >> 4);
  };
  text += "wgmma.fence.sync.aligned;\n";
  StringRef type = element.isF16() ? "f16" : "bf16";
  for (size_t step = 0; step < rhs.offsets.size(); ++step) {
    std::string left = listOperands(firstLhs + 4 * step, 4);
    if (!lhs.inRegisters) {
      locate("lhs", lhs, firstLhs, step);
      left = "lhs";
    }
    locate("rhs", rhs, firstRhs, step);
    bool adds = step > 0 || !sums.empty();
    text += llvm::formatv(
        "wgmma.mma_async.sync.aligned.m64n{0}k16.f32.{1}.{1} {2}, {3}, rhs, "
        "{4}, 1, 1, {5}{6};\n",
        columns, type, listOperands(0, numSums), left, adds ? 1 : 0,
        lhs.inRegisters  ? ""
        : lhs.transposed ? "1, "
                         : "0, ",
        rhs.transposed ? 1 : 0);
  }
  text += "wgmma.commit_group.sync.aligned;\n}";
  SmallVector<Type> types(numSums, b.getF32Type());
  return assemble(text, constraints, types, operands);
}

SmallVector<Value> Hardware::waitForProducts(int32_t left, ValueRange values) {
  std::string constraints;
  for (Value value : values)
    constraints += value.getType().isF32() ? "=f," : "=r,";
  for (size_t i = 0; i < values.size(); ++i)
    constraints += (i ? "," : "") + std::to_string(i);
  return assemble("wgmma.wait_group.sync.aligned " + std::to_string(left) + ";",
                  constraints, values.getTypes(), values);
}

} // namespace attn
