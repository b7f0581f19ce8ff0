//===- TemporaryFile.h - A file for another program -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_TEMPORARYFILE_H
#define ATTN_SUPPORT_TEMPORARYFILE_H

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileUtilities.h"

namespace attn {

/// A file for a program that is started, which goes when it has run.
class TemporaryFile {
public:
  /// An error, of one line, if it cannot be made or written.
  llvm::Error create(llvm::StringRef suffix, llvm::StringRef content);
  llvm::StringRef getPath() const { return path; }

private:
  llvm::SmallString<128> path;
  llvm::FileRemover remover;
};

} // namespace attn

#endif // ATTN_SUPPORT_TEMPORARYFILE_H
