//===- OperandRelations.cpp - Which extents an op wants equal ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/BlockList.h"
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

void detail::relateStarts(Operation *op, OperandRelations &relations) {
  auto ragged = dyn_cast<RaggedOpInterface>(op);
  if (ragged && ragged.getQueryStarts() && ragged.getKeyStarts())
    relations.add(ragged.getKeyStarts(), 0, ragged.getQueryStarts(), 0,
                  "the requests of key_starts and query_starts");
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
      if (isWithinRequest(mapped, index, i) || isByPosition(mapped, index, i))
        continue;
      auto [known, inserted] = first.insert({dim, {operand, i}});
      if (!inserted)
        relations.add(operand, i, known->second.first, known->second.second,
                      "dimension d" + Twine(dim) + " of " +
                          op->getName().getStringRef());
    }
  }
  relateStarts(op, relations);
  detail::relateBlockList(op, relations);
}

} // namespace attn
