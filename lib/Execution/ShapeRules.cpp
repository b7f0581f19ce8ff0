//===- ShapeRules.cpp - What calls must satisfy -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShapeRules.h"
#include "attn/IR/Attn.h"

#include <map>

using namespace mlir;

namespace attn {

ShapeRules ShapeRules::derive(func::FuncOp function) {
  ShapeRules result;
  auto argumentOf = [&](Value value) -> std::optional<unsigned> {
    while (auto cast = value.getDefiningOp<tensor::CastOp>())
      value = cast.getSource();
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument || argument.getOwner() != &function.front())
      return std::nullopt;
    return argument.getArgNumber();
  };
  auto rank = [](Value value) {
    auto type = dyn_cast<ShapedType>(value.getType());
    return type ? type.getRank() : 0;
  };
  auto add = [&](Value left, int64_t leftDim, Value right, int64_t rightDim,
                 bool multiple, const Twine &meaning) {
    std::optional<unsigned> a = argumentOf(left), b = argumentOf(right);
    if (a && b)
      result.rules.push_back({{*a, static_cast<unsigned>(leftDim)},
                              {*b, static_cast<unsigned>(rightDim)},
                              multiple,
                              meaning.str()});
  };
  function.walk([&](SdpaOp op) {
    Value query = op.getQuery(), key = op.getKey(), value = op.getValue();
    int64_t last = rank(query) - 1;
    for (int64_t dim = 0; dim + 2 < last; ++dim) {
      add(key, dim, query, dim, false, "the batch of key and query");
      add(value, dim, query, dim, false, "the batch of value and query");
    }
    if (last >= 2) {
      add(query, last - 2, key, last - 2, true,
          "query heads, a multiple of key heads");
      add(value, last - 2, key, last - 2, false, "the heads of value and key");
    }
    add(value, last - 1, key, last - 1, false, "the rows of value and key");
    add(key, last, query, last, false, "the width of key and query");
    for (Value output : {op.getOutput(), op.getLse()})
      for (int64_t dim = 0; output && dim < last; ++dim)
        add(output, dim, query, dim, false,
            dim == last - 1   ? "query rows"
            : dim == last - 2 ? "query heads"
                              : "the batch of query");
    add(op.getOutput(), last, value, last, false,
        "the width of output and value");
    for (Value operand : {op.getBias(), Value(op.getBooleanMask())}) {
      if (!operand)
        continue;
      auto type = cast<ShapedType>(operand.getType());
      int64_t missing = last + 1 - type.getRank();
      for (int64_t dim = 0; dim < type.getRank(); ++dim) {
        int64_t position = dim + missing;
        // An extent that is 1 by its type is broadcast.
        if (type.getDimSize(dim) == 1)
          continue;
        if (position == last)
          add(operand, dim, key, last - 1, false, "key rows");
        else
          add(operand, dim, query, position, false,
              position == last - 1   ? "query rows"
              : position == last - 2 ? "query heads"
                                     : "the batch of query");
      }
    }
    if (op.getOffset())
      for (int64_t dim = 0; dim < rank(op.getOffset()); ++dim)
        add(op.getOffset(), dim, query, dim, false,
            "the batch of offset and query");
  });
  function.walk([&](AttentionOpInterface op) {
    std::map<unsigned, std::pair<Value, unsigned>> first;
    unsigned next = 0;
    for (Value operand : op->getOperands()) {
      if (next >= op.getIndexingMaps().size())
        break;
      AffineMap map = op.getIndexingMap(next++);
      for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
        if (!argumentOf(operand))
          continue;
        unsigned dim = map.getDimPosition(i);
        auto [known, inserted] = first.insert({dim, {operand, i}});
        if (!inserted)
          add(operand, i, known->second.first, known->second.second, false,
              "dimension d" + Twine(dim) + " of " + op->getName().getStringRef());
      }
    }
  });
  return result;
}

llvm::Error ShapeRules::check(ArrayRef<const Array *> arguments) const {
  for (const Rule &rule : rules) {
    int64_t left = arguments[rule.left.argument]->getShape()[rule.left.dim];
    int64_t right = arguments[rule.right.argument]->getShape()[rule.right.dim];
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
