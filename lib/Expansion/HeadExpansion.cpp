//===- HeadExpansion.cpp - Heads into the core op ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadExpansion.h"
#include "attn/IR/Reshape.h"
#include <cmath>

using namespace mlir;

namespace attn {

/// The extent at `position`, if some operand has it static.
int64_t HeadExpansion::getExtent(unsigned position, ArrayRef<Value> operands) {
  for (Value operand : operands) {
    int64_t extent = op.getShape(operand)[position];
    if (!ShapedType::isDynamic(extent))
      return extent;
  }
  return ShapedType::kDynamic;
}

int64_t HeadExpansion::getKeyExtent(unsigned position) {
  return getExtent(getKeyPosition(position), {op.key, op.value});
}

Value HeadExpansion::getSize(Value operand, unsigned position) {
  return linalg::createOrFoldDimOp(rewriter, loc, operand,
                                   *op.getDim(operand, position));
}

AffineMap HeadExpansion::getMap(const Dims &dims) {
  SmallVector<AffineExpr> results;
  for (unsigned dim : dims)
    results.push_back(rewriter.getAffineDimExpr(dim));
  return AffineMap::get(numDims, 0, results, rewriter.getContext());
}

/// Batch dimensions and heads of the query, or of the key.
HeadExpansion::Dims HeadExpansion::getLeadingDims(bool isKey) {
  Dims dims = llvm::to_vector(llvm::seq(0u, getNumBatchDims()));
  if (isKey && op.isPaged())
    dims = {page};
  if (!isKey)
    dims.append(headDims);
  else if (!headDims.empty() && !sharesKey)
    dims.push_back(headDims.front());
  return dims;
}

void HeadExpansion::decideDimensions() {
  numRows = getExtent(rank - 2, {op.query, op.output});
  // Where keys are pages, lists say how many there are.
  numKeys = op.isPaged() ? ShapedType::kDynamic : getKeyExtent(rank - 2);
  unsigned next = getNumBatchDims();
  if (rank > 2) {
    headDims.push_back(next++);
    int64_t heads = getExtent(rank - 3, {op.query, op.output});
    int64_t keyHeads = getKeyExtent(rank - 3);
    if (keyHeads == 1) {
      sharesKey = heads != 1;
    } else if (ShapedType::isDynamic(heads) || heads != keyHeads) {
      headDims.push_back(next++);
      splitHeads();
    }
  }
  m = next++;
  if (op.isPaged())
    page = next++;
  n = next++;
  d = next++;
  e = next++;
  numDims = next;
}

/// Computes the sizes of key heads and group.
void HeadExpansion::splitHeads() {
  int64_t heads = getExtent(rank - 3, {op.query, op.output});
  int64_t keyHeads = getKeyExtent(rank - 3);
  if (!ShapedType::isDynamic(keyHeads) && !ShapedType::isDynamic(heads)) {
    numKeyHeads = rewriter.getIndexAttr(keyHeads);
    groupSize = rewriter.getIndexAttr(keyHeads == 0 ? 1 : heads / keyHeads);
    return;
  }
  auto createConstant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(rewriter, loc, value);
  };
  Value divisor;
  if (ShapedType::isDynamic(keyHeads)) {
    Value size = getSize(op.key, rank - 3);
    numKeyHeads = size;
    // Without heads nothing is computed, but there is a division all the same.
    divisor = arith::MaxUIOp::create(rewriter, loc, size, createConstant(1));
  } else {
    numKeyHeads = rewriter.getIndexAttr(keyHeads);
    divisor = createConstant(std::max<int64_t>(keyHeads, 1));
  }
  Value dividend = ShapedType::isDynamic(heads)
                       ? getSize(op.query, rank - 3)
                       : createConstant(heads);
  groupSize =
      arith::DivUIOp::create(rewriter, loc, dividend, divisor).getResult();
}

/// Splits the heads of query, output and log-sum-exp where they are grouped.
Value HeadExpansion::reshapeQueryLike(Value value) {
  if (headDims.size() < 2)
    return value;
  return expandDimension(rewriter, loc, value, *op.getDim(value, rank - 3),
                         numKeyHeads, groupSize);
}

/// Drops the one head of key and value.
Value HeadExpansion::reshapeKeyLike(Value value) {
  if (!sharesKey)
    return value;
  auto type = cast<ShapedType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  int64_t position = *op.getDim(value, rank - 3);
  shape[position] = 1;
  value = castShaped(rewriter, loc, value, type.clone(shape));
  llvm::SmallBitVector dropped(type.getRank());
  dropped.set(position);
  return dropUnitDimensions(rewriter, loc, value, dropped);
}

void HeadExpansion::addInput(Value value, const Dims &dims) {
  inputs.push_back(value);
  inputMaps.push_back(getMap(dims));
}

/// Adds bias or boolean_mask: what is broadcast leaves operand and map.
void HeadExpansion::addBroadcastInput(Value value) {
  if (!value)
    return;
  auto type = cast<ShapedType>(value.getType());
  unsigned missing = rank - type.getRank();
  llvm::SmallBitVector dropped(type.getRank());
  Dims dims;
  std::optional<unsigned> headPosition;
  for (unsigned i = 0, rankHere = type.getRank(); i < rankHere; ++i) {
    unsigned position = i + missing;
    if (type.getDimSize(i) == 1) {
      dropped.set(i);
      continue;
    }
    if (position == rank - 1) {
      dims.push_back(n);
    } else if (position == rank - 2) {
      dims.push_back(m);
    } else if (position < getNumBatchDims()) {
      dims.push_back(position);
    } else {
      headPosition = dims.size();
      dims.append(headDims);
    }
  }
  value = dropUnitDimensions(rewriter, loc, value, dropped);
  if (headPosition && headDims.size() == 2)
    value = expandDimension(rewriter, loc, value, *headPosition, numKeyHeads,
                            groupSize);
  addInput(value, dims);
}

void HeadExpansion::decideScale() {
  if (op.scale) {
    scale = op.scale.getValueAsDouble();
    return;
  }
  int64_t width = getExtent(rank - 1, {op.query});
  if (ShapedType::isDynamic(width))
    width = getExtent(getKeyPosition(rank - 1), {op.key});
  if (!ShapedType::isDynamic(width)) {
    // An empty sum is 0 whatever its scale, as long as that is finite.
    scale = 1.0 / std::sqrt(static_cast<double>(std::max<int64_t>(width, 1)));
    return;
  }
  Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
  Value size = arith::MaxUIOp::create(rewriter, loc,
                                      getSize(op.query, rank - 1), one);
  size = arith::IndexCastOp::create(rewriter, loc, rewriter.getI64Type(), size);
  size = arith::UIToFPOp::create(rewriter, loc, accType, size);
  Value root = math::SqrtOp::create(rewriter, loc, size);
  Value numerator = createFloatConstant(rewriter, loc, accType, 1.0);
  dynamicScale = arith::DivFOp::create(rewriter, loc, numerator, root);
}

void HeadExpansion::decideOffset() {
  if (alignsRequests()) {
    if (!op.queryStarts)
      numRowsValue = getSize(op.query, rank - 2);
    if (!op.keyStarts && !op.isPaged())
      numKeysValue = getSize(op.key, rank - 2);
  } else if (op.causal == CausalKind::bottom_right) {
    if (!ShapedType::isDynamic(numRows) && !ShapedType::isDynamic(numKeys)) {
      offset = numKeys - numRows;
      return;
    }
    // The one row of a decoding step sees all keys, however many there are.
    if (numRows == 1 && getWindow().first < 0)
      return;
    dynamicOffset =
        arith::SubIOp::create(rewriter, loc, getSize(op.key, rank - 2),
                              getSize(op.query, rank - 2));
  } else if (op.offset) {
    Value operand = op.offset;
    if (isa<ShapedType>(operand.getType())) {
      addInput(operand, llvm::to_vector(llvm::seq(0u, getNumBatchDims())));
      return;
    }
    dynamicOffset = createOffset(operand);
  }
}

void HeadExpansion::decideWeighting() {
  if (!op.sink) {
    weighting = SoftmaxAttr::get(rewriter.getContext());
    return;
  }
  weighting = SoftmaxSinkAttr::get(rewriter.getContext());
  Value sink = op.sink;
  bool perHead = isa<ShapedType>(sink.getType());
  if (perHead && headDims.size() == 2)
    sink = expandDimension(rewriter, loc, sink, 0, numKeyHeads, groupSize);
  weightingOperands.push_back(sink);
  weightingMaps.push_back(getMap(perHead ? headDims : Dims()));
}

GenericOp HeadExpansion::createGeneric() {
  auto with = [&](Value operand, Dims dims, ArrayRef<unsigned> more) {
    dims.append(more.begin(), more.end());
    return getMap(operand, dims);
  };
  SmallVector<AffineMap> maps = {with(op.query, getLeadingDims(false), {m, d}),
                                 with(op.key, getLeadingDims(true), {n, d}),
                                 with(op.value, getLeadingDims(true), {n, e})};
  maps.append(inputMaps);
  maps.append(weightingMaps);
  maps.push_back(with(op.output, getLeadingDims(false), {m, e}));
  Value output = reshapeQueryLike(op.output);
  SmallVector<Type> types;
  if (op.op->getNumResults() > 0)
    types.push_back(output.getType());
  Value lse;
  if (op.lse) {
    maps.push_back(with(op.lse, getLeadingDims(false), {m}));
    lse = reshapeQueryLike(op.lse);
    if (op.op->getNumResults() > 0)
      types.push_back(lse.getType());
  }
  Value weights;
  if (op.weights) {
    maps.push_back(with(op.weights, getLeadingDims(false), {m, n}));
    weights = reshapeQueryLike(op.weights);
    if (op.op->getNumResults() > 0)
      types.push_back(weights.getType());
  }
  Value query = reshapeQueryLike(op.query);
  Value key = reshapeKeyLike(op.key);
  Value value = reshapeKeyLike(op.value);
  auto generic = GenericOp::create(
      rewriter, loc, types, query, key, value, inputs, weightingOperands,
      op.queryStarts, op.keyStarts, listBounds, listEntries, output, lse,
      weights, rewriter.getAffineMapArrayAttr(maps), weighting, APFloat(scale),
      /*acc_type=*/TypeAttr(), blocks);
  generic->setDiscardableAttrs(op.op->getDiscardableAttrDictionary());
  return generic;
}

void HeadExpansion::replaceResults(GenericOp generic) {
  SmallVector<Value> results, inits{op.output};
  for (Value init : {op.lse, op.weights})
    if (init)
      inits.push_back(init);
  for (auto [old, replacement, init] :
       llvm::zip(op.op->getResults(), generic.getResults(), inits)) {
    Value value = replacement;
    if (headDims.size() == 2)
      value =
          collapseDimension(rewriter, loc, value, *op.getDim(init, rank - 3));
    results.push_back(castShaped(rewriter, loc, value, old.getType()));
  }
  rewriter.replaceOp(op.op, results);
}

LogicalResult HeadExpansion::run() {
  for (Type type : op.op->getOperandTypes())
    if (auto buffer = dyn_cast<MemRefType>(type); buffer && !buffer.isStrided())
      return op.emitOpError("on memrefs: expected strided layouts, but got ")
             << type;
  rewriter.setInsertionPoint(op.op);
  decideDimensions();
  decideScale();
  addBroadcastInput(op.bias);
  addBroadcastInput(op.booleanMask);
  decideOffset();
  decideWeighting();
  decideBlocks();
  GenericOp generic = createGeneric();
  fillMask(generic);
  fillScore(generic);
  rewriter.setInsertionPointAfter(generic);
  replaceResults(generic);
  return success();
}

LogicalResult HeadAttention::expand(RewriterBase &rewriter) const {
  return HeadExpansion(rewriter, *this).run();
}

} // namespace attn
