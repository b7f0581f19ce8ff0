//===- ShapeRules.h - What calls must satisfy -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXECUTION_SHAPERULES_H
#define ATTN_EXECUTION_SHAPERULES_H

#include "attn/Support/Array.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace attn {

/// The relations between dynamic extents of arguments that the attention ops of
/// a function rely on: an extent equal to another or to a number, or a multiple
/// of another (query heads and key heads). What else the ops rely on is checked
/// in the compiled code.
class ShapeRules {
public:
  static ShapeRules derive(mlir::func::FuncOp function);

  /// An error that names the first relation that does not hold.
  llvm::Error check(llvm::ArrayRef<const Array *> arguments) const;
  /// The same of the arguments' shapes.
  llvm::Error check(llvm::ArrayRef<llvm::ArrayRef<int64_t>> shapes) const;

  struct Extent {
    unsigned argument, dim;
  };
  struct Rule {
    Extent left, right;
    bool multiple;
    std::string meaning;
  };
  llvm::ArrayRef<Rule> getRules() const { return rules; }

private:
  std::vector<Rule> rules;
};

} // namespace attn

#endif // ATTN_EXECUTION_SHAPERULES_H
