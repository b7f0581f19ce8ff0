//===- MaskFormsTest.cpp - Ways to write masks, and limits ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskChecker.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

#include <cstdlib>

using namespace mlir;
using namespace attn;
using namespace attn::test;

namespace {

WalkCounts check(const std::string &body,
                 std::function<bool(int64_t, int64_t, int64_t)> meaning = {}) {
  MaskCase mask;
  mask.body = body;
  mask.meaning = std::move(meaning);
  return checkMask(attn::test::getContext(), mask);
}

TEST(MaskFormsTest, Constants) {
  WalkCounts all = check("%visible = arith.constant true");
  EXPECT_EQ(all.knownFull, all.full);
  EXPECT_EQ(all.visited, all.full);
  EXPECT_EQ(check("%visible = arith.constant false").visited, 0);
}

TEST(MaskFormsTest, UniformTruth) {
  // Nothing, or causal.
  WalkCounts counts = check(R"(
    %c3 = arith.constant 3 : index
    %switch = arith.cmpi sgt, %s0, %c3 : index
    %causal = arith.cmpi sle, %j, %i : index
    %visible = arith.andi %switch, %causal : i1)",
                            [](int64_t, int64_t, int64_t) { return false; });
  EXPECT_EQ(counts.visited, 0);
}

TEST(MaskFormsTest, UniformReadOfTensor) {
  WalkCounts counts = check(
      R"(
    %b = attn.index 0
    %length = tensor.extract %lengths[%b] : tensor<2xi32>
    %j32 = arith.index_cast %j : index to i32
    %visible = arith.cmpi slt, %j32, %length : i32)",
      [](int64_t b, int64_t, int64_t j) { return j < (b == 0 ? 17 : 56); });
  EXPECT_EQ(counts.inVain, 0);
  EXPECT_EQ(counts.knownFull, counts.full);
}

TEST(MaskFormsTest, ShiftsAndBits) {
  WalkCounts counts =
      check(R"(
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c0 = arith.constant 0 : index
    %bi = arith.shrui %i, %c3 : index
    %bj = arith.shrsi %j, %c3 : index
    %near = arith.cmpi eq, %bi, %bj : index
    %low = arith.andi %j, %c3 : index
    %first = arith.cmpi eq, %low, %c0 : index
    %twice = arith.shli %j, %c1 : index
    %early = arith.cmpi sle, %twice, %i : index
    %a = arith.andi %first, %early : i1
    %visible = arith.ori %near, %a : i1)",
            [](int64_t, int64_t i, int64_t j) {
              return i / 8 == j / 8 || (j % 4 == 0 && 2 * j <= i);
            });
  EXPECT_EQ(counts.inVain, 0);
}

TEST(MaskFormsTest, NarrowIntegers) {
  // Parity by truncation to a bit, and numbers that wrap in eight bits.
  check(R"(
    %sum = arith.addi %i, %j : index
    %sum32 = arith.index_cast %sum : index to i32
    %odd = arith.trunci %sum32 : i32 to i1
    %c5 = arith.constant 5 : index
    %c0 = arith.constant 0 : i8
    %times = arith.muli %j, %c5 : index
    %times32 = arith.index_cast %times : index to i32
    %wrapped = arith.trunci %times32 : i32 to i8
    %negative = arith.cmpi slt, %wrapped, %c0 : i8
    %visible = arith.andi %odd, %negative : i1)",
        [](int64_t, int64_t i, int64_t j) {
          return (i + j) % 2 == 1 && int8_t(5 * j) < 0;
        });
}

/// Usual masks are as tight in i32 and i64 as on positions.
TEST(MaskFormsTest, CausalInNarrowIntegers) {
  for (std::string type : {"i32", "i64"}) {
    std::string body = R"(
    %im = arith.index_cast %i : index to T
    %jm = arith.index_cast %j : index to T
    %off = arith.index_cast %s0 : index to T
    %c9 = arith.constant 9 : T
    %last = arith.addi %im, %off : T
    %causal = arith.cmpi sle, %jm, %last : T
    %distance = arith.subi %im, %jm : T
    %near = arith.cmpi slt, %distance, %c9 : T
    %visible = arith.andi %causal, %near : i1)";
    for (size_t at; (at = body.find(" T\n")) != std::string::npos;)
      body.replace(at + 1, 1, type);
    for (bool isDynamic : {false, true}) {
      MaskCase mask;
      mask.body = body;
      mask.isDynamic = isDynamic;
      mask.meaning = [](int64_t, int64_t i, int64_t j) {
        return j <= i + 3 && i - j < 9;
      };
      WalkCounts counts = checkMask(attn::test::getContext(), mask);
      EXPECT_EQ(counts.inVain, 0) << type;
      EXPECT_EQ(counts.knownFull, counts.full) << type;
    }
  }
}

TEST(MaskFormsTest, SumsThatWrap) {
  // At the end of i64, where the sum is negative; of i32, by a multiplication.
  MaskCase mask;
  mask.body = R"(
    %i64 = arith.index_cast %i : index to i64
    %j64 = arith.index_cast %j : index to i64
    %s64 = arith.index_cast %s0 : index to i64
    %last = arith.addi %i64, %s64 : i64
    %visible = arith.cmpi sle, %j64, %last : i64)";
  mask.symbols[0] = INT64_MAX;
  mask.meaning = [](int64_t, int64_t i, int64_t) { return i == 0; };
  checkMask(attn::test::getContext(), mask);

  check(R"(
    %j32 = arith.index_cast %j : index to i32
    %c = arith.constant 100000007 : i32
    %zero = arith.constant 0 : i32
    %hash = arith.muli %j32, %c : i32
    %visible = arith.cmpi sge, %hash, %zero : i32)",
        [](int64_t, int64_t, int64_t j) {
          return int32_t(uint32_t(j) * 100000007u) >= 0;
        });
}

TEST(MaskFormsTest, WindowAtTheEndOfItsType) {
  // No difference wraps; what the ranges are calculated from would.
  for (int64_t window : {INT64_MAX, INT64_MIN}) {
    MaskCase mask;
    mask.body = R"(
    %ahead = arith.subi %j, %i : index
    %visible = arith.cmpi sle, %ahead, %s0 : index)";
    mask.symbols[0] = window;
    mask.meaning = [=](int64_t, int64_t, int64_t) { return window > 0; };
    checkMask(attn::test::getContext(), mask);
  }
}

TEST(MaskFormsTest, TruthAsNumber) {
  WalkCounts counts =
      check(R"(
    %c9 = arith.constant 9 : index
    %c2 = arith.constant 2 : i32
    %a = arith.cmpi sle, %j, %i : index
    %t = arith.subi %i, %j : index
    %b = arith.cmpi slt, %t, %c9 : index
    %na = arith.extui %a : i1 to i32
    %nb = arith.extui %b : i1 to i32
    %votes = arith.addi %na, %nb : i32
    %visible = arith.cmpi eq, %votes, %c2 : i32)",
            [](int64_t, int64_t i, int64_t j) { return j <= i && i - j < 9; });
  EXPECT_EQ(counts.inVain, 0);
  EXPECT_EQ(counts.knownFull, counts.full);
}

TEST(MaskFormsTest, AffineMinimaAndMaxima) {
  WalkCounts counts = check(R"(
    %lo = affine.max affine_map<(i)[s] -> (i - 4 * s, 7)>(%i)[%s0]
    %hi = affine.min affine_map<(i) -> (i + 3, (i floordiv 8) * 8 + 7)>(%i)
    %a = arith.cmpi sle, %lo, %j : index
    %b = arith.cmpi sge, %hi, %j : index
    %visible = arith.andi %a, %b : i1)",
                            [](int64_t, int64_t i, int64_t j) {
                              return std::max<int64_t>(i - 12, 7) <= j &&
                                     j <= std::min(i + 3, i / 8 * 8 + 7);
                            });
  EXPECT_LE(counts.inVain, counts.visited / 100);
}

TEST(MaskFormsTest, ProductsAndSquares) {
  check(R"(
    %c90 = arith.constant 90 : index
    %c50 = arith.constant 50 : index
    %product = arith.muli %i, %j : index
    %a = arith.cmpi slt, %product, %c90 : index
    %t = arith.subi %i, %j : index
    %square = arith.muli %t, %t : index
    %b = arith.cmpi slt, %square, %c50 : index
    %scaled = arith.muli %j, %s0 : index
    %limit = arith.muli %i, %s1 : index
    %c = arith.cmpi sle, %scaled, %limit : index
    %ab = arith.ori %a, %b : i1
    %visible = arith.andi %ab, %c : i1)",
        [](int64_t, int64_t i, int64_t j) {
          return (i * j < 90 || (i - j) * (i - j) < 50) && 3 * j <= 5 * i;
        });
}

TEST(MaskFormsTest, SymbolAtTheEndOfItsType) {
  MaskCase mask;
  mask.body = "%visible = arith.cmpi sle, %j, %s0 : index";
  mask.symbols[0] = INT64_MAX;
  WalkCounts counts = checkMask(attn::test::getContext(), mask);
  EXPECT_EQ(counts.density, 1);
  EXPECT_EQ(counts.knownFull, counts.full);
}

TEST(MaskFormsTest, NoKeys) {
  for (bool isDynamic : {false, true}) {
    MaskCase mask;
    mask.body = "%visible = arith.cmpi sle, %j, %i : index";
    mask.keys = 0;
    mask.isDynamic = isDynamic;
    EXPECT_EQ(checkMask(attn::test::getContext(), mask).visited, 0);
  }
}

/// Formulas that would explode are cut short, and stay sound.
TEST(MaskFormsTest, LongParity) {
  std::string body = "%x0 = arith.cmpi sle, %j, %i : index\n";
  for (int i = 1; i <= 40; ++i) {
    std::string n = std::to_string(i), last = std::to_string(i - 1);
    body += "%c" + n + " = arith.constant " + n + " : index\n%d" + n +
            " = arith.remsi %j, %c" + n + " : index\n%e" + n +
            " = arith.cmpi slt, %d" + n + ", %s0 : index\n%x" + n +
            " = arith.xori %x" + last + ", %e" + n + " : i1\n";
  }
  check(body + "%visible = arith.andi %x40, %x40 : i1");
}

TEST(MaskFormsTest, ManyAlternatives) {
  // A causal conjunction of disjunctions: too many terms to write down.
  std::string body = "%x0 = arith.cmpi sle, %j, %i : index\n";
  for (int i = 1; i <= 12; ++i) {
    std::string n = std::to_string(i), last = std::to_string(i - 1);
    body += "%c" + n + " = arith.constant " + std::to_string(4 * i) +
            " : index\n%a" + n + " = arith.cmpi slt, %j, %c" + n +
            " : index\n%b" + n + " = arith.cmpi sge, %i, %c" + n +
            " : index\n%o" + n + " = arith.ori %a" + n + ", %b" + n +
            " : i1\n%x" + n + " = arith.andi %x" + last + ", %o" + n +
            " : i1\n";
  }
  WalkCounts counts = check(body + "%visible = arith.andi %x12, %x12 : i1");
  EXPECT_EQ(counts.inVain, 0);
}

TEST(MaskFormsTest, DeepChains) {
  // Deeper than translation looks.
  std::string body = "%x0 = arith.addi %j, %s0 : index\n"
                     "%y0 = arith.cmpi sle, %j, %i : index\n";
  for (int i = 1; i <= 3000; ++i) {
    std::string n = std::to_string(i), last = std::to_string(i - 1);
    body += "%x" + n + " = arith.maxsi %x" + last + ", %i : index\n%y" + n +
            " = arith.xori %y" + last + ", %y0 : i1\n";
  }
  MaskCase mask;
  mask.body = body + "%a = arith.cmpi sge, %x3000, %j : index\n"
                     "%visible = arith.andi %y3000, %a : i1";
  mask.rows = mask.keys = 8;
  mask.tileSizes = {{4, 4}};
  checkMask(attn::test::getContext(), mask);
}

/// What the checker says of bounds that were spoilt.
bool notices(std::function<void(OpBuilder &, YieldOp, YieldOp)> spoil) {
  MaskCase mask;
  mask.keys = mask.rows;
  mask.body = R"(
    %c9 = arith.constant 9 : index
    %t = arith.subi %i, %j : index
    %visible = arith.cmpi ult, %t, %c9 : index)";
  mask.spoil = [&](GenericOp op) {
    auto getYield = [](Region &region) {
      return cast<YieldOp>(region.front().getTerminator());
    };
    YieldOp ranges = getYield(op.getRanges());
    OpBuilder builder(ranges);
    spoil(builder, ranges, getYield(op.getClassify()));
  };
  ::testing::TestPartResultArray failures;
  {
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::
            INTERCEPT_ONLY_CURRENT_THREAD,
        &failures);
    checkMask(attn::test::getContext(), mask);
  }
  return failures.size() > 0;
}

TEST(MaskFormsTest, CheckerNoticesWrongBounds) {
  EXPECT_FALSE(notices([](OpBuilder &, YieldOp, YieldOp) {}));
  auto moveBound = [](unsigned operand, int64_t offset) {
    return [=](OpBuilder &builder, YieldOp ranges, YieldOp) {
      Location loc = ranges.getLoc();
      Value by = arith::ConstantIndexOp::create(builder, loc, offset);
      ranges->setOperand(
          operand,
          arith::AddIOp::create(builder, loc, ranges->getOperand(operand), by));
    };
  };
  EXPECT_TRUE(notices(moveBound(0, 1)));
  EXPECT_TRUE(notices(moveBound(1, -1)));
  // Beyond the keys.
  EXPECT_TRUE(notices(moveBound(1, 1)));
  EXPECT_TRUE(notices([](OpBuilder &, YieldOp, YieldOp classify) {
    classify->setOperand(0, classify->getOperand(1));
  }));
  EXPECT_TRUE(notices([](OpBuilder &, YieldOp, YieldOp classify) {
    classify->setOperand(1, classify->getOperand(0));
  }));
}

} // namespace
