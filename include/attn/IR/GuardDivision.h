//===- GuardDivision.h - Integer divisions that do not trap -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_GUARDDIVISION_H
#define ATTN_IR_GUARDDIVISION_H

#include "mlir/IR/Builders.h"

namespace attn {

/// Whether `op`, on integers, ends the process for some operands: a division by
/// what may be 0, or of the smallest by -1.
bool mayTrap(mlir::Operation *op);

/// Makes a division of integers in code that hidden pairs run as well, scalars
/// or vectors, divide by 1 where the processor would trap, which is where the
/// quotient is undefined anyway. Other ops stay as they are.
void guardDivision(mlir::OpBuilder &builder, mlir::Operation *op);

} // namespace attn

#endif // ATTN_IR_GUARDDIVISION_H
