//===- NestingTest.cpp - How deep a text nests ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Nesting.h"

#include "gtest/gtest.h"

using namespace attn;

namespace {

const char tooDeep[] =
    "expected brackets, signs and aliases nested at most 256 deep";

std::string check(const std::string &text) {
  return llvm::toString(checkNesting(text, "x.mlir"));
}

std::string repeat(const std::string &text, int times) {
  std::string all;
  for (int time = 0; time < times; ++time)
    all += text;
  return all;
}

/// The parser recurses: what would overflow its stack is refused before it.
TEST(Nesting, Brackets) {
  EXPECT_EQ(check(repeat("module {\n", 20000)),
            std::string("x.mlir:257:8: ") + tooDeep);
  for (const char *bracket : {"(", "[", "<", "{"}) {
    EXPECT_EQ(check(repeat(bracket, 257)),
              std::string("x.mlir:1:257: ") + tooDeep);
    EXPECT_EQ(check(repeat(bracket, 256)), "");
  }
  EXPECT_EQ(check(repeat("{}", 1000)), "");
}

/// Signs in front of signs nest as brackets do; arrows do not.
TEST(Nesting, Signs) {
  EXPECT_EQ(check("#m = affine_map<(d0) -> (" + repeat("-", 256) + "d0)>"),
            std::string("x.mlir:1:280: ") + tooDeep);
  EXPECT_EQ(check("(" + repeat("- ", 255) + "d0)"), "");
  EXPECT_EQ(check(repeat("d0 - ", 1000)), "");
  EXPECT_EQ(check(repeat("->", 1000)), "");
}

/// An alias is as deep as what it stands for.
TEST(Nesting, Aliases) {
  for (const std::string sign : {"#", "!"}) {
    std::string text = sign + "a0 = [1]\n";
    for (int i = 1; i < 200; ++i)
      text += sign + "a" + std::to_string(i) + " = [" + sign + "a" +
              std::to_string(i - 1) + "]\n";
    EXPECT_EQ(
        check(text),
        "x.mlir:129:" + std::to_string(std::string("#a128 = [#a127").size()) +
            ": " + tooDeep);
  }
  // Side by side, and with ops in between, they are not deep.
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "#a" + std::to_string(i) + " = [1]\nmodule {\n}\n[" +
            repeat("#a" + std::to_string(i) + ", ", 3) + "]\n";
  EXPECT_EQ(check(text), "");
  // One that is defined again is what it is defined as last.
  EXPECT_EQ(check(repeat("#a = [#a]\n", 1000)), "");
}

/// What doubles with each alias is not printed for ever.
TEST(Nesting, Expansion) {
  std::string text = "#a0 = [1]\n";
  for (int i = 1; i < 60; ++i) {
    std::string last = "#a" + std::to_string(i - 1);
    text += "#a" + std::to_string(i) + " = [" + last + ", " + last + "]\n";
  }
  EXPECT_EQ(check(text), "x.mlir:26:12: expected aliases that stand for at "
                         "most 268435456 characters");
}

/// What looks like a bracket and is none.
TEST(Nesting, Skips) {
  EXPECT_EQ(check(repeat("// ((((\n\"{{{\\\"{\" -> >= <= "
                         "affine_map<(d0) -> (d0)>\n",
                         1000)),
            "");
  // What a part leaves open is closed where files are split.
  EXPECT_EQ(check(repeat("module {\n// -----\n", 1000)), "");
  // Text may end anywhere.
  for (const char *text :
       {"\"", "\"\\", "//", "#", "!", "-", "#a", "#a =", "<"})
    EXPECT_EQ(check(text), "");
}

} // namespace
