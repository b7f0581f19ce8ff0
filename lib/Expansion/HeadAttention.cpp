//===- HeadAttention.cpp - Attention over heads of rows ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadAttention.h"
#include "attn/IR/Verify.h"

using namespace mlir;

namespace attn {

int64_t HeadAttention::getNumLeadingDims() const {
  return detail::getShapeOrScalar(query.getType()).size() - 2;
}

FloatType HeadAttention::getAccumulationType() const {
  return detail::getWidestFloat({query.getType(), key.getType(),
                                 value.getType(), output.getType()});
}

void HeadAttention::nameRegionArguments(Region &region,
                                        OpAsmSetValueNameFn setName) const {
  SmallVector<std::string> names;
  if (&region == score)
    names.push_back("s");
  int64_t numLeading = getNumLeadingDims();
  for (int64_t i = 0; i + 1 < numLeading; ++i)
    names.push_back(numLeading == 2 ? "batch" : "batch" + std::to_string(i));
  if (numLeading > 0)
    names.push_back("head");
  names.push_back("i");
  names.push_back("j");
  // The region may not have been verified yet.
  for (auto [argument, name] : llvm::zip(region.getArguments(), names))
    setName(argument, name);
}

/// What dimension `dim` of a query of `rank` dimensions is.
static StringRef describeQuery(int64_t dim, int64_t rank) {
  return dim == rank - 2   ? "query rows"
         : dim == rank - 3 ? "query heads"
                           : "the batch of query";
}

void HeadAttention::getExtentRelations(OperandRelations &relations) const {
  auto getRank = [](Value value) -> int64_t {
    return detail::getShapeOrScalar(value.getType()).size();
  };
  int64_t rank = getRank(query), last = rank - 1;
  for (int64_t dim = 0; dim + 2 < last; ++dim) {
    relations.add(key, dim, query, dim, "the batch of key and query");
    relations.add(value, dim, query, dim, "the batch of value and query");
  }
  if (last >= 2) {
    relations.add(query, last - 2, key, last - 2,
                  "query heads, a multiple of key heads", /*multiple=*/true);
    relations.add(value, last - 2, key, last - 2,
                  "the heads of value and key");
  }
  relations.add(value, last - 1, key, last - 1, "the rows of value and key");
  relations.add(key, last, query, last, "the width of key and query");
  for (Value init : {output, lse})
    for (int64_t dim = 0; init && dim < last; ++dim)
      relations.add(init, dim, query, dim, describeQuery(dim, rank));
  if (weights) {
    for (int64_t dim = 0; dim < last; ++dim)
      relations.add(weights, dim, query, dim, describeQuery(dim, rank));
    relations.add(weights, last, key, last - 1, "key rows");
  }
  relations.add(output, last, value, last, "the width of output and value");
  for (Value operand : {bias, booleanMask}) {
    if (!operand)
      continue;
    ArrayRef<int64_t> shape = detail::getShapeOrScalar(operand.getType());
    int64_t missing = rank - shape.size();
    for (auto [dim, extent] : llvm::enumerate(shape)) {
      // An extent that is 1 by its type is broadcast.
      if (extent == 1)
        continue;
      int64_t position = dim + missing;
      if (position == last)
        relations.add(operand, dim, key, last - 1, "key rows");
      else
        relations.add(operand, dim, query, position,
                      describeQuery(position, rank));
    }
  }
  if (sink && getRank(sink) == 1)
    relations.add(sink, 0, query, rank - 3, "query heads");
  if (offset)
    for (int64_t dim = 0; dim < getRank(offset); ++dim)
      relations.add(offset, dim, query, dim, "the batch of offset and query");
}

} // namespace attn
