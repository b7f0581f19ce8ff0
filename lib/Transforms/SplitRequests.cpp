//===- SplitRequests.cpp - A loop over packed requests ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Reshape.h"
#include "attn/IR/Utils.h"
#include "attn/Tiling/IterationBox.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {

namespace {

/// Writes the loop for one op.
class RequestSplitter {
public:
  RequestSplitter(OpBuilder &builder, GenericOp op)
      : b(builder), loc(op.getLoc()), op(op), dims(*getRaggedDims(op)) {}

  std::pair<SmallVector<Value>, GenericOp> run();

private:
  /// Where the request at hand lies in mapped operand `index`.
  void locate(unsigned index, Value operand,
              SmallVectorImpl<OpFoldResult> &from,
              SmallVectorImpl<OpFoldResult> &extents);
  /// The request of an operand, without a dimension of requests.
  Value take(unsigned index, Value operand);
  /// `whole` with the request in its place.
  Value put(unsigned index, Value part, Value whole);
  AffineMap getMap(unsigned index);
  void cloneBody(Region &from, Region &to);
  GenericOp createRequest(ValueRange operands);

  OpBuilder &b;
  Location loc;
  GenericOp op;
  RaggedDims dims;
  Value request;
  /// First and number of the rows of the request, by row dimension.
  llvm::DenseMap<unsigned, std::pair<Value, Value>> rows;
};

} // namespace

void RequestSplitter::locate(unsigned index, Value operand,
                             SmallVectorImpl<OpFoldResult> &from,
                             SmallVectorImpl<OpFoldResult> &extents) {
  extents = tensor::getMixedSizes(b, loc, operand);
  from.assign(extents.size(), b.getIndexAttr(0));
  AffineMap map = op.getIndexingMap(index);
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    if (dim == dims.request) {
      from[i] = request;
      extents[i] = b.getIndexAttr(1);
    } else if (auto found = rows.find(dim); found != rows.end()) {
      if (isPacked(op, index, i))
        from[i] = found->second.first;
      extents[i] = found->second.second;
    }
  }
}

Value RequestSplitter::take(unsigned index, Value operand) {
  if (!isa<RankedTensorType>(operand.getType()))
    return operand;
  SmallVector<OpFoldResult> from, extents;
  locate(index, operand, from, extents);
  Value slice = createSlice(b, loc, operand, from, extents);
  std::optional<unsigned> position = op.getIndexingMap(index).getResultPosition(
      b.getAffineDimExpr(dims.request));
  if (!position)
    return slice;
  llvm::SmallBitVector dropped(from.size());
  dropped.set(*position);
  return dropUnitDimensions(b, loc, slice, dropped);
}

Value RequestSplitter::put(unsigned index, Value part, Value whole) {
  SmallVector<OpFoldResult> from, extents;
  locate(index, whole, from, extents);
  return insertSlice(b, loc, part, whole, from, extents);
}

/// The map without the request.
AffineMap RequestSplitter::getMap(unsigned index) {
  AffineMap map = op.getIndexingMap(index);
  SmallVector<AffineExpr> results;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    if (dim != dims.request)
      results.push_back(b.getAffineDimExpr(dim - (dim > dims.request)));
  }
  return AffineMap::get(map.getNumDims() - 1, 0, results, b.getContext());
}

void RequestSplitter::cloneBody(Region &from, Region &to) {
  cloneRegion(b, from, to, [&](IndexOp position) -> Value {
    unsigned dim = position.getDim();
    if (dim == dims.request)
      return request;
    return IndexOp::create(b, loc, dim - (dim > dims.request));
  });
}

GenericOp RequestSplitter::createRequest(ValueRange operands) {
  SmallVector<AffineMap> maps;
  for (unsigned i = 0, e = op.getIndexingMaps().size(); i < e; ++i)
    maps.push_back(getMap(i));
  unsigned weighting = op.getWeightingIndex(), output = op.getOutputIndex();
  ValueRange inits = operands.drop_front(output);
  auto part = GenericOp::create(
      b, loc, inits.getTypes(), operands[0], operands[1], operands[2],
      operands.slice(3, weighting - 3),
      operands.slice(weighting, output - weighting),
      /*query_starts=*/Value(), /*key_starts=*/Value(),
      /*indptr=*/Value(), /*indices=*/Value(), inits[0],
      op.getLse() ? inits[1] : Value(),
      op.getWeights() ? inits.back() : Value(), b.getAffineMapArrayAttr(maps),
      op.getWeighting(), op.getScale(), TypeAttr::get(op.getAccumulationType()),
      /*blocks=*/BlockListAttr());
  cloneBody(op.getSimilarity(), part.getSimilarity());
  cloneBody(op.getMask(), part.getMask());
  cloneBody(op.getScore(), part.getScore());
  cloneBody(op.getWeight(), part.getWeight());
  return part;
}

std::pair<SmallVector<Value>, GenericOp> RequestSplitter::run() {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value count =
      getValueOrCreateConstantIndexOp(b, loc, getExtents(b, op)[dims.request]);
  SmallVector<Value> inits(op.getDpsInits());
  // Behind the keys of a request there are none.
  if (op.getWeights()) {
    Value none = createFloatConstant(
        b, loc, getElementTypeOrSelf(inits.back().getType()), 0.0);
    inits.back() =
        linalg::FillOp::create(b, loc, none, inits.back()).getResult(0);
  }
  auto loop = scf::ForOp::create(b, loc, zero, count, one, inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  request = loop.getInductionVar();
  Value next = arith::AddIOp::create(b, loc, request, one);
  auto addRows = [&](std::optional<unsigned> dim, Value starts) {
    if (!dim)
      return;
    auto read = [&](Value position) {
      return b.createOrFold<arith::IndexCastOp>(
          loc, b.getIndexType(),
          tensor::ExtractOp::create(b, loc, starts, position).getResult());
    };
    Value first = read(request);
    Value length = arith::SubIOp::create(b, loc, read(next), first);
    rows[*dim] = {first, length};
  };
  addRows(dims.queryRow, op.getQueryStarts());
  addRows(dims.keyRow, op.getKeyStarts());

  SmallVector<Value> operands;
  unsigned output = op.getOutputIndex();
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands()))
    operands.push_back(
        take(index, index < output ? operand
                                   : loop.getRegionIterArgs()[index - output]));
  GenericOp part = createRequest(operands);
  SmallVector<Value> results;
  for (auto [index, result] : llvm::enumerate(part.getResults()))
    results.push_back(
        put(output + index, result, loop.getRegionIterArgs()[index]));
  scf::YieldOp::create(b, loc, results);
  return {SmallVector<Value>(loop.getResults()), part};
}

std::pair<SmallVector<Value>, GenericOp> splitRequests(OpBuilder &b,
                                                       GenericOp op) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  return RequestSplitter(b, op).run();
}

} // namespace attn
