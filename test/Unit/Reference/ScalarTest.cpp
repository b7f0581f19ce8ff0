//===- ScalarTest.cpp - arith, math and affine on scalars -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

using namespace attn;

namespace {

class ScalarTest : public ReferenceTest {
protected:
  /// `%r = <op> %a, %b` on two arguments of a type.
  double binary(const std::string &op, ElementType type, double a, double b,
                const std::string &result = "") {
    std::string name = getName(type).str();
    std::string yielded = result.empty() ? name : result;
    Array lhs = make(type, {}, {a}), rhs = make(type, {}, {b});
    auto got = values("func.func @f(%a: " + name + ", %b: " + name + ") -> " +
                          yielded + " {\n %r = " + op + " %a, %b : " + name +
                          "\n return %r : " + yielded + "\n}",
                      {&lhs, &rhs});
    return got.size() == 1 ? got[0] : notANumber;
  }
  /// `%r = <op> %a : <from> to <to>`.
  double convert(const std::string &op, ElementType from, ElementType to,
                 double a) {
    Array operand = make(from, {}, {a});
    std::string source = getName(from).str(), target = getName(to).str();
    auto got = values("func.func @f(%a: " + source + ") -> " + target +
                          " {\n %r = " + op + " %a : " + source + " to " +
                          target + "\n return %r : " + target + "\n}",
                      {&operand});
    return got.size() == 1 ? got[0] : notANumber;
  }
};

using E = ElementType;

TEST_F(ScalarTest, IntegersWrapAtTheirWidth) {
  EXPECT_EQ(binary("arith.addi", E::I8, 100, 100), -56);
  EXPECT_EQ(binary("arith.subi", E::I8, -100, 100), 56);
  EXPECT_EQ(binary("arith.muli", E::I16, 300, 300), 90000 - 65536);
  EXPECT_EQ(binary("arith.shli", E::I8, 1, 7), -128);
  EXPECT_EQ(binary("arith.shrsi", E::I8, -128, 3), -16);
  EXPECT_EQ(binary("arith.shrui", E::I8, -128, 3), 16);
  EXPECT_EQ(binary("arith.addi", E::I1, 1, 1), 0);
}

TEST_F(ScalarTest, Divisions) {
  EXPECT_EQ(binary("arith.divsi", E::I32, -7, 2), -3);
  EXPECT_EQ(binary("arith.floordivsi", E::I32, -7, 2), -4);
  EXPECT_EQ(binary("arith.ceildivsi", E::I32, -7, 2), -3);
  EXPECT_EQ(binary("arith.ceildivsi", E::I32, 7, 2), 4);
  EXPECT_EQ(binary("arith.floordivsi", E::I32, 7, -2), -4);
  EXPECT_EQ(binary("arith.remsi", E::I32, -7, 2), -1);
  EXPECT_EQ(binary("arith.divui", E::I8, -1, 2), 127);
  EXPECT_EQ(binary("arith.remui", E::I8, -1, 16), 15);
  EXPECT_EQ(binary("arith.ceildivui", E::I8, 7, 2), 4);
  EXPECT_EQ(binary("arith.divsi", E::I8, -128, -1), -128);
  EXPECT_EQ(binary("arith.remsi", E::I8, -128, -1), 0);
}

TEST_F(ScalarTest, DivisionByZeroIsAnError) {
  Array a = make(E::I32, {}, {1}), b = make(E::I32, {}, {0});
  for (std::string op : {"divsi", "divui", "remsi", "remui", "floordivsi",
                         "ceildivsi", "ceildivui"})
    EXPECT_THAT(fail("func.func @f(%a: i32, %b: i32) -> i32 {\n %r = arith." +
                         op + " %a, %b : i32\n return %r : i32\n}",
                     {&a, &b}),
                testing::EndsWith("division by zero"));
}

TEST_F(ScalarTest, IntegerComparisons) {
  struct Case {
    const char *predicate;
    bool less, equal, greater;
  };
  for (Case c : {Case{"eq", 0, 1, 0},
                 {"ne", 1, 0, 1},
                 {"slt", 1, 0, 0},
                 {"sle", 1, 1, 0},
                 {"sgt", 0, 0, 1},
                 {"sge", 0, 1, 1},
                 // As unsigned numbers, -1 is the greatest.
                 {"ult", 0, 0, 1},
                 {"ule", 0, 1, 1},
                 {"ugt", 1, 0, 0},
                 {"uge", 1, 1, 0}}) {
    std::string op = std::string("arith.cmpi ") + c.predicate + ",";
    EXPECT_EQ(binary(op, E::I32, -1, 2, "i1"), c.less) << op;
    EXPECT_EQ(binary(op, E::I32, 2, 2, "i1"), c.equal) << op;
    EXPECT_EQ(binary(op, E::I32, 2, -1, "i1"), c.greater) << op;
  }
}

TEST_F(ScalarTest, FloatComparisons) {
  struct Case {
    const char *predicate;
    bool less, equal, greater, unordered;
  };
  for (Case c : {Case{"false", 0, 0, 0, 0},
                 {"oeq", 0, 1, 0, 0},
                 {"ogt", 0, 0, 1, 0},
                 {"oge", 0, 1, 1, 0},
                 {"olt", 1, 0, 0, 0},
                 {"ole", 1, 1, 0, 0},
                 {"one", 1, 0, 1, 0},
                 {"ord", 1, 1, 1, 0},
                 {"ueq", 0, 1, 0, 1},
                 {"ugt", 0, 0, 1, 1},
                 {"uge", 0, 1, 1, 1},
                 {"ult", 1, 0, 0, 1},
                 {"ule", 1, 1, 0, 1},
                 {"une", 1, 0, 1, 1},
                 {"uno", 0, 0, 0, 1},
                 {"true", 1, 1, 1, 1}}) {
    std::string op = std::string("arith.cmpf ") + c.predicate + ",";
    EXPECT_EQ(binary(op, E::F64, 1, 2, "i1"), c.less) << op;
    EXPECT_EQ(binary(op, E::F64, 2, 2, "i1"), c.equal) << op;
    EXPECT_EQ(binary(op, E::F64, 2, 1, "i1"), c.greater) << op;
    EXPECT_EQ(binary(op, E::F64, notANumber, 1, "i1"), c.unordered) << op;
  }
}

TEST_F(ScalarTest, MaximaAndNaN) {
  EXPECT_TRUE(std::isnan(binary("arith.maximumf", E::F64, notANumber, 1)));
  EXPECT_TRUE(std::isnan(binary("arith.minimumf", E::F64, 1, notANumber)));
  EXPECT_EQ(binary("arith.maxnumf", E::F64, notANumber, 1), 1);
  EXPECT_EQ(binary("arith.minnumf", E::F64, 1, notANumber), 1);
  EXPECT_EQ(binary("arith.minimumf", E::F64, 1, 2), 1);
  EXPECT_FALSE(std::signbit(binary("arith.maximumf", E::F64, -0.0, 0.0)));
  EXPECT_TRUE(std::signbit(binary("arith.minimumf", E::F64, 0.0, -0.0)));
}

TEST_F(ScalarTest, Conversions) {
  EXPECT_EQ(convert("arith.extsi", E::I8, E::I32, -3), -3);
  EXPECT_EQ(convert("arith.extui", E::I8, E::I32, -3), 253);
  EXPECT_EQ(convert("arith.extsi", E::I1, E::I32, 1), -1);
  EXPECT_EQ(convert("arith.extui", E::I1, E::I32, 1), 1);
  EXPECT_EQ(convert("arith.trunci", E::I32, E::I8, 384 + 5), -123);
  EXPECT_EQ(convert("arith.index_cast", E::I32, E::Index, -3), -3);
  EXPECT_EQ(convert("arith.sitofp", E::I8, E::F32, -3), -3);
  EXPECT_EQ(convert("arith.uitofp", E::I8, E::F32, -3), 253);
  EXPECT_EQ(convert("arith.fptosi", E::F64, E::I8, -3.9), -3);
  EXPECT_EQ(convert("arith.fptosi", E::F64, E::I8, 1e9), 127);
  EXPECT_EQ(convert("arith.fptosi", E::F64, E::I64, -1e30), -0x1p63);
  EXPECT_EQ(convert("arith.fptoui", E::F64, E::I8, 200.7), -56);
  EXPECT_EQ(convert("arith.bitcast", E::F32, E::I32, 1.0), 0x3f800000);
  EXPECT_EQ(convert("arith.bitcast", E::I16, E::F16, 0x3c00), 1.0);
}

/// Only an explicit truncation rounds, once, ties to even.
TEST_F(ScalarTest, TruncationRounds) {
  double x = 1.0 + 0x1p-11 + 0x1p-40;
  EXPECT_EQ(convert("arith.truncf", E::F64, E::F16, x), 1 + 0x1p-10);
  EXPECT_EQ(convert("arith.truncf", E::F64, E::F16, 1.0 + 0x1p-11), 1.0);
  EXPECT_EQ(convert("arith.truncf", E::F64, E::BF16, 1 + 0x1p-7), 1 + 0x1p-7);
  EXPECT_EQ(convert("arith.truncf", E::F64, E::F32, .1), double(.1f));
  EXPECT_EQ(convert("arith.truncf", E::F64, E::F16, 1e6), inf);
  // Once, not to f32 first; up to the largest number, and between subnormals.
  EXPECT_EQ(convert("arith.truncf", E::F64, E::BF16, 1 + 0x1p-8 + 0x1p-40),
            1 + 0x1p-7);
  EXPECT_EQ(convert("arith.truncf", E::F64, E::F16, -65519.9), -65504);
  EXPECT_EQ(convert("arith.truncf", E::F64, E::F16, -65520.0), -inf);
  EXPECT_EQ(convert("arith.truncf", E::F64, E::BF16, 0x1.FEFp127), 0x1.FEp127);
  EXPECT_EQ(convert("arith.truncf", E::F64, E::F16, 1e300), inf);
  EXPECT_EQ(convert("arith.truncf", E::F64, E::BF16, -1e300), -inf);
  EXPECT_EQ(convert("arith.truncf", E::F64, E::F16, 0x1.8p-24), 0x1p-23);
  EXPECT_EQ(convert("arith.truncf", E::F64, E::F16, 0x1p-25), 0);
  EXPECT_TRUE(
      std::signbit(convert("arith.truncf", E::F64, E::BF16, -0x1p-140)));
  EXPECT_TRUE(std::isnan(convert("arith.truncf", E::F64, E::F16, notANumber)));
}

TEST_F(ScalarTest, MathFunctions) {
  EXPECT_EQ(binary("math.powf", E::F64, 2, 10), 1024);
  EXPECT_EQ(binary("math.copysign", E::F64, 2, -0.0), -2);
  EXPECT_DOUBLE_EQ(binary("math.atan2", E::F64, 1, 1), std::atan(1));
  EXPECT_EQ(binary("math.ipowi", E::I32, -3, 3), -27);
  auto unary = [&](const std::string &op, double a) {
    Array operand = f64({}, {a});
    auto got = values("func.func @f(%a: f64) -> f64 {\n %r = math." + op +
                          " %a : f64\n return %r : f64\n}",
                      {&operand});
    return got.size() == 1 ? got[0] : notANumber;
  };
  EXPECT_EQ(unary("absf", -2), 2);
  EXPECT_EQ(unary("rsqrt", 4), .5);
  EXPECT_EQ(unary("exp2", 3), 8);
  EXPECT_EQ(unary("roundeven", 2.5), 2);
  EXPECT_EQ(unary("round", 2.5), 3);
  EXPECT_EQ(unary("floor", -2.5), -3);
  EXPECT_EQ(unary("trunc", -2.5), -2);
  EXPECT_DOUBLE_EQ(unary("erf", .5), std::erf(.5));
  EXPECT_DOUBLE_EQ(unary("tanh", .5), std::tanh(.5));
}

TEST_F(ScalarTest, Affine) {
  Array i = make(E::Index, {}, {-7}), j = make(E::Index, {}, {3});
  auto got = [&](const std::string &op, const std::string &map) {
    return values("func.func @f(%i: index, %j: index) -> index {\n %r = "
                  "affine." +
                      op + " affine_map<(i)[j] -> (" + map +
                      ")>(%i)[%j]\n return %r : index\n}",
                  {&i, &j})[0];
  };
  EXPECT_EQ(got("apply", "i mod 3"), 2);
  EXPECT_EQ(got("apply", "i floordiv 2 + j * 5 - 1"), -4 + 15 - 1);
  EXPECT_EQ(got("apply", "i ceildiv 2"), -3);
  EXPECT_EQ(got("min", "i, j, i + j"), -7);
  EXPECT_EQ(got("max", "i, j, i + j"), 3);
}

/// A hash of positions, as counter-based random numbers use it.
TEST_F(ScalarTest, WideProducts) {
  Array a = make(E::I32, {}, {0}), b = make(E::I32, {}, {-1});
  a.setInteger(0, 0xD2511F53);
  auto got = evaluate(R"(func.func @f(%a: i32, %b: i32) -> (i32, i32) {
    %low, %high = arith.mului_extended %a, %b : i32
    return %low, %high : i32, i32
  })",
                      {&a, &b});
  uint64_t product = uint64_t(0xD2511F53) * 0xFFFFFFFF;
  EXPECT_EQ(got.results[0].values[0], int32_t(product));
  EXPECT_EQ(got.results[1].values[0], int32_t(product >> 32));
}

} // namespace
