//===- MaskReads.cpp - What a mask reads in a box ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mask may read integers at positions: the document of a token, the length
// that a row may see. For a box, what is read along one of its dimensions can
// be summarised at run time, by a loop that finds the least and the greatest
// element: so a key tile of other documents is not visited. Along all keys, for
// the ranges, such a loop would take as long as it could save.
//
//===----------------------------------------------------------------------===//

#include "attn/Masks/MaskTranslation.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {

void MaskTranslator::summarizeReads() {
  summarizesReads = true;
  integers.clear();
  truths[false].clear();
  truths[true].clear();
}

std::optional<std::pair<Value, Value>>
MaskTranslator::getBoxBounds(unsigned dimension) {
  if (dimension == box.getKeyDimension())
    return box.key;
  for (auto [dim, bounds] : llvm::zip(box.classes.queryRows, box.rows))
    if (dim == dimension)
      return bounds;
  return std::nullopt;
}

std::optional<MaskTranslator::Read> MaskTranslator::getRead(Value value) {
  Read read;
  unsigned numVarying = 0;
  auto addPosition = [&](unsigned dim) {
    read.indices.push_back(positions.lookup(dim));
    if (read.indices.back())
      return;
    ++numVarying;
    read.dimension = dim;
  };
  Operation *definition = value.getDefiningOp();
  if (isa_and_nonnull<tensor::ExtractOp, memref::LoadOp>(definition)) {
    read.table = definition->getOperand(0);
    for (Value index : definition->getOperands().drop_front()) {
      if (Value clone = getUniform(index))
        read.indices.push_back(clone);
      else if (auto position = index.getDefiningOp<IndexOp>())
        addPosition(position.getDim());
      else
        return std::nullopt;
    }
  } else if (!definition) {
    unsigned input = cast<BlockArgument>(value).getArgNumber();
    read.table = op.getInputs()[input];
    for (AffineExpr expr : op.getIndexingMap(3 + input).getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        return std::nullopt;
      addPosition(dim.getPosition());
    }
  }
  return numVarying == 1 ? std::optional(read) : std::nullopt;
}

std::optional<MaskLinear> MaskTranslator::translateRead(Value value) {
  auto type = dyn_cast<IntegerType>(value.getType());
  // Differences of wider ones may wrap.
  if (!summarizesReads || !type || type.getWidth() == 1 || type.getWidth() > 32)
    return std::nullopt;
  std::optional<Read> read = getRead(value);
  auto bounds = read ? getBoxBounds(read->dimension) : std::nullopt;
  if (!bounds)
    return std::nullopt;

  OpBuilder &builder = emitter.getBuilder();
  Location loc = emitter.getLoc();
  auto getConstant = [&](const APInt &number) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getIntegerAttr(type, number));
  };
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value end = arith::AddIOp::create(builder, loc, bounds->second, one);
  Value none[] = {getConstant(APInt::getSignedMaxValue(type.getWidth())),
                  getConstant(APInt::getSignedMinValue(type.getWidth()))};
  auto loop = scf::ForOp::create(
      builder, loc, bounds->first, end, one, none,
      [&](OpBuilder &b, Location, Value position, ValueRange found) {
        SmallVector<Value> indices(read->indices);
        llvm::replace(indices, Value(), position);
        Value element = createRead(b, loc, read->table, indices);
        Value least = arith::MinSIOp::create(b, loc, found[0], element);
        Value greatest = arith::MaxSIOp::create(b, loc, found[1], element);
        scf::YieldOp::create(b, loc, ValueRange{least, greatest});
      });
  return context.getRead(value, emitter.toIndex(loop.getResult(0)),
                         emitter.toIndex(loop.getResult(1)));
}

} // namespace attn
