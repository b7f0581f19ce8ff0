//===- WgmmaValues.cpp - Values that are not finite -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WgmmaKernel.h"

using namespace mlir;

namespace attn {

/// A loop over the words of 16 bytes of a tile of values that are the thread's.
SmallVector<Value>
WgmmaKernel::forOwnWords(Value values, ValueRange inits,
                         function_ref<Values(Value, ValueRange)> body) {
  int64_t words = choice.getKeys() * countParts(2) * kRowBytes / 16;
  return emitLoop(
      thread, i32(words), i32(getNumThreads()), inits,
      [&](Value number, ValueRange carried) {
        return body(hardware.move(values, multiply(number, i32(16))), carried);
      });
}

Value WgmmaKernel::toFloat(Value word) {
  Value half = arith::TruncIOp::create(b, loc, b.getI16Type(), word);
  Value narrow = arith::BitcastOp::create(b, loc, element, half);
  return arith::ExtFOp::create(b, loc, accType, narrow);
}

Value WgmmaKernel::findNotFinite(Value values) {
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  auto type = VectorType::get({4}, b.getI32Type());
  Values any = forOwnWords(values, no, [&](Value at, ValueRange carried) {
    Value four = hardware.load(type, at, 16);
    return Values{isAnyNotFinite(four, element, carried[0])};
  });
  // All threads have the same, which is to be known of the warp.
  return hardware.anyInWarp(
      hardware.anyAtBarrier(kRowBarrier, getNumThreads(), any[0]));
}

void WgmmaKernel::clearNotFinite(Value values) {
  auto type = VectorType::get({4}, b.getI32Type());
  auto constant = [&](uint32_t bits) -> Value {
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, APInt(32, bits)));
  };
  uint32_t exponent = getExponentBits(element);
  forOwnWords(values, {}, [&](Value at, ValueRange) {
    Value four = hardware.load(type, at, 16);
    for (unsigned shift : {0, 16}) {
      Value mask = constant(exponent << shift);
      Value found = compare(arith::CmpIPredicate::eq,
                            arith::AndIOp::create(b, loc, four, mask), mask);
      Value rest =
          arith::AndIOp::create(b, loc, four, constant(~(0xffffu << shift)));
      four = select(found, rest, four);
    }
    hardware.store(four, at, 16);
    return Values();
  });
}

/// Weights times those of the values that are not finite, of the pairs that are
/// visible: key by key, whose weight one of the four threads of a row has.
SmallVector<Value> WgmmaKernel::addPairs(ValueRange sums, ValueRange words,
                                         const KeyTile &keys, Value values) {
  Type i32Type = b.getI32Type(), maskType = b.getI64Type();
  uint32_t exponent = getExponentBits(element);
  // What is visible as bits.
  RowValues visible = emitVisible(keys), masks;
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value mask = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
    for (int64_t i = 0; i < lanes; ++i) {
      Value bit =
          arith::ExtUIOp::create(b, loc, maskType, lane(visible[row], i));
      Value by = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(i));
      mask = arith::OrIOp::create(b, loc, mask,
                                  arith::ShLIOp::create(b, loc, bit, by));
    }
    masks[row] = mask;
  }
  auto part = [&](Value value, unsigned shift, unsigned bits) -> Value {
    Value shifted = arith::ShRUIOp::create(b, loc, value, i32(shift));
    return arith::AndIOp::create(b, loc, shifted, i32((1 << bits) - 1));
  };
  Value ownQuad = arith::AndIOp::create(b, loc, threadInWarp, i32(28));
  return emitLoop(
      i32(0), i32(choice.getKeys()), i32(1), sums,
      [&](Value key, ValueRange carried) {
        Value group = arith::ShRUIOp::create(b, loc, key, i32(3));
        Value source = add(ownQuad, part(key, 1, 2));
        Value odd = part(key, 0, 1), inGroup = part(key, 0, 3);
        RowValues weight, isSeen;
        for (unsigned row = 0; row < kThreadRows; ++row) {
          Value word = words[row];
          for (int64_t i = 1; i < choice.getKeys() / 8; ++i)
            word = select(compare(arith::CmpIPredicate::eq, group, i32(i)),
                          words[2 * i + row], word);
          word = arith::ShRUIOp::create(b, loc, word, multiply(odd, i32(16)));
          // Behind the weight, whether it counts.
          Value by = add(multiply(group, i32(2)), odd);
          Value bit = arith::ShRUIOp::create(
              b, loc, masks[row], arith::ExtUIOp::create(b, loc, maskType, by));
          bit = part(arith::TruncIOp::create(b, loc, i32Type, bit), 0, 1);
          word =
              arith::OrIOp::create(b, loc, part(word, 0, 16),
                                   arith::ShLIOp::create(b, loc, bit, i32(16)));
          word = hardware.takeFrom(word, source);
          weight[row] = toFloat(word);
          isSeen[row] =
              compare(arith::CmpIPredicate::ne, part(word, 16, 1), i32(0));
        }
        Value line = add(multiply(key, i32(kRowBytes)), multiply(quad, i32(4)));
        Values next(carried);
        for (int64_t tile = 0; tile < layout.channels / 8; ++tile) {
          // Words of 16 bytes change places within a row.
          Value place = arith::XOrIOp::create(b, loc, inGroup, i32(tile % 8));
          Value at = add(line, multiply(place, i32(16)));
          Value pair = hardware.load(
              i32Type,
              hardware.move(hardware.move(values, at),
                            tile / 8 * choice.getKeys() * kRowBytes),
              4);
          for (unsigned i : {0, 1}) {
            Value bits = part(pair, 16 * i, 16);
            Value isOdd =
                compare(arith::CmpIPredicate::eq,
                        arith::AndIOp::create(b, loc, bits, i32(exponent)),
                        i32(exponent));
            Value value = toFloat(bits);
            for (unsigned row = 0; row < kThreadRows; ++row) {
              Value &sum = next[4 * tile + 2 * row + i];
              Value more = math::FmaOp::create(b, loc, weight[row], value, sum);
              sum = select(both(isOdd, isSeen[row]), more, sum);
            }
          }
        }
        return next;
      });
}

/// A product adds 0 x NaN where a pair is hidden. Of tiles in which some are,
/// the values that are not finite are added one by one, and are zeros then.
SmallVector<Value> WgmmaKernel::addNotFinite(ValueRange sums, ValueRange words,
                                             const KeyTile &keys,
                                             Value isPartial,
                                             const Place &place) {
  // What lies behind the keys in a page, or of a request, may be anything.
  bool hidesKeys = blocks || op.getKeyStarts();
  if (!isPartial || !(hidesPairs(op) || hidesKeys))
    return Values(sums);
  Value values = getValues(place.stage);
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  Value isSlow = emitIf(
      isPartial,
      [&] {
        hardware.waitForPhase(getBarrier(Event::ValuesFull, place.stage),
                              place.parity);
        return Values{findNotFinite(values)};
      },
      no)[0];
  return emitIf(
      isSlow,
      [&] {
        Values next = addPairs(sums, words, keys, values);
        hardware.barrier(kRowBarrier, getNumThreads());
        clearNotFinite(values);
        hardware.fenceProxy();
        hardware.barrier(kRowBarrier, getNumThreads());
        return next;
      },
      sums);
}

} // namespace attn
