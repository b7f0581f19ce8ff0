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

/// As many sums in registers as there are, over the whole depth.
void ContractEmitter::emitColumnsInLanes(const Operand &matrix,
                                         const Operand &vector) {
  Value extent = laneDim == ContractOp::Rows ? numRows : numColumns;
  Value source = from(vector, zero, zero, zero);
  auto emit = [&](Value first, int64_t size, Value mask) {
    Value panel = from(matrix, first, first, zero);
    Value nothing = createFloatConstant(b, loc, vectorOf(size, accType), 0.0);
    Value strides[] = {matrix.strides[ContractOp::Features],
                       vector.strides[ContractOp::Features]};
    Value sum = emitMicroKernel(
        b, loc,
        {numFeatures, /*unroll=*/4, strides,
         [&](Value, ValueRange offsets) {
           return load(panel, offsets[0], size, mask);
         },
         [&](int64_t, Value, ValueRange offsets) {
           return loadElement(source, offsets[1]);
         }},
        nothing)[0];
    finishRow(sum, placeAt(first, size, mask), BlockOfSum(), {});
  };
  int64_t wide = 4 * lanes;
  Value rest = arith::RemUIOp::create(b, loc, extent, index(wide));
  Value whole = sub(extent, rest);
  emitLoop(b, loc, zero, whole, wide,
           [&](Value first) { emit(first, wide, {}); });
  emitLoop(b, loc, whole, extent, lanes, [&](Value first) {
    Value count = least(sub(extent, first), index(lanes));
    emit(first, lanes, createLaneMask(b, loc, lanes, count));
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
    SmallVector<Value> rows;
    for (int64_t r = 0; r < kTogether; ++r) {
      Value here = least(add(first, index(r)), last);
      rows.push_back(from(matrix, here, here, zero));
    }
    Value rest = arith::RemUIOp::create(b, loc, numFeatures, index(size));
    Value whole = sub(numFeatures, rest);
    Value strides[] = {
        mul(matrix.strides[ContractOp::Features], index(size)),
        mul(vector.strides[ContractOp::Features], index(size))};
    SmallVector<Value> dots(kTogether, nothing);
    dots = emitMicroKernel(
        b, loc,
        {arith::DivUIOp::create(b, loc, whole, index(size)), /*unroll=*/2,
         strides,
         [&](Value, ValueRange offsets) {
           return load(source, offsets[1], size);
         },
         [&](int64_t r, Value, ValueRange offsets) {
           return load(rows[r], offsets[0], size);
         }},
        dots);
    if (size > 1) {
      Value mask = createLaneMask(b, loc, size, rest);
      Value right = load(source, whole, size, mask);
      for (auto [row, dot] : llvm::zip_equal(rows, dots))
        dot = vector::FMAOp::create(b, loc, load(row, whole, size, mask), right,
                                    dot);
    }
    for (auto [r, dot] : llvm::enumerate(dots)) {
      Value sum = vector::ReductionOp::create(
          b, loc, vector::CombiningKind::ADD, dot,
          arith::FastMathFlags::reassoc);
      memref::StoreOp::create(b, loc, sum, sums, add(target, index(r)));
    }
  };
  emitLoop(b, loc, zero, extent, lanes, [&](Value first) {
    Value count = least(sub(extent, first), index(lanes));
    emitLoop(b, loc, zero, count, kTogether,
             [&](Value at) { emitDots(add(first, at), at); });
    Value sum = vector::LoadOp::create(b, loc, vectorOf(lanes, accType), sums,
                                       zero);
    finishRow(sum, placeAt(first, lanes, createLaneMask(b, loc, lanes, count)),
              BlockOfSum(), {});
  });
}

} // namespace attn
