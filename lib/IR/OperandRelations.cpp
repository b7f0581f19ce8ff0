//===- OperandRelations.cpp - Which extents an op wants equal ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Verify.h"

#include <map>

using namespace mlir;

namespace attn {

void OperandRelations::add(Value left, int64_t leftDim, Value right,
                           int64_t rightDim, const Twine &meaning,
                           bool multiple) {
  auto getNumber = [&](Value value) -> unsigned {
    return llvm::find(op->getOperands(), value) - op->operand_begin();
  };
  relations.push_back({getNumber(left), getNumber(right), leftDim, rightDim,
                       multiple, meaning.str()});
}

void detail::relateMappedExtents(Operation *op, OperandRelations &relations) {
  auto mapped = dyn_cast<AttentionOpInterface>(op);
  if (!mapped)
    return;
  std::map<unsigned, std::pair<Value, unsigned>> first;
  for (auto [index, operand] : llvm::enumerate(mapped.getMappedOperands())) {
    AffineMap map = mapped.getStoredMap(index);
    if (getShapeOrScalar(operand.getType()).size() != map.getNumResults())
      continue;
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
      unsigned dim = map.getDimPosition(i);
      auto [known, inserted] = first.insert({dim, {operand, i}});
      if (!inserted)
        relations.add(operand, i, known->second.first, known->second.second,
                      "dimension d" + Twine(dim) + " of " +
                          op->getName().getStringRef());
    }
  }
}

} // namespace attn
