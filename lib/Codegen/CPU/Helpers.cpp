//===- Helpers.cpp - Helpers of the emitters --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileEmitter.h"
#include "attn/Tiling/Tiling.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

FlatBuffer flatten(OpBuilder &b, Location loc, Value buffer, ValueRange start) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  FlatBuffer flat;
  auto toValue = [&](OpFoldResult size) {
    return getValueOrCreateConstantIndexOp(b, loc, size);
  };
  Value offset = toValue(metadata.getConstifiedMixedOffset());
  for (auto [stride, position] :
       llvm::zip_equal(metadata.getConstifiedMixedStrides(), start)) {
    flat.strides.push_back(toValue(stride));
    Value moved =
        b.createOrFold<arith::MulIOp>(loc, position, flat.strides.back());
    offset = b.createOrFold<arith::AddIOp>(loc, offset, moved);
  }
  auto layout = StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, 1);
  auto type = MemRefType::get(
      ShapedType::kDynamic, cast<MemRefType>(buffer.getType()).getElementType(),
      layout);
  Value length = b.createOrFold<arith::MulIOp>(
      loc, toValue(metadata.getConstifiedMixedSizes()[0]), flat.strides[0]);
  flat.memref = memref::ReinterpretCastOp::create(
      b, loc, type, metadata.getBaseBuffer(), OpFoldResult(offset),
      OpFoldResult(length), OpFoldResult(b.getIndexAttr(1)));
  return flat;
}

SmallVector<Value> emitStridedLoop(
    OpBuilder &b, Location loc, Value extent, int64_t unroll,
    ValueRange strides, ValueRange inits,
    function_ref<SmallVector<Value>(Value, ValueRange, ValueRange)> body) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  std::optional<int64_t> known = getConstantIntValue(extent);
  auto emit = [&](Value from, Value to, int64_t step, ValueRange values) {
    Value stepValue = arith::ConstantIndexOp::create(b, loc, step);
    auto loop = scf::ForOp::create(b, loc, from, to, stepValue, values);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    ValueRange arguments = loop.getRegionIterArgs();
    SmallVector<Value> offsets(arguments.take_front(strides.size()));
    SmallVector<Value> carried(arguments.drop_front(strides.size()));
    for (int64_t i = 0; i < step; ++i) {
      Value position = loop.getInductionVar();
      if (i != 0) {
        Value ahead = arith::ConstantIndexOp::create(b, loc, i);
        position = arith::AddIOp::create(b, loc, position, ahead);
      }
      carried = body(position, offsets, carried);
      for (auto [offset, stride] : llvm::zip_equal(offsets, strides))
        offset = arith::AddIOp::create(b, loc, offset, stride);
    }
    llvm::append_range(offsets, carried);
    if (!offsets.empty())
      scf::YieldOp::create(b, loc, offsets);
    return SmallVector<Value>(loop.getResults());
  };
  SmallVector<Value> values(strides.size(), zero);
  llvm::append_range(values, inits);
  Value whole = extent;
  if (unroll != 1 && known) {
    whole = arith::ConstantIndexOp::create(b, loc, *known / unroll * unroll);
  } else if (unroll != 1) {
    Value mask = arith::ConstantIndexOp::create(b, loc, ~(unroll - 1));
    whole = arith::AndIOp::create(b, loc, extent, mask);
  }
  if (!known || *known >= unroll)
    values = emit(zero, whole, unroll, values);
  if (unroll != 1 && (!known || *known % unroll != 0))
    values = emit(whole, extent, 1, values);
  return SmallVector<Value>(ArrayRef(values).drop_front(strides.size()));
}

void emitLoop(OpBuilder &b, Location loc, Value from, Value to, int64_t step,
              function_ref<void(Value)> body) {
  Value stepValue = arith::ConstantIndexOp::create(b, loc, step);
  auto loop = scf::ForOp::create(b, loc, from, to, stepValue);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

SmallVector<Value> transposeInRegisters(OpBuilder &b, Location loc,
                                        SmallVector<Value> rows) {
  int64_t size = rows.size();
  for (int64_t stride = 1; stride < size; stride *= 2) {
    // Rows r and r + stride exchange the blocks off the diagonal of the
    // (stride x stride) blocks they cross.
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < size; ++lane) {
      bool second = lane & stride;
      low.push_back(second ? size + lane - stride : lane);
      high.push_back(second ? size + lane : lane + stride);
    }
    for (int64_t row = 0; row < size; ++row) {
      if (row & stride)
        continue;
      Value first = rows[row], second = rows[row + stride];
      rows[row] = vector::ShuffleOp::create(b, loc, first, second, low);
      rows[row + stride] =
          vector::ShuffleOp::create(b, loc, first, second, high);
    }
  }
  return rows;
}

/// The body of the innermost parallel loop around `op`, or of the function.
static Block *getWorkerBody(Operation *op) {
  Operation *parent = op->getParentOp();
  while (!parent->hasTrait<OpTrait::HasParallelRegion>() &&
         !isa<FunctionOpInterface>(parent))
    parent = parent->getParentOp();
  return &parent->getRegion(0).front();
}

Value createWorkerScratch(OpBuilder &b, Operation *op, MemRefType type) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(getWorkerBody(op));
  return memref::AllocOp::create(b, op->getLoc(), type,
                                 b.getI64IntegerAttr(64));
}

Value createLocalScratch(OpBuilder &b, Operation *op, MemRefType type) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(getWorkerBody(op));
  return memref::AllocaOp::create(b, op->getLoc(), type,
                                  b.getI64IntegerAttr(64));
}

void emitTileCount(OpBuilder &b, Location loc, TileCounter counter,
                   Value condition) {
  Value value = condition
                    ? arith::ExtUIOp::create(b, loc, b.getI64Type(), condition)
                          .getResult()
                    : arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(1))
                          .getResult();
  auto type = MemRefType::get({3}, b.getI64Type());
  Value counts = memref::GetGlobalOp::create(b, loc, type, getTileCountsName());
  Value place =
      arith::ConstantIndexOp::create(b, loc, static_cast<int64_t>(counter));
  memref::AtomicRMWOp::create(b, loc, arith::AtomicRMWKind::addi, value, counts,
                              place);
}

SmallVector<Value> locateInResult(OpBuilder &b, Location loc, AffineMap map,
                                  Value row, Value channel) {
  SmallVector<Value> indices;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    indices.push_back(
        dim == 0   ? row
        : dim == 1 ? channel
                   : arith::ConstantIndexOp::create(b, loc, 0).getResult());
  }
  return indices;
}

int64_t getMemoryWidth(Type element) {
  if (element.isIndex())
    return IndexType::kInternalStorageBitWidth;
  return element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 0;
}

bool liesAsVector(Type element) {
  int64_t width = getMemoryWidth(element);
  return width >= 8 && width <= 64 && llvm::isPowerOf2_64(width);
}

Value viewAsStored(OpBuilder &b, Location loc, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t width = getMemoryWidth(type.getElementType());
  Type stored =
      b.getIntegerType(std::max<int64_t>(8, llvm::PowerOf2Ceil(width)));
  Type viewType = MemRefType::get(type.getShape(), stored, type.getLayout(),
                                  type.getMemorySpace());
  return UnrealizedConversionCastOp::create(b, loc, viewType, buffer)
      .getResult(0);
}

Value createLaneMask(OpBuilder &b, Location loc, int64_t size, Value count) {
  auto type = VectorType::get({size}, b.getI32Type());
  SmallVector<int32_t> lanes =
      llvm::to_vector(llvm::seq<int32_t>(0, static_cast<int32_t>(size)));
  Value iota = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef<int32_t>(lanes)));
  Value limit = arith::IndexCastOp::create(b, loc, b.getI32Type(), count);
  limit = vector::BroadcastOp::create(b, loc, type, limit);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, iota, limit);
}

bool isContiguousAlong(MemRefType type, unsigned dim) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         strides[dim] == 1;
}

} // namespace attn
