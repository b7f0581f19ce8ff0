//===- Input.cpp - Reading files that may have no end -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Input.h"
#include "FileError.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"

using namespace attn;
using llvm::createStringError;
using llvm::StringRef;

namespace fs = llvm::sys::fs;

/// Reads until there is no more.
static llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
readStream(fs::file_t file, StringRef name, int64_t maxBytes) {
  constexpr size_t chunk = 1 << 20;
  llvm::SmallVector<char, 0> bytes;
  for (;;) {
    size_t size = bytes.size();
    bytes.resize_for_overwrite(size + chunk);
    llvm::Expected<size_t> now =
        fs::readNativeFile(file, llvm::MutableArrayRef(bytes).drop_front(size));
    if (!now)
      return makeFileError(name, "cannot be read: " +
                                     llvm::toString(now.takeError()));
    bytes.truncate(size + *now);
    if (*now == 0)
      break;
    if (static_cast<int64_t>(bytes.size()) > maxBytes)
      return makeFileError(
          name, "expected a stream of at most " + llvm::Twine(maxBytes) +
                    " bytes, but it goes on; write what it gives "
                    "to a file");
  }
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes),
                                                         name);
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
attn::readInput(StringRef path, int64_t maxBytes) {
  bool isStdin = path == "-";
  std::string name = isStdin ? "<stdin>" : path.str();
  fs::file_t file = fs::getStdinHandle();
  llvm::scope_exit close([&] {
    if (!isStdin)
      fs::closeFile(file);
  });
  if (!isStdin) {
    llvm::Expected<fs::file_t> opened = fs::openNativeFileForRead(path);
    if (!opened) {
      close.release();
      return makeFileError(name, "cannot be read: " +
                                     llvm::toString(opened.takeError()));
    }
    file = *opened;
  }
  fs::file_status status;
  if (std::error_code error = fs::status(file, status))
    return makeFileError(name, "cannot be read: " + error.message());
  if (status.type() == fs::file_type::directory_file)
    return makeFileError(name, "expected a file, but it is a directory");
  // Files of the system are regular and of size 0, whatever is in them.
  if (isStdin || status.type() != fs::file_type::regular_file ||
      status.getSize() == 0)
    return readStream(file, name, maxBytes);
  auto buffer = llvm::MemoryBuffer::getOpenFile(file, name, status.getSize());
  if (!buffer)
    return makeFileError(name,
                         "cannot be read: " + buffer.getError().message());
  return std::move(*buffer);
}
