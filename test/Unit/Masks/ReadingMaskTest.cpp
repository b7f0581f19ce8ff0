//===- ReadingMaskTest.cpp - Masks that read tables -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskChecker.h"
#include "gtest/gtest.h"

#include <cstdlib>

using namespace attn::test;

namespace {

/// What is asked of rows is exact for tiles of whole blocks of 16.
MaskCase getCase(const std::string &body) {
  MaskCase mask;
  mask.body = body;
  mask.rows = 48;
  mask.tileSizes = {{16, 8}, {16, 5}, {32, 16}};
  return mask;
}

/// Checks the mask with static and with dynamic extents.
WalkCounts check(MaskCase mask) {
  WalkCounts counts;
  for (bool isDynamic : {false, true}) {
    mask.isDynamic = isDynamic;
    counts += checkMask(getContext(), mask);
  }
  return counts;
}

const char *const sameDocument = R"(
    %di = tensor.extract %ids[%i] : tensor<$xi32>
    %dj = tensor.extract %ids[%j] : tensor<$xi32>
    %visible = arith.cmpi eq, %di, %dj : i32)";

const char *const sameWideDocument = R"(
    %visible = arith.cmpi eq, %mine, %other : i64)";

/// Documents that begin at blocks: all is exact, in the narrow type, in the
/// wide one, for any numbers.
TEST(ReadingMaskTest, Documents) {
  const int64_t numbers[] = {INT64_MIN, 7, INT64_MAX, -1};
  for (bool isWide : {false, true}) {
    MaskCase mask = getCase(isWide ? sameWideDocument : sameDocument);
    for (int64_t position = 0; position < 64; ++position) {
      mask.tables.ids[position] = int32_t(numbers[position / 16] >> 32) ^ 5;
      mask.tables.wide[position] = numbers[position / 16];
    }
    mask.meaning = [](int64_t, int64_t i, int64_t j) {
      return i / 16 == j / 16;
    };
    mask.tileSizes = {{16, 8}, {16, 5}};
    WalkCounts counts = check(mask);
    EXPECT_EQ(counts.inVain, 0);
    EXPECT_GT(counts.full, 0);
    EXPECT_EQ(counts.knownFull, counts.full);
  }
}

/// A tile on the border of two documents sees both; of no other one.
TEST(ReadingMaskTest, DocumentsOfAnyLength) {
  for (bool isWide : {false, true}) {
    MaskCase mask = getCase(isWide ? sameWideDocument : sameDocument);
    for (int64_t position = 0; position < 64; ++position) {
      mask.tables.ids[position] = position / 10;
      mask.tables.wide[position] = position / 10 + INT64_MAX - 5;
    }
    mask.meaning = [](int64_t, int64_t i, int64_t j) {
      return i / 10 == j / 10;
    };
    mask.tileSizes = {{16, 1}};
    EXPECT_EQ(check(mask).inVain, 0);
  }
}

/// The same document twice, with another one between: the hull of both.
TEST(ReadingMaskTest, DocumentsThatComeAgain) {
  MaskCase mask = getCase(sameWideDocument);
  for (int64_t position = 0; position < 64; ++position)
    mask.tables.wide[position] = position / 16 % 2 ? 3 : -3;
  mask.meaning = [](int64_t, int64_t i, int64_t j) {
    return i / 16 % 2 == j / 16 % 2;
  };
  mask.tileSizes = {{16, 8}};
  WalkCounts counts = check(mask);
  // Of the other document, nothing is computed.
  EXPECT_EQ(counts.inVain, 0);
  EXPECT_EQ(counts.knownFull, counts.full);
}

/// Blocks of other documents, whose ids lie on both sides of the wanted one:
/// searching on from the first and the last block finds nothing in them.
TEST(ReadingMaskTest, BlocksThatOnlySurround) {
  MaskCase mask = getCase(sameWideDocument);
  for (int64_t position = 0; position < 64; ++position)
    mask.tables.wide[position] =
        position / 16 == 1 ? 5 : position % 2 ? 1 : 9;
  mask.meaning = [=](int64_t, int64_t i, int64_t j) {
    return i / 16 == 1 ? j / 16 == 1 : j / 16 != 1 && i % 2 == j % 2;
  };
  mask.tileSizes = {{16, 8}};
  check(mask);
}

TEST(ReadingMaskTest, LengthsPerRow) {
  for (std::string type : {"i32", "i64"}) {
    MaskCase mask =
        getCase("%length = tensor.extract " +
                std::string(type == "i32" ? "%ids" : "%wide") +
                "[%i] : tensor<$x" + type + ">\n" +
                "%jt = arith.index_cast %j : index to " + type + "\n" +
                "%visible = arith.cmpi slt, %jt, %length : " + type);
    for (int64_t position = 0; position < 64; ++position)
      mask.tables.ids[position] = mask.tables.wide[position] = position / 10;
    mask.meaning = [](int64_t, int64_t i, int64_t j) { return j < i / 10; };
    mask.tileSizes = {{16, 1}};
    WalkCounts counts = check(mask);
    EXPECT_EQ(counts.inVain, 0) << type;
    EXPECT_EQ(counts.knownFull, counts.full) << type;
    // Lengths that no subtraction bears.
    for (int64_t position = 0; position < 64; ++position)
      mask.tables.wide[position] = position < 20 ? INT64_MIN : INT64_MAX;
    if (type == "i32")
      continue;
    mask.meaning = [](int64_t, int64_t i, int64_t) { return i >= 20; };
    counts = check(mask);
    EXPECT_EQ(counts.inVain, 0);
    EXPECT_EQ(counts.knownFull, counts.full);
  }
}

/// Global tokens beside a window: three ranges at most.
TEST(ReadingMaskTest, GlobalTokens) {
  MaskCase mask = getCase(R"(
    %c4 = arith.constant 4 : index
    %distance = arith.subi %i, %j : index
    %steps = math.absi %distance : index
    %near = arith.cmpi sle, %steps, %c4 : index
    %sees = tensor.extract %flags[%i] : tensor<$xi1>
    %global = arith.ori %sees, %seen : i1
    %visible = arith.ori %near, %global : i1)");
  auto isGlobal = [](int64_t position) { return position / 3 == 1; };
  for (int64_t position = 0; position < 64; ++position)
    mask.tables.flags[position] = isGlobal(position);
  mask.meaning = [=](int64_t, int64_t i, int64_t j) {
    return std::abs(i - j) <= 4 || isGlobal(i) || isGlobal(j);
  };
  WalkCounts counts = check(mask);
  EXPECT_EQ(counts.inVain, 0);
  // Keys at the edge of the window are full only together with global ones.
  EXPECT_GE(counts.knownFull, 9 * counts.full / 10);
}

/// Per batch, and in a type of eight bits that is extended.
TEST(ReadingMaskTest, TablesOfBatches) {
  MaskCase mask = getCase(R"(
    %b = attn.index 0
    %start = tensor.extract %spans[%b, %i] : tensor<2x$xi32>
    %j32 = arith.index_cast %j : index to i32
    %after = arith.cmpi sge, %j32, %start : i32
    %byte = tensor.extract %bytes[%j] : tensor<$xi8>
    %kind = arith.extsi %byte : i8 to i32
    %least = arith.constant -100 : i32
    %known = arith.cmpi sgt, %kind, %least : i32
    %visible = arith.andi %after, %known : i1)");
  for (int64_t position = 0; position < 64; ++position) {
    mask.tables.spans[position] = position - 5;
    mask.tables.spans[64 + position] = 30;
    mask.tables.bytes[position] = position < 40 ? position : -128;
  }
  mask.meaning = [](int64_t b, int64_t i, int64_t j) {
    return j >= (b ? 30 : i - 5) && j < 40;
  };
  WalkCounts counts = check(mask);
  EXPECT_EQ(counts.inVain, 0);
  EXPECT_EQ(counts.knownFull, counts.full);
}

/// Sums of ids of 64 bits may wrap: nothing is concluded from them.
TEST(ReadingMaskTest, SumsOfWideIds) {
  MaskCase mask = getCase(R"(
    %one = arith.constant 1 : i64
    %next = arith.addi %mine, %one : i64
    %after = arith.cmpi slt, %next, %other : i64
    %gap = arith.subi %mine, %other : i64
    %near = arith.cmpi sgt, %gap, %one : i64
    %twice = arith.muli %mine, %other : i64
    %big = arith.cmpi slt, %twice, %one : i64
    %distance = math.absi %mine : i64
    %far = arith.cmpi slt, %distance, %one : i64
    %a = arith.andi %after, %near : i1
    %b = arith.ori %a, %big : i1
    %visible = arith.xori %b, %far : i1)");
  for (int64_t position = 0; position < 64; ++position)
    mask.tables.wide[position] =
        position % 3 == 0 ? INT64_MAX : position % 3 == 1 ? INT64_MIN : 0;
  check(mask);
}

/// What lies between two ids of 64 bits, whichever is the least: minima,
/// maxima and selections are bounded.
TEST(ReadingMaskTest, MinimaOfWideIds) {
  MaskCase mask = getCase(R"(
    %j64 = arith.index_cast %j : index to i64
    %c3 = arith.constant 3 : i64
    %next = arith.addi %j64, %c3 : i64
    %least = arith.minsi %mine, %next : i64
    %most = arith.select %seen, %mine, %j64 : i64
    %a = arith.cmpi sle, %least, %other : i64
    %b = arith.cmpi ult, %most, %other : i64
    %visible = arith.andi %a, %b : i1)");
  for (int64_t position = 0; position < 64; ++position) {
    mask.tables.wide[position] =
        position < 16 ? INT64_MIN : position < 32 ? INT64_MAX : position;
    mask.tables.flags[position] = position % 2;
  }
  check(mask);
}

/// What is compared with an id of 64 bits may be a sum: its offset stays on its
/// side.
TEST(ReadingMaskTest, SumsBesideWideIds) {
  MaskCase mask = getCase(R"(
    %j64 = arith.index_cast %j : index to i64
    %c3 = arith.constant 3 : i64
    %next = arith.addi %j64, %c3 : i64
    %visible = arith.cmpi slt, %mine, %next : i64)");
  for (int64_t position = 0; position < 64; ++position)
    mask.tables.wide[position] = position < 16   ? INT64_MIN
                                 : position < 32 ? INT64_MAX
                                                 : 20;
  mask.meaning = [](int64_t, int64_t i, int64_t j) {
    return i < 16 || (i >= 32 && j > 17);
  };
  WalkCounts counts = check(mask);
  EXPECT_EQ(counts.inVain, 0);
}

/// A row of one document, a row of none: the tables are shorter than a block.
TEST(ReadingMaskTest, FewPositions) {
  for (int64_t keys : {0, 1, 5}) {
    MaskCase mask = getCase(sameWideDocument);
    mask.rows = 3;
    mask.keys = keys;
    for (int64_t position = 0; position < 64; ++position)
      mask.tables.wide[position] = position / 2;
    mask.tileSizes = {{1, 1}, {3, 2}};
    check(mask);
  }
}

} // namespace
