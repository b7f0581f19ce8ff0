//===- HeadBlocks.cpp - Lists of key blocks over heads ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadExpansion.h"
#include "attn/IR/Reshape.h"
#include "attn/IR/Verify.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// (C16)
static LogicalResult verifyListShape(const HeadAttention &op, StringRef name,
                                     Value operand, int64_t last) {
  ArrayRef<int64_t> shape = detail::getShapeOrScalar(operand.getType());
  SmallVector<int64_t> query = op.getShape(op.query);
  int64_t numBatch = op.getNumListBatchDims(), rank = shape.size();
  if (rank < 1 || rank > numBatch + 1)
    return op.emitOpError("(C16) expected ")
           << name << " rank to be from 1 to " << numBatch + 1 << ", but got "
           << rank;
  for (int64_t i = 0; i + 1 < rank; ++i) {
    int64_t expected = query[numBatch + 1 - rank + i];
    if (shape[i] != 1 && !ShapedType::isDynamic(shape[i]) &&
        !ShapedType::isDynamic(expected) && shape[i] != expected)
      return op.emitOpError("(C16) expected ")
             << name << " extent " << i << " to be " << expected
             << " (as in query) or 1 (broadcast), but got " << shape[i];
  }
  if (ShapedType::isDynamic(shape.back()) || ShapedType::isDynamic(last) ||
      shape.back() == last)
    return success();
  return op.emitOpError("(C16) expected ")
         << name << " extent " << rank - 1 << " to be " << last
         << " (one more than there are lists, one for each "
         << op.blocks.getRows()
         << (op.isRagged()                                ? " request"
             : op.isPaged() && op.getNumLeadingDims() > 1 ? " of the batch"
                                                          : " query rows")
         << "), but got " << shape.back();
}

LogicalResult HeadAttention::verifyBlocks() const {
  if (!blocks && !indptr && !indices)
    return success();
  if (!blocks || !indptr || !indices)
    return emitOpError(
        "(C16) expected indptr, indices and blocks, all or none");
  if (!blocks.getMaps().empty())
    return emitOpError("(C16) expected blocks without maps, which follow from "
                       "shapes");
  int64_t extent = getShape(query)[getListDim()];
  int64_t last = extent;
  if (!ShapedType::isDynamic(extent))
    last = llvm::divideCeil(static_cast<uint64_t>(extent),
                            static_cast<uint64_t>(blocks.getRows())) +
           1;
  if (failed(verifyListShape(*this, "indptr", indptr, last)) ||
      failed(verifyListShape(*this, "indices", indices, ShapedType::kDynamic)))
    return failure();
  if (!isPaged())
    return success();
  int64_t keyRank = getKeyRank();
  for (auto [operand, name] :
       {std::pair(key, "key"), std::pair(value, "value")})
    if (int64_t rows = detail::getShapeOrScalar(operand.getType())[keyRank - 2];
        rows != blocks.getKeys()) {
      InFlightDiagnostic diag = emitOpError("(C17) expected ");
      diag << name << " to have " << blocks.getKeys()
           << " rows in a page (keys of blocks), in a static extent, but got ";
      if (ShapedType::isDynamic(rows))
        return diag << "a dynamic one";
      return diag << rows;
    }
  return success();
}

/// The dimensions of `operand`, indptr or indices, but the last; what is
/// broadcast leaves it.
HeadExpansion::Dims HeadExpansion::takeListDims(Value &operand) {
  auto type = cast<ShapedType>(operand.getType());
  unsigned numLeading = type.getRank() - 1;
  unsigned missing = op.getNumListBatchDims() - numLeading;
  llvm::SmallBitVector dropped(type.getRank());
  Dims dims;
  std::optional<unsigned> headPosition;
  for (unsigned i = 0; i < numLeading; ++i) {
    unsigned position = i + missing;
    if (type.getDimSize(i) == 1) {
      dropped.set(i);
    } else if (position < getNumBatchDims()) {
      dims.push_back(position);
    } else {
      headPosition = dims.size();
      dims.append(headDims);
    }
  }
  operand = dropUnitDimensions(rewriter, loc, operand, dropped);
  if (headPosition && headDims.size() == 2)
    operand = expandDimension(rewriter, loc, operand, *headPosition,
                              numKeyHeads, groupSize);
  return dims;
}

Value HeadExpansion::countListedKeys() {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(rewriter, loc, value);
  };
  auto type = cast<ShapedType>(op.indptr.getType());
  unsigned numLeading = type.getRank() - 1;
  unsigned missing = op.getNumListBatchDims() - numLeading;
  SmallVector<Value> list;
  // What has an extent of 1 is broadcast.
  for (unsigned i = 0; i < numLeading; ++i)
    list.push_back(type.getDimSize(i) == 1 ? constant(0)
                                           : createPosition(i + missing));
  list.push_back(arith::DivUIOp::create(rewriter, loc,
                                        createPosition(op.getListDim()),
                                        constant(op.blocks.getRows())));
  Value first = readInteger(op.indptr, list);
  list.back() = arith::AddIOp::create(rewriter, loc, list.back(), constant(1));
  Value entries =
      arith::SubIOp::create(rewriter, loc, readInteger(op.indptr, list), first);
  return arith::MulIOp::create(rewriter, loc, entries,
                               constant(op.blocks.getKeys()));
}

void HeadExpansion::decideBlocks() {
  if (!op.blocks)
    return;
  listBounds = op.indptr;
  listEntries = op.indices;
  Dims lists = takeListDims(listBounds);
  lists.push_back(op.getListDim() == rank - 2 ? m : op.getListDim());
  AffineMap maps[] = {getMap(lists), getMap(takeListDims(listEntries))};
  blocks = BlockListAttr::get(rewriter.getContext(), op.blocks.getRows(),
                              op.blocks.getKeys(), op.blocks.getKind(), maps);
}

} // namespace attn
