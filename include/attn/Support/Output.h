//===- Output.h - Files written whole or not at all -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_OUTPUT_H
#define ATTN_SUPPORT_OUTPUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <string>

namespace attn {

/// A file, and what writes it to a descriptor.
struct OutputFile {
  std::string path;
  std::function<llvm::Error(int)> write;
};

/// Writes all of `outputs` or none: no file takes its name before every file is
/// complete. An error names the file.
llvm::Error writeFiles(llvm::ArrayRef<OutputFile> outputs);

/// Writes to a descriptor, however often that takes.
llvm::Error writeBytes(int file, const char *data, size_t size);

/// An error if a file could not be created at one of `paths`, found out without
/// creating one for good, or if two of them are one file.
llvm::Error checkWritable(llvm::ArrayRef<std::string> paths);

} // namespace attn

#endif // ATTN_SUPPORT_OUTPUT_H
