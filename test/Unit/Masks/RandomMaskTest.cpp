//===- RandomMaskTest.cpp - Masks from a grammar ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskChecker.h"
#include "gtest/gtest.h"

#include <random>

using namespace attn::test;

namespace {

/// Writes random masks. Numbers are drawn from the engine's bits alone, so that
/// the same seed gives the same masks everywhere.
class MaskWriter {
public:
  MaskWriter(unsigned seed, bool reads) : engine(seed), reads(reads) {}

  MaskCase write() {
    MaskCase mask;
    body.clear();
    numValues = 0;
    mask.isDynamic = pick(2);
    mask.tileSizes = {{3, 4}, {8, 16}, {16, 9}};
    mask.rows = 20 + pick(30);
    mask.keys = 20 + pick(40);
    for (int64_t &symbol : mask.symbols)
      symbol = int64_t(pick(16)) - 4;
    for (int64_t &length : mask.lengths)
      length = pick(mask.keys + 1);
    if (reads) {
      fill(mask.tables.ids, 1 << 30);
      fill(mask.tables.wide, INT64_MAX - 80);
      fill(mask.tables.flags, 0);
      fill(mask.tables.bytes, 100);
      fill(mask.tables.spans, 1 << 30);
      body = "%batch = attn.index 0\n";
    }
    std::string truth = writeTruth(1 + pick(3));
    mask.body =
        body + "%visible = arith.andi " + truth + ", " + truth + " : i1";
    return mask;
  }

private:
  unsigned pick(unsigned count) { return engine() % count; }

  std::string define(const std::string &op) {
    std::string name = "%x" + std::to_string(numValues++);
    body += name + " = " + op + "\n";
    return name;
  }
  std::string constant(int64_t value) {
    return define("arith.constant " + std::to_string(value) + " : index");
  }
  std::string index(const std::string &op, const std::string &a,
                    const std::string &b) {
    return define("arith." + op + " " + a + ", " + b + " : index");
  }

  /// A uniform value.
  std::string writeSymbol() {
    switch (pick(5)) {
    case 0:
      return "%s0";
    case 1:
      return "%s1";
    case 2:
      return define("arith.index_cast %len : i32 to index");
    default:
      return constant(int64_t(pick(40)) - 8);
    }
  }
  std::string writePositiveSymbol() {
    if (pick(4) != 0)
      return constant(2 + pick(12));
    return index("maxsi", pick(2) ? "%s0" : "%s1", constant(1));
  }
  /// A divisor: not zero, and once in a while negative.
  std::string writeDivisor() {
    switch (pick(8)) {
    case 0:
      return index("ori", pick(2) ? "%s0" : "%s1", constant(1));
    case 1:
      return constant(-2 - int64_t(pick(8)));
    default:
      return writePositiveSymbol();
    }
  }

  /// Elements of a table: runs, of ids that ascend or come again, or anything;
  /// with a little luck far from zero. Truth values if `far` is zero.
  void fill(std::vector<int64_t> &table, int64_t far) {
    int64_t offset = pick(3) ? 0 : pick(2) ? far : -far;
    unsigned length = 1 + pick(24), kind = pick(3), count = 1 + pick(6);
    int64_t id = 0;
    for (size_t position = 0; position < table.size(); ++position) {
      if (position % length == 0)
        id = kind == 0 ? id + 1 : pick(count);
      int64_t value = kind == 2 && pick(4) == 0 ? pick(60) : id;
      table[position] = far == 0 ? value == 1 : value + offset;
    }
  }

  std::string read(const std::string &table, const std::string &type) {
    std::string position = pick(2) ? "%i" : "%j";
    if (table == "%spans")
      return define("tensor.extract %spans[%batch, " + position +
                    "] : tensor<2x$x" + type + ">");
    return define("tensor.extract " + table + "[" + position + "] : tensor<$x" +
                  type + ">");
  }
  /// A number of at most 32 bits that is read.
  std::string writeRead() {
    const char *const tables[][2] = {
        {"%ids", "i32"}, {"%spans", "i32"}, {"%bytes", "i8"}};
    const auto &[table, type] = tables[pick(3)];
    return define("arith.index_cast " + read(table, type) + " : " + type +
                  " to index");
  }
  /// A number of 64 bits.
  std::string writeWide() {
    switch (pick(8)) {
    case 0:
    case 1:
      return "%mine";
    case 2:
    case 3:
      return "%other";
    case 4:
      return define("arith.index_cast " + writeInteger(pick(2)) +
                    " : index to i64");
    case 5: {
      std::string a = writeWide();
      return define(std::string("arith.") + (pick(2) ? "min" : "max") + "si " +
                    a + ", " + writeWide() + " : i64");
    }
    case 6: {
      std::string a = writeWide();
      return define("arith.addi " + a + ", " + writeWide() + " : i64");
    }
    default:
      return read("%wide", "i64");
    }
  }
  std::string writeReadingTruth() {
    static const char *const predicates[] = {"eq",  "eq",  "eq",  "ne", "slt",
                                             "sle", "sgt", "sge", "ult", "uge"};
    std::string compare =
        "arith.cmpi " + std::string(predicates[pick(10)]) + ", ";
    switch (pick(4)) {
    case 0:
      return pick(2) ? std::string("%seen") : read("%flags", "i1");
    case 1: {
      std::string a = writeWide();
      return define(compare + a + ", " + writeWide() + " : i64");
    }
    default:
      std::string a = writeRead();
      std::string b = pick(2) ? writeRead() : writeInteger(pick(2));
      return define(compare + a + ", " + b + " : index");
    }
  }

  std::string writeInteger(unsigned depth) {
    if (depth == 0) {
      if (reads && pick(5) == 0)
        return writeRead();
      unsigned choice = pick(7);
      if (choice < 3)
        return "%j";
      if (choice < 5)
        return "%i";
      return choice == 5 ? index("subi", "%i", "%j") : writeSymbol();
    }
    std::string a = writeInteger(depth - 1);
    switch (pick(13)) {
    case 0:
    case 1:
      return index("subi", a, writeInteger(depth - 1));
    case 2:
      return index("addi", a, writeInteger(depth - 1));
    case 3:
      return index("muli", a,
                   pick(4) ? constant(int64_t(pick(7)) - 3) : writeSymbol());
    case 4:
      return index("floordivsi", a, writeDivisor());
    case 5:
      return index(pick(2) ? "divsi" : "ceildivsi", a, writeDivisor());
    case 6:
      return index("remsi", a, writeDivisor());
    case 7:
      return define("affine.apply affine_map<(t)[s] -> (t mod s)>(" + a + ")[" +
                    writePositiveSymbol() + "]");
    case 8:
      return index("minsi", a, writeInteger(depth - 1));
    case 9:
      return index("maxsi", a, writeInteger(depth - 1));
    case 10:
      return define("math.absi " + a + " : index");
    case 11:
      return define("arith.select " + writeTruth(0) + ", " + a + ", " +
                    writeInteger(depth - 1) + " : index");
    default:
      return index("addi", a, writeSymbol());
    }
  }

  std::string writeTruth(unsigned depth) {
    if (depth == 0) {
      if (reads && pick(3))
        return writeReadingTruth();
      static const char *const predicates[] = {
          "slt", "sle", "sgt", "sge", "slt", "sle", "eq", "ne", "ult", "uge"};
      std::string a = writeInteger(pick(3));
      std::string b = pick(3) ? writeSymbol() : writeInteger(pick(2));
      return define("arith.cmpi " + std::string(predicates[pick(10)]) + ", " +
                    a + ", " + b + " : index");
    }
    std::string a = writeTruth(depth - 1);
    switch (pick(8)) {
    case 0:
      return define("arith.xori " + a + ", " + define("arith.constant true") +
                    " : i1");
    case 1:
      return define("arith.select " + a + ", " + writeTruth(depth - 1) + ", " +
                    writeTruth(depth - 1) + " : i1");
    case 2:
      return define("arith.xori " + a + ", " + writeTruth(depth - 1) + " : i1");
    case 3:
    case 4:
      return define("arith.ori " + a + ", " + writeTruth(depth - 1) + " : i1");
    default:
      return define("arith.andi " + a + ", " + writeTruth(depth - 1) + " : i1");
    }
  }

  std::mt19937 engine;
  bool reads;
  std::string body;
  unsigned numValues = 0;
};

/// Checks masks until enough of them tell something.
WalkCounts checkMasks(MaskWriter writer) {
  WalkCounts total;
  unsigned numMasks = 0, numInexact = 0;
  for (unsigned numTelling = 0;
       numTelling < 400 && !::testing::Test::HasFailure(); ++numMasks) {
    WalkCounts counts = checkMask(getContext(), writer.write());
    // Masks that hide or show nearly everything are checked, not counted.
    if (counts.density < 0.02 || counts.density > 0.9)
      continue;
    ++numTelling;
    numInexact += counts.inVain != 0;
    total += counts;
  }
  std::printf("%u masks; tiles visited %lld, in vain %lld (%.2f %%, in %u "
              "masks), full %lld, known to be %lld; at most %u ops\n",
              numMasks, (long long)total.visited, (long long)total.inVain,
              100.0 * total.inVain / total.visited, numInexact,
              (long long)total.full, (long long)total.knownFull, total.numOps);
  return total;
}

TEST(RandomMaskTest, SoundAndTight) {
  WalkCounts total = checkMasks(MaskWriter(20240611, /*reads=*/false));
  EXPECT_LT(total.inVain, 0.03 * total.visited);
  EXPECT_GT(total.knownFull, 0.9 * total.full);
}

TEST(RandomMaskTest, SoundAndTightWhereMasksRead) {
  WalkCounts total = checkMasks(MaskWriter(20261127, /*reads=*/true));
  // Tiles are no whole blocks, and ids that come again have a wide hull.
  EXPECT_LT(total.inVain, 0.25 * total.visited);
  EXPECT_GT(total.knownFull, 0.65 * total.full);
}

} // namespace
