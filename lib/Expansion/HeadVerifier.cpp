//===- HeadVerifier.cpp - Verification of attention over heads --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadAttention.h"
#include "attn/IR/Verify.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace attn {

namespace {

/// An operand as errors call it, and its shape.
struct NamedShape {
  StringRef name;
  SmallVector<int64_t> shape;
};

} // namespace

/// Extent `position` of every operand, counted from the front, or from the
/// back if it is negative, is the same. `what` is how errors call it.
static LogicalResult verifySameExtent(const HeadAttention &op, StringRef label,
                                      const Twine &what, int64_t position,
                                      ArrayRef<NamedShape> operands) {
  const NamedShape *first = nullptr;
  auto getExtent = [&](const NamedShape &operand) {
    return operand
        .shape[position < 0 ? operand.shape.size() + position : position];
  };
  for (const NamedShape &operand : operands) {
    if (ShapedType::isDynamic(getExtent(operand)))
      continue;
    if (!first)
      first = &operand;
    else if (getExtent(*first) != getExtent(operand))
      return op.emitOpError("(")
             << label << ") expected " << operand.name << " " << what
             << " to be " << getExtent(*first) << " (as in " << first->name
             << "), but got " << getExtent(operand);
  }
  return success();
}

/// The first extent of the list that is static, if any is.
static int64_t getStaticExtent(std::initializer_list<int64_t> extents) {
  for (int64_t extent : extents)
    if (!ShapedType::isDynamic(extent))
      return extent;
  return ShapedType::kDynamic;
}

/// (C1) to (C4)
static LogicalResult verifyShapes(const HeadAttention &op) {
  NamedShape query{"query", op.getShape(op.query)};
  NamedShape key{"key", op.getShape(op.key)};
  NamedShape value{"value", op.getShape(op.value)};
  NamedShape output{"output", op.getShape(op.output)};
  int64_t rank = query.shape.size();
  if (rank < 2)
    return op.emitOpError("(C1) expected query rank to be at least 2 (rows x "
                          "features), but got ")
           << rank;
  for (const NamedShape &operand : {key, value, output}) {
    int64_t given = operand.shape.size();
    if (op.isPaged() && operand.name != "output") {
      if (given != op.getKeyRank())
        return op.emitOpError("(C17) expected ")
               << operand.name << " rank to be " << op.getKeyRank()
               << " (pages x " << (rank > 2 ? "heads x " : "")
               << "rows x features, as blocks are physical), but got " << given;
    } else if (given != rank) {
      return op.emitOpError("(C1) expected ")
             << operand.name << " rank to be " << rank
             << " (as in query), but got " << given;
    }
  }

  SmallVector<NamedShape> batched{query, key, value, output};
  if (op.isPaged()) {
    batched = {query, output};
    if (failed(verifySameExtent(op, "C17", "number of pages", 0, {key, value})))
      return failure();
  }
  for (int64_t i = 0; i < rank - 3; ++i)
    if (failed(verifySameExtent(
            op, "C2", "extent of batch dimension " + Twine(i), i, batched)))
      return failure();

  if (rank > 2) {
    if (failed(
            verifySameExtent(op, "C3", "number of heads", -3, {key, value})) ||
        failed(
            verifySameExtent(op, "C4", "number of heads", -3, {query, output})))
      return failure();
    int64_t heads =
        getStaticExtent({query.shape[rank - 3], output.shape[rank - 3]});
    int64_t keyHeads = getStaticExtent(
        {key.shape[key.shape.size() - 3], value.shape[value.shape.size() - 3]});
    if (!ShapedType::isDynamic(heads) && !ShapedType::isDynamic(keyHeads) &&
        (keyHeads == 0 ? heads != 0 : heads % keyHeads != 0))
      return op.emitOpError("(C3) expected the number of query heads to be a "
                            "multiple of the number of key heads, ")
             << keyHeads << ", but got " << heads;
  }

  if (failed(
          verifySameExtent(op, "C4", "feature dimension", -1, {query, key})) ||
      failed(verifySameExtent(op, "C4", "number of rows", -2, {key, value})) ||
      failed(verifySameExtent(op, "C4", "number of rows", -2, {query, output})))
    return failure();
  return verifySameExtent(op, "C4", "width", -1, {value, output});
}

/// (C5)
static LogicalResult verifyBroadcast(const HeadAttention &op, StringRef name,
                                     Value operand) {
  if (!operand)
    return success();
  SmallVector<int64_t> expected = op.getShape(op.output);
  SmallVector<int64_t> query = op.getShape(op.query);
  SmallVector<int64_t> key = op.getShape(op.key);
  SmallVector<int64_t> value = op.getShape(op.value);
  size_t rank = expected.size();
  for (size_t i = 0; i + 1 < rank; ++i)
    expected[i] = getStaticExtent({query[i], expected[i]});
  // Of pages, neither the batch nor the number of keys is one of theirs.
  for (size_t i = 0; i + 3 < rank && !op.isPaged(); ++i)
    expected[i] = getStaticExtent({expected[i], key[i], value[i]});
  expected.back() = op.isPaged()
                        ? ShapedType::kDynamic
                        : getStaticExtent({key[rank - 2], value[rank - 2]});

  ArrayRef<int64_t> shape = detail::getShapeOrScalar(operand.getType());
  if (shape.size() > rank)
    return op.emitOpError("(C5) expected ")
           << name << " rank to be at most " << rank
           << " (that of query), but got " << shape.size();
  size_t dropped = rank - shape.size();
  for (auto [index, extent] : llvm::enumerate(shape)) {
    size_t position = index + dropped;
    if (ShapedType::isDynamic(extent) || extent == 1 ||
        ShapedType::isDynamic(expected[position]) ||
        extent == expected[position])
      continue;
    InFlightDiagnostic diag = op.emitOpError("(C5) expected ");
    diag << name << " ";
    if (position + 1 == rank)
      diag << "number of keys";
    else if (position + 2 == rank)
      diag << "number of rows";
    else if (position + 3 == rank)
      diag << "number of heads";
    else
      diag << "extent of batch dimension " << position;
    return diag << " to be " << expected[position]
                << " or 1 (broadcast), but got " << extent;
  }
  return success();
}

/// (C6)
static LogicalResult verifyOffset(const HeadAttention &op) {
  Value offset = op.offset;
  if (!offset) {
    if (op.causal == CausalKind::offset)
      return op.emitOpError(
          "(C6) expected an offset operand, as causal is offset");
    return success();
  }
  bool forWindow = op.causal == CausalKind::none && op.window;
  if (op.causal != CausalKind::offset && !forWindow)
    return op.emitOpError("(C6) expected no offset operand, as causal is ")
           << stringifyCausalKind(op.causal) << ", not offset"
           << (op.causal == CausalKind::none ? ", and there is no window" : "");
  Type type = offset.getType();
  if (!getElementTypeOrSelf(type).isSignlessIntOrIndex())
    return op.emitOpError("(C6) expected offset to hold integers, but got ")
           << type;
  if (!isa<ShapedType>(type))
    return success();
  int64_t numBatch = std::max<int64_t>(op.getNumLeadingDims() - 1, 0);
  auto shaped = cast<ShapedType>(type);
  if (!shaped.hasRank() || shaped.getRank() != numBatch)
    return op.emitOpError("(C6) expected offset to be an integer or to have "
                          "the ")
           << numBatch << " batch dimensions of query, but got " << type;
  NamedShape query{"query", op.getShape(op.query)};
  NamedShape offsets{"offset", SmallVector<int64_t>(shaped.getShape())};
  for (int64_t i = 0; i < numBatch; ++i)
    if (failed(verifySameExtent(op, "C6",
                                "extent of batch dimension " + Twine(i), i,
                                {query, offsets})))
      return failure();
  return success();
}

/// (C7)
static LogicalResult verifyNumbers(const HeadAttention &op) {
  if (std::optional<ArrayRef<int64_t>> window = op.window) {
    if (window->size() != 2)
      return op.emitOpError("(C7) expected window to have two bounds, left and "
                            "right, but got ")
             << window->size();
    if (llvm::any_of(*window, [](int64_t bound) { return bound < -1; }))
      return op.emitOpError(
                 "(C7) expected window bounds to be 0 or more, or -1 for "
                 "unbounded, but got [")
             << *window << "]";
  }
  auto isFinite = [](FloatAttr number) {
    return !number || number.getValue().isFinite();
  };
  if (!isFinite(op.softcap) ||
      (op.softcap && !(op.softcap.getValueAsDouble() > 0)))
    return op.emitOpError(
               "(C7) expected softcap to be positive and finite, but got ")
           << op.softcap;
  if (!isFinite(op.scale))
    return op.emitOpError("(C7) expected scale to be finite, but got ")
           << op.scale;
  return success();
}

/// (C10)
static LogicalResult verifyLse(const HeadAttention &op) {
  if (!op.lse)
    return success();
  size_t rank = detail::getShapeOrScalar(op.output.getType()).size() - 1;
  size_t lseRank = detail::getShapeOrScalar(op.lse.getType()).size();
  if (lseRank != rank)
    return op.emitOpError("(C10) expected lse rank to be ")
           << rank << " (output without its last dimension), but got "
           << lseRank;
  NamedShape expected{"output", op.getShape(op.output)};
  expected.shape.pop_back();
  NamedShape lse{"lse", op.getShape(op.lse)};
  for (size_t i = 0; i < lse.shape.size(); ++i)
    if (failed(verifySameExtent(op, "C10", "extent of dimension " + Twine(i), i,
                                {expected, lse})))
      return failure();
  return success();
}

/// (C13)
static LogicalResult verifyWeights(const HeadAttention &op) {
  if (!op.weights)
    return success();
  NamedShape output{"output", op.getShape(op.output)};
  NamedShape key{"key", op.getShape(op.key)};
  NamedShape weights{"weights", op.getShape(op.weights)};
  int64_t rank = output.shape.size();
  if (static_cast<int64_t>(weights.shape.size()) != rank)
    return op.emitOpError("(C13) expected weights rank to be ")
           << rank << " (as in output), but got " << weights.shape.size();
  for (int64_t i = 0; i + 1 < rank; ++i)
    if (failed(verifySameExtent(op, "C13", "extent of dimension " + Twine(i), i,
                                {output, weights})))
      return failure();
  if (op.isPaged())
    return success();
  NamedShape keys{"key", key.shape};
  keys.shape.pop_back();
  return verifySameExtent(op, "C13", "number of key rows", -1, {keys, weights});
}

/// (C12)
static LogicalResult verifySink(const HeadAttention &op) {
  if (!op.sink)
    return success();
  Type type = op.sink.getType();
  if (!isa<FloatType>(getElementTypeOrSelf(type)))
    return op.emitOpError("(C12) expected sink to hold floats, but got ")
           << type;
  if (!isa<ShapedType>(type))
    return success();
  SmallVector<int64_t> query = op.getShape(op.query);
  ArrayRef<int64_t> sink = detail::getShapeOrScalar(type);
  if (query.size() < 3 || sink.size() != 1)
    return op.emitOpError("(C12) expected sink to be a number")
           << (query.size() < 3 ? ", as query has no heads"
                                : " or to have one number per query head")
           << ", but got " << type;
  int64_t heads = getStaticExtent(
      {query[query.size() - 3], op.getShape(op.output)[query.size() - 3]});
  if (!ShapedType::isDynamic(heads) && !ShapedType::isDynamic(sink[0]) &&
      heads != sink[0])
    return op.emitOpError("(C12) expected sink number of heads to be ")
           << heads << " (as in query), but got " << sink[0];
  return success();
}

LogicalResult HeadAttention::verify() const {
  if (failed(verifyRagged()) || failed(verifyShapes(*this)) ||
      failed(verifyBlocks()) || failed(verifyBroadcast(*this, "bias", bias)) ||
      failed(verifyBroadcast(*this, "boolean_mask", booleanMask)) ||
      failed(verifyOffset(*this)) || failed(verifyNumbers(*this)) ||
      failed(verifyLse(*this)) || failed(verifySink(*this)) ||
      failed(verifyWeights(*this)))
    return failure();
  return detail::verifyDestinationStyle(cast<DestinationStyleOpInterface>(op),
                                        "C11");
}

/// (C8) and (C9) for one region: `leading` arguments, then the positions.
static LogicalResult verifyPositionRegion(const HeadAttention &op,
                                          Region &region, StringRef name,
                                          TypeRange leading, Type result) {
  if (region.empty())
    return success();
  SmallVector<Type> expected(leading);
  expected.append(op.getNumLeadingDims() + 2,
                  IndexType::get(op.op->getContext()));
  if (failed(detail::verifyBodySignature(region, name, expected, result, "C8")))
    return failure();
  return detail::verifyElementwiseBody(region, name, "C9");
}

LogicalResult HeadAttention::verifyRegions() const {
  FloatType accType = getAccumulationType();
  if (failed(verifyPositionRegion(*this, *mask, "mask", {},
                                  IntegerType::get(op->getContext(), 1))))
    return failure();
  return verifyPositionRegion(*this, *score, "score", {accType}, accType);
}

} // namespace attn
