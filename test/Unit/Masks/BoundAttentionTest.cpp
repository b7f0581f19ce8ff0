//===- BoundAttentionTest.cpp - Masks in use, and combinations --*- C++ -*-===//
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

/// `text` defines %$v; the dollar is replaced to keep names apart.
struct NamedMask {
  const char *name, *text;
  std::function<bool(int64_t, int64_t, int64_t)> meaning;
};

const int64_t lengths[2] = {17, 56};

const NamedMask namedMasks[] = {
    {"causal", "%$v = arith.cmpi sle, %j, %i : index\n",
     [](int64_t, int64_t i, int64_t j) { return j <= i; }},
    {"bottom_right",
     R"(%$c = arith.constant 16 : index
        %$s = arith.addi %i, %$c : index
        %$v = arith.cmpi sge, %$s, %j : index
     )",
     [](int64_t, int64_t i, int64_t j) { return j <= i + 16; }},
    {"window",
     R"(%$c = arith.constant 9 : index
        %$t = arith.subi %i, %j : index
        %$v = arith.cmpi ult, %$t, %$c : index
     )",
     [](int64_t, int64_t i, int64_t j) { return 0 <= i - j && i - j < 9; }},
    {"symbolic_window",
     R"(%$t = arith.subi %i, %j : index
        %$u = arith.subi %j, %i : index
        %$a = arith.cmpi sle, %$t, %s1 : index
        %$b = arith.cmpi sle, %$u, %s0 : index
        %$v = arith.andi %$a, %$b : i1
     )",
     [](int64_t, int64_t i, int64_t j) { return i - j <= 5 && j - i <= 3; }},
    {"prefix",
     R"(%$c = arith.constant 11 : index
        %$a = arith.cmpi slt, %j, %$c : index
        %$b = arith.cmpi sle, %j, %i : index
        %$v = arith.ori %$a, %$b : i1
     )",
     [](int64_t, int64_t i, int64_t j) { return j < 11 || j <= i; }},
    {"dilated",
     R"(%$c0 = arith.constant 0 : index
        %$r = arith.constant 4 : index
        %$w = arith.constant 12 : index
        %$t = arith.subi %i, %j : index
        %$u = math.absi %$t : index
        %$a = arith.cmpi sle, %$u, %$w : index
        %$m = arith.remsi %$t, %$r : index
        %$b = arith.cmpi eq, %$m, %$c0 : index
        %$v = arith.andi %$a, %$b : i1
     )",
     [](int64_t, int64_t i, int64_t j) {
       return std::abs(i - j) <= 12 && (i - j) % 4 == 0;
     }},
    {"strided",
     R"(%$a = arith.cmpi sle, %j, %i : index
        %$t = arith.subi %i, %j : index
        %$c8 = arith.constant 8 : index
        %$b = arith.cmpi slt, %$t, %$c8 : index
        %$m = affine.apply affine_map<(t) -> (t mod 8)>(%$t)
        %$c0 = arith.constant 0 : index
        %$d = arith.cmpi eq, %$m, %$c0 : index
        %$e = arith.ori %$b, %$d : i1
        %$v = arith.andi %$a, %$e : i1
     )",
     [](int64_t, int64_t i, int64_t j) {
       return j <= i && (i - j < 8 || (i - j) % 8 == 0);
     }},
    {"fixed",
     R"(%$a = arith.cmpi sle, %j, %i : index
        %$c8 = arith.constant 8 : index
        %$c6 = arith.constant 6 : index
        %$bi = arith.divui %i, %$c8 : index
        %$bj = arith.divui %j, %$c8 : index
        %$b = arith.cmpi eq, %$bi, %$bj : index
        %$m = arith.remui %j, %$c8 : index
        %$d = arith.cmpi sge, %$m, %$c6 : index
        %$e = arith.ori %$b, %$d : i1
        %$v = arith.andi %$a, %$e : i1
     )",
     [](int64_t, int64_t i, int64_t j) {
       return j <= i && (i / 8 == j / 8 || j % 8 >= 6);
     }},
    {"block_diagonal",
     R"(%$bi = affine.apply affine_map<(i) -> (i floordiv 16)>(%i)
        %$bj = affine.apply affine_map<(j) -> (j floordiv 16)>(%j)
        %$v = arith.cmpi eq, %$bi, %$bj : index
     )",
     [](int64_t, int64_t i, int64_t j) { return i / 16 == j / 16; }},
    {"global",
     R"(%$c3 = arith.constant 3 : index
        %$c4 = arith.constant 4 : index
        %$a = arith.cmpi slt, %i, %$c3 : index
        %$b = arith.cmpi slt, %j, %$c3 : index
        %$t = arith.subi %i, %j : index
        %$u = math.absi %$t : index
        %$d = arith.cmpi sle, %$u, %$c4 : index
        %$e = arith.ori %$a, %$b : i1
        %$v = arith.ori %$d, %$e : i1
     )",
     [](int64_t, int64_t i, int64_t j) {
       return i < 3 || j < 3 || std::abs(i - j) <= 4;
     }},
    {"lengths",
     R"(%$j = arith.index_cast %j : index to i32
        %$v = arith.cmpi slt, %$j, %len : i32
     )",
     [](int64_t b, int64_t, int64_t j) { return j < lengths[b]; }},
    {"streaming",
     R"(%$c4 = arith.constant 4 : index
        %$c10 = arith.constant 10 : index
        %$a = arith.cmpi sle, %j, %i : index
        %$b = arith.cmpi slt, %j, %$c4 : index
        %$t = arith.subi %i, %j : index
        %$d = arith.cmpi slt, %$t, %$c10 : index
        %$e = arith.ori %$b, %$d : i1
        %$v = arith.andi %$a, %$e : i1
     )",
     [](int64_t, int64_t i, int64_t j) {
       return j <= i && (j < 4 || i - j < 10);
     }},
};

std::string instantiate(const NamedMask &mask, const std::string &prefix) {
  std::string text;
  for (const char *c = mask.text; *c; ++c)
    text += *c == '$' ? prefix : std::string(1, *c);
  return text;
}

MaskCase getCase(const NamedMask &mask) {
  MaskCase result;
  result.body = instantiate(mask, "x") +
                "%visible = arith.andi %xv, %xv : i1 // " + mask.name;
  result.meaning = mask.meaning;
  return result;
}

MaskCase combine(const NamedMask &lhs, const NamedMask &rhs, bool isAnd) {
  MaskCase result;
  result.body = instantiate(lhs, "x") + instantiate(rhs, "y") +
                "%visible = " + (isAnd ? "arith.andi" : "arith.ori") +
                " %xv, %yv : i1 // " + lhs.name + (isAnd ? " and " : " or ") +
                rhs.name;
  result.meaning = [=](int64_t b, int64_t i, int64_t j) {
    bool first = lhs.meaning(b, i, j), second = rhs.meaning(b, i, j);
    return isAnd ? first && second : first || second;
  };
  return result;
}

TEST(BoundAttentionTest, NamedMasksAreExact) {
  for (const NamedMask &mask : namedMasks)
    for (bool isDynamic : {false, true}) {
      MaskCase maskCase = getCase(mask);
      maskCase.isDynamic = isDynamic;
      WalkCounts counts = checkMask(getContext(), maskCase);
      EXPECT_EQ(counts.inVain, 0) << mask.name;
      EXPECT_EQ(counts.knownFull, counts.full) << mask.name;
    }
}

TEST(BoundAttentionTest, Negations) {
  for (const NamedMask &mask : namedMasks) {
    MaskCase maskCase;
    maskCase.body = instantiate(mask, "x") +
                    "%true = arith.constant true\n"
                    "%visible = arith.xori %xv, %true : i1 // not " +
                    mask.name;
    maskCase.meaning = [&](int64_t b, int64_t i, int64_t j) {
      return !mask.meaning(b, i, j);
    };
    WalkCounts counts = checkMask(getContext(), maskCase);
    EXPECT_EQ(counts.inVain, 0) << mask.name;
    EXPECT_EQ(counts.knownFull, counts.full) << mask.name;
  }
}

TEST(BoundAttentionTest, PairsOfMasks) {
  for (const NamedMask &lhs : namedMasks)
    for (const NamedMask &rhs : namedMasks) {
      if (&lhs >= &rhs)
        continue;
      for (bool isAnd : {false, true}) {
        MaskCase maskCase = combine(lhs, rhs, isAnd);
        WalkCounts counts = checkMask(getContext(), maskCase);
        EXPECT_EQ(counts.inVain, 0) << lhs.name << (isAnd ? " and " : " or ")
                                    << rhs.name << " of " << counts.visited;
        EXPECT_EQ(counts.knownFull, counts.full)
            << lhs.name << (isAnd ? " and " : " or ") << rhs.name;
      }
    }
}

} // namespace
