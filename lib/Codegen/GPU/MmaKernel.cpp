//===- MmaKernel.cpp - Kernels on matrices in registers ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tiles are copied 16 bytes at a time, past the registers, and read by
// `ldmatrix`, eight rows at once: rows are an odd number of 16-byte words
// apart, so that these lie in different banks, and addresses are one register
// and a constant. Weights are of the next product what scores are of the first:
// they are rounded where they are.
//
//===----------------------------------------------------------------------===//

#include "Fragments.h"
#include "KernelEmitter.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {
namespace {

/// Queries of up to so many features stay in registers.
constexpr int64_t kFeaturesInRegisters = 128;

class MmaKernel final : public KernelEmitter {
public:
  MmaKernel(RewriterBase &rewriter, GenericOp op, GPUKernelAttr choice)
      : KernelEmitter(rewriter, op, choice),
        element(getElementTypeOrSelf(op.getQuery().getType())) {}

private:
  bool copiesAsync() const override { return true; }
  void copyQueries() override {
    copyRows(view(0, rowDim, featureDim), firstRow, numRows, choice.getRows(),
             /*at=*/0, layout.features, layout.queryStride, getFeatures());
  }
  void copyKeys(const KeyTile &tile) override {
    copyRows(view(1, keyDim, featureDim), tile.first, tile.count,
             choice.getKeys(), layout.keys, layout.features, layout.queryStride,
             getFeatures());
  }
  void copyValues(const KeyTile &tile) override {
    copyRows(view(2, keyDim, channelDim), tile.first, tile.count,
             choice.getKeys(), layout.values, layout.channels,
             layout.valueStride, getChannels());
  }
  bool takesQueries() const override {
    return layout.features <= kFeaturesInRegisters;
  }
  void takeQueries() override;
  RowValues emitSimilarities(const KeyTile &tile) override;
  Values addValues(ValueRange sums, const RowValues &weights,
                   const RowValues &visible, Value isPartial) override;
  /// The features there are, which the products' may be more than.
  int64_t getFeatures() { return *getConstantIntValue(extents[featureDim]); }
  Value emitAnyNotFinite();
  void storeFactor(const RowValues &weights);
  Values addProduct(ValueRange sums, const RowValues &weights);

  void copyRows(const MatrixView &from, Value first, Value count, int64_t rows,
                int64_t at, int64_t columns, int64_t stride, int64_t known);
  /// 16 features of the warp's queries, from `step` times 16 on.
  Values loadQueries(int64_t step) {
    return hardware.loadMatrices(shared(32 * step, queryLane), 4,
                                 /*transposed=*/false);
  }

  Type element;
  /// Where the thread's rows of matrices begin, in bytes: of queries, keys,
  /// values, weights.
  Value queryLane, keyLane, valueLane, weightLane;
  SmallVector<Values> queries;
};

} // namespace

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// Zeros where there is no such row, or where features are filled up.
void MmaKernel::copyRows(const MatrixView &from, Value first, Value count,
                         int64_t rows, int64_t at, int64_t columns,
                         int64_t stride, int64_t known) {
  int64_t threads = 32 * choice.getWarps(), words = columns / 8;
  // Where rows divide the threads, each thread has a column of words.
  bool inColumns = threads % words == 0;
  Value last;
  if (count)
    last = arith::SubIOp::create(b, loc, count, i32(1));
  auto copy = [&](Value row, Value word, int64_t own, Value to) {
    // `own` rows further on than `row`.
    Value line = add(row, i32(own)), source = line, column = word, fill;
    if (count) {
      source = arith::MinSIOp::create(b, loc, line, last);
      fill = compare(arith::CmpIPredicate::slt, line, count);
    }
    if (columns != known) {
      Value there = compare(arith::CmpIPredicate::slt, word, i32(known / 8));
      fill = fill ? arith::AndIOp::create(b, loc, fill, there) : there;
      column = select(there, word, i32(0));
    }
    Value bytes = fill ? select(fill, i32(16), i32(0)) : Value();
    Value address = add(rowAddress(from, first, source),
                        multiply(toIndex(column), index(16)));
    hardware.copyAsync(to, hardware.toGlobal(address), bytes);
  };
  auto guarded = [&](bool needed, Value number, int64_t limit,
                     function_ref<void()> body) {
    if (!needed)
      return body();
    emitIf(compare(arith::CmpIPredicate::slt, number, i32(limit)),
           [&] {
             body();
             return Values();
           },
           {});
  };
  Value row = arith::DivUIOp::create(b, loc, thread, i32(words));
  Value word = arith::RemUIOp::create(b, loc, thread, i32(words));
  if (inColumns) {
    int64_t step = threads / words;
    Value own = add(multiply(row, i32(stride)), multiply(word, i32(16)));
    for (int64_t done = 0; done < rows; done += step)
      guarded(done + step > rows, row, rows - done,
              [&] { copy(row, word, done, filled(at + done * stride, own)); });
    return;
  }
  for (int64_t done = 0; done < rows * words; done += threads) {
    Value number = add(thread, i32(done));
    guarded(done + threads > rows * words, number, rows * words, [&] {
      row = arith::DivUIOp::create(b, loc, number, i32(words));
      word = arith::RemUIOp::create(b, loc, number, i32(words));
      Value own = add(multiply(row, i32(stride)), multiply(word, i32(16)));
      copy(row, word, 0, filled(at, own));
    });
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void MmaKernel::takeQueries() {
  auto part = [&](unsigned bits, unsigned shift) -> Value {
    Value shifted = arith::ShRUIOp::create(b, loc, threadInWarp, i32(shift));
    return arith::AndIOp::create(b, loc, shifted, i32((1 << bits) - 1));
  };
  // Matrices are given by rows 0 to 7 and 8 to 15 of 8 columns, then of the
  // next 8; those of keys by the columns first.
  Value columnBytes = multiply(part(1, 4), i32(16));
  Value ownRow = add(warpRow, part(4, 0));
  queryLane = add(multiply(ownRow, i32(layout.queryStride)), columnBytes);
  valueLane = add(multiply(part(4, 0), i32(layout.valueStride)), columnBytes);
  if (firstChannel)
    valueLane = add(valueLane, multiply(firstChannel, i32(2)));
  Value keyRow = add(part(3, 0), multiply(part(1, 4), i32(8)));
  keyLane = add(multiply(keyRow, i32(layout.queryStride)),
                multiply(part(1, 3), i32(16)));
  queries.clear();
  if (divides) {
    keyLane = add(keyLane, multiply(firstKey, i32(layout.queryStride)));
    ownRow = multiply(ownRow, i32(layout.weightRowBytes));
    weightLane = add(ownRow, columnBytes);
  }
  if (takesQueries())
    for (int64_t step = 0; step < layout.features / 16; ++step)
      queries.push_back(loadQueries(step));
}

RowValues MmaKernel::emitSimilarities(const KeyTile &) {
  int64_t tiles = getOwnKeys() / 8;
  Value zero = createFloatConstant(b, loc, accType, 0.0);
  Values sums(4 * tiles, zero);
  for (int64_t step = 0; step < layout.features / 16; ++step)
    multiplyFragments(
        hardware, sums, /*rows=*/1, tiles, element,
        [&](int64_t) {
          return queries.empty() ? loadQueries(step) : queries[step];
        },
        [&](int64_t tile) {
          int64_t at = layout.keys + 8 * tile * layout.queryStride + 32 * step;
          return hardware.loadMatrices(staged(at, keyLane),
                                       2 * std::min<int64_t>(2, tiles - tile),
                                       /*transposed=*/false);
        });
  return toRows(sums);
}

/// The weights of the warp's keys, for all warps that share its rows.
void MmaKernel::storeFactor(const RowValues &weights) {
  Value own =
      add(multiply(add(warpRow, group), i32(layout.weightRowBytes)), ownKey(2));
  for (unsigned row = 0; row < kThreadRows; ++row)
    for (int64_t i = 0; i < lanes; i += 2) {
      Value first = lane(weights[row], i), second = lane(weights[row], i + 1);
      Value pair = hardware.pack(first, second, element);
      int64_t at = layout.weights + 8 * row * layout.weightRowBytes + 8 * i;
      hardware.store(pair, shared(at, own), 4);
    }
}

SmallVector<Value> MmaKernel::addProduct(ValueRange sums,
                                         const RowValues &weights) {
  Values next(sums);
  int64_t tiles = getOwnChannels() / 8;
  for (int64_t step = 0; step < choice.getKeys() / 16; ++step) {
    auto loadWeights = [&](int64_t) {
      if (!divides)
        return packWeights(weights, step, element);
      return hardware.loadMatrices(
          shared(layout.weights + 32 * step, weightLane), 4,
          /*transposed=*/false);
    };
    auto loadValues = [&](int64_t tile) {
      int64_t at = layout.values + 16 * step * layout.valueStride + 16 * tile;
      return hardware.loadMatrices(staged(at, valueLane),
                                   2 * std::min<int64_t>(2, tiles - tile),
                                   /*transposed=*/true);
    };
    multiplyFragments(hardware, next, /*rows=*/1, tiles, element, loadWeights,
                      loadValues);
  }
  return next;
}

/// Whether a value in shared memory is infinite or NaN: the warp looks through
/// all of them, 16 bytes a thread.
Value MmaKernel::emitAnyNotFinite() {
  int64_t words = layout.channels / 8;
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  auto loop = scf::ForOp::create(b, loc, threadInWarp,
                                 i32(choice.getKeys() * words), i32(32), no);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value number = loop.getInductionVar();
    // Neighbours take the same word of different rows, which lie in different
    // banks.
    Value row = arith::RemUIOp::create(b, loc, number, i32(choice.getKeys()));
    Value word = arith::DivUIOp::create(b, loc, number, i32(choice.getKeys()));
    Value at =
        add(multiply(row, i32(layout.valueStride)), multiply(word, i32(16)));
    auto type = VectorType::get({4}, b.getI32Type());
    Value four = hardware.load(type, staged(layout.values, at), 16);
    Value any = isAnyNotFinite(four, element, loop.getRegionIterArgs()[0]);
    scf::YieldOp::create(b, loc, any);
  }
  return hardware.anyInWarp(loop.getResult(0));
}

/// A product adds 0 x NaN where a pair is hidden. Tiles in which some are, and
/// where some value is not finite, are multiplied one by one: all warps of a
/// block find the same.
SmallVector<Value> MmaKernel::addValues(ValueRange sums,
                                        const RowValues &weights,
                                        const RowValues &visible,
                                        Value isPartial) {
  auto multiplyTile = [&] {
    if (divides) {
      storeFactor(weights);
      awaitRows();
    }
    return addProduct(sums, weights);
  };
  if (!visible[0])
    return multiplyTile();
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  Value isSlow =
      emitIf(isPartial, [&] { return Values{emitAnyNotFinite()}; }, no)[0];
  return emitEither(
      sums.getTypes(), isSlow,
      [&] {
        storeOneByOne(weights, visible);
        awaitRows();
        return addOneByOne(sums, /*mayHide=*/true, element);
      },
      multiplyTile);
}

std::unique_ptr<KernelEmitter>
createMmaKernel(RewriterBase &rewriter, GenericOp op, GPUKernelAttr choice) {
  return std::make_unique<MmaKernel>(rewriter, op, choice);
}

} // namespace attn
