//===- DotPairs.cpp - Two products of bf16 at once --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DotPairs.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

using namespace mlir;

namespace attn {

static Value createConstant(OpBuilder &b, Location loc, Type type,
                            int64_t value) {
  TypedAttr attr = b.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attr = DenseElementsAttr::get(shaped, attr);
  return arith::ConstantOp::create(b, loc, attr);
}

LogicalResult checkDotPairs(AttentionOpInterface op,
                            LayoutAttrInterface layout) {
  if (!op.getSimilarity().empty())
    return op.emitOpError("cannot be vectorized: expected the product as "
                          "similarity in ")
           << layout << ", but got a region";
  if (!op.getAccumulationType().isF32())
    return op.emitOpError("cannot be vectorized: expected sums in f32 in ")
           << layout << ", but got " << op.getAccumulationType();
  return success();
}

//===----------------------------------------------------------------------===//
// One register of AVX512_BF16
//===----------------------------------------------------------------------===//

/// Lanes of f32, or of pairs, in a register.
constexpr int64_t kRegisterLanes = 16;

static bool fillsRegisters(int64_t lanes, const EmitOptions &options) {
  return options.hasBf16Dot && lanes % kRegisterLanes == 0;
}

static Value emitRegisterDot(OpBuilder &b, Location loc, Value left,
                             Value right, Value sum) {
  auto type = VectorType::get({2 * kRegisterLanes}, b.getBF16Type());
  return x86vector::DotBF16Op::create(
      b, loc, sum.getType(), sum, vector::BitCastOp::create(b, loc, type, left),
      vector::BitCastOp::create(b, loc, type, right));
}

/// f32 rounded to bf16, as i16.
static Value roundRegister(OpBuilder &b, Location loc, Value elements) {
  auto type = VectorType::get({kRegisterLanes}, b.getBF16Type());
  Value rounded =
      x86vector::CvtPackedF32ToBF16Op::create(b, loc, type, elements);
  return vector::BitCastOp::create(b, loc, type.clone(b.getI16Type()), rounded);
}

/// Puts together what `emit` gives for each register of `lanes`, of which it is
/// given how to take them of a vector.
static Value
forEachRegister(OpBuilder &b, Location loc, int64_t lanes,
                function_ref<Value(function_ref<Value(Value)> take)> emit) {
  Value whole;
  for (int64_t first = 0; first < lanes; first += kRegisterLanes) {
    Value part = emit([&](Value vector) -> Value {
      if (lanes == kRegisterLanes)
        return vector;
      return vector::ShuffleOp::create(
          b, loc, vector, vector,
          llvm::to_vector(llvm::seq<int64_t>(first, first + kRegisterLanes)));
    });
    // A shuffle takes operands of different sizes: it appends.
    whole = whole
                ? vector::ShuffleOp::create(b, loc, whole, part,
                                            llvm::to_vector(llvm::seq<int64_t>(
                                                0, first + kRegisterLanes)))
                : part;
  }
  return whole;
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

/// The first or the second elements of pairs, in f32.
static Value widenHalf(OpBuilder &b, Location loc, Value pairs, bool second) {
  Value bits =
      second ? keepHalf(b, loc, pairs, /*second=*/true)
             : arith::ShLIOp::create(
                   b, loc, pairs, createConstant(b, loc, pairs.getType(), 16))
                   .getResult();
  auto type = cast<VectorType>(pairs.getType());
  return arith::BitcastOp::create(b, loc, type.clone(b.getF32Type()), bits);
}

Value keepHalf(OpBuilder &b, Location loc, Value pairs, bool second) {
  int64_t mask = second ? int64_t(0xffff0000) : 0xffff;
  return arith::AndIOp::create(
      b, loc, pairs,
      createConstant(b, loc, pairs.getType(), static_cast<int32_t>(mask)));
}

Value emitDotPairs(OpBuilder &b, Location loc, Value left, Value right,
                   Value sum, const EmitOptions &options) {
  auto type = cast<VectorType>(right.getType());
  int64_t lanes = type.getDimSize(0);
  auto broadcast = [&](int64_t lanes) -> Value {
    auto type = VectorType::get({lanes}, b.getI32Type());
    return vector::BroadcastOp::create(b, loc, type, left);
  };
  bool isUniform = !isa<VectorType>(left.getType());
  if (fillsRegisters(lanes, options)) {
    if (isUniform)
      left = broadcast(kRegisterLanes);
    return forEachRegister(b, loc, lanes, [&](auto take) {
      return emitRegisterDot(b, loc, isUniform ? left : take(left), take(right),
                             take(sum));
    });
  }
  if (isUniform)
    left = broadcast(lanes);
  for (bool second : {true, false})
    sum = vector::FMAOp::create(b, loc, widenHalf(b, loc, left, second),
                                widenHalf(b, loc, right, second), sum);
  return sum;
}

Value interleaveDotPairs(OpBuilder &b, Location loc, Value first,
                         Value second) {
  return interleaveDotPairs(b, loc, first, second, /*from=*/0,
                            cast<VectorType>(first.getType()).getDimSize(0));
}

Value interleaveDotPairs(OpBuilder &b, Location loc, Value first, Value second,
                         int64_t from, int64_t count) {
  int64_t lanes = cast<VectorType>(first.getType()).getDimSize(0);
  SmallVector<int64_t> order;
  for (int64_t lane = from; lane < from + count; ++lane)
    order.append({lane, lanes + lane});
  Value pairs = vector::ShuffleOp::create(b, loc, first, second, order);
  return vector::BitCastOp::create(
      b, loc, VectorType::get({count}, b.getI32Type()), pairs);
}

/// f32 rounded to bf16, as i16, whatever the target.
static Value roundLanes(OpBuilder &b, Location loc, Value elements) {
  auto type = cast<VectorType>(elements.getType());
  Value rounded =
      arith::TruncFOp::create(b, loc, type.clone(b.getBF16Type()), elements);
  return arith::BitcastOp::create(b, loc, type.clone(b.getI16Type()), rounded);
}

Value roundToDotPairs(OpBuilder &b, Location loc, Value first, Value second,
                      const EmitOptions &options) {
  auto type = cast<VectorType>(first.getType());
  int64_t lanes = type.getDimSize(0);
  if (fillsRegisters(lanes, options))
    return forEachRegister(b, loc, lanes, [&](auto take) {
      return interleaveDotPairs(b, loc, roundRegister(b, loc, take(first)),
                                roundRegister(b, loc, take(second)));
    });
  return interleaveDotPairs(b, loc, roundLanes(b, loc, first),
                            roundLanes(b, loc, second));
}

Value roundToNeighbors(OpBuilder &b, Location loc, Value elements,
                       const EmitOptions &options) {
  int64_t lanes = cast<VectorType>(elements.getType()).getDimSize(0);
  Value rounded = lanes == kRegisterLanes && fillsRegisters(lanes, options)
                      ? roundRegister(b, loc, elements)
                      : roundLanes(b, loc, elements);
  return vector::BitCastOp::create(
      b, loc, VectorType::get({lanes / 2}, b.getI32Type()), rounded);
}

Value loadDotPair(OpBuilder &b, Location loc, Value buffer,
                  ValueRange indices) {
  auto type = VectorType::get({2}, b.getI16Type());
  Value both = vector::LoadOp::create(b, loc, type, buffer, indices);
  Value pair = vector::BitCastOp::create(
      b, loc, VectorType::get({1}, b.getI32Type()), both);
  return vector::ExtractOp::create(b, loc, pair, int64_t(0));
}

Value combineDotPair(OpBuilder &b, Location loc, Value first, Value second) {
  Type type = b.getI32Type();
  Value low = arith::ExtUIOp::create(b, loc, type, first);
  Value high = arith::ExtUIOp::create(b, loc, type, second);
  high = arith::ShLIOp::create(b, loc, high, createConstant(b, loc, type, 16));
  return arith::OrIOp::create(b, loc, low, high);
}

} // namespace attn
