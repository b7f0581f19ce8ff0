//===- KernelBuilder.cpp - Helpers that build kernels -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "attn/IR/Attn.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace attn {

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Value KernelBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}
Value KernelBuilder::i32(int64_t value) {
  return arith::ConstantOp::create(
      b, loc, b.getI32IntegerAttr(static_cast<int32_t>(value)));
}
Value KernelBuilder::toI32(Value number) {
  return b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), number);
}
Value KernelBuilder::toIndex(Value number) {
  return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), number);
}
Value KernelBuilder::add(Value lhs, Value rhs) {
  return b.createOrFold<arith::AddIOp>(loc, lhs, rhs);
}
Value KernelBuilder::multiply(Value lhs, Value rhs) {
  return b.createOrFold<arith::MulIOp>(loc, lhs, rhs);
}
Value KernelBuilder::compare(arith::CmpIPredicate predicate, Value lhs,
                             Value rhs) {
  return arith::CmpIOp::create(b, loc, predicate, lhs, rhs);
}
Value KernelBuilder::select(Value condition, Value then, Value otherwise) {
  return arith::SelectOp::create(b, loc, condition, then, otherwise);
}
Value KernelBuilder::both(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return arith::AndIOp::create(b, loc, lhs, rhs);
}
Value KernelBuilder::lane(Value vector, int64_t number) {
  return b.createOrFold<vector::ExtractOp>(loc, vector, number);
}

Value KernelBuilder::takePosition(Value &rest, Value extent) {
  if (getConstantIntValue(extent) == 1)
    return index(0);
  Value count = toI32(extent);
  Value position = arith::RemUIOp::create(b, loc, rest, count);
  rest = arith::DivUIOp::create(b, loc, rest, count);
  return toIndex(position);
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

SmallVector<Value> KernelBuilder::emitEither(TypeRange types, Value condition,
                                             function_ref<Values()> body,
                                             function_ref<Values()> otherwise) {
  auto branch = scf::IfOp::create(b, loc, types, condition,
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, body());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, otherwise());
  return Values(branch.getResults());
}

SmallVector<Value> KernelBuilder::emitIf(Value condition,
                                         function_ref<Values()> body,
                                         ValueRange otherwise) {
  if (!otherwise.empty())
    return emitEither(otherwise.getTypes(), condition, body,
                      [&] { return Values(otherwise); });
  emitWhere(condition, [&] { body(); });
  return {};
}

void KernelBuilder::emitWhere(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  auto branch = scf::IfOp::create(b, loc, condition);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

SmallVector<Value>
KernelBuilder::emitLoop(Value from, Value to, Value step, ValueRange inits,
                        function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, loc, from, to, step, inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Values next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!inits.empty())
    scf::YieldOp::create(b, loc, next);
  return Values(loop.getResults());
}

SmallVector<Value>
KernelBuilder::emitWhile(ValueRange carried, size_t condition,
                         function_ref<Values(ValueRange)> body) {
  auto loop = scf::WhileOp::create(
      b, loc, carried.getTypes(), carried,
      [&](OpBuilder &, Location, ValueRange arguments) {
        scf::ConditionOp::create(b, loc, arguments[condition], arguments);
      },
      [&](OpBuilder &, Location, ValueRange arguments) {
        scf::YieldOp::create(b, loc, body(arguments));
      });
  return Values(loop.getResults());
}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

void KernelBuilder::checkCount(Value count, StringRef what) {
  constexpr int64_t kLimit = (int64_t(1) << 31) - 1;
  std::optional<int64_t> known = getConstantIntValue(count);
  if (known && *known <= kLimit)
    return;
  CheckOp::create(b, loc,
                  compare(arith::CmpIPredicate::ule, count, index(kLimit)),
                  "expected an op on a GPU to have fewer than 2147483648 " +
                      what.str() + ", but it has {0}",
                  count);
}

void KernelBuilder::enterIfAny(Value numBlocks) {
  if (getConstantIntValue(numBlocks).value_or(0) > 0)
    return;
  auto some = scf::IfOp::create(
      b, loc, compare(arith::CmpIPredicate::ne, numBlocks, index(0)));
  b.setInsertionPointToStart(some.thenBlock());
}

gpu::LaunchOp KernelBuilder::enterBlocks(Value numBlocks, int64_t numThreads,
                                         int64_t sharedBytes) {
  Value one = index(1), threads = index(numThreads);
  auto launch =
      gpu::LaunchOp::create(b, loc, numBlocks, one, one, threads, one, one,
                            sharedBytes == 0 ? Value() : i32(sharedBytes));
  b.setInsertionPointToStart(&launch.getBody().front());
  auto end = gpu::TerminatorOp::create(b, loc);
  b.setInsertionPoint(end);
  hardware.setVendor(GPUTarget::of(launch).vendor);
  return launch;
}

void KernelBuilder::enterLaunch(Value numBlocks, int64_t numWarps,
                                int64_t sharedBytes) {
  gpu::LaunchOp launch = enterBlocks(numBlocks, 32 * numWarps, sharedBytes);
  if (sharedBytes != 0)
    memory = hardware.getShared();
  block = toI32(launch.getBlockIds().x);
  identifyThread(launch.getThreadIds().x);
}

void KernelBuilder::identifyThread(Value threadIndex) {
  thread = toI32(threadIndex);
  warp = arith::ShRUIOp::create(b, loc, thread, i32(5));
  threadInWarp = arith::AndIOp::create(b, loc, thread, i32(31));
  group = arith::ShRUIOp::create(b, loc, threadInWarp, i32(2));
  quad = arith::AndIOp::create(b, loc, threadInWarp, i32(3));
}

Value KernelBuilder::shared(int64_t bytes, Value own) {
  Value pointer = own ? hardware.move(memory, own) : memory;
  return hardware.move(pointer, bytes);
}

//===----------------------------------------------------------------------===//
// Rings of stages
//===----------------------------------------------------------------------===//

KernelBuilder::Place KernelBuilder::getNext(const Place &place,
                                            int64_t stages) {
  if (stages == 1)
    return {place.stage, arith::XOrIOp::create(b, loc, place.parity, i32(1))};
  Value next = add(place.stage, i32(1));
  Value isLast = compare(arith::CmpIPredicate::eq, next, i32(stages));
  Value other = arith::XOrIOp::create(b, loc, place.parity, i32(1));
  return {select(isLast, i32(0), next), select(isLast, other, place.parity)};
}

void KernelBuilder::arriveAsWarp(Value barrier) {
  emitWhere(compare(arith::CmpIPredicate::eq, threadInWarp, i32(0)),
            [&] { hardware.arrive(barrier); });
}

} // namespace attn
