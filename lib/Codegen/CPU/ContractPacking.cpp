//===- ContractPacking.cpp - Operands of a product, in order ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is beyond the columns of rhs in a panel is of no consequence, as lanes
// do not meet: it is whatever is read most easily. What is beyond the features
// lies where the next panel will be packed, or in slack.
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

void ContractEmitter::forEachPiece(Value extent, int64_t size,
                                   function_ref<void(Value, Value)> body) {
  Value rest = arith::RemUIOp::create(b, loc, extent, index(size));
  Value whole = sub(extent, rest);
  emitLoop(b, loc, zero, whole, size, [&](Value first) { body(first, {}); });
  emitLoop(b, loc, whole, extent, size, [&](Value first) {
    body(first, createLaneMask(b, loc, size, rest));
  });
}

/// A panel, feature by feature, at `position` of `panels`.
void ContractEmitter::packPanel(Value position, Value column, Value count,
                                Value feature, Value depth) {
  Value target = flatten(b, loc, panels, position).memref;
  if (rhs.contiguous == ContractOp::Features)
    return packColumnsAcross(target, column, count, feature, depth);
  if (rhs.contiguous == ContractOp::Columns) {
    auto pack = [&](Value mask) {
      Value source = from(rhs, zero, column, feature);
      Value strides[] = {rhs.strides[ContractOp::Features], index(lanes)};
      emitStridedLoop(b, loc, depth, /*unroll=*/2, strides, {},
                      [&](Value, ValueRange offsets, ValueRange) {
                        Value row = load(source, offsets[0], lanes, mask);
                        vector::StoreOp::create(b, loc, row, target,
                                                offsets[1]);
                        return SmallVector<Value>();
                      });
      return SmallVector<Value>();
    };
    Value whole = compare(arith::CmpIPredicate::eq, count, index(lanes));
    choose(
        whole, TypeRange(), [&] { return pack({}); },
        [&] { return pack(createLaneMask(b, loc, lanes, count)); });
    return;
  }
  Value last = sub(count, one);
  emitLoop(b, loc, zero, depth, 1, [&](Value k) {
    Value source = from(rhs, zero, column, add(feature, k));
    Value row = mul(k, index(lanes));
    emitLoop(b, loc, zero, index(lanes), 1, [&](Value lane) {
      Value there = mul(least(lane, last), rhs.strides[ContractOp::Columns]);
      memref::StoreOp::create(b, loc, loadElement(source, there), target,
                              add(row, lane));
    });
  });
}

/// Features are neighbours: squares of columns and features are transposed in
/// registers.
void ContractEmitter::packColumnsAcross(Value target, Value column, Value count,
                                        Value feature, Value depth) {
  int64_t side = std::min<int64_t>(8, lanes);
  Value last = sub(count, one);
  emitLoop(b, loc, zero, index(lanes), side, [&](Value group) {
    SmallVector<Value> columns;
    for (int64_t c = 0; c < side; ++c) {
      Value here = least(add(group, index(c)), last);
      columns.push_back(from(rhs, zero, add(column, here), feature));
    }
    forEachPiece(depth, side, [&](Value first, Value mask) {
      SmallVector<Value> square;
      for (Value source : columns)
        square.push_back(load(source, first, side, mask));
      square = transposeInRegisters(b, loc, square);
      Value position = add(mul(first, index(lanes)), group);
      for (auto [k, row] : llvm::enumerate(square))
        vector::StoreOp::create(b, loc, row, target,
                                add(position, index(k * lanes)));
    });
  });
}

/// Rows are packed if they are converted, once for all panels, or if rows, not
/// features, are neighbours: features would be lines apart.
bool ContractEmitter::packsRows() {
  return lhs.element != accType || lhs.contiguous == ContractOp::Rows;
}

void ContractEmitter::packRows(Value row, Value lastRow, Value feature,
                               Value depth) {
  Value target = flatten(b, loc, strip, zero).memref;
  if (lhs.contiguous == ContractOp::Features) {
    int64_t size = options.vectorBits / accType.getWidth();
    for (int64_t r = 0; r < groupRows; ++r) {
      Value here = least(add(row, index(r)), lastRow);
      Value source = from(lhs, here, zero, feature);
      forEachPiece(depth, size, [&](Value first, Value mask) {
        vector::StoreOp::create(b, loc, load(source, first, size, mask), target,
                                add(first, index(r * stripRow)));
      });
    }
    return;
  }
  if (lhs.contiguous == ContractOp::Rows) {
    Value count = least(add(sub(lastRow, row), one), index(groupRows));
    Value mask = createLaneMask(b, loc, groupRows, count);
    Value source = from(lhs, row, zero, feature);
    Value strides[] = {lhs.strides[ContractOp::Features],
                       index(stripFeature)};
    emitStridedLoop(b, loc, depth, /*unroll=*/1, strides, {},
                    [&](Value, ValueRange offsets, ValueRange) {
                      Value column = load(source, offsets[0], groupRows, mask);
                      vector::StoreOp::create(b, loc, column, target,
                                              offsets[1]);
                      return SmallVector<Value>();
                    });
    return;
  }
  for (int64_t r = 0; r < groupRows; ++r) {
    Value source = from(lhs, least(add(row, index(r)), lastRow), zero, feature);
    emitLoop(b, loc, zero, depth, 1, [&](Value k) {
      Value element =
          loadElement(source, mul(k, lhs.strides[ContractOp::Features]));
      memref::StoreOp::create(
          b, loc, element, target,
          add(mul(k, index(stripFeature)), index(r * stripRow)));
    });
  }
}

} // namespace attn
