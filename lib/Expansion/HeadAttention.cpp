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
  return getShape(query).size() - 2;
}

int64_t HeadAttention::getKeyRank() const {
  int64_t rank = getNumLeadingDims() + 2;
  return !isPaged() ? rank : rank > 2 ? 4 : 3;
}

int64_t HeadAttention::getListDim() const {
  int64_t rows = getNumLeadingDims();
  return isPaged() && rows > 1 ? rows - 2 : rows;
}

int64_t HeadAttention::getNumListBatchDims() const {
  int64_t rows = getNumLeadingDims();
  return !isPaged() ? rows : std::max<int64_t>(rows - 2, 0);
}

FloatType HeadAttention::getAccumulationType() const {
  return detail::getWidestFloat(
      {query.getType(), key.getType(), value.getType(), output.getType()});
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
  int64_t rank = getShape(query).size(), last = rank - 1;
  // What is packed has the requests' own extents: see getRaggedExtents.
  auto relate = [&](Value left, int64_t leftDim, Value right, int64_t rightDim,
                    const Twine &meaning, bool multiple = false) {
    std::optional<int64_t> leftAt = getDim(left, leftDim);
    std::optional<int64_t> rightAt = getDim(right, rightDim);
    if (leftAt && rightAt)
      relations.add(left, *leftAt, right, *rightAt, meaning, multiple);
  };
  for (int64_t dim = 0; dim + 2 < last && !isPaged(); ++dim) {
    relate(key, dim, query, dim, "the batch of key and query");
    relate(value, dim, query, dim, "the batch of value and query");
  }
  if (isPaged())
    relations.add(value, 0, key, 0, "the pages of value and key");
  if (last >= 2) {
    relate(query, last - 2, key, last - 2,
           "query heads, a multiple of key heads", /*multiple=*/true);
    relate(value, last - 2, key, last - 2, "the heads of value and key");
  }
  relate(value, last - 1, key, last - 1, "the rows of value and key");
  relate(key, last, query, last, "the width of key and query");
  for (Value init : {output, lse})
    for (int64_t dim = 0; init && dim < last; ++dim)
      relate(init, dim, query, dim, describeQuery(dim, rank));
  if (weights) {
    for (int64_t dim = 0; dim < last; ++dim)
      relate(weights, dim, query, dim, describeQuery(dim, rank));
    // By the position in a list or a request, of which only the run knows how
    // long they are.
    if (!isPaged() && !keyStarts)
      relate(weights, last, key, last - 1, "key rows");
  }
  relate(output, last, value, last, "the width of output and value");
  for (Value lists : {indptr, indices}) {
    if (!lists)
      continue;
    ArrayRef<int64_t> shape =
        detail::getShapeOrScalar(lists.getType()).drop_back();
    int64_t missing = getNumListBatchDims() - shape.size();
    for (auto [dim, extent] : llvm::enumerate(shape))
      // An extent that is 1 by its type is broadcast.
      if (extent != 1)
        relations.add(lists, dim, query, dim + missing,
                      describeQuery(dim + missing, rank));
  }
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
      bool isRow = position + 1 == last;
      if ((isRow && queryStarts) ||
          (position == last && (keyStarts || isPaged())))
        continue;
      if (position == last)
        relate(operand, dim, key, last - 1, "key rows");
      else
        relate(operand, dim, query, position, describeQuery(position, rank));
    }
  }
  if (sink && getRank(sink) == 1)
    relate(sink, 0, query, rank - 3, "query heads");
  if (offset)
    for (int64_t dim = 0; dim < getRank(offset); ++dim)
      relate(offset, dim, query, dim, "the batch of offset and query");
  detail::relateStarts(op, relations);
}

} // namespace attn
