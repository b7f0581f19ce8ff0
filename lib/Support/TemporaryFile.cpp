//===- TemporaryFile.cpp - A file for another program -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/TemporaryFile.h"
#include "attn/Support/Output.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"

using llvm::Error;

Error attn::TemporaryFile::create(llvm::StringRef suffix,
                                  llvm::StringRef content) {
  int descriptor;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("attn", suffix, descriptor, path))
    return llvm::createStringError("no temporary file can be made: " +
                                   code.message());
  remover.setFile(path);
  llvm::sys::RemoveFileOnSignal(path);
  Error error = writeBytes(descriptor, content.data(), content.size());
  llvm::sys::Process::SafelyCloseFileDescriptor(descriptor);
  return error;
}
