//===- MathBuilder.cpp - Functions made of arithmetic -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Common/MathBuilder.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;

namespace attn {

using Predicate = arith::CmpFPredicate;

/// Minimax in relative error for 2^f with the constant term held at 1, on
/// [-1/2, 1/2]: 1.1e-7, coefficients rounded to f32.
constexpr double kRoundF32[] = {1.0,         0.693147,    0.24022242,
                                0.055507336, 0.009671513, 0.0013264727};
constexpr double kLog2E = 1.4426950408889634;
constexpr double kLog2ERest = 2.0355273740931033e-17;
constexpr double kLn2 = 0.6931471805599453;
/// ln 2 in two parts, of which the first times an exponent is exact.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

/// Likewise log10(2).
constexpr double kLog10E = 0.4342944819032518;
constexpr double kLog10Of2High = 0x1.34413509f4000p-2;
constexpr double kLog10Of2Low = 0x1.cff7988f8959bp-41;

MathBuilder::MathBuilder(OpBuilder &builder, Location loc, Type type)
    : b(builder), loc(loc), type(type),
      isF32(getElementTypeOrSelf(type).isF32()) {}

Value MathBuilder::constant(double value) {
  return createFloatConstant(b, loc, type, value);
}

Value MathBuilder::integers(int64_t value) {
  Type integer = b.getIntegerType(isF32 ? 32 : 64);
  TypedAttr attr = b.getIntegerAttr(integer, value);
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector.clone(integer), Attribute(attr));
  return arith::ConstantOp::create(b, loc, attr);
}

Value MathBuilder::fma(Value x, Value y, Value z) {
  if (isa<VectorType>(type))
    return vector::FMAOp::create(b, loc, x, y, z);
  return math::FmaOp::create(b, loc, x, y, z);
}

Value MathBuilder::compare(Predicate predicate, Value lhs, Value rhs) {
  return arith::CmpFOp::create(b, loc, predicate, lhs, rhs);
}

Value MathBuilder::select(Value condition, Value then, Value otherwise) {
  return arith::SelectOp::create(b, loc, condition, then, otherwise);
}

/// An addition pushes the fraction out. Baseline x86-64 has no instruction for
/// it.
Value MathBuilder::round(Value t) {
  Value magic = constant(isF32 ? 0x1.8p23 : 0x1.8p52);
  Value shifted = arith::AddFOp::create(b, loc, t, magic);
  return arith::SubFOp::create(b, loc, shifted, magic);
}

Value MathBuilder::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = constant(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, constant(coefficient));
  return sum;
}

Value MathBuilder::clamp(Value x, double low, double high) {
  auto pick = [&](Predicate predicate, double limit) {
    Value bound = constant(limit);
    x = select(compare(predicate, bound, x), bound, x);
  };
  pick(Predicate::OGT, low);
  pick(Predicate::OLT, high);
  return x;
}

/// In two steps, so that neither factor overflows and denormal results are
/// rounded once.
Value MathBuilder::scaleByBits(Value p, Value whole) {
  unsigned mantissa = isF32 ? 23 : 52;
  Value exponent =
      arith::FPToSIOp::create(b, loc, integers(0).getType(), whole);
  Value half = arith::ShRSIOp::create(b, loc, exponent, integers(1));
  Value rest = arith::SubIOp::create(b, loc, exponent, half);
  for (Value part : {half, rest}) {
    Value biased =
        arith::AddIOp::create(b, loc, part, integers(isF32 ? 127 : 1023));
    Value bits = arith::ShLIOp::create(b, loc, biased, integers(mantissa));
    Value factor = arith::BitcastOp::create(b, loc, type, bits);
    p = arith::MulFOp::create(b, loc, p, factor);
  }
  return p;
}

std::pair<Value, Value> MathBuilder::reduce(Value x) {
  // Beyond these the products below would not stay finite.
  double bound = isF32 ? 110.0 : 760.0;
  x = clamp(x, -bound, bound);
  double high = isF32 ? static_cast<float>(kLog2E) : kLog2E;
  double low = isF32 ? kLog2E - high : kLog2ERest;
  Value t = arith::MulFOp::create(b, loc, x, constant(high));
  Value whole = round(t);
  Value negated = arith::NegFOp::create(b, loc, whole);
  Value rest = fma(x, constant(high), negated);
  return {whole, fma(x, constant(low), rest)};
}

/// The Taylor series of 2^x, from degree `first` on to 13: 4e-18 on
/// [-1/2, 1/2].
static SmallVector<double> getSeries(int first) {
  SmallVector<double> series;
  double coefficient = 1.0;
  for (int degree = 0; degree <= 13; ++degree) {
    if (degree > 0)
      coefficient *= kLn2 / degree;
    if (degree >= first)
      series.push_back(coefficient);
  }
  return series;
}

Value MathBuilder::power(Value rest) {
  return isF32 ? polynomial(rest, kRoundF32)
               : polynomial(rest, getSeries(/*first=*/0));
}

Value MathBuilder::powerLessOne(Value rest) {
  return arith::MulFOp::create(b, loc, rest,
                               polynomial(rest, getSeries(/*first=*/1)));
}

Value MathBuilder::exp2(Value t) {
  t = clamp(t, -1100.0, 1100.0);
  Value whole = round(t);
  return scaleByBits(power(arith::SubFOp::create(b, loc, t, whole)), whole);
}

Value MathBuilder::exp(Value x) {
  auto [whole, rest] = reduce(x);
  return scaleByBits(power(rest), whole);
}

/// With x = 2^e m, m between sqrt(1/2) and sqrt(2): ln m = 2 artanh(s),
/// s = (m - 1) / (m + 1), at most 0.172.
Value MathBuilder::log(Value x,
                       function_ref<Value(Value, Value)> combine) {
  Value isTiny = compare(Predicate::OLT, x, constant(0x1p-1022));
  Value scaled = arith::MulFOp::create(b, loc, x, constant(0x1p54));
  Value bits = arith::BitcastOp::create(b, loc, integers(0).getType(),
                                        select(isTiny, scaled, x));
  Value biased = arith::ShRUIOp::create(b, loc, bits, integers(52));
  Value e = arith::SIToFPOp::create(
      b, loc, type, arith::SubIOp::create(b, loc, biased, integers(1023)));
  e = select(isTiny, arith::SubFOp::create(b, loc, e, constant(54)), e);
  Value fraction =
      arith::AndIOp::create(b, loc, bits, integers((int64_t(1) << 52) - 1));
  Value m = arith::BitcastOp::create(
      b, loc, type,
      arith::OrIOp::create(b, loc, fraction, integers(int64_t(1023) << 52)));
  Value isLarge = compare(Predicate::OGT, m, constant(1.4142135623730951));
  m = select(isLarge, arith::MulFOp::create(b, loc, m, constant(0.5)), m);
  e = select(isLarge, arith::AddFOp::create(b, loc, e, constant(1)), e);
  Value above = arith::SubFOp::create(b, loc, m, constant(1));
  Value below = arith::AddFOp::create(b, loc, m, constant(1));
  Value s = arith::DivFOp::create(b, loc, above, below);
  SmallVector<double> series;
  for (int odd = 1; odd <= 21; odd += 2)
    series.push_back(2.0 / odd);
  Value square = arith::MulFOp::create(b, loc, s, s);
  Value mantissa = arith::MulFOp::create(b, loc, s, polynomial(square, series));
  Value result = combine(e, mantissa);
  double infinity = std::numeric_limits<double>::infinity();
  result = select(compare(Predicate::OEQ, x, constant(infinity)), x, result);
  result = select(compare(Predicate::OEQ, x, constant(0)), constant(-infinity),
                  result);
  return select(compare(Predicate::OGE, x, constant(0)), result,
                constant(std::numeric_limits<double>::quiet_NaN()));
}

Value MathBuilder::log(Value x) {
  return log(x, [&](Value e, Value mantissa) {
    return fma(e, constant(kLn2High), fma(e, constant(kLn2Low), mantissa));
  });
}

Value MathBuilder::log2(Value x) {
  return log(x, [&](Value e, Value mantissa) -> Value {
    Value low = arith::MulFOp::create(b, loc, mantissa, constant(kLog2ERest));
    Value own = fma(mantissa, constant(kLog2E), low);
    return arith::AddFOp::create(b, loc, e, own);
  });
}

Value MathBuilder::log10(Value x) {
  return log(x, [&](Value e, Value mantissa) {
    Value own = fma(e, constant(kLog10Of2Low),
                    arith::MulFOp::create(b, loc, mantissa,
                                          constant(kLog10E)));
    return fma(e, constant(kLog10Of2High), own);
  });
}

/// With p = e^(-2 |x|) - 1: tanh |x| = -p / (2 + p).
Value MathBuilder::tanh(Value x) {
  Value magnitude = math::AbsFOp::create(b, loc, x);
  auto [whole, rest] =
      reduce(arith::MulFOp::create(b, loc, magnitude, constant(-2)));
  Value scale = scaleByBits(constant(1), whole);
  Value p = fma(scale, powerLessOne(rest),
                arith::SubFOp::create(b, loc, scale, constant(1)));
  Value negated = arith::NegFOp::create(b, loc, p);
  Value sum = arith::AddFOp::create(b, loc, p, constant(2));
  Value result = arith::DivFOp::create(b, loc, negated, sum);
  return math::CopySignOp::create(b, loc, result, x);
}

} // namespace attn
