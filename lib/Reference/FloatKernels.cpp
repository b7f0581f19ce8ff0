//===- FloatKernels.cpp - Ops that yield or compare floats ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScalarProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringMap.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

using In = const Instruction &;

static double get(In in, Frame &frame, unsigned operand = 0) {
  return frame.slots[in.operands[operand]].f;
}

static bool set(In in, Frame &frame, double value) {
  frame.slots[in.result].f = value;
  return true;
}

static bool setFlag(In in, Frame &frame, bool value) {
  frame.slots[in.result].i = value;
  return true;
}

/// IEEE 754-2019 maximum: NaN wins, and +0 exceeds -0.
static double maximum(double lhs, double rhs) {
  if (std::isnan(lhs) || std::isnan(rhs))
    return std::nan("");
  if (lhs == rhs)
    return std::signbit(lhs) ? rhs : lhs;
  return lhs > rhs ? lhs : rhs;
}

static bool compare(In in, Frame &frame) {
  double lhs = get(in, frame, 0), rhs = get(in, frame, 1);
  bool unordered = std::isnan(lhs) || std::isnan(rhs);
  using P = arith::CmpFPredicate;
  auto decide = [&] {
    switch (static_cast<P>(in.immediate)) {
    case P::AlwaysFalse:
      return false;
    case P::OEQ:
      return lhs == rhs;
    case P::OGT:
      return lhs > rhs;
    case P::OGE:
      return lhs >= rhs;
    case P::OLT:
      return lhs < rhs;
    case P::OLE:
      return lhs <= rhs;
    case P::ONE:
      return !unordered && lhs != rhs;
    case P::ORD:
      return !unordered;
    case P::UEQ:
      return unordered || lhs == rhs;
    case P::UGT:
      return unordered || lhs > rhs;
    case P::UGE:
      return unordered || lhs >= rhs;
    case P::ULT:
      return unordered || lhs < rhs;
    case P::ULE:
      return unordered || lhs <= rhs;
    case P::UNE:
      return unordered || lhs != rhs;
    case P::UNO:
      return unordered;
    case P::AlwaysTrue:
      return true;
    }
    return false;
  };
  return setFlag(in, frame, decide());
}

static bool truncate(In in, Frame &frame) {
  auto type = cast<FloatType>(getElementTypeOrSelf(in.op->getResult(0)));
  return set(in, frame, roundToType(type, get(in, frame)));
}

static bool bitcast(In in, Frame &frame) {
  Type from = getElementTypeOrSelf(in.op->getOperand(0));
  Type to = getElementTypeOrSelf(in.op->getResult(0));
  frame.slots[in.result] =
      fromBits(to, toBits(from, frame.slots[in.operands[0]]));
  return true;
}

static bool select(In in, Frame &frame) {
  bool first = frame.slots[in.operands[0]].i & 1;
  frame.slots[in.result] = frame.slots[in.operands[first ? 1 : 2]];
  return true;
}

/// An integer as a float: exact up to 2^53.
static bool fromSigned(In in, Frame &frame) {
  int64_t value = frame.slots[in.operands[0]].i;
  return set(in, frame, in.width == 1 ? -double(value & 1) : double(value));
}

static bool fromUnsigned(In in, Frame &frame) {
  uint64_t value = frame.slots[in.operands[0]].i;
  if (in.width < 64)
    value &= (uint64_t(1) << in.width) - 1;
  return set(in, frame, static_cast<double>(value));
}

/// Kernels that are one function of one double.
#define ATTN_UNARY(function)                                                   \
  [](In in, Frame &frame) { return set(in, frame, function(get(in, frame))); }
#define ATTN_BINARY(expression)                                                \
  [](In in, Frame &frame) {                                                    \
    double a = get(in, frame, 0), b = get(in, frame, 1);                       \
    return set(in, frame, expression);                                         \
  }
#define ATTN_TEST(function)                                                    \
  [](In in, Frame &frame) {                                                    \
    return setFlag(in, frame, function(get(in, frame)));                       \
  }

Kernel lookupFloatKernel(llvm::StringRef opName) {
  static const llvm::StringMap<Kernel> kernels = {
      {"arith.addf", ATTN_BINARY(a + b)},
      {"arith.subf", ATTN_BINARY(a - b)},
      {"arith.mulf", ATTN_BINARY(a * b)},
      {"arith.divf", ATTN_BINARY(a / b)},
      {"arith.remf", ATTN_BINARY(std::fmod(a, b))},
      {"arith.maximumf", ATTN_BINARY(maximum(a, b))},
      {"arith.minimumf", ATTN_BINARY(-maximum(-a, -b))},
      {"arith.maxnumf", ATTN_BINARY(std::fmax(a, b))},
      {"arith.minnumf", ATTN_BINARY(std::fmin(a, b))},
      {"arith.negf", ATTN_UNARY(-)},
      {"arith.extf", ATTN_UNARY()},
      {"arith.truncf", truncate},
      {"arith.bitcast", bitcast},
      {"arith.select", select},
      {"arith.cmpf", compare},
      {"arith.sitofp", fromSigned},
      {"arith.uitofp", fromUnsigned},
      {"math.absf", ATTN_UNARY(std::fabs)},
      {"math.acos", ATTN_UNARY(std::acos)},
      {"math.acosh", ATTN_UNARY(std::acosh)},
      {"math.asin", ATTN_UNARY(std::asin)},
      {"math.asinh", ATTN_UNARY(std::asinh)},
      {"math.atan", ATTN_UNARY(std::atan)},
      {"math.atanh", ATTN_UNARY(std::atanh)},
      {"math.cbrt", ATTN_UNARY(std::cbrt)},
      {"math.ceil", ATTN_UNARY(std::ceil)},
      {"math.cos", ATTN_UNARY(std::cos)},
      {"math.cosh", ATTN_UNARY(std::cosh)},
      {"math.erf", ATTN_UNARY(std::erf)},
      {"math.erfc", ATTN_UNARY(std::erfc)},
      {"math.exp", ATTN_UNARY(std::exp)},
      {"math.exp2", ATTN_UNARY(std::exp2)},
      {"math.expm1", ATTN_UNARY(std::expm1)},
      {"math.floor", ATTN_UNARY(std::floor)},
      {"math.log", ATTN_UNARY(std::log)},
      {"math.log10", ATTN_UNARY(std::log10)},
      {"math.log1p", ATTN_UNARY(std::log1p)},
      {"math.log2", ATTN_UNARY(std::log2)},
      {"math.round", ATTN_UNARY(std::round)},
      {"math.roundeven", ATTN_UNARY(std::nearbyint)},
      {"math.rsqrt", ATTN_UNARY(1.0 / std::sqrt)},
      {"math.sin", ATTN_UNARY(std::sin)},
      {"math.sinh", ATTN_UNARY(std::sinh)},
      {"math.sqrt", ATTN_UNARY(std::sqrt)},
      {"math.tan", ATTN_UNARY(std::tan)},
      {"math.tanh", ATTN_UNARY(std::tanh)},
      {"math.trunc", ATTN_UNARY(std::trunc)},
      {"math.atan2", ATTN_BINARY(std::atan2(a, b))},
      {"math.copysign", ATTN_BINARY(std::copysign(a, b))},
      {"math.powf", ATTN_BINARY(std::pow(a, b))},
      {"math.isfinite", ATTN_TEST(std::isfinite)},
      {"math.isinf", ATTN_TEST(std::isinf)},
      {"math.isnan", ATTN_TEST(std::isnan)},
      {"math.isnormal", ATTN_TEST(std::isnormal)},
      {"math.fma",
       [](In in, Frame &frame) {
         return set(in, frame,
                    std::fma(get(in, frame, 0), get(in, frame, 1),
                             get(in, frame, 2)));
       }},
      {"math.clampf",
       [](In in, Frame &frame) {
         double low = maximum(get(in, frame, 0), get(in, frame, 1));
         return set(in, frame, -maximum(-low, -get(in, frame, 2)));
       }},
      {"math.fpowi",
       [](In in, Frame &frame) {
         return set(in, frame,
                    std::pow(get(in, frame),
                             double(frame.slots[in.operands[1]].i)));
       }},
      {"math.sincos",
       [](In in, Frame &frame) {
         double angle = get(in, frame);
         frame.slots[in.result + 1].f = std::cos(angle);
         return set(in, frame, std::sin(angle));
       }},
  };
  return kernels.lookup(opName);
}

} // namespace reference
} // namespace attn
