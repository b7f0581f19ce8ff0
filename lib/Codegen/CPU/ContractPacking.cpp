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
  if (inPairs)
    return packPanelPairs(target, column, count, feature, depth);
  if (rhs.contiguous == ContractOp::Features)
    return packColumnsAcross(target, column, count, feature, depth);
  if (rhs.contiguous == ContractOp::Columns) {
    auto pack = [&](Value mask) {
      Value source = from(rhs, zero, column, feature);
      Value strides[] = {rhs.strides[ContractOp::Features], index(lanes)};
      auto packRow = [&](Value k, ValueRange offsets, ValueRange) {
        auto setPlace = [&](Place &place) {
          place.dims[ContractOp::Columns] = LaneValue::affine(column, 1);
          place.dims[ContractOp::Features] =
              LaneValue::uniform(add(feature, k));
        };
        Value row = loadFactor(rhs, source, offsets[0], lanes, mask, setPlace);
        vector::StoreOp::create(b, loc, row, target, offsets[1]);
        return SmallVector<Value>();
      };
      emitStridedLoop(b, loc, depth, /*unroll=*/2, strides, {}, packRow);
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
      Value here = least(lane, last);
      Value there = mul(here, rhs.strides[ContractOp::Columns]);
      Value element = loadFactor(rhs, source, there, [&](Place &place) {
        place.dims[ContractOp::Columns] = LaneValue::uniform(add(column, here));
        place.dims[ContractOp::Features] = LaneValue::uniform(add(feature, k));
      });
      memref::StoreOp::create(b, loc, element, target, add(row, lane));
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
    SmallVector<Value> columns, sources;
    for (int64_t c = 0; c < side; ++c) {
      columns.push_back(add(column, least(add(group, index(c)), last)));
      sources.push_back(from(rhs, zero, columns.back(), feature));
    }
    forEachPiece(depth, side, [&](Value first, Value mask) {
      SmallVector<Value> square;
      for (auto [here, source] : llvm::zip_equal(columns, sources)) {
        auto setPlace = [&, here = here](Place &place) {
          place.dims[ContractOp::Columns] = LaneValue::uniform(here);
          place.dims[ContractOp::Features] =
              LaneValue::affine(add(feature, first), 1);
        };
        square.push_back(loadFactor(rhs, source, first, side, mask, setPlace));
      }
      square = transposeInRegisters(b, loc, square);
      Value position = add(mul(first, index(lanes)), group);
      for (auto [k, row] : llvm::enumerate(square))
        vector::StoreOp::create(b, loc, row, target,
                                add(position, index(k * lanes)));
    });
  });
}

/// Rows are packed if they are converted or computed, once for all panels, or
/// if rows, not features, are neighbours: features would be lines apart.
bool ContractEmitter::packsRows() {
  return lhs.region || lhs.element != accType ||
         lhs.contiguous == ContractOp::Rows;
}

void ContractEmitter::packRows(Value row, Value lastRow, Value feature,
                               Value depth) {
  if (inPairs)
    return packRowPairs(row, lastRow, feature, depth);
  Value target = flatten(b, loc, strip, zero).memref;
  if (lhs.contiguous == ContractOp::Features) {
    int64_t size = options.vectorBits / accType.getWidth();
    for (int64_t r = 0; r < groupRows; ++r) {
      Value here = least(add(row, index(r)), lastRow);
      Value source = from(lhs, here, zero, feature);
      forEachPiece(depth, size, [&](Value first, Value mask) {
        auto setPlace = [&](Place &place) {
          place.dims[ContractOp::Rows] = LaneValue::uniform(here);
          place.dims[ContractOp::Features] =
              LaneValue::affine(add(feature, first), 1);
        };
        Value piece = loadFactor(lhs, source, first, size, mask, setPlace);
        vector::StoreOp::create(b, loc, piece, target,
                                add(first, index(r * stripRow)));
      });
    }
    return;
  }
  if (lhs.contiguous == ContractOp::Rows) {
    Value count = least(add(sub(lastRow, row), one), index(groupRows));
    Value mask = createLaneMask(b, loc, groupRows, count);
    Value source = from(lhs, row, zero, feature);
    Value strides[] = {lhs.strides[ContractOp::Features], index(stripFeature)};
    auto packFeature = [&](Value k, ValueRange offsets, ValueRange) {
      auto setPlace = [&](Place &place) {
        place.dims[ContractOp::Rows] = LaneValue::affine(row, 1);
        place.dims[ContractOp::Features] = LaneValue::uniform(add(feature, k));
      };
      Value column =
          loadFactor(lhs, source, offsets[0], groupRows, mask, setPlace);
      vector::StoreOp::create(b, loc, column, target, offsets[1]);
      return SmallVector<Value>();
    };
    emitStridedLoop(b, loc, depth, /*unroll=*/1, strides, {}, packFeature);
    return;
  }
  for (int64_t r = 0; r < groupRows; ++r) {
    Value here = least(add(row, index(r)), lastRow);
    Value source = from(lhs, here, zero, feature);
    emitLoop(b, loc, zero, depth, 1, [&](Value k) {
      auto setPlace = [&](Place &place) {
        place.dims[ContractOp::Rows] = LaneValue::uniform(here);
        place.dims[ContractOp::Features] = LaneValue::uniform(add(feature, k));
      };
      Value element = loadFactor(
          lhs, source, mul(k, lhs.strides[ContractOp::Features]), setPlace);
      memref::StoreOp::create(
          b, loc, element, target,
          add(mul(k, index(stripFeature)), index(r * stripRow)));
    });
  }
}

} // namespace attn
