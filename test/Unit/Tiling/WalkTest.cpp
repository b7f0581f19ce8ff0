//===- WalkTest.cpp - What a walk visits, in which order --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A function walks, and lists the rows it comes by and the extents of the
// tiles; the reference runs it.
//
//===----------------------------------------------------------------------===//

#include "attn/Tiling/Walk.h"
#include "attn/IR/Attn.h"
#include "attn/Reference/Reference.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir;
using testing::ElementsAre;
using testing::IsEmpty;

namespace attn {
namespace {

constexpr int64_t kTileRows = 4;
/// Room for what a wrong walk lists, too.
constexpr int64_t kRoom = 64;

/// The rows in the order of their visit, and the extents of the tiles.
struct Visits {
  std::vector<double> rows, extents;
};

class WalkTest : public testing::Test {
protected:
  /// Makes a walk over what the arguments of the function say.
  using Factory = llvm::function_ref<std::unique_ptr<Walk>(
      OpBuilder &, Location, ValueRange)>;

  WalkTest() {
    context.loadDialect<AttnDialect, affine::AffineDialect, arith::ArithDialect,
                        func::FuncDialect, scf::SCFDialect,
                        tensor::TensorDialect>();
  }

  /// Makes @f, of `numArguments` numbers, that lists what the walk visits.
  void build(unsigned numArguments, Factory create) {
    OpBuilder b(&context);
    Location loc = b.getUnknownLoc();
    module = ModuleOp::create(loc);
    b.setInsertionPointToStart(module->getBody());
    Type index = b.getIndexType();
    Type list = RankedTensorType::get({kRoom}, index);
    auto function = func::FuncOp::create(
        b, loc, "f",
        b.getFunctionType(SmallVector<Type>(numArguments, index),
                          {list, index, list, index}));
    b.setInsertionPointToStart(function.addEntryBlock());
    std::unique_ptr<Walk> walk = create(b, loc, function.getArguments());
    Value none = arith::ConstantIndexOp::create(b, loc, 0);
    Value empty = tensor::SplatOp::create(b, loc, none, list);
    SmallVector<Value> visits =
        forEachTile(b, loc, *walk, {empty, none, empty, none},
                    [&](const WalkTile &tile, ValueRange carried) {
                      return append(b, loc, tile, carried);
                    });
    func::ReturnOp::create(b, loc, visits);
    ASSERT_TRUE(succeeded(verify(*module)));
  }

  Visits run(ArrayRef<int64_t> numbers) {
    std::vector<Array> arrays;
    for (int64_t number : numbers)
      arrays.push_back(llvm::cantFail(Array::create(
          ElementType::Index, {}, {static_cast<double>(number)})));
    std::vector<const Array *> arguments;
    for (const Array &array : arrays)
      arguments.push_back(&array);
    auto results = evaluateReference(*module, "f", arguments);
    if (!results) {
      ADD_FAILURE() << llvm::toString(results.takeError());
      return {};
    }
    auto take = [&](unsigned list) {
      std::vector<double> values = results->results[list].values;
      values.resize(results->results[list + 1].values[0]);
      return values;
    };
    return {take(0), take(2)};
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;

private:
  /// Lists the rows of a tile, and its extent.
  static SmallVector<Value> append(OpBuilder &b, Location loc,
                                   const WalkTile &tile, ValueRange lists) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value first = getValueOrCreateConstantIndexOp(b, loc, tile.position);
    Value extent = getValueOrCreateConstantIndexOp(b, loc, tile.extent);
    auto add = [&](Value lhs, Value rhs) -> Value {
      return arith::AddIOp::create(b, loc, lhs, rhs);
    };
    auto loop = scf::ForOp::create(
        b, loc, zero, extent, one, lists[0],
        [&](OpBuilder &, Location, Value row, ValueRange list) {
          Value filled = tensor::InsertOp::create(
              b, loc, add(first, row), list[0], add(lists[1], row));
          scf::YieldOp::create(b, loc, filled);
        });
    Value extents =
        tensor::InsertOp::create(b, loc, extent, lists[2], lists[3]);
    return {loop.getResult(0), add(lists[1], extent), extents,
            add(lists[3], one)};
  }
};

//===----------------------------------------------------------------------===//
// SpanWalk
//===----------------------------------------------------------------------===//

std::unique_ptr<Walk> createSpan(OpBuilder &b, Location loc, ValueRange args) {
  return std::make_unique<SpanWalk>(b, loc, kTileRows, args[0], args[1],
                                    /*whole=*/false);
}

TEST_F(WalkTest, SpanEndsWithATileOfWhatIsLeft) {
  build(2, createSpan);
  Visits visits = run({3, 12});
  EXPECT_THAT(visits.rows, ElementsAre(3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(visits.extents, ElementsAre(4, 4, 1));
}

TEST_F(WalkTest, SpanOfNoRowsHasNoTile) {
  build(2, createSpan);
  for (int64_t to : {5, 2, -1})
    EXPECT_THAT(run({5, to}).extents, IsEmpty());
}

TEST_F(WalkTest, WholeSpanHasWholeTilesOfAKnownExtent) {
  build(2, [](OpBuilder &b, Location loc, ValueRange args) {
    return std::make_unique<SpanWalk>(b, loc, kTileRows, args[0], args[1],
                                      /*whole=*/true);
  });
  module->walk([](affine::AffineMinOp) { ADD_FAILURE() << "a whole tile"; });
  EXPECT_THAT(run({2, 10}).extents, ElementsAre(4, 4));
}

/// The same rows by `begin`, `valid` and `next` as by a loop in equal steps.
TEST_F(WalkTest, SpanIsACursorAsWell) {
  struct Cursor final : SpanWalk {
    using SpanWalk::SpanWalk;
    std::optional<Steps> getSteps() override { return std::nullopt; }
  };
  build(2, [](OpBuilder &b, Location loc, ValueRange args) {
    return std::make_unique<Cursor>(b, loc, kTileRows, args[0], args[1],
                                    /*whole=*/false);
  });
  Visits visits = run({3, 12});
  EXPECT_THAT(visits.rows, ElementsAre(3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(visits.extents, ElementsAre(4, 4, 1));
  EXPECT_THAT(run({5, 2}).extents, IsEmpty());
}

//===----------------------------------------------------------------------===//
// RangesWalk
//===----------------------------------------------------------------------===//

/// Over ranges [args[2], args[3]), ... within [args[0], args[1]).
std::unique_ptr<Walk> createRanges(OpBuilder &b, Location loc,
                                   ValueRange args) {
  return std::make_unique<RangesWalk>(b, loc, kTileRows, args.drop_front(2),
                                      args[0], args[1], /*clips=*/true);
}

TEST_F(WalkTest, TilesGoAsFarAsRangesThatHaveBegun) {
  build(6, createRanges);
  // A hole between them: no tile reaches over it.
  Visits apart = run({0, 20, 9, 12, 1, 7});
  EXPECT_THAT(apart.rows, ElementsAre(1, 2, 3, 4, 5, 6, 9, 10, 11));
  EXPECT_THAT(apart.extents, ElementsAre(4, 2, 3));
  // They overlap: as if one.
  Visits overlapping = run({0, 20, 1, 7, 4, 9});
  EXPECT_THAT(overlapping.rows, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(overlapping.extents, ElementsAre(4, 4));
}

TEST_F(WalkTest, RangesWithinBoundsAreNotClipped) {
  build(4, [](OpBuilder &b, Location loc, ValueRange args) {
    return std::make_unique<RangesWalk>(b, loc, kTileRows, args.drop_front(2),
                                        args[0], args[1], /*clips=*/false);
  });
  EXPECT_THAT(run({0, 8, 2, 8}).extents, ElementsAre(4, 2));
}

TEST_F(WalkTest, NoRangesHaveNoTile) {
  build(2, createRanges);
  EXPECT_THAT(run({0, 8}).extents, IsEmpty());
}

/// Overlapping, nested, touching, empty, the wrong way round, beyond: each row
/// once, in ascending order.
TEST_F(WalkTest, EachRowOfAnyRangesOnceInAscendingOrder) {
  build(8, createRanges);
  std::mt19937 generator(7);
  auto draw = [&](int64_t from, int64_t to) {
    return std::uniform_int_distribution<int64_t>(from, to)(generator);
  };
  for (int i = 0; i < 500; ++i) {
    std::vector<int64_t> arguments{draw(-2, 9), draw(-2, 20)};
    while (arguments.size() < 8)
      arguments.push_back(draw(-4, 24));
    std::vector<double> expected;
    for (int64_t row = arguments[0]; row < arguments[1]; ++row)
      for (size_t range = 2; range < arguments.size(); range += 2)
        if (arguments[range] <= row && row < arguments[range + 1]) {
          expected.push_back(row);
          break;
        }
    Visits visits = run(arguments);
    EXPECT_EQ(visits.rows, expected) << testing::PrintToString(arguments);
    for (double extent : visits.extents)
      EXPECT_TRUE(extent >= 1 && extent <= kTileRows)
          << extent << " rows in " << testing::PrintToString(arguments);
  }
}

} // namespace
} // namespace attn
