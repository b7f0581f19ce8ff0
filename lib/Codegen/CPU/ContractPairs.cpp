//===- ContractPairs.cpp - Operands of a product in pairs -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Both sides are packed in pairs of features, DotPairs.h: panels of L columns,
// pair by pair, and groups of rows. The second element of the last pair of an
// odd number of features is 0 on both sides. What is beyond the columns and the
// features is as ContractPacking.cpp has it.
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "DotPairs.h"

using namespace mlir;

namespace attn {

Value ContractEmitter::countSteps(Value depth) {
  if (!inPairs)
    return depth;
  return arith::DivUIOp::create(b, loc, add(depth, one), index(2));
}

/// Pairs of neighbours from `position` on, those outside of `mask` 0.
Value ContractEmitter::loadPairs(Value flat, Value position, int64_t pairs,
                                 Value mask) {
  Value elements = loadBits(flat, position, 2 * pairs, mask);
  return vector::BitCastOp::create(b, loc, vectorOf(pairs, b.getI32Type()),
                                   elements);
}

Value ContractEmitter::loadBits(Value flat, Value position, int64_t size,
                                Value mask) {
  VectorType type = vectorOf(size, b.getI16Type());
  if (!mask)
    return vector::LoadOp::create(b, loc, type, flat, position);
  Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  return vector::MaskedLoadOp::create(b, loc, type, flat, position, mask,
                                      zeros);
}

/// Calls `body` for each pair of `depth` features, with the number of the pair
/// and whether it has a second element.
void ContractEmitter::forEachFeaturePair(Value depth,
                                         function_ref<void(Value, bool)> body) {
  Value whole = arith::DivUIOp::create(b, loc, depth, index(2));
  emitLoop(b, loc, zero, whole, 1, [&](Value pair) { body(pair, true); });
  emitLoop(b, loc, whole, countSteps(depth), 1,
           [&](Value pair) { body(pair, false); });
}

/// Rows of pairs whose elements lie a feature apart: `size` neighbours of each
/// of two features at a time.
void ContractEmitter::interleaveFeatures(Value source, Value featureStride,
                                         Value target, int64_t size, Value mask,
                                         Value depth) {
  VectorType type = vectorOf(size, b.getI16Type());
  Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  forEachFeaturePair(depth, [&](Value pair, bool hasSecond) {
    Value position = mul(mul(pair, index(2)), featureStride);
    Value first = loadBits(source, position, size, mask);
    Value second = zeros;
    if (hasSecond)
      second = loadBits(source, add(position, featureStride), size, mask);
    vector::StoreOp::create(b, loc, interleaveDotPairs(b, loc, first, second),
                            target, mul(pair, index(size)));
  });
}

/// The pair of a row or column at `position`, features `stride` apart.
Value ContractEmitter::combineElements(Value source, Value position,
                                       Value stride, bool hasSecond) {
  Value first = memref::LoadOp::create(b, loc, source, position);
  Value second =
      hasSecond ? memref::LoadOp::create(b, loc, source, add(position, stride))
                      .getResult()
                : arith::ConstantOp::create(b, loc, b.getI16IntegerAttr(0));
  return combineDotPair(b, loc, first, second);
}

void ContractEmitter::packPanelPairs(Value target, Value column, Value count,
                                     Value feature, Value depth) {
  Value stride = rhs.strides[ContractOp::Features];
  if (rhs.contiguous == ContractOp::Columns) {
    auto pack = [&](Value mask) {
      Value source = viewAsStored(b, loc, from(rhs, zero, column, feature));
      interleaveFeatures(source, stride, target, lanes, mask, depth);
      return SmallVector<Value>();
    };
    Value whole = compare(arith::CmpIPredicate::eq, count, index(lanes));
    choose(
        whole, TypeRange(), [&] { return pack({}); },
        [&] { return pack(createLaneMask(b, loc, lanes, count)); });
    return;
  }
  Value last = sub(count, one);
  if (rhs.contiguous == ContractOp::Features) {
    int64_t side = std::min<int64_t>(8, lanes);
    emitLoop(b, loc, zero, index(lanes), side, [&](Value group) {
      SmallVector<Value> columns;
      for (int64_t c = 0; c < side; ++c) {
        Value here = least(add(group, index(c)), last);
        columns.push_back(
            viewAsStored(b, loc, from(rhs, zero, add(column, here), feature)));
      }
      forEachPiece(depth, 2 * side, [&](Value first, Value mask) {
        SmallVector<Value> square;
        for (Value source : columns)
          square.push_back(loadPairs(source, first, side, mask));
        square = transposeInRegisters(b, loc, square);
        Value pair = arith::DivUIOp::create(b, loc, first, index(2));
        Value position = add(mul(pair, index(lanes)), group);
        for (auto [k, row] : llvm::enumerate(square))
          vector::StoreOp::create(b, loc, row, target,
                                  add(position, index(k * lanes)));
      });
    });
    return;
  }
  Value source = viewAsStored(b, loc, from(rhs, zero, column, feature));
  forEachFeaturePair(depth, [&](Value pair, bool hasSecond) {
    Value from = mul(mul(pair, index(2)), stride);
    emitLoop(b, loc, zero, index(lanes), 1, [&](Value lane) {
      Value there = mul(least(lane, last), rhs.strides[ContractOp::Columns]);
      memref::StoreOp::create(
          b, loc, combineElements(source, add(from, there), stride, hasSecond),
          target, add(mul(pair, index(lanes)), lane));
    });
  });
}

void ContractEmitter::packRowPairs(Value row, Value lastRow, Value feature,
                                   Value depth) {
  Value target = flatten(b, loc, strip, zero).memref;
  Value stride = lhs.strides[ContractOp::Features];
  if (lhs.contiguous == ContractOp::Rows) {
    Value count = least(add(sub(lastRow, row), one), index(groupRows));
    interleaveFeatures(viewAsStored(b, loc, from(lhs, row, zero, feature)),
                       stride, target, groupRows,
                       createLaneMask(b, loc, groupRows, count), depth);
    return;
  }
  int64_t size = options.vectorBits / 32;
  for (int64_t r = 0; r < groupRows; ++r) {
    Value here = least(add(row, index(r)), lastRow);
    Value source = viewAsStored(b, loc, from(lhs, here, zero, feature));
    if (lhs.contiguous == ContractOp::Features) {
      forEachPiece(depth, 2 * size, [&](Value first, Value mask) {
        Value pair = arith::DivUIOp::create(b, loc, first, index(2));
        vector::StoreOp::create(b, loc, loadPairs(source, first, size, mask),
                                target, add(pair, index(r * stripRow)));
      });
      continue;
    }
    forEachFeaturePair(depth, [&](Value pair, bool hasSecond) {
      Value position = mul(mul(pair, index(2)), stride);
      memref::StoreOp::create(
          b, loc, combineElements(source, position, stride, hasSecond), target,
          add(mul(pair, index(stripFeature)), index(r * stripRow)));
    });
  }
}

} // namespace attn
