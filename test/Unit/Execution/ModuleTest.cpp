//===- ModuleTest.cpp - Reading modules -------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Execution/Module.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"

#include <fstream>

using namespace attn;

namespace {

class ModuleTest : public testing::Test {
protected:
  ModuleTest() { context.loadDialect<mlir::func::FuncDialect>(); }
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("attn", "mlir", path));
  }
  void TearDown() override { llvm::sys::fs::remove(path); }

  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
  parse(const std::string &text) {
    std::ofstream(path.c_str(), std::ios::binary) << text;
    return parseModule(path, context);
  }
  /// The error of parsing or of finding the entry, with FILE for the path.
  std::string getMessage(const std::string &text, llvm::StringRef entry = "") {
    auto module = parse(text);
    std::string message;
    if (!module) {
      message = llvm::toString(module.takeError());
    } else if (auto function = findEntry(**module, entry)) {
      return function->getName().str();
    } else {
      message = llvm::toString(function.takeError());
    }
    size_t position = message.find(path.c_str());
    if (position != std::string::npos)
      message.replace(position, path.size(), "FILE");
    return message;
  }

  mlir::MLIRContext context;
  llvm::SmallString<128> path;
};

TEST_F(ModuleTest, Entries) {
  std::string two = "func.func @a() { return }\nfunc.func @b() { return }\n";
  EXPECT_EQ(getMessage("func.func @a() { return }"), "a");
  EXPECT_EQ(getMessage("func.func private @c() { return }" + two, "c"), "c");
  EXPECT_EQ(getMessage("func.func private @c()\n" + two, "b"), "b");
  EXPECT_EQ(getMessage("func.func @a() { return } func.func private @b()"),
            "a");
  EXPECT_EQ(getMessage(two), "expected one public function, but got @a, @b; "
                             "choose with --entry=NAME");
  EXPECT_EQ(getMessage(two, "c"),
            "expected a function @c, but the module has only @a, @b");
  EXPECT_EQ(getMessage("", "c"),
            "expected a function @c, but the module has no function");
  EXPECT_EQ(getMessage("func.func private @a()"),
            "expected a public function with a body, but the module has none");
  EXPECT_EQ(getMessage("func.func private @a()", "a"),
            "expected @a to have a body to run, but it is a declaration");
}

TEST_F(ModuleTest, MalformedText) {
  EXPECT_EQ(getMessage("func.func @a() { return %x : f32 }"),
            "FILE:1:25: use of undeclared SSA value name");
  EXPECT_EQ(getMessage("func.func @a() -> f32 { return }"),
            "FILE:1:25: 'func.return' op has 0 operands, but enclosing "
            "function (@a) returns 1");
  EXPECT_EQ(getMessage(std::string("ML\xefR", 4) + "nonsense").substr(0, 4),
            "FILE");
}

/// Text need not be in a file, nor end in a null character; errors name it.
TEST_F(ModuleTest, Text) {
  std::string text = "func.func @f() { return }rest";
  auto module =
      parseModule(llvm::StringRef(text).drop_back(4), "here", context);
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  auto wrong = parseModule("module {", "here", context);
  ASSERT_FALSE(bool(wrong));
  EXPECT_EQ(llvm::toString(wrong.takeError()).rfind("here:1:", 0), 0u);
}

TEST_F(ModuleTest, NoFile) {
  auto module = parseModule("/none/at.mlir", context);
  EXPECT_EQ(llvm::toString(module.takeError()),
            "'/none/at.mlir': cannot be read: No such file or directory");
}

/// What would overflow the parser's stack is refused before it.
TEST_F(ModuleTest, DeepNesting) {
  std::string opening, deep = "module {\n";
  for (int depth = 0; depth < 20000; ++depth)
    opening += deep;
  EXPECT_EQ(getMessage(opening),
            "FILE:257:8: expected brackets, signs and aliases nested at most "
            "256 deep");
}

} // namespace
