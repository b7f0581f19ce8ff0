//===- IntegerKernels.cpp - Ops that yield integers -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScalarProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/bit.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace attn {
namespace reference {

using In = const Instruction &;

/// The operand as a signed number; a true i1 is -1.
static int64_t getSigned(In in, Frame &frame, unsigned operand = 0) {
  int64_t value = frame.slots[in.operands[operand]].i;
  return in.width == 1 ? -(value & 1) : value;
}

static uint64_t getUnsigned(In in, Frame &frame, unsigned operand = 0) {
  uint64_t value = frame.slots[in.operands[operand]].i;
  return in.width < 64 ? value & ((uint64_t(1) << in.width) - 1) : value;
}

static bool set(In in, Frame &frame, uint64_t value) {
  frame.slots[in.result].i = wrapInteger(value, in.resultWidth);
  return true;
}

static constexpr int64_t lowest = std::numeric_limits<int64_t>::min();

namespace {
enum class Rounding { Zero, Down, Up };
} // namespace

template <Rounding rounding>
static bool divideSigned(In in, Frame &frame) {
  int64_t a = getSigned(in, frame, 0), b = getSigned(in, frame, 1);
  if (b == 0)
    return frame.fail("division by zero");
  if (a == lowest && b == -1)
    return set(in, frame, a);
  int64_t quotient = a / b;
  bool inexact = a % b != 0, negative = (a < 0) != (b < 0);
  if (rounding == Rounding::Down && inexact && negative)
    --quotient;
  if (rounding == Rounding::Up && inexact && !negative)
    ++quotient;
  return set(in, frame, quotient);
}

static bool remainderSigned(In in, Frame &frame) {
  int64_t a = getSigned(in, frame, 0), b = getSigned(in, frame, 1);
  if (b == 0)
    return frame.fail("division by zero");
  return set(in, frame, b == -1 ? 0 : a % b);
}

/// Shifts by the width or more are undefined in the IR; here they shift all
/// bits out.
static bool shiftLeft(In in, Frame &frame) {
  uint64_t amount = getUnsigned(in, frame, 1);
  return set(in, frame,
             amount < in.width ? getUnsigned(in, frame, 0) << amount : 0);
}

static bool shiftRight(In in, Frame &frame) {
  uint64_t amount = getUnsigned(in, frame, 1);
  return set(in, frame,
             amount < in.width ? getUnsigned(in, frame, 0) >> amount : 0);
}

static bool shiftRightSigned(In in, Frame &frame) {
  uint64_t amount = std::min<uint64_t>(getUnsigned(in, frame, 1), 63);
  return set(in, frame, getSigned(in, frame, 0) >> amount);
}

static bool compare(In in, Frame &frame) {
  int64_t a = getSigned(in, frame, 0), b = getSigned(in, frame, 1);
  uint64_t ua = getUnsigned(in, frame, 0), ub = getUnsigned(in, frame, 1);
  using P = arith::CmpIPredicate;
  auto decide = [&] {
    switch (static_cast<P>(in.immediate)) {
    case P::eq:
      return ua == ub;
    case P::ne:
      return ua != ub;
    case P::slt:
      return a < b;
    case P::sle:
      return a <= b;
    case P::sgt:
      return a > b;
    case P::sge:
      return a >= b;
    case P::ult:
      return ua < ub;
    case P::ule:
      return ua <= ub;
    case P::ugt:
      return ua > ub;
    case P::uge:
      return ua >= ub;
    }
    return false;
  };
  frame.slots[in.result].i = decide();
  return true;
}

/// Floats beyond the range are undefined in the IR; here they saturate.
static bool fromFloat(In in, Frame &frame, double low, double high) {
  double value = std::trunc(frame.slots[in.operands[0]].f);
  if (std::isnan(value))
    return set(in, frame, 0);
  value = std::fmin(std::fmax(value, low), high);
  // 2^63 and 2^64 are one beyond what fits.
  if (value >= 0x1p64)
    return set(in, frame, ~uint64_t(0));
  if (value >= 0x1p63)
    return set(in, frame, low < 0 ? uint64_t(lowest) - 1 : uint64_t(value));
  return set(in, frame, value < 0 ? uint64_t(int64_t(value)) : uint64_t(value));
}

static bool toSigned(In in, Frame &frame) {
  double limit = std::ldexp(1.0, in.resultWidth - 1);
  return fromFloat(in, frame, -limit, in.resultWidth < 54 ? limit - 1 : limit);
}

static bool toUnsigned(In in, Frame &frame) {
  double limit = std::ldexp(1.0, in.resultWidth);
  return fromFloat(in, frame, 0, in.resultWidth < 54 ? limit - 1 : limit);
}

static bool power(In in, Frame &frame) {
  int64_t base = getSigned(in, frame, 0), exponent = getSigned(in, frame, 1);
  if (exponent < 0) {
    if (base == 0)
      return frame.fail("division by zero");
    if (base != 1 && base != -1)
      return set(in, frame, 0);
    exponent &= 1;
  }
  uint64_t result = 1, factor = base;
  for (; exponent; exponent >>= 1, factor *= factor)
    if (exponent & 1)
      result *= factor;
  return set(in, frame, result);
}

/// Low and high half of a product, or sum and carry.
static bool setPair(In in, Frame &frame, const llvm::APInt &wide) {
  frame.slots[in.result + 1].i =
      wrapInteger(wide.extractBitsAsZExtValue(in.width, in.width), in.width);
  return set(in, frame, wide.extractBitsAsZExtValue(in.width, 0));
}

static bool multiplyWide(In in, Frame &frame) {
  llvm::APInt a(in.width * 2, getUnsigned(in, frame, 0));
  return setPair(in, frame,
                 a * llvm::APInt(in.width * 2, getUnsigned(in, frame, 1)));
}

static bool multiplyWideSigned(In in, Frame &frame) {
  llvm::APInt a(in.width, getUnsigned(in, frame, 0));
  llvm::APInt b(in.width, getUnsigned(in, frame, 1));
  return setPair(in, frame, a.sext(in.width * 2) * b.sext(in.width * 2));
}

static bool addWithCarry(In in, Frame &frame) {
  llvm::APInt a(in.width + 1, getUnsigned(in, frame, 0));
  llvm::APInt sum = a + llvm::APInt(in.width + 1, getUnsigned(in, frame, 1));
  frame.slots[in.result + 1].i = sum[in.width];
  return set(in, frame, sum.extractBitsAsZExtValue(in.width, 0));
}

#define ATTN_SIGNED(expression)                                                \
  [](In in, Frame &frame) {                                                    \
    int64_t a = getSigned(in, frame, 0), b = getSigned(in, frame, 1);          \
    return set(in, frame, expression);                                         \
  }
#define ATTN_UNSIGNED(expression)                                              \
  [](In in, Frame &frame) {                                                    \
    uint64_t a = getUnsigned(in, frame, 0), b = getUnsigned(in, frame, 1);     \
    return set(in, frame, expression);                                         \
  }
#define ATTN_DIVISION(expression)                                              \
  [](In in, Frame &frame) {                                                    \
    uint64_t a = getUnsigned(in, frame, 0), b = getUnsigned(in, frame, 1);     \
    return b ? set(in, frame, expression) : frame.fail("division by zero");    \
  }
#define ATTN_BITS(expression)                                                  \
  [](In in, Frame &frame) {                                                    \
    uint64_t a = getUnsigned(in, frame);                                       \
    return set(in, frame, expression);                                         \
  }

static bool extendSigned(In in, Frame &frame) {
  return set(in, frame, getSigned(in, frame));
}

static bool extendUnsigned(In in, Frame &frame) {
  return set(in, frame, getUnsigned(in, frame));
}

Kernel lookupIntegerKernel(llvm::StringRef opName) {
  static const llvm::StringMap<Kernel> kernels = {
      {"arith.addi", ATTN_UNSIGNED(a + b)},
      {"arith.subi", ATTN_UNSIGNED(a - b)},
      {"arith.muli", ATTN_UNSIGNED(a * b)},
      {"arith.andi", ATTN_UNSIGNED(a & b)},
      {"arith.ori", ATTN_UNSIGNED(a | b)},
      {"arith.xori", ATTN_UNSIGNED(a ^ b)},
      {"arith.maxui", ATTN_UNSIGNED(std::max(a, b))},
      {"arith.minui", ATTN_UNSIGNED(std::min(a, b))},
      {"arith.maxsi", ATTN_SIGNED(std::max(a, b))},
      {"arith.minsi", ATTN_SIGNED(std::min(a, b))},
      {"arith.divsi", divideSigned<Rounding::Zero>},
      {"arith.floordivsi", divideSigned<Rounding::Down>},
      {"arith.ceildivsi", divideSigned<Rounding::Up>},
      {"arith.remsi", remainderSigned},
      {"arith.divui", ATTN_DIVISION(a / b)},
      {"arith.ceildivui", ATTN_DIVISION(a / b + (a % b != 0))},
      {"arith.remui", ATTN_DIVISION(a % b)},
      {"arith.shli", shiftLeft},
      {"arith.shrui", shiftRight},
      {"arith.shrsi", shiftRightSigned},
      {"arith.cmpi", compare},
      {"arith.extsi", extendSigned},
      {"arith.index_cast", extendSigned},
      {"arith.extui", extendUnsigned},
      {"arith.index_castui", extendUnsigned},
      {"arith.trunci", extendUnsigned},
      {"arith.fptosi", toSigned},
      {"arith.fptoui", toUnsigned},
      {"arith.mului_extended", multiplyWide},
      {"arith.mulsi_extended", multiplyWideSigned},
      {"arith.addui_extended", addWithCarry},
      {"math.ipowi", power},
      {"math.absi",
       [](In in, Frame &frame) {
         int64_t a = getSigned(in, frame);
         return set(in, frame, a < 0 ? -uint64_t(a) : uint64_t(a));
       }},
      {"math.ctpop", ATTN_BITS(llvm::popcount(a))},
      {"math.ctlz", ATTN_BITS(llvm::countl_zero(a) - (64 - in.width))},
      {"math.cttz", ATTN_BITS(a ? llvm::countr_zero(a) : in.width)},
  };
  return kernels.lookup(opName);
}

} // namespace reference
} // namespace attn
