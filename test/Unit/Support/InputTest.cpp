//===- InputTest.cpp - Reading files that may have no end -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Input.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace attn;

namespace {

std::string getMessage(llvm::StringRef path, int64_t maxBytes) {
  auto input = readInput(path, maxBytes);
  return input ? "" : llvm::toString(input.takeError());
}

/// A file of known size is read whole, whatever its size.
TEST(Input, File) {
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("input", "txt", path));
  llvm::FileRemover remove(path);
  std::error_code error;
  llvm::raw_fd_ostream(path, error) << std::string(5000, 'a');
  ASSERT_FALSE(error);
  auto input = readInput(path, /*maxBytes=*/100);
  ASSERT_TRUE(bool(input)) << llvm::toString(input.takeError());
  EXPECT_EQ((*input)->getBuffer(), std::string(5000, 'a'));
  EXPECT_EQ((*input)->getBuffer().data()[5000], '\0');
}

TEST(Input, Nothing) {
  auto input = readInput("/dev/null");
  ASSERT_TRUE(bool(input)) << llvm::toString(input.takeError());
  EXPECT_EQ((*input)->getBufferSize(), 0u);
  EXPECT_EQ((*input)->getBuffer().data()[0], '\0');
}

TEST(Input, Refuses) {
  EXPECT_EQ(getMessage("/dev/zero", 3 << 20),
            "'/dev/zero': expected a stream of at most 3145728 bytes, but it "
            "goes on; write what it gives to a file");
  EXPECT_EQ(getMessage("/", 100),
            "'/': expected a file, but it is a directory");
  EXPECT_EQ(getMessage("/none/at.mlir", 100),
            "'/none/at.mlir': cannot be read: No such file or directory");
}

} // namespace
