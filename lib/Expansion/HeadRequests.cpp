//===- HeadRequests.cpp - Requests of different lengths ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadExpansion.h"
#include "attn/IR/Utils.h"
#include "attn/IR/Verify.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace attn {

bool HeadAttention::isPacked(Value operand) const {
  if (!operand)
    return false;
  if (operand == query || operand == output || operand == lse ||
      operand == weights)
    return static_cast<bool>(queryStarts);
  return (operand == key || operand == value) && keyStarts && !isPaged();
}

std::optional<int64_t> HeadAttention::getDim(Value operand, int64_t dim) const {
  if (isPaged() && (operand == key || operand == value)) {
    int64_t rank = getNumLeadingDims() + 2;
    if (dim < rank - 3)
      return std::nullopt;
    return dim + getKeyRank() - rank;
  }
  if (!isPacked(operand))
    return dim;
  constexpr std::optional<int64_t> kPacked[] = {std::nullopt, 1, 0, 2};
  return kPacked[dim];
}

SmallVector<int64_t> HeadAttention::getShape(Value operand) const {
  SmallVector<int64_t> shape(detail::getShapeOrScalar(operand.getType()));
  if (!isPacked(operand) || shape.size() < 2)
    return shape;
  int64_t requests = ShapedType::kDynamic;
  for (Value starts : {queryStarts, keyStarts})
    if (starts && !cast<ShapedType>(starts.getType()).isDynamicDim(0))
      requests = cast<ShapedType>(starts.getType()).getDimSize(0) - 1;
  shape[0] = ShapedType::kDynamic;
  std::swap(shape[0], shape[1]);
  shape.insert(shape.begin(), requests);
  return shape;
}

RaggedExtents HeadAttention::getRaggedExtents() const {
  RaggedExtents extents;
  if (!isRagged())
    return extents;
  for (Value operand : {query, output, lse, weights})
    if (operand)
      (queryStarts ? extents.queries : extents.requests)
          .push_back({operand, 0});
  if (weights && keyStarts)
    extents.keyRows.push_back({weights, queryStarts ? 2 : 3});
  if (!isPaged())
    for (Value operand : {key, value})
      (keyStarts ? extents.keys : extents.requests).push_back({operand, 0});
  constexpr int64_t kRank = 4;
  for (Value operand : {bias, booleanMask}) {
    if (!operand)
      continue;
    ArrayRef<int64_t> shape = detail::getShapeOrScalar(operand.getType());
    for (auto [dim, extent] : llvm::enumerate(shape)) {
      int64_t position = dim + kRank - shape.size();
      OperandExtent here{operand, static_cast<int64_t>(dim)};
      if (extent == 1)
        continue;
      if (position == 0)
        extents.requests.push_back(here);
      else if (position == 2 && queryStarts)
        extents.queryRows.push_back(here);
      else if (position == 3 && keyStarts)
        extents.keyRows.push_back(here);
    }
  }
  if (offset && isa<ShapedType>(offset.getType()))
    extents.requests.push_back({offset, 0});
  return extents;
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

LogicalResult HeadAttention::verifyRagged() const {
  if (!isRagged())
    return success();
  if (blocks && !isPaged())
    return emitOpError("(C16) expected physical blocks beside starts, as the "
                       "pages of each request, but got logical ones");
  struct {
    Value value;
    StringRef name;
    bool isPacked;
  } operands[] = {{query, "query", bool(queryStarts)},
                  {key, "key", isPacked(key)},
                  {value, "value", isPacked(value)},
                  {output, "output", bool(queryStarts)},
                  {weights, "weights", bool(queryStarts)}};
  for (auto &[value, name, isPacked] : operands) {
    if (!value)
      continue;
    int64_t rank = detail::getShapeOrScalar(value.getType()).size();
    // Of pages verifyShapes says more.
    if (isPaged() && (value == key || value == this->value))
      continue;
    if (isPacked && rank != 3)
      return emitOpError("(C14) expected ")
             << name << " rank to be 3 (rows x heads x "
             << (value == weights ? "keys" : "features") << "), as there are "
             << (value == key || value == this->value ? "key_starts"
                                                      : "query_starts")
             << ", but got " << rank;
    if (!isPacked && rank != 4)
      return emitOpError("(C14) expected ")
             << name << " rank to be 4 (requests x heads x rows x "
             << (value == weights ? "keys" : "features") << "), as "
             << (isPaged() ? "there are key_starts"
                           : "requests are packed in other operands")
             << ", but got " << rank;
  }
  // Packed rows: what requests do not say.
  auto compareRows = [&](Value first, StringRef firstName, Value second,
                         StringRef secondName) -> LogicalResult {
    if (!second || !isPacked(second))
      return success();
    int64_t expected = detail::getShapeOrScalar(first.getType())[0];
    int64_t got = detail::getShapeOrScalar(second.getType())[0];
    if (expected == got || ShapedType::isDynamic(expected) ||
        ShapedType::isDynamic(got))
      return success();
    return emitOpError("(C4) expected ")
           << secondName << " number of rows to be " << expected << " (as in "
           << firstName << "), but got " << got;
  };
  if (failed(compareRows(key, "key", value, "value")) ||
      failed(compareRows(query, "query", output, "output")) ||
      failed(compareRows(query, "query", weights, "weights")))
    return failure();
  if (lse && detail::getShapeOrScalar(lse.getType()).size() == 2 &&
      failed(compareRows(query, "query", lse, "lse")))
    return failure();
  return detail::verifyStarts(cast<RaggedOpInterface>(op), "C14");
}

//===----------------------------------------------------------------------===//
// Expansion
//===----------------------------------------------------------------------===//

AffineMap HeadExpansion::getMap(Value operand, Dims dims) {
  if (!op.isPacked(operand))
    return getMap(dims);
  SmallVector<AffineExpr> results;
  for (unsigned dim : ArrayRef(dims).drop_front()) {
    AffineExpr expr = rewriter.getAffineDimExpr(dim);
    // Columns of weights are positions within the request.
    if (dim == m || (dim == n && operand != op.weights))
      results.insert(results.begin(),
                     rewriter.getAffineDimExpr(dims.front()) + expr);
    else
      results.push_back(expr);
  }
  return AffineMap::get(numDims, 0, results, rewriter.getContext());
}

Value HeadExpansion::readInteger(Value operand, ValueRange indices) {
  Value element;
  if (isa<TensorType>(operand.getType()))
    element = tensor::ExtractOp::create(rewriter, loc, operand, indices);
  else
    element = memref::LoadOp::create(rewriter, loc, operand, indices);
  return rewriter.createOrFold<arith::IndexCastOp>(loc, rewriter.getIndexType(),
                                                   element);
}

Value HeadExpansion::createOffsets() {
  auto getLength = [&](Value starts) -> Value {
    Value request = createPosition(0);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    Value next = arith::AddIOp::create(rewriter, loc, request, one);
    return arith::SubIOp::create(rewriter, loc, readInteger(starts, next),
                                 readInteger(starts, request));
  };
  Value keys = op.keyStarts   ? getLength(op.keyStarts)
               : op.isPaged() ? countListedKeys()
                              : numKeysValue;
  Value rows = op.queryStarts ? getLength(op.queryStarts) : numRowsValue;
  return arith::SubIOp::create(rewriter, loc, keys, rows);
}

} // namespace attn
