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
  explicit MaskWriter(unsigned seed) : engine(seed) {}

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

  std::string writeInteger(unsigned depth) {
    if (depth == 0) {
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
  std::string body;
  unsigned numValues = 0;
};

TEST(RandomMaskTest, SoundAndTight) {
  MaskWriter writer(20240611);
  WalkCounts total;
  unsigned numMasks = 0, numInexact = 0;
  for (unsigned numTelling = 0; numTelling < 400 && !HasFailure(); ++numMasks) {
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
  EXPECT_LT(total.inVain, 0.03 * total.visited);
  EXPECT_GT(total.knownFull, 0.9 * total.full);
}

} // namespace
