//===- MathFunctions.cpp - More functions made of arithmetic ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Common/MathBuilder.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <array>
#include <limits>

using namespace mlir;

namespace attn {

using Predicate = arith::CmpFPredicate;

constexpr double kPi = 3.141592653589793;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// pi / 2 in three parts.
constexpr double kHalfPi[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54,
                              -0x1.f1976b7ed8fbcp-110};
/// erfc(x) e^(x^2) (1 + 2 x) for x >= 0 as a polynomial in (x - 4) / (x + 4),
/// by interpolation at the nodes of Chebyshev: 3e-16.
constexpr double kErfc[] = {
    1.2329951186255526, -0.1396211168405625, 0.015379652102620042,
    0.06809705425469036, -0.10103906603632504, 0.09373283499843951,
    -0.0663303658116485, 0.03716751553591141, -0.01619773406595253,
    0.005031969992810925, -0.0007577732195352293, -0.0001992567764579197,
    0.00015062130746391778, -2.4398942309069806e-05, -1.1220753452725425e-05,
    5.709201212226352e-06, 2.909062968371427e-07, -8.249127434964572e-07,
    7.89343963476142e-08, 1.1009041560728304e-07, -2.1917128684776733e-08,
    -1.470518755238763e-08, 3.979908209935334e-09, 1.7887492189077536e-09,
    -5.47796315403793e-10, -1.37212432109558e-10, 4.335744696880128e-11};

Value MathBuilder::add(Value x, Value y) {
  return arith::AddFOp::create(b, loc, x, y);
}
Value MathBuilder::subtract(Value x, Value y) {
  return arith::SubFOp::create(b, loc, x, y);
}
Value MathBuilder::multiply(Value x, Value y) {
  return arith::MulFOp::create(b, loc, x, y);
}
Value MathBuilder::divide(Value x, Value y) {
  return arith::DivFOp::create(b, loc, x, y);
}
Value MathBuilder::negate(Value x) {
  return arith::NegFOp::create(b, loc, x);
}
Value MathBuilder::magnitude(Value x) {
  return math::AbsFOp::create(b, loc, x);
}
Value MathBuilder::sqrt(Value x) { return math::SqrtOp::create(b, loc, x); }
Value MathBuilder::copySign(Value x, Value sign) {
  return math::CopySignOp::create(b, loc, x, sign);
}

//===----------------------------------------------------------------------===//
// Exponentials and logarithms
//===----------------------------------------------------------------------===//

/// Beyond 60 the 1 is lost, and before that nothing overflows.
Value MathBuilder::expm1(Value x) {
  auto [whole, rest] = reduce(x);
  Value scale = scaleByBits(constant(1), whole);
  Value small =
      fma(scale, powerLessOne(rest), subtract(scale, constant(1)));
  Value large = scaleByBits(power(rest), whole);
  return select(compare(Predicate::OGT, x, constant(60)), large, small);
}

/// What u = 1 + x is rounded by, log u makes good for: log1p(x) is
/// log(u) x / (u - 1).
Value MathBuilder::log1p(Value x) {
  Value u = add(x, constant(1));
  Value difference = subtract(u, constant(1));
  Value result = multiply(log(u), divide(x, difference));
  Value isTiny = compare(Predicate::OEQ, difference, constant(0));
  Value isInfinite = compare(Predicate::OEQ, x, constant(kInfinity));
  return select(arith::OrIOp::create(b, loc, isTiny, isInfinite), x, result);
}

/// The logarithm gives a third of the exponent, one of Newton's steps the rest.
Value MathBuilder::cbrt(Value x) {
  Value size = magnitude(x);
  Value root = exp(divide(log(size), constant(3)));
  Value square = multiply(root, root);
  Value error = fma(square, root, negate(size));
  Value better =
      subtract(root, divide(error, multiply(square, constant(3))));
  Value isZero = compare(Predicate::OEQ, x, constant(0));
  Value isInfinite = compare(Predicate::OEQ, size, constant(kInfinity));
  return select(arith::OrIOp::create(b, loc, isZero, isInfinite), x,
                copySign(better, x));
}

//===----------------------------------------------------------------------===//
// Angles
//===----------------------------------------------------------------------===//

/// Sine and cosine of x = n pi / 2 + rest by those of the rest, at most pi / 4,
/// as n mod 4 says, which is `turns` further on. The first product and
/// difference are exact.
Value MathBuilder::wave(Value x, int64_t turns) {
  Value n = round(multiply(x, constant(2 / kPi)));
  std::array<double, 3> parts = {kHalfPi[0], kHalfPi[1], kHalfPi[2]};
  if (isF32) {
    parts[0] = static_cast<float>(kHalfPi[0]);
    double left = (kHalfPi[0] - parts[0]) + kHalfPi[1];
    parts[1] = static_cast<float>(left);
    parts[2] = static_cast<float>(left - parts[1]);
  }
  Value rest = x;
  for (double part : parts)
    rest = fma(n, constant(-part), rest);
  // +x, -x^2 / 2, -x^3 / 6, +x^4 / 24.
  SmallVector<double> odd, even;
  double factorial = 1.0;
  for (int degree = 1; degree <= (isF32 ? 12 : 18); ++degree) {
    factorial *= degree;
    (degree % 2 ? odd : even)
        .push_back((degree % 4 < 2 ? 1.0 : -1.0) / factorial);
  }
  Value square = multiply(rest, rest);
  Value sine = multiply(rest, polynomial(square, odd));
  Value cosine = fma(square, polynomial(square, even), constant(1));
  Value quarter = arith::FPToSIOp::create(b, loc, integers(0).getType(), n);
  quarter = arith::AddIOp::create(b, loc, quarter, integers(turns));
  auto hasBit = [&](int64_t bit) -> Value {
    Value bits = arith::AndIOp::create(b, loc, quarter, integers(bit));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, bits,
                                 integers(0));
  };
  Value result = select(hasBit(1), cosine, sine);
  result = select(hasBit(2), negate(result), result);
  Value isKnown = compare(Predicate::OLE, magnitude(x),
                          constant(isF32 ? 0x1p21 : 0x1p50));
  return select(isKnown, result, constant(kNaN));
}

Value MathBuilder::sin(Value x) { return wave(x, /*turns=*/0); }
Value MathBuilder::cos(Value x) { return wave(x, /*turns=*/1); }
Value MathBuilder::tan(Value x) { return divide(sin(x), cos(x)); }

/// Of a large x by 1 / x; then twice half the angle, which is at most pi / 16.
Value MathBuilder::atan(Value x) {
  Value one = constant(1);
  Value size = magnitude(x);
  Value isLarge = compare(Predicate::OGT, size, one);
  Value t = select(isLarge, divide(one, size), size);
  for (int half = 0; half < 2; ++half)
    t = divide(t, add(one, sqrt(fma(t, t, one))));
  SmallVector<double> series;
  for (int odd = 1; odd <= 25; odd += 2)
    series.push_back((odd % 4 == 1 ? 4.0 : -4.0) / odd);
  Value angle = multiply(t, polynomial(multiply(t, t), series));
  Value rest = subtract(constant(kPi / 2), angle);
  return copySign(select(isLarge, rest, angle), x);
}

Value MathBuilder::asin(Value x) {
  Value one = constant(1);
  return atan(divide(x, sqrt(multiply(subtract(one, x), add(one, x)))));
}

Value MathBuilder::acos(Value x) {
  Value one = constant(1);
  Value half = atan(sqrt(divide(subtract(one, x), add(one, x))));
  return multiply(half, constant(2));
}

/// Where both are infinite, as for +-1 and +-1; where both are 0, as for y and
/// 1.
Value MathBuilder::atan2(Value y, Value x) {
  Value one = constant(1), zero = constant(0);
  Value behind = compare(Predicate::OLT, copySign(one, x), zero);
  auto both = [&](double value) -> Value {
    return arith::AndIOp::create(
        b, loc, compare(Predicate::OEQ, magnitude(y), constant(value)),
        compare(Predicate::OEQ, magnitude(x), constant(value)));
  };
  Value ratio = divide(y, x);
  ratio = select(both(kInfinity), multiply(copySign(one, y), copySign(one, x)),
                 ratio);
  Value none = both(0.0);
  ratio = select(none, y, ratio);
  Value angle = atan(ratio);
  angle = select(behind, add(angle, copySign(constant(kPi), y)), angle);
  Value isNumber = compare(Predicate::ORD, y, x);
  return select(isNumber, angle, constant(kNaN));
}

//===----------------------------------------------------------------------===//
// Error functions
//===----------------------------------------------------------------------===//

/// The square of x, of which a product has no more than the first half, is
/// taken in two parts. From 27 on nothing is left.
Value MathBuilder::erfcOfPositive(Value x) {
  x = clamp(x, 0.0, 30.0);
  Value square = multiply(x, x);
  Value low = fma(x, x, negate(square));
  Value power = exp(negate(square));
  power = fma(negate(power), low, power);
  Value t = divide(subtract(x, constant(4)), add(x, constant(4)));
  Value denominator = fma(x, constant(2), constant(1));
  return multiply(power, divide(polynomial(t, kErfc), denominator));
}

/// The series about 0, for |x| <= 1.
Value MathBuilder::erfOfSmall(Value x) {
  SmallVector<double> series;
  double factor = 2 / 1.7724538509055159;
  for (int n = 0; n <= 20; ++n) {
    series.push_back(factor / (2 * n + 1));
    factor /= -(n + 1);
  }
  return multiply(x, polynomial(multiply(x, x), series));
}

Value MathBuilder::erf(Value x) {
  Value size = magnitude(x);
  Value rest = subtract(constant(1), erfcOfPositive(size));
  Value isSmall = compare(Predicate::OLT, size, constant(1));
  return select(isSmall, erfOfSmall(x), copySign(rest, x));
}

Value MathBuilder::erfc(Value x) {
  Value size = magnitude(x);
  Value positive = erfcOfPositive(size);
  Value isNegative = compare(Predicate::OLT, x, constant(0));
  Value far = select(isNegative, subtract(constant(2), positive), positive);
  Value near = subtract(constant(1), erfOfSmall(x));
  Value isSmall = compare(Predicate::OLT, size, constant(0.5));
  return select(isSmall, near, far);
}

} // namespace attn
