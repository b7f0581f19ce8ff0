//===- ShapeRules.cpp - What calls must satisfy -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Execution/ShapeRules.h"
#include "attn/Analysis/ExtentRelations.h"

using namespace mlir;

namespace attn {

ShapeRules ShapeRules::derive(func::FuncOp function) {
  auto getExtent = [](const TracedExtent &extent) -> Extent {
    return {cast<BlockArgument>(extent.source).getArgNumber(),
            static_cast<unsigned>(extent.dim)};
  };
  ShapeRules result;
  for (const ExtentRelation &relation : getExtentRelations(function))
    if (relation.isCheckedAtCall(function))
      result.rules.push_back({getExtent(relation.left),
                              getExtent(relation.right), relation.multiple,
                              relation.meaning});
  return result;
}

llvm::Error ShapeRules::check(ArrayRef<const Array *> arguments) const {
  SmallVector<ArrayRef<int64_t>> shapes;
  for (const Array *array : arguments)
    shapes.push_back(array->getShape());
  return check(shapes);
}

llvm::Error ShapeRules::check(ArrayRef<ArrayRef<int64_t>> shapes) const {
  for (const Rule &rule : rules) {
    int64_t left = shapes[rule.left.argument][rule.left.dim];
    int64_t right = shapes[rule.right.argument][rule.right.dim];
    bool holds = rule.multiple ? (right == 0 ? left == 0 : left % right == 0)
                               : left == right;
    if (!holds)
      return llvm::createStringError(
          "argument " + Twine(rule.left.argument) + " expected extent " +
          Twine(rule.left.dim) + " to be " +
          (rule.multiple ? "a multiple of " : "") + Twine(right) +
          " (as extent " + Twine(rule.right.dim) + " of argument " +
          Twine(rule.right.argument) + ": " + rule.meaning + "), but got " +
          Twine(left));
  }
  return llvm::Error::success();
}

} // namespace attn
