//===- Ragged.cpp - Requests that lie packed --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Ragged.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/Verify.h"

using namespace mlir;

namespace attn {

/// The dimensions of a sum of two.
static std::optional<std::pair<unsigned, unsigned>> getSum(AffineExpr expr) {
  auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!sum || sum.getKind() != AffineExprKind::Add)
    return std::nullopt;
  auto left = dyn_cast<AffineDimExpr>(sum.getLHS());
  auto right = dyn_cast<AffineDimExpr>(sum.getRHS());
  if (!left || !right)
    return std::nullopt;
  // However it is written, the request comes before the rows.
  return std::minmax(left.getPosition(), right.getPosition());
}

AffineMap dropRequests(AffineMap map) {
  SmallVector<AffineExpr> results(map.getResults());
  bool isRagged = false;
  for (AffineExpr &result : results)
    if (auto sum = getSum(result)) {
      result = getAffineDimExpr(sum->second, map.getContext());
      isRagged = true;
    }
  return isRagged ? AffineMap::get(map.getNumDims(), map.getNumSymbols(),
                                   results, map.getContext())
                  : map;
}

std::optional<unsigned> getRequestDim(AffineMap map) {
  for (AffineExpr result : map.getResults())
    if (auto sum = getSum(result))
      return sum->first;
  return std::nullopt;
}

/// The packed row dimension of a map.
static std::optional<unsigned> getPackedRow(AffineMap map) {
  for (AffineExpr result : map.getResults())
    if (auto sum = getSum(result))
      return sum->second;
  return std::nullopt;
}

bool isRagged(RaggedOpInterface op) {
  return op.getQueryStarts() || op.getKeyStarts();
}

/// The dimension along which lists of pages follow each other, in an op that
/// need not be valid.
static std::optional<unsigned> getListedRequest(AttentionOpInterface op) {
  std::optional<BlockList> blocks = BlockList::of(op);
  if (!blocks || !blocks->isPhysical() || blocks->attr.getMaps().size() != 2)
    return std::nullopt;
  AffineMap map = blocks->getIndptrMap();
  if (!map.isProjectedPermutation() || map.getNumDims() != op.getNumDims())
    return std::nullopt;
  return blocks->getListDim();
}

std::optional<RaggedDims> getRaggedDims(AttentionOpInterface op) {
  auto ragged = dyn_cast<RaggedOpInterface>(op.getOperation());
  if (!ragged || !isRagged(ragged))
    return std::nullopt;
  AffineMap query = op.getWrittenMap(0), key = op.getWrittenMap(1);
  std::optional<unsigned> request = getRequestDim(query);
  if (!request)
    request = getRequestDim(key);
  if (!request)
    request = getListedRequest(op);
  if (!request)
    return std::nullopt;
  return RaggedDims{*request, getPackedRow(query), getPackedRow(key)};
}

bool isPacked(AttentionOpInterface op, unsigned index, unsigned position) {
  return getSum(op.getWrittenMap(index).getResult(position)).has_value();
}

bool isWithinRequest(AttentionOpInterface op, unsigned index,
                     unsigned position) {
  std::optional<RaggedDims> dims = getRaggedDims(op);
  return dims && !isPacked(op, index, position) &&
         dims->isRow(op.getIndexingMap(index).getDimPosition(position));
}

RaggedExtents GenericOp::getRaggedExtents() {
  RaggedExtents extents;
  std::optional<RaggedDims> dims = getRaggedDims(*this);
  if (!dims)
    return extents;
  for (auto [index, operand] : llvm::enumerate(getMappedOperands())) {
    AffineMap map = getIndexingMap(index);
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
      unsigned dim = map.getDimPosition(i);
      OperandExtent extent{operand, i};
      bool packed = isPacked(*this, index, i);
      if (dim == dims->request)
        extents.requests.push_back(extent);
      else if (dims->queryRow == dim)
        (packed ? extents.queries : extents.queryRows).push_back(extent);
      else if (dims->keyRow == dim)
        (packed ? extents.keys : extents.keyRows).push_back(extent);
    }
  }
  // Lists that a request has for itself.
  if (std::optional<BlockList> blocks = BlockList::of(*this);
      blocks && blocks->attr.getMaps().size() == 2) {
    auto addLeading = [&](Value operand, AffineMap map) {
      int64_t last = cast<ShapedType>(operand.getType()).getRank() - 1;
      std::optional<unsigned> position =
          map.getResultPosition(getAffineDimExpr(dims->request, getContext()));
      if (position && *position < last)
        extents.requests.push_back({operand, *position});
    };
    addLeading(blocks->indptr, blocks->getIndptrMap());
    addLeading(blocks->indices, blocks->getIndicesMap());
  }
  return extents;
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

LogicalResult detail::verifyStarts(RaggedOpInterface op, StringRef label) {
  struct {
    Value value;
    StringRef name;
  } starts[] = {{op.getQueryStarts(), "query_starts"},
                {op.getKeyStarts(), "key_starts"}};
  // The number of requests, and where it is from.
  int64_t known = ShapedType::kDynamic;
  std::string origin;
  for (OperandExtent extent : op.getRaggedExtents().requests) {
    int64_t number = getShapeOrScalar(extent.operand.getType())[extent.dim];
    if (ShapedType::isDynamic(number) || !ShapedType::isDynamic(known))
      continue;
    known = number;
    origin = "for " + std::to_string(number) + " requests";
  }
  for (auto &[value, name] : starts) {
    if (!value)
      continue;
    int64_t extent = getShapeOrScalar(value.getType())[0];
    if (ShapedType::isDynamic(extent))
      continue;
    if (extent == 0)
      return op->emitOpError("(")
             << label << ") expected " << name
             << " to have an element more than there are requests, but got "
             << value.getType();
    if (!ShapedType::isDynamic(known) && extent != known + 1)
      return op->emitOpError("(")
             << label << ") expected " << name << " to have " << known + 1
             << " elements (" << origin << "), but got " << extent;
    known = extent - 1;
    origin = "as " + name.str() + " has";
  }
  return success();
}

LogicalResult detail::verifyRagged(AttentionOpInterface op) {
  auto ragged = dyn_cast<RaggedOpInterface>(op.getOperation());
  auto describe = [&](unsigned index) { return getOperandName(op, index); };
  if (!ragged || !isRagged(ragged))
    return success();
  if (std::optional<BlockList> blocks = BlockList::of(op);
      blocks && !blocks->isPhysical())
    return op.emitOpError("(C20) expected physical blocks beside starts, as "
                          "the pages of each request, but got logical ones");
  DimensionClasses classes = op.getDimensionClasses();
  std::optional<RaggedDims> dims = getRaggedDims(op);
  struct {
    Value starts;
    StringRef name, rowName;
    ArrayRef<unsigned> rows;
  } sides[] = {
      {ragged.getQueryStarts(), "query_starts", "query row", classes.queryRows},
      {ragged.getKeyStarts(), "key_starts", "key row", classes.keyRows}};
  // Starts of keys in pages count them, and say nothing of where they lie.
  if (BlockList::hasPages(op))
    sides[1].starts = Value();
  for (unsigned index = 0, e = op.getIndexingMaps().size(); index < e;
       ++index) {
    AffineMap map = op.getWrittenMap(index);
    bool isKey = index == 1 || index == 2;
    bool isQuery = index == 0 || index >= op.getOutputIndex();
    bool found[] = {false, false};
    if (describe(index) == "weights" && index >= op.getOutputIndex())
      for (AffineExpr result : map.getResults())
        if (auto sum = getSum(result);
            sum && llvm::is_contained(classes.keyRows, sum->second))
          return op.emitOpError("(C17) expected weights to go by the position "
                                "within the request along d")
                 << sum->second
                 << ", as rows of several requests have keys "
                    "of their own, but got "
                 << AffineMapAttr::get(map);
    for (AffineExpr result : map.getResults()) {
      auto sum = getSum(result);
      if (!sum)
        continue;
      bool fits = false;
      for (auto [side, seen] : llvm::zip_equal(sides, found)) {
        if (!dims || !side.starts || side.rows.empty() ||
            sum->second != side.rows.back() || sum->first != dims->request)
          continue;
        fits = !seen;
        seen = true;
      }
      if (!fits)
        return op.emitOpError("(C16) expected sums in the map of ")
               << describe(index)
               << " to be one of the request, a dimension before the rows, and "
                  "the last query row dimension beside query_starts, or key "
                  "row "
                  "dimension beside key_starts, but got "
               << AffineMapAttr::get(map);
      if (map.isFunctionOfDim(sum->first) &&
          llvm::is_contained(map.getResults(),
                             getAffineDimExpr(sum->first, map.getContext())))
        return op.emitOpError("(C16) expected the map of ")
               << describe(index)
               << " to have the request in sums alone, as it is packed, but "
                  "got "
               << AffineMapAttr::get(map);
    }
    for (unsigned i = 0; i < 2; ++i)
      if (sides[i].starts && !found[i] && (i == 0 ? isQuery : isKey))
        return op.emitOpError("(C16) expected the map of ")
               << describe(index)
               << " to have a sum of the request and the last "
               << sides[i].rowName << " dimension, as there are "
               << sides[i].name << ", but got " << AffineMapAttr::get(map);
  }
  return verifyStarts(ragged, "C15");
}

} // namespace attn
