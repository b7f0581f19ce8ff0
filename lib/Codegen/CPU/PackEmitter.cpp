//===- PackEmitter.cpp - Tiles change layout --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileEmitter.h"
#include "VectorReader.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {
namespace {

/// What pack and finish share: a blocked transposition between a side whose
/// lanes are innermost and one whose other dimension is.
class TileCopier {
public:
  TileCopier(OpBuilder &b, Location loc, const EmitOptions &options)
      : b(b), loc(loc), options(options) {}

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value extent(Value memref, unsigned dim) {
    return getValueOrCreateConstantIndexOp(
        b, loc, memref::getMixedSize(b, loc, memref, dim));
  }
  Value less(Value a, Value c) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, a, c);
  }
  Value add(Value a, int64_t c) {
    return c == 0 ? a : arith::AddIOp::create(b, loc, a, index(c)).getResult();
  }

  /// Which of the `size` elements from `first` on lie before `limit`; null if
  /// all of them, provably.
  Value getColumnMask(Value first, Value limit, int64_t size) {
    if (isMultiple(limit, size))
      return {};
    Value count = arith::SubIOp::create(b, loc, limit, first);
    return createLaneMask(b, loc, size, count);
  }

  /// `mask`, or nothing where `row` is not before `rows`.
  Value maskRow(Value mask, Value row, Value rows, int64_t size) {
    Value inside = vector::BroadcastOp::create(
        b, loc, VectorType::get({size}, b.getI1Type()), less(row, rows));
    return mask ? arith::AndIOp::create(b, loc, mask, inside) : inside;
  }

  static bool isMultiple(Value value, int64_t size) {
    std::optional<int64_t> known = getConstantIntValue(value);
    return known && *known % size == 0;
  }

  Value load(Value memref, ValueRange indices, int64_t size, Value mask) {
    Type element = cast<MemRefType>(memref.getType()).getElementType();
    VectorType type = VectorType::get({size}, element);
    Value loaded;
    if (mask) {
      Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
      loaded = vector::MaskedLoadOp::create(b, loc, type, memref, indices, mask,
                                            zeros);
    } else {
      loaded = vector::LoadOp::create(b, loc, type, memref, indices);
    }
    return loaded;
  }

  /// What the pack makes of elements: a scalar, or a vector of them.
  Value apply(PackOp op, Value elements) {
    if (op.getElement().empty())
      return elements;
    auto type = dyn_cast<VectorType>(elements.getType());
    VectorReader reader;
    RegionInliner emitter(b, loc, type ? type.getDimSize(0) : 1, reader);
    LaneValue value = emitter.inlineRegion(op.getElement(),
                                           type ? LaneValue::lanes(elements)
                                                : LaneValue::uniform(elements),
                                           /*positions=*/{}, LanePredicate());
    return type ? emitter.toVector(value) : value.scalar;
  }

  void store(Value vector, Value memref, ValueRange indices, Value mask) {
    storeElements(b, loc, vector, memref, indices, mask);
  }

  OpBuilder &b;
  Location loc;
  const EmitOptions &options;
};

} // namespace

/// The largest power of two of lanes of `type` that a vector holds and that
/// divides `lanes`.
int64_t getTransposeBlock(Type type, int64_t lanes, int64_t vectorBits) {
  // Eight rows are as fast as sixteen, near enough, and compile in a third of
  // the time: LLVM's combiner is slow on large networks of shuffles.
  int64_t block = std::min<int64_t>(
      8, vectorBits / std::max<int64_t>(32, getMemoryWidth(type)));
  while (block > 1 && lanes % block != 0)
    block /= 2;
  return block;
}

void storeElements(OpBuilder &b, Location loc, Value vector, Value memref,
                   ValueRange indices, Value mask) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  vector = convertFloat(b, loc, vector, element);
  if (mask)
    vector::MaskedStoreOp::create(b, loc, memref, indices, mask, vector);
  else
    vector::StoreOp::create(b, loc, vector, memref, indices);
}

/// The lanes of `parts`, a power of two of vectors, one after the other.
static Value concatenate(OpBuilder &b, Location loc, SmallVector<Value> parts) {
  while (parts.size() > 1) {
    int64_t size = cast<VectorType>(parts[0].getType()).getDimSize(0);
    auto lanes = llvm::to_vector(llvm::seq<int64_t>(0, 2 * size));
    SmallVector<Value> joined;
    for (size_t i = 0; i < parts.size(); i += 2)
      joined.push_back(
          vector::ShuffleOp::create(b, loc, parts[i], parts[i + 1], lanes));
    parts = std::move(joined);
  }
  return parts.front();
}

void emitTransposed(
    OpBuilder &b, Location loc, const TransposedTile &tile,
    function_ref<SmallVector<Value>(ArrayRef<Value>, Value)> load,
    function_ref<void(Value, Value, Value, Value)> store) {
  EmitOptions options;
  TileCopier copier(b, loc, options);
  int64_t block = tile.block, width = block * tile.columnBlocks;
  Value zero = copier.index(0);
  bool allColumns = TileCopier::isMultiple(tile.columns, width);
  bool allRows = TileCopier::isMultiple(tile.rows, block);
  emitLoop(b, loc, zero, tile.rows, block, [&](Value row) {
    emitLoop(b, loc, zero, tile.columns, width, [&](Value column) {
      Value last = arith::SubIOp::create(b, loc, tile.columns, copier.index(1));
      SmallVector<Value> columns;
      for (int64_t c = 0; c < width; ++c) {
        Value here = copier.add(column, c);
        if (!allColumns)
          here = arith::MinSIOp::create(b, loc, here, last);
        columns.push_back(here);
      }
      SmallVector<Value> loaded = load(columns, row), vectors;
      for (int64_t first = 0; first < width; first += block) {
        SmallVector<Value> part = transposeInRegisters(
            b, loc, SmallVector<Value>(ArrayRef(loaded).slice(first, block)));
        vectors.append(part);
      }
      Value columnMask = copier.getColumnMask(column, tile.columns, width);
      for (int64_t r = 0; r < block; ++r) {
        Value here = copier.add(row, r);
        Value mask = allRows
                         ? columnMask
                         : copier.maskRow(columnMask, here, tile.rows, width);
        SmallVector<Value> parts;
        for (int64_t i = 0; i < tile.columnBlocks; ++i)
          parts.push_back(vectors[i * block + r]);
        store(concatenate(b, loc, parts), here, column, mask);
      }
    });
  });
}

//===----------------------------------------------------------------------===//
// attn.pack
//===----------------------------------------------------------------------===//

/// Any order: one element at a time, zero outside the source.
static void emitPackElements(TileCopier &copier, PackOp op) {
  OpBuilder &b = copier.b;
  Location loc = copier.loc;
  auto source = cast<TypedValue<MemRefType>>(op.getSource());
  auto destination = cast<TypedValue<MemRefType>>(op.getDestination());
  int64_t rank = destination.getType().getRank();
  Value zero = copier.index(0), one = copier.index(1);
  SmallVector<Value> lower(rank, zero), upper, steps(rank, one);
  for (int64_t dim = 0; dim < rank; ++dim)
    upper.push_back(copier.extent(destination, dim));
  scf::buildLoopNest(
      b, loc, lower, upper, steps,
      [&](OpBuilder &, Location, ValueRange indices) {
        SmallVector<Value> from(rank);
        Value inside;
        for (auto [position, dim] : llvm::enumerate(op.getPermutation())) {
          from[dim] = indices[position];
          Value here =
              copier.less(indices[position], copier.extent(source, dim));
          inside = inside
                       ? arith::AndIOp::create(b, loc, inside, here).getResult()
                       : here;
        }
        Type element = source.getType().getElementType();
        Value nothing =
            arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
        if (!inside)
          inside = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
        auto guarded = scf::IfOp::create(b, loc, TypeRange(element), inside,
                                         /*addThenBlock=*/true,
                                         /*addElseBlock=*/true);
        {
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToStart(guarded.thenBlock());
          Value value = memref::LoadOp::create(b, loc, source, from);
          scf::YieldOp::create(b, loc, value);
          b.setInsertionPointToStart(guarded.elseBlock());
          scf::YieldOp::create(b, loc, nothing);
        }
        Value packed = copier.apply(op, guarded.getResult(0));
        memref::StoreOp::create(b, loc, packed, destination, indices);
      });
}

/// Source (rows x columns) to destination (columns x rows), block by block.
///
/// The rows behind, by and by the next tile, are asked for on the way: they
/// come while this one is computed. Where rows see few keys, waiting for
/// queries is a tenth of the time.
static void emitPackTransposed(TileCopier &copier, PackOp op, int64_t block) {
  OpBuilder &b = copier.b;
  Location loc = copier.loc;
  auto source = cast<TypedValue<MemRefType>>(op.getSource());
  auto destination = cast<TypedValue<MemRefType>>(op.getDestination());
  Value rows = copier.extent(source, 0), columns = copier.extent(source, 1);
  Value lanes = copier.extent(destination, 1);
  Value zero = copier.index(0);
  std::optional<int64_t> knownRows = getConstantIntValue(rows);
  bool allRows = knownRows && knownRows == getConstantIntValue(lanes);
  bool allColumns = TileCopier::isMultiple(columns, block);
  emitLoop(b, loc, zero, lanes, block, [&](Value row) {
    emitLoop(b, loc, zero, columns, block, [&](Value column) {
      Value columnMask = copier.getColumnMask(column, columns, block);
      SmallVector<Value> vectors;
      for (int64_t r = 0; r < block; ++r) {
        Value here = copier.add(row, r);
        // Rows of the destination beyond the source's are zero.
        Value mask = allRows ? columnMask
                             : copier.maskRow(columnMask, here, rows, block);
        vectors.push_back(
            copier.apply(op, copier.load(source, {here, column}, block, mask)));
      }
      for (int64_t r = 0; r < block; ++r) {
        Value behind = arith::AddIOp::create(b, loc, copier.add(row, r), lanes);
        memref::PrefetchOp::create(b, loc, source, ValueRange{behind, column},
                                   /*isWrite=*/false, /*localityHint=*/2,
                                   /*isDataCache=*/true);
      }
      vectors = transposeInRegisters(b, loc, vectors);
      for (int64_t c = 0; c < block; ++c) {
        // A row of the destination is written whole or not at all.
        Value here = copier.add(column, c);
        Value mask =
            allColumns ? Value() : copier.maskRow({}, here, columns, block);
        copier.store(vectors[c], destination, {here, row}, mask);
      }
    });
  });
}

/// Same order of dimensions, innermost contiguous on both sides; rank 1 or 2.
static void emitPackCopy(TileCopier &copier, PackOp op) {
  OpBuilder &b = copier.b;
  Location loc = copier.loc;
  auto source = cast<TypedValue<MemRefType>>(op.getSource());
  auto destination = cast<TypedValue<MemRefType>>(op.getDestination());
  int64_t rank = destination.getType().getRank();
  Type element = destination.getType().getElementType();
  int64_t size = copier.options.vectorBits /
                 std::max<int64_t>(32, getMemoryWidth(element));
  Value columns = copier.extent(source, rank - 1);
  Value width = copier.extent(destination, rank - 1);
  Value zero = copier.index(0);
  auto emitRow = [&](SmallVector<Value> prefix, Value row, Value rows) {
    emitLoop(b, loc, zero, width, size, [&](Value column) {
      SmallVector<Value> indices(prefix);
      indices.push_back(column);
      // Loads stop at the source's end, stores at the destination's.
      std::optional<int64_t> known = getConstantIntValue(columns);
      bool same = known && known == getConstantIntValue(width);
      Value mask =
          same ? copier.getColumnMask(column, columns, size)
               : createLaneMask(b, loc, size,
                                arith::SubIOp::create(b, loc, columns, column));
      if (row && getConstantIntValue(rows) !=
                     getConstantIntValue(copier.extent(destination, 0)))
        mask = copier.maskRow(mask, row, rows, size);
      Value value = copier.apply(op, copier.load(source, indices, size, mask));
      copier.store(value, destination, indices,
                   copier.getColumnMask(column, width, size));
    });
  };
  if (rank == 1) {
    emitRow({}, {}, {});
    return;
  }
  Value rows = copier.extent(source, 0);
  emitLoop(b, loc, zero, copier.extent(destination, 0), 1,
           [&](Value row) { emitRow({row}, row, rows); });
}

LogicalResult emitPack(RewriterBase &rewriter, PackOp op,
                       const EmitOptions &options) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  auto source = dyn_cast<MemRefType>(op.getSource().getType());
  auto destination = dyn_cast<MemRefType>(op.getDestination().getType());
  if (!source || !destination)
    return op.emitOpError("cannot be vectorized: expected ranked memrefs");
  TileCopier copier(rewriter, op.getLoc(), options);
  int64_t rank = source.getRank();
  bool wide = liesAsVector(source.getElementType()) &&
              getMemoryWidth(source.getElementType()) >= 16;
  bool contiguous = rank > 0 && wide && isContiguousAlong(source, rank - 1) &&
                    isContiguousAlong(destination, rank - 1);
  bool inOrder = llvm::equal(op.getPermutation(), llvm::seq<int64_t>(0, rank));
  int64_t lanes = rank ? destination.getShape().back() : 0;
  int64_t block = rank == 2 && !ShapedType::isDynamic(lanes)
                      ? getTransposeBlock(destination.getElementType(), lanes,
                                          options.vectorBits)
                      : 1;
  if (contiguous && inOrder && rank <= 2)
    emitPackCopy(copier, op);
  else if (contiguous && rank == 2 && !inOrder && block > 1)
    emitPackTransposed(copier, op, block);
  else
    emitPackElements(copier, op);
  rewriter.eraseOp(op);
  return success();
}

//===----------------------------------------------------------------------===//
// attn.finish
//===----------------------------------------------------------------------===//

/// One element at a time.
void storeLogSumExp(OpBuilder &b, FinishOp op, Value lse, Value rows) {
  Location loc = op.getLoc();
  Type element = cast<MemRefType>(op.getLse().getType()).getElementType();
  lse = convertFloat(b, loc, lse, element);
  int64_t lanes = cast<VectorType>(lse.getType()).getDimSize(0);
  Value buffer = createWorkerScratch(b, op, MemRefType::get({lanes}, element));
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  vector::StoreOp::create(b, loc, lse, buffer, ValueRange{zero});
  AffineMap map = op.getStoredMap(op.getIndexingMaps().size() - 1);
  emitLoop(b, loc, zero, rows, 1, [&](Value row) {
    Value value = memref::LoadOp::create(b, loc, buffer, row);
    memref::StoreOp::create(b, loc, value, op.getLse(),
                            locateInResult(b, loc, map, row, /*channel=*/{}));
  });
}

/// Channels contiguous in the output: blocks are transposed in registers.
static void emitTransposedOutput(TileCopier &copier, FinishOp op,
                                 ArrayRef<Value> factors, AffineMap map,
                                 Value rows, Value channels) {
  OpBuilder &b = copier.b;
  Location loc = copier.loc;
  auto accumulator = cast<MemRefType>(op.getAccumulator().getType());
  Type accType = accumulator.getElementType();
  int64_t lanes = accumulator.getDimSize(1);
  int64_t block = getTransposeBlock(accType, lanes, copier.options.vectorBits);
  Value zero = copier.index(0);
  SmallVector<Value> buffers;
  for (Value factor : factors) {
    // The factor is used piece by piece: keep it in memory.
    buffers.push_back(
        createWorkerScratch(b, op, MemRefType::get({lanes}, accType)));
    vector::StoreOp::create(b, loc, factor, buffers.back(), ValueRange{zero});
  }
  auto loadChannels = [&](ArrayRef<Value> columns, Value row) {
    SmallVector<Value> scales, vectors;
    for (Value buffer : buffers)
      scales.push_back(copier.load(buffer, row, block, {}));
    for (Value channel : columns) {
      vectors.push_back(
          copier.load(op.getAccumulator(), {channel, row}, block, {}));
      for (Value scale : scales)
        vectors.back() = arith::MulFOp::create(b, loc, vectors.back(), scale);
    }
    return vectors;
  };
  auto storeRow = [&](Value vector, Value row, Value channel, Value mask) {
    copier.store(vector, op.getOutput(),
                 locateInResult(b, loc, map, row, channel), mask);
  };
  emitTransposed(b, loc, {rows, channels, block}, loadChannels, storeRow);
}

/// Any other output: one channel at a time, element by element.
static void emitStridedOutput(TileCopier &copier, FinishOp op,
                              ArrayRef<Value> factors, AffineMap map,
                              Value rows, Value channels) {
  OpBuilder &b = copier.b;
  Location loc = copier.loc;
  auto accumulator = cast<MemRefType>(op.getAccumulator().getType());
  Type element = cast<MemRefType>(op.getOutput().getType()).getElementType();
  int64_t lanes = accumulator.getDimSize(1);
  auto laneType = VectorType::get({lanes}, accumulator.getElementType());
  Value zero = copier.index(0);
  Value scratch = createWorkerScratch(
      b, op, MemRefType::get({lanes}, accumulator.getElementType()));
  emitLoop(b, loc, zero, channels, 1, [&](Value channel) {
    Value vector = vector::LoadOp::create(b, loc, laneType, op.getAccumulator(),
                                          ValueRange{channel, zero});
    for (Value factor : factors)
      vector = arith::MulFOp::create(b, loc, vector, factor);
    vector::StoreOp::create(b, loc, vector, scratch, ValueRange{zero});
    emitLoop(b, loc, zero, rows, 1, [&](Value row) {
      Value value = memref::LoadOp::create(b, loc, scratch, row);
      value = convertFloat(b, loc, value, element);
      memref::StoreOp::create(b, loc, value, op.getOutput(),
                              locateInResult(b, loc, map, row, channel));
    });
  });
}

LogicalResult emitFinish(RewriterBase &b, FinishOp op,
                         const EmitOptions &options) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  auto accumulator = dyn_cast<MemRefType>(op.getAccumulator().getType());
  auto output = dyn_cast<MemRefType>(op.getOutput().getType());
  if (!accumulator || !output)
    return op.emitOpError("cannot be vectorized: expected ranked memrefs");
  Type accType = accumulator.getElementType();
  TileCopier copier(b, loc, options);
  VectorType laneType = VectorType::get({accumulator.getDimSize(1)}, accType);
  Value zero = copier.index(0);

  auto loadLanes = [&](Value operand) -> Value {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (type && type.getRank() == 0)
      operand = memref::LoadOp::create(b, loc, operand, ValueRange());
    if (!type || type.getRank() == 0)
      return vector::BroadcastOp::create(
          b, loc, laneType, convertFloat(b, loc, operand, accType));
    return vector::LoadOp::create(b, loc, laneType, operand, ValueRange{zero});
  };
  // What selects keys leaves only an accumulator that is finished.
  auto weighting =
      dyn_cast<AccumulateWeightingAttrInterface>(op.getWeighting());
  SmallVector<Value> statistics, operands;
  if (weighting)
    for (Value statistic : op.getStatistics())
      statistics.push_back(loadLanes(statistic));
  for (Value operand : op.getWeightingOperands())
    operands.push_back(loadLanes(operand));
  Value keys = arith::IndexCastOp::create(b, loc, b.getI64Type(), op.getKeys());
  keys = arith::SIToFPOp::create(b, loc, accType, keys);
  keys = vector::BroadcastOp::create(b, loc, laneType, keys);
  SmallVector<Value> factors;
  if (weighting && !op.getFinished())
    factors = weighting.finish(b, loc, statistics, operands, keys,
                               /*scale=*/Value());

  AffineMap outputMap =
      op.getStoredMap(op.getOutputIndex());
  unsigned last = outputMap.getNumResults() - 1;
  auto position = [&](unsigned dim) {
    return *outputMap.getResultPosition(b.getAffineDimExpr(dim));
  };
  Value rows = copier.extent(op.getOutput(), position(0));
  Value channels = copier.extent(op.getOutput(), position(1));
  if (op.getLse() && weighting)
    storeLogSumExp(b, op,
                   weighting.logSumExp(b, loc, statistics, operands,
                                       /*scale=*/Value()),
                   rows);
  if (position(1) == last && isContiguousAlong(output, last))
    emitTransposedOutput(copier, op, factors, outputMap, rows, channels);
  else
    emitStridedOutput(copier, op, factors, outputMap, rows, channels);
  b.eraseOp(op);
  return success();
}

//===----------------------------------------------------------------------===//
// linalg.fill
//===----------------------------------------------------------------------===//

LogicalResult emitFill(RewriterBase &b, linalg::FillOp op,
                       const EmitOptions &options) {
  auto type = dyn_cast<MemRefType>(op.getOutputs()[0].getType());
  if (!type || type.getRank() == 0 || !type.getLayout().isIdentity() ||
      ShapedType::isDynamic(type.getShape().back()) ||
      !liesAsVector(type.getElementType()))
    return failure();
  int64_t width = type.getShape().back();
  if (width > 1024 || !llvm::isPowerOf2_64(width))
    return failure();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  TileCopier copier(b, op.getLoc(), options);
  Value target = op.getOutputs()[0], zero = copier.index(0);
  Value vector = vector::BroadcastOp::create(
      b, op.getLoc(), VectorType::get({width}, type.getElementType()),
      op.getInputs()[0]);
  SmallVector<Value> indices;
  for (int64_t dim = 0; dim < type.getRank() - 1; ++dim) {
    Value size = copier.extent(target, dim), one = copier.index(1);
    auto loop = scf::ForOp::create(b, op.getLoc(), zero, size, one);
    b.setInsertionPointToStart(loop.getBody());
    indices.push_back(loop.getInductionVar());
  }
  indices.push_back(zero);
  vector::StoreOp::create(b, op.getLoc(), vector, target, indices);
  b.eraseOp(op);
  return success();
}

} // namespace attn
