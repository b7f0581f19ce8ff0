//===- MathBuilder.h - Functions made of arithmetic -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_COMMON_MATHBUILDER_H
#define ATTN_CODEGEN_COMMON_MATHBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace attn {

/// Builds functions of f32 or f64, or of vectors of these, for targets without
/// instructions for them: by a polynomial on a small interval, and bits.
class MathBuilder {
public:
  /// `type` is that of all arguments and results.
  MathBuilder(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type);

  mlir::Value constant(double value);
  mlir::Value fma(mlir::Value x, mlir::Value y, mlir::Value z);
  /// The nearest integer of a number far smaller than the mantissa.
  mlir::Value round(mlir::Value t);
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<double> coefficients);
  /// Clamps, letting NaN through.
  mlir::Value clamp(mlir::Value x, double low, double high);
  /// p 2^whole for any integer |whole| <= 2200.
  mlir::Value scaleByBits(mlir::Value p, mlir::Value whole);
  /// An integer and the rest, at most 1/2, of which the sum is x log2(e), for x
  /// at most 760 or, of f32, 110; beyond that the exponential is 0 or infinite.
  std::pair<mlir::Value, mlir::Value> reduce(mlir::Value x);
  /// 2^rest, |rest| <= 1/2.
  mlir::Value power(mlir::Value rest);

  /// Of f64 to 3 units in the last place: 2^t, e^x, and the others.
  mlir::Value exp2(mlir::Value t);
  mlir::Value exp(mlir::Value x);
  mlir::Value log(mlir::Value x);
  mlir::Value log2(mlir::Value x);
  mlir::Value log10(mlir::Value x);
  mlir::Value log1p(mlir::Value x);
  mlir::Value expm1(mlir::Value x);
  mlir::Value tanh(mlir::Value x);
  mlir::Value cbrt(mlir::Value x);
  mlir::Value erf(mlir::Value x);
  mlir::Value erfc(mlir::Value x);
  mlir::Value atan(mlir::Value x);
  mlir::Value atan2(mlir::Value y, mlir::Value x);
  mlir::Value asin(mlir::Value x);
  mlir::Value acos(mlir::Value x);
  /// Of f32, too. Of |x| up to 2^50, of f32 2^21, beyond which they are NaN.
  mlir::Value sin(mlir::Value x);
  mlir::Value cos(mlir::Value x);
  mlir::Value tan(mlir::Value x);

protected:
  mlir::Value integers(int64_t value);
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value lhs,
                      mlir::Value rhs);
  mlir::Value select(mlir::Value condition, mlir::Value then,
                     mlir::Value otherwise);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type type;
  bool isF32;

private:
  /// 2^rest - 1, without the loss of a difference.
  mlir::Value powerLessOne(mlir::Value rest);
  /// An exponent and the logarithm of what is left of x, of which a function
  /// makes that of x where it is finite and above 0.
  mlir::Value
  log(mlir::Value x,
      llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine);
  mlir::Value wave(mlir::Value x, int64_t turns);
  mlir::Value erfcOfPositive(mlir::Value x);
  mlir::Value erfOfSmall(mlir::Value x);

  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value subtract(mlir::Value x, mlir::Value y);
  mlir::Value multiply(mlir::Value x, mlir::Value y);
  mlir::Value divide(mlir::Value x, mlir::Value y);
  mlir::Value negate(mlir::Value x);
  mlir::Value magnitude(mlir::Value x);
  mlir::Value sqrt(mlir::Value x);
  mlir::Value copySign(mlir::Value x, mlir::Value sign);
};

} // namespace attn

#endif // ATTN_CODEGEN_COMMON_MATHBUILDER_H
