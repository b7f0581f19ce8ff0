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

  /// Of f64 to some units in the last place: 2^t, e^x, and the others.
  mlir::Value exp2(mlir::Value t);
  mlir::Value exp(mlir::Value x);
  mlir::Value log(mlir::Value x);
  mlir::Value tanh(mlir::Value x);

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
};

} // namespace attn

#endif // ATTN_CODEGEN_COMMON_MATHBUILDER_H
