//===- ContractVector.cpp - A vector and a matrix ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The limit is the reading of the matrix, once, in pieces as long as it has.
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "MicroKernel.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

void ContractEmitter::emitVector() {
  bool hasRows = bool(lhs.strides[ContractOp::Rows]);
  laneDim = hasRows ? ContractOp::Rows : ContractOp::Columns;
  const Operand &matrix = hasRows ? lhs : rhs, &vector = hasRows ? rhs : lhs;
  if (matrix.contiguous == laneDim)
    emitColumnsInLanes(matrix, vector);
  else
    emitDotProducts(matrix, vector);
}

ContractEmitter::Place ContractEmitter::placeAt(Value position, int64_t size,
                                                Value mask) {
  Place place;
  place.dims[0] = place.dims[1] = LaneValue::uniform(zero);
  place.dims[laneDim] = LaneValue::affine(position, 1);
  place.lanes = size;
  place.mask = mask;
  return place;
}

void ContractEmitter::setPlace(Place &place, LaneValue position,
                               LaneValue feature) {
  place.dims[ContractOp::Rows] = place.dims[ContractOp::Columns] =
      LaneValue::uniform(zero);
  place.dims[laneDim] = position;
  place.dims[ContractOp::Features] = feature;
}

/// Columns are neighbours: a few rows of the matrix at a time, each from end to
/// end, are added to sums that stay in the first level of cache.
void ContractEmitter::emitColumnsInLanes(const Operand &matrix,
                                         const Operand &vector) {
  constexpr int64_t kRowsTogether = 8, kColumns = 1024;
  Value extent = laneDim == ContractOp::Rows ? numRows : numColumns;
  VectorType type = vectorOf(lanes, accType);
  sums = createScratch(kColumns + lanes);
  emitLoop(b, loc, zero, extent, kColumns, [&](Value first) {
    Value columns = least(sub(extent, first), index(kColumns));
    Value nothing = createFloatConstant(b, loc, type, 0.0);
    emitLoop(b, loc, zero, columns, lanes, [&](Value column) {
      vector::StoreOp::create(b, loc, nothing, sums, column);
    });
    auto addRows = [&](Value feature, int64_t rows) {
      Value panel = from(matrix, first, first, feature);
      Value factors = from(vector, zero, zero, feature);
      forEachPiece(columns, lanes, [&](Value column, Value mask) {
        Value sum = vector::LoadOp::create(b, loc, type, sums, column);
        Value strides[] = {matrix.strides[ContractOp::Features],
                           vector.strides[ContractOp::Features]};
        sum = emitMicroKernel(
            b, loc,
            {index(rows), /*unroll=*/rows, strides,
             [&](int64_t, Value step, ValueRange offsets) {
               auto set = [&](Place &place) {
                 setPlace(place, LaneValue::affine(add(first, column), 1),
                          LaneValue::uniform(add(feature, step)));
               };
               return loadFactor(matrix, panel, add(offsets[0], column), lanes,
                                 mask, set);
             },
             [&](int64_t, Value step, ValueRange offsets) {
               return loadFactor(
                   vector, factors, offsets[1], [&](Place &place) {
                     setPlace(place, LaneValue::uniform(zero),
                              LaneValue::uniform(add(feature, step)));
                   });
             }},
            sum, options)[0];
        vector::StoreOp::create(b, loc, sum, sums, column);
      });
    };
    Value rest =
        arith::RemUIOp::create(b, loc, numFeatures, index(kRowsTogether));
    Value whole = sub(numFeatures, rest);
    emitLoop(b, loc, zero, whole, kRowsTogether,
             [&](Value feature) { addRows(feature, kRowsTogether); });
    emitLoop(b, loc, whole, numFeatures, 1,
             [&](Value feature) { addRows(feature, 1); });
    forEachPiece(columns, lanes, [&](Value column, Value mask) {
      Value sum = vector::LoadOp::create(b, loc, type, sums, column);
      finishRow(sum, placeAt(add(first, column), lanes, mask), BlockOfSum(),
                {});
    });
  });
}

/// Lanes along features, where they are neighbours; several sums at a time.
void ContractEmitter::emitDotProducts(const Operand &matrix,
                                      const Operand &vector) {
  constexpr int64_t kTogether = 4;
  Value extent = laneDim == ContractOp::Rows ? numRows : numColumns;
  bool neighbours = matrix.contiguous == ContractOp::Features &&
                    vector.contiguous == ContractOp::Features;
  int64_t size = neighbours ? lanes : 1;
  sums = createScratch(lanes + kTogether);
  Value source = from(vector, zero, zero, zero);
  Value nothing = createFloatConstant(b, loc, vectorOf(size, accType), 0.0);
  auto emitDots = [&](Value first, Value target) {
    Value last = sub(extent, one);
    SmallVector<Value> places, rows;
    for (int64_t r = 0; r < kTogether; ++r) {
      Value here = least(add(first, index(r)), last);
      places.push_back(here);
      rows.push_back(from(matrix, here, here, zero));
    }
    // A piece of a row of the matrix, or of the vector: features in lanes.
    auto loadPiece = [&](const Operand &operand, Value flat, Value position,
                         Value row, Value number, Value mask) {
      auto set = [&](Place &place) {
        setPlace(place, LaneValue::uniform(row),
                 LaneValue::affine(mul(number, index(size)), 1));
      };
      return loadFactor(operand, flat, position, size, mask, set);
    };
    Value rest = arith::RemUIOp::create(b, loc, numFeatures, index(size));
    Value whole = sub(numFeatures, rest);
    Value pieces = arith::DivUIOp::create(b, loc, whole, index(size));
    Value strides[] = {mul(matrix.strides[ContractOp::Features], index(size)),
                       mul(vector.strides[ContractOp::Features], index(size))};
    SmallVector<Value> dots(kTogether, nothing);
    dots = emitMicroKernel(
        b, loc,
        {pieces, /*unroll=*/2, strides,
         [&](int64_t, Value step, ValueRange offsets) {
           return loadPiece(vector, source, offsets[1], zero, step, {});
         },
         [&](int64_t r, Value step, ValueRange offsets) {
           return loadPiece(matrix, rows[r], offsets[0], places[r], step, {});
         }},
        dots, options);
    if (size > 1) {
      Value mask = createLaneMask(b, loc, size, rest);
      Value right = loadPiece(vector, source, whole, zero, pieces, mask);
      for (auto [row, place, dot] : llvm::zip_equal(rows, places, dots)) {
        Value left = loadPiece(matrix, row, whole, place, pieces, mask);
        dot = vector::FMAOp::create(b, loc, left, right, dot);
      }
    }
    for (auto [r, dot] : llvm::enumerate(dots)) {
      Value sum =
          vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD, dot,
                                      arith::FastMathFlags::reassoc);
      memref::StoreOp::create(b, loc, sum, sums, add(target, index(r)));
    }
  };
  emitLoop(b, loc, zero, extent, lanes, [&](Value first) {
    Value count = least(sub(extent, first), index(lanes));
    emitLoop(b, loc, zero, count, kTogether,
             [&](Value at) { emitDots(add(first, at), at); });
    Value sum =
        vector::LoadOp::create(b, loc, vectorOf(lanes, accType), sums, zero);
    finishRow(sum, placeAt(first, lanes, createLaneMask(b, loc, lanes, count)),
              BlockOfSum(), {});
  });
}

} // namespace attn
