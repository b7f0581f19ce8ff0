//===- DecomposeFinish.cpp - Finishing rows as linalg -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Utils.h"
#include "attn/Transforms/Transforms.h"

using namespace mlir;

namespace attn {

namespace {
struct Mapped {
  Value value;
  AffineMap map;
};
} // namespace

/// What of `operand` lies within the extents of the output: the state may be
/// larger along query rows.
static Value clip(OpBuilder &b, Location loc, Mapped operand,
                  ArrayRef<OpFoldResult> extents) {
  auto type = dyn_cast<RankedTensorType>(operand.value.getType());
  if (!type)
    return operand.value;
  SmallVector<OpFoldResult> sizes;
  for (unsigned i = 0, e = type.getRank(); i < e; ++i)
    sizes.push_back(extents[operand.map.getDimPosition(i)]);
  if (sizes == tensor::getMixedSizes(b, loc, operand.value))
    return operand.value;
  SmallVector<OpFoldResult> zeros(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, loc, operand.value, zeros, sizes,
                                        ones);
}

FailureOr<SmallVector<Value>> decomposeFinish(OpBuilder &b, FinishOp op) {
  if (!op.hasPureTensorSemantics())
    return op.emitOpError("cannot be lowered on memrefs: use tensors");
  if (op.getLayout())
    return op.emitOpError(
        "cannot be lowered to linalg: it is the end of a tile "
        "of the kernel, with a layout");
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  auto weighting = cast<AccumulateWeightingAttrInterface>(op.getWeighting());
  auto accType =
      cast<FloatType>(getElementTypeOrSelf(op.getAccumulator().getType()));
  size_t numStatistics = op.getStatistics().size();
  unsigned outputIndex = 1 + numStatistics + op.getWeightingOperands().size();
  AffineMap outputMap = op.getIndexingMap(outputIndex);
  SmallVector<OpFoldResult> extents(outputMap.getNumDims());
  for (unsigned i = 0, e = outputMap.getNumResults(); i < e; ++i)
    extents[outputMap.getDimPosition(i)] =
        tensor::getMixedSize(b, loc, op.getOutput(), i);

  SmallVector<Mapped> rowOperands;
  for (Value value : op.getStatistics())
    rowOperands.push_back({value, op.getIndexingMap(1 + rowOperands.size())});
  for (Value value : op.getWeightingOperands())
    rowOperands.push_back({value, op.getIndexingMap(1 + rowOperands.size())});
  for (Mapped &operand : rowOperands)
    operand.value = clip(b, loc, operand, extents);

  /// `body` of elements in the accumulation type, rounded once into `target`.
  auto emit = [&](ArrayRef<Mapped> inputs, Mapped target,
                  function_ref<Value(ValueRange)> body) -> Value {
    SmallVector<Value> values;
    SmallVector<AffineMap> maps;
    for (const Mapped &input : inputs) {
      values.push_back(input.value);
      maps.push_back(input.map);
    }
    maps.push_back(target.map);
    // A log-sum-exp lacks the channels: leave out what no map has.
    llvm::SmallBitVector unused = getUnusedDimsBitVector(maps);
    for (AffineMap &map : maps)
      map = compressDims(map, unused);
    SmallVector<utils::IteratorType> iterators(maps.back().getNumDims(),
                                               utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               b, loc, TypeRange(target.value.getType()), values,
               ValueRange(target.value), maps, iterators,
               [&](OpBuilder &, Location, ValueRange arguments) {
                 SmallVector<Value> elements;
                 for (Value argument : arguments.drop_back())
                   elements.push_back(convertFloat(b, loc, argument, accType));
                 auto type = cast<FloatType>(arguments.back().getType());
                 Value result = convertFloat(b, loc, body(elements), type);
                 linalg::YieldOp::create(b, loc, result);
               })
        .getResult(0);
  };

  Value numKeys =
      arith::IndexCastOp::create(b, loc, b.getI64Type(), op.getKeys());
  numKeys = arith::SIToFPOp::create(b, loc, accType, numKeys);
  Mapped accumulator{op.getAccumulator(), op.getIndexingMap(0)};
  accumulator.value = clip(b, loc, accumulator, extents);
  SmallVector<Mapped> inputs{accumulator};
  llvm::append_range(inputs, rowOperands);
  SmallVector<Value> results{
      emit(inputs, {op.getOutput(), outputMap}, [&](ValueRange in) {
        Value value = in[0];
        if (op.getFinished())
          return value;
        for (Value factor :
             weighting.finish(b, loc, in.slice(1, numStatistics),
                              in.drop_front(1 + numStatistics), numKeys,
                              /*scale=*/Value()))
          value = arith::MulFOp::create(b, loc, value, factor);
        return value;
      })};
  if (op.getLse())
    results.push_back(emit(rowOperands,
                           {op.getLse(), op.getIndexingMap(outputIndex + 1)},
                           [&](ValueRange in) {
                             return weighting.logSumExp(
                                 b, loc, in.take_front(numStatistics),
                                 in.drop_front(numStatistics),
                                 /*scale=*/Value());
                           }));
  return results;
}

} // namespace attn
