//===- FewRowsFinish.cpp - The end of few query rows ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {
namespace {

/// Row by row: lanes run along the channels; statistics are in all lanes, as
/// the exponential of a number would be a call.
class RowFinisher {
public:
  RowFinisher(OpBuilder &b, FinishOp op, const EmitOptions &options)
      : b(b), loc(op.getLoc()), op(op),
        accType(
            cast<MemRefType>(op.getAccumulator().getType()).getElementType()),
        laneType(VectorType::get(
            {std::max<int64_t>(1, options.vectorBits /
                                      accType.getIntOrFloatBitWidth())},
            accType)),
        outputIndex(op.getOutputIndex()),
        outputMap(op.getStoredMap(outputIndex)) {}

  void run();

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  /// The extent of the output along a dimension of the maps.
  Value extent(unsigned dim) {
    unsigned position = *outputMap.getResultPosition(b.getAffineDimExpr(dim));
    return getValueOrCreateConstantIndexOp(
        b, loc, memref::getMixedSize(b, loc, op.getOutput(), position));
  }
  /// The element of a statistic or a weighting operand.
  Value load(Value operand, Value row) {
    if (auto type = dyn_cast<MemRefType>(operand.getType()))
      operand = memref::LoadOp::create(
          b, loc, operand, type.getRank() == 0 ? ValueRange() : row);
    return vector::BroadcastOp::create(b, loc, laneType,
                                       convertFloat(b, loc, operand, accType));
  }
  Value getFirst(Value vector) {
    return vector::ExtractOp::create(b, loc, vector, int64_t(0));
  }
  void emitRow(Value row, ArrayRef<Value> factors);

  OpBuilder &b;
  Location loc;
  FinishOp op;
  Type accType;
  VectorType laneType;
  unsigned outputIndex;
  AffineMap outputMap;
};

} // namespace

void RowFinisher::emitRow(Value row, ArrayRef<Value> factors) {
  auto output = cast<MemRefType>(op.getOutput().getType());
  Type element = output.getElementType();
  unsigned last = outputMap.getNumResults() - 1;
  bool isVector =
      outputMap.getDimPosition(last) == 1 && isContiguousAlong(output, last);
  Value channels = extent(1);
  int64_t lanes = laneType.getDimSize(0);
  auto scale = [&](Value value) {
    for (Value factor : factors) {
      if (!isVector)
        factor = getFirst(factor);
      value = arith::MulFOp::create(b, loc, value, factor);
    }
    return convertFloat(b, loc, value, element);
  };
  emitLoop(
      b, loc, index(0), channels, isVector ? lanes : 1, [&](Value channel) {
        SmallVector<Value> place =
            locateInResult(b, loc, outputMap, row, channel);
        if (!isVector) {
          Value value = memref::LoadOp::create(b, loc, op.getAccumulator(),
                                               ValueRange{row, channel});
          memref::StoreOp::create(b, loc, scale(value), op.getOutput(), place);
          return;
        }
        std::optional<int64_t> known = getConstantIntValue(channels);
        if (known && *known % lanes == 0) {
          Value value = vector::LoadOp::create(
              b, loc, laneType, op.getAccumulator(), ValueRange{row, channel});
          vector::StoreOp::create(b, loc, scale(value), op.getOutput(), place);
          return;
        }
        Value rest = arith::SubIOp::create(b, loc, channels, channel);
        Value mask = createLaneMask(b, loc, lanes, rest);
        Value value = vector::MaskedLoadOp::create(
            b, loc, laneType, op.getAccumulator(), ValueRange{row, channel},
            mask, createFloatConstant(b, loc, laneType, 0.0));
        vector::MaskedStoreOp::create(b, loc, op.getOutput(), place, mask,
                                      scale(value));
      });
}

void RowFinisher::run() {
  auto weighting = cast<AccumulateWeightingAttrInterface>(op.getWeighting());
  Value keys = arith::IndexCastOp::create(b, loc, b.getI64Type(), op.getKeys());
  keys = arith::SIToFPOp::create(b, loc, accType, keys);
  keys = vector::BroadcastOp::create(b, loc, laneType, keys);
  emitLoop(b, loc, index(0), extent(0), 1, [&](Value row) {
    SmallVector<Value> statistics, operands;
    for (Value statistic : op.getStatistics())
      statistics.push_back(load(statistic, row));
    for (Value operand : op.getWeightingOperands())
      operands.push_back(load(operand, row));
    if (op.getLse()) {
      Value lse = weighting.logSumExp(b, loc, statistics, operands,
                                      /*scale=*/Value());
      auto type = cast<MemRefType>(op.getLse().getType());
      memref::StoreOp::create(
          b, loc, convertFloat(b, loc, getFirst(lse), type.getElementType()),
          op.getLse(),
          locateInResult(b, loc, op.getStoredMap(outputIndex + 1), row,
                         /*channel=*/{}));
    }
    SmallVector<Value> factors;
    if (!op.getFinished())
      factors = weighting.finish(b, loc, statistics, operands, keys,
                                 /*scale=*/Value());
    emitRow(row, factors);
  });
}

LogicalResult emitFinishRows(RewriterBase &b, FinishOp op,
                             const EmitOptions &options) {
  if (!isa<MemRefType>(op.getAccumulator().getType()) ||
      !isa<MemRefType>(op.getOutput().getType()))
    return op.emitOpError("cannot be vectorized: expected ranked memrefs");
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  RowFinisher(b, op, options).run();
  b.eraseOp(op);
  return success();
}

} // namespace attn
